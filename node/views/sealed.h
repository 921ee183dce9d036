#pragma once
/*
 * Sealed records (SPEC 19) as the township sees them: which wait, and what was registered from
 * those that were opened. A village's own store has the same rows and shows none of them
 * (node/views/visible.h).
 */
#include "node/views/views.h"

/* Row: [day uint, request nil | bin 16, dismissed bool]; day: whole days since 1970 in UTC+8. */
struct sealed {
    struct thing_key key;
    uint64_t day_ms; /* when its day began */
    bool opened;
    struct thing_id request; /* registered from it */
    bool dismissed;          /* it cannot be read, and waits no more; not opened since */
};
/* Why an act of this kind may not be done to it; NULL: it may. Static English text. The fold and
 * the recorder ask the same. */
const char *sealed_refuses(const struct sealed *s, struct slice kind);
/* Errors: ERR_NOT_FOUND, ERR_CORRUPT, the transaction's. */
MUST_CHECK enum err sealed_get(struct txn *t, const struct thing_key *key, struct sealed *out);
/* All of them, the oldest first; `each` returns false to stop. */
MUST_CHECK enum err
sealed_each(struct txn *t, bool (*each)(void *state, const struct sealed *sealed), void *state);
struct sealed_counts {
    uint64_t waiting, opened, dismissed;
};
MUST_CHECK enum err sealed_count(struct txn *t, struct sealed_counts *out);
