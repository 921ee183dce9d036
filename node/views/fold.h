#pragma once
/*
 * Stage 1 of one thing, whatever its type: gathers the thing's events, puts them in fold order,
 * judges each by what holds for every kind, then hands them to the thing type's own fold, which
 * judges the acts and leaves one row. Pure: reads events, the roster and the bounds that rules set,
 * writes nothing; two nodes that hold the same events get the same bytes. Of a thing with more than
 * THING_EVENTS_MAX events the first in fold order are folded; the others only count.
 *
 * Fold order: the founding event, then (depth, township before village, time, id). Of the things
 * that make up the roster only the authorities count as township, and of the township's own nobody:
 * who they are is what it folds to. So roster.authorities is all they are folded by.
 *
 * Judged here, in this order; the first that applies is the event's mark:
 *   EXT           an `ext` key of 128 and up
 *   UNKNOWN_KIND
 *   IMPOSSIBLE    a kind about another type of thing; founding where it may not be; not founded
 *   FORBIDDEN     role or scope
 *   BAD_DEPTH     depth 0 without founding; more than DEPTH_AHEAD_MAX beyond the event's place; not
 *                 greater than that of an earlier event of this thing on its own branch
 *   LIMIT         a village device's body in scope town over EVENT_TOWN_BODY_SIZE_MAX
 *   BAD_FIELD     the body against the kind's table (never the box: it may be erased); an order to
 *                 erase that lacks a second person (node/views/erasure.h)
 */
#include "node/views/bounds.h"
#include "node/views/request.h"
#include "node/views/thing_fold.h"

struct fold_item {
    struct event event;
    uint64_t arrival;
    uint32_t roles;
    bool township; /* its author stands on the township's side */
    uint32_t place;
    enum effect effect;
    char field[32];   /* which field is wrong, "" */
    const char *what; /* static reason, "" */
    const char *state_after;
};

/* Made by fold_open; one a process, its memory is used again for the next thing. */
struct fold {
    struct sign_key authority; /* the founding one */
    const struct roster *roster;
    const struct bounds *bounds; /* NULL: none */
    bool verify;                 /* check each event's hash as it is read */
    struct txn *txn;
    struct thing_key key;
    enum thing_type type; /* THING_NONE: founding event not held or of an unknown kind */
    const struct fold_item *founder;
    struct fold_item **order; /* the first THING_EVENTS_MAX in fold order */
    size_t count;
    uint64_t total;   /* events held of the thing */
    uint64_t damaged; /* arrival of the event that made fold_thing return ERR_CORRUPT, else 0 */
    bool erases;      /* some event is about erasing (node/views/erasure.h) */
    bool bound;       /* some event has no effect for what it states is beyond `bounds` */
    struct buf row;   /* result; empty: the thing has no row */
    struct request request; /* what the row of a request says */
    struct fold_item *items;
    size_t capacity;
    uint64_t walk_left;
    struct thing_work work; /* of thing_fold */
};

/* True for the types that the roster is made of. */
bool fold_is_roster(enum thing_type type);

/* Folds `key` from the log, or from `sole` where that is its only event (may be NULL). The result
 * stays until the next call and borrows events from the transaction until its next write.
 * Errors: ERR_NOMEM, ERR_CORRUPT, the transaction's. */
MUST_CHECK enum err fold_thing(struct fold *f, struct txn *t, const struct thing_key *key,
                               const struct event *sole);
/* Folds one more event onto the row that the thing has: f->row and f->request are as fold_thing
 * would leave them, the rest is not. The event is `next` of struct touched. `*done` false: it takes
 * a whole fold. Errors: as fold_thing. */
MUST_CHECK enum err fold_onto(struct fold *f, struct txn *t, const struct thing_key *key,
                              struct slice row, const struct event *next, bool *done);
void fold_clear(struct fold *f);

/* Marks an event that its type's fold found to be without effect. */
void fold_mark(struct fold_item *item, enum effect effect, const char *what);

/* Walks the events that take effect so far: those that passed what is judged here. Start with 0. */
struct fold_item *fold_next(const struct fold *f, size_t *at);

/* Counts the events that took effect. */
uint32_t fold_effective(const struct fold *f);
