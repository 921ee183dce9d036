#pragma once
/*
 * Views: stage 1 folds one thing from its own events, the roster and the bounds that rules set; the
 * rows they leave behind are a pure function of the events held. Fold order: (depth, township
 * before village, time, id).
 *
 * One handle a process; it caches the roster and the rules. A fold that changes them reloads the
 * cache in the same transaction; whoever aborts that transaction calls views_forget.
 */
#include "node/views/roster.h"

#define FOLD_VERSION 7

struct views;
/* Rows that another fold version left are thrown away; a rebuild is pending then. Errors: ERR_AGAIN
 * (that was not done, for the store is open for reading only), ERR_NOMEM, ERR_CORRUPT, the store's.
 */
MUST_CHECK enum err views_open(struct views **out, struct store *s);
void views_close(struct views *v);
/* The roster as of this transaction (another process may have changed it). Errors: ERR_CORRUPT...
 */
MUST_CHECK enum err views_roster(struct views *v, struct txn *t, const struct roster **out);
void views_forget(struct views *v);

/* A thing that events were appended to in this transaction. `sole`: the thing's only event, when it
 * was founded right now and nothing else was appended to it (saves reading it back); else NULL.
 * `next`: the one event appended to it, when that was made knowing all others that are held and
 * lies deeper than all of them (saves reading those); else NULL. */
struct touched {
    uint32_t scope_number;
    struct thing_id thing;
    const struct event *sole, *next;
};
/* Nobody in the roster speaks by this key, though events of it may be held: the event that let it
 * in, or made it one of a device's, is not here or does not count. False until the township is
 * founded. */
bool views_is_nobody(const struct roster *r, const struct sign_key *author);
/* What counts is judged anew (state.h): after events of the roster that stand aside, and events of
 * nobody. Errors: as views_fold. */
MUST_CHECK enum err views_judge(struct views *v, struct txn *t);
/* Folds each touched thing once; one with a damaged event keeps the row it has. A change of
 * roster or rules that alters what the events of other things mean sets the rebuild marker. Errors:
 * ERR_NOMEM, ERR_CORRUPT, the transaction's; the caller aborts. */
MUST_CHECK enum err views_fold(struct views *v, struct txn *t, const struct touched *touched,
                               size_t count);

/* --- rebuild: in slices under a marker in `meta`, so a crash in the middle resumes --- */
/* Sets the marker; the first slice throws all rows away and folds roster and rules in one
 * transaction, so no committed state is ever without them. */
void views_rebuild_begin(struct txn *t);
bool views_rebuild_pending(struct txn *t, uint64_t *done, uint64_t *total);
/* Folds the next REBUILD_SLICE_EVENTS events' worth of things, verifying each event it reads, in
 * its own transaction. A thing with a damaged event is passed over: the slice is committed all the
 * same and ERR_CORRUPT returned, *arrival naming the event. Damage in scope `town` stops the first
 * slice before anything changed. Errors: ERR_CORRUPT and the store's. */
MUST_CHECK enum err views_rebuild_slice(struct views *v, struct store *s, uint64_t *arrival);
/* All of it; goes on behind damaged events and returns ERR_CORRUPT at the end. */
MUST_CHECK enum err views_rebuild(struct views *v, struct store *s,
                                  void (*progress)(void *state, uint64_t done, uint64_t total),
                                  void *state);

/* What is pending, to its end; nothing where nothing is. Errors: as views_rebuild. */
MUST_CHECK enum err views_rebuild_finish(struct views *v, struct store *s);

/* hash("sidan/views", [fold version uint, roster heads bin 32, scope's rows_sum bin 32]);
 * comparable between nodes whose fold version, roster heads and rules agree. roster heads =
 * hash("sidan/views", [[feed id bin 32, [head id bin 32, ...]], ...]) over the feeds in `town` of
 * all authorities and recovery keys, and of every joined or revoked device with the role hub,
 * sorted by feed id, head ids sorted. A scope that is not held has the sum 0. */
struct views_digest {
    struct hash digest;
    struct hash roster_heads;
};
MUST_CHECK enum err views_digest(struct txn *t, const struct scope *scope,
                                 struct views_digest *out);
/* First 8 bytes of hash("sidan/views", digests of the scopes in order). */
MUST_CHECK enum err views_digest8(struct txn *t, const struct scope *scopes, size_t count,
                                  uint8_t out8[8]);
/* The same of what two devices hold whole, for HELLO, RUN and RECEIPT: `town`, and the village's
 * scope where one of them is its. */
MUST_CHECK enum err views_shared8(struct txn *t, const struct device *self,
                                  const struct device *peer, uint8_t out8[8]);
/* For published figures (SPEC 21.7): the whole of that hash over all scopes held but `office`, in
 * the order of their texts. */
MUST_CHECK enum err views_digest_open(struct txn *t, struct hash *out);

/* Folds every thing again in memory and compares with the rows kept. *differing: how many differ,
 * or cannot be told because an event is damaged. */
MUST_CHECK enum err views_compare(struct views *v, struct store *s, uint64_t *differing,
                                  void (*progress)(void *state, uint64_t done, uint64_t total),
                                  void *state);

/* --- one thing with its history, for `show` --- */
enum effect {
    EFFECT_COUNTS,       /* it took effect */
    EFFECT_UNKNOWN_KIND, /* kept for a later version */
    EFFECT_FORBIDDEN,    /* the author's role or scope does not allow it */
    EFFECT_IMPOSSIBLE,   /* not in this state */
    EFFECT_BAD_FIELD,
    EFFECT_BAD_DEPTH,
    EFFECT_EXT,   /* carries an extension that must be understood */
    EFFECT_LIMIT, /* over a limit that the log does not enforce */
};
const char *effect_name(enum effect e); /* "counts", "unknown-kind", ... */

struct history_item {
    uint64_t arrival;
    struct event event; /* slices owned by the history */
    uint32_t place;     /* events ordered before it */
    bool both_changed;  /* place > seen: its author did not know all that stands before it */
    enum effect effect;
    char reason[96];      /* "" or English detail: field, state */
    char state_after[24]; /* the request's state after it */
};
struct history {
    enum thing_type type;
    struct history_item *items; /* the first THING_EVENTS_MAX in fold order */
    size_t count;
    uint64_t total;   /* events held */
    struct buf bytes; /* what the events borrow */
};
/* Errors: ERR_NOT_FOUND. Owned by the caller: history_clear. */
MUST_CHECK enum err views_history(struct views *v, struct txn *t, uint32_t scope_number,
                                  const struct thing_id *thing, struct history *out);
void history_clear(struct history *h);

/* Numbers that the recorder puts into a new event of this thing: what is held of it. */
struct thing_outlook {
    bool exists;
    enum thing_type type; /* THING_NONE: what founds it is not held */
    uint32_t events;      /* seen */
    uint32_t depth_max; /* greatest depth held within DEPTH_AHEAD_MAX of its place; below events */
    bool deepest;       /* none that is held lies deeper than that */
};
/* Of the thing last asked about, so that a batch of acts on one thing reads each once.
 * Zero-initialise.
 */
struct outlook_memo {
    uint64_t txn; /* serial; 0: empty */
    struct thing_key key;
    uint64_t arrival; /* of the thing's last event */
    struct thing_outlook outlook;
};
MUST_CHECK enum err views_outlook(struct outlook_memo *memo, struct txn *t, uint32_t scope_number,
                                  const struct thing_id *thing, struct thing_outlook *out);
