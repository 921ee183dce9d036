#pragma once
/*
 * Which order has this number of its paper (doc_no)? No view: read from the log, once for a handle
 * and on from where that ended.
 */
#include "node/store/log.h"

/* Zero-initialise. Whoever aborts a transaction that it was asked in clears it. */
struct doc_numbers {
    uint64_t read; /* the last arrival that was looked at */
    struct doc_number {
        uint64_t hash;
        uint64_t arrival; /* 0: free */
    } * slots;
    size_t slot_count; /* a power of two, more than twice as many as there are numbers */
    size_t count;
};
void doc_numbers_clear(struct doc_numbers *d);

/* The first order.issue that was recorded with `doc_no`. Errors: ERR_NOT_FOUND, ERR_NOMEM, the
 * transaction's. */
MUST_CHECK enum err doc_numbers_find(struct doc_numbers *d, struct txn *t, struct slice doc_no,
                                     struct event *out);
