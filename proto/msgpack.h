#pragma once
/*
 * Canonical msgpack (proto/SPEC.md, "Encoding"): shortest forms, map keys sorted by their encoded
 * bytes and unique, valid UTF-8 in strings, no floats, no ext types, depth at most
 * MSGPACK_DEPTH_MAX. Every other form is refused, so a value has exactly one encoding.
 *
 * `mp_scan` is the gate: nothing that came from outside is read before it was scanned. The reader
 * walks scanned bytes without allocating (and stays inside its bytes even if they were not). The
 * writer uses msgpack-c's packer for all heads longer than a byte. Only msgpack.c sees <msgpack.h>.
 */
#include "common/bytes.h"
#include "common/limits.h"

enum mp_type {
    MP_NIL,
    MP_BOOL,
    MP_UINT, /* 0 and up */
    MP_INT,  /* negative */
    MP_STR,
    MP_BIN,
    MP_ARRAY,
    MP_MAP,
    MP_END, /* nothing left, or nothing that can be read */
};

/* One canonical value at the start of `in`; `*used` is its size. `whole`: it must fill `in`.
 * Strings hold no control characters but tab and newline. A bare scalar has depth 0, an array (also
 * an empty one) one more than its deepest element; `depth` has an own bound of at most
 * MSGPACK_DEPTH_MAX, for what will be wrapped. Every length and count is compared with the bytes
 * left before it is believed. Errors: ERR_MALFORMED, ERR_LIMIT (depth). */
MUST_CHECK enum err mp_scan(struct slice in, size_t *used);
MUST_CHECK enum err mp_scan_whole(struct slice in);
MUST_CHECK enum err mp_scan_whole_depth(struct slice in, size_t depth_max);

/* Is scanned `in` a map with text keys only? */
bool mp_is_text_map(struct slice in);

/* msgpack-c's own opinion of scanned bytes, for tests: its unpacker takes them whole and its packer
 * gives the same bytes back. Errors: ERR_MALFORMED, ERR_NOMEM. */
MUST_CHECK enum err mp_check_with_library(struct slice in);

/* Reads scanned bytes in order; latches its first error (ERR_MALFORMED for another type or fixed
 * size than asked, ERR_RANGE outside the bound) and then returns zeros and empty slices. Slices are
 * borrowed from the input. */
struct mp_reader {
    const uint8_t *at;
    const uint8_t *end;
    enum err err;
};

static inline struct mp_reader mp_reader_of(struct slice in)
{
    return (struct mp_reader){in.data, in.size ? in.data + in.size : in.data, OK};
}

/* Most of what is read are short texts and small numbers: their heads of one byte take no call. */
enum mp_type mp_peek_any(const struct mp_reader *r);
static inline enum mp_type mp_peek(const struct mp_reader *r)
{
    uint8_t head = !r->err && r->at < r->end ? *r->at : 0xff;
    return head < 0x80 ? MP_UINT : (head & 0xe0) == 0xa0 ? MP_STR : mp_peek_any(r);
}

uint64_t mp_read_any_uint(struct mp_reader *r, uint64_t max);
static inline uint64_t mp_read_uint(struct mp_reader *r, uint64_t max)
{
    bool small = !r->err && r->at < r->end && *r->at < 0x80 && *r->at <= max;
    return small ? *r->at++ : mp_read_any_uint(r, max);
}

struct slice mp_read_any_str(struct mp_reader *r, size_t size_max);
static inline struct slice mp_read_str(struct mp_reader *r, size_t size_max)
{
    bool head = !r->err && r->at < r->end && (*r->at & 0xe0) == 0xa0;
    size_t size = head ? *r->at & 0x1f : 0;
    if (!head || size > size_max || size >= (size_t)(r->end - r->at))
        return mp_read_any_str(r, size_max);
    struct slice text = {r->at + 1, size};
    r->at += 1 + size;
    return text;
}

size_t mp_read_array(struct mp_reader *r, size_t count_max);
size_t mp_read_map(struct mp_reader *r, size_t count_max);
int64_t mp_read_int(struct mp_reader *r, int64_t min, int64_t max);
bool mp_read_bool(struct mp_reader *r);
struct slice mp_read_bin(struct mp_reader *r, size_t size_max);
/* Copies a bin of exactly `size` bytes; zeros on error. */
void mp_read_bin_exact(struct mp_reader *r, void *out, size_t size);
bool mp_read_nil(struct mp_reader *r);     /* true and skips it when the next value is nil */
struct slice mp_skip(struct mp_reader *r); /* the next value's own bytes */
/* ERR_MALFORMED unless all was read. */
MUST_CHECK enum err mp_read_end(struct mp_reader *r);

/* Value of `key` in the scanned map `map`, as a reader of that value alone; false when it is not
 * there or `map` is not a map. */
bool mp_map_get(struct slice map, const char *key, struct mp_reader *value);

/* Appends the scanned map with text keys `map` with `key` set to an encoded value, or without it
 * where `value` is empty. Errors: out->err; ERR_MALFORMED (no map). */
MUST_CHECK enum err mp_map_with(struct buf *out, struct slice map, const char *key,
                                struct slice value);

/* Appends canonical msgpack to a buffer: shortest forms always; the order of map keys, valid text
 * and matching counts are the caller's (event_encode scans what it is given). Whoever builds a map
 * from unordered input uses struct mp_map. Errors latch in out->err. */
struct mp_writer {
    struct buf *out;
};
void mp_write_nil(struct mp_writer *w);
void mp_write_bool(struct mp_writer *w, bool v);
void mp_write_uint(struct mp_writer *w, uint64_t v);
void mp_write_int(struct mp_writer *w, int64_t v);
void mp_write_str(struct mp_writer *w, struct slice text);
void mp_write_text(struct mp_writer *w, const char *text);
void mp_write_bin(struct mp_writer *w, const void *data, size_t size);
void mp_write_array(struct mp_writer *w, size_t count);
void mp_write_map(struct mp_writer *w, size_t count);
void mp_write_raw(struct mp_writer *w, struct slice encoded); /* one encoded value */

/* A map with text keys built in any order. Zero-initialise; mp_map_end sorts, refuses duplicates
 * (ERR_EXISTS) and appends to `out`; the map is then reset or cleared by its owner. Other errors:
 * ERR_NOMEM, ERR_LIMIT, and the one latched in m->bytes by a value's writer. */
struct mp_map_entry {
    uint32_t key_at, value_at, end; /* in mp_map.bytes */
};
struct mp_map {
    struct buf bytes; /* keys and values as added */
    struct mp_map_entry *entries;
    size_t count, capacity;
};
/* A writer for the value of `key`: write exactly one value before the next call. */
struct mp_writer mp_map_put(struct mp_map *m, const char *key);
MUST_CHECK enum err mp_map_end(struct mp_map *m, struct buf *out);
void mp_map_reset(struct mp_map *m);
void mp_map_clear(struct mp_map *m);
