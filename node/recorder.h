#pragma once
/*
 * The recorder builds, signs and appends this device's own events: sequence, link, hybrid clock,
 * depth and seen. An event recorded by a person is signed and committed at once; a bulk import
 * signs at least every SIGN_EVENTS_MAX events and every SIGN_BYTES_MAX, and the last of each
 * commit.
 *
 * Sign, commit, then confirm (D4). After ERR_AMBIGUOUS_COMMIT the recorder re-reads its head before
 * it signs again (L15).
 */
#include "node/arrival.h"
#include "node/clock.h"

/* What a caller states. Slices are borrowed for the call. */
struct draft {
    const char *kind;
    struct scope scope;
    uint8_t lane;
    bool founding;
    struct thing_id subject;
    bool has_by;
    struct thing_id by;
    struct slice body; /* encoded map; empty: {} */
    struct slice box;  /* encoded map; empty: none */
    bool sealed;       /* for the office alone: recorded inside a `sealed` event (SPEC 19) */
};
struct recorded {
    struct feed feed;
    uint64_t seq;
    struct event_id id;
    struct thing_id subject;
};

struct recorder;
struct recorder_options {
    struct store *store;
    struct views *views;
    const struct signer *signer; /* the device's, or as it says below */
    bool authority;              /* the authority's in force, for roster events */
    bool recovery;               /* the recovery key's in force, to replace the authority */
    bool rehearsal;              /* signs nothing that is kept: the side file is not asked */
};
/* Before the device's own key signs anything the side file is asked (node/lives.h). Errors:
 * ERR_FOREIGN (the signer is another's than that), the store's. */
MUST_CHECK enum err recorder_open(struct recorder **out, const struct recorder_options *options);
void recorder_close(struct recorder *r);

/* One commit: begin, any number of adds, commit. Checks form, kind table, role and (for requests)
 * the state machine before it signs; *problem says what is wrong.
 * Errors of add: ERR_RANGE, ERR_FORBIDDEN, ERR_STATE, ERR_NOT_FOUND (subject), ERR_LIMIT;
 * the others of the batch are kept. */
MUST_CHECK enum err recorder_begin(struct recorder *r, const struct clock_reading *clock);
MUST_CHECK enum err recorder_add(struct recorder *r, const struct draft *draft,
                                 struct recorded *out, struct kind_problem *problem);
MUST_CHECK enum err recorder_commit(struct recorder *r);
void recorder_abort(struct recorder *r);
struct txn *recorder_txn(struct recorder *r); /* within begin..commit */
/* The store is older than this device's records were, and their rest may come back from a peer: who
 * can reach one asks it before he records (F3). */
bool recorder_is_behind(const struct recorder *r);
/* Says at once in the present life's feeds that forked ones are continued there: for the admin, who
 * learns by that what happened and where. */
MUST_CHECK enum err recorder_continue(struct recorder *r, const struct clock_reading *clock);
/* begin, add, commit. */
MUST_CHECK enum err recorder_record(struct recorder *r, const struct clock_reading *clock,
                                    const struct draft *draft, struct recorded *out,
                                    struct kind_problem *problem);
