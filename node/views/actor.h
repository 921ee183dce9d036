#pragma once
/* Persons who act (actor.enrol): their rows and lookups for `by`. */
#include "node/views/views.h"

#define ACTOR_TEXT_MAX 64 /* bytes */
enum actor_state { ACTOR_ACTIVE, ACTOR_REVOKED, ACTOR_HANDED_OVER };
struct actor {
    struct thing_key key;
    struct slice name; /* from the box, in `said`; empty when it is gone or was never held */
    char said[ACTOR_TEXT_MAX];
    struct slice unit;
    struct slice role; /* "clerk", "dispatcher", "secretary", ... */
    enum actor_state state;
    bool revoked; /* acts no more, in whichever of those states */
    bool has_successor;
    struct thing_id successor; /* who took over */
    struct slice from, to;     /* first and last day, "" where none */
};
/* Can this handover of his be recorded now? `body` of actor.handover. NULL: yes; else why not. */
const char *actor_hands_over(struct txn *t, const struct actor *from, struct slice body);
/* Calls back for every actor held; the slices are borrowed for the call. */
MUST_CHECK enum err actors_each(struct txn *t, bool (*each)(void *state, const struct actor *a),
                                void *state);
/* By thing id in any scope held. Errors: ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err actor_get(struct txn *t, const struct thing_id *thing, struct actor *out);
/* By thing id in any scope held; name is copied into `name` ("" if unknown). */
bool actor_name(struct txn *t, const struct thing_id *thing, char *name, size_t size);
