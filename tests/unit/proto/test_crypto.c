#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "proto/crypto.h"
#include "tests/support/events.h"

static int prepare(void **state)
{
    (void)state;
    return crypto_init() != OK;
}

static void assert_hash(const struct hash *h, const char *hex)
{
    char text[65];
    hex_encode(text, h->bytes, sizeof h->bytes);
    assert_string_equal(text, hex);
}

/* Made with another implementation: Python's hashlib.blake2b(digest_size=32, person=...). */
static void hashes_as_another_implementation_does(void **state)
{
    (void)state;
    struct hash h;
    crypto_hash_one(&h, CONTEXT_EVENT, SLICE_EMPTY);
    assert_hash(&h, "0c8df5196b9d10a4cb018c98f55bbcd27b6e4389e2a6fda30487ef234aa63b14");
    crypto_hash_one(&h, CONTEXT_BOX, slice_of_text("abc"));
    assert_hash(&h, "1c086123415acbe2ecfb4e7ebdef4e5b907d7c42cf8641ebd24a4af27fe99c46");
}

static void hashes_parts_as_the_whole(void **state)
{
    (void)state;
    uint8_t message[1000];
    for (size_t i = 0; i < sizeof message; i++) message[i] = (uint8_t)i;
    struct hash whole, parts;
    crypto_hash_one(&whole, CONTEXT_RUN, slice_of(message, sizeof message));
    const struct slice pieces[] = {
        {message, 1}, SLICE_EMPTY, {message + 1, 500}, {message + 501, 499}};
    crypto_hash_parts(&parts, CONTEXT_RUN, pieces, 4);
    assert_true(hash_equal(&whole, &parts));
    crypto_hash_one(&parts, CONTEXT_EVENT, slice_of(message, sizeof message));
    assert_false(hash_equal(&whole, &parts));
}

static void verifies_its_own_signature_and_nothing_else(void **state)
{
    (void)state;
    struct signer signer, other;
    struct signature sig;
    test_signer(&signer, 1);
    test_signer(&other, 2);
    struct slice message = slice_of_text("message");
    signer_sign(&sig, &signer, CONTEXT_JOIN, message);
    assert_int_equal(crypto_verify(&sig, &signer.key, CONTEXT_JOIN, message), OK);
    assert_int_equal(crypto_verify(&sig, &signer.key, CONTEXT_ADMIT, message), ERR_SIGNATURE);
    assert_int_equal(crypto_verify(&sig, &other.key, CONTEXT_JOIN, message), ERR_SIGNATURE);
    assert_int_equal(crypto_verify(&sig, &signer.key, CONTEXT_JOIN, slice_of_text("messagf")),
                     ERR_SIGNATURE);
    for (size_t i = 0; i < sizeof sig.bytes; i++) {
        struct signature bent = sig;
        bent.bytes[i] ^= 1;
        assert_int_equal(crypto_verify(&bent, &signer.key, CONTEXT_JOIN, message), ERR_SIGNATURE);
    }
    static const uint8_t large[CRYPTO_SIGNED_SIZE_MAX + 1];
    assert_int_equal(crypto_verify(&sig, &signer.key, CONTEXT_JOIN, slice_of(large, sizeof large)),
                     ERR_SIGNATURE);
    signer_sign(&sig, &signer, CONTEXT_JOIN, slice_of(large, sizeof large - 1));
    assert_int_equal(
        crypto_verify(&sig, &signer.key, CONTEXT_JOIN, slice_of(large, sizeof large - 1)), OK);
}

static void refuses_keys_of_small_order(void **state)
{
    (void)state;
    struct signature sig = {{1}};
    struct sign_key zero = {{0}}, one = {{1}};
    assert_int_equal(crypto_verify(&sig, &zero, CONTEXT_EVENT, SLICE_EMPTY), ERR_SIGNATURE);
    assert_int_equal(crypto_verify(&sig, &one, CONTEXT_EVENT, SLICE_EMPTY), ERR_SIGNATURE);
}

static void count_up(void *state, void *out, size_t size)
{
    uint8_t *next = state;
    for (size_t i = 0; i < size; i++) ((uint8_t *)out)[i] = (*next)++;
}

static void takes_randomness_from_a_tests_source(void **state)
{
    (void)state;
    uint8_t next = 1, bytes[3];
    struct sign_seed seed;
    crypto_random_source(count_up, &next);
    crypto_random(bytes, sizeof bytes);
    sign_seed_make(&seed);
    crypto_random_source(NULL, NULL);
    assert_memory_equal(bytes, "\1\2\3", 3);
    assert_int_equal(seed.bytes[0], 4);
    crypto_random(&seed, sizeof seed);
    assert_int_equal(next, 36);
}

static void opens_what_was_sealed_to_it(void **state)
{
    (void)state;
    struct box_key key, other_key;
    struct box_secret secret, other_secret;
    struct buf sealed = {0}, message = {0};
    box_pair_make(&key, &secret);
    box_pair_make(&other_key, &other_secret);
    assert_int_equal(crypto_seal(&sealed, &key, slice_of_text("举报")), OK);
    assert_int_equal(sealed.size, 6 + CRYPTO_SEAL_OVERHEAD);
    assert_int_equal(crypto_seal_open(&message, &key, &secret, buf_slice(&sealed)), OK);
    assert_true(slice_is_text(buf_slice(&message), "举报"));

    buf_reset(&message);
    assert_int_equal(crypto_seal_open(&message, &other_key, &other_secret, buf_slice(&sealed)),
                     ERR_SIGNATURE);
    assert_int_equal(crypto_seal_open(&message, &key, &secret, slice_of(sealed.data, 47)),
                     ERR_SIGNATURE);
    sealed.data[sealed.size - 1] ^= 1;
    assert_int_equal(crypto_seal_open(&message, &key, &secret, buf_slice(&sealed)), ERR_SIGNATURE);
    assert_int_equal(message.size, 0);
    buf_clear(&sealed);
    buf_clear(&message);
}

static void unwraps_with_the_right_passphrase_only(void **state)
{
    (void)state;
    struct buf wrapped = {0}, secret = {0};
    assert_int_equal(crypto_wrap(&wrapped, slice_of_text("seed"), "correct horse"), OK);
    assert_memory_equal(wrapped.data, "sidan-wrapped-1:", 16);
    assert_null(memchr(wrapped.data, '\n', wrapped.size));
    assert_int_equal(crypto_unwrap(&secret, buf_slice(&wrapped), "wrong horse"), ERR_PASSPHRASE);
    assert_int_equal(secret.size, 0);
    buf_append_byte(&wrapped, '\n'); /* as it comes from a file */
    assert_int_equal(crypto_unwrap(&secret, buf_slice(&wrapped), "correct horse"), OK);
    assert_true(slice_is_text(buf_slice(&secret), "seed"));
    buf_clear(&wrapped);
    buf_clear(&secret);
}

static enum err unwrap_made(uint64_t passes, uint64_t memory, size_t ciphertext_size)
{
    struct buf packed = {0}, text = {0}, secret = {0};
    struct mp_writer w = {&packed};
    static const uint8_t zeros[64];
    mp_write_array(&w, 5);
    mp_write_uint(&w, passes);
    mp_write_uint(&w, memory);
    mp_write_bin(&w, zeros, 16);
    mp_write_bin(&w, zeros, 24);
    mp_write_bin(&w, zeros, ciphertext_size);
    buf_append_text(&text, "sidan-wrapped-1:");
    base64url_encode(&text, buf_slice(&packed));
    enum err err = crypto_unwrap(&secret, buf_slice(&text), "p");
    buf_clear(&packed);
    buf_clear(&text);
    buf_clear(&secret);
    return err;
}

static void refuses_to_unwrap_what_is_cut_foreign_or_greedy(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
    } cases[] = {
        {"", ERR_MALFORMED},
        {"sidan-invite-1:kA", ERR_MALFORMED},
        {"sidan-wrapped-2:kA", ERR_VERSION},
        {"sidan-wrapped-1:", ERR_MALFORMED},
        {"sidan-wrapped-1:kA", ERR_MALFORMED}, /* an empty array */
        {"sidan-wrapped-1:k!", ERR_MALFORMED},
    };
    struct buf secret = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(crypto_unwrap(&secret, slice_of_text(cases[i].text), "p"), cases[i].err);
    assert_int_equal(secret.size, 0);
    buf_clear(&secret);
    assert_int_equal(unwrap_made(1, KIB(8), 16), ERR_PASSPHRASE);
    assert_int_equal(unwrap_made(1, KIB(8), 15), ERR_MALFORMED);
    assert_int_equal(unwrap_made(0, KIB(8), 16), ERR_MALFORMED);
    assert_int_equal(unwrap_made(1, 100, 16), ERR_MALFORMED);
    assert_int_equal(unwrap_made(1, MIB(256) + 1, 16), ERR_LIMIT);
    assert_int_equal(unwrap_made(17, KIB(8), 16), ERR_LIMIT);
    assert_int_equal(unwrap_made(UINT64_MAX, UINT64_MAX, 16), ERR_LIMIT);
}

/* --- under a key --- */

static void key_of(struct secret_key *out, unsigned first)
{
    for (unsigned i = 0; i < sizeof out->bytes; i++) out->bytes[i] = (uint8_t)(first + i);
}

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
static void locks_as_the_draft_of_xchacha_does(void **state)
{
    (void)state;
    static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
                               "only one tip for the future, sunscreen would be it.";
    static const uint8_t bound[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
                                    0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
    struct secret_key key;
    uint8_t nonce[CRYPTO_NONCE_SIZE], bytes[sizeof text - 1 + CRYPTO_LOCK_OVERHEAD];
    char hex[33];
    key_of(&key, 0x80);
    for (unsigned i = 0; i < sizeof nonce; i++) nonce[i] = (uint8_t)(0x40 + i);
    memcpy(bytes, text, sizeof text - 1);
    crypto_lock(bytes, sizeof text - 1, &key, nonce, slice_of(bound, sizeof bound));
    hex_encode(hex, bytes, 16);
    assert_string_equal(hex, "bd6d179d3e83d43b9576579493c0e939");
    hex_encode(hex, bytes + sizeof text - 1, 16);
    assert_string_equal(hex, "c0875924c1c7987947deafd8780acf49");
}

static void what_is_locked_opens_with_its_key_nonce_and_bound_bytes_alone(void **state)
{
    (void)state;
    const struct slice bound = slice_of_text("record 7");
    struct secret_key key, other;
    uint8_t nonce[CRYPTO_NONCE_SIZE] = {1}, other_nonce[CRYPTO_NONCE_SIZE] = {2};
    uint8_t locked[20 + CRYPTO_LOCK_OVERHEAD], opened[20];
    key_of(&key, 1);
    key_of(&other, 2);
    memcpy(locked, "twenty bytes of text", 20);
    crypto_lock(locked, 20, &key, nonce, bound);
    const struct slice all = slice_of(locked, sizeof locked);
    assert_int_equal(crypto_unlock(opened, all, &key, nonce, bound), OK);
    assert_memory_equal(opened, "twenty bytes of text", 20);
    assert_int_equal(crypto_unlock(opened, all, &other, nonce, bound), ERR_SIGNATURE);
    assert_int_equal(crypto_unlock(opened, all, &key, other_nonce, bound), ERR_SIGNATURE);
    assert_int_equal(crypto_unlock(opened, all, &key, nonce, slice_of_text("record 8")),
                     ERR_SIGNATURE);
    for (size_t size = 0; size < sizeof locked; size++)
        assert_int_equal(crypto_unlock(opened, slice_of(locked, size), &key, nonce, bound),
                         ERR_SIGNATURE);
    for (size_t bit = 0; bit < sizeof locked * 8; bit++) {
        locked[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(crypto_unlock(opened, all, &key, nonce, bound), ERR_SIGNATURE);
        locked[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void derived_keys_differ_by_key_and_by_use(void **state)
{
    (void)state;
    struct secret_key key, other, boxes, again, check, of_other;
    key_of(&key, 1);
    key_of(&other, 2);
    secret_key_derive(&boxes, &key, "sidan/boxes");
    secret_key_derive(&again, &key, "sidan/boxes");
    secret_key_derive(&check, &key, "sidan/at-check");
    secret_key_derive(&of_other, &other, "sidan/boxes");
    assert_memory_equal(&boxes, &again, sizeof boxes);
    assert_memory_not_equal(&boxes, &key, sizeof boxes);
    assert_memory_not_equal(&boxes, &check, sizeof boxes);
    assert_memory_not_equal(&boxes, &of_other, sizeof boxes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_another_implementation_does),
        cmocka_unit_test(hashes_parts_as_the_whole),
        cmocka_unit_test(verifies_its_own_signature_and_nothing_else),
        cmocka_unit_test(refuses_keys_of_small_order),
        cmocka_unit_test(takes_randomness_from_a_tests_source),
        cmocka_unit_test(opens_what_was_sealed_to_it),
        cmocka_unit_test(unwraps_with_the_right_passphrase_only),
        cmocka_unit_test(refuses_to_unwrap_what_is_cut_foreign_or_greedy),
        cmocka_unit_test(locks_as_the_draft_of_xchacha_does),
        cmocka_unit_test(what_is_locked_opens_with_its_key_nonce_and_bound_bytes_alone),
        cmocka_unit_test(derived_keys_differ_by_key_and_by_use),
    };
    return cmocka_run_group_tests(tests, prepare, NULL) != 0;
}
