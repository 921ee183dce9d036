#pragma once
/*
 * The roster by hand (SPEC 11.8): what the hub puts into the answer to a carried join request, and
 * what the laptop takes of it. The runs are those of the wire and are verified in the same way; all
 * of an answer is stored in one transaction, or nothing.
 */
#include "node/arrival.h"
#include "node/home.h"
#include "proto/join_file.h"

struct carried {
    struct store *store;
    struct views *views;
    const struct device_keys *keys; /* of this device */
};
/* Appends an encoded array of RUN frames: the feeds in `town`, the authorities' and hubs' first and
 * what villages say to the whole town last, of together about `size_max` bytes. The first of these
 * are not left out; *left: events that are. Errors: ERR_LIMIT (they alone are more than that),
 * ERR_CORRUPT, ERR_NOMEM, the store's. */
MUST_CHECK enum err carried_write(struct buf *out, const struct carried *c, size_t size_max,
                                  uint64_t *left);
/* Stores the runs of an answer that was opened. Errors: ERR_FOREIGN (by this roster the device did
 * not join), ERR_MALFORMED, ERR_SIGNATURE, ERR_CHAIN, ERR_LIMIT, ERR_FORBIDDEN (not of `town`, or
 * its author may not), ERR_BASE and ERR_UNKNOWN_AUTHOR (what it follows is lacking): nothing is
 * stored then; the store's. */
MUST_CHECK enum err carried_take(const struct carried *c, const struct join_answer *answer);
