#include "node/link/packet.h"

#include "proto/crypto.h"

#include <assert.h>

#define BLOCK_MAX 0xff /* 254 bytes without a zero, and none behind them */

static void check_of(uint8_t out[PACKET_CHECK_SIZE], struct slice type_and_body)
{
    struct hash hash;
    crypto_hash_one(&hash, CONTEXT_PIPE, type_and_body);
    memcpy(out, hash.bytes, PACKET_CHECK_SIZE);
}

/* Each block: one more than the number of bytes without a zero that follow; a zero stood behind
 * them, unless there are 254, or they are the last. */
static void stuff(struct buf *out, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at <= size;) {
        size_t count = 0;
        while (at + count < size && bytes[at + count] && count + 1 < BLOCK_MAX) count++;
        buf_append_byte(out, (uint8_t)(count + 1));
        buf_append(out, bytes + at, count);
        at += count + (count + 1 < BLOCK_MAX);
        if (count + 1 == BLOCK_MAX && at == size) break;
    }
}

void packet_write(struct buf *out, enum packet_type type, struct slice body)
{
    uint8_t plain[PACKET_PLAIN_MAX];
    assert(body.size <= PACKET_BODY_MAX);
    plain[0] = (uint8_t)type;
    if (body.size) memcpy(plain + 1, body.data, body.size);
    check_of(plain + 1 + body.size, slice_of(plain, 1 + body.size));
    buf_append_byte(out, 0);
    stuff(out, plain, 1 + body.size + PACKET_CHECK_SIZE);
    buf_append_byte(out, 0);
}

/* In place; SIZE_MAX: it is none. */
static size_t unstuff(uint8_t *bytes, size_t size)
{
    size_t to = 0;
    for (size_t at = 0; at < size;) {
        size_t block = bytes[at++], count = block - 1;
        if (count > size - at) return SIZE_MAX;
        memmove(bytes + to, bytes + at, count);
        to += count;
        at += count;
        if (block < BLOCK_MAX && at < size) bytes[to++] = 0;
    }
    return to;
}

static bool take_apart(struct packet_reader *r, struct packet *out)
{
    uint8_t check[PACKET_CHECK_SIZE];
    size_t size = r->too_long ? SIZE_MAX : unstuff(r->bytes, r->size);
    if (size == SIZE_MAX || size < 1 + PACKET_CHECK_SIZE) return false;
    size -= PACKET_CHECK_SIZE;
    check_of(check, slice_of(r->bytes, size));
    if (memcmp(check, r->bytes + size, sizeof check) != 0) return false;
    *out = (struct packet){.type = r->bytes[0], .body = slice_of(r->bytes + 1, size - 1)};
    return true;
}

size_t packet_read(struct packet_reader *r, struct slice bytes, enum packet_found *found,
                   struct packet *out)
{
    *found = PACKET_NONE;
    for (size_t at = 0; at < bytes.size; at++) {
        if (bytes.data[at]) {
            if (r->size < sizeof r->bytes)
                r->bytes[r->size++] = bytes.data[at];
            else if (!r->too_long)
                *found = PACKET_DAMAGED; /* told at once, and once */
            if (*found == PACKET_NONE) continue;
            r->too_long = true;
            return at + 1;
        }
        if (!r->size) continue;
        bool told = r->too_long;
        *found = take_apart(r, out) ? PACKET_WHOLE : told ? PACKET_NONE : PACKET_DAMAGED;
        r->size = 0;
        r->too_long = false;
        if (*found != PACKET_NONE) return at + 1;
    }
    return bytes.size;
}
