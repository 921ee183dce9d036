#pragma once
/*
 * What was erased (SPEC 22): the things whose boxes are destroyed, by which orders, and how far
 * this node is with it. Local rows, asked on every arrival, so that a box that comes late is not
 * kept; node/views/erasure.h says what they are and makes them again from the log.
 *
 * A box that was destroyed is in no record any more, and in old pages of the file until the store
 * is rewritten. Each destruction takes a number, the serial; what was destroyed up to
 * erase_rewritten is gone from the file too.
 */
#include "node/store/log.h"

#define ERASE_ORDERS_MAX 16u /* that hold, of one thing; later ones say nothing new */
#define ERASE_ONLY_MAX 256u  /* single events of one thing, by corrections */

struct erase_order {
    struct event_id id;
    uint64_t arrival;
    uint64_t serial; /* of the last box that was destroyed by it; 0: none was */
    bool answered;   /* this device's acknowledgement stands, or it owes none */
    bool settled;    /* nobody who can be reached still owes one */
};
struct erased {
    bool whole;    /* every box of the thing, past and future */
    uint64_t next; /* boxes of arrivals from here on are still to be destroyed; 0: done */
    size_t order_count;
    struct erase_order orders[ERASE_ORDERS_MAX]; /* the earliest first */
    size_t only_count;
    uint8_t only8[ERASE_ONLY_MAX][8]; /* first 8 bytes of the ids of single events */
};

/* Is anything erased at all? */
bool erased_any(struct txn *t);
/* false: nothing of this thing is. */
bool erased_get(struct txn *t, const struct thing_key *thing, struct erased *out);
/* One without orders goes. */
void erased_put(struct txn *t, const struct thing_key *thing, const struct erased *row);
/* All of them in key order: start with a zero key; false at the end. */
bool erased_next(struct txn *t, struct thing_key *thing, struct erased *out);
bool erased_covers(const struct erased *row, const struct event_id *id);
/* How many orders this device has not answered yet. */
uint64_t erased_unanswered(struct txn *t);

/* Takes the box out of a record, or all but the id out of one that cannot be read; false: there was
 * none. Errors latch. */
bool log_erase_box(struct txn *t, uint64_t arrival);

/* Something was destroyed, or a box was not kept that lies in pages already: the number of it. */
uint64_t erase_serial_next(struct txn *t);
uint64_t erase_serial(struct txn *t);    /* the last one; 0: never */
uint64_t erase_rewritten(struct txn *t); /* up to which the file is clean */
/* Rewrites the store (store_compact) and notes it. Errors: as store_compact. */
MUST_CHECK enum err erase_rewrite(struct store *s);
