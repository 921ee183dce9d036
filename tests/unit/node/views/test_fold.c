#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/views/request.h"
#include "tests/support/township.h"

#define OWN_SCOPE "village:431322111201"
#define ACCEPT "{\"class\":\"general\"}"

static struct township town;
static struct township_node node;
static struct thing_id subject;

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 1);
    township_node_open(&node, &town, &town.hub);
    subject = township_register(&town, &town.devices[0], "01A-0001")->subject;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static const struct event *note(struct township_device *d, uint32_t depth, uint32_t seen)
{
    return township_record(&town, d,
                           &(struct township_act){.kind = "request.accept",
                                                  .scope = OWN_SCOPE,
                                                  .subject = &subject,
                                                  .depth = depth,
                                                  .seen = seen,
                                                  .body = ACCEPT});
}

static void history_of(struct history *h)
{
    struct txn *t;
    uint32_t scope = township_node_scope(&node, OWN_SCOPE);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_history(node.views, t, scope, &subject, h), OK);
    txn_abort(t);
}

static bool has_row(void)
{
    struct txn *t;
    struct request r;
    struct thing_key key = {township_node_scope(&node, OWN_SCOPE), subject};
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    enum err err = request_get(t, &key, &r);
    txn_abort(t);
    return err == OK;
}

static void puts_the_township_before_the_village_at_one_depth(void **state)
{
    (void)state;
    struct history h;
    town.time_ms = 1;
    const struct event *village = note(&town.devices[0], 1, 1);
    town.time_ms = HLC_MS_MAX;
    const struct event *hub = note(&town.hub, 1, 1);
    township_node_take_all(&node, &town);
    history_of(&h);
    assert_int_equal(h.count, 3);
    assert_true(h.items[0].event.founding);
    assert_true(event_id_equal(&h.items[1].event.id, &hub->id));
    assert_int_equal(h.items[1].effect, EFFECT_COUNTS);
    assert_false(h.items[1].both_changed);
    assert_true(event_id_equal(&h.items[2].event.id, &village->id));
    assert_int_equal(h.items[2].effect, EFFECT_IMPOSSIBLE);
    assert_true(h.items[2].both_changed);
    history_clear(&h);
}

static void puts_cause_before_effect_whatever_the_clocks_say(void **state)
{
    (void)state;
    struct history h;
    town.time_ms = HLC_MS_MAX;
    const struct event *first = note(&town.devices[0], 1, 1);
    town.time_ms = 1;
    const struct event *second = note(&town.hub, 2, 2);
    township_node_take_all(&node, &town);
    history_of(&h);
    assert_true(event_id_equal(&h.items[1].event.id, &first->id));
    assert_true(event_id_equal(&h.items[2].event.id, &second->id));
    history_clear(&h);
}

static void orders_by_time_and_then_by_id_at_one_depth_of_one_side(void **state)
{
    (void)state;
    struct history h;
    struct township_device *second =
        township_join(&town, town.devices[0].village, ROLE_VILLAGE, 'B');
    struct township_device *third =
        township_join(&town, town.devices[0].village, ROLE_VILLAGE, 'C');
    const uint64_t same = town.time_ms;
    const struct event *a = note(&town.devices[0], 1, 1);
    town.time_ms = same;
    const struct event *b = note(second, 1, 1);
    town.time_ms = same - 60000;
    const struct event *early = note(third, 1, 1);
    township_node_take_all(&node, &town);
    history_of(&h);
    bool a_first = memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes) < 0;
    assert_true(event_id_equal(&h.items[1].event.id, &early->id));
    assert_true(event_id_equal(&h.items[2].event.id, a_first ? &a->id : &b->id));
    assert_true(event_id_equal(&h.items[3].event.id, a_first ? &b->id : &a->id));
    history_clear(&h);

    /* the other way round, so the order of arrival cannot be it */
    subject = township_register(&town, &town.devices[0], "01A-0002")->subject;
    for (unsigned tries = 0; tries < 8; tries++) {
        const uint64_t then = town.time_ms;
        const struct event *x = note(&town.devices[0], tries + 1, tries * 2 + 1);
        town.time_ms = tries % 2 ? then - 1 : then;
        const struct event *y = note(second, tries + 1, tries * 2 + 1);
        township_node_take_all(&node, &town);
        history_of(&h);
        bool x_first = tries % 2 == 0 && memcmp(x->id.bytes, y->id.bytes, sizeof x->id.bytes) < 0;
        assert_true(event_id_equal(&h.items[h.count - 2].event.id, x_first ? &x->id : &y->id));
        history_clear(&h);
    }
}

static void holds_a_thing_whose_founding_event_is_missing(void **state)
{
    (void)state;
    struct history h;
    size_t before = town.event_count;
    note(&town.hub, 1, 1);
    township_node_take(&node, town.events, town.roster_count);
    township_node_take(&node, town.events + before, 1);
    assert_false(has_row());
    history_of(&h);
    assert_int_equal(h.type, THING_REQUEST);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.items[0].effect, EFFECT_IMPOSSIBLE);
    history_clear(&h);

    township_node_take_all(&node, &town); /* the founding event arrives */
    assert_true(has_row());
    history_of(&h);
    assert_int_equal(h.items[1].effect, EFFECT_COUNTS);
    history_clear(&h);
}

static void marks_depths_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        uint32_t depth, seen;
        enum effect effect;
    } cases[] = {
        {0, 5, EFFECT_BAD_DEPTH}, /* only a founding event has it */
        {66, 66, EFFECT_BAD_DEPTH},
        {65, 65, EFFECT_COUNTS}, /* place 1 and 64 */
        {UINT32_MAX, UINT32_MAX, EFFECT_BAD_DEPTH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct history h;
        subject = township_register(&town, &town.devices[0], "01A-0002")->subject;
        note(&town.hub, cases[i].depth, cases[i].seen);
        township_node_take_all(&node, &town);
        history_of(&h);
        assert_int_equal(h.items[1].effect, cases[i].effect);
        history_clear(&h);
    }
}

static void depth_must_grow_within_one_feed(void **state)
{
    (void)state;
    struct history h;
    const struct event *first = note(&town.hub, 2, 2);
    const struct event *lower = note(&town.hub, 1, 1);
    const struct event *equal = note(&town.hub, 2, 3);
    township_node_take_all(&node, &town);
    history_of(&h);
    for (size_t i = 1; i < h.count; i++) {
        bool is_first = event_id_equal(&h.items[i].event.id, &first->id);
        assert_int_equal(h.items[i].effect, is_first ? EFFECT_COUNTS : EFFECT_BAD_DEPTH);
        assert_true(is_first || event_id_equal(&h.items[i].event.id, &lower->id) ||
                    event_id_equal(&h.items[i].event.id, &equal->id));
    }
    assert_int_equal(h.count, 4);
    history_clear(&h);
}

/* A laptop put back from an old copy does not know what it recorded before. */
static void depth_need_not_grow_across_the_branches_of_a_fork(void **state)
{
    (void)state;
    struct history h;
    struct township_device *hub = &town.hub;
    township_register(&town, &town.devices[0], "01A-0009");
    subject = township_record(&town, hub,
                              &(struct township_act){
                                  .kind = "request.register",
                                  .scope = OWN_SCOPE,
                                  .body = "{\"number\":\"00A-0001\",\"channel\":\"phone\","
                                          "\"received\":1763859600000,\"nature\":\"help\","
                                          "\"category\":\"0103\",\"urgency\":1}",
                              })
                  ->subject;
    struct township_device copy = *hub;
    const struct event *deep = note(hub, 2, 2);
    town.time_ms += 5000;
    township_record(&town, &copy, /* a thing of its own, so numbers differ */
                    &(struct township_act){.kind = "request.fly", .scope = OWN_SCOPE});
    const struct event *shallow = note(&copy, 1, 1);
    const struct event *again = note(&copy, 1, 2); /* not on its own branch either */
    township_node_take_all(&node, &town);
    history_of(&h);
    assert_int_equal(h.count, 4);
    for (size_t i = 1; i < h.count; i++) {
        const struct history_item *item = &h.items[i];
        if (event_id_equal(&item->event.id, &again->id))
            assert_int_equal(item->effect, EFFECT_BAD_DEPTH);
        else if (event_id_equal(&item->event.id, &shallow->id))
            assert_int_equal(item->effect, EFFECT_COUNTS);
        else if (event_id_equal(&item->event.id, &deep->id))
            assert_int_equal(item->effect, EFFECT_IMPOSSIBLE); /* accepted already */
    }
    history_clear(&h);
}

static void ignores_what_carries_an_extension_that_must_be_understood(void **state)
{
    (void)state;
    static const uint8_t optional[] = {0x81, 0x7f, 0xc4, 1, 0};
    static const uint8_t must[] = {0x82, 0x01, 0xc4, 1, 0, 0xcc, 0x80, 0xc4, 1, 0};
    struct history h;
    struct township_act act = {.kind = "request.accept",
                               .scope = OWN_SCOPE,
                               .subject = &subject,
                               .depth = 1,
                               .seen = 1,
                               .body = ACCEPT,
                               .ext = slice_of(must, sizeof must)};
    township_record(&town, &town.hub, &act);
    act.ext = slice_of(optional, sizeof optional);
    act.depth = act.seen = 2;
    township_record(&town, &town.hub, &act);
    township_node_take_all(&node, &town);
    history_of(&h);
    assert_int_equal(h.items[1].effect, EFFECT_EXT);
    assert_int_equal(h.items[2].effect, EFFECT_COUNTS);
    history_clear(&h);
}

static void a_thing_founded_without_the_right_is_not_shown(void **state)
{
    (void)state;
    struct history h;
    struct township_device *unit = township_join(&town, "", ROLE_UNIT, 'B');
    subject = township_record(&town, unit,
                              &(struct township_act){
                                  .kind = "request.register",
                                  .scope = OWN_SCOPE,
                                  .body = "{\"number\":\"00B-0001\",\"channel\":\"phone\","
                                          "\"received\":1763859600000,\"nature\":\"help\","
                                          "\"category\":\"0103\",\"urgency\":1}",
                              })
                  ->subject;
    note(&town.hub, 1, 1);
    township_node_take_all(&node, &town);
    assert_false(has_row());
    history_of(&h);
    assert_int_equal(h.items[0].effect, EFFECT_FORBIDDEN);
    assert_int_equal(h.items[1].effect, EFFECT_IMPOSSIBLE);
    assert_string_equal(h.items[1].state_after, "held");
    history_clear(&h);
}

static void an_acting_kind_founds_nothing_and_a_founding_kind_acts_on_nothing(void **state)
{
    (void)state;
    struct history h;
    struct thing_id registered = subject;
    township_record(&town, &town.devices[0],
                    &(struct township_act){
                        .kind = "request.register", .subject = &registered, .depth = 1, .seen = 1});
    subject = township_record(&town, &town.hub,
                              &(struct township_act){
                                  .kind = "request.accept", .scope = OWN_SCOPE, .body = ACCEPT})
                  ->subject;
    township_node_take_all(&node, &town);
    assert_false(has_row());
    history_of(&h);
    assert_int_equal(h.items[0].effect, EFFECT_IMPOSSIBLE);
    history_clear(&h);
    subject = registered;
    history_of(&h);
    assert_int_equal(h.items[1].effect, EFFECT_IMPOSSIBLE);
    history_clear(&h);
}

static void a_villages_long_body_to_all_nodes_has_no_effect(void **state)
{
    (void)state;
    char body[1600], filler[1200];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = 0;
    snprintf(body, sizeof body, "{\"unit\":\"村委会\",\"role\":\"clerk\",\"more\":\"%s\"}", filler);
    subject = township_record(&town, &town.devices[0],
                              &(struct township_act){.kind = "actor.enrol",
                                                     .scope = "town",
                                                     .body = body,
                                                     .box = "{\"name\":\"李四\"}"})
                  ->subject;
    township_node_take_all(&node, &town);
    struct txn *t;
    struct history h;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_history(node.views, t, township_node_scope(&node, "town"), &subject, &h),
                     OK);
    txn_abort(t);
    assert_int_equal(h.type, THING_ACTOR);
    assert_int_equal(h.items[0].effect, EFFECT_LIMIT);
    history_clear(&h);
}

static void folds_the_first_events_of_a_flooded_thing_and_counts_the_rest(void **state)
{
    (void)state;
    struct history h;
    const uint32_t flood = THING_EVENTS_MAX + 20;
    struct township_act act = {.kind = "request.fly", .subject = &subject};
    const struct event *accept = note(&town.hub, 2, 1 + 1);
    for (uint32_t i = 0; i < flood; i++) {
        act.depth = act.seen = i + 3;
        township_record(&town, &town.devices[0], &act);
    }
    struct arrival *arrival;
    size_t fresh;
    /* the last ones first would need their predecessors; one call folds the thing once */
    township_node_take(&node, town.events, town.event_count - flood);
    assert_int_equal(arrival_begin(&arrival, node.store, node.views), OK);
    struct event *events = test_calloc(flood, sizeof *events);
    for (uint32_t i = 0; i < flood; i++) events[i] = *town.events[town.event_count - flood + i];
    assert_int_equal(arrival_add(arrival, events, flood, &fresh), OK);
    assert_int_equal(fresh, flood);
    assert_int_equal(arrival_commit(arrival), OK);
    test_free(events);

    history_of(&h);
    assert_int_equal(h.count, THING_EVENTS_MAX);
    assert_int_equal(h.total, flood + 2);
    assert_true(event_id_equal(&h.items[1].event.id, &accept->id));
    for (size_t i = 1; i < h.count; i++)
        assert_true(h.items[i - 1].event.depth < h.items[i].event.depth);
    assert_int_equal(h.items[h.count - 1].event.depth, THING_EVENTS_MAX);
    history_clear(&h);
    assert_true(has_row());

    /* what comes later and stands earlier takes the places of the last */
    for (uint32_t i = 3; i < 9; i++) note(&town.hub, i, i);
    township_node_take(&node, town.events + town.event_count - 6, 6);
    history_of(&h);
    assert_int_equal(h.count, THING_EVENTS_MAX);
    assert_int_equal(h.items[h.count - 1].event.depth, THING_EVENTS_MAX - 6);
    size_t of_hub = 0;
    for (size_t i = 0; i < h.count; i++)
        of_hub += sign_key_equal(&h.items[i].event.feed.author, &town.hub.signer.key);
    assert_int_equal(of_hub, 7);
    history_clear(&h);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(puts_the_township_before_the_village_at_one_depth),
        TEST(puts_cause_before_effect_whatever_the_clocks_say),
        TEST(orders_by_time_and_then_by_id_at_one_depth_of_one_side),
        TEST(holds_a_thing_whose_founding_event_is_missing),
        TEST(marks_depths_that_cannot_be),
        TEST(depth_must_grow_within_one_feed),
        TEST(depth_need_not_grow_across_the_branches_of_a_fork),
        TEST(ignores_what_carries_an_extension_that_must_be_understood),
        TEST(a_thing_founded_without_the_right_is_not_shown),
        TEST(an_acting_kind_founds_nothing_and_a_founding_kind_acts_on_nothing),
        TEST(a_villages_long_body_to_all_nodes_has_no_effect),
        TEST(folds_the_first_events_of_a_flooded_thing_and_counts_the_rest),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
