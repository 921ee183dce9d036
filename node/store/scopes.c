/* Scopes: their rows by number and by text, and the rows of a write transaction in memory. */
#include "node/store/txn.h"

#include <string.h>

uint32_t scope_count(struct txn *t)
{
    return (uint32_t)(db_entries(t, DB_SCOPES) / 2); /* each is there by number and by text */
}

static bool scope_load(struct txn *t, uint32_t number, struct scope_row *out)
{
    struct key key;
    struct slice value;
    if (!db_get(t, DB_SCOPES, key_scope(&key, number), &value)) return false;
    enum err err = scope_row_read(out, number, value);
    if (err) txn_fail(t, err);
    return !err;
}

bool scope_get(struct txn *t, uint32_t number, struct scope_row *out)
{
    if (!t->hot) return number && scope_load(t, number, out);
    const struct scope_row *row = scope_hot(t, number);
    if (row) *out = *row;
    return row != NULL;
}

static uint32_t scope_number(struct txn *t, const struct scope *scope)
{
    struct key key;
    struct slice value;
    uint32_t last = t->hot ? t->hot->last_scope : 0;
    const struct scope_row *row = last ? &t->hot->scopes[last % HOT_SCOPES].row : NULL;
    if (row && row->number == last && scope_equal(&row->scope, scope)) return last;
    if (!db_get(t, DB_SCOPES, key_scope_text(&key, scope), &value)) return 0;
    if (value.size != 4) {
        txn_fail(t, ERR_CORRUPT);
        return 0;
    }
    uint32_t number = be32_get(value.data);
    if (t->hot) t->hot->last_scope = number;
    return number;
}

bool scope_find(struct txn *t, const struct scope *scope, struct scope_row *out)
{
    return scope_get(t, scope_number(t, scope), out);
}

/* --- hot rows --- */

static void scope_save(struct txn *t, const struct scope_row *row)
{
    struct key key;
    uint8_t value[SCOPE_ROW_SIZE];
    scope_row_write(value, row);
    db_put(t, DB_SCOPES, key_scope(&key, row->number), slice_of(value, sizeof value));
}

static void hot_evict(struct txn *t, struct hot_scope *h)
{
    if (h->row.number && h->dirty) scope_save(t, &h->row);
    h->row.number = 0;
    h->dirty = false;
}

struct scope_row *scope_hot(struct txn *t, uint32_t number)
{
    struct hot_scope *h = &t->hot->scopes[number % HOT_SCOPES];
    if (!number || t->err) return NULL;
    if (h->row.number == number) return &h->row;
    hot_evict(t, h);
    if (scope_load(t, number, &h->row)) return &h->row;
    h->row.number = 0;
    return NULL;
}

struct scope_row *scope_hot_make(struct txn *t, const struct scope *scope)
{
    struct scope_row *row = scope_hot(t, scope_number(t, scope));
    if (row || t->err) return row;
    uint32_t number = scope_count(t) + 1;
    struct hot_scope *h = &t->hot->scopes[number % HOT_SCOPES];
    hot_evict(t, h);
    h->row = (struct scope_row){.number = number, .scope = *scope};
    struct key key;
    uint8_t value[4];
    be32_put(value, number);
    db_put(t, DB_SCOPES, key_scope_text(&key, scope), slice_of(value, sizeof value));
    scope_save(t, &h->row); /* scope_count counts it from now on */
    return t->err ? NULL : &h->row;
}

void scope_hot_changed(struct txn *t, const struct scope_row *row)
{
    t->hot->scopes[row->number % HOT_SCOPES].dirty = true;
}

void scopes_flush(struct txn *t)
{
    for (size_t i = 0; i < HOT_SCOPES; i++) {
        struct hot_scope *h = &t->hot->scopes[i];
        if (h->row.number && h->dirty) scope_save(t, &h->row);
        h->dirty = false;
    }
}
