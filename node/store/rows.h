#pragma once
/*
 * View rows: what the folds leave behind, thrown away and made again at will. One row is
 * (scope, table, key) -> value; per scope a sum of row hashes mod 2^256 is kept, so the digest of a
 * scope's views costs nothing to read and does not depend on the order of changes (the sum of
 * hashes as in Bellare and Micciancio, "A new paradigm for collision-free hashing", 1997; here
 * against accidents, the log's chains guard against malice).
 */
#include "node/store/log.h"

enum row_table {
    ROW_THING = 't',      /* key: type (1 byte) ‖ thing id: stage 1 state */
    ROW_LOCAL_MAX = 0x1f, /* tables up to here are indexes outside the digest */
    ROW_OPEN = 0x01,      /* key: due (be64) ‖ thing id: open requests by due time, counted in the
                             scope's row */
    ROW_NUMBER = 0x02,    /* key: number text ‖ thing id */
    ROW_PHONE = 0x03,     /* node/views/search.h */
    ROW_NAME = 0x04,      /* the same */
    ROW_REF = 0x05,       /* the same */
    ROW_PLACE = 0x06,     /* the same */
    ROW_UNNUMBERED = 0x07, /* key: thing id: requests whose official number is due */
};

#define ROW_KEY_SIZE_MAX ((size_t)128)
struct row_key {
    uint32_t scope_number;
    uint8_t table;
    struct slice key; /* ROW_KEY_SIZE_MAX bytes at most, not empty */
};

#define ROW_THING_KEY_SIZE 17
/* Where a thing of an enum thing_type has its row; it borrows `bytes`. */
struct row_key row_thing_key(uint8_t bytes[ROW_THING_KEY_SIZE], unsigned type,
                             const struct thing_key *thing);
/* Whose row it is, by its key in ROW_THING. Errors: ERR_CORRUPT. */
MUST_CHECK enum err row_thing_id(struct thing_id *out, struct slice key);

bool row_get(struct txn *t, const struct row_key *key, struct slice *value);
void row_put(struct txn *t, const struct row_key *key, struct slice value);
void row_delete(struct txn *t, const struct row_key *key);
/* Rows of one scope and table in key order. Start with a zeroed cursor and prefix; false at end. */
struct row_cursor {
    uint32_t scope_number;
    uint8_t table;
    struct slice prefix;          /* of the key; borrowed from the caller */
    uint8_t at[ROW_KEY_SIZE_MAX]; /* the last key */
    size_t at_size;
};
bool row_next(struct txn *t, struct row_cursor *c, struct slice *key, struct slice *value);
/* Adds a row's hash to a sum, as row_put does to its scope's. */
void row_sum_add(uint8_t sum[32], uint8_t table, struct slice key, struct slice value);
/* Throws away all rows of all scopes (at a rebuild's start). */
void rows_clear(struct txn *t);
