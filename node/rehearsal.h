#pragma once
/*
 * The coming sync with a peer, played in memory: our exchange and session as they are, a stand-in
 * for the peer that holds what it last told, and a link of the rate and round trip that were last
 * measured. So the runs are those that would be sent, and nothing is written or sent.
 *
 * Not known, and not in it: what the peer got from others since its last word, and what is hidden
 * (SPEC 19). Of what the peer told and is not here the bytes are estimated by those of our own
 * runs.
 */
#include "node/exchange.h"

struct rehearsal_options {
    struct store *store; /* may be read-only */
    struct views *views;
    const struct device_keys *keys;
    struct sign_key device; /* the peer */
    struct box_key key;     /* its transport key */
    uint64_t month_bytes_max;
    struct exchange_time time;
};

struct rehearsal {
    uint64_t up, down; /* bytes at the socket, handshake and goodbye included */
    uint64_t ms;
    bool measured;             /* else at REHEARSAL_RATE_BPS, and `ms` is a guess */
    uint64_t rate_bps, rtt_ms; /* that were taken */
    uint64_t events;           /* that would be sent */
    uint64_t waiting;          /* that the month has no room for, or the peer holds back */
    uint64_t behind;           /* that the peer told of and are not here */
};

#define REHEARSAL_RATE_BPS 64000u
#define REHEARSAL_RTT_MS 600u

/* Errors: ERR_FORBIDDEN (the roster does not know the key), ERR_TIMEOUT (does not come to rest),
 * the store's. */
MUST_CHECK enum err rehearsal_run(struct rehearsal *out, const struct rehearsal_options *options);
