#pragma once
/*
 * Things of a type without a fold of its own: rule, calendar, unit, duty, team, volunteer, call,
 * activity, service, asset, thanks, notice, points, publicity, redeem, honour, benefit, stat,
 * office key. What may be done to each stands in one table (thing_rules.c; SPEC 14.12); its row is
 * the same for all.
 *
 * Row (table 't', key = type (1 byte) ‖ thing id), canonical msgpack:
 *   [state uint, founded ms uint, author bin 32, by nil|bin 16, fields map,
 *    acts array of [kind str, ms uint, by nil|bin 16, body map]]
 *   fields: the body of the founding event as corrected, its entries replaced or joined by the
 *           fields of the effective acts of kinds that set
 *   acts:   the effective acts of kinds that are listed, in fold order
 */
#include "node/views/views.h"

#define THING_ACTS_SIZE_MAX MIB(2) /* the acts that are listed, together */

struct thing { /* borrowed from the row */
    enum thing_type type;
    struct thing_key key;
    unsigned state; /* of the type; thing_state_name */
    uint64_t founded_ms;
    struct sign_key author; /* who founded it, by his first key */
    bool has_by;
    struct thing_id by;
    struct slice fields; /* encoded map */
    struct slice acts;   /* for thing_act_next */
};

/* Does the type have rows of this form? */
bool thing_is_plain(enum thing_type type);
/* Errors: ERR_CORRUPT. */
MUST_CHECK enum err thing_row_read(struct thing *out, enum thing_type type,
                                   const struct thing_key *key, struct slice row);
/* Errors: ERR_NOT_FOUND (not held, or its founding event is not or has no effect), ERR_CORRUPT. */
MUST_CHECK enum err thing_get(struct txn *t, enum thing_type type, const struct thing_key *key,
                              struct thing *out);
/* By the id alone, as events name a thing; in any scope that is held. */
bool thing_of_id(struct txn *t, enum thing_type type, const struct thing_id *id, struct thing *out);
/* Calls back for each thing of the type in a scope (0: in all scopes) until it says false. */
MUST_CHECK enum err things_each(struct txn *t, enum thing_type type, uint32_t scope_number,
                                bool (*each)(void *state, const struct thing *thing), void *state);

/* The acts that are listed: start with mp_reader_of(thing->acts); false at the end. */
struct thing_act {
    struct slice kind;
    uint64_t ms;
    bool has_by;
    struct thing_id by;
    struct slice body;
};
bool thing_act_next(struct mp_reader *r, struct thing_act *out);

/* Names of the states of these types, and of village, device and actor; "?" for another. "recorded"
 * where a type knows one state only. */
const char *thing_state_name(enum thing_type type, unsigned state);
const char *thing_state_zh(enum thing_type type, unsigned state);
/* The Chinese word for the name of a state; NULL for no such name. */
const char *thing_state_zh_of(enum thing_type type, const char *name);

/* What somebody means to do about a thing that is held. */
struct thing_deed {
    const struct kind *kind; /* one that acts on the type or on any */
    const struct roster *roster; /* NULL: it is no correction */
    struct sign_key author;      /* roster_name of who does it */
    bool has_by;
    struct thing_id by;
    struct slice body; /* checked against the kind */
};
/* May this be done to the thing as it stands? The fold asks the same rules, so the recorder refuses
 * before it signs what would have no effect. On an error `*why` is static English text.
 * Errors: ERR_STATE (state or guard), ERR_LIMIT (too much of it), ERR_NOMEM, the transaction's. */
MUST_CHECK enum err thing_may(struct txn *t, const struct thing *thing,
                              const struct thing_deed *deed, const char **why);
/* May a thing be founded with this body (checked against the kind)? `authority`: by the township's
 * authority. Types with a fold of their own: always. Errors: ERR_RANGE with *problem filled. */
MUST_CHECK enum err thing_may_found(const struct kind *kind, bool authority, struct slice body,
                                    struct kind_problem *problem);
