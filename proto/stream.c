#include "proto/stream.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_SIZE crypto_secretstream_xchacha20poly1305_KEYBYTES
#define HEADER_SIZE crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define OVERHEAD crypto_secretstream_xchacha20poly1305_ABYTES
#define WRAPPED_SIZE_MAX 512u

struct stream {
    int fd;
    bool last; /* the final chunk was read */
    crypto_secretstream_xchacha20poly1305_state state;
    size_t used, size; /* of `plain`: taken, filled */
    uint8_t plain[STREAM_CHUNK_SIZE];
    uint8_t sealed[4 + STREAM_CHUNK_SIZE + OVERHEAD];
};

void stream_close(struct stream *s)
{
    if (!s) return;
    crypto_wipe(s, sizeof *s);
    free(s);
}

enum err stream_write_all(int fd, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        ssize_t put = write(fd, from, size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return err_from_errno(errno);
        from += put;
        size -= (size_t)put;
    }
    return OK;
}

enum err stream_read_all(int fd, void *bytes, size_t size)
{
    uint8_t *to = bytes;
    while (size > 0) {
        ssize_t got = read(fd, to, size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_from_errno(errno);
        if (got == 0) return ERR_CORRUPT;
        to += got;
        size -= (size_t)got;
    }
    return OK;
}

uint64_t stream_size(uint64_t content)
{
    /* One chunk at the end is always there, be it empty: it is the one that is marked. */
    uint64_t chunks = content / STREAM_CHUNK_SIZE + 1;
    return HEADER_SIZE + content + chunks * (4 + OVERHEAD);
}

/* --- writing --- */

enum err stream_begin_key(struct stream **out, int fd, const struct secret_key *key)
{
    uint8_t header[HEADER_SIZE];
    struct stream *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->fd = fd;
    enum err err = ERR_STATE;
    /* What init_push would begin with, but by our randomness, which is fixed in the golden vectors:
     * the state that a reader of this header has. */
    crypto_random(header, sizeof header);
    if (!crypto_secretstream_xchacha20poly1305_init_pull(&s->state, header, key->bytes))
        err = stream_write_all(fd, header, sizeof header);
    if (err)
        stream_close(s);
    else
        *out = s;
    return err;
}

enum err stream_begin(struct stream **out, int fd, const char *magic, const char *passphrase)
{
    struct secret_key key;
    struct buf wrapped = {0};
    secret_key_make(&key);
    buf_append_text(&wrapped, magic);
    enum err err = crypto_wrap(&wrapped, slice_of(key.bytes, sizeof key.bytes), passphrase);
    if (!err && (wrapped.size == 0 || wrapped.data[wrapped.size - 1] != '\n'))
        buf_append_byte(&wrapped, '\n');
    if (!err) err = wrapped.err;
    if (!err) err = stream_write_all(fd, wrapped.data, wrapped.size);
    if (!err) err = stream_begin_key(out, fd, &key);
    crypto_wipe(&key, sizeof key);
    buf_clear(&wrapped);
    return err;
}

static enum err push(struct stream *s, bool last)
{
    const uint8_t tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
    unsigned long long size;
    if (crypto_secretstream_xchacha20poly1305_push(&s->state, s->sealed + 4, &size, s->plain,
                                                   s->size, NULL, 0, tag))
        return ERR_STATE;
    be32_put(s->sealed, (uint32_t)size);
    s->size = 0;
    return stream_write_all(s->fd, s->sealed, 4 + (size_t)size);
}

enum err stream_put(struct stream *s, struct slice bytes)
{
    enum err err = OK;
    while (!err && bytes.size > 0) {
        size_t part = STREAM_CHUNK_SIZE - s->size;
        if (part > bytes.size) part = bytes.size;
        memcpy(s->plain + s->size, bytes.data, part);
        s->size += part;
        bytes = slice_of(bytes.data + part, bytes.size - part);
        if (s->size == STREAM_CHUNK_SIZE) err = push(s, false);
    }
    return err;
}

enum err stream_finish(struct stream *s)
{
    return push(s, true);
}

/* --- reading --- */

/* A line with its end, at most `max` bytes; byte by byte, for what follows it is not text. */
static enum err read_line(int fd, struct buf *out, size_t max)
{
    uint8_t byte = 0;
    enum err err = OK;
    while (!err && byte != '\n') {
        err = out->size == max ? ERR_MALFORMED : stream_read_all(fd, &byte, 1);
        if (!err) buf_append_byte(out, byte);
        if (!err) err = out->err;
    }
    return err == ERR_CORRUPT ? ERR_MALFORMED : err;
}

static enum err read_key(int fd, const char *magic, const char *passphrase, struct buf *key)
{
    struct buf line = {0}, wrapped = {0};
    enum err err = read_line(fd, &line, strlen(magic));
    if (!err && !slice_is_text(buf_slice(&line), magic)) err = ERR_MALFORMED;
    if (!err) err = read_line(fd, &wrapped, WRAPPED_SIZE_MAX);
    if (!err) wrapped.size--;
    if (!err) err = crypto_unwrap(key, buf_slice(&wrapped), passphrase);
    if (!err && key->size != KEY_SIZE) err = ERR_MALFORMED;
    buf_clear(&line);
    buf_clear(&wrapped);
    return err;
}

enum err stream_open_key(struct stream **out, int fd, const struct secret_key *key)
{
    uint8_t header[HEADER_SIZE];
    struct stream *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->fd = fd;
    enum err err = stream_read_all(fd, header, sizeof header);
    if (!err && crypto_secretstream_xchacha20poly1305_init_pull(&s->state, header, key->bytes))
        err = ERR_CORRUPT;
    if (err)
        stream_close(s);
    else
        *out = s;
    return err;
}

enum err stream_open(struct stream **out, int fd, const char *magic, const char *passphrase)
{
    struct secret_key key;
    struct buf bytes = {0};
    enum err err = read_key(fd, magic, passphrase, &bytes);
    if (!err) memcpy(key.bytes, bytes.data, sizeof key.bytes);
    if (!err) err = stream_open_key(out, fd, &key);
    crypto_wipe(&key, sizeof key);
    crypto_buf_wipe(&bytes);
    return err;
}

static enum err pull(struct stream *s)
{
    unsigned long long size = 0;
    uint8_t tag = 0;
    if (s->last) return ERR_CORRUPT;
    enum err err = stream_read_all(s->fd, s->sealed, 4);
    size_t sealed = err ? 0 : be32_get(s->sealed);
    if (!err && (sealed < OVERHEAD || sealed > STREAM_CHUNK_SIZE + OVERHEAD)) err = ERR_CORRUPT;
    if (!err) err = stream_read_all(s->fd, s->sealed + 4, sealed);
    if (!err && crypto_secretstream_xchacha20poly1305_pull(&s->state, s->plain, &size, &tag,
                                                           s->sealed + 4, sealed, NULL, 0))
        err = ERR_CORRUPT;
    if (err) return err;
    s->used = 0;
    s->size = (size_t)size;
    s->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    return OK;
}

enum err stream_get(struct stream *s, void *out, size_t size)
{
    uint8_t *to = out;
    while (size > 0) {
        if (s->used == s->size) {
            enum err err = pull(s);
            if (err) return err;
            continue;
        }
        size_t part = s->size - s->used < size ? s->size - s->used : size;
        memcpy(to, s->plain + s->used, part);
        s->used += part;
        to += part;
        size -= part;
    }
    return OK;
}

enum err stream_end(struct stream *s)
{
    uint8_t byte;
    if (s->used == s->size && !s->last) {
        enum err err = pull(s);
        if (err) return err;
    }
    if (s->used != s->size || !s->last) return ERR_CORRUPT;
    enum err err = stream_read_all(s->fd, &byte, 1);
    if (err == ERR_CORRUPT) return OK; /* there is none */
    return err ? err : ERR_CORRUPT;
}

enum err stream_shape(int fd, uint64_t *content)
{
    uint8_t be32[4];
    struct stat st;
    off_t at = lseek(fd, HEADER_SIZE, SEEK_CUR);
    if (at < 0 || fstat(fd, &st)) return err_from_errno(errno);
    enum err err = at < st.st_size ? OK : ERR_CORRUPT;
    for (*content = 0; !err && at < st.st_size;) {
        err = stream_read_all(fd, be32, sizeof be32);
        const size_t sealed = err ? 0 : be32_get(be32);
        if (!err && (sealed < OVERHEAD || sealed > STREAM_CHUNK_SIZE + OVERHEAD)) err = ERR_CORRUPT;
        if (err) return err;
        *content += sealed - OVERHEAD;
        at = lseek(fd, (off_t)sealed, SEEK_CUR);
        if (at < 0) return err_from_errno(errno);
        if (at > st.st_size) err = ERR_CORRUPT;
    }
    return err;
}
