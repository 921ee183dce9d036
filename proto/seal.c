#include "proto/seal.h"

#include <string.h>

enum {
    SEAL_VERSION = 1,
    SEAL_FIELDS = 6,
    SEAL_HEAD = 6,   /* the two sizes */
    SEAL_LEVEL = 19, /* of zstd: one short text at a time */
};

_Static_assert(SEAL_PLAIN_SIZE_MAX - SEAL_HEAD <= UINT16_MAX, "a payload's size fits");
_Static_assert(SEAL_SIZE_MAX + KIB(1) <= EVENT_BOX_SIZE_MAX, "what is sealed fits a box");

bool seal_size_valid(size_t size)
{
    for (size_t plain = SEAL_PLAIN_SIZE_MIN; plain <= SEAL_PLAIN_SIZE_MAX; plain *= 2)
        if (size == plain + CRYPTO_SEAL_OVERHEAD) return true;
    return false;
}

void seal_wipe(struct buf *bytes)
{
    if (bytes->size) crypto_wipe(bytes->data, bytes->size);
    buf_clear(bytes);
}

/* --- closing --- */

static bool is_map(struct slice map, size_t depth_max)
{
    return mp_scan_whole_depth(map, depth_max) == OK && mp_is_text_map(map);
}

static enum err content_write(struct buf *out, const struct seal_content *c)
{
    struct mp_writer w = {out};
    if (!is_map(c->body, EVENT_BODY_DEPTH_MAX) ||
        (c->box.size && !is_map(c->box, EVENT_BOX_DEPTH_MAX)))
        return ERR_MALFORMED;
    if (c->body.size > EVENT_HEADER_SIZE_MAX || c->box.size > EVENT_BOX_SIZE_MAX) return ERR_LIMIT;
    mp_write_array(&w, SEAL_FIELDS);
    mp_write_uint(&w, SEAL_VERSION);
    mp_write_str(&w, c->kind);
    mp_write_uint(&w, c->time);
    if (c->has_by)
        mp_write_bin(&w, c->by.bytes, sizeof c->by.bytes);
    else
        mp_write_nil(&w);
    mp_write_raw(&w, c->body);
    if (c->box.size)
        mp_write_raw(&w, c->box);
    else
        mp_write_nil(&w);
    return out->err;
}

/* Sizes, payload and zeros, up to the smallest class that holds them. */
static enum err plaintext_write(struct buf *out, struct zstd *z, struct slice content)
{
    struct buf payload = {0};
    static const uint8_t zeros[SEAL_PLAIN_SIZE_MAX];
    size_t plain = SEAL_PLAIN_SIZE_MIN;
    enum err err = zstd_compress(z, &payload, content, SLICE_EMPTY, SEAL_LEVEL);
    while (!err && plain < SEAL_HEAD + payload.size) {
        plain *= 2;
        if (plain > SEAL_PLAIN_SIZE_MAX) err = ERR_LIMIT;
    }
    if (!err) {
        uint8_t head[SEAL_HEAD];
        be16_put(head, (uint16_t)payload.size);
        be32_put(head + 2, (uint32_t)content.size);
        buf_append(out, head, sizeof head);
        buf_append_slice(out, buf_slice(&payload));
        buf_append(out, zeros, plain - SEAL_HEAD - payload.size);
        err = out->err;
    }
    seal_wipe(&payload);
    return err;
}

enum err seal_write(struct buf *out, struct zstd *z, const struct seal_content *content,
                    const struct box_key *office)
{
    struct buf bytes = {0}, plain = {0};
    enum err err = content_write(&bytes, content);
    if (!err) err = plaintext_write(&plain, z, buf_slice(&bytes));
    if (!err) err = crypto_seal(out, office, buf_slice(&plain));
    seal_wipe(&bytes);
    seal_wipe(&plain);
    return err;
}

/* --- opening --- */

static enum err plaintext_read(struct buf *out, struct zstd *z, struct slice plain)
{
    size_t payload = be16_get(plain.data);
    uint32_t content = be32_get(plain.data + 2);
    if (!content || !payload || payload > plain.size - SEAL_HEAD) return ERR_MALFORMED;
    if (content > EVENT_SIZE_MAX) return ERR_LIMIT;
    for (size_t i = SEAL_HEAD + payload; i < plain.size; i++)
        if (plain.data[i]) return ERR_MALFORMED;
    return zstd_decompress(z, out, slice_of(plain.data + SEAL_HEAD, payload), SLICE_EMPTY, content);
}

static enum err content_read(struct seal_content *out, struct slice content)
{
    struct seal_content c = {0};
    if (mp_scan_whole(content) != OK) return ERR_MALFORMED;
    struct mp_reader r = mp_reader_of(content);
    size_t fields = mp_read_array(&r, SIZE_MAX);
    if (!fields || mp_peek(&r) != MP_UINT) return ERR_MALFORMED;
    if (mp_read_uint(&r, UINT64_MAX) != SEAL_VERSION) return ERR_VERSION;
    c.kind = mp_read_str(&r, KIND_SIZE_MAX);
    c.time = mp_read_uint(&r, UINT64_MAX);
    c.has_by = !mp_read_nil(&r);
    if (c.has_by) mp_read_bin_exact(&r, c.by.bytes, sizeof c.by.bytes);
    c.body = mp_skip(&r);
    c.box = mp_read_nil(&r) ? SLICE_EMPTY : mp_skip(&r);
    if (mp_read_end(&r) || fields != SEAL_FIELDS) return ERR_MALFORMED;
    if (!is_map(c.body, EVENT_BODY_DEPTH_MAX) ||
        (c.box.size && !is_map(c.box, EVENT_BOX_DEPTH_MAX)))
        return ERR_MALFORMED;
    *out = c;
    return OK;
}

enum err seal_open(struct buf *bytes, struct seal_content *out, struct zstd *z,
                   const struct box_key *office, const struct box_secret *secret,
                   struct slice sealed)
{
    struct buf plain = {0};
    if (!seal_size_valid(sealed.size)) return ERR_LIMIT;
    enum err err = crypto_seal_open(&plain, office, secret, sealed);
    if (!err) err = plaintext_read(bytes, z, buf_slice(&plain));
    if (!err) err = content_read(out, buf_slice(bytes));
    seal_wipe(&plain);
    return err;
}
