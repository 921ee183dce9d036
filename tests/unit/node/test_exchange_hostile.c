/* What an enrolled village sends that it should not: runs that lie, foreign feeds, broken frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/enemy.h"

#include <string.h>

/* --- runs that are not what they say --- */

static void spoil_signature(struct bad_run *r)
{
    r->frame.run.signature.bytes[3] ^= 1;
}

static void spoil_check(struct bad_run *r)
{
    r->frame.run.check4[0] ^= 1;
}

static void understate_size(struct bad_run *r)
{
    r->frame.run.raw_size--;
}

static void overstate_size(struct bad_run *r)
{
    r->frame.run.raw_size = RUN_RAW_SIZE_MAX;
}

static void understate_count(struct bad_run *r)
{
    r->frame.run.count--;
}

static void overstate_count(struct bad_run *r)
{
    r->frame.run.count = RUN_EVENTS_MAX;
}

static void garble_payload(struct bad_run *r)
{
    memset(r->payload.data + r->payload.size / 2, 0xff, r->payload.size / 2);
}

static void swap_feed(struct bad_run *r)
{
    r->frame.feed.feed.lane = LANE_URGENT;
}

/* A mebibyte of zeros in a few bytes, and the size of the honest records. */
static void hide_a_bomb(struct bad_run *r)
{
    static uint8_t zeros[RUN_RAW_SIZE_MAX];
    uint32_t raw_size = r->frame.run.raw_size;
    buf_reset(&r->payload);
    assert_int_equal(run_build(&r->frame.run, scene.zstd, slice_of(zeros, sizeof zeros), 3,
                               SLICE_EMPTY, 1, &r->payload),
                     OK);
    assert_true(r->payload.size < 1024);
    r->frame.run.raw_size = raw_size;
}

static void state_the_bomb(struct bad_run *r)
{
    hide_a_bomb(r);
    r->frame.run.raw_size = RUN_RAW_SIZE_MAX;
}

static void invent_a_dictionary(struct bad_run *r)
{
    r->frame.run.has_dictionary = true;
    r->frame.run.base_seq = 1;
}

/* depth over seen: no author's tool writes that */
static void raise_depth(struct bad_run *r)
{
    size_t depth =
        2 + strlen("request.register"); /* after the array's and the kind's first bytes */
    assert_int_equal(r->raw.data[depth], 0);
    r->raw.data[depth] = 5;
    buf_reset(&r->payload);
    assert_int_equal(
        run_build(&r->frame.run, scene.zstd, buf_slice(&r->raw), 3, SLICE_EMPTY, 1, &r->payload),
        OK);
}

static void overflow_numbers(struct bad_run *r)
{
    r->frame.run.base_seq = EVENT_SEQ_MAX - 1;
}

static void a_run_that_lies_is_refused_and_not_stored(void **state)
{
    static const struct {
        void (*spoil)(struct bad_run *r);
        enum refuse_code code;
    } cases[] = {
        {spoil_signature, REFUSE_SIGNATURE},  {spoil_check, REFUSE_MALFORMED},
        {understate_size, REFUSE_MALFORMED},  {overstate_size, REFUSE_MALFORMED},
        {understate_count, REFUSE_MALFORMED}, {overstate_count, REFUSE_MALFORMED},
        {garble_payload, REFUSE_MALFORMED},   {swap_feed, REFUSE_SIGNATURE},
        {hide_a_bomb, REFUSE_MALFORMED},      {state_the_bomb, REFUSE_MALFORMED},
        {raise_depth, REFUSE_MALFORMED},      {overflow_numbers, REFUSE_MALFORMED},
    };
    (void)state;
    struct event events[3];
    for (size_t i = 0; i < 3; i++)
        events[i] = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE),
                                            .seq = i + 1,
                                            .prev = i ? events[i - 1].id : (struct event_id){{0}}});
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bad_run r;
        enemy_says_hello();
        run_begin(&r, events, 3);
        cases[i].spoil(&r);
        run_sent(&r);
        turns(4);
        if (scene.refused != cases[i].code) fail_msg("case %zu: %d", i, (int)scene.refused);
        struct peer_row row;
        enemy_row(&row);
        assert_int_equal(row.refusals, i + 1);
        peer_row_clear(&row);
        enemy_leaves();
        enemy_connects();
    }
    assert_int_equal(hub_holds(ENEMY_SCOPE), 0);
    assert_the_honest_village_is_served();
}

static void a_run_whose_base_or_dictionary_is_not_held_is_asked_for(void **state)
{
    (void)state;
    struct bad_run r;
    struct event e = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    enemy_says_hello();
    run_begin(&r, &e, 1);
    invent_a_dictionary(&r);
    run_sent(&r);
    turns(3);
    assert_int_equal(scene.got[FRAME_WANT], 1);
    enemy_sends_events(&e, 1);
    turns(3);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 1);
    struct event next = odd_event(&(struct odd){.feed = e.feed, .seq = 2, .prev = e.id});
    run_begin(&r, &next, 1);
    invent_a_dictionary(&r);
    memcpy(r.frame.run.base_id8, e.id.bytes, sizeof r.frame.run.base_id8);
    r.frame.run.check4[0] ^= 1; /* of other bytes than come out here */
    run_sent(&r);
    turns(3);
    assert_int_equal(scene.got[FRAME_WANT], 2);
    assert_int_equal(scene.refused, 0);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 1);
    assert_the_honest_village_is_served();
}

static void the_middle_of_a_chain_is_not_its_beginning(void **state)
{
    (void)state;
    struct event first = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = first.feed, .seq = 2, .prev = first.id});
    assert_refused(REFUSE_SIGNATURE);
}

/* --- frames --- */

static void an_oversized_frame_is_refused(void **state)
{
    (void)state;
    struct buf frame = {0};
    enemy_says_hello();
    memset(buf_reserve(&frame, FRAME_SIZE_MAX + 1), 0xc0, FRAME_SIZE_MAX + 1);
    buf_advance(&frame, FRAME_SIZE_MAX + 1);
    enemy_sends(&frame);
    assert_refused(REFUSE_LIMIT);
}

static void a_garbled_frame_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    pipe_inject(scene.enemy_pipe, slice_of_text("\x9b\x02\xc4"));
    assert_refused(REFUSE_MALFORMED);
}

static void a_frame_before_hello_is_refused(void **state)
{
    (void)state;
    enemy_sends_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    assert_refused(REFUSE_ORDER);
}

/* --- feeds that it may not hold --- */

static void a_feed_of_another_village_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(scene.enemy, "village:431322111209")});
    assert_refused(REFUSE_SCOPE);
}

static void another_authors_feed_outside_its_scopes_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(&scene.township.devices[1], HONEST_SCOPE)});
    assert_refused(REFUSE_SCOPE);
}

static void another_villages_device_may_not_author_here(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(&scene.township.devices[1], ENEMY_SCOPE)});
    assert_refused(REFUSE_SCOPE);
}

static void another_authors_feed_needs_the_authors_signature(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(&scene.township.authority, "town")});
    assert_refused(REFUSE_SIGNATURE);
}

static void an_author_that_no_roster_names_is_asked_about(void **state)
{
    (void)state;
    struct township_device stranger = *scene.enemy;
    township_signer(&stranger.signer, 900);
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(&stranger, ENEMY_SCOPE)});
    turns(3);
    assert_int_equal(scene.got[FRAME_WANT], 2); /* the roster, and the feed */
    assert_int_equal(scene.refused, 0);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 0);
    assert_the_honest_village_is_served();
}

/* The hub holds a record whose author its roster does not name any more. */
static void an_unknown_author_opens_no_other_villages_feed(void **state)
{
    (void)state;
    struct township_device stranger = *scene.enemy;
    struct bad_run r;
    struct feed_id id;
    township_signer(&stranger.signer, 900);
    stranger.feed_count = 0;
    struct event secret =
        odd_event(&(struct odd){.feed = feed_in(&stranger, "village:431322111209")});
    event_sign(&secret, &stranger.signer);
    township_node_take(&scene.hub.store, &(struct event *){&secret}, 1);
    enemy_says_hello();
    unsigned before = scene.got[FRAME_RUN];
    run_begin(&r, &secret, 1);
    feed_id_of(&id, &secret.feed);
    r.frame.feed.whole = false;
    memcpy(r.frame.feed.id8, id.bytes, sizeof r.frame.feed.id8);
    run_sent(&r);
    turns(4);
    assert_int_equal(scene.got[FRAME_WANT], 0);
    assert_int_equal(scene.got[FRAME_RUN], before);
    assert_refused(REFUSE_SCOPE);
}

/* --- what is odd but not malformed: kept, without effect --- */

static size_t devices_of_hub(void)
{
    struct txn *t;
    const struct roster *roster;
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    assert_int_equal(views_roster(scene.hub.store.views, t, &roster), OK);
    size_t count = roster->device_count;
    txn_abort(t);
    return count;
}

static void odd_events_are_kept_without_effect(void **state)
{
    (void)state;
    const struct thing_id *device = &scene.township.hub.thing, *village = &scene.enemy->thing;
    const struct feed own = feed_in(scene.enemy, ENEMY_SCOPE), town = feed_in(scene.enemy, "town");
    const struct thing_id nothing = {{1}};
    const struct odd odd[] = {
        {.feed = own, .kind = "request.dissolve"}, /* unknown kind */
        {.feed = own, .kind = "request.register"}, /* lacks every field */
        {.feed = own, .kind = "request.accept", .subject = &nothing, .depth = 1, .seen = 1},
        {.feed = own, .time_ms = HLC_MS_MAX}, /* a clock of the year 10889 */
        {.feed = own, .time_ms = 1},
        {.feed = own,
         .kind = "request.report",
         .subject = &nothing,
         .depth = UINT32_MAX,
         .seen = UINT32_MAX},
        {.feed = town, .kind = "device.invited"}, /* not the authority */
        {.feed = town, .kind = "device.joined", .subject = device, .depth = 2, .seen = 2},
        {.feed = town, .kind = "device.revoked", .subject = device, .depth = 3, .seen = 3},
        {.feed = town, .kind = "township.founded"},
        {.feed = town, .kind = "village.put", .subject = village, .depth = 9, .seen = 9},
    };
    size_t devices = devices_of_hub(), held[2] = {0};
    struct event last[2];
    enemy_says_hello();
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct odd o = odd[i];
        size_t feed = scope_class(&o.feed.scope) == SCOPE_TOWN;
        o.seq = ++held[feed];
        if (o.seq > 1) o.prev = last[feed].id;
        struct event e = odd_event(&o);
        struct bad_run r;
        run_begin(&r, &e, 1);
        if (o.seq > 1) { /* without a dictionary, after the one before */
            struct run_context context = {.time = last[feed].time};
            buf_reset(&r.raw);
            buf_reset(&r.payload);
            assert_int_equal(run_record_write(&context, &r.raw, &e), OK);
            assert_int_equal(run_build(&r.frame.run, scene.zstd, buf_slice(&r.raw), 1, SLICE_EMPTY,
                                       1, &r.payload),
                             OK);
            run_context_clear(&context);
            r.frame.run.base_seq = o.seq - 1;
            memcpy(r.frame.run.base_id8, o.prev.bytes, sizeof r.frame.run.base_id8);
        }
        run_sent(&r);
        turns(3);
        if (scene.refused) fail_msg("event %zu: %d", i, (int)scene.refused);
        last[feed] = e;
    }
    assert_int_equal(hub_holds(ENEMY_SCOPE), held[0]);
    assert_int_equal(hub_holds("town"), scene.township.roster_count + held[1]);
    assert_int_equal(devices_of_hub(), devices);
    assert_int_equal(exchange_admit(scene.hub.exchange, &scene.hub.keys.transport, 0),
                     EXCHANGE_DEVICE);
    assert_the_honest_village_is_served();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, enemy_begin, enemy_end)
        TEST(a_run_that_lies_is_refused_and_not_stored),
        TEST(a_run_whose_base_or_dictionary_is_not_held_is_asked_for),
        TEST(the_middle_of_a_chain_is_not_its_beginning),
        TEST(an_oversized_frame_is_refused),
        TEST(a_garbled_frame_is_refused),
        TEST(a_frame_before_hello_is_refused),
        TEST(a_feed_of_another_village_is_refused),
        TEST(another_authors_feed_outside_its_scopes_is_refused),
        TEST(another_villages_device_may_not_author_here),
        TEST(another_authors_feed_needs_the_authors_signature),
        TEST(an_author_that_no_roster_names_is_asked_about),
        TEST(an_unknown_author_opens_no_other_villages_feed),
        TEST(odd_events_are_kept_without_effect),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
