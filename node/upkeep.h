#pragma once
/*
 * What a daemon does when nothing else is to do, a slice at a time: fold views again after a change
 * of roster or version, index what arrived for looking people up, and read a part of the log every
 * day, so a lying disk is noticed.
 */
#include "node/damage.h"
#include "node/views/views.h"

struct upkeep {
    struct store *store;
    struct views *views;
    bool folding;                    /* a rebuild is pending */
    bool indexing;                   /* look-ups have much to read */
    uint64_t events;                 /* in the log as it was last looked at */
    uint64_t index_from_ms;          /* while more arrives, that has the machine for itself */
    uint64_t index_latest_ms;        /* but not for ever */
    uint64_t not_before_ms;          /* after a failure */
    uint64_t scrub_from_ms;          /* a starting node has better things to do */
    uint64_t scrub_next, scrub_last; /* arrivals of today's part; next > last: done */
    uint64_t scrub_day;              /* of the part; days since 1970 */
    struct damage found;             /* in today's part */
};

void upkeep_init(struct upkeep *u, struct store *store, struct views *views, uint64_t now_ms);
/* The store changed: is there something to fold or to index? */
void upkeep_look(struct upkeep *u, struct txn *t, uint64_t now_ms);
/* One slice, if any is due. True: there is more, the caller should not sleep. */
bool upkeep_turn(struct upkeep *u, uint64_t now_ms, uint64_t wall_ms);
/* How long until upkeep_turn has something to index; UINT64_MAX: nothing waits. */
uint64_t upkeep_wait_ms(const struct upkeep *u, uint64_t now_ms);
