#pragma once
/*
 * What a bundle says before its runs (proto/SPEC.md, "Bundles"): what its maker holds, the receipt
 * for what its receiver wrote, and what hubs signed.
 */
#include "node/home.h"
#include "node/store/local.h"
#include "node/views/views.h"
#include "proto/frame.h"

#define BUNDLE_TOWNS_SIZE_MAX KIB(64)

/* Who makes it and who it is for, in one transaction, which all of it borrows from. */
struct bundle_sides {
    struct store *store;
    const struct device_keys *keys;
    uint64_t wall_ms;
    bool time_trusted;
    struct txn *txn;
    const struct roster *roster;
    const struct device *self, *to;
    struct peer_row peer; /* what is known of the receiver */
};

bool bundle_may_hold(const struct bundle_sides *s, const struct feed_row *row); /* the receiver */
/* The heads of a feed that concern the receiver. */
size_t bundle_heads(const struct bundle_sides *s, const struct feed_row *row,
                    struct head heads[FEED_BRANCHES_MAX]);
MUST_CHECK enum err bundle_hello_write(struct buf *out, const struct bundle_sides *s);
/* Leaves `out` empty where the receiver has written nothing that is held. Errors: ERR_NOMEM. */
MUST_CHECK enum err bundle_receipt_write(struct buf *out, const struct bundle_sides *s,
                                         uint64_t counter);
/* What hubs signed of `town`, as is kept here (node/towns.h): each frame behind its size be32. One
 * that makes it more than BUNDLE_TOWNS_SIZE_MAX stays out. Errors: ERR_NOMEM, the transaction's. */
MUST_CHECK enum err bundle_towns_write(struct buf *out, const struct bundle_sides *s);
