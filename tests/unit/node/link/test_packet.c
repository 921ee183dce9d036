#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/link/packet.h"
#include "tests/support/rng.h"

static uint8_t bytes[PACKET_BODY_MAX + 1];

static struct packet_reader reader;
static int set_up(void **state)
{
    (void)state;
    reader = (struct packet_reader){0};
    return 0;
}

/* Packets and damage in what came, each of them shown to be this body. */
struct seen {
    unsigned whole, damaged;
};
static void look(struct seen *seen, struct slice in, struct slice body)
{
    while (in.size) {
        enum packet_found found;
        struct packet packet;
        size_t taken = packet_read(&reader, in, &found, &packet);
        assert_true(taken > 0 && taken <= in.size);
        in = slice_of(in.data + taken, in.size - taken);
        seen->damaged += found == PACKET_DAMAGED;
        if (found != PACKET_WHOLE) continue;
        seen->whole++;
        assert_int_equal(packet.type, PACKET_DATA);
        assert_true(slice_equal(packet.body, body));
    }
}

static void fill(size_t size, uint8_t (*byte)(size_t))
{
    for (size_t i = 0; i < size; i++) bytes[i] = byte(i);
}
static uint8_t zero(size_t i)
{
    (void)i;
    return 0;
}
static uint8_t never_zero(size_t i)
{
    return (uint8_t)(1 + i % 255);
}
static uint8_t mixed(size_t i)
{
    return i % 256 ? (uint8_t)i : 0;
}

static void carries_bodies_of_all_sizes(void **state)
{
    (void)state;
    uint8_t (*const kinds[])(size_t) = {zero, never_zero, mixed};
    for (size_t kind = 0; kind < 3; kind++)
        for (size_t size = 0; size <= PACKET_BODY_MAX; size++) {
            struct buf out = {0};
            struct seen seen = {0};
            fill(size, kinds[kind]);
            packet_write(&out, PACKET_DATA, slice_of(bytes, size));
            assert_true(out.size <= 2 + PACKET_CODED_MAX);
            for (size_t i = 1; i + 1 < out.size; i++) assert_int_not_equal(out.data[i], 0);
            look(&seen, buf_slice(&out), slice_of(bytes, size));
            assert_int_equal(seen.whole, 1);
            assert_int_equal(seen.damaged, 0);
            buf_clear(&out);
        }
}

static void finds_packets_behind_whatever_stood_before(void **state)
{
    (void)state;
    struct rng rng;
    struct seen seen = {0};
    rng.state = 5;
    fill(300, mixed);
    for (int round = 0; round < 300; round++) {
        struct buf out = {0};
        for (uint64_t n = rng_below(&rng, 2000); n > 0; n--)
            buf_append_byte(&out, (uint8_t)rng_next(&rng));
        packet_write(&out, PACKET_DATA, slice_of(bytes, 300));
        look(&seen, buf_slice(&out), slice_of(bytes, 300));
        buf_clear(&out);
    }
    assert_int_equal(seen.whole, 300);
}

static void a_packet_with_any_bit_changed_or_byte_lost_is_none(void **state)
{
    (void)state;
    struct buf out = {0};
    const struct slice body = slice_of(bytes, 40);
    fill(40, mixed);
    packet_write(&out, PACKET_DATA, body);
    for (size_t bit = 8; bit < (out.size - 1) * 8; bit++) {
        struct seen seen = {0};
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        look(&seen, buf_slice(&out), body);
        assert_int_equal(seen.whole, 0);
        assert_true(seen.damaged >= 1);
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 1; cut + 1 < out.size; cut++) {
        struct seen seen = {0};
        look(&seen, slice_of(out.data, cut), body);
        look(&seen, slice_of(out.data + cut + 1, out.size - cut - 1), body);
        assert_int_equal(seen.whole, 0);
    }
    buf_clear(&out);
}

static void a_line_without_an_end_costs_nothing_and_is_told_once(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct buf out = {0};
    for (int i = 0; i < 100000; i++) buf_append_byte(&out, 'x');
    packet_write(&out, PACKET_DATA, slice_of(bytes, 10));
    look(&seen, buf_slice(&out), slice_of(bytes, 10));
    assert_int_equal(seen.damaged, 1);
    assert_int_equal(seen.whole, 1);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(carries_bodies_of_all_sizes, set_up),
        cmocka_unit_test_setup(finds_packets_behind_whatever_stood_before, set_up),
        cmocka_unit_test_setup(a_packet_with_any_bit_changed_or_byte_lost_is_none, set_up),
        cmocka_unit_test_setup(a_line_without_an_end_costs_nothing_and_is_told_once, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
