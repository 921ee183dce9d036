/* Feeds: their rows by number and by id, and the rows of a write transaction in memory. */
#include "node/store/txn.h"

#include <string.h>

uint32_t feed_count(struct txn *t)
{
    return (uint32_t)db_entries(t, DB_FEEDS);
}

static bool feed_load(struct txn *t, uint32_t number, struct feed_row *out)
{
    struct key key;
    struct slice value;
    if (!db_get(t, DB_FEEDS, key_feed(&key, number), &value)) return false;
    enum err err = feed_row_read(out, number, value);
    if (err) txn_fail(t, err);
    return !err;
}

bool feed_get(struct txn *t, uint32_t number, struct feed_row *out)
{
    if (!t->hot) return number && feed_load(t, number, out);
    const struct feed_row *row = feed_hot(t, number);
    if (row) *out = *row;
    return row != NULL;
}

/* 0 when not held. */
static uint32_t feed_number(struct txn *t, const struct feed *feed)
{
    struct feed_id id;
    struct slice value;
    feed_id_of(&id, feed);
    if (!db_get(t, DB_FEED_IDS, slice_of(id.bytes, sizeof id.bytes), &value)) return 0;
    if (value.size == 4) return be32_get(value.data);
    txn_fail(t, ERR_CORRUPT);
    return 0;
}

bool feed_find(struct txn *t, const struct feed *feed, struct feed_row *out)
{
    if (!t->hot) return feed_get(t, feed_number(t, feed), out);
    const struct feed_row *row = feed_hot_of(t, feed);
    if (row) *out = *row;
    return row != NULL;
}

enum err feed_find_id8(struct txn *t, const uint8_t id8[8], struct feed_row *out)
{
    struct slice key, value;
    struct feed_id from = {{0}};
    memcpy(from.bytes, id8, 8);
    bool found = db_find(t, DB_FEED_IDS, slice_of(from.bytes, 32), &key, &value);
    if (t->err) return t->err;
    if (!found || memcmp(key.data, id8, 8) != 0) return ERR_NOT_FOUND;
    if (key.size != 32 || value.size != 4) return ERR_CORRUPT;
    uint32_t number = be32_get(value.data);
    /* The next id after this one. */
    memcpy(from.bytes, key.data, 32);
    for (size_t i = 32; i-- > 0 && ++from.bytes[i] == 0;) continue;
    if (db_find(t, DB_FEED_IDS, slice_of(from.bytes, 32), &key, &value) &&
        memcmp(key.data, id8, 8) == 0)
        return ERR_AMBIGUOUS;
    if (feed_get(t, number, out)) return OK;
    return t->err ? t->err : ERR_CORRUPT;
}

/* --- hot rows --- */

static void feed_save(struct txn *t, const struct feed_row *row)
{
    struct key key;
    uint8_t value[FEED_ROW_SIZE_MAX];
    size_t size = feed_row_write(value, row);
    db_put(t, DB_FEEDS, key_feed(&key, row->number), slice_of(value, size));
}

static void hot_evict(struct txn *t, struct hot_feed *h)
{
    if (h->row.number && h->dirty) feed_save(t, &h->row);
    h->row.number = 0;
    h->dirty = false;
}

struct feed_row *feed_hot(struct txn *t, uint32_t number)
{
    struct hot_feed *h = &t->hot->feeds[number % HOT_FEEDS];
    if (!number || t->err) return NULL;
    if (h->row.number == number) return &h->row;
    hot_evict(t, h);
    if (feed_load(t, number, &h->row)) return &h->row;
    h->row.number = 0;
    return NULL;
}

struct feed_row *feed_hot_of(struct txn *t, const struct feed *feed)
{
    struct feed_row *last = feed_hot(t, t->hot->last_feed);
    if (last && feed_equal(&last->feed, feed)) return last;
    struct feed_row *row = feed_hot(t, feed_number(t, feed));
    if (row) t->hot->last_feed = row->number;
    return row;
}

struct feed_row *feed_hot_make(struct txn *t, const struct feed *feed)
{
    struct scope_row *scope = scope_hot_make(t, &feed->scope);
    uint32_t number = feed_count(t) + 1;
    struct hot_feed *h = &t->hot->feeds[number % HOT_FEEDS];
    if (!scope || t->err) return NULL;
    hot_evict(t, h);
    h->row = (struct feed_row){.number = number, .scope_number = scope->number, .feed = *feed};
    feed_id_of(&h->row.id, feed);
    uint8_t value[4];
    be32_put(value, number);
    db_put(t, DB_FEED_IDS, slice_of(h->row.id.bytes, 32), slice_of(value, sizeof value));
    feed_save(t, &h->row); /* feed_count counts it from now on */
    t->hot->last_feed = number;
    return t->err ? NULL : &h->row;
}

void feed_hot_changed(struct txn *t, const struct feed_row *row)
{
    t->hot->feeds[row->number % HOT_FEEDS].dirty = true;
}

void feeds_flush(struct txn *t)
{
    for (size_t i = 0; i < HOT_FEEDS; i++) {
        struct hot_feed *h = &t->hot->feeds[i];
        if (h->row.number && h->dirty) feed_save(t, &h->row);
        h->dirty = false;
    }
}
