#include "proto/bundle.h"

#include "proto/frame_form.h"
#include "proto/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define MAGIC "sidan-bundle-1\n"
#define MAGIC_NAME "sidan-bundle-"
enum {
    MAGIC_SIZE = sizeof MAGIC - 1,
    SEALED_SIZE = sizeof(struct secret_key) + CRYPTO_SEAL_OVERHEAD,
    CHECK_SIZE = 8,
    OUTSIDE_SIZE = BUNDLE_OUTSIDE_SIZE,
    BUNDLE_ELEMENTS = 6,
    STATEMENT_ELEMENTS = 6,
    PAD_SIZE_MIN = 256,
    PAD_PARTS_LOG = 6,
};
_Static_assert(OUTSIDE_SIZE == MAGIC_SIZE + SEALED_SIZE + CHECK_SIZE, "magic, sealed key, check");

uint64_t bundle_padded(uint64_t size)
{
    uint64_t step = PAD_SIZE_MIN;
    while (step << (PAD_PARTS_LOG + 1) <= size) step *= 2;
    return (size + step - 1) / step * step;
}

/* --- the head --- */

static void outside_check(uint8_t out[CHECK_SIZE], const uint8_t outside[OUTSIDE_SIZE])
{
    struct hash h;
    crypto_hash_one(&h, CONTEXT_BUNDLE, slice_of(outside, MAGIC_SIZE + SEALED_SIZE));
    memcpy(out, h.bytes, CHECK_SIZE);
}

enum err bundle_outside_check(const uint8_t outside[BUNDLE_OUTSIDE_SIZE])
{
    uint8_t check[CHECK_SIZE];
    if (memcmp(outside, MAGIC_NAME, sizeof MAGIC_NAME - 1) != 0) return ERR_MALFORMED;
    if (memcmp(outside, MAGIC, MAGIC_SIZE) != 0) return ERR_VERSION;
    outside_check(check, outside);
    return memcmp(check, outside + MAGIC_SIZE + SEALED_SIZE, sizeof check) == 0 ? OK
                                                                                : ERR_MALFORMED;
}

enum err bundle_outside_read(uint8_t outside[BUNDLE_OUTSIDE_SIZE], int fd)
{
    enum err err = stream_read_all(fd, outside, OUTSIDE_SIZE);
    if (err == ERR_CORRUPT) return ERR_MALFORMED;
    return err ? err : bundle_outside_check(outside);
}

void bundle_id_of(struct bundle_id *out, const uint8_t outside[BUNDLE_OUTSIDE_SIZE])
{
    struct hash h;
    crypto_hash_one(&h, CONTEXT_BUNDLE, slice_of(outside, OUTSIDE_SIZE));
    memcpy(out->bytes, h.bytes, sizeof out->bytes);
}

/* From whom to whom, the same in BUNDLE and in what is signed. */
static void who_write(struct mp_writer *w, const struct bundle_head *h)
{
    mp_write_bin(w, h->township.bytes, sizeof h->township.bytes);
    mp_write_bin(w, h->from.bytes, sizeof h->from.bytes);
    if (h->to_township)
        mp_write_nil(w);
    else
        mp_write_bin(w, h->to.bytes, sizeof h->to.bytes);
    mp_write_uint(w, h->number);
}

/* Bound to this file by its outside, so a head cannot be moved to other runs. */
static enum err statement_hash(struct hash *out, const struct bundle_head *h,
                               const uint8_t outside[OUTSIDE_SIZE], struct slice hello)
{
    struct buf statement = {0};
    struct hash said;
    struct mp_writer w = {&statement};
    crypto_hash_one(&said, CONTEXT_BUNDLE, hello);
    mp_write_array(&w, STATEMENT_ELEMENTS);
    who_write(&w, h);
    mp_write_bin(&w, outside, OUTSIDE_SIZE);
    mp_write_bin(&w, said.bytes, sizeof said.bytes);
    crypto_hash_one(out, CONTEXT_BUNDLE, buf_slice(&statement));
    enum err err = statement.err;
    buf_clear(&statement);
    return err;
}

static void head_write(struct buf *out, const struct bundle_head *h)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_BUNDLE, BUNDLE_ELEMENTS);
    who_write(&w, h);
    mp_write_bin(&w, h->signature.bytes, sizeof h->signature.bytes);
    frame_finish(out, start);
}

static enum err head_read(struct bundle_head *out, struct slice frame)
{
    struct bundle_head h = {0};
    uint64_t type;
    enum err err = frame_type_of(frame, &type);
    if (err || type != FRAME_BUNDLE) return ERR_CORRUPT;
    struct mp_reader r = frame_open(frame, FRAME_BUNDLE, BUNDLE_ELEMENTS);
    mp_read_bin_exact(&r, h.township.bytes, sizeof h.township.bytes);
    mp_read_bin_exact(&r, h.from.bytes, sizeof h.from.bytes);
    h.to_township = mp_read_nil(&r);
    if (!h.to_township) mp_read_bin_exact(&r, h.to.bytes, sizeof h.to.bytes);
    h.number = mp_read_uint(&r, FRAME_UINT_MAX);
    mp_read_bin_exact(&r, h.signature.bytes, sizeof h.signature.bytes);
    if (r.err) return ERR_CORRUPT;
    *out = h;
    return OK;
}

enum err bundle_verify(const struct bundle_head *head, const struct sign_key *key)
{
    return crypto_verify(&head->signature, key, CONTEXT_BUNDLE,
                         slice_of(head->statement.bytes, sizeof head->statement.bytes));
}

/* --- writing --- */

struct bundle_writer {
    struct stream *stream;
    uint64_t size; /* of the content so far */
    uint8_t outside[OUTSIDE_SIZE];
    struct secret_key key;
};

/* Content goes in chunks, each with its size and tag. */
static uint64_t file_size(uint64_t content)
{
    return OUTSIDE_SIZE + stream_size(content);
}

uint64_t bundle_size(uint64_t frames)
{
    return file_size(bundle_padded(frames + 4));
}

static enum err put_bytes(struct bundle_writer *w, struct slice bytes)
{
    w->size += bytes.size;
    return stream_put(w->stream, bytes);
}

static enum err put_size(struct bundle_writer *w, size_t size)
{
    uint8_t be32[4];
    be32_put(be32, (uint32_t)size);
    return put_bytes(w, slice_of(be32, sizeof be32));
}

enum err bundle_put(struct bundle_writer *w, struct slice frame)
{
    if (bundle_size(w->size + 4 + frame.size) > BUNDLE_SIZE_MAX) return ERR_LIMIT;
    enum err err = put_size(w, frame.size);
    return err ? err : put_bytes(w, frame);
}

static enum err begin_outside(uint8_t outside[OUTSIDE_SIZE], struct secret_key *key, int fd,
                              const struct box_key *to)
{
    struct buf sealed = {0};
    secret_key_make(key);
    enum err err = crypto_seal(&sealed, to, slice_of(key->bytes, sizeof key->bytes));
    if (!err) {
        memcpy(outside, MAGIC, MAGIC_SIZE);
        memcpy(outside + MAGIC_SIZE, sealed.data, SEALED_SIZE);
        outside_check(outside + MAGIC_SIZE + SEALED_SIZE, outside);
        err = stream_write_all(fd, outside, OUTSIDE_SIZE);
    }
    buf_clear(&sealed);
    return err;
}

enum err bundle_begin(struct bundle_writer **out, int fd, const struct box_key *to,
                      struct bundle_head *head, struct slice hello, const struct signer *signer)
{
    struct buf frame = {0};
    struct bundle_writer *w = calloc(1, sizeof *w);
    if (!w) return ERR_NOMEM;
    enum err err = begin_outside(w->outside, &w->key, fd, to);
    if (!err) bundle_id_of(&head->id, w->outside);
    if (!err) err = stream_begin_key(&w->stream, fd, &w->key);
    if (!err) err = statement_hash(&head->statement, head, w->outside, hello);
    if (!err) {
        signer_sign(&head->signature, signer, CONTEXT_BUNDLE,
                    slice_of(head->statement.bytes, sizeof head->statement.bytes));
        head_write(&frame, head);
        err = frame.err;
    }
    if (!err) err = bundle_put(w, buf_slice(&frame));
    if (!err) err = bundle_put(w, hello);
    buf_clear(&frame);
    if (err)
        bundle_writer_close(w);
    else
        *out = w;
    return err;
}

enum err bundle_finish(struct bundle_writer *w, uint64_t *size)
{
    static const uint8_t zeros[4096];
    enum err err = put_size(w, 0);
    const uint64_t padding = bundle_padded(w->size) - w->size;
    for (uint64_t left = padding; !err && left > 0;) {
        size_t part = left < sizeof zeros ? (size_t)left : sizeof zeros;
        err = put_bytes(w, slice_of(zeros, part));
        left -= part;
    }
    if (!err) err = stream_finish(w->stream);
    *size = file_size(w->size);
    return err;
}

void bundle_writer_close(struct bundle_writer *w)
{
    if (!w) return;
    stream_close(w->stream);
    crypto_wipe(w, sizeof *w);
    free(w);
}

/* --- reading --- */

struct bundle_reader {
    struct stream *stream;
    struct buf hello, frame;
    uint64_t size; /* of the content so far */
};

void bundle_reader_close(struct bundle_reader *r)
{
    if (!r) return;
    stream_close(r->stream);
    crypto_buf_wipe(&r->hello);
    crypto_buf_wipe(&r->frame);
    free(r);
}

/* Errors: ERR_FOREIGN (none of the keys opens it), ERR_NOMEM. */
static enum err open_sealed(const uint8_t outside[OUTSIDE_SIZE], const struct bundle_key *keys,
                            size_t key_count, struct secret_key *out)
{
    const struct slice sealed = slice_of(outside + MAGIC_SIZE, SEALED_SIZE);
    enum err err = ERR_FOREIGN;
    for (size_t i = 0; err == ERR_FOREIGN && i < key_count; i++) {
        struct buf opened = {0};
        err = crypto_seal_open(&opened, keys[i].key, keys[i].secret, sealed);
        if (err == ERR_SIGNATURE) err = ERR_FOREIGN;
        if (!err) memcpy(out->bytes, opened.data, sizeof out->bytes);
        crypto_buf_wipe(&opened);
    }
    return err;
}

enum err bundle_is_for(const uint8_t outside[BUNDLE_OUTSIDE_SIZE], const struct bundle_key *keys,
                       size_t key_count)
{
    struct secret_key key;
    enum err err = open_sealed(outside, keys, key_count, &key);
    crypto_wipe(&key, sizeof key);
    return err;
}

enum err bundle_shape(int fd)
{
    uint8_t outside[OUTSIDE_SIZE];
    uint64_t content;
    enum err err = bundle_outside_read(outside, fd);
    if (!err) err = stream_shape(fd, &content);
    if (!err && bundle_padded(content) != content) err = ERR_CORRUPT;
    return err;
}

/* Nothing but zeros follows, up to the size that it was padded to. */
static enum err read_padding(struct bundle_reader *r)
{
    uint8_t zeros[4096];
    enum err err = OK;
    const uint64_t padding = bundle_padded(r->size) - r->size;
    for (uint64_t left = padding; !err && left > 0;) {
        size_t part = left < sizeof zeros ? (size_t)left : sizeof zeros;
        err = stream_get(r->stream, zeros, part);
        r->size += part;
        for (size_t i = 0; !err && i < part; i++)
            if (zeros[i]) err = ERR_CORRUPT;
        left -= part;
    }
    return err ? err : stream_end(r->stream);
}

enum err bundle_next(struct bundle_reader *r, struct slice *frame, bool *end)
{
    uint8_t be32[4];
    enum err err = stream_get(r->stream, be32, sizeof be32);
    size_t size = err ? 0 : be32_get(be32);
    r->size += sizeof be32 + size;
    *end = !err && !size;
    if (err) return err;
    if (!size) return read_padding(r);
    if (size > FRAME_SIZE_MAX) return ERR_CORRUPT;
    buf_reset(&r->frame);
    uint8_t *room = buf_reserve(&r->frame, size);
    if (!room) return r->frame.err;
    err = stream_get(r->stream, room, size);
    if (err) return err;
    buf_advance(&r->frame, size);
    *frame = buf_slice(&r->frame);
    return OK;
}

static enum err read_head(struct bundle_reader *r, const uint8_t outside[OUTSIDE_SIZE],
                          struct bundle_head *head)
{
    struct slice frame;
    uint64_t type;
    bool end;
    enum err err = bundle_next(r, &frame, &end);
    if (!err) err = end ? ERR_CORRUPT : head_read(head, frame);
    if (!err) err = bundle_next(r, &frame, &end);
    if (!err && (end || frame_type_of(frame, &type) != OK || type != FRAME_HELLO))
        err = ERR_CORRUPT;
    if (err) return err;
    buf_append_slice(&r->hello, frame);
    if (r->hello.err) return r->hello.err;
    return statement_hash(&head->statement, head, outside, buf_slice(&r->hello));
}

enum err bundle_open(struct bundle_reader **out, int fd, const struct bundle_key *keys,
                     size_t key_count, struct bundle_head *head, struct slice *hello)
{
    uint8_t outside[OUTSIDE_SIZE];
    struct secret_key key;
    struct bundle_reader *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    enum err err = bundle_outside_read(outside, fd);
    if (!err) err = open_sealed(outside, keys, key_count, &key);
    if (!err) err = stream_open_key(&r->stream, fd, &key);
    if (!err) err = read_head(r, outside, head);
    crypto_wipe(&key, sizeof key);
    if (err) {
        bundle_reader_close(r);
        return err;
    }
    bundle_id_of(&head->id, outside);
    *hello = buf_slice(&r->hello);
    *out = r;
    return OK;
}

enum err bundle_read_back(struct bundle_writer *w, int fd)
{
    uint8_t outside[OUTSIDE_SIZE];
    struct bundle_reader r = {0};
    struct slice frame;
    enum err err = lseek(fd, 0, SEEK_SET) < 0 ? err_from_errno(errno) : OK;
    if (!err) err = stream_read_all(fd, outside, OUTSIDE_SIZE);
    if (!err && memcmp(outside, w->outside, OUTSIDE_SIZE) != 0) err = ERR_CORRUPT;
    if (!err) err = stream_open_key(&r.stream, fd, &w->key);
    for (bool end = false; !err && !end;) err = bundle_next(&r, &frame, &end);
    if (!err && r.size != w->size) err = ERR_CORRUPT;
    stream_close(r.stream);
    crypto_buf_wipe(&r.frame);
    return err;
}
