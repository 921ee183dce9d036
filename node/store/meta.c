/* Small named values; the counter that a write transaction moves is kept in memory. */
#include "node/store/txn.h"

#include <string.h>

static bool is_hot(const struct txn *t, const char *name)
{
    return t->hot && *name && strcmp(t->hot->counter.name, name) == 0;
}

static void uint_save(struct txn *t, const char *name, uint64_t value)
{
    uint8_t bytes[8];
    be64_put(bytes, value);
    db_put(t, DB_META, slice_of_text(name), slice_of(bytes, sizeof bytes));
}

void meta_flush(struct txn *t)
{
    struct hot_counter *c = &t->hot->counter;
    if (c->dirty) uint_save(t, c->name, c->value);
    c->dirty = false;
}

bool meta_get(struct txn *t, const char *name, struct slice *value)
{
    if (is_hot(t, name)) meta_flush(t);
    return db_get(t, DB_META, slice_of_text(name), value);
}

static void forget(struct txn *t, const char *name)
{
    if (is_hot(t, name)) t->hot->counter = (struct hot_counter){.dirty = false};
}

void meta_put(struct txn *t, const char *name, struct slice value)
{
    forget(t, name);
    db_put(t, DB_META, slice_of_text(name), value);
}

void meta_delete(struct txn *t, const char *name)
{
    forget(t, name);
    db_delete(t, DB_META, slice_of_text(name));
}

uint64_t meta_get_uint(struct txn *t, const char *name)
{
    struct slice value;
    if (is_hot(t, name)) return t->err ? 0 : t->hot->counter.value;
    return meta_get(t, name, &value) && value.size == 8 ? be64_get(value.data) : 0;
}

void meta_put_uint(struct txn *t, const char *name, uint64_t value)
{
    size_t size = strlen(name);
    if (!t->hot || size >= sizeof t->hot->counter.name) {
        uint_save(t, name, value);
        return;
    }
    struct hot_counter *c = &t->hot->counter;
    if (!is_hot(t, name)) meta_flush(t);
    memcpy(c->name, name, size + 1);
    c->value = value;
    c->dirty = true;
}

/* --- the identity --- */

void store_renew(struct txn *t)
{
    uint8_t bytes[IDENTITY_SIZE];
    struct store_identity identity = t->store->identity;
    crypto_random(identity.generation, sizeof identity.generation);
    memcpy(t->generation, identity.generation, sizeof t->generation);
    identity_write(bytes, &identity);
    meta_put(t, META_IDENTITY, slice_of(bytes, sizeof bytes));
    t->renewed = true;
}
