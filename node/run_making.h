#pragma once
/*
 * Runs are made from the log, for whatever carries them: a session or a file.
 */
#include "node/store/log.h"
#include "proto/frame.h"

struct run_maker {
    struct zstd *zstd;
    const struct signer *signer; /* signs where a run of its own feeds is cut */
    uint64_t raw_per_payload;    /* measured, in 1/16; begin with RUN_MAKER_RATIO */
};
#define RUN_MAKER_RATIO (3 * 16)

/* What a run is made of, and the run. Begin with the first part filled in and the rest zero. */
struct run_making {
    struct feed_row feed;
    struct head head;   /* the branch followed */
    struct head base;   /* seq 0: from the beginning */
    uint64_t to_seq;    /* last number wanted; 0: to the head */
    size_t payload_max; /* about this many compressed bytes */
    bool dictionary;    /* may use one */
    bool counting;      /* only what counts, and what must prove it */
    int level;          /* zstd level, for more than a little */

    struct run run;   /* borrows from what follows */
    struct head last; /* it ends at this event */

    struct buf raw, dictionary_bytes, payload;
    struct buf box; /* of the event at hand, opened */
    struct run_context context;
    size_t *ends;      /* raw size after each event */
    struct head *cuts; /* each event as a possible last one */
    struct signature *signatures;
    bool *is_signed;
    size_t count;
};
/* Makes one run. Errors: ERR_NOT_FOUND (nothing after the base that a signature covers),
 * ERR_CORRUPT (its first event is damaged), ERR_LIMIT, ERR_NOMEM, the transaction's. */
MUST_CHECK enum err run_making_make(struct run_making *m, struct run_maker *maker, struct txn *t);
/* The same; where only what counts is wanted and has no signature of its own, with what stands
 * aside and proves it. */
MUST_CHECK enum err run_making_proven(struct run_making *m, struct run_maker *maker, struct txn *t);
/* Sets m->base: after the highest of the receiver's points that lies on the branch of m->head, or
 * after the fork below it. Errors: ERR_NOT_FOUND (nothing stands after it), ERR_BASE (none of the
 * points is held here; not where it may begin `from_start`), the transaction's. */
MUST_CHECK enum err run_making_base(struct run_making *m, struct txn *t,
                                    const struct want_point *points, size_t point_count,
                                    bool from_start);
void run_making_clear(struct run_making *m);
/* Throws away what was made; the first part stays. */
void run_making_again(struct run_making *m);

/* The events that make up the dictionary before `base`, oldest first, borrowed from the transaction
 * and from `boxes`, where locked ones are opened; *events is owned by the caller (free). */
MUST_CHECK enum err run_dictionary_events(struct txn *t, const struct feed_row *feed,
                                          const struct head *base, struct event **events,
                                          size_t *count, struct buf *boxes);

/* The newest event that `held` (an event of this feed) and the branch of `head` have in common, if
 * it is newer than *seq; else *seq stays. Ancestors are common below a fork and differ above it.
 * The first probe is the one after *seq: most of a peer's points are of a branch that was looked
 * at, and each look at a fork walks it. */
MUST_CHECK enum err run_common_ancestor(struct txn *t, const struct feed_row *feed,
                                        const struct head *head, const struct head *held,
                                        uint64_t *seq);
/* The event with this number on the branch of `head`; zero for 0. */
MUST_CHECK enum err run_head_at(struct txn *t, const struct feed_row *feed, const struct head *head,
                                uint64_t seq, struct head *out);
