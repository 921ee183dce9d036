#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/link_model.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

enum { TAG = 7 };

/* 64 kbit/s, 300 ms: 8 bytes a millisecond, 2,400 on the wire. */
static const struct link_options village = {
    .rate_bps = 64000, .delay_us = 300 * MS, .queue_max = 8192};

/* What arrives until then, and when the last of it did. */
static size_t arrived(struct link_model *m, uint64_t until_us, uint64_t *last_us)
{
    struct link_segment s;
    size_t size = 0;
    while (link_model_next_us(m) <= until_us) {
        *last_us = link_model_next_us(m);
        assert_true(link_model_pull(m, *last_us, &s));
        assert_int_equal(s.tag, TAG);
        size += s.size;
    }
    assert_false(link_model_pull(m, until_us, &s));
    return size;
}

static void bytes_take_their_time_on_the_wire_and_the_delay(void **state)
{
    (void)state;
    struct link_model m;
    uint64_t last = 0;
    link_model_init(&m, &village, 1);
    assert_int_equal(link_model_push(&m, SECOND, TAG, 8), 8);
    assert_int_equal(link_model_next_us(&m), SECOND + 301 * MS);
    assert_int_equal(link_model_push(&m, SECOND, TAG, 1600), 1600);
    assert_int_equal(arrived(&m, SECOND + 300 * MS, &last), 0);
    assert_int_equal(arrived(&m, UINT64_MAX - 1, &last), 1608);
    assert_int_equal(last, SECOND + 501 * MS);
    assert_int_equal(link_model_next_us(&m), UINT64_MAX);
    assert_int_equal(m.counts.carried, 1608);
    link_model_clear(&m);
}

static void what_arrives_comes_in_packets_and_in_order(void **state)
{
    (void)state;
    struct link_model m;
    struct link_segment s;
    link_model_init(&m, &village, 1);
    (void)link_model_push(&m, 0, 1, 1600);
    (void)link_model_push(&m, 0, 2, 0);
    (void)link_model_push(&m, 0, 3, 10);
    static const struct link_segment want[] = {{1, 0, 1448}, {1, 0, 152}, {2, 0, 0}, {3, 0, 10}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_true(link_model_pull(&m, SECOND, &s));
        assert_int_equal(s.tag, want[i].tag);
        assert_int_equal(s.size, want[i].size);
    }
    link_model_clear(&m);
}

static void takes_no_more_ahead_than_its_queue_and_the_wire_hold(void **state)
{
    (void)state;
    struct link_model m;
    uint64_t last = 0;
    link_model_init(&m, &village, 1);
    assert_int_equal(link_model_push(&m, 0, TAG, 1000000), 8192 + 2400);
    assert_int_equal(link_model_room(&m), 0);
    assert_int_equal(link_model_push(&m, 0, TAG, 1), 0);
    size_t size = arrived(&m, 300 * MS + 181 * MS, &last);
    assert_int_equal(size, 1448);
    assert_int_equal(link_model_room(&m), size);
    link_model_clear(&m);
}

static void without_a_rate_only_the_delay_counts(void **state)
{
    (void)state;
    struct link_model m;
    struct link_options o = {.delay_us = 5 * MS, .queue_max = 100000};
    uint64_t last = 0;
    link_model_init(&m, &o, 1);
    assert_int_equal(link_model_push(&m, 0, TAG, 100000), 100000);
    assert_int_equal(arrived(&m, 5 * MS, &last), 100000);
    link_model_clear(&m);
}

static void a_lost_packet_is_a_stall_and_then_all_comes(void **state)
{
    (void)state;
    struct link_model m;
    struct link_options o = village;
    struct link_segment s;
    o.loss_permille = 200;
    o.stall_us = SECOND;
    link_model_init(&m, &o, 3);
    uint64_t now = 0, before = 0, stalls = 0;
    size_t pushed = 0, size = 0;
    for (int i = 0; i < 400; i++) {
        now = now > link_model_next_us(&m) ? now : link_model_next_us(&m);
        if (m.count == 0) now = before;
        pushed += link_model_push(&m, now, TAG, 1448);
        uint64_t at = link_model_next_us(&m);
        assert_true(link_model_pull(&m, at, &s));
        assert_true(at >= before);
        stalls += at - before > SECOND;
        before = at;
        size += s.size;
    }
    assert_true(stalls > 20 && stalls < 150);
    while (m.count > 0) {
        assert_true(link_model_pull(&m, UINT64_MAX - 1, &s));
        size += s.size;
    }
    assert_int_equal(size, pushed);
    assert_int_equal(m.counts.lost, 0);
    link_model_clear(&m);
}

static void all_that_follows_a_stall_arrives_at_once(void **state)
{
    (void)state;
    struct link_model m;
    struct link_options o = village;
    uint64_t last = 0;
    o.loss_permille = 1000;
    o.stall_us = 500 * MS;
    link_model_init(&m, &o, 1);
    (void)link_model_push(&m, 0, TAG, 8);
    m.options.loss_permille = 0;
    (void)link_model_push(&m, 0, TAG, 800);
    /* Six losses, the sixth bounds them: 0.5 + 1 + 2 + 4 + 8 + 16 s. */
    assert_int_equal(arrived(&m, 31800 * MS, &last), 0);
    assert_int_equal(arrived(&m, 31801 * MS, &last), 808);
    link_model_clear(&m);
}

static void the_same_seed_loses_the_same(void **state)
{
    (void)state;
    struct link_options o = village;
    o.loss_permille = 300;
    o.stall_us = SECOND;
    uint64_t ends[3];
    for (uint64_t i = 0; i < 3; i++) {
        struct link_model m;
        link_model_init(&m, &o, i == 2 ? 99 : 5);
        for (uint64_t t = 0; t < 60; t++) (void)link_model_push(&m, t * 180 * MS, TAG, 100);
        (void)arrived(&m, UINT64_MAX - 1, &ends[i]);
        link_model_clear(&m);
    }
    assert_true(ends[0] == ends[1]);
    assert_true(ends[0] != ends[2]);
}

static void a_cut_loses_what_is_under_way_and_counts_it(void **state)
{
    (void)state;
    struct link_model m;
    uint64_t last = 0;
    link_model_init(&m, &village, 1);
    (void)link_model_push(&m, 0, TAG, 4000);
    size_t passed = arrived(&m, 500 * MS, &last);
    link_model_set(&m, 500 * MS, LINK_MODEL_DOWN);
    assert_int_equal(link_model_push(&m, 500 * MS, TAG, 10), 0);
    link_model_set(&m, SECOND, LINK_MODEL_UP);
    assert_int_equal(arrived(&m, UINT64_MAX - 1, &last), 0);
    assert_int_equal(m.counts.taken, 4000);
    assert_int_equal(m.counts.carried, passed);
    assert_int_equal(m.counts.lost, 4000 - passed);
    (void)link_model_push(&m, SECOND, TAG, 8);
    assert_int_equal(link_model_next_us(&m), SECOND + 301 * MS);
    link_model_clear(&m);
}

static void a_hole_swallows_without_a_word(void **state)
{
    (void)state;
    struct link_model m;
    uint64_t last = 0;
    link_model_init(&m, &village, 1);
    (void)link_model_push(&m, 0, TAG, 100);
    link_model_set(&m, 1, LINK_MODEL_HOLE);
    assert_int_equal(link_model_push(&m, 1, TAG, 1000000), 1000000);
    assert_int_equal(link_model_next_us(&m), UINT64_MAX);
    link_model_set(&m, 2, LINK_MODEL_UP);
    assert_int_equal(arrived(&m, UINT64_MAX - 1, &last), 0);
    assert_int_equal(m.counts.lost, 1000100);
    link_model_clear(&m);
}

static void a_frozen_link_loses_nothing_and_goes_on_where_it_stood(void **state)
{
    (void)state;
    struct link_model m;
    uint64_t last = 0;
    link_model_init(&m, &village, 1);
    (void)link_model_push(&m, 0, TAG, 800);
    link_model_set(&m, 200 * MS, LINK_MODEL_FROZEN);
    (void)link_model_push(&m, 5000 * MS, TAG, 8);
    assert_int_equal(link_model_next_us(&m), UINT64_MAX);
    link_model_set(&m, 10200 * MS, LINK_MODEL_UP);
    assert_int_equal(arrived(&m, 10399 * MS, &last), 0);
    assert_int_equal(arrived(&m, UINT64_MAX - 1, &last), 808);
    assert_int_equal(last, 10501 * MS);
    assert_int_equal(m.counts.lost, 0);
    link_model_clear(&m);
}

static void cuts_after_so_many_bytes_and_not_one_more(void **state)
{
    (void)state;
    struct link_model m;
    struct link_options o = village;
    uint64_t last = 0;
    o.cut_bytes = 2048;
    link_model_init(&m, &o, 1);
    for (int round = 0; round < 3; round++) {
        uint64_t now = (uint64_t)round * 10 * SECOND;
        (void)link_model_push(&m, now, TAG, 2000);
        assert_true(m.cut_us == UINT64_MAX);
        (void)link_model_push(&m, now, TAG, 2000);
        assert_int_equal(arrived(&m, UINT64_MAX - 1, &last), 2048);
        assert_int_equal(m.cut_us, last);
        link_model_set(&m, m.cut_us, LINK_MODEL_DOWN);
        link_model_set(&m, now + 5 * SECOND, LINK_MODEL_UP);
    }
    assert_int_equal(m.counts.lost, 3 * (4000 - 2048));
    link_model_clear(&m);
}

static void plays_the_packets_of_a_recorded_link_again_and_again(void **state)
{
    (void)state;
    static const uint32_t at_ms[] = {10, 20, 20, 100};
    struct link_model m;
    struct link_options o = {.delay_us = MS, .queue_max = 100000};
    o.packets = (struct link_packets){at_ms, 4};
    uint64_t last = 0;
    link_model_init(&m, &o, 1);
    (void)link_model_push(&m, 0, TAG, 1000); /* at 10; 448 are left of that packet */
    (void)link_model_push(&m, 0, TAG, 448 + 1448);
    assert_int_equal(arrived(&m, 10 * MS, &last), 0);
    assert_int_equal(arrived(&m, 21 * MS, &last), 1000 + 448 + 1448);
    (void)link_model_push(&m, 30 * MS, TAG, 1448);
    assert_int_equal(arrived(&m, 101 * MS, &last), 1448);
    (void)link_model_push(&m, 111 * MS, TAG, 5);
    assert_int_equal(arrived(&m, UINT64_MAX - 1, &last), 5);
    assert_int_equal(last, 121 * MS);
    link_model_clear(&m);
}

static void knows_when_a_link_is_up(void **state)
{
    (void)state;
    static const struct link_span spans[] = {{10, 20}, {20, 25}, {40, 50}};
    const struct link_times always = {0}, periodic = {.up_us = 30, .down_us = 3},
                            contacts = {.spans = spans, .span_count = 3},
                            outages = {.spans = spans, .span_count = 3, .spans_down = true};
    const struct {
        const struct link_times *times;
        uint64_t now, until;
        bool up;
    } cases[] = {{&always, 5, UINT64_MAX, true},     {&periodic, 0, 30, true},
                 {&periodic, 30, 33, false},         {&periodic, 33, 63, true},
                 {&contacts, 0, 10, false},          {&contacts, 10, 20, true},
                 {&contacts, 24, 25, true},          {&contacts, 25, 40, false},
                 {&contacts, 50, UINT64_MAX, false}, {&outages, 9, 10, true},
                 {&outages, 15, 20, false},          {&outages, 30, 40, true},
                 {&outages, 60, UINT64_MAX, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t until;
        assert_int_equal(link_times_up(cases[i].times, cases[i].now, &until), cases[i].up);
        assert_int_equal(until, cases[i].until);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_take_their_time_on_the_wire_and_the_delay),
        cmocka_unit_test(what_arrives_comes_in_packets_and_in_order),
        cmocka_unit_test(takes_no_more_ahead_than_its_queue_and_the_wire_hold),
        cmocka_unit_test(without_a_rate_only_the_delay_counts),
        cmocka_unit_test(a_lost_packet_is_a_stall_and_then_all_comes),
        cmocka_unit_test(all_that_follows_a_stall_arrives_at_once),
        cmocka_unit_test(the_same_seed_loses_the_same),
        cmocka_unit_test(a_cut_loses_what_is_under_way_and_counts_it),
        cmocka_unit_test(a_hole_swallows_without_a_word),
        cmocka_unit_test(a_frozen_link_loses_nothing_and_goes_on_where_it_stood),
        cmocka_unit_test(cuts_after_so_many_bytes_and_not_one_more),
        cmocka_unit_test(plays_the_packets_of_a_recorded_link_again_and_again),
        cmocka_unit_test(knows_when_a_link_is_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
