#include "proto/crypto.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "proto/msgpack.h"

_Static_assert(sizeof(struct sign_key) == crypto_sign_PUBLICKEYBYTES, "key sizes are libsodium's");
_Static_assert(sizeof(struct sign_seed) == crypto_sign_SEEDBYTES, "seed sizes are libsodium's");
_Static_assert(sizeof(struct signature) == crypto_sign_BYTES, "signatures are libsodium's");
_Static_assert(sizeof(struct box_key) == crypto_box_PUBLICKEYBYTES, "key sizes are libsodium's");
_Static_assert(sizeof(struct crypto_hasher) >= sizeof(crypto_generichash_blake2b_state),
               "the opaque state holds libsodium's");
_Static_assert(CRYPTO_SEAL_OVERHEAD == crypto_box_SEALBYTES, "overhead is libsodium's");

#define CONTEXT_SIZE 16
_Static_assert(CONTEXT_SIZE == crypto_generichash_blake2b_PERSONALBYTES, "a context personalises");

static void context_pad(uint8_t out[CONTEXT_SIZE], const char *context)
{
    size_t size = strlen(context);
    assert(size <= CONTEXT_SIZE);
    memcpy(out, context, size);
    memset(out + size, 0, CONTEXT_SIZE - size);
}

enum err crypto_init(void)
{
    if (sodium_init() < 0) return ERR_IO;
    struct sign_seed seed;
    struct signer signer;
    struct signature signature;
    sign_seed_make(&seed);
    signer_from_seed(&signer, &seed);
    signer_sign(&signature, &signer, CONTEXT_EVENT, slice_of_text("self-test"));
    enum err err =
        crypto_verify(&signature, &signer.key, CONTEXT_EVENT, slice_of_text("self-test"));
    crypto_wipe(&seed, sizeof seed);
    signer_clear(&signer);
    return err ? ERR_IO : OK;
}

/* --- hashing ---------------------------------------------------------------------------------- */

/* libsodium's hash functions fail on wrong sizes only, and ours are constants. */
static void must(int result)
{
    assert(result == 0);
    (void)result;
}

void crypto_hash_one(struct hash *out, const char *context, struct slice message)
{
    uint8_t personal[CONTEXT_SIZE];
    context_pad(personal, context);
    must(crypto_generichash_blake2b_salt_personal(out->bytes, sizeof out->bytes, message.data,
                                                  message.size, NULL, 0, NULL, personal));
}

void crypto_hash_parts(struct hash *out, const char *context, const struct slice *parts,
                       size_t count)
{
    struct crypto_hasher h;
    crypto_hasher_begin(&h, context);
    for (size_t i = 0; i < count; i++) crypto_hasher_add(&h, parts[i]);
    crypto_hasher_end(&h, out);
}

void crypto_hasher_begin(struct crypto_hasher *h, const char *context)
{
    uint8_t personal[CONTEXT_SIZE];
    context_pad(personal, context);
    must(crypto_generichash_blake2b_init_salt_personal((void *)h->state, NULL, 0,
                                                       sizeof(struct hash), NULL, personal));
}

void crypto_hasher_add(struct crypto_hasher *h, struct slice part)
{
    must(crypto_generichash_blake2b_update((void *)h->state, part.data, part.size));
}

void crypto_hasher_end(struct crypto_hasher *h, struct hash *out)
{
    must(crypto_generichash_blake2b_final((void *)h->state, out->bytes, sizeof out->bytes));
}

/* --- signing ---------------------------------------------------------------------------------- */

void signer_from_seed(struct signer *out, const struct sign_seed *seed)
{
    must(crypto_sign_seed_keypair(out->key.bytes, out->secret, seed->bytes));
}

void signer_clear(struct signer *s)
{
    crypto_wipe(s, sizeof *s);
}

/* Context and message in one piece: Ed25519 reads its message twice. */
struct statement {
    uint8_t bytes[CONTEXT_SIZE + CRYPTO_SIGNED_SIZE_MAX];
    size_t size;
};

static void statement_make(struct statement *out, const char *context, struct slice message)
{
    context_pad(out->bytes, context);
    if (message.size > 0) memcpy(out->bytes + CONTEXT_SIZE, message.data, message.size);
    out->size = CONTEXT_SIZE + message.size;
}

void signer_sign(struct signature *out, const struct signer *s, const char *context,
                 struct slice message)
{
    assert(message.size <= CRYPTO_SIGNED_SIZE_MAX);
    struct statement statement;
    statement_make(&statement, context, message);
    must(crypto_sign_detached(out->bytes, NULL, statement.bytes, statement.size, s->secret));
}

enum err crypto_verify(const struct signature *sig, const struct sign_key *key, const char *context,
                       struct slice message)
{
    if (message.size > CRYPTO_SIGNED_SIZE_MAX) return ERR_SIGNATURE;
    struct statement statement;
    statement_make(&statement, context, message);
    if (crypto_sign_verify_detached(sig->bytes, statement.bytes, statement.size, key->bytes) != 0)
        return ERR_SIGNATURE;
    return OK;
}

/* --- randomness and keys ---------------------------------------------------------------------- */

static void (*random_source)(void *state, void *out, size_t size);
static void *random_state;

void crypto_random_source(void (*source)(void *state, void *out, size_t size), void *state)
{
    random_source = source;
    random_state = state;
}

void crypto_random(void *out, size_t size)
{
    if (random_source)
        random_source(random_state, out, size);
    else
        randombytes_buf(out, size);
}

void sign_seed_make(struct sign_seed *out)
{
    crypto_random(out->bytes, sizeof out->bytes);
}

void box_key_of_secret(struct box_key *out, const struct box_secret *secret)
{
    must(crypto_scalarmult_base(out->bytes, secret->bytes));
}

void box_pair_make(struct box_key *key, struct box_secret *secret)
{
    crypto_random(secret->bytes, sizeof secret->bytes);
    box_key_of_secret(key, secret);
}

/* --- sealing ---------------------------------------------------------------------------------- */

/* crypto_box_seal with the one-time pair from crypto_random, so that the simulator and the golden
 * vectors give the same bytes again; crypto_box_seal_open opens it. */
enum err crypto_seal(struct buf *out, const struct box_key *to, struct slice message)
{
    struct box_key once;
    struct box_secret secret;
    uint8_t nonce[crypto_box_NONCEBYTES], keys[2 * crypto_box_PUBLICKEYBYTES];
    uint8_t *sealed = buf_reserve(out, message.size + CRYPTO_SEAL_OVERHEAD);
    if (!sealed) return out->err;
    box_pair_make(&once, &secret);
    memcpy(keys, once.bytes, sizeof once.bytes);
    memcpy(keys + sizeof once.bytes, to->bytes, sizeof to->bytes);
    must(crypto_generichash(nonce, sizeof nonce, keys, sizeof keys, NULL, 0));
    memcpy(sealed, once.bytes, sizeof once.bytes);
    int failed = crypto_box_easy(sealed + sizeof once.bytes, message.data, message.size, nonce,
                                 to->bytes, secret.bytes);
    crypto_wipe(&secret, sizeof secret);
    if (failed) return ERR_MALFORMED;
    buf_advance(out, message.size + CRYPTO_SEAL_OVERHEAD);
    return OK;
}

enum err crypto_seal_open(struct buf *out, const struct box_key *key,
                          const struct box_secret *secret, struct slice sealed)
{
    if (sealed.size < CRYPTO_SEAL_OVERHEAD) return ERR_SIGNATURE;
    size_t size = sealed.size - CRYPTO_SEAL_OVERHEAD;
    uint8_t *message = buf_reserve(out, size);
    if (!message) return out->err;
    if (crypto_box_seal_open(message, sealed.data, sealed.size, key->bytes, secret->bytes) != 0)
        return ERR_SIGNATURE;
    buf_advance(out, size);
    return OK;
}

/* --- base64url -------------------------------------------------------------------------------- */

#define BASE64URL sodium_base64_VARIANT_URLSAFE_NO_PADDING

void base64url_encode(struct buf *out, struct slice bytes)
{
    size_t size = sodium_base64_encoded_len(bytes.size, BASE64URL); /* with a final NUL */
    uint8_t *to = buf_reserve(out, size);
    if (!to) return;
    sodium_bin2base64((char *)to, size, bytes.data, bytes.size, BASE64URL);
    buf_advance(out, size - 1);
}

enum err base64url_decode(struct buf *out, struct slice text)
{
    uint8_t *to = buf_reserve(out, text.size);
    if (!to) return out->err;
    size_t size;
    if (sodium_base642bin(to, text.size, (const char *)text.data, text.size, " \t\r\n", &size, NULL,
                          BASE64URL) != 0)
        return ERR_MALFORMED;
    buf_advance(out, size);
    return OK;
}

#define SLOW_PASSES 3
#define SLOW_MEMORY MIB(64)

enum err crypto_slow(uint8_t out[CRYPTO_SLOW_SIZE], struct slice input,
                     const uint8_t salt[CRYPTO_SLOW_SIZE])
{
    _Static_assert(CRYPTO_SLOW_SIZE == crypto_pwhash_argon2id_SALTBYTES, "the salt's size");
    return crypto_pwhash_argon2id(out, CRYPTO_SLOW_SIZE, (const char *)input.data, input.size, salt,
                                  SLOW_PASSES, SLOW_MEMORY,
                                  crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0
               ? OK
               : ERR_NOMEM;
}

/* --- under a key ------------------------------------------------------------------------------ */

_Static_assert(CRYPTO_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(CRYPTO_LOCK_OVERHEAD == crypto_aead_xchacha20poly1305_ietf_ABYTES, "overhead");

void crypto_lock(uint8_t *bytes, size_t size, const struct secret_key *key,
                 const uint8_t nonce[CRYPTO_NONCE_SIZE], struct slice bound)
{
    must(crypto_aead_xchacha20poly1305_ietf_encrypt(bytes, NULL, bytes, size, bound.data,
                                                    bound.size, NULL, nonce, key->bytes));
}

enum err crypto_unlock(uint8_t *out, struct slice locked, const struct secret_key *key,
                       const uint8_t nonce[CRYPTO_NONCE_SIZE], struct slice bound)
{
    if (locked.size < CRYPTO_LOCK_OVERHEAD) return ERR_SIGNATURE;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, locked.data, locked.size,
                                                      bound.data, bound.size, nonce, key->bytes)
               ? ERR_SIGNATURE
               : OK;
}

void secret_key_derive(struct secret_key *out, const struct secret_key *key, const char *context)
{
    uint8_t padded[CONTEXT_SIZE];
    context_pad(padded, context);
    must(crypto_generichash_blake2b_salt_personal(out->bytes, sizeof out->bytes, NULL, 0,
                                                  key->bytes, sizeof key->bytes, NULL, padded));
}

void secret_key_make(struct secret_key *out)
{
    crypto_random(out->bytes, sizeof out->bytes);
}

/* --- under a passphrase ----------------------------------------------------------------------- */

#define WRAP_PREFIX "sidan-wrapped-1:"
#define WRAP_PREFIX_ANY "sidan-wrapped-"
#define WRAP_PASSES 3
#define WRAP_PASSES_MAX 16
#define WRAP_MEMORY MIB(64)
#define WRAP_MEMORY_MAX MIB(256)
#define WRAP_SECRET_SIZE_MAX KIB(16)

struct wrapped {
    uint64_t passes, memory;
    uint8_t salt[crypto_pwhash_argon2id_SALTBYTES];
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];
    struct slice ciphertext; /* with its 16 bytes of authentication */
};

static enum err wrap_key(uint8_t key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES],
                         const struct wrapped *w, const char *passphrase)
{
    if (crypto_pwhash_argon2id(key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES, passphrase,
                               strlen(passphrase), w->salt, w->passes, (size_t)w->memory,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return ERR_NOMEM;
    return OK;
}

static void wrapped_print(struct buf *out, const struct wrapped *w)
{
    struct buf packed = {0};
    struct mp_writer writer = {&packed};
    mp_write_array(&writer, 5);
    mp_write_uint(&writer, w->passes);
    mp_write_uint(&writer, w->memory);
    mp_write_bin(&writer, w->salt, sizeof w->salt);
    mp_write_bin(&writer, w->nonce, sizeof w->nonce);
    mp_write_bin(&writer, w->ciphertext.data, w->ciphertext.size);
    buf_append_text(out, WRAP_PREFIX);
    base64url_encode(out, buf_slice(&packed));
    if (packed.err && !out->err) out->err = packed.err;
    buf_clear(&packed);
}

enum err crypto_wrap(struct buf *out, struct slice secret, const char *passphrase)
{
    if (secret.size > WRAP_SECRET_SIZE_MAX) return ERR_LIMIT;
    struct wrapped w = {.passes = WRAP_PASSES, .memory = WRAP_MEMORY};
    crypto_random(w.salt, sizeof w.salt);
    crypto_random(w.nonce, sizeof w.nonce);
    uint8_t key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    enum err err = wrap_key(key, &w, passphrase);
    if (err) return err;
    uint8_t ciphertext[WRAP_SECRET_SIZE_MAX + crypto_aead_xchacha20poly1305_ietf_ABYTES];
    unsigned long long size;
    must(crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext, &size, secret.data, secret.size,
                                                    NULL, 0, NULL, w.nonce, key));
    crypto_wipe(key, sizeof key);
    w.ciphertext = slice_of(ciphertext, (size_t)size);
    wrapped_print(out, &w);
    return out->err;
}

/* `packed` holds the bytes that `out` borrows. */
static enum err wrapped_parse(struct wrapped *out, struct buf *packed, struct slice text)
{
    struct slice prefix = slice_of_text(WRAP_PREFIX), any = slice_of_text(WRAP_PREFIX_ANY);
    if (text.size < any.size || memcmp(text.data, any.data, any.size) != 0) return ERR_MALFORMED;
    if (text.size < prefix.size || memcmp(text.data, prefix.data, prefix.size) != 0)
        return ERR_VERSION;
    if (text.size > 2 * WRAP_SECRET_SIZE_MAX) return ERR_LIMIT;
    text = slice_of(text.data + prefix.size, text.size - prefix.size);
    enum err err = base64url_decode(packed, text);
    if (!err) err = mp_scan_whole(buf_slice(packed));
    if (err) return err;
    struct mp_reader r = mp_reader_of(buf_slice(packed));
    if (mp_read_array(&r, 5) != 5) return ERR_MALFORMED;
    out->passes = mp_read_uint(&r, UINT64_MAX);
    out->memory = mp_read_uint(&r, UINT64_MAX);
    mp_read_bin_exact(&r, out->salt, sizeof out->salt);
    mp_read_bin_exact(&r, out->nonce, sizeof out->nonce);
    out->ciphertext = mp_read_bin(&r, SIZE_MAX);
    if (mp_read_end(&r) != OK) return ERR_MALFORMED;
    if (out->ciphertext.size < crypto_aead_xchacha20poly1305_ietf_ABYTES) return ERR_MALFORMED;
    if (out->passes < 1 || out->memory < crypto_pwhash_argon2id_MEMLIMIT_MIN) return ERR_MALFORMED;
    return out->passes > WRAP_PASSES_MAX || out->memory > WRAP_MEMORY_MAX ? ERR_LIMIT : OK;
}

enum err crypto_unwrap(struct buf *out, struct slice wrapped, const char *passphrase)
{
    struct buf packed = {0};
    struct wrapped w;
    uint8_t key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    uint8_t *secret;
    enum err err = wrapped_parse(&w, &packed, wrapped);
    if (err) goto out;
    err = wrap_key(key, &w, passphrase);
    if (err) goto out;
    size_t size = w.ciphertext.size - crypto_aead_xchacha20poly1305_ietf_ABYTES;
    secret = buf_reserve(out, size);
    if (!secret)
        err = out->err;
    else if (crypto_aead_xchacha20poly1305_ietf_decrypt(secret, NULL, NULL, w.ciphertext.data,
                                                        w.ciphertext.size, NULL, 0, w.nonce,
                                                        key) != 0)
        err = ERR_PASSPHRASE;
    else
        buf_advance(out, size);
out:
    crypto_wipe(key, sizeof key);
    buf_clear(&packed);
    return err;
}

/* --- small ------------------------------------------------------------------------------------ */

bool crypto_equal(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

void crypto_wipe(void *secret, size_t size)
{
    sodium_memzero(secret, size);
}

void crypto_buf_wipe(struct buf *b)
{
    if (b->data) crypto_wipe(b->data, b->capacity);
    buf_clear(b);
}

void crypto_keep_in_memory(void *secret, size_t size)
{
    /* It also keeps them out of core dumps. Over the limit of the system it goes without. */
    if (sodium_mlock(secret, size)) return;
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool sign_key_equal(const struct sign_key *a, const struct sign_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool box_key_equal(const struct box_key *a, const struct box_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}
