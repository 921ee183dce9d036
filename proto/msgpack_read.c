#include "proto/msgpack.h"

#include <assert.h>
#include <string.h>

/* --- one value's first bytes ------------------------------------------------------------------ */

/* `value`: the number, the truth value, the length of str and bin, the count of array and map. */
struct head {
    enum mp_type type;
    size_t size; /* of the head itself */
    uint64_t value;
};

/* The forms 0xc0..0xdf: bytes of the number that follows, and the least number (for MP_INT: the
 * greatest magnitude of the next shorter form) that needs this form. MP_END: not allowed. */
static const struct form {
    enum mp_type type;
    uint8_t width;
    uint64_t least;
} forms[32] = {
    [0x00] = {MP_NIL, 0, 0},        [0x01] = {MP_END, 0, 0},
    [0x02] = {MP_BOOL, 0, 0},       [0x03] = {MP_BOOL, 0, 0},
    [0x04] = {MP_BIN, 1, 0},        [0x05] = {MP_BIN, 2, 0x100},
    [0x06] = {MP_BIN, 4, 0x10000},  [0x07] = {MP_END, 0, 0},
    [0x08] = {MP_END, 0, 0},        [0x09] = {MP_END, 0, 0},
    [0x0a] = {MP_END, 0, 0},        [0x0b] = {MP_END, 0, 0},
    [0x0c] = {MP_UINT, 1, 0x80},    [0x0d] = {MP_UINT, 2, 0x100},
    [0x0e] = {MP_UINT, 4, 0x10000}, [0x0f] = {MP_UINT, 8, UINT64_C(1) << 32},
    [0x10] = {MP_INT, 1, 0x20},     [0x11] = {MP_INT, 2, 0x80},
    [0x12] = {MP_INT, 4, 0x8000},   [0x13] = {MP_INT, 8, UINT64_C(1) << 31},
    [0x14] = {MP_END, 0, 0},        [0x15] = {MP_END, 0, 0},
    [0x16] = {MP_END, 0, 0},        [0x17] = {MP_END, 0, 0},
    [0x18] = {MP_END, 0, 0},        [0x19] = {MP_STR, 1, 0x20},
    [0x1a] = {MP_STR, 2, 0x100},    [0x1b] = {MP_STR, 4, 0x10000},
    [0x1c] = {MP_ARRAY, 2, 0x10},   [0x1d] = {MP_ARRAY, 4, 0x10000},
    [0x1e] = {MP_MAP, 2, 0x10},     [0x1f] = {MP_MAP, 4, 0x10000},
};

static bool head_read_long(struct head *out, const uint8_t *at, size_t left)
{
    const struct form *form = &forms[at[0] & 0x1f];
    if (form->type == MP_END || left <= form->width) return false;
    uint64_t value = at[0] == 0xc3;
    for (size_t i = 1; i <= form->width; i++) value = value << 8 | at[i];
    if (form->type == MP_INT) {
        unsigned unused = 64 - 8u * form->width;
        int64_t number = (int64_t)(value << unused) >> unused;
        if (number >= -(int64_t)form->least) return false;
        value = (uint64_t)number;
    } else if (value < form->least) {
        return false;
    }
    *out = (struct head){form->type, 1u + form->width, value};
    return true;
}

/* False for what is cut, not allowed, or not the shortest form. */
static inline bool head_read(struct head *out, const uint8_t *at, const uint8_t *end)
{
    if (at >= end) return false;
    uint8_t b = *at;
    if (b < 0x80)
        *out = (struct head){MP_UINT, 1, b};
    else if (b < 0x90)
        *out = (struct head){MP_MAP, 1, b & 0x0f};
    else if (b < 0xa0)
        *out = (struct head){MP_ARRAY, 1, b & 0x0f};
    else if (b < 0xc0)
        *out = (struct head){MP_STR, 1, b & 0x1f};
    else if (b >= 0xe0)
        *out = (struct head){MP_INT, 1, (uint64_t)(int64_t)(int8_t)b};
    else
        return head_read_long(out, at, (size_t)(end - at));
    return true;
}

/* --- text ------------------------------------------------------------------------------------- */

/* Size of the UTF-8 character at s (Unicode 15, table 3-7), 0 when it is not one we allow. */
static size_t character_size(const uint8_t *s, size_t left)
{
    uint8_t b = s[0];
    if (b < 0x80) return b >= 0x20 || b == '\t' || b == '\n';
    if (b < 0xc2 || b > 0xf4) return 0;
    size_t size = b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    if (left < size) return 0;
    uint8_t low = 0x80, high = 0xbf; /* of the second byte: no overlong, surrogate, > U+10FFFF */
    if (b == 0xe0) low = 0xa0;
    if (b == 0xed) high = 0x9f;
    if (b == 0xf0) low = 0x90;
    if (b == 0xf4) high = 0x8f;
    if (s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < size; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return size;
}

static bool text_valid(const uint8_t *s, size_t size)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    while (size > 0) {
        uint64_t eight;
        /* Most of what people write: three bytes, U+1000 to U+CFFF. */
        if (size >= 3 && *s >= 0xe1 && *s <= 0xec && (s[1] & 0xc0) == 0x80 &&
            (s[2] & 0xc0) == 0x80) {
            s += 3;
            size -= 3;
            continue;
        }
        if (size >= sizeof eight && *s < 0x80) {
            memcpy(&eight, s, sizeof eight);
            /* all eight in 0x20..0x7f: the borrow of a lesser byte would set a top bit */
            if (!((eight | (eight - ones * 0x20)) & (ones * 0x80))) {
                s += sizeof eight;
                size -= sizeof eight;
                continue;
            }
        }
        size_t step = character_size(s, size);
        if (step == 0) return false;
        s += step;
        size -= step;
    }
    return true;
}

/* --- scan ------------------------------------------------------------------------------------- */

struct level {
    uint64_t left; /* values still to come; a map's keys count too */
    bool is_map;
    const uint8_t *key; /* the last one, NULL before the first */
    size_t key_size;
};

/* Keys are text or unsigned, and grow in memcmp order of their encoded bytes. No key is the
 * beginning of another, so the common bytes decide. */
static bool key_follows(struct level *map, enum mp_type type, const uint8_t *key, size_t size)
{
    if (type != MP_STR && type != MP_UINT) return false;
    if (map->key) {
        size_t common = size < map->key_size ? size : map->key_size;
        if (memcmp(map->key, key, common) >= 0) return false;
    }
    map->key = key;
    map->key_size = size;
    return true;
}

static enum err scan(struct slice in, size_t depth_max, size_t *used)
{
    assert(depth_max <= MSGPACK_DEPTH_MAX);
    struct level levels[MSGPACK_DEPTH_MAX];
    size_t depth = 0;
    const uint8_t *at = in.data, *end = in.size ? in.data + in.size : in.data;
    do {
        struct head head;
        const uint8_t *start = at;
        if (!head_read(&head, at, end)) return ERR_MALFORMED;
        at += head.size;
        uint64_t left = (uint64_t)(end - at);
        struct level *in_map = depth && levels[depth - 1].is_map ? &levels[depth - 1] : NULL;
        bool is_key = in_map && in_map->left % 2 == 0;
        if (head.type == MP_STR || head.type == MP_BIN) {
            if (head.value > left) return ERR_MALFORMED;
            if (head.type == MP_STR && !text_valid(at, (size_t)head.value)) return ERR_MALFORMED;
            at += head.value;
        }
        if (is_key && !key_follows(in_map, head.type, start, (size_t)(at - start)))
            return ERR_MALFORMED;
        if (head.type == MP_ARRAY || head.type == MP_MAP) {
            bool is_map = head.type == MP_MAP;
            uint64_t values = head.value << is_map;
            if (values > left) return ERR_MALFORMED;
            if (depth == depth_max) return ERR_LIMIT;
            if (values > 0) {
                levels[depth++] = (struct level){values, is_map, NULL, 0};
                continue;
            }
        }
        while (depth > 0 && --levels[depth - 1].left == 0) depth--;
    } while (depth > 0);
    *used = (size_t)(at - in.data);
    return OK;
}

enum err mp_scan(struct slice in, size_t *used)
{
    return scan(in, MSGPACK_DEPTH_MAX, used);
}

enum err mp_scan_whole_depth(struct slice in, size_t depth_max)
{
    size_t used;
    enum err err = scan(in, depth_max, &used);
    if (err) return err;
    return used == in.size ? OK : ERR_MALFORMED;
}

enum err mp_scan_whole(struct slice in)
{
    return mp_scan_whole_depth(in, MSGPACK_DEPTH_MAX);
}

bool mp_is_text_map(struct slice in)
{
    struct mp_reader r = mp_reader_of(in);
    for (size_t count = mp_read_map(&r, SIZE_MAX); count > 0 && !r.err; count--) {
        mp_read_str(&r, SIZE_MAX);
        mp_skip(&r);
    }
    return mp_read_end(&r) == OK;
}

/* --- reader ----------------------------------------------------------------------------------- */

static size_t left_of(const struct mp_reader *r)
{
    return (size_t)(r->end - r->at);
}

static void fail(struct mp_reader *r, enum err err)
{
    if (!r->err) r->err = err;
}

enum mp_type mp_peek_any(const struct mp_reader *r)
{
    struct head head;
    return !r->err && head_read(&head, r->at, r->end) ? head.type : MP_END;
}

/* The head of a value of `type`; its bytes (or elements, a byte each at least) are there. */
static inline bool take(struct mp_reader *r, enum mp_type type, uint64_t max, uint64_t *value)
{
    struct head head;
    if (r->err) return false;
    if (!head_read(&head, r->at, r->end) || head.type != type) {
        fail(r, ERR_MALFORMED);
        return false;
    }
    uint64_t left = left_of(r) - head.size;
    bool sized = type == MP_STR || type == MP_BIN || type == MP_ARRAY || type == MP_MAP;
    if (sized && head.value > (type == MP_MAP ? left / 2 : left)) {
        fail(r, ERR_MALFORMED);
        return false;
    }
    if (head.value > max) {
        fail(r, ERR_RANGE);
        return false;
    }
    r->at += head.size;
    *value = head.value;
    return true;
}

size_t mp_read_array(struct mp_reader *r, size_t count_max)
{
    uint64_t count;
    return take(r, MP_ARRAY, count_max, &count) ? (size_t)count : 0;
}

size_t mp_read_map(struct mp_reader *r, size_t count_max)
{
    uint64_t count;
    return take(r, MP_MAP, count_max, &count) ? (size_t)count : 0;
}

uint64_t mp_read_any_uint(struct mp_reader *r, uint64_t max)
{
    uint64_t value;
    return take(r, MP_UINT, max, &value) ? value : 0;
}

int64_t mp_read_int(struct mp_reader *r, int64_t min, int64_t max)
{
    uint64_t value;
    bool negative = mp_peek(r) == MP_INT;
    if (!take(r, negative ? MP_INT : MP_UINT, negative ? UINT64_MAX : INT64_MAX, &value)) return 0;
    int64_t number = (int64_t)value;
    if (number >= min && number <= max) return number;
    fail(r, ERR_RANGE);
    return 0;
}

bool mp_read_bool(struct mp_reader *r)
{
    uint64_t value;
    return take(r, MP_BOOL, 1, &value) && value;
}

static struct slice read_bytes(struct mp_reader *r, enum mp_type type, size_t size_max)
{
    uint64_t size;
    if (!take(r, type, size_max, &size)) return SLICE_EMPTY;
    struct slice bytes = {r->at, (size_t)size};
    r->at += size;
    return bytes;
}

struct slice mp_read_any_str(struct mp_reader *r, size_t size_max)
{
    return read_bytes(r, MP_STR, size_max);
}

struct slice mp_read_bin(struct mp_reader *r, size_t size_max)
{
    return read_bytes(r, MP_BIN, size_max);
}

void mp_read_bin_exact(struct mp_reader *r, void *out, size_t size)
{
    struct slice bytes = mp_read_bin(r, SIZE_MAX);
    if (bytes.size != size) fail(r, ERR_MALFORMED);
    if (r->err)
        memset(out, 0, size);
    else if (size)
        memcpy(out, bytes.data, size);
}

bool mp_read_nil(struct mp_reader *r)
{
    if (r->err || r->at >= r->end || *r->at != 0xc0) return false;
    r->at++;
    return true;
}

struct slice mp_skip(struct mp_reader *r)
{
    const uint8_t *start = r->at;
    /* every value takes a byte, so `values` stays below 2^33 times the bytes of the input */
    for (uint64_t values = 1; values > 0 && !r->err; values--) {
        struct head head;
        if (!head_read(&head, r->at, r->end)) {
            fail(r, ERR_MALFORMED);
            break;
        }
        r->at += head.size;
        if (head.type == MP_STR || head.type == MP_BIN) {
            if (head.value > left_of(r))
                fail(r, ERR_MALFORMED);
            else
                r->at += head.value;
        }
        if (head.type == MP_ARRAY) values += head.value;
        if (head.type == MP_MAP) values += 2 * head.value;
    }
    if (r->err) return SLICE_EMPTY;
    return (struct slice){start, (size_t)(r->at - start)};
}

enum err mp_read_end(struct mp_reader *r)
{
    if (r->at != r->end) fail(r, ERR_MALFORMED);
    return r->err;
}

bool mp_map_get(struct slice map, const char *key, struct mp_reader *value)
{
    struct mp_reader r = mp_reader_of(map);
    struct slice wanted = slice_of_text(key);
    for (size_t count = mp_read_map(&r, SIZE_MAX); count > 0 && !r.err; count--) {
        bool found = mp_peek(&r) == MP_STR ? slice_equal(mp_read_str(&r, SIZE_MAX), wanted)
                                           : (mp_skip(&r), false);
        struct slice bytes = mp_skip(&r);
        if (found && !r.err) {
            *value = mp_reader_of(bytes);
            return true;
        }
    }
    return false;
}
