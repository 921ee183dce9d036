/* An enrolled village that repeats itself, claims too much, or takes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/sync/state.h"
#include "tests/support/enemy.h"

#include <string.h>

/* --- HELLO --- */

/* What a peer claims of feeds that are not here is not kept: its row would outgrow the store's
 * limit and take the commits of all peers with it. */
static void claims_of_unknown_feeds_cost_nobody_a_commit(void **state)
{
    (void)state;
    enemy_greets(1, HAVE_ENTRIES_MAX, true);
    turns(1);
    enemy_greets(1 + HAVE_ENTRIES_MAX, HAVE_ENTRIES_MAX - 100, false);
    turns(2);
    assert_int_equal(scene.refused, 0);
    assert_the_honest_village_is_served();
    assert_null(strstr(scene.hub.log, "not stored"));
    enemy_leaves();
    enemy_connects();
    turns(2);
    struct peer_row row;
    enemy_row(&row);
    assert_int_equal(row.have_count, 0);
    peer_row_clear(&row);
}

/* --- floods of branches and epochs --- */

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

static void the_65th_epoch_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_opens_epochs(LANE_NORMAL, 0, DEVICE_EPOCHS_MAX);
    turns(2);
    assert_int_equal(scene.refused, 0);
    assert_int_equal(hub_holds(ENEMY_SCOPE), DEVICE_EPOCHS_MAX);
    enemy_opens_epochs(LANE_NORMAL, DEVICE_EPOCHS_MAX, DEVICE_EPOCHS_MAX + 1);
    turns(2);
    assert_int_equal(scene.refused, REFUSE_LIMIT);
    assert_int_equal(hub_holds(ENEMY_SCOPE), DEVICE_EPOCHS_MAX);
    assert_the_honest_village_is_served();
}

static void the_ninth_branch_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    for (unsigned i = 0; i <= FEED_BRANCHES_MAX; i++) {
        assert_int_equal(scene.refused, 0);
        enemy_sends_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
        turns(2);
    }
    assert_int_equal(scene.refused, REFUSE_LIMIT);
    assert_int_equal(hub_holds(ENEMY_SCOPE), FEED_BRANCHES_MAX);
    assert_the_honest_village_is_served();
}

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

/* --- receipts --- */

struct receipt {
    uint64_t counter, seq;
    const struct event *event;
    const struct signer *signer;      /* NULL: the enemy */
    const struct sign_key *addressee; /* NULL: the hub */
};

static void enemy_receipts(const struct receipt *r)
{
    struct buf frame = {0};
    struct feed_id id;
    struct frame_receipt f = {.counter = r->counter, .credit = MIB(1), .entry_count = 1};
    struct receipt_entry entry = {.seq = r->seq, .id = r->event->id};
    struct receipt_parties parties = {.township = scene.township.authority.signer.key,
                                      .receiver = scene.enemy->signer.key,
                                      .addressee =
                                          r->addressee ? *r->addressee : scene.hub.keys.signer.key,
                                      .generation = {7}};
    feed_id_of(&id, &r->event->feed);
    memcpy(entry.feed8, id.bytes, sizeof entry.feed8);
    frame_receipt_write(&frame, &f, &entry, &parties, r->signer ? r->signer : &scene.enemy->signer);
    enemy_sends(&frame);
}

static void a_receipt_by_another_key_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_receipts(&(struct receipt){.counter = 1,
                                     .seq = 1,
                                     .event = scene.township.events[0],
                                     .signer = &scene.township.devices[1].signer});
    assert_refused(REFUSE_SIGNATURE);
}

static void a_receipt_for_another_addressee_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_receipts(&(struct receipt){.counter = 1,
                                     .seq = 1,
                                     .event = scene.township.events[0],
                                     .addressee = &scene.township.devices[1].signer.key});
    assert_refused(REFUSE_SIGNATURE);
}

static void a_receipt_that_is_played_again_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    const struct receipt r = {.counter = 5, .seq = 1, .event = scene.township.events[0]};
    enemy_receipts(&r);
    turns(2);
    assert_int_equal(scene.refused, 0);
    enemy_receipts(&r);
    assert_refused(REFUSE_ORDER);
}

/* What it says of itself is believed, but no row and no commit suffers from it. */
static void a_receipt_for_what_it_may_not_hold_means_nothing(void **state)
{
    (void)state;
    const struct event *foreign = scene.township.events[scene.township.event_count - 1];
    enemy_says_hello();
    enemy_receipts(&(struct receipt){.counter = 5, .seq = HONEST_REQUESTS, .event = foreign});
    turns(3);
    assert_int_equal(scene.refused, 0);
    assert_the_honest_village_is_served();
}

static void a_receipt_that_shrinks_is_sent_again_so_often(void **state)
{
    (void)state;
    const struct event *last = scene.township.events[0], *first = last;
    for (size_t i = 0; i < scene.township.roster_count; i++)
        if (feed_equal(&scene.township.events[i]->feed, &first->feed))
            last = scene.township.events[i];
    enemy_says_hello();
    turns(3);
    unsigned sent = scene.got[FRAME_RUN];
    enemy_receipts(&(struct receipt){.counter = 1, .seq = last->seq, .event = last});
    enemy_receipts(&(struct receipt){.counter = 2, .seq = first->seq, .event = first});
    turns(3);
    assert_int_equal(scene.got[FRAME_RUN], sent + 1);
    for (unsigned i = 2; i < 300; i++) {
        const struct event *e = i % 2 ? first : last;
        enemy_receipts(&(struct receipt){.counter = i + 1, .seq = e->seq, .event = e});
    }
    assert_refused(REFUSE_LIMIT);
}

/* --- floods --- */

static void a_flood_of_hellos_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500; i++) enemy_greets(1, HAVE_ENTRIES_MAX, true);
    assert_refused(REFUSE_LIMIT);
}

static void a_hello_that_belies_its_digest_is_refused(void **state)
{
    (void)state;
    struct buf frame = {0};
    struct frame_hello h = hello_of_enemy();
    struct have_entry have = {.seq = 1};
    h.have_count = 1;
    frame_hello_write(&frame, &h, &have);
    enemy_sends(&frame);
    assert_refused(REFUSE_MALFORMED);
}

static void a_flood_of_wants_is_refused(void **state)
{
    (void)state;
    const struct feed office = feed_in(&scene.township.hub, "office");
    enemy_says_hello();
    for (unsigned i = 0; i < 1001; i++) enemy_wants(i % 2 ? &office : NULL, 0);
    assert_refused(REFUSE_LIMIT);
}

static void a_want_for_what_it_may_not_hold_is_ignored(void **state)
{
    (void)state;
    const struct feed honest = feed_in(&scene.township.devices[1], HONEST_SCOPE);
    assert_the_honest_village_is_served();
    enemy_says_hello();
    turns(3);
    unsigned sent = scene.got[FRAME_RUN];
    enemy_wants(&honest, WANT_NO_DICTIONARY | WANT_BOXES);
    turns(3);
    assert_int_equal(scene.got[FRAME_RUN], sent);
    assert_int_equal(scene.refused, 0);
}

static void a_flood_of_runs_that_bring_nothing_is_refused(void **state)
{
    (void)state;
    struct event e = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    enemy_says_hello();
    for (unsigned i = 0; i <= RUNS_WASTED_MAX + 1; i++) enemy_sends_events(&e, 1);
    turns(6);
    assert_int_equal(scene.refused, REFUSE_LIMIT);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 1);
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

/* --- PINGs --- */

static void a_flood_of_questions_is_answered_once_a_second(void **state)
{
    (void)state;
    enemy_says_hello();
    turns(2);
    uint64_t begun_ms = scene.now_ms;
    for (unsigned i = 0; i < 5000; i++) {
        struct buf frame = {0};
        frame_ping_write(&frame, 0);
        enemy_sends(&frame);
        if (i % 50 == 49) turns(1);
    }
    turns(10);
    uint64_t seconds = (scene.now_ms - begun_ms) / 1000;
    assert_in_range(scene.got[FRAME_PING], 2, seconds + 1);
    assert_int_equal(scene.refused, 0);
    assert_the_honest_village_is_served();
}

static void a_peer_that_says_nothing_more_is_left(void **state)
{
    (void)state;
    struct exchange_peer peers[2];
    enemy_says_hello();
    turns(2);
    assert_int_equal(exchange_peers(scene.hub.exchange, peers, 2), 2);
    turns(50 * 100); /* 20 ms each, for hub and village */
    assert_int_equal(exchange_peers(scene.hub.exchange, peers, 2), 1);
    assert_non_null(strstr(scene.hub.log, "the peer fell silent"));
    assert_the_honest_village_is_served();
}

/* --- a peer that takes nothing --- */

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
        TEST(claims_of_unknown_feeds_cost_nobody_a_commit),
        TEST(the_65th_epoch_is_refused),
        TEST(the_ninth_branch_is_refused),
        TEST(a_turn_opens_no_more_than_its_share),
        TEST(a_receipt_by_another_key_is_refused),
        TEST(a_receipt_for_another_addressee_is_refused),
        TEST(a_receipt_that_is_played_again_is_refused),
        TEST(a_receipt_for_what_it_may_not_hold_means_nothing),
        TEST(a_receipt_that_shrinks_is_sent_again_so_often),
        TEST(a_flood_of_hellos_is_refused),
        TEST(a_hello_that_belies_its_digest_is_refused),
        TEST(a_flood_of_wants_is_refused),
        TEST(a_want_for_what_it_may_not_hold_is_ignored),
        TEST(a_flood_of_runs_that_bring_nothing_is_refused),
        TEST(a_want_from_one_branch_is_answered_by_the_other),
        TEST(a_flood_of_questions_is_answered_once_a_second),
        TEST(a_peer_that_says_nothing_more_is_left),
        TEST(a_peer_that_reads_nothing_is_given_up),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
