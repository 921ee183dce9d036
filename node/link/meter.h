#pragma once
/*
 * The bytes that one TCP connection carried: handshake, frames and what ZeroMQ adds, resent
 * segments and the headers of TCP and IP left out.
 *
 * The kernel counts them, and is asked while the socket lives. It is libzmq's, and may be closed
 * and its descriptor used anew before we hear of it: the socket's cookie tells (SO_COOKIE). What
 * came after the last look is known by the frames, whose size on the wire follows from their own:
 *   frame      2, or 9 from 256 on, for ZMTP; 33 for CURVE (counted in that size); the frame
 *   handshake  greeting 64 each; HELLO 202, INITIATE 301 from the one that dials; WELCOME 170,
 *              READY 67 from the other (RFC 23 and 26, with Socket-Type and an empty Identity)
 */
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METER_DIALLER_HANDSHAKE 567u
#define METER_LISTENER_HANDSHAKE 301u

struct meter_bytes {
    uint64_t sent, received;
};

struct meter {
    int fd; /* -1: none */
    uint64_t cookie;
    struct meter_bytes framed; /* by handshake and frames: handed over, and taken */
    struct meter_bytes seen;   /* by the kernel, at the last look */
    bool behind;               /* by then not all that was handed over had gone out */
    uint64_t late;             /* handed over since */
    struct meter_bytes told;   /* taken by meter_take */
};

/* What a frame of this size comes to. */
uint64_t meter_of_frame(size_t frame_size);
/* What `frames` of together `bytes` come to at least: 7 less for each over 222. */
uint64_t meter_of_frames(uint64_t frames, uint64_t bytes);
/* A connection begins with this descriptor. */
void meter_begin(struct meter *m, int fd);
/* Its handshake is done; `dialled`: by us. */
void meter_greeted(struct meter *m, bool dialled);
void meter_sent(struct meter *m, size_t frame_size);
void meter_received(struct meter *m, size_t frame_size);
/* Asks the kernel; before what this turn hands over. */
void meter_look(struct meter *m);
/* Handed over and, as of the last look, not gone out yet. */
uint64_t meter_waiting(const struct meter *m);
/* Bytes that came, as of now, beyond the frames that were taken; UINT64_MAX: not known. */
uint64_t meter_partial(struct meter *m);
/* What was carried, as of the last look, and not taken yet. `last`: the connection is closed or
 * will be at once; what was handed over since the look counts as gone out, if all before it had.
 * Nothing may follow. */
struct meter_bytes meter_take(struct meter *m, bool last);
