#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "proto/town.h"

#include <string.h>

static const struct sign_key township = {{1}};
static struct signer signer;
static struct town_head heads[3];
static struct town_state state_of;

static int set_up(void **state)
{
    (void)state;
    static const struct sign_seed seed = {{42}};
    if (crypto_init()) return -1;
    signer_from_seed(&signer, &seed);
    memcpy(heads, (struct town_head[]){{{2}, 8, {5}}, {{1}, 9, {7}}, {{1}, 9, {6}}}, sizeof heads);
    state_of = (struct town_state){.hub = signer.key,
                                   .generation = {3},
                                   .number = 1657584000000,
                                   .ended = {{4}, {5}},
                                   .ended_count = 2};
    town_digest(&state_of.digest, heads, 3);
    return town_sign(&state_of, &township, &signer) ? -1 : 0;
}

static void read_back(struct frame_town *out, struct buf *frame, bool with_heads)
{
    uint64_t type = 0;
    frame_town_write(frame, &state_of, with_heads ? heads : NULL, 3);
    assert_int_equal(frame->err, OK);
    assert_int_equal(frame_type_of(buf_slice(frame), &type), OK);
    assert_int_equal(type, FRAME_TOWN);
    assert_int_equal(frame_town_read(out, buf_slice(frame)), OK);
    assert_int_equal(town_verify(&out->state, &township, &signer.key), OK);
    assert_int_equal(out->has_heads, with_heads);
}

static void a_statement_is_read_back_with_its_heads_in_order(void **state)
{
    (void)state;
    struct frame_town f;
    struct town_head h;
    struct buf frame = {0};
    read_back(&f, &frame, true);
    struct mp_reader r = frame_town_begin(&f);
    for (size_t i = 0; i < 3; i++) {
        assert_true(frame_town_next(&r, &h));
        assert_memory_equal(h.feed8, heads[i].feed8, sizeof h.feed8);
        assert_int_equal(h.seq, heads[i].seq);
        assert_memory_equal(h.id16, heads[i].id16, sizeof h.id16);
    }
    assert_false(frame_town_next(&r, &h));
    assert_int_equal(heads[0].id16[0], 6); /* sorted */
    buf_clear(&frame);
    read_back(&f, &frame, false);
    assert_in_range(frame.size, 160, 190); /* what a change costs on the wire */
    buf_clear(&frame);
}

static void nothing_of_it_can_be_changed(void **state)
{
    (void)state;
    struct town_state forged[6];
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) forged[i] = state_of;
    forged[0].hub.bytes[9] ^= 1;
    forged[1].generation[7] ^= 1;
    forged[2].number++;
    forged[3].ended[1][7]++;
    forged[4].digest.bytes[31] ^= 1;
    forged[5].signature.bytes[0] ^= 1;
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++)
        assert_int_equal(town_verify(&forged[i], &township, &signer.key), ERR_SIGNATURE);
    assert_int_equal(town_verify(&state_of, &(struct sign_key){{2}}, &signer.key), ERR_SIGNATURE);
}

/* A statement is signed over its digest, so heads of another are no part of it. */
static void heads_that_are_not_those_signed_over_are_malformed(void **state)
{
    (void)state;
    struct frame_town f;
    struct town_head other[3];
    struct buf frame = {0};
    for (unsigned i = 0; i < 4; i++) {
        memcpy(other, heads, sizeof other);
        if (i == 0) other[2].seq++;
        if (i == 1) other[0] = heads[1], other[1] = heads[0]; /* out of order */
        if (i == 2) other[1] = heads[0];                      /* twice */
        if (i == 3) other[0].seq = 0;
        frame_town_write(&frame, &state_of, other, 3);
        assert_int_equal(frame_town_read(&f, buf_slice(&frame)), ERR_MALFORMED);
        buf_clear(&frame);
    }
    frame_town_write(&frame, &state_of, heads, 2); /* one left out */
    assert_int_equal(frame_town_read(&f, buf_slice(&frame)), ERR_MALFORMED);
    buf_clear(&frame);
}

static void a_frame_that_ends_early_is_malformed(void **state)
{
    (void)state;
    struct buf frame = {0};
    frame_town_write(&frame, &state_of, heads, 3);
    for (size_t size = 0; size < frame.size; size++) {
        struct frame_town f;
        uint64_t type;
        if (frame_type_of(slice_of(frame.data, size), &type)) continue;
        assert_int_equal(frame_town_read(&f, slice_of(frame.data, size)), ERR_MALFORMED);
    }
    buf_clear(&frame);
}

static bool never(void *state, const uint8_t feed8[8])
{
    (void)state, (void)feed8;
    return false;
}

static bool always(void *state, const uint8_t feed8[8])
{
    (void)state, (void)feed8;
    return true;
}

static void what_was_there_is_there_later_or_followed(void **state)
{
    (void)state;
    static const struct {
        struct town_head before[2], after[2];
        size_t before_count, after_count;
        bool follows;
    } cases[] = {
        {{{{1}, 5, {1}}}, {{{1}, 5, {1}}}, 1, 1, true},
        {{{{1}, 5, {1}}}, {{{1}, 6, {2}}}, 1, 1, true},
        {{{{1}, 5, {1}}}, {{{1}, 5, {2}}}, 1, 1, false},               /* another branch */
        {{{{1}, 5, {1}}}, {{{1}, 4, {2}}}, 1, 1, false},               /* taken back */
        {{{{1}, 5, {1}}}, {{{2}, 5, {1}}}, 1, 1, false},               /* withheld */
        {{{{1}, 5, {1}}}, {{{1}, 5, {1}}, {{1}, 5, {2}}}, 1, 2, true}, /* forked since */
        {{{{1}, 5, {1}}, {{1}, 5, {2}}}, {{{1}, 5, {2}}}, 2, 1, false},
        {{{{0}, 0, {0}}}, {{{1}, 5, {1}}}, 0, 1, true},
        {{{{1}, 5, {1}}}, {{{0}, 0, {0}}}, 1, 0, false},
        {{{{1}, 5, {1}}, {{3}, 1, {1}}}, {{{1}, 7, {1}}, {{3}, 1, {1}}}, 2, 2, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool follows = town_follows(cases[i].before, cases[i].before_count, cases[i].after,
                                    cases[i].after_count, never, NULL);
        if (follows != cases[i].follows) fail_msg("case %zu", i);
        assert_true(town_follows(cases[i].before, cases[i].before_count, cases[i].after,
                                 cases[i].after_count, always, NULL));
    }
}

static void a_hello_may_end_before_what_is_kept_of_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) { /* it ends before it; nothing is kept; something is */
        struct frame_hello out, h = {.protocol_min = 1, .protocol_max = 1};
        h.says_towns = i > 0;
        h.has_towns = i == 2;
        struct buf frame = {0};
        memset(h.towns8, 7, sizeof h.towns8);
        have_digest(h.have8, NULL, 0);
        frame_hello_write(&frame, &h, NULL);
        assert_int_equal(frame_hello_read(&out, buf_slice(&frame)), OK);
        assert_int_equal(out.says_towns, h.says_towns);
        assert_int_equal(out.has_towns, h.has_towns);
        assert_int_equal(out.towns8[3], i == 2 ? 7 : 0);
        if (i == 2) {
            frame.data[frame.size - 9] = 7; /* of eight bytes */
            assert_int_equal(frame_hello_read(&out, slice_of(frame.data, frame.size - 1)),
                             ERR_MALFORMED);
        }
        buf_clear(&frame);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_statement_is_read_back_with_its_heads_in_order, set_up),
        cmocka_unit_test_setup(nothing_of_it_can_be_changed, set_up),
        cmocka_unit_test_setup(heads_that_are_not_those_signed_over_are_malformed, set_up),
        cmocka_unit_test_setup(a_frame_that_ends_early_is_malformed, set_up),
        cmocka_unit_test(a_hello_may_end_before_what_is_kept_of_it),
        cmocka_unit_test(what_was_there_is_there_later_or_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
