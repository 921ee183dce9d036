#pragma once
/*
 * All cryptography of sidan, behind libsodium, which only crypto.c includes. Hashing and signing
 * are domain-separated: a context is a short ASCII name ("sidan/event"), zero-padded to 16 bytes.
 *
 *   hash(context, m)      = BLAKE2b-256 with personalisation = padded context, no key, no salt
 *   sign(key, context, m) = Ed25519 over padded context ‖ m
 *
 * Keys and ids are structs, so a hash cannot pass for a key. No name here is one of libsodium's (it
 * has a crypto_hash and a crypto_sign).
 */
#include "common/bytes.h"

struct hash {
    uint8_t bytes[32];
};
struct sign_key { /* Ed25519 public key; names a device, an authority, an invite */
    uint8_t bytes[32];
};
struct sign_seed { /* secret: Ed25519 seed; the key pair is derived from it */
    uint8_t bytes[32];
};
struct signature {
    uint8_t bytes[64];
};
struct box_key { /* X25519 public key: transport (CURVE) or office key */
    uint8_t bytes[32];
};
struct box_secret {
    uint8_t bytes[32];
};

/* A signing key ready for use. Wipe with signer_clear. */
struct signer {
    struct sign_key key;
    uint8_t secret[64];
};

#define CONTEXT_EVENT "sidan/event"
#define CONTEXT_BOX "sidan/box"
#define CONTEXT_FEED "sidan/feed"
#define CONTEXT_RUN "sidan/run"
#define CONTEXT_RECEIPT "sidan/receipt"
#define CONTEXT_JOIN "sidan/join"
#define CONTEXT_ADMIT "sidan/admit"
#define CONTEXT_JOIN_REQUEST "sidan/request"
#define CONTEXT_JOIN_ANSWER "sidan/answer"
#define CONTEXT_JOIN_WORDS "sidan/words"
#define CONTEXT_INVITE "sidan/invite"
#define CONTEXT_EVENTS_DIGEST "sidan/events"
#define CONTEXT_VIEWS_DIGEST "sidan/views"
#define CONTEXT_ROW "sidan/row"
#define CONTEXT_HAVE "sidan/have"
#define CONTEXT_LIST "sidan/list"
#define CONTEXT_PIECE "sidan/piece"
#define CONTEXT_BUNDLE "sidan/bundle"
#define CONTEXT_PIPE "sidan/pipe"
#define CONTEXT_TOWN "sidan/town"
#define CONTEXT_TOWN_HEADS "sidan/heads"
#define CONTEXT_ROTATE "sidan/rotate"
#define CONTEXT_RECOVERY "sidan/recovery"
/* Of what never leaves a node (node/machine.h, node/side_file.h). */
#define CONTEXT_MACHINE "sidan/machine"
#define CONTEXT_SIDE "sidan/side"

/* Once per process, before threads and sockets. Also signs and verifies once with a fresh key.
 * Errors: ERR_IO. */
MUST_CHECK enum err crypto_init(void);

void crypto_hash_one(struct hash *out, const char *context, struct slice message);
/* The same over parts, concatenated. */
void crypto_hash_parts(struct hash *out, const char *context, const struct slice *parts,
                       size_t count);

/* Streaming form for long inputs. The state is opaque and needs no clean-up. */
struct crypto_hasher {
    _Alignas(64) uint8_t state[384];
};
void crypto_hasher_begin(struct crypto_hasher *h, const char *context);
void crypto_hasher_add(struct crypto_hasher *h, struct slice part);
void crypto_hasher_end(struct crypto_hasher *h, struct hash *out);

/* What is signed is short: whoever has more to say signs its hash. */
#define CRYPTO_SIGNED_SIZE_MAX 4096

void signer_from_seed(struct signer *out, const struct sign_seed *seed);
void signer_clear(struct signer *s);
void signer_sign(struct signature *out, const struct signer *s, const char *context,
                 struct slice message);
/* Errors: ERR_SIGNATURE, also for a message over the bound. */
MUST_CHECK enum err crypto_verify(const struct signature *sig, const struct sign_key *key,
                                  const char *context, struct slice message);

/* Randomness for keys, salts and epochs from the system. Tests may replace the source by a seeded
 * one (simulator); NULL puts the system's back. */
void crypto_random(void *out, size_t size);
void crypto_random_source(void (*source)(void *state, void *out, size_t size), void *state);
void sign_seed_make(struct sign_seed *out);
void box_pair_make(struct box_key *key, struct box_secret *secret);
void box_key_of_secret(struct box_key *out, const struct box_secret *secret);

/* crypto_box_seal: anonymous, adds 48 bytes; both append to `out`. Errors: ERR_NOMEM, ERR_LIMIT;
 * seal: ERR_MALFORMED (a key that is no point to seal to); open: ERR_SIGNATURE. */
#define CRYPTO_SEAL_OVERHEAD 48
MUST_CHECK enum err crypto_seal(struct buf *out, const struct box_key *to, struct slice message);
MUST_CHECK enum err crypto_seal_open(struct buf *out, const struct box_key *key,
                                     const struct box_secret *secret, struct slice sealed);

/* What lies on this machine's own disk under one key: XChaCha20-Poly1305, in place. `bytes` has
 * room for CRYPTO_LOCK_OVERHEAD more. A nonce is used for one message of a key only. `bound` is
 * authenticated and stands elsewhere. Errors: ERR_SIGNATURE (another key, or changed). */
struct secret_key {
    uint8_t bytes[32];
};
#define CRYPTO_NONCE_SIZE 24
#define CRYPTO_LOCK_OVERHEAD 16
void crypto_lock(uint8_t *bytes, size_t size, const struct secret_key *key,
                 const uint8_t nonce[CRYPTO_NONCE_SIZE], struct slice bound);
MUST_CHECK enum err crypto_unlock(uint8_t *out, struct slice locked, const struct secret_key *key,
                                  const uint8_t nonce[CRYPTO_NONCE_SIZE], struct slice bound);
/* Another key from a key: BLAKE2b-256 keyed with it, over nothing, in the context. */
void secret_key_derive(struct secret_key *out, const struct secret_key *key, const char *context);
void secret_key_make(struct secret_key *out);

/* Secret under a passphrase: Argon2id (64 MiB, 3 passes: a second on a laptop of 1 GB), then
 * XChaCha20-Poly1305. The text form is one line, "sidan-wrapped-1:" and base64url of [passes, bytes
 * of memory, salt, nonce, ciphertext]; both append to `out`. Errors: ERR_NOMEM (not "wrong
 * passphrase"), ERR_LIMIT; unwrap: ERR_PASSPHRASE, ERR_MALFORMED, ERR_VERSION, ERR_LIMIT (asks for
 * over 256 MiB or 16 passes: who writes the file must not choose how long this machine swaps). */
MUST_CHECK enum err crypto_wrap(struct buf *out, struct slice secret, const char *passphrase);
MUST_CHECK enum err crypto_unwrap(struct buf *out, struct slice wrapped, const char *passphrase);

/* Argon2id (64 MiB, 3 passes) of what is no secret: for a short value that people compare, so that
 * nobody tries many. Errors: ERR_NOMEM. */
#define CRYPTO_SLOW_SIZE 16
MUST_CHECK enum err crypto_slow(uint8_t out[CRYPTO_SLOW_SIZE], struct slice input,
                                const uint8_t salt[CRYPTO_SLOW_SIZE]);

/* base64url without padding (RFC 4648, 5), in constant time: it carries secrets. White space is
 * skipped when decoding. Errors: ERR_MALFORMED, ERR_NOMEM, ERR_LIMIT. */
void base64url_encode(struct buf *out, struct slice bytes);
MUST_CHECK enum err base64url_decode(struct buf *out, struct slice text);

bool crypto_equal(const void *a, const void *b, size_t size); /* constant time */
void crypto_wipe(void *secret, size_t size);
void crypto_buf_wipe(struct buf *b); /* and buf_clear */
/* Keeps a secret that lives long out of the swap, where the system lets us (S6). */
void crypto_keep_in_memory(void *secret, size_t size);

bool hash_equal(const struct hash *a, const struct hash *b);
bool sign_key_equal(const struct sign_key *a, const struct sign_key *b);
bool box_key_equal(const struct box_key *a, const struct box_key *b);
