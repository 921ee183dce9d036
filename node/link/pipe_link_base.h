#pragma once
/* The inside of the pipe, shared by node/link/pipe_*.c. */
#include "common/i18n.h"
#include "common/limits.h"
#include "node/link/packet.h"
#include "node/link/pipe_link.h"
#include "proto/noise.h"

#define PIPE_CALL_SIZE NOISE_CALL_SIZE /* nothing is said in a call */
#define PIPE_PART_MAX 1024             /* of a frame in one packet */
enum { PIPE_PART, PIPE_LAST_PART };    /* the first byte of what data packets seal */

_Static_assert(1 + PIPE_PART_MAX + NOISE_TAG_SIZE == PACKET_BODY_MAX, "a part fits a packet");

enum pipe_state {
    PIPE_QUIET,    /* answers: waits for a call */
    PIPE_CALL_DUE, /* calls: at call_ms */
    PIPE_CALLED,   /* calls: waits for the answer; the same call again at call_ms */
    PIPE_ANSWERED, /* answers: waits for the first data, until call_ms */
    PIPE_UP,
    PIPE_OVER,
};

struct pipe_link {
    struct link base;
    struct pipe_link_options options;
    struct pipe_keys *keys;
    size_t key_at, keys_refused;
    enum pipe_state state;
    uint64_t now_ms, heard_ms; /* heard: any byte */

    /* the handshake */
    struct noise handshake;       /* calls: the call under way */
    uint8_t call[PIPE_CALL_SIZE]; /* the last one, sent or answered */
    bool call_used;               /* it led to a session: it is worth nothing any more */
    struct buf answer;            /* answers: to that call */
    uint64_t call_ms, wait_ms;    /* when the next is due */
    uint64_t pause_ms;
    uint64_t again_ms, again_wait_ms; /* quiet: AGAIN is due then, where the wait is not 0 */

    /* the peer */
    uint64_t peer;
    struct box_key key;
    struct noise_cipher sending, receiving;
    struct buf frame; /* on its way in */

    /* what `next` is to tell, in this order */
    bool down_due, up_due, frame_due, frame_given;
    uint64_t down_peer;
    enum err why;
    const char *text;

    struct packet_reader reader;
    size_t raw_at, raw_size;
    uint8_t raw[4096];
    struct buf queue; /* to go out, from queue_at on */
    size_t queue_at;
    bool deaf; /* the other end takes nothing any more */
    struct pipe_link_counts counts;
};

/* --- pipe_talk.c: handshake and data, without a descriptor --- */
void pipe_call(struct pipe_link *p);
void pipe_call_once_more(struct pipe_link *p);
void pipe_ask_again(struct pipe_link *p);
void pipe_take_packet(struct pipe_link *p, const struct packet *packet);
/* Something was lost of what a peer that is up sent. */
void pipe_lost(struct pipe_link *p);
void pipe_queue_forget(struct pipe_link *p);
/* Nobody is there from now on. */
void pipe_leave(struct pipe_link *p);
/* The line is at its end. */
void pipe_end(struct pipe_link *p, enum err why, const char *text);
