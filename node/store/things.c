/* The subject index. */
#include "node/store/txn.h"

#include <string.h>

static bool same_thing(struct slice key, const struct key *wanted)
{
    return key.size == THING_KEY_SIZE && memcmp(key.data, wanted->bytes, THING_KEY_SIZE - 8) == 0;
}

uint64_t thing_next(struct thing_cursor *c)
{
    struct key key;
    struct slice found, value;
    if (c->after == UINT64_MAX) return 0;
    key_thing(&key, c->scope_number, &c->thing, c->after + 1);
    if (!db_find(c->txn, DB_THINGS, key_slice(&key), &found, &value) || !same_thing(found, &key))
        return 0;
    c->after = be64_get(found.data + THING_KEY_SIZE - 8);
    return c->after;
}

size_t thing_event_count(struct txn *t, uint32_t scope_number, const struct thing_id *thing,
                         size_t max)
{
    struct thing_cursor c = {t, scope_number, *thing, 0};
    size_t count = 0;
    while (count < max && thing_next(&c)) count++;
    return count;
}

static bool find_thing(struct txn *t, const struct key *from, struct thing_key *out)
{
    struct slice found, value;
    if (!db_find(t, DB_THINGS, key_slice(from), &found, &value)) return false;
    if (found.size != THING_KEY_SIZE) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    out->scope_number = be32_get(found.data);
    memcpy(out->thing.bytes, found.data + 4, sizeof out->thing.bytes);
    return true;
}

bool thing_each(struct txn *t, struct thing_key *key)
{
    struct key from;
    /* No arrival has the greatest number: this lands behind the thing's last event. */
    key_thing(&from, key->scope_number, &key->thing, key->scope_number ? UINT64_MAX : 0);
    return find_thing(t, &from, key);
}

static bool has_prefix(const struct thing_id *thing, const uint8_t *prefix, size_t nibbles)
{
    return memcmp(thing->bytes, prefix, nibbles / 2) == 0 &&
           (nibbles % 2 == 0 || thing->bytes[nibbles / 2] >> 4 == prefix[nibbles / 2] >> 4);
}

size_t thing_find_prefix(struct txn *t, const uint8_t *prefix, size_t nibbles,
                         struct thing_key *out, size_t max)
{
    size_t count = 0;
    uint32_t scopes = scope_count(t);
    struct thing_id first = {{0}};
    if (nibbles > 2 * sizeof first.bytes) return 0;
    memcpy(first.bytes, prefix, nibbles / 2);
    if (nibbles % 2) first.bytes[nibbles / 2] = prefix[nibbles / 2] & 0xf0;
    for (uint32_t scope = 1; scope <= scopes && count < max; scope++) {
        struct key from;
        struct thing_key at;
        key_thing(&from, scope, &first, 0);
        while (count < max && find_thing(t, &from, &at) && at.scope_number == scope &&
               has_prefix(&at.thing, prefix, nibbles)) {
            out[count++] = at;
            key_thing(&from, scope, &at.thing, UINT64_MAX);
        }
    }
    return count;
}
