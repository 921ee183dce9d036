/* The heartbeat alone: when a PING is due, and when silence is the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/sync/beat.h"

#define START_MS 5000

static struct beat beat_at_start(void)
{
    struct beat b;
    beat_begin(&b, START_MS);
    return b;
}

/* The moment of the next PING, and what it says. */
static uint64_t next_ping(struct beat *b, bool waiting, uint64_t *next_s)
{
    uint64_t at_ms = beat_deadline_ms(b, UINT32_MAX);
    assert_false(beat_ping_due(b, waiting, at_ms - 1, next_s));
    assert_true(beat_ping_due(b, waiting, at_ms, next_s));
    assert_false(beat_ping_due(b, waiting, at_ms, next_s));
    return at_ms;
}

static void pings_of_an_idle_link_double_their_interval_to_three_minutes(void **state)
{
    (void)state;
    static const uint64_t intervals_s[] = {10, 20, 40, 80, 160, 180, 180, 180};
    struct beat b = beat_at_start();
    uint64_t at_ms = START_MS, next_s = 10;
    for (size_t i = 0; i < sizeof intervals_s / sizeof intervals_s[0]; i++) {
        assert_int_equal(next_s, intervals_s[i]);
        uint64_t ping_ms = next_ping(&b, false, &next_s);
        assert_int_equal(ping_ms - at_ms, 1000 * intervals_s[i]);
        at_ms = ping_ms;
    }
}

static void traffic_either_way_brings_back_the_short_interval(void **state)
{
    (void)state;
    void (*const traffic[])(struct beat *, uint64_t) = {beat_sent, beat_heard};
    for (size_t i = 0; i < 2; i++) {
        struct beat b = beat_at_start();
        uint64_t next_s, at_ms = 0;
        for (int j = 0; j < 5; j++) at_ms = next_ping(&b, false, &next_s);
        assert_int_equal(next_s, 180);
        traffic[i](&b, at_ms + 50000);
        assert_int_equal(next_ping(&b, false, &next_s), at_ms + 60000);
    }
}

static void brief_traffic_on_an_idle_link_costs_one_ping(void **state)
{
    (void)state;
    struct beat b = beat_at_start();
    uint64_t next_s, at_ms = 0;
    for (int j = 0; j < 5; j++) at_ms = next_ping(&b, false, &next_s);
    for (int j = 0; j < 3; j++) {
        beat_sent(&b, at_ms + 50000);
        beat_heard(&b, at_ms + 60000);
        at_ms = next_ping(&b, false, &next_s);
        assert_int_equal(next_s, 180);
    }
    beat_ask(&b, 1000, at_ms + 50000);
    beat_heard_ping(&b, 180, at_ms + 50500);
    (void)next_ping(&b, false, &next_s);
    assert_int_equal(next_s, 180);
}

static void traffic_that_goes_on_begins_with_short_intervals(void **state)
{
    (void)state;
    struct beat b = beat_at_start();
    uint64_t next_s, at_ms = 0;
    for (int j = 0; j < 5; j++) at_ms = next_ping(&b, false, &next_s);
    for (int j = 0; j <= 4; j++) beat_sent(&b, at_ms += 3000);
    (void)next_ping(&b, false, &next_s);
    assert_int_equal(next_s, 20);
}

static void the_interval_stays_short_while_an_answer_is_lacking(void **state)
{
    (void)state;
    struct beat b = beat_at_start();
    uint64_t next_s, at_ms = START_MS;
    for (int i = 0; i < 5; i++) {
        uint64_t ping_ms = next_ping(&b, true, &next_s);
        assert_int_equal(ping_ms - at_ms, 10000);
        assert_int_equal(next_s, 10);
        at_ms = ping_ms;
    }
}

static void two_intervals_of_the_peer_and_the_time_of_a_frame_are_silence(void **state)
{
    (void)state;
    struct beat b = beat_at_start();
    assert_false(beat_is_silent(&b, 700, START_MS + 20699));
    assert_true(beat_is_silent(&b, 700, START_MS + 20700));
    beat_heard_ping(&b, 80, START_MS + 15000);
    assert_false(beat_is_silent(&b, 700, START_MS + 175699));
    assert_true(beat_is_silent(&b, 700, START_MS + 175700));
}

/* What is sent shortens the peer's interval, so a dead link is not waited for by an old promise. */
static void what_is_sent_into_a_dead_link_finds_it_out_soon(void **state)
{
    (void)state;
    struct beat b = beat_at_start();
    beat_heard_ping(&b, 180, START_MS);
    beat_sent(&b, START_MS + 100000);
    beat_sent(&b, START_MS + 110000); /* and more of it does not put it off */
    assert_false(beat_is_silent(&b, 0, START_MS + 119999));
    assert_true(beat_is_silent(&b, 0, START_MS + 120000));
}

static void a_promise_is_bounded_whatever_it_says(void **state)
{
    (void)state;
    static const struct {
        uint64_t said_s, taken_s;
    } rows[] = {{0, 10}, {1, 10}, {11, 11}, {180, 180}, {181, 180}, {(UINT64_C(1) << 48) - 1, 180}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct beat b = beat_at_start();
        beat_heard_ping(&b, rows[i].said_s, START_MS);
        assert_false(beat_is_silent(&b, 0, START_MS + 2000 * rows[i].taken_s - 1));
        assert_true(beat_is_silent(&b, 0, START_MS + 2000 * rows[i].taken_s));
    }
}

static void a_question_is_answered_at_once_and_once_a_second(void **state)
{
    (void)state;
    struct beat b = beat_at_start();
    uint64_t next_s, answers = 0;
    for (uint64_t now_ms = START_MS; now_ms < START_MS + 5000; now_ms++) {
        beat_heard_ping(&b, 0, now_ms);
        if (!beat_ping_due(&b, false, now_ms, &next_s)) continue;
        assert_int_equal(now_ms % 1000, 0);
        answers++;
    }
    assert_int_equal(answers, 5);
}

static void a_question_without_an_answer_is_silence(void **state)
{
    (void)state;
    struct beat b = beat_at_start();
    beat_heard_ping(&b, 180, START_MS);
    beat_ask(&b, 1500, START_MS + 1000);
    beat_ask(&b, 1500, START_MS + 2000); /* asking again wins no time */
    assert_int_equal(beat_deadline_ms(&b, 0), START_MS + 2500);
    assert_false(beat_is_silent(&b, 0, START_MS + 2499));
    assert_true(beat_is_silent(&b, 0, START_MS + 2500));
    beat_heard_ping(&b, 180, START_MS + 2499);
    assert_false(beat_is_silent(&b, 0, START_MS + 2500));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pings_of_an_idle_link_double_their_interval_to_three_minutes),
        cmocka_unit_test(traffic_either_way_brings_back_the_short_interval),
        cmocka_unit_test(brief_traffic_on_an_idle_link_costs_one_ping),
        cmocka_unit_test(traffic_that_goes_on_begins_with_short_intervals),
        cmocka_unit_test(the_interval_stays_short_while_an_answer_is_lacking),
        cmocka_unit_test(two_intervals_of_the_peer_and_the_time_of_a_frame_are_silence),
        cmocka_unit_test(what_is_sent_into_a_dead_link_finds_it_out_soon),
        cmocka_unit_test(a_promise_is_bounded_whatever_it_says),
        cmocka_unit_test(a_question_is_answered_at_once_and_once_a_second),
        cmocka_unit_test(a_question_without_an_answer_is_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
