/* Two sessions over a link in virtual time: what keeping it alive costs, and when its end shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/sync/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_MS 600
#define OVERHEAD 35      /* of a frame on the wire: ZMTP's 2 and CURVE's 33 */
#define SLOWEST_MS 68267 /* 80 KiB at 9600 bit/s */
#define UNDER_WAY_MAX 64

static struct end {
    struct session *session;
    bool deaf;   /* what is sent to it is lost */
    bool counts; /* the bytes of a frame under way are told, and they are these */
    uint64_t partial, partial_a_step;
    bool ended;
    uint64_t ended_ms, sent, frames;
    char text[160];
    struct arrival {
        uint64_t at_ms;
        struct buf frame;
    } under_way[UNDER_WAY_MAX];
    size_t first, last; /* counted up, taken modulo */
} ends[2];
static uint64_t now_ms;

static void act(struct end *e, struct end *peer)
{
    struct session_action a;
    while (session_next(e->session, &a)) {
        if (a.type == SESSION_SEND) {
            e->sent += a.frame.size + OVERHEAD;
            e->frames++;
            if (peer->deaf) continue;
            struct arrival *to = &peer->under_way[peer->last++ % UNDER_WAY_MAX];
            assert_true(peer->last - peer->first <= UNDER_WAY_MAX);
            *to = (struct arrival){.at_ms = now_ms + LATENCY_MS};
            buf_append_slice(&to->frame, a.frame);
        }
        if (a.type != SESSION_END) continue;
        e->ended = true;
        e->ended_ms = now_ms;
        snprintf(e->text, sizeof e->text, "%s", a.text);
    }
}

static uint64_t next_ms(const struct end *e)
{
    uint64_t at_ms = session_deadline_ms(e->session);
    if (e->first == e->last) return at_ms;
    uint64_t arrival_ms = e->under_way[e->first % UNDER_WAY_MAX].at_ms;
    return arrival_ms < at_ms ? arrival_ms : at_ms;
}

static void step(struct end *e, struct end *peer)
{
    while (e->first < e->last && e->under_way[e->first % UNDER_WAY_MAX].at_ms <= now_ms) {
        struct buf *frame = &e->under_way[e->first++ % UNDER_WAY_MAX].frame;
        session_frame(e->session, buf_slice(frame), now_ms);
        act(e, peer);
        buf_clear(frame);
    }
    e->partial += e->partial_a_step;
    if (e->counts) session_partial(e->session, e->partial, now_ms);
    session_tick(e->session, now_ms);
    act(e, peer);
}

static void run_until(uint64_t end_ms)
{
    for (;;) {
        uint64_t a = next_ms(&ends[0]), b = next_ms(&ends[1]);
        uint64_t at_ms = a < b ? a : b;
        if (at_ms > end_ms) break;
        if (at_ms > now_ms) now_ms = at_ms;
        step(&ends[0], &ends[1]);
        step(&ends[1], &ends[0]);
    }
    now_ms = end_ms;
}

static int begin(void **state)
{
    (void)state;
    memset(ends, 0, sizeof ends);
    now_ms = 10000;
    for (int i = 0; i < 2; i++) {
        const struct session_options options = {
            .connecting = i == 0, .software = "test", .window = CREDIT_DEFAULT};
        assert_int_equal(session_open(&ends[i].session, &options, NULL, 0, now_ms), OK);
        act(&ends[i], &ends[1 - i]);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        session_close(ends[i].session);
        while (ends[i].first < ends[i].last)
            buf_clear(&ends[i].under_way[ends[i].first++ % UNDER_WAY_MAX].frame);
    }
    return 0;
}

static void an_idle_day_costs_less_than_50_kilobytes_both_ways(void **state)
{
    (void)state;
    run_until(now_ms + 24 * 3600 * 1000);
    assert_false(ends[0].ended || ends[1].ended);
    printf("an idle day: %llu bytes in %llu frames\n",
           (unsigned long long)(ends[0].sent + ends[1].sent),
           (unsigned long long)(ends[0].frames + ends[1].frames));
    assert_in_range(ends[0].sent + ends[1].sent, 30000, 50000);
}

/* A HOLD stands for the record: a frame that is no PING. */
static void twenty_records_of_an_idle_day_cost_a_ping_or_two_each(void **state)
{
    (void)state;
    run_until(now_ms + 24 * 3600 * 1000);
    uint64_t idle = ends[0].frames + ends[1].frames;
    for (int i = 0; i < 20; i++) {
        step(&ends[0], &ends[1]); /* brings the time */
        session_room(ends[0].session, i % 2 ? UINT64_MAX : 0, now_ms);
        act(&ends[0], &ends[1]);
        run_until(now_ms + 24 * 3600 * 1000 / 20);
    }
    uint64_t busy = ends[0].frames + ends[1].frames - idle;
    printf("20 records on it: %lld frames more\n", (long long)(busy - idle));
    assert_in_range(busy, idle, idle + 20 * 3);
}

static void the_first_minutes_after_traffic_are_watched_closely(void **state)
{
    (void)state;
    run_until(now_ms + 9000);
    assert_int_equal(ends[0].frames, 1); /* HELLO */
    run_until(now_ms + 3000);
    assert_int_equal(ends[0].frames, 2);
    assert_int_equal(ends[1].frames, 2);
}

static void a_link_that_is_cut_one_way_is_dead_to_who_hears_nothing(void **state)
{
    (void)state;
    run_until(now_ms + 3600 * 1000);
    uint64_t cut_ms = now_ms;
    ends[0].deaf = true;
    run_until(cut_ms + 3600 * 1000);
    assert_true(ends[0].ended);
    assert_string_equal(ends[0].text, "the peer fell silent");
    /* two intervals from the last PING that came, and what a frame may take */
    assert_in_range(ends[0].ended_ms - cut_ms, 180000, 360000 + SLOWEST_MS + 2 * 2 * LATENCY_MS);
    /* and then the other hears nothing more either */
    assert_true(ends[1].ended);
    assert_in_range(ends[1].ended_ms - ends[0].ended_ms, 180000,
                    360000 + SLOWEST_MS + 2 * 2 * LATENCY_MS);
}

static void who_sees_bytes_come_waits_for_two_intervals_and_no_frame(void **state)
{
    (void)state;
    ends[0].counts = true;
    run_until(now_ms + 3600 * 1000);
    uint64_t cut_ms = now_ms;
    ends[0].deaf = true;
    run_until(cut_ms + 3600 * 1000);
    assert_true(ends[0].ended);
    assert_in_range(ends[0].ended_ms - cut_ms, 180000, 360000 + 2 * 2 * LATENCY_MS);
}

/* However long it takes, and not a moment longer than it goes on. */
static void a_frame_that_comes_slowly_is_a_sign_of_life(void **state)
{
    (void)state;
    ends[0].counts = true;
    run_until(now_ms + 5000);
    ends[0].deaf = true;
    ends[0].partial_a_step = 1;
    run_until(now_ms + 1200 * 1000);
    assert_false(ends[0].ended);
    uint64_t stopped_ms = now_ms;
    ends[0].partial_a_step = 0;
    run_until(now_ms + 1200 * 1000);
    assert_true(ends[0].ended);
    assert_in_range(ends[0].ended_ms - stopped_ms, 1000, 20000 + 2 * 2 * LATENCY_MS);
}

static void a_question_on_a_live_link_takes_one_round_trip(void **state)
{
    (void)state;
    struct session_status status;
    run_until(now_ms + 3600 * 1000);
    uint64_t sent = ends[0].sent + ends[1].sent;
    session_ask(ends[0].session, false, now_ms);
    act(&ends[0], &ends[1]);
    run_until(now_ms + 2 * LATENCY_MS - 1);
    session_status(ends[0].session, &status);
    assert_false(status.idle);
    run_until(now_ms + 2);
    session_status(ends[0].session, &status);
    assert_true(status.idle);
    assert_in_range(ends[0].sent + ends[1].sent - sent, 1, 80);
}

static void a_question_on_a_dead_link_takes_two_seconds_and_two_round_trips(void **state)
{
    (void)state;
    run_until(now_ms + 3600 * 1000);
    uint64_t asked_ms = now_ms;
    ends[0].deaf = true;
    session_ask(ends[0].session, false, now_ms);
    act(&ends[0], &ends[1]);
    run_until(now_ms + 60000);
    assert_true(ends[0].ended);
    assert_int_equal(ends[0].ended_ms - asked_ms, 2000 + 2 * 2 * LATENCY_MS);
}

/* PINGs cost their sender more than their receiver: no state, one answer a second, no refusal. */
static void a_flood_of_questions_is_answered_once_a_second(void **state)
{
    (void)state;
    run_until(now_ms + 3600 * 1000);
    uint64_t answers = ends[1].frames;
    struct buf ping = {0};
    frame_ping_write(&ping, 0);
    for (unsigned i = 0; i < 100000; i++) {
        if (i % 10 == 0) now_ms++;
        session_frame(ends[1].session, buf_slice(&ping), now_ms);
        session_tick(ends[1].session, now_ms);
        struct session_action a;
        while (session_next(ends[1].session, &a)) ends[1].frames++;
    }
    buf_clear(&ping);
    assert_in_range(ends[1].frames - answers, 10, 11);
}

static void a_ping_before_hello_is_refused_like_any_other_frame(void **state)
{
    (void)state;
    struct buf ping = {0};
    frame_ping_write(&ping, 10);
    session_frame(ends[1].session, buf_slice(&ping), now_ms);
    buf_clear(&ping);
    act(&ends[1], &ends[0]);
    assert_true(ends[1].ended);
    assert_string_equal(ends[1].text, "a frame before HELLO");
}

static void a_malformed_ping_is_refused(void **state)
{
    (void)state;
    run_until(now_ms + 5000);
    session_frame(ends[1].session, slice_of("\x92\x08\xa1x", 4), now_ms);
    act(&ends[1], &ends[0]);
    assert_true(ends[1].ended);
    assert_string_equal(ends[1].text, "PING malformed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_day_costs_less_than_50_kilobytes_both_ways),
        TEST(twenty_records_of_an_idle_day_cost_a_ping_or_two_each),
        TEST(the_first_minutes_after_traffic_are_watched_closely),
        TEST(a_link_that_is_cut_one_way_is_dead_to_who_hears_nothing),
        TEST(who_sees_bytes_come_waits_for_two_intervals_and_no_frame),
        TEST(a_frame_that_comes_slowly_is_a_sign_of_life),
        TEST(a_question_on_a_live_link_takes_one_round_trip),
        TEST(a_question_on_a_dead_link_takes_two_seconds_and_two_round_trips),
        TEST(a_flood_of_questions_is_answered_once_a_second),
        TEST(a_ping_before_hello_is_refused_like_any_other_frame),
        TEST(a_malformed_ping_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
