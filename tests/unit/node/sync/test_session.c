/* The session's stories: what two nodes say to each other, frame by frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sides.h"

/* --- the stories --- */

static void a_first_contact_moves_both_ways(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 40);
    side_hold(p->hub, 1, 7);
    sides_run(p, NULL);
    assert_int_equal(p->hub->feeds[0].top[0], 40);
    assert_int_equal(p->village->feeds[1].top[0], 7);
    assert_true(side_idle(p->village));
    assert_true(side_idle(p->hub));
    assert_string_equal(p->village->trace, "hello run receipt");
    assert_string_equal(p->hub->trace, "hello run receipt");
}

static void nothing_new_costs_one_hello_each(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 40);
    side_hold(p->hub, 0, 40);
    struct have_entry have;
    struct session_memory memory = side_remembered(&have, 40);
    sides_run(p, &memory);
    assert_string_equal(p->village->trace, "hello");
    assert_string_equal(p->hub->trace, "hello");
    assert_true(side_idle(p->village));
    assert_true(side_idle(p->hub));
}

static void memory_lets_the_first_run_ride_with_hello(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 50);
    side_hold(p->hub, 0, 40);
    struct have_entry have;
    struct session_memory memory = side_remembered(&have, 40);
    side_start(p->village, true, &memory);
    side_act(p->village);
    assert_string_equal(p->village->trace, "hello run");
    side_start(p->hub, false, NULL);
    sides_talk(p->village, p->hub);
    assert_int_equal(p->hub->feeds[0].top[0], 50);
    assert_int_equal(p->village->runs, 1);
}

/* The receipts of an earlier session were cut off: the peer stands in the midst of what is sent. */
static void what_arrived_unreceipted_is_not_sent_a_third_time(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 100);
    side_hold(p->hub, 0, 70);
    p->village->run_events = 20;
    struct have_entry have;
    struct session_memory memory = side_remembered(&have, 40);
    sides_run(p, &memory);
    assert_int_equal(p->hub->feeds[0].top[0], 100);
    assert_int_equal(p->village->runs, 3);
    assert_true(side_idle(p->village));
}

static void after_a_cut_what_was_on_its_way_waits_for_hello(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 100);
    side_hold(p->hub, 0, 70);
    struct have_entry have;
    struct session_memory memory = side_remembered(&have, 40);
    memory.cut = memory.cut_sending = true;
    side_start(p->village, true, &memory);
    side_act(p->village);
    assert_string_equal(p->village->trace, "hello");
    side_start(p->hub, false, NULL);
    sides_talk(p->village, p->hub);
    assert_int_equal(p->hub->feeds[0].top[0], 100);
    assert_int_equal(p->village->runs, 1);
}

static void the_roster_goes_first(void **state)
{
    struct sides *p = *state;
    side_hold(p->hub, 0, 3);
    side_hold(p->hub, 1, 900);
    side_hold(p->hub, 2, 5);
    p->hub->feeds[1].roster = true;
    p->hub->run_events = 500;
    side_start(p->hub, true, &(struct session_memory){.known = true});
    struct session_action a;
    size_t order[8], count = 0;
    while (session_next(p->hub->session, &a))
        if (a.type == SESSION_BUILD) {
            order[count++] = side_number_of(&a.feed);
            side_answer_build(p->hub, &a);
        }
    assert_true(count >= 4);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 0); /* the shortest backlog of the others */
    side_start(p->village, false, NULL);
}

static void urgent_goes_before_a_shorter_backlog(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 2);
    side_hold(p->village, 1, 100);
    p->village->feeds[1].feed.lane = LANE_URGENT;
    side_start(p->village, true, &(struct session_memory){.known = true});
    struct session_action a;
    size_t first = SIDE_FEEDS;
    while (session_next(p->village->session, &a))
        if (a.type == SESSION_BUILD && first == SIDE_FEEDS) first = side_number_of(&a.feed);
    assert_int_equal(first, 1);
    side_start(p->hub, false, NULL);
}

static void a_missing_base_is_asked_for_once(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 100);
    p->village->run_events = 10;
    side_hold(p->hub, 0, 30);
    struct have_entry have;
    struct session_memory memory = side_remembered(&have, 60);
    sides_run(p, &memory);
    assert_int_equal(p->hub->feeds[0].top[0], 100);
    assert_true(p->hub->wants <= 1);
    assert_true(side_idle(p->village));
    assert_true(side_idle(p->hub));
}

static void both_branches_of_a_fork_reach_both_sides(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 0);
    p->village->feeds[0].held = true;
    p->village->feeds[0].fork = p->hub->feeds[0].fork = 20;
    p->village->feeds[0].top[1] = 33; /* the copy that went on from event 20 */
    p->village->feeds[0].top[0] = 0;
    side_hold(p->hub, 0, 41);
    sides_run(p, NULL);
    assert_int_equal(p->hub->feeds[0].top[0], 41);
    assert_int_equal(p->hub->feeds[0].top[1], 33);
    assert_int_equal(p->village->feeds[0].top[0], 41);
    assert_int_equal(p->village->feeds[0].top[1], 33);
}

static void a_fork_of_equal_length_is_noticed(void **state)
{
    struct sides *p = *state;
    p->village->feeds[0] = (struct fake_feed){.held = true, .feed = side_feed(0), .fork = 5};
    p->village->feeds[0].top[1] = 9;
    p->hub->feeds[0].fork = 5;
    side_hold(p->hub, 0, 9);
    sides_run(p, NULL);
    assert_int_equal(p->hub->feeds[0].top[1], 9);
    assert_int_equal(p->village->feeds[0].top[0], 9);
}

static void credit_bounds_what_is_sent(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 100000);
    p->village->run_events = 1;
    p->hub->window = 4096;
    side_start(p->village, true,
               &(struct session_memory){.known = true, .credit = 2000, .rate_bps = 1000000000});
    side_act(p->village);
    struct session_status status;
    session_status(p->village->session, &status);
    assert_true(status.sent_bytes <= 2000 + FRAME_SIZE_MAX);
    assert_true(p->village->runs < 100);
    side_start(p->hub, false, NULL);
}

static void a_peer_that_oversteps_its_credit_is_refused(void **state)
{
    struct sides *p = *state;
    p->hub->window = 1000;
    side_start(p->village, true, NULL);
    side_start(p->hub, false, NULL);
    sides_talk(p->village, p->hub);
    /* Runs that the hub has to keep waiting: nothing answers them. */
    struct frame_run f = {.feed = {.whole = true, .feed = side_feed(3)},
                          .run = {.count = 1, .raw_size = 8}};
    static uint8_t payload[60000];
    f.run.payload = slice_of(payload, sizeof payload);
    struct buf frame = {0};
    frame_run_write(&frame, &f);
    struct session_action a;
    bool refused = false;
    for (int i = 0; i < 10 && !refused; i++) {
        session_frame(p->hub->session, buf_slice(&frame), 1);
        while (session_next(p->hub->session, &a))
            if (a.type == SESSION_END) refused = a.refused == REFUSE_CREDIT;
    }
    assert_true(refused);
    buf_clear(&frame);
}

static void another_township_is_refused(void **state)
{
    struct sides *p = *state;
    side_start(p->hub, false, NULL);
    struct session_options options = {
        .connecting = true, .software = "x", .township8 = {9}, .window = 1000};
    assert_int_equal(session_open(&p->village->session, &options, NULL, 0, 1), OK);
    sides_talk(p->village, p->hub);
    assert_true(p->hub->ended);
    assert_int_equal(p->hub->end.refused, REFUSE_TOWNSHIP);
    assert_true(p->village->ended);
    assert_true(p->village->end.by_peer);
}

static void a_run_before_hello_is_refused(void **state)
{
    struct sides *p = *state;
    side_start(p->hub, false, NULL);
    side_start(p->village, true, NULL);
    struct buf frame = {0};
    frame_bye_write(&frame);
    buf_reset(&frame);
    struct frame_want want = {.flags = WANT_HELLO};
    frame_want_write(&frame, &want);
    session_frame(p->hub->session, buf_slice(&frame), 1);
    side_act(p->hub);
    assert_int_equal(p->hub->end.refused, REFUSE_ORDER);
    buf_clear(&frame);
}

static void an_answer_begins_with_hello(void **state)
{
    struct sides *p = *state;
    side_start(p->hub, false, NULL);
    side_start(p->village, true, NULL);
    struct frame_hello hello = {.protocol_min = 1, .protocol_max = 1, .have8 = {7}};
    struct buf frame = {0};
    frame_hello_write(&frame, &hello, NULL);
    session_frame(p->hub->session, buf_slice(&frame), 1);
    const uint64_t expected[] = {FRAME_HELLO,
                                 FRAME_WANT}; /* what changed does not match: all of it */
    size_t sent = 0;
    struct session_action a;
    while (session_next(p->hub->session, &a)) {
        uint64_t type;
        if (a.type != SESSION_SEND) continue;
        assert_true(sent < 2);
        assert_int_equal(frame_type_of(a.frame, &type), OK);
        assert_int_equal(type, expected[sent++]);
    }
    assert_int_equal(sent, 2);
    buf_clear(&frame);
}

static void garbage_is_refused(void **state)
{
    struct sides *p = *state;
    side_start(p->hub, false, NULL);
    side_start(p->village, true, NULL);
    session_frame(p->hub->session, slice_of_text("\xc1garbage"), 1);
    side_act(p->hub);
    assert_int_equal(p->hub->end.refused, REFUSE_MALFORMED);
}

static void a_bad_signature_ends_the_session_and_confirms_nothing(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 5);
    p->hub->store_err = ERR_SIGNATURE;
    sides_run(p, NULL);
    assert_int_equal(p->hub->end.refused, REFUSE_SIGNATURE);
    assert_int_equal(p->hub->confirms, 0);
    assert_true(p->village->ended);
}

static void a_full_disk_ends_without_blame(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 5);
    p->hub->store_err = ERR_NOSPACE;
    sides_run(p, NULL);
    assert_true(p->hub->ended);
    assert_int_equal(p->hub->end.refused, 0);
    assert_int_equal(p->hub->confirms, 0);
}

static void an_unknown_author_asks_for_the_roster(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 5);
    p->hub->store_err = ERR_UNKNOWN_AUTHOR;
    sides_run(p, NULL);
    assert_true(p->hub->wants >= 2);
    assert_false(p->hub->ended);
    assert_int_equal(p->hub->confirms, 0);
}

/* What comes in answer to the first WANT may fail too, when the roster is not here even then. */
static void what_failed_in_answer_is_asked_for_again(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 5);
    p->hub->store_err = ERR_UNKNOWN_AUTHOR;
    sides_run(p, NULL);
    unsigned wants = p->hub->wants, runs = p->village->runs;
    assert_true(runs >= 2); /* it was sent again, and failed again */
    assert_false(side_idle(p->hub));
    p->hub->store_err = OK;
    uint64_t due_ms = session_deadline_ms(p->hub->session);
    assert_true(due_ms <= p->hub->now_ms + 1500);
    p->hub->now_ms = p->village->now_ms = due_ms;
    session_tick(p->hub->session, due_ms);
    sides_talk(p->village, p->hub);
    assert_int_equal(p->hub->wants, wants + 1);
    assert_int_equal(p->hub->feeds[0].top[0], 5);
    assert_true(side_idle(p->hub));
    assert_true(side_idle(p->village));
}

/* The same as soon as the roster has news, without a pause. */
static void news_of_the_roster_lets_it_be_asked_for_again(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 5);
    p->hub->store_err = ERR_UNKNOWN_AUTHOR;
    sides_run(p, NULL);
    p->hub->store_err = OK;
    side_hold(p->village, 1, 3);
    p->village->feeds[1].roster = p->hub->feeds[1].roster = true;
    struct session_feed shown;
    side_describe(p->village, 1, &shown);
    session_heads(p->village->session, &shown, p->village->now_ms);
    sides_talk(p->village, p->hub);
    assert_int_equal(p->hub->feeds[1].top[0], 3);
    assert_int_equal(p->hub->feeds[0].top[0], 5);
}

static void a_damaged_feed_does_not_hold_up_the_others(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 5);
    side_hold(p->village, 1, 6);
    p->village->feeds[0].damaged = true;
    sides_run(p, NULL);
    assert_int_equal(p->hub->feeds[0].top[0], 0);
    assert_int_equal(p->hub->feeds[1].top[0], 6);
}

static void new_events_go_out_while_the_session_lasts(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 5);
    sides_run(p, NULL);
    p->village->feeds[0].top[0] = 8;
    struct session_feed shown;
    side_describe(p->village, 0, &shown);
    session_heads(p->village->session, &shown, 1);
    sides_talk(p->village, p->hub);
    assert_int_equal(p->hub->feeds[0].top[0], 8);
    assert_int_equal(p->village->runs, 2);
    assert_true(side_idle(p->village));
}

static void finishing_says_goodbye(void **state)
{
    struct sides *p = *state;
    side_hold(p->village, 0, 5);
    sides_run(p, NULL);
    session_finish(p->village->session);
    sides_talk(p->village, p->hub);
    assert_true(p->village->ended);
    assert_true(p->hub->ended);
    assert_int_equal(p->hub->end.refused, 0);
}

static void a_silent_peer_is_given_up(void **state)
{
    struct sides *p = *state;
    side_start(p->village, true, NULL);
    side_start(p->hub, false, NULL);
    side_act(p->village);
    session_tick(p->village->session, session_deadline_ms(p->village->session));
    side_act(p->village);
    assert_true(p->village->ended);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, sides_begin, sides_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_first_contact_moves_both_ways),
        STORY(nothing_new_costs_one_hello_each),
        STORY(memory_lets_the_first_run_ride_with_hello),
        STORY(what_arrived_unreceipted_is_not_sent_a_third_time),
        STORY(after_a_cut_what_was_on_its_way_waits_for_hello),
        STORY(the_roster_goes_first),
        STORY(urgent_goes_before_a_shorter_backlog),
        STORY(a_missing_base_is_asked_for_once),
        STORY(both_branches_of_a_fork_reach_both_sides),
        STORY(a_fork_of_equal_length_is_noticed),
        STORY(credit_bounds_what_is_sent),
        STORY(a_peer_that_oversteps_its_credit_is_refused),
        STORY(another_township_is_refused),
        STORY(a_run_before_hello_is_refused),
        STORY(an_answer_begins_with_hello),
        STORY(garbage_is_refused),
        STORY(a_bad_signature_ends_the_session_and_confirms_nothing),
        STORY(a_full_disk_ends_without_blame),
        STORY(an_unknown_author_asks_for_the_roster),
        STORY(what_failed_in_answer_is_asked_for_again),
        STORY(news_of_the_roster_lets_it_be_asked_for_again),
        STORY(a_damaged_feed_does_not_hold_up_the_others),
        STORY(new_events_go_out_while_the_session_lasts),
        STORY(finishing_says_goodbye),
        STORY(a_silent_peer_is_given_up),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
