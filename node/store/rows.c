#include "node/store/rows.h"

#include "node/store/txn.h"

#include <string.h>

/* --- sums of row hashes: 256-bit big-endian integers mod 2^256 --- */

static void sum_load(uint64_t out[4], const uint8_t bytes[32])
{
    for (size_t i = 0; i < 4; i++) out[i] = be64_get(bytes + 8 * (3 - i));
}

static void sum_store(uint8_t bytes[32], const uint64_t in[4])
{
    for (size_t i = 0; i < 4; i++) be64_put(bytes + 8 * (3 - i), in[i]);
}

static void sum_change(uint8_t sum[32], const struct hash *h, bool add)
{
    uint64_t a[4], b[4], carry = 0;
    sum_load(a, sum);
    sum_load(b, h->bytes);
    for (size_t i = 0; i < 4; i++) {
        uint64_t v = add ? a[i] + b[i] : a[i] - b[i];
        bool over = add ? v < a[i] : v > a[i];
        uint64_t w = add ? v + carry : v - carry;
        carry = over || (add ? w < v : w > v);
        a[i] = w;
    }
    sum_store(sum, a);
}

void row_sum_add(uint8_t sum[32], uint8_t table, struct slice key, struct slice value)
{
    struct hash h;
    struct slice parts[] = {slice_of(&table, 1), key, value};
    crypto_hash_parts(&h, CONTEXT_ROW, parts, 3);
    sum_change(sum, &h, true);
}

static void sum_remove(uint8_t sum[32], uint8_t table, struct slice key, struct slice value)
{
    struct hash h;
    struct slice parts[] = {slice_of(&table, 1), key, value};
    crypto_hash_parts(&h, CONTEXT_ROW, parts, 3);
    sum_change(sum, &h, false);
}

/* --- what a scope keeps of its rows: their sum, or how many are in ROW_OPEN --- */

static struct scope_row *scope_of(struct txn *t, const struct row_key *key)
{
    if (key->table <= ROW_LOCAL_MAX && key->table != ROW_OPEN) return NULL;
    struct scope_row *scope = scope_hot(t, key->scope_number);
    if (scope)
        scope_hot_changed(t, scope);
    else
        txn_fail(t, ERR_NOT_FOUND); /* rows belong to scopes that are known */
    return scope;
}

static void scope_adds(struct scope_row *scope, const struct row_key *key, struct slice value)
{
    if (key->table == ROW_OPEN)
        scope->open_rows++;
    else
        row_sum_add(scope->rows_sum, key->table, key->key, value);
}

static void scope_removes(struct scope_row *scope, const struct row_key *key, struct slice value)
{
    if (key->table == ROW_OPEN)
        scope->open_rows--;
    else
        sum_remove(scope->rows_sum, key->table, key->key, value);
}

/* --- rows --- */

static bool key_of(struct txn *t, const struct row_key *key, struct key *out)
{
    if (key->key.size == 0 || key->key.size > ROW_KEY_SIZE_MAX) txn_fail(t, ERR_LIMIT);
    if (t->err) return false;
    key_row(out, key->scope_number, key->table, key->key);
    return true;
}

struct row_key row_thing_key(uint8_t bytes[ROW_THING_KEY_SIZE], unsigned type,
                             const struct thing_key *thing)
{
    bytes[0] = (uint8_t)type;
    memcpy(bytes + 1, thing->thing.bytes, sizeof thing->thing.bytes);
    return (struct row_key){thing->scope_number, ROW_THING, slice_of(bytes, ROW_THING_KEY_SIZE)};
}

enum err row_thing_id(struct thing_id *out, struct slice key)
{
    if (key.size != ROW_THING_KEY_SIZE) return ERR_CORRUPT;
    memcpy(out->bytes, key.data + 1, sizeof out->bytes);
    return OK;
}

bool row_get(struct txn *t, const struct row_key *key, struct slice *value)
{
    struct key k;
    return key_of(t, key, &k) && db_get(t, DB_ROWS, key_slice(&k), value);
}

void row_put(struct txn *t, const struct row_key *key, struct slice value)
{
    struct key k;
    struct slice old;
    if (!key_of(t, key, &k)) return;
    struct scope_row *scope = scope_of(t, key);
    if (!db_put_new(t, DB_ROWS, key_slice(&k), value, &old)) {
        if (t->err || slice_equal(old, value)) return;
        if (scope) scope_removes(scope, key, old);
        db_put(t, DB_ROWS, key_slice(&k), value);
    }
    if (scope && !t->err) scope_adds(scope, key, value);
}

void row_delete(struct txn *t, const struct row_key *key)
{
    struct key k;
    struct slice old;
    if (!key_of(t, key, &k) || !db_get(t, DB_ROWS, key_slice(&k), &old)) return;
    struct scope_row *scope = scope_of(t, key);
    if (scope) scope_removes(scope, key, old);
    db_delete(t, DB_ROWS, key_slice(&k));
}

/* Where the cursor goes on: behind its last key, or at its prefix. */
static void cursor_from(const struct row_cursor *c, struct key *out)
{
    if (c->at_size == 0) {
        key_row(out, c->scope_number, c->table, c->prefix);
        return;
    }
    key_row(out, c->scope_number, c->table, slice_of(c->at, c->at_size));
    out->bytes[out->size++] = 0; /* the first key that can come after it */
}

bool row_next(struct txn *t, struct row_cursor *c, struct slice *key, struct slice *value)
{
    struct key from;
    struct slice found, row;
    if (c->prefix.size > ROW_KEY_SIZE_MAX) txn_fail(t, ERR_LIMIT);
    if (t->err) return false;
    cursor_from(c, &from);
    if (!db_find(t, DB_ROWS, key_slice(&from), &found, &row)) return false;
    if (found.size < ROW_KEY_FIXED || found.size - ROW_KEY_FIXED > ROW_KEY_SIZE_MAX) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    struct slice at = slice_of(found.data + ROW_KEY_FIXED, found.size - ROW_KEY_FIXED);
    if (memcmp(found.data, from.bytes, ROW_KEY_FIXED) != 0 || at.size < c->prefix.size ||
        !slice_equal(slice_of(at.data, c->prefix.size), c->prefix))
        return false;
    memcpy(c->at, at.data, at.size);
    c->at_size = at.size;
    *key = at;
    *value = row;
    return true;
}

void rows_clear(struct txn *t)
{
    uint32_t scopes = scope_count(t);
    db_clear(t, DB_ROWS);
    for (uint32_t number = 1; number <= scopes; number++) {
        struct scope_row *scope = scope_hot(t, number);
        if (!scope) return;
        memset(scope->rows_sum, 0, sizeof scope->rows_sum);
        scope->open_rows = 0;
        scope_hot_changed(t, scope);
    }
}
