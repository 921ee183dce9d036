#include "node/views/body.h"

#include <string.h>

enum { EXT_MUST_UNDERSTAND = 128 };

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

bool body_bytes(struct slice body, const char *key, void *out, size_t size)
{
    struct slice bytes = body_bin(body, key);
    if (bytes.size != size) return false;
    memcpy(out, bytes.data, size);
    return true;
}

bool body_thing(struct slice body, const char *key, struct thing_id *out)
{
    return body_bytes(body, key, out->bytes, sizeof out->bytes);
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

static size_t known(struct buf *out, const struct kind *kind, struct slice body)
{
    struct mp_reader r = mp_reader_of(body);
    size_t left = mp_read_map(&r, SIZE_MAX), count = 0;
    for (struct entry e; (e = entry_next(&r, &left)).key.size;) {
        struct mp_reader key = mp_reader_of(e.key);
        if (!kind_field_named(kind, mp_read_str(&key, SIZE_MAX))) continue;
        count++;
        if (!out) continue;
        buf_append_slice(out, e.key);
        buf_append_slice(out, e.value);
    }
    return count;
}

void body_known(struct buf *out, const struct kind *kind, struct slice body)
{
    struct mp_writer w = {out};
    mp_write_map(&w, known(NULL, kind, body));
    known(out, kind, body);
}

/* Appends base's bytes from `from` on up to `to`, then the entry. */
static void copy_to(struct buf *out, const uint8_t *from, const uint8_t *to, const struct entry *e)
{
    if (to > from) buf_append_slice(out, slice_of(from, (size_t)(to - from)));
    buf_append_slice(out, e->key);
    buf_append_slice(out, e->value);
}

/* The entries of both: what is between those of `over` stands in `base` in one piece. */
static size_t merge(struct buf *out, struct slice base, struct slice over)
{
    struct mp_reader x = mp_reader_of(base), y = mp_reader_of(over);
    size_t left = mp_read_map(&x, SIZE_MAX), over_left = mp_read_map(&y, SIZE_MAX);
    size_t count = left;
    const uint8_t *copied = x.at; /* base's bytes before it are in `out`, or replaced */
    struct entry a = entry_next(&x, &left);
    for (struct entry b; (b = entry_next(&y, &over_left)).key.size; count++) {
        while (a.key.size && slice_compare(a.key, b.key) < 0) a = entry_next(&x, &left);
        const uint8_t *at = a.key.size ? a.key.data : x.end;
        copy_to(out, copied, at, &b);
        copied = at;
        if (!a.key.size || !slice_equal(a.key, b.key)) continue;
        copied = a.value.data + a.value.size;
        a = entry_next(&x, &left);
        count--;
    }
    if (x.end > copied) buf_append_slice(out, slice_of(copied, (size_t)(x.end - copied)));
    return count;
}

/* The head says how many there are, which is known in the end: it may come out shorter. */
void body_join(struct buf *out, struct slice base, struct slice over)
{
    struct mp_reader x = mp_reader_of(base), y = mp_reader_of(over);
    struct mp_writer w = {out};
    size_t begin = out->size;
    mp_write_map(&w, mp_read_map(&x, SIZE_MAX) + mp_read_map(&y, SIZE_MAX));
    size_t head = out->size;
    size_t count = merge(out, base, over), entries = out->size - head;
    if (out->err) return;
    out->size = begin;
    mp_write_map(&w, count);
    memmove(out->data + out->size, out->data + head, entries);
    out->size += entries;
}

bool body_ext_unknown(struct slice ext)
{
    if (!ext.size) return false;
    struct mp_reader r = mp_reader_of(ext);
    size_t count = mp_read_map(&r, EVENT_EXT_SIZE_MAX);
    for (size_t i = 0; i < count && !r.err; i++) {
        if (mp_peek(&r) != MP_UINT)
            mp_skip(&r);
        else if (mp_read_uint(&r, UINT64_MAX) >= EXT_MUST_UNDERSTAND)
            return true;
        mp_skip(&r);
    }
    return false;
}
