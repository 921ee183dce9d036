#pragma once
/*
 * Local rows about the addresses of `peers`: who was met there, and how the last attempts went. Not
 * replicated.
 */
#include "node/store/log.h"

struct neighbour_row {
    struct sign_key device;                    /* its first key; zeros: nobody was met there yet */
    uint64_t last_ok_ms;                       /* wall time of the last session's begin; 0: never */
    uint64_t last_attempt_ms, next_attempt_ms; /* wall time; 0: none */
    uint32_t failures;                         /* since the last success */
    uint32_t last_error;                       /* enum err */
};
/* False: it was never tried; *out is zeros. */
bool neighbour_get(struct txn *t, const char *address, struct neighbour_row *out);
void neighbour_put(struct txn *t, const char *address, const struct neighbour_row *row);
