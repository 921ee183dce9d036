/* Records sealed to the office key, SPEC 19. */
#include "tests/vectors/vectors.h"

#include "proto/seal.h"

#include <string.h>

enum { OFFICE_SECRET = 0x4f, ONCE_SECRET = 0x31 };

/* The one-time keys of the seals. */
static void same_bytes(void *state, void *out, size_t size)
{
    uint8_t *next = state;
    memset(out, (*next)++, size);
}

static void write_maps(struct buf *body, struct buf *box, const char *content)
{
    struct mp_map b = {0}, x = {0};
    struct mp_writer w = mp_map_put(&b, "channel");
    mp_write_text(&w, "visit");
    w = mp_map_put(&b, "received");
    mp_write_uint(&w, TIME_MS - 60000);
    w = mp_map_put(&b, "nature");
    mp_write_text(&w, "accusation");
    w = mp_map_put(&b, "category");
    mp_write_text(&w, "0901");
    w = mp_map_put(&b, "urgency");
    mp_write_uint(&w, 1);
    w = mp_map_put(&x, "content");
    mp_write_text(&w, content);
    must(mp_map_end(&b, body) == OK && mp_map_end(&x, box) == OK, "maps");
    mp_map_clear(&b);
    mp_map_clear(&x);
}

static json_t *record(struct zstd *z, const struct box_key *office, const char *what,
                      const char *text, bool by)
{
    struct box_secret secret;
    struct buf body = {0}, box = {0}, sealed = {0}, bytes = {0};
    struct seal_content content =
                            {
                                .kind = slice_of_text("request.register"),
                                .time = HLC_MAKE(TIME_MS, 0, !by),
                                .has_by = by,
                            },
                        read;
    memset(content.by.bytes, 0x77, sizeof content.by.bytes);
    memset(secret.bytes, OFFICE_SECRET, sizeof secret.bytes);
    write_maps(&body, &box, text);
    content.body = buf_slice(&body);
    content.box = buf_slice(&box);
    must(seal_write(&sealed, z, &content, office) == OK, "seal");
    must(seal_open(&bytes, &read, z, office, &secret, buf_slice(&sealed)) == OK, "open");
    json_t *out = named(what);
    put(out, "content", hex(buf_slice(&bytes)));
    put(out, "value", value_of(buf_slice(&bytes)));
    put(out, "sealed", hex(buf_slice(&sealed)));
    buf_clear(&body);
    buf_clear(&box);
    buf_clear(&sealed);
    buf_clear(&bytes);
    return out;
}

json_t *make_sealed(void)
{
    struct box_secret secret;
    struct box_key office;
    struct zstd *z;
    uint8_t next = ONCE_SECRET;
    char text[2001] = "";
    uint32_t x = 1;
    json_t *root = not_null(json_object()), *records = not_null(json_array());
    must(zstd_open(&z) == OK, "zstd");
    memset(secret.bytes, OFFICE_SECRET, sizeof secret.bytes);
    box_key_of_secret(&office, &secret);
    put(root, "secret", HEX(secret.bytes));
    put(root, "office", HEX(office.bytes));
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = (char)('a' + (x >> 24) % 26);
    }
    crypto_random_source(same_bytes, &next);
    add(records, record(z, &office, "in the smallest class", "低保评定时收了钱", true));
    add(records, record(z, &office, "in a larger one, nobody named", text, false));
    crypto_random_source(NULL, NULL);
    put(root, "records", records);
    zstd_close(z);
    return root;
}
