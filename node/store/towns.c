#include "node/store/towns.h"

#include "node/store/txn.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_TOWNS = 's', OF_STORE = 'h', OF_SPLIT = 'x', OF_SELF = 'g' };
enum { STORE_KEY_SIZE = 1 + 32 + 8, SPLIT_KEY_SIZE = 1 + 32, HEAD_SIZE = 32 };
enum { STATE_SIZE = 32 + 8 + 8 + 1 + 8 * TOWN_ENDED_MAX + 32 + 64, KEPT_FIXED = STATE_SIZE + 4 };

static struct slice key_of_store(struct key *k, const struct sign_key *hub,
                                 const uint8_t generation[8])
{
    uint8_t name[STORE_KEY_SIZE] = {OF_STORE};
    memcpy(name + 1, hub->bytes, 32);
    memcpy(name + 33, generation, 8);
    return key_local(k, TABLE_TOWNS, slice_of(name, sizeof name));
}

static struct slice key_of_split(struct key *k, const struct sign_key *hub)
{
    uint8_t name[SPLIT_KEY_SIZE] = {OF_SPLIT};
    memcpy(name + 1, hub->bytes, 32);
    return key_local(k, TABLE_TOWNS, slice_of(name, sizeof name));
}

void town_kept_clear(struct town_kept *k)
{
    free(k->heads);
    *k = (struct town_kept){.count = 0};
}

/* --- bytes --------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *at, const void *data, size_t size)
{
    memcpy(at, data, size);
    return at + size;
}

static uint8_t *put64(uint8_t *at, uint64_t v)
{
    be64_put(at, v);
    return at + 8;
}

static size_t kept_size(const struct town_kept *k)
{
    return KEPT_FIXED + k->count * HEAD_SIZE;
}

static uint8_t *kept_write(uint8_t *at, const struct town_kept *k)
{
    const struct town_state *s = &k->state;
    at = put(at, s->hub.bytes, 32);
    at = put(at, s->generation, 8);
    at = put64(at, s->number);
    *at++ = (uint8_t)s->ended_count;
    at = put(at, s->ended, sizeof s->ended);
    at = put(at, s->digest.bytes, 32);
    at = put(at, s->signature.bytes, 64);
    be32_put(at, (uint32_t)k->count);
    at += 4;
    for (size_t i = 0; i < k->count; i++) {
        at = put(at, k->heads[i].feed8, 8);
        at = put64(at, k->heads[i].seq);
        at = put(at, k->heads[i].id16, 16);
    }
    return at;
}

static const uint8_t *take(const uint8_t *at, void *out, size_t size)
{
    memcpy(out, at, size);
    return at + size;
}

static const uint8_t *state_read(const uint8_t *at, struct town_state *s)
{
    at = take(at, s->hub.bytes, 32);
    at = take(at, s->generation, 8);
    s->number = be64_get(at);
    s->ended_count = at[8] <= TOWN_ENDED_MAX ? at[8] : TOWN_ENDED_MAX;
    at = take(at + 9, s->ended, sizeof s->ended);
    at = take(at, s->digest.bytes, 32);
    return take(at, s->signature.bytes, 64);
}

/* Takes one off the front; false: it is damaged, or no memory (latched). */
static bool kept_read(struct txn *t, struct slice *value, struct town_kept *out)
{
    *out = (struct town_kept){.has_heads = true};
    uint32_t count = value->size < KEPT_FIXED ? UINT32_MAX : be32_get(value->data + STATE_SIZE);
    if (count > TOWN_HEADS_MAX || value->size < KEPT_FIXED + count * HEAD_SIZE) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    const uint8_t *at = state_read(value->data, &out->state) + 4;
    out->heads = calloc(count + 1, sizeof *out->heads);
    if (!out->heads) {
        txn_fail(t, ERR_NOMEM);
        return false;
    }
    for (out->count = 0; out->count < count; out->count++) {
        struct town_head *h = &out->heads[out->count];
        at = take(at, h->feed8, 8);
        h->seq = be64_get(at);
        at = take(at + 8, h->id16, 16);
    }
    *value = slice_of(at, value->size - (size_t)(at - value->data));
    return true;
}

/* --- rows ---------------------------------------------------------------------------------- */

bool towns_get(struct txn *t, const struct sign_key *hub, const uint8_t generation[8],
               struct town_kept *out)
{
    struct key key;
    struct slice value;
    *out = (struct town_kept){.count = 0};
    return db_get(t, DB_LOCAL, key_of_store(&key, hub, generation), &value) &&
           kept_read(t, &value, out);
}

void towns_put(struct txn *t, const struct town_kept *k)
{
    struct key key;
    struct slice name = key_of_store(&key, &k->state.hub, k->state.generation);
    uint8_t *at = db_put_room(t, DB_LOCAL, name, kept_size(k), false);
    if (at) kept_write(at, k);
}

void towns_delete(struct txn *t, const struct sign_key *hub, const uint8_t generation[8])
{
    struct key key;
    db_delete(t, DB_LOCAL, key_of_store(&key, hub, generation));
}

bool towns_next(struct txn *t, struct town_at *after, struct town_kept *out)
{
    struct key key;
    struct slice found, value;
    uint8_t name[STORE_KEY_SIZE + 1] = {OF_STORE}; /* the zero at its end: the next one possible */
    memcpy(name + 1, after->hub.bytes, 32);
    memcpy(name + 33, after->generation, 8);
    struct slice from = key_local(&key, TABLE_TOWNS, slice_of(name, sizeof name));
    *out = (struct town_kept){.count = 0};
    if (!db_find(t, DB_LOCAL, from, &found, &value) || found.size != 1 + STORE_KEY_SIZE ||
        found.data[0] != TABLE_TOWNS || found.data[1] != OF_STORE)
        return false;
    memcpy(after->hub.bytes, found.data + 2, 32);
    memcpy(after->generation, found.data + 34, 8);
    return kept_read(t, &value, out);
}

bool towns_next_of(struct txn *t, const struct sign_key *hub, uint8_t after[8],
                   struct town_kept *out)
{
    struct town_at at = {.hub = *hub};
    memcpy(at.generation, after, sizeof at.generation);
    bool there = towns_next(t, &at, out) && sign_key_equal(&at.hub, hub);
    if (!there) town_kept_clear(out);
    memcpy(after, at.generation, sizeof at.generation);
    return there;
}

bool towns_split_get(struct txn *t, const struct sign_key *hub, struct town_kept *a,
                     struct town_kept *b)
{
    struct key key;
    struct slice value;
    *a = *b = (struct town_kept){.count = 0};
    if (!db_get(t, DB_LOCAL, key_of_split(&key, hub), &value) || !kept_read(t, &value, a))
        return false;
    if (kept_read(t, &value, b)) return true;
    town_kept_clear(a);
    return false;
}

void towns_split_put(struct txn *t, const struct town_kept *a, const struct town_kept *b)
{
    struct key key;
    size_t size = kept_size(a) + kept_size(b);
    uint8_t *at = db_put_room(t, DB_LOCAL, key_of_split(&key, &a->state.hub), size, false);
    if (at) kept_write(kept_write(at, a), b);
}

/* --- this hub's own ------------------------------------------------------------------------- */

/* The store's generation, and that instead of it. */
void towns_generation(struct txn *t, uint8_t out[8])
{
    static const uint8_t name[] = {OF_SELF};
    struct key key;
    struct slice value;
    memcpy(out, store_identity(txn_store(t))->generation, 8);
    if (db_get(t, DB_LOCAL, key_local(&key, TABLE_TOWNS, slice_of(name, 1)), &value) &&
        value.size == 16 && memcmp(value.data, out, 8) == 0)
        memcpy(out, value.data + 8, 8);
}

void towns_generation_put(struct txn *t, const uint8_t generation[8])
{
    static const uint8_t name[] = {OF_SELF};
    struct key key;
    uint8_t value[16];
    memcpy(value, store_identity(txn_store(t))->generation, 8);
    memcpy(value + 8, generation, 8);
    db_put(t, DB_LOCAL, key_local(&key, TABLE_TOWNS, slice_of(name, 1)), slice_of(value, 16));
}
