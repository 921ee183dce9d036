#include "proto/noise.h"

#include <sodium.h>

#define NAME "Noise_IK_25519_ChaChaPoly_BLAKE2b"
#define BLOCK_SIZE 128 /* of BLAKE2b, for HMAC */

_Static_assert(sizeof NAME - 1 <= NOISE_HASH_SIZE, "the name begins the hash as it is");
_Static_assert(NOISE_HASH_SIZE == crypto_generichash_blake2b_BYTES_MAX, "BLAKE2b-512");
_Static_assert(NOISE_TAG_SIZE == crypto_aead_chacha20poly1305_IETF_ABYTES, "tags are libsodium's");
_Static_assert(sizeof(struct secret_key) == crypto_aead_chacha20poly1305_IETF_KEYBYTES,
               "key sizes are libsodium's");

/* --- hashes -------------------------------------------------------------------------------- */

static void hash_two(uint8_t out[NOISE_HASH_SIZE], struct slice a, struct slice b)
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, NULL, 0, NOISE_HASH_SIZE);
    crypto_generichash_blake2b_update(&state, a.data, a.size);
    crypto_generichash_blake2b_update(&state, b.data, b.size);
    crypto_generichash_blake2b_final(&state, out, NOISE_HASH_SIZE);
    sodium_memzero(&state, sizeof state);
}

static void hmac(uint8_t out[NOISE_HASH_SIZE], const uint8_t key[NOISE_HASH_SIZE],
                 struct slice message)
{
    uint8_t inner[BLOCK_SIZE], outer[BLOCK_SIZE];
    for (size_t i = 0; i < BLOCK_SIZE; i++) {
        uint8_t byte = i < NOISE_HASH_SIZE ? key[i] : 0;
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    uint8_t hash[NOISE_HASH_SIZE];
    hash_two(hash, slice_of(inner, sizeof inner), message);
    hash_two(out, slice_of(outer, sizeof outer), slice_of(hash, sizeof hash));
    sodium_memzero(inner, sizeof inner);
    sodium_memzero(outer, sizeof outer);
    sodium_memzero(hash, sizeof hash);
}

/* HKDF of the framework, with two outputs. */
static void derive(uint8_t first[NOISE_HASH_SIZE], uint8_t second[NOISE_HASH_SIZE],
                   const uint8_t chain[NOISE_HASH_SIZE], struct slice input)
{
    uint8_t key[NOISE_HASH_SIZE], more[NOISE_HASH_SIZE + 1];
    hmac(key, chain, input);
    hmac(first, key, slice_of("\x01", 1));
    memcpy(more, first, NOISE_HASH_SIZE);
    more[NOISE_HASH_SIZE] = 2;
    hmac(second, key, slice_of(more, sizeof more));
    sodium_memzero(key, sizeof key);
    sodium_memzero(more, sizeof more);
}

static void mix_hash(struct noise *n, struct slice bytes)
{
    hash_two(n->hash, slice_of(n->hash, sizeof n->hash), bytes);
}

/* Errors: ERR_SIGNATURE: `theirs` is no point that says anything. */
static enum err mix_key(struct noise *n, const struct box_secret *own, const struct box_key *theirs)
{
    uint8_t shared[crypto_scalarmult_BYTES], second[NOISE_HASH_SIZE];
    if (crypto_scalarmult(shared, own->bytes, theirs->bytes)) return ERR_SIGNATURE;
    derive(n->chain, second, n->chain, slice_of(shared, sizeof shared));
    memcpy(n->key.bytes, second, sizeof n->key.bytes);
    n->n = 0;
    sodium_memzero(shared, sizeof shared);
    sodium_memzero(second, sizeof second);
    return OK;
}

/* --- sealing ------------------------------------------------------------------------------- */

static void nonce_make(uint8_t out[crypto_aead_chacha20poly1305_IETF_NPUBBYTES], uint64_t n)
{
    memset(out, 0, 4);
    for (int i = 0; i < 8; i++) out[4 + i] = (uint8_t)(n >> 8 * i);
}

static enum err seal(struct buf *out, const struct secret_key *key, uint64_t n, struct slice bound,
                     struct slice message)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    uint8_t *to = buf_reserve(out, message.size + NOISE_TAG_SIZE);
    if (!to) return out->err;
    nonce_make(nonce, n);
    crypto_aead_chacha20poly1305_ietf_encrypt(to, NULL, message.data, message.size, bound.data,
                                              bound.size, NULL, nonce, key->bytes);
    buf_advance(out, message.size + NOISE_TAG_SIZE);
    return OK;
}

static enum err open_sealed(struct buf *out, const struct secret_key *key, uint64_t n,
                            struct slice bound, struct slice sealed)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    if (sealed.size < NOISE_TAG_SIZE) return ERR_MALFORMED;
    size_t size = sealed.size - NOISE_TAG_SIZE;
    uint8_t *to = buf_reserve(out, size + 1);
    if (!to) return out->err;
    nonce_make(nonce, n);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(to, NULL, NULL, sealed.data, sealed.size,
                                                  bound.data, bound.size, nonce, key->bytes))
        return ERR_SIGNATURE;
    buf_advance(out, size);
    return OK;
}

static enum err seal_and_hash(struct noise *n, struct buf *out, struct slice message)
{
    size_t before = out->size;
    enum err err = seal(out, &n->key, n->n++, slice_of(n->hash, sizeof n->hash), message);
    if (!err) mix_hash(n, slice_of(out->data + before, out->size - before));
    return err;
}

static enum err open_and_hash(struct noise *n, struct buf *out, struct slice sealed)
{
    enum err err = open_sealed(out, &n->key, n->n++, slice_of(n->hash, sizeof n->hash), sealed);
    if (!err) mix_hash(n, sealed);
    return err;
}

/* --- the handshake ------------------------------------------------------------------------- */

static struct slice key_bytes(const struct box_key *key)
{
    return slice_of(key->bytes, sizeof key->bytes);
}

void noise_begin(struct noise *n, struct slice prologue, const struct box_key *own,
                 const struct box_secret *secret, const struct box_key *peer)
{
    *n = (struct noise){.calling = peer != NULL, .own = *own, .secret = *secret};
    if (peer) n->peer = *peer;
    memcpy(n->hash, NAME, sizeof NAME - 1);
    memcpy(n->chain, n->hash, sizeof n->chain);
    mix_hash(n, prologue);
    mix_hash(n, key_bytes(peer ? peer : own));
}

static void send_ephemeral(struct noise *n, struct buf *out)
{
    struct box_key key;
    box_pair_make(&key, &n->ephemeral);
    buf_append(out, key.bytes, sizeof key.bytes);
    mix_hash(n, key_bytes(&key));
}

/* Takes it off the message. Errors: ERR_MALFORMED. */
static enum err take_ephemeral(struct noise *n, struct slice *message)
{
    const size_t size = sizeof n->peer_ephemeral.bytes;
    if (message->size < size) return ERR_MALFORMED;
    memcpy(n->peer_ephemeral.bytes, message->data, size);
    mix_hash(n, key_bytes(&n->peer_ephemeral));
    *message = slice_of(message->data + size, message->size - size);
    return OK;
}

enum err noise_call_write(struct noise *n, struct buf *out, struct slice payload)
{
    send_ephemeral(n, out);
    enum err err = mix_key(n, &n->ephemeral, &n->peer);
    if (!err) err = seal_and_hash(n, out, key_bytes(&n->own));
    if (!err) err = mix_key(n, &n->secret, &n->peer);
    if (!err) err = seal_and_hash(n, out, payload);
    return err ? err : out->err;
}

enum err noise_call_read(struct noise *n, struct buf *out, struct slice message)
{
    const size_t size = sizeof n->peer.bytes + NOISE_TAG_SIZE;
    struct buf key = {0};
    enum err err = take_ephemeral(n, &message);
    if (!err) err = mix_key(n, &n->secret, &n->peer_ephemeral);
    if (!err && message.size < size) err = ERR_MALFORMED;
    if (!err) err = open_and_hash(n, &key, slice_of(message.data, size));
    if (!err) {
        memcpy(n->peer.bytes, key.data, sizeof n->peer.bytes);
        err = mix_key(n, &n->secret, &n->peer);
    }
    if (!err) err = open_and_hash(n, out, slice_of(message.data + size, message.size - size));
    buf_clear(&key);
    return err;
}

enum err noise_answer_write(struct noise *n, struct buf *out, struct slice payload)
{
    send_ephemeral(n, out);
    enum err err = mix_key(n, &n->ephemeral, &n->peer_ephemeral);
    if (!err) err = mix_key(n, &n->ephemeral, &n->peer);
    if (!err) err = seal_and_hash(n, out, payload);
    return err ? err : out->err;
}

enum err noise_answer_read(struct noise *n, struct buf *out, struct slice message)
{
    enum err err = take_ephemeral(n, &message);
    if (!err) err = mix_key(n, &n->ephemeral, &n->peer_ephemeral);
    if (!err) err = mix_key(n, &n->secret, &n->peer_ephemeral);
    return err ? err : open_and_hash(n, out, message);
}

void noise_split(const struct noise *n, struct noise_cipher *sending,
                 struct noise_cipher *receiving)
{
    uint8_t first[NOISE_HASH_SIZE], second[NOISE_HASH_SIZE];
    derive(first, second, n->chain, SLICE_EMPTY);
    *sending = *receiving = (struct noise_cipher){0};
    struct noise_cipher *by_caller = n->calling ? sending : receiving;
    struct noise_cipher *by_called = n->calling ? receiving : sending;
    memcpy(by_caller->key.bytes, first, sizeof by_caller->key.bytes);
    memcpy(by_called->key.bytes, second, sizeof by_called->key.bytes);
    sodium_memzero(first, sizeof first);
    sodium_memzero(second, sizeof second);
}

enum err noise_seal(struct noise_cipher *c, struct buf *out, struct slice message)
{
    return seal(out, &c->key, c->n++, SLICE_EMPTY, message);
}

enum err noise_open(struct noise_cipher *c, struct buf *out, struct slice sealed)
{
    enum err err = open_sealed(out, &c->key, c->n, SLICE_EMPTY, sealed);
    if (!err) c->n++;
    return err;
}
