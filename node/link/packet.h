#pragma once
/*
 * Packets on a line of bytes that loses and changes some (SPEC 25.2): a zero byte, then type, body
 * and check with their zeros taken out (COBS), then a zero byte. So a packet begins at any zero,
 * whatever stood before: a login banner, noise, half of another packet. Pure.
 *
 * Source of the coding: Cheshire and Baker, Consistent Overhead Byte Stuffing, 1999.
 */
#include "common/bytes.h"

#define PACKET_BODY_MAX 1041 /* what a data packet has: 1 + 1024 + 16 */
#define PACKET_CHECK_SIZE 4
#define PACKET_PLAIN_MAX (1 + PACKET_BODY_MAX + PACKET_CHECK_SIZE)
#define PACKET_CODED_MAX (PACKET_PLAIN_MAX + PACKET_PLAIN_MAX / 254 + 1)

enum packet_type {
    PACKET_CALL = 1,   /* the first message of the handshake */
    PACKET_ANSWER = 2, /* the second */
    PACKET_AGAIN = 3,  /* what came could not be opened: a reason, and of a call its first bytes */
    PACKET_DATA = 4,   /* sealed: 0 (more follows) or 1 (the last), then a part of a frame */
};
struct packet {
    uint8_t type; /* any */
    struct slice body;
};

/* Appends. `body` has at most PACKET_BODY_MAX bytes. */
void packet_write(struct buf *out, enum packet_type type, struct slice body);

struct packet_reader {
    size_t size; /* bytes since the last zero */
    uint8_t bytes[PACKET_CODED_MAX];
    bool too_long;
};
enum packet_found {
    PACKET_NONE,    /* all bytes are taken */
    PACKET_WHOLE,   /* `out`, borrowed until the next call */
    PACKET_DAMAGED, /* bytes between two zeros that are no packet, or more than one can have */
};
/* Takes bytes up to the end of a packet and returns how many. */
size_t packet_read(struct packet_reader *r, struct slice bytes, enum packet_found *found,
                   struct packet *out);
