#include "node/views/body.h"

#include <string.h>

bool body_has(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value);
}

struct slice body_text(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value) ? mp_read_str(&value, SIZE_MAX) : SLICE_EMPTY;
}

struct slice body_bin(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value) ? mp_read_bin(&value, SIZE_MAX) : SLICE_EMPTY;
}

uint64_t body_uint(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value) ? mp_read_uint(&value, UINT64_MAX) : 0;
}

bool body_bool(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value) && mp_read_bool(&value);
}

struct mp_reader body_rows(struct slice body, const char *key, size_t *count)
{
    struct mp_reader value = {0};
    *count = mp_map_get(body, key, &value) ? mp_read_array(&value, SIZE_MAX) : 0;
    return value;
}

/* One entry of a map; an empty key: there is none left. */
struct entry {
    struct slice key, value;
};

static struct entry entry_next(struct mp_reader *r, size_t *left)
{
    if (!*left || r->err) return (struct entry){0};
    --*left;
    struct slice key = mp_skip(r);
    return (struct entry){key, mp_skip(r)};
}

/* Below 0: a's key first. No key is the beginning of another. */
static int entry_compare(const struct entry *a, const struct entry *b)
{
    if (!a->key.size || !b->key.size) return a->key.size ? -1 : 1;
    return slice_compare(a->key, b->key);
}

static size_t merge(struct buf *out, struct slice base, struct slice over)
{
    struct mp_reader x = mp_reader_of(base), y = mp_reader_of(over);
    size_t x_left = mp_read_map(&x, SIZE_MAX), y_left = mp_read_map(&y, SIZE_MAX), count = 0;
    struct entry a = entry_next(&x, &x_left), b = entry_next(&y, &y_left);
    for (; a.key.size || b.key.size; count++) {
        int order = entry_compare(&a, &b);
        const struct entry *least = order < 0 ? &a : &b;
        if (out) {
            buf_append_slice(out, least->key);
            buf_append_slice(out, least->value);
        }
        if (order <= 0) a = entry_next(&x, &x_left);
        if (least == &b) b = entry_next(&y, &y_left);
    }
    return count;
}

void body_join(struct buf *out, struct slice base, struct slice over)
{
    struct mp_writer w = {out};
    mp_write_map(&w, merge(NULL, base, over));
    merge(out, base, over);
}
