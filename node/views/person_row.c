#include "node/views/person_row.h"

#include <string.h>

#include "node/views/body.h"

enum { NUMBER_SIZE_MAX = 64 }; /* the kinds' table bounds it */

struct number_key {
    uint8_t bytes[NUMBER_SIZE_MAX + sizeof(struct thing_id)];
    size_t size; /* 0: no such row */
};

struct slice person_row_number(const struct thing_key *key, struct slice row)
{
    struct thing thing;
    if (!row.size || thing_row_read(&thing, THING_VOLUNTEER, key, row) != OK) return SLICE_EMPTY;
    return body_text(thing.fields, "number");
}

static struct row_key number_key(struct number_key *out, const struct thing_key *key,
                                 struct slice row)
{
    struct slice number = person_row_number(key, row);
    out->size = 0;
    if (number.size && number.size <= NUMBER_SIZE_MAX) {
        memcpy(out->bytes, number.data, number.size);
        memcpy(out->bytes + number.size, key->thing.bytes, sizeof key->thing.bytes);
        out->size = number.size + sizeof key->thing.bytes;
    }
    return (struct row_key){key->scope_number, ROW_NUMBER, slice_of(out->bytes, out->size)};
}

enum err person_row_index(struct txn *t, const struct thing_key *key, struct slice before,
                          struct slice after)
{
    struct number_key old_bytes, new_bytes;
    struct row_key from = number_key(&old_bytes, key, before);
    struct row_key to = number_key(&new_bytes, key, after);
    if (slice_equal(from.key, to.key)) return OK;
    if (from.key.size) row_delete(t, &from);
    if (to.key.size) row_put(t, &to, SLICE_EMPTY);
    return txn_error(t);
}

bool person_row_indexed(struct txn *t, const struct thing_key *key, struct slice row)
{
    struct number_key bytes;
    struct row_key index = number_key(&bytes, key, row);
    struct slice value;
    return !index.key.size || row_get(t, &index, &value);
}
