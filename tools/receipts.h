#pragma once
/*
 * The receipts that this node was given, checked: each signature, and that what the newest one of
 * each peer names is still held here.
 */
#include "node/store/local.h"
#include "node/views/visible.h"

struct receipts_result {
    uint64_t receipts, problems;
};
/* `receipts`: those that are about something shown. Calls `problem` for each receipt that does not
 * hold. Errors: ERR_NOMEM, the transaction's. */
MUST_CHECK enum err receipts_check(struct txn *t, const struct visible *visible,
                                   struct receipts_result *out,
                                   void (*problem)(void *state, enum err err, const char *what),
                                   void *state);
