#pragma once
/*
 * Noise_IK_25519_ChaChaPoly_BLAKE2b, the handshake of the pipe (SPEC 25): who calls knows the
 * static key of whom it calls; two messages later both have two keys that nobody else has, and the
 * one that was called knows the caller's static key. Pure: bytes in, bytes out.
 *
 *   -> e, es, s, ss      the call: 96 bytes and its payload
 *   <- e, ee, se         the answer: 48 bytes and its payload
 *
 * Who plays back a call that he heard gets an answer that he cannot read. So whoever answers has
 * met nobody before the first message under the new keys opens.
 *
 * Source: The Noise Protocol Framework, revision 34, Trevor Perrin.
 */
#include "proto/crypto.h"

#define NOISE_TAG_SIZE 16
#define NOISE_CALL_SIZE (32 + 32 + NOISE_TAG_SIZE + NOISE_TAG_SIZE) /* with an empty payload */
#define NOISE_ANSWER_SIZE (32 + NOISE_TAG_SIZE)
#define NOISE_HASH_SIZE 64

/* A handshake under way. Holds secrets: wipe it (crypto_wipe) when it is over. */
struct noise {
    bool calling;
    uint8_t hash[NOISE_HASH_SIZE], chain[NOISE_HASH_SIZE];
    struct secret_key key;
    uint64_t n;
    struct box_key own, peer; /* peer: as called, or as the call told */
    struct box_secret secret, ephemeral;
    struct box_key peer_ephemeral;
};

/* One direction afterwards; its messages are opened in the order in which they were sealed. */
struct noise_cipher {
    struct secret_key key;
    uint64_t n;
};

/* `prologue` is what both must agree on beforehand. `peer` is NULL at the end that is called. */
void noise_begin(struct noise *n, struct slice prologue, const struct box_key *own,
                 const struct box_secret *secret, const struct box_key *peer);
/* All append to `out`. Errors: ERR_SIGNATURE (not for this key, changed, or a key that is no
 * point), ERR_MALFORMED (too short), the buffer's. After an error the handshake is worth nothing.
 */
MUST_CHECK enum err noise_call_write(struct noise *n, struct buf *out, struct slice payload);
MUST_CHECK enum err noise_call_read(struct noise *n, struct buf *out, struct slice message);
MUST_CHECK enum err noise_answer_write(struct noise *n, struct buf *out, struct slice payload);
MUST_CHECK enum err noise_answer_read(struct noise *n, struct buf *out, struct slice message);
/* After the answer. */
void noise_split(const struct noise *n, struct noise_cipher *sending,
                 struct noise_cipher *receiving);

/* Adds NOISE_TAG_SIZE bytes. Errors: the buffer's. */
MUST_CHECK enum err noise_seal(struct noise_cipher *c, struct buf *out, struct slice message);
/* The next one of the other side. Errors: ERR_SIGNATURE (another, changed, or one before it was
 * lost); ERR_MALFORMED; the buffer's. */
MUST_CHECK enum err noise_open(struct noise_cipher *c, struct buf *out, struct slice sealed);
