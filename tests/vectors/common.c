#include "tests/vectors/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "vectors: %s\n", what);
    exit(1);
}

void *not_null(void *p)
{
    must(p != NULL, "out of memory");
    return p;
}

/* --- JSON --- */

json_t *hex(struct slice s)
{
    char *text = not_null(malloc(2 * s.size + 1));
    hex_encode(text, s.data, s.size);
    json_t *out = not_null(json_string(text));
    free(text);
    return out;
}

json_t *value_of(struct slice encoded)
{
    must(mp_scan_whole(encoded) == OK, "a vector is not canonical");
    return not_null(json_of_value(encoded));
}

void put(json_t *object, const char *key, json_t *value)
{
    must(json_object_set_new(object, key, value) == 0, "out of memory");
}

void add(json_t *array, json_t *value)
{
    must(json_array_append_new(array, value) == 0, "out of memory");
}

json_t *named(const char *what)
{
    json_t *out = not_null(json_object());
    put(out, "what", json_string(what));
    return out;
}

/* --- constants --- */

struct signer signer_of(uint8_t number)
{
    struct sign_seed seed;
    struct signer out;
    memset(seed.bytes, number, sizeof seed.bytes);
    signer_from_seed(&out, &seed);
    return out;
}

json_t *seed_of(uint8_t number)
{
    struct sign_seed seed;
    memset(seed.bytes, number, sizeof seed.bytes);
    return HEX(seed.bytes);
}

struct feed feed_of(const char *scope, uint8_t lane, bool epoch)
{
    struct feed f = {.author = signer_of(SEED_VILLAGE).key, .lane = lane, .has_epoch = epoch};
    must(scope_parse(&f.scope, slice_of_text(scope)) == OK, "scope");
    if (epoch) memcpy(f.epoch, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    return f;
}

json_t *bytes_list(const struct bytes *list, size_t count)
{
    json_t *out = not_null(json_array());
    for (size_t i = 0; i < count; i++) {
        json_t *item = named(list[i].what);
        put(item, "encoded", hex(slice_of(list[i].data, list[i].size)));
        add(out, item);
    }
    return out;
}

void rewrite(struct buf *out, struct slice array, size_t keep, size_t at, struct slice value,
             struct slice more)
{
    struct mp_reader r = mp_reader_of(array);
    struct mp_writer w = {out};
    (void)mp_read_array(&r, SIZE_MAX);
    buf_reset(out);
    mp_write_array(&w, keep + (more.size ? 1 : 0));
    for (size_t i = 0; i < keep; i++) {
        struct slice old = mp_skip(&r);
        mp_write_raw(&w, i == at ? value : old);
    }
    if (more.size) mp_write_raw(&w, more);
    must(!r.err && !out->err, "rewrite");
}
