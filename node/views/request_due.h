#pragma once
/*
 * Open requests in the order in which something falls due, over one scope or merged over many: what
 * a list for today begins with. Reads only the rows it gives, from the index over due times, so a
 * screenful costs the same at a hundred thousand requests.
 */
#include "node/views/request.h"

/* Walks from the earliest due on; those without a date come last. Stops when `each` returns false.
 * `scope_number` 0: all scopes but the township's own (scope office), which is listed apart.
 * Errors: ERR_NOMEM, ERR_CORRUPT, the transaction's. */
MUST_CHECK enum err requests_by_due(struct txn *t, uint32_t scope_number,
                                    bool (*each)(void *state, const struct thing_key *key,
                                                 const struct request *r, uint64_t due_ms),
                                    void *state);

/* Open ones by how near their due is. */
struct due_counts {
    uint64_t open, overdue, soon; /* due before now; due before `soon_until_ms` */
};
MUST_CHECK enum err requests_due_count(struct txn *t, uint32_t scope_number, uint64_t now_ms,
                                       uint64_t soon_until_ms, struct due_counts *out);
