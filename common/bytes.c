#include "common/bytes.h"

#include "common/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

uint8_t *buf_reserve(struct buf *b, size_t size)
{
    if (b->err) return NULL;
    size_t size_max = b->size_max ? b->size_max : BUF_SIZE_MAX;
    if (size > size_max || b->size > size_max - size) {
        b->err = ERR_LIMIT;
        return NULL;
    }
    size_t need = b->size + size;
    if (need > b->capacity || !b->data) {
        size_t capacity = b->capacity ? b->capacity : 64;
        while (capacity < need) capacity *= 2;
        if (capacity > size_max) capacity = size_max;
        uint8_t *data = realloc(b->data, capacity);
        if (!data) {
            b->err = ERR_NOMEM;
            return NULL;
        }
        b->data = data;
        b->capacity = capacity;
    }
    return b->data + b->size;
}

void buf_advance(struct buf *b, size_t size)
{
    if (!b->err) b->size += size;
}

void buf_append(struct buf *b, const void *data, size_t size)
{
    if (size == 0) return;
    /* The usual case without a call; a bound may have been set after the memory was taken. */
    bool fits = !b->size_max && !b->err && size <= b->capacity - b->size;
    uint8_t *to = fits ? b->data + b->size : buf_reserve(b, size);
    if (!to) return;
    if (size == 1) /* most heads of msgpack */
        *to = *(const uint8_t *)data;
    else
        memcpy(to, data, size);
    b->size += size;
}

void buf_append_slice(struct buf *b, struct slice s)
{
    buf_append(b, s.data, s.size);
}

void buf_append_text(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_append_byte(struct buf *b, uint8_t byte)
{
    buf_append(b, &byte, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0) {
        if (!b->err) b->err = ERR_MALFORMED;
        return;
    }
    uint8_t *to = buf_reserve(b, (size_t)size + 1);
    if (!to) return;
    va_start(args, format);
    vsnprintf((char *)to, (size_t)size + 1, format, args);
    va_end(args);
    b->size += (size_t)size;
}

struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->data, b->size};
}

const char *buf_text(struct buf *b)
{
    uint8_t *end = buf_reserve(b, 1);
    if (!end) return "";
    *end = 0;
    return (const char *)b->data;
}

void buf_reset(struct buf *b)
{
    b->size = 0;
    b->err = OK;
}

void buf_clear(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.size_max = b->size_max};
}

void hex_encode(char *out, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * size] = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum err hex_decode(uint8_t *out, size_t size, const char *text, size_t text_size)
{
    if (text_size != 2 * size) return ERR_MALFORMED;
    for (size_t i = 0; i < text_size; i++)
        if (hex_digit(text[i]) < 0) return ERR_MALFORMED;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return OK;
}

void be16_put(uint8_t *out, uint16_t v)
{
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
}

void be32_put(uint8_t *out, uint32_t v)
{
    be16_put(out, (uint16_t)(v >> 16));
    be16_put(out + 2, (uint16_t)v);
}

void be64_put(uint8_t *out, uint64_t v)
{
    be32_put(out, (uint32_t)(v >> 32));
    be32_put(out + 4, (uint32_t)v);
}

uint16_t be16_get(const uint8_t *in)
{
    return (uint16_t)(in[0] << 8 | in[1]);
}

uint32_t be32_get(const uint8_t *in)
{
    return (uint32_t)be16_get(in) << 16 | be16_get(in + 2);
}

uint64_t be64_get(const uint8_t *in)
{
    return (uint64_t)be32_get(in) << 32 | be32_get(in + 4);
}
