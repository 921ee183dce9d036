#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/noise.h"
#include "tests/support/vectors.h"

#include <stdio.h>
#include <string.h>

static int set_up_all(void **state)
{
    (void)state;
    return crypto_init() ? -1 : 0;
}

/* --- published vectors --- */

static struct box_secret next_ephemeral;
static void give_ephemeral(void *state, void *out, size_t size)
{
    (void)state;
    assert_int_equal(size, sizeof next_ephemeral.bytes);
    memcpy(out, next_ephemeral.bytes, size);
}

static void begin(struct noise *n, const json_t *v, const char *side, const struct box_key *peer)
{
    char name[40];
    struct box_secret secret;
    struct box_key own;
    snprintf(name, sizeof name, "%s_static", side);
    vectors_fixed(v, name, secret.bytes, sizeof secret.bytes);
    box_key_of_secret(&own, &secret);
    snprintf(name, sizeof name, "%s_prologue", side);
    struct buf prologue = vectors_bytes(v, name);
    noise_begin(n, buf_slice(&prologue), &own, &secret, peer);
    buf_clear(&prologue);
}

/* The side whose turn it is writes message `i`, the other reads it. */
static void handshake_step(const json_t *v, const json_t *message, size_t i, struct noise *caller,
                           struct noise *called)
{
    struct buf payload = vectors_bytes(message, "payload"), out = {0}, got = {0};
    vectors_fixed(v, i ? "resp_ephemeral" : "init_ephemeral", next_ephemeral.bytes,
                  sizeof next_ephemeral.bytes);
    assert_int_equal(i ? noise_answer_write(called, &out, buf_slice(&payload))
                       : noise_call_write(caller, &out, buf_slice(&payload)),
                     OK);
    vectors_assert_hex(buf_slice(&out), message, "ciphertext");
    assert_int_equal(out.size, payload.size + (i ? NOISE_ANSWER_SIZE : NOISE_CALL_SIZE));
    assert_int_equal(i ? noise_answer_read(caller, &got, buf_slice(&out))
                       : noise_call_read(called, &got, buf_slice(&out)),
                     OK);
    vectors_assert_hex(buf_slice(&got), message, "payload");
    buf_clear(&payload);
    buf_clear(&out);
    buf_clear(&got);
}

static void transport_step(const json_t *message, struct noise_cipher *from,
                           struct noise_cipher *to)
{
    struct buf payload = vectors_bytes(message, "payload"), out = {0}, got = {0};
    assert_int_equal(noise_seal(from, &out, buf_slice(&payload)), OK);
    vectors_assert_hex(buf_slice(&out), message, "ciphertext");
    assert_int_equal(noise_open(to, &got, buf_slice(&out)), OK);
    vectors_assert_hex(buf_slice(&got), message, "payload");
    buf_clear(&payload);
    buf_clear(&out);
    buf_clear(&got);
}

static void speaks_as_the_published_vectors_do(void **state)
{
    (void)state;
    json_t *root = vectors_load("noise"), *v, *message;
    size_t at, i;
    crypto_random_source(give_ephemeral, NULL);
    json_array_foreach(json_object_get(root, "vectors"), at, v)
    {
        struct noise caller, called;
        struct noise_cipher out[2], in[2]; /* of the caller, of the called */
        struct box_key peer;
        vectors_fixed(v, "init_remote_static", peer.bytes, sizeof peer.bytes);
        begin(&caller, v, "init", &peer);
        begin(&called, v, "resp", NULL);
        json_array_foreach(json_object_get(v, "messages"), i, message)
        {
            if (i < 2) handshake_step(v, message, i, &caller, &called);
            if (i == 1) {
                assert_true(box_key_equal(&called.peer, &caller.own));
                assert_memory_equal(caller.hash, called.hash, sizeof caller.hash);
                if (json_object_get(v, "handshake_hash"))
                    vectors_assert_hex(slice_of(called.hash, sizeof called.hash), v,
                                       "handshake_hash");
                noise_split(&caller, &out[0], &in[0]);
                noise_split(&called, &out[1], &in[1]);
            }
            if (i >= 2) transport_step(message, &out[i % 2], &in[1 - i % 2]);
        }
    }
    assert_int_equal(at, 2);
    crypto_random_source(NULL, NULL);
    json_decref(root);
}

/* --- refusals --- */

struct ends {
    struct box_key keys[3];
    struct box_secret secrets[3];
    struct noise caller, called;
    struct buf message, got;
};

static const char prologue[] = "sidan/test";

static void ends_open(struct ends *e)
{
    *e = (struct ends){0};
    for (int i = 0; i < 3; i++) box_pair_make(&e->keys[i], &e->secrets[i]);
    noise_begin(&e->caller, slice_of_text(prologue), &e->keys[0], &e->secrets[0], &e->keys[1]);
    noise_begin(&e->called, slice_of_text(prologue), &e->keys[1], &e->secrets[1], NULL);
    assert_int_equal(noise_call_write(&e->caller, &e->message, SLICE_EMPTY), OK);
    assert_int_equal(e->message.size, NOISE_CALL_SIZE);
}

static void ends_close(struct ends *e)
{
    buf_clear(&e->message);
    buf_clear(&e->got);
}

static void refuses_a_call_for_another_or_of_another_township(void **state)
{
    (void)state;
    struct ends e;
    struct noise other;
    ends_open(&e);
    noise_begin(&other, slice_of_text(prologue), &e.keys[2], &e.secrets[2], NULL);
    assert_int_equal(noise_call_read(&other, &e.got, buf_slice(&e.message)), ERR_SIGNATURE);
    noise_begin(&other, slice_of_text("sidan/other"), &e.keys[1], &e.secrets[1], NULL);
    assert_int_equal(noise_call_read(&other, &e.got, buf_slice(&e.message)), ERR_SIGNATURE);
    ends_close(&e);
}

static void refuses_a_call_with_any_bit_changed_or_byte_missing(void **state)
{
    (void)state;
    struct ends e;
    ends_open(&e);
    for (size_t bit = 0; bit < e.message.size * 8; bit++) {
        if (bit == 32 * 8 - 1) continue; /* X25519 takes no notice of it; the hash does, below */
        struct noise called = e.called;
        e.message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(noise_call_read(&called, &e.got, buf_slice(&e.message)), ERR_SIGNATURE);
        e.message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    e.message.data[31] ^= 0x80;
    struct noise called = e.called;
    assert_int_equal(noise_call_read(&called, &e.got, buf_slice(&e.message)), ERR_SIGNATURE);
    e.message.data[31] ^= 0x80;
    for (size_t size = 0; size < e.message.size; size++) {
        called = e.called;
        assert_int_not_equal(noise_call_read(&called, &e.got, slice_of(e.message.data, size)), OK);
    }
    assert_int_equal(noise_call_read(&e.called, &e.got, buf_slice(&e.message)), OK);
    ends_close(&e);
}

static void refuses_keys_that_are_no_points(void **state)
{
    (void)state;
    struct ends e;
    const struct box_key zero = {{0}};
    struct noise n;
    ends_open(&e);
    noise_begin(&n, slice_of_text(prologue), &e.keys[0], &e.secrets[0], &zero);
    buf_reset(&e.message);
    assert_int_equal(noise_call_write(&n, &e.message, SLICE_EMPTY), ERR_SIGNATURE);
    memset(e.message.data, 0, e.message.size);
    assert_int_equal(noise_call_read(&e.called, &e.got, slice_of(e.message.data, 32)),
                     ERR_SIGNATURE);
    ends_close(&e);
}

/* The one who played it back has the answer and no key to read it, or to say a word. */
static void a_call_played_back_opens_nothing(void **state)
{
    (void)state;
    struct ends e;
    struct buf answer = {0}, again = {0};
    struct noise_cipher out, in, thief_out, thief_in;
    ends_open(&e);
    struct noise later = e.called;
    assert_int_equal(noise_call_read(&e.called, &e.got, buf_slice(&e.message)), OK);
    assert_int_equal(noise_answer_write(&e.called, &answer, SLICE_EMPTY), OK);
    assert_int_equal(noise_answer_read(&e.caller, &e.got, buf_slice(&answer)), OK);
    assert_int_equal(noise_call_read(&later, &e.got, buf_slice(&e.message)), OK);
    assert_int_equal(noise_answer_write(&later, &again, SLICE_EMPTY), OK);
    noise_split(&later, &out, &in);
    /* even with all that the first answer gave */
    noise_split(&e.caller, &thief_out, &thief_in);
    buf_reset(&e.message);
    assert_int_equal(noise_seal(&thief_out, &e.message, slice_of_text("let me in")), OK);
    assert_int_equal(noise_open(&in, &e.got, buf_slice(&e.message)), ERR_SIGNATURE);
    buf_clear(&answer);
    buf_clear(&again);
    ends_close(&e);
}

static void opens_messages_in_order_and_once(void **state)
{
    (void)state;
    struct noise_cipher from = {.key = {{7}}}, to = {.key = {{7}}};
    struct buf first = {0}, second = {0}, got = {0};
    assert_int_equal(noise_seal(&from, &first, slice_of_text("one")), OK);
    assert_int_equal(noise_seal(&from, &second, SLICE_EMPTY), OK);
    assert_int_equal(noise_open(&to, &got, buf_slice(&second)), ERR_SIGNATURE);
    assert_int_equal(noise_open(&to, &got, slice_of(first.data, NOISE_TAG_SIZE - 1)),
                     ERR_MALFORMED);
    assert_int_equal(noise_open(&to, &got, buf_slice(&first)), OK);
    assert_int_equal(noise_open(&to, &got, buf_slice(&first)), ERR_SIGNATURE);
    assert_int_equal(noise_open(&to, &got, buf_slice(&second)), OK);
    assert_true(slice_is_text(buf_slice(&got), "one"));
    buf_clear(&first);
    buf_clear(&second);
    buf_clear(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_as_the_published_vectors_do),
        cmocka_unit_test(refuses_a_call_for_another_or_of_another_township),
        cmocka_unit_test(refuses_a_call_with_any_bit_changed_or_byte_missing),
        cmocka_unit_test(refuses_keys_that_are_no_points),
        cmocka_unit_test(a_call_played_back_opens_nothing),
        cmocka_unit_test(opens_messages_in_order_and_once),
    };
    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
