/* The month's bytes are short: the roster and the urgent lane go, the others wait, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sides.h"

#include <string.h>

enum { NORMAL, URGENT, OF_HUB, ROSTER };

static int set_up(void **state)
{
    (void)sides_begin(state);
    struct sides *p = *state;
    p->village->feeds[URGENT].feed.lane = LANE_URGENT;
    p->hub->feeds[ROSTER].roster = true;
    side_hold(p->village, NORMAL, 10);
    side_hold(p->village, URGENT, 3);
    side_hold(p->hub, OF_HUB, 20);
    side_hold(p->hub, ROSTER, 5);
    return 0;
}

static void start(struct sides *p, bool hold)
{
    struct session_feed feeds[2];
    struct session_options options = {
        .connecting = true, .software = "test", .window = CREDIT_DEFAULT, .limited = hold};
    side_describe(p->village, NORMAL, &feeds[0]);
    side_describe(p->village, URGENT, &feeds[1]);
    assert_int_equal(session_open(&p->village->session, &options, feeds, 2, 1), OK);
    side_start(p->hub, false, NULL);
    sides_talk(p->village, p->hub);
}

static uint64_t held_by(const struct side *s, size_t feed)
{
    return s->feeds[feed].held ? s->feeds[feed].top[0] : 0;
}

static struct session_status status_of(const struct side *s)
{
    struct session_status status;
    session_status(s->session, &status);
    return status;
}

static void roster_and_urgent_go_and_the_others_wait(void **state)
{
    struct sides *p = *state;
    start(p, true);
    assert_int_equal(held_by(p->hub, URGENT), 3);
    assert_int_equal(held_by(p->village, ROSTER), 5);
    assert_int_equal(held_by(p->hub, NORMAL), 0);
    assert_int_equal(held_by(p->village, OF_HUB), 0);
    struct session_status village = status_of(p->village), hub = status_of(p->hub);
    assert_true(village.holding && !village.held && hub.held && !hub.holding);
    assert_false(village.idle || hub.idle); /* a feed never seen might be urgent and on its way */
    session_tick(p->village->session, session_deadline_ms(p->village->session));
    session_tick(p->hub->session, session_deadline_ms(p->hub->session));
    assert_true(side_idle(p->village) && side_idle(p->hub));
    assert_int_equal(village.unsent, 10);
    assert_int_equal(hub.unsent, 20);
}

static void all_goes_when_there_are_bytes_again(void **state)
{
    struct sides *p = *state;
    start(p, true);
    session_room(p->village->session, UINT64_MAX, 1);
    assert_false(side_idle(p->village));
    sides_talk(p->village, p->hub);
    assert_int_equal(held_by(p->hub, NORMAL), 10);
    assert_int_equal(held_by(p->village, OF_HUB), 20);
    assert_true(side_idle(p->village) && side_idle(p->hub));
}

static void urgent_events_recorded_later_go_too(void **state)
{
    struct sides *p = *state;
    start(p, true);
    side_hold(p->village, URGENT, 4);
    side_hold(p->village, NORMAL, 11);
    struct session_feed feed;
    side_describe(p->village, NORMAL, &feed);
    session_heads(p->village->session, &feed, 1);
    side_describe(p->village, URGENT, &feed);
    session_heads(p->village->session, &feed, 1);
    sides_talk(p->village, p->hub);
    assert_int_equal(held_by(p->hub, URGENT), 4);
    assert_int_equal(held_by(p->hub, NORMAL), 0);
}

/* It asks for what it was not sent; that waits as well. */
static void a_want_is_no_way_around(void **state)
{
    struct sides *p = *state;
    start(p, true);
    struct frame_want want = {.has_feed = true};
    struct feed feed = side_feed(NORMAL);
    struct feed_id id;
    struct buf frame = {0};
    feed_id_of(&id, &feed);
    memcpy(want.feed.id8, id.bytes, sizeof want.feed.id8);
    frame_want_write(&frame, &want);
    session_frame(p->village->session, buf_slice(&frame), 1);
    sides_talk(p->village, p->hub);
    assert_int_equal(held_by(p->hub, NORMAL), 0);
    buf_clear(&frame);
}

static void a_run_on_its_way_is_waited_for(void **state)
{
    struct sides *p = *state;
    start(p, false);
    side_hold(p->village, NORMAL, 12);
    struct session_feed feed;
    side_describe(p->village, NORMAL, &feed);
    session_heads(p->village->session, &feed, 1);
    side_act(p->village);
    session_room(p->village->session, 0, 1);
    side_act(p->village);
    assert_false(side_idle(p->village));
    sides_talk(p->village, p->hub);
    assert_int_equal(held_by(p->hub, NORMAL), 12);
    assert_true(side_idle(p->village));
}

static void it_is_said_in_three_bytes(void **state)
{
    (void)state;
    struct buf frame = {0};
    bool hold = false;
    frame_hold_write(&frame, true);
    assert_int_equal(frame.size, 3);
    assert_int_equal(frame_hold_read(&hold, buf_slice(&frame)), OK);
    assert_true(hold);
    assert_int_equal(frame_hold_read(&hold, slice_of("\x91\x09", 2)), ERR_MALFORMED);
    buf_clear(&frame);
}

/* Each run is of one event; the first of them takes what room there is. */
static void a_little_room_is_used_and_no_more(void **state)
{
    struct sides *p = *state;
    p->village->run_events = 1;
    start(p, true);
    session_room(p->village->session, 1, 1);
    sides_talk(p->village, p->hub);
    assert_int_equal(held_by(p->hub, NORMAL), 1);
    session_room(p->village->session, UINT64_MAX, 1);
    sides_talk(p->village, p->hub);
    assert_int_equal(held_by(p->hub, NORMAL), 10);
}

static void hold_that_is_no_bool_is_refused(void **state)
{
    struct sides *p = *state;
    start(p, false);
    session_frame(p->hub->session, slice_of("\x92\x09\x01", 3), 1);
    side_act(p->hub);
    assert_int_equal(p->hub->end.refused, REFUSE_MALFORMED);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, sides_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(roster_and_urgent_go_and_the_others_wait), STORY(all_goes_when_there_are_bytes_again),
        STORY(urgent_events_recorded_later_go_too),      STORY(a_want_is_no_way_around),
        STORY(a_run_on_its_way_is_waited_for),           STORY(a_little_room_is_used_and_no_more),
        cmocka_unit_test(it_is_said_in_three_bytes),     STORY(hold_that_is_no_bool_is_refused),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
