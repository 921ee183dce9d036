#pragma once
/*
 * The log: feeds with their heads, events in arrival order, the chain index (feed, number, id8) and
 * the subject index. Nothing here judges meaning; callers have verified what they append.
 *
 * Arrival numbers start at 1 and have no gaps. Feed and scope numbers are local to this store.
 */
#include "node/store/store.h"

struct head {
    uint64_t seq;
    struct event_id id;
    uint64_t time; /* HLC of the head */
};

/* A head that counts, of a feed whose later events do not. */
struct head_named {
    uint8_t feed8[8];
    uint64_t seq;
    uint8_t id16[16];
};

struct feed_row {
    uint32_t number;       /* local */
    uint32_t scope_number; /* local */
    struct feed feed;
    struct feed_id id;
    uint64_t events; /* all branches, without what stands aside */
    size_t head_count;
    struct head heads[FEED_BRANCHES_MAX]; /* highest number first, then id */
    size_t aside_count;
    struct head aside[FEED_BRANCHES_MAX]; /* ends of what stands aside, in the same order */
};

/* false when not held. */
bool feed_find(struct txn *t, const struct feed *feed, struct feed_row *out);
bool feed_get(struct txn *t, uint32_t number, struct feed_row *out);
/* By the first 8 bytes of the feed id. Errors: ERR_NOT_FOUND, ERR_AMBIGUOUS. */
MUST_CHECK enum err feed_find_id8(struct txn *t, const uint8_t id8[8], struct feed_row *out);
uint32_t feed_count(struct txn *t); /* numbers are 1..count */

/* Is this event held? `id8`: first 8 bytes of its id. Returns its arrival number, 0 if not. */
uint64_t log_find(struct txn *t, uint32_t feed_number, uint64_t seq, const uint8_t id8[8]);
uint64_t log_count(struct txn *t); /* = the last arrival number */

/* What an append did. */
struct appended {
    uint64_t arrival; /* 0: the event was held already */
    uint32_t scope_number;
    bool first_of_thing; /* no other event of its thing is held */
    bool aside;          /* it does not count: see log_cut */
    bool judged_anew;    /* a named head: others of its feed count now, or do not */
};
/* Appends an event whose predecessor is held (or seq 1). Makes the feed and scope known, moves or
 * adds the head, indexes the subject. An event already held is no error: arrival is 0 then, but a
 * signature or a box that was lacking is added, and a damaged record is healed. Errors latch in the
 * transaction: ERR_BASE, ERR_LIMIT (branches, epochs), ERR_CHAIN (another event with these first 8
 * bytes of id is held). */
void log_append(struct txn *t, const struct event *e, struct appended *out);
/* meta: the least arrival whose box came later than its event, or that did not count before; set by
 * log_append and log_cut, deleted by who has looked at it (node/views/search.h). */
#define META_BOX_ADDED "log.box_added"
/* Would consecutive events of one feed, oldest first, append? Changes and latches nothing, so one
 * bad run does not cost the others of a commit. Errors: as above, the transaction's. */
MUST_CHECK enum err log_check(struct txn *t, const struct event *events, size_t count);

/* Reads and verifies (hash of header, digest of box). Borrowed from the transaction. Where boxes
 * are locked (locking.h) the event's is BOX_LOCKED; verified all the same, if the key is at hand.
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err log_read(struct txn *t, uint64_t arrival, struct event *out);
/* The same for who does not read the box: it may be damaged. */
MUST_CHECK enum err log_read_header(struct txn *t, uint64_t arrival, struct event *out);
/* The same without hashing, for lists and folds of what was verified on arrival. What stands aside
 * is not found. */
MUST_CHECK enum err log_read_unverified(struct txn *t, uint64_t arrival, struct event *out);

/* The same, whether it counts or not. */
MUST_CHECK enum err log_read_any(struct txn *t, uint64_t arrival, struct event *out);

/* For who reads boxes: opens a locked one into memory of the caller's, appended to `keep`, which
 * the box borrows from then on; any other stays as it is. Errors: ERR_LOCKED (there is no key),
 * ERR_CORRUPT, ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK enum err log_open_box(struct txn *t, struct event *e, struct buf *keep);
/* log_read and log_open_box in one. */
MUST_CHECK enum err log_read_open(struct txn *t, uint64_t arrival, struct event *out,
                                  struct buf *keep);

/* --- events that do not count ---
 * The roster cuts an author off: of its feeds what is a named head, or leads to one, counts; while
 * a named head is not held, so does all with a lower number. The rest stands aside: it stays in the
 * log under its arrival number and in the chain, and is in no head, no thing, no count and no
 * digest. A feed that is not named counts for nothing. So what counts is a function of the events
 * held and of the cuts, whatever came first. */
struct log_cutting {
    void (*touched)(void *state, uint32_t scope_number, const struct thing_id *thing);
    void *state;
};
/* Sets the cuts of an author (NULL: there are none any more) and judges its feeds by them. Tells
 * each thing that an event was taken from or given back to. False: they were so already. */
bool log_cut(struct txn *t, const struct sign_key *author, const struct head_named *cuts,
             size_t count, const struct log_cutting *cutting);
/* For a moment all that this author says in one scope counts; log_cut then judges all its feeds. */
void log_cut_lift(struct txn *t, const struct sign_key *author, uint32_t scope_number,
                  const struct log_cutting *cutting);
/* Authors that are cut off: start with a zero key; false at the end. */
bool log_cut_next(struct txn *t, struct sign_key *after);
bool log_is_aside(struct txn *t, uint64_t arrival);
uint64_t aside_count(struct txn *t);
/* The arrivals of all that stand aside, by scope and thing; 0 at the end. */
struct aside_cursor {
    struct txn *txn;
    uint8_t after[36];
    size_t after_size; /* 0: from the beginning */
};
uint64_t aside_next(struct aside_cursor *c);
/* Those of one thing, in arrival order, after `after`; 0 at the end. */
uint64_t aside_of_thing(struct txn *t, uint32_t scope_number, const struct thing_id *thing,
                        uint64_t after);
/* Of events of a feed those that no other of them follows: ancestors of another go out. Gives how
 * many stay. */
size_t log_ends(struct txn *t, const struct feed_row *feed, struct head *heads, size_t count);
/* The ends of all that is held of a feed, whether it counts or not. */
size_t feed_ends(struct txn *t, const struct feed_row *feed, struct head out[FEED_BRANCHES_MAX]);

/* The ancestors of `head` on its branch with numbers first..last, oldest first, into arrivals[];
 * *count is set (0 when first > last). Walks the chain index; on a fork follows `prev`.
 * Errors: ERR_BASE (last is past the head), ERR_CORRUPT. */
MUST_CHECK enum err log_branch(struct txn *t, const struct feed_row *feed, const struct head *head,
                               uint64_t first, uint64_t last, uint64_t *arrivals, size_t *count);

/* Up to `max` points of a branch for WANT: the head, then exponentially further back. */
size_t log_points(struct txn *t, const struct feed_row *feed, const struct head *head,
                  uint64_t seqs[], uint8_t id8s[][8], size_t max);

/* --- scopes --- */
struct scope_row {
    uint32_t number;
    struct scope scope;
    uint64_t events;
    uint64_t open_rows;   /* in table ROW_OPEN */
    uint8_t rows_sum[32]; /* sum of the row hashes mod 2^256, see rows.h */
};
bool scope_find(struct txn *t, const struct scope *scope, struct scope_row *out);
bool scope_get(struct txn *t, uint32_t number, struct scope_row *out);
uint32_t scope_count(struct txn *t); /* numbers are 1..count */

/* --- subjects: the events of a thing, in arrival order --- */
struct thing_cursor {
    struct txn *txn;
    uint32_t scope_number;
    struct thing_id thing;
    uint64_t after;
};
/* Next arrival number of the thing's events, 0 at the end. Start with after = 0. */
uint64_t thing_next(struct thing_cursor *c);
size_t thing_event_count(struct txn *t, uint32_t scope_number, const struct thing_id *thing,
                         size_t max);
/* Things whose id starts with `prefix` in any scope, for the command line: up to max. */
struct thing_key {
    uint32_t scope_number;
    struct thing_id thing;
};
size_t thing_find_prefix(struct txn *t, const uint8_t *prefix, size_t nibbles,
                         struct thing_key *out, size_t max);
/* All things in key order from `*key` on (exclusive unless zero); false at the end. */
bool thing_each(struct txn *t, struct thing_key *key);
