#pragma once
/*
 * Bytes: a borrowed slice, and an owned growing buffer that latches its first error, so a writer
 * appends freely and its caller tests `buf.err` once at the end.
 */
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes. `data` may be NULL when `size` is 0. */
struct slice {
    const uint8_t *data;
    size_t size;
};

#define SLICE_EMPTY ((struct slice){NULL, 0})

/* Inline, for each field of each event is asked for by name: of a constant text the size is known
 * when it is compiled. */
static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){data, size};
}

static inline struct slice slice_of_text(const char *text) /* without the final NUL */
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_is_text(struct slice s, const char *text)
{
    return slice_equal(s, slice_of_text(text));
}

int slice_compare(struct slice a, struct slice b); /* memcmp order, shorter first */

/* Owned, growing. `{0}` is a valid empty buffer without a bound of its own; set `size_max` to
 * bound it. After an error (ERR_NOMEM, ERR_LIMIT) appends do nothing. */
struct buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t size_max; /* 0: BUF_SIZE_MAX */
    enum err err;
};

void buf_append(struct buf *b, const void *data, size_t size);
void buf_append_slice(struct buf *b, struct slice s);
void buf_append_text(struct buf *b, const char *text);
void buf_append_byte(struct buf *b, uint8_t byte);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *format, ...);
/* Room for `size` more bytes, not yet counted: write there, then buf_advance. NULL on error. */
uint8_t *buf_reserve(struct buf *b, size_t size);
void buf_advance(struct buf *b, size_t size);
struct slice buf_slice(const struct buf *b);
/* NUL-terminates without counting the NUL and returns it as text; "" on error. Borrowed. */
const char *buf_text(struct buf *b);
/* Keeps the memory, forgets content and error. */
void buf_reset(struct buf *b);
/* Gives the memory back; the buffer is empty and usable again. */
void buf_clear(struct buf *b);

/* Lower-case hex. `out` holds 2*size+1 bytes. */
void hex_encode(char *out, const void *data, size_t size);
/* Exactly 2*size hex digits of either case. Errors: ERR_MALFORMED. */
MUST_CHECK enum err hex_decode(uint8_t *out, size_t size, const char *text, size_t text_size);

/* Big-endian integers, for keys that memcmp must order. */
void be16_put(uint8_t *out, uint16_t v);
void be32_put(uint8_t *out, uint32_t v);
void be64_put(uint8_t *out, uint64_t v);
uint16_t be16_get(const uint8_t *in);
uint32_t be32_get(const uint8_t *in);
uint64_t be64_get(const uint8_t *in);
