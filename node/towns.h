#pragma once
/*
 * Two faces (SPEC 10.17): hubs sign the heads of the feeds in `town` as they change, every node
 * keeps the newest of each store of a hub and passes it on, and two that cannot both be true are
 * kept as proof and shown. What one names is judged once it is all held here: what makes a head go
 * back (somebody was revoked) is then known as well.
 */
#include "node/home.h"
#include "node/store/towns.h"
#include "node/views/views.h"

/* The heads of `town` as they are held here, with their digest. Errors: ERR_NOMEM, ERR_LIMIT (more
 * than can be told), the transaction's. */
MUST_CHECK enum err towns_heads(struct txn *t, struct town_kept *out);

/* A TOWN frame; *out is owned. Errors: those of frame_town_read, ERR_NOMEM. */
MUST_CHECK enum err towns_read(struct town_kept *out, struct slice frame);

enum town_verdict {
    TOWN_OLD,     /* it says nothing new */
    TOWN_UNKNOWN, /* its hub, or the key that signed it, is not in the roster yet */
    TOWN_WAITS,   /* not all that it names is held */
    TOWN_NEWER,   /* to be kept */
    TOWN_SPLIT,   /* it and one that is kept cannot both be true */
};
struct town_judged {
    enum town_verdict verdict;
    uint8_t against[8]; /* SPLIT: the generation of the one that is kept */
};
/* Gives it heads where this node holds the same. Errors: ERR_NOMEM, the transaction's. */
MUST_CHECK enum err towns_judge(struct views *v, struct txn *t, struct town_kept *k,
                                struct town_judged *out);
/* Keeps what towns_judge said, in the same transaction, one that writes. Of each hub the first two
 * that cannot both be true stay; false: nothing was new. */
bool towns_keep(struct txn *t, const struct town_kept *k, const struct town_judged *judged);
/* Which key of the hub's made its signature? false: none that the roster knows. */
bool towns_signed_by(const struct roster *roster, const struct town_state *s, struct sign_key *out);

/* Is there a statement to be signed by this device: a hub whose `town` changed since, or that has
 * a new store? Not where the last one has more than is held: a store that was put back waits for
 * what it lacks. Errors: ERR_NOMEM, the transaction's. */
MUST_CHECK enum err towns_due(struct views *v, struct txn *t, bool *out);
/* Signs it; it may be told once this transaction is committed. Errors: as above. */
MUST_CHECK enum err towns_sign(struct views *v, struct txn *t, const struct device_keys *keys,
                               uint64_t wall_ms);

/* First 8 bytes of a digest of all that is kept, as HELLO tells it; false: nothing is, it is zero.
 */
bool towns_digest8(struct txn *t, uint8_t out8[8]);
