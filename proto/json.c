#include "proto/json.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/limits.h"
#include "common/time.h"

#define BIN "$bin"
#define UINT "$uint"

void json_packer_clear(struct json_packer *p)
{
    for (size_t i = 0; i < MSGPACK_DEPTH_MAX; i++) mp_map_clear(&p->maps[i]);
}

/* --- JSON to msgpack --- */

static enum err pack_value(struct json_packer *p, struct mp_writer w, json_t *value, size_t depth,
                           const char **what);

static enum err refuse(const char **what, const char *text)
{
    *what = text;
    return ERR_MALFORMED;
}

static enum err pack_hex(struct mp_writer w, json_t *text, const char **what)
{
    size_t size = json_string_length(text) / 2;
    uint8_t *bytes = NULL;
    struct buf decoded = {.size_max = EVENT_SIZE_MAX};
    enum err e = json_is_string(text) && (bytes = buf_reserve(&decoded, size + 1))
                     ? hex_decode(bytes, size, json_string_value(text), json_string_length(text))
                     : ERR_MALFORMED;
    if (!e) mp_write_bin(&w, bytes, size);
    buf_clear(&decoded);
    return e ? refuse(what, N_("is not hex")) : OK;
}

static enum err pack_big_uint(struct mp_writer w, json_t *text, const char **what)
{
    const char *at = json_is_string(text) ? json_string_value(text) : "";
    uint64_t value = 0;
    bool good = *at != 0;
    for (; *at && good; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        good = *at >= '0' && *at <= '9' && value <= (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (!good) return refuse(what, N_("is not a number"));
    mp_write_uint(&w, value);
    return OK;
}

static enum err pack_object(struct json_packer *p, struct mp_writer w, json_t *object, size_t depth,
                            const char **what)
{
    if (json_object_size(object) == 1) {
        json_t *bin = json_object_get(object, BIN), *uint = json_object_get(object, UINT);
        if (bin) return pack_hex(w, bin, what);
        if (uint) return pack_big_uint(w, uint, what);
    }
    struct mp_map *map = &p->maps[depth];
    const char *key;
    json_t *value;
    enum err e = OK;
    mp_map_reset(map);
    json_object_foreach(object, key, value)
    {
        e = pack_value(p, mp_map_put(map, key), value, depth + 1, what);
        if (e) return e;
    }
    return mp_map_end(map, w.out);
}

static enum err pack_array(struct json_packer *p, struct mp_writer w, json_t *array, size_t depth,
                           const char **what)
{
    size_t i;
    json_t *value;
    mp_write_array(&w, json_array_size(array));
    json_array_foreach(array, i, value)
    {
        enum err e = pack_value(p, w, value, depth + 1, what);
        if (e) return e;
    }
    return OK;
}

/* `depth` counts the containers around; it bounds the recursion. */
static enum err pack_value(struct json_packer *p, struct mp_writer w, json_t *value, size_t depth,
                           const char **what)
{
    if (depth >= MSGPACK_DEPTH_MAX && (json_is_object(value) || json_is_array(value)))
        return refuse(what, N_("is nested too deeply"));
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return pack_object(p, w, value, depth, what);
    case JSON_ARRAY:
        return pack_array(p, w, value, depth, what);
    case JSON_STRING:
        mp_write_str(&w, slice_of(json_string_value(value), json_string_length(value)));
        return OK;
    case JSON_INTEGER:
        mp_write_int(&w, json_integer_value(value));
        return OK;
    case JSON_REAL:
        return refuse(what, N_("is not a whole number"));
    case JSON_TRUE:
    case JSON_FALSE:
        mp_write_bool(&w, json_is_true(value));
        return OK;
    case JSON_NULL:
        mp_write_nil(&w);
        return OK;
    }
    return ERR_MALFORMED;
}

static enum err pack_time(struct mp_writer w, json_t *text, const char **what)
{
    uint64_t ms;
    if (time_parse(&ms, json_string_value(text)))
        return refuse(what, N_("is not a time like \"2026-11-23 15:20\""));
    mp_write_uint(&w, ms);
    return OK;
}

static enum err pack_field(struct json_packer *p, struct mp_writer w, json_t *value,
                           const struct field *field, const char **what)
{
    bool text = json_is_string(value);
    if (text && field && (field->type == FIELD_THING || field->type == FIELD_BYTES))
        return pack_hex(w, value, what);
    if (text && field && field->type == FIELD_TIME) return pack_time(w, value, what);
    return pack_value(p, w, value, 1, what);
}

enum err json_pack_map(struct json_packer *p, struct buf *out, json_t *object,
                       const struct kind *kind, struct kind_problem *problem)
{
    struct mp_map *map = &p->maps[0];
    const char *key, *what = N_("is not an object");
    json_t *value;
    *problem = (struct kind_problem){.what = what};
    if (!json_is_object(object)) return ERR_MALFORMED;
    mp_map_reset(map);
    json_object_foreach(object, key, value)
    {
        const struct field *field = kind ? kind_field(kind, key) : NULL;
        enum err e = pack_field(p, mp_map_put(map, key), value, field, &what);
        if (!e) continue;
        snprintf(problem->field, sizeof problem->field, "%s", key);
        problem->what = what;
        return e;
    }
    return mp_map_end(map, out);
}

/* --- msgpack to JSON --- */

static json_t *value_of(struct mp_reader *r);

static json_t *hex_of(struct slice bytes)
{
    struct buf text = {0};
    char *to = (char *)buf_reserve(&text, 2 * bytes.size + 1);
    if (to) hex_encode(to, bytes.data, bytes.size);
    json_t *hex = to ? json_string(to) : NULL;
    buf_clear(&text);
    return hex;
}

static json_t *uint_of(uint64_t value)
{
    if (value <= INT64_MAX) return json_integer((json_int_t)value);
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return json_pack("{s:s}", UINT, text);
}

static json_t *array_of(struct mp_reader *r)
{
    json_t *array = json_array();
    for (size_t count = mp_read_array(r, SIZE_MAX); count > 0; count--)
        json_array_append_new(array, value_of(r));
    return array;
}

/* Only `ext` has keys that are not text: integers. The text is borrowed from `key`. */
static const char *read_key(struct mp_reader *r, struct buf *key)
{
    buf_reset(key);
    if (mp_peek(r) == MP_STR)
        buf_append_slice(key, mp_read_str(r, SIZE_MAX));
    else if (mp_peek(r) == MP_UINT)
        buf_printf(key, "%llu", (unsigned long long)mp_read_uint(r, UINT64_MAX));
    else
        mp_skip(r);
    return buf_text(key);
}

static json_t *map_of(struct mp_reader *r)
{
    struct buf key = {0};
    json_t *object = json_object();
    for (size_t count = mp_read_map(r, SIZE_MAX); count > 0; count--) {
        const char *name = read_key(r, &key);
        json_object_set_new_nocheck(object, name, value_of(r));
    }
    buf_clear(&key);
    return object;
}

/* Depth is bounded by mp_scan, which let the bytes in. */
static json_t *value_of(struct mp_reader *r)
{
    switch (mp_peek(r)) {
    case MP_BOOL:
        return json_boolean(mp_read_bool(r));
    case MP_UINT:
        return uint_of(mp_read_uint(r, UINT64_MAX));
    case MP_INT:
        return json_integer(mp_read_int(r, INT64_MIN, -1));
    case MP_STR: {
        struct slice text = mp_read_str(r, SIZE_MAX);
        return json_stringn(text.size ? (const char *)text.data : "", text.size);
    }
    case MP_BIN: {
        json_t *hex = hex_of(mp_read_bin(r, SIZE_MAX));
        return hex ? json_pack("{s:o}", BIN, hex) : NULL;
    }
    case MP_ARRAY:
        return array_of(r);
    case MP_MAP:
        return map_of(r);
    case MP_NIL:
    case MP_END:
        break;
    }
    mp_skip(r);
    return json_null();
}

json_t *json_of_value(struct slice value)
{
    struct mp_reader r = mp_reader_of(value);
    return value_of(&r);
}

json_t *json_of_fields(struct slice map, const struct kind *kind)
{
    json_t *object = json_object();
    if (map.size == 0) return object;
    struct mp_reader r = mp_reader_of(map);
    struct buf key = {0};
    for (size_t count = mp_read_map(&r, SIZE_MAX); count > 0 && !r.err; count--) {
        const char *name = read_key(&r, &key);
        const struct field *f = kind ? kind_field(kind, name) : NULL;
        bool hex = f && (f->type == FIELD_THING || f->type == FIELD_BYTES) && mp_peek(&r) == MP_BIN;
        json_object_set_new_nocheck(object, name,
                                    hex ? hex_of(mp_read_bin(&r, SIZE_MAX)) : value_of(&r));
    }
    buf_clear(&key);
    return object;
}
