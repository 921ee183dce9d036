/* An enrolled village that claims too much or takes nothing: what test_enemy.c has no row for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/sync/state.h"
#include "tests/support/enemy.h"

#include <string.h>

/* --- runs that are small on the wire and large when opened --- */

enum { LARGE_RUNS = 6, LARGE_EVENTS = 60, LARGE_BODY = 15000 };

/* A feed of its own whose only run is some 900 KB of the same letter. */
static void enemy_sends_large_run(unsigned number, struct slice body)
{
    struct event events[LARGE_EVENTS];
    struct odd o = {.feed = feed_in(scene.enemy, ENEMY_SCOPE), .body = body};
    o.feed.has_epoch = true;
    be64_put(o.feed.epoch, number + 1);
    for (unsigned i = 0; i < LARGE_EVENTS; i++) {
        o.seq = i + 1;
        events[i] = odd_event(&o);
        o.prev = events[i].id;
    }
    enemy_sends_events(events, LARGE_EVENTS);
}

/* One transaction holds in memory what it writes: it is bounded by that. */
static void a_turn_opens_no_more_than_its_share(void **state)
{
    (void)state;
    static char text[LARGE_BODY + 1];
    struct mp_map map = {0};
    struct buf body = {0};
    memset(text, 'a', LARGE_BODY);
    struct mp_writer w = mp_map_put(&map, "x");
    mp_write_text(&w, text);
    assert_int_equal(mp_map_end(&map, &body), OK);
    enemy_says_hello();
    for (unsigned i = 0; i < LARGE_RUNS; i++) enemy_sends_large_run(i, buf_slice(&body));
    turns(1);
    const uint64_t most = TURN_RAW_MAX + RUN_RAW_SIZE_MAX;
    assert_in_range(hub_holds(ENEMY_SCOPE), LARGE_EVENTS, most / LARGE_BODY);
    turns(LARGE_RUNS);
    assert_int_equal(scene.refused, 0);
    assert_int_equal(hub_holds(ENEMY_SCOPE), LARGE_RUNS * LARGE_EVENTS);
    mp_map_clear(&map);
    buf_clear(&body);
    assert_the_honest_village_is_served();
}

/* Two branches from event 1 on; who holds one of them is sent the other, from the fork. */
static void a_want_from_one_branch_is_answered_by_the_other(void **state)
{
    (void)state;
    enum { LONG = 12 };
    struct event branches[2][LONG], *all[2 * LONG];
    const struct feed feed = feed_in(scene.enemy, ENEMY_SCOPE);
    for (size_t b = 0; b < 2; b++)
        for (size_t i = 0; i < LONG; i++) {
            struct odd o = {.feed = feed, .seq = i + 1};
            if (i) o.prev = branches[i == 1 ? 0 : b][i - 1].id;
            if (b && !i)
                branches[b][i] = branches[0][0];
            else
                branches[b][i] = odd_event(&o);
            all[b * LONG + i] = &branches[b][i];
        }
    township_node_take(&scene.hub.store, all, 2 * LONG);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 2 * LONG - 1);
    struct exchange_time time = {.now_ms = ++scene.now_ms};
    assert_int_equal(exchange_refresh(scene.hub.exchange, &time), OK);
    enemy_says_hello();
    turns(4);
    unsigned runs = scene.got[FRAME_RUN], wants = scene.got[FRAME_WANT];
    struct buf frame = {0};
    struct frame_want want = {.has_feed = true, .feed = {.whole = true, .feed = feed}};
    for (size_t i = LONG; i-- > 5;) {
        struct want_point *p = &want.points[want.point_count++];
        p->seq = i + 1;
        memcpy(p->id8, branches[1][i].id.bytes, sizeof p->id8);
    }
    frame_want_write(&frame, &want);
    enemy_sends(&frame);
    turns(4);
    assert_int_equal(scene.got[FRAME_RUN], runs + 1);
    assert_int_equal(scene.got[FRAME_WANT], wants);
    assert_int_equal(scene.refused, 0);
}

/* --- a peer that takes nothing --- */

static void enemy_opens_epochs(enum lane lane, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        struct odd o = {.feed = feed_in(scene.enemy, ENEMY_SCOPE)};
        o.feed.lane = (uint8_t)lane;
        o.feed.has_epoch = true;
        be64_put(o.feed.epoch, i + 1);
        enemy_sends_event(&o);
        turns(1);
    }
}

static size_t frames_unsent_to_enemy(void)
{
    size_t count = 0;
    for (const struct peer *p = scene.hub.exchange->peers; p; p = p->next)
        for (const struct unsent *u = p->unsent; u && p->link == scene.to_enemy; u = u->next)
            count++;
    return count;
}

static void a_peer_that_reads_nothing_is_given_up(void **state)
{
    (void)state;
    struct exchange_peer peers[2];
    const struct feed town = feed_in(&scene.township.authority, "town");
    enemy_says_hello();
    pipe_fill(scene.enemy_pipe, UINT32_MAX);
    /* No more runs are made than one that waits, however often they are asked for. */
    for (unsigned i = 0; i < 50; i++) {
        enemy_wants(&town, 0);
        turns(1);
        assert_true(frames_unsent_to_enemy() <= 2);
    }
    enemy_opens_epochs(LANE_NORMAL, 0, DEVICE_EPOCHS_MAX);
    enemy_opens_epochs(LANE_URGENT, 0, DEVICE_EPOCHS_MAX);
    enemy_opens_epochs(LANE_INTAKE, 0, DEVICE_EPOCHS_MAX);
    assert_int_equal(exchange_peers(scene.hub.exchange, peers, 2), 2);
    for (unsigned i = 0; i < 90; i++) enemy_wants(NULL, WANT_HELLO);
    turns(2);
    assert_int_equal(exchange_peers(scene.hub.exchange, peers, 2), 1);
    assert_the_honest_village_is_served();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, enemy_begin, enemy_end)
        TEST(a_turn_opens_no_more_than_its_share),
        TEST(a_want_from_one_branch_is_answered_by_the_other),
        TEST(a_peer_that_reads_nothing_is_given_up),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
