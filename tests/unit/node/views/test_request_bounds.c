/*
 * What no rule ever allowed (SPEC 14.15), arriving from another node: kept, marked and without
 * effect; and what was only ahead of the rules has its effect when they come.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/store/txn.h"
#include "node/views/request.h"
#include "tests/support/township.h"

#define SCOPE "village:431322111201"
#define DAY_MS (24 * 60 * 60 * UINT64_C(1000))

static struct township town;
static struct township_node node;
static const struct event *request;
static uint32_t acts;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    acts = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static void arrive(void)
{
    township_node_take_all(&node, &town);
}

/* All but the event that comes late. */
static void arrive_but(size_t late)
{
    township_node_take(&node, town.events, late);
    township_node_take(&node, town.events + late + 1, town.event_count - late - 1);
}

static bool pending(void)
{
    struct txn *t;
    uint64_t done, total;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    bool is = views_rebuild_pending(t, &done, &total);
    txn_abort(t);
    return is;
}

static void put(const char *kind, const char *body)
{
    township_record(&town, &town.authority, &(struct township_act){kind, .body = body});
}

static void put_list(const char *codes)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"type\":\"category\",\"ver\":1,\"effective\":\"2026-01-01\",\"categories\":[%s]}",
             codes);
    put("rule.put", body);
}

static void put_extension(unsigned days)
{
    char body[256];
    snprintf(body, sizeof body,
             "{\"type\":\"sla\",\"ver\":1,\"effective\":\"2026-01-01\","
             "\"limits\":[[\"extension\",%u,\"d\"]]}",
             days);
    put("rule.put", body);
}

#define ROADS "[\"0103\",\"道路\",null,null]"
#define LIGHTS "[\"0302\",\"路灯\",null,null]"

/* It is of category 0103. */
static void registers(void)
{
    request = township_register(&town, &town.devices[0], "01A-0001");
    acts = 1;
}

static void act(struct township_device *d, const char *kind, const char *body)
{
    township_record(&town, d,
                    &(struct township_act){.kind = kind,
                                           .scope = SCOPE,
                                           .subject = &request->subject,
                                           .depth = acts,
                                           .seen = acts,
                                           .body = body});
    acts++;
}

static bool row(struct request *out)
{
    struct txn *t;
    struct thing_key key = {township_node_scope(&node, SCOPE), request->subject};
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    enum err err = request_get(t, &key, out);
    txn_abort(t);
    return err == OK;
}

/* Of the last act: "counts", or the reason. */
static void last_is(const char *expected)
{
    struct txn *t;
    struct history h;
    uint32_t scope = township_node_scope(&node, SCOPE);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_history(node.views, t, scope, &request->subject, &h), OK);
    txn_abort(t);
    const struct history_item *last = &h.items[h.count - 1];
    assert_string_equal(last->effect == EFFECT_COUNTS ? "counts" : last->reason, expected);
    history_clear(&h);
}

static void rows_are_those_of_a_fresh_fold(void)
{
    uint64_t differing = 1;
    assert_false(pending());
    assert_int_equal(views_compare(node.views, node.store, &differing, NULL, NULL), OK);
    assert_int_equal(differing, 0);
}

static void a_registration_of_an_unknown_category_has_no_effect(void **state)
{
    (void)state;
    struct request r;
    put_list(LIGHTS);
    registers();
    arrive();
    assert_false(row(&r));
    last_is("category is on no list of categories");
    act(&town.hub, "request.accept", "{\"class\":\"general\"}");
    arrive();
    assert_false(row(&r));
    rows_are_those_of_a_fresh_fold();
}

static void an_acceptance_of_an_unknown_category_has_no_effect(void **state)
{
    (void)state;
    struct request r;
    put_list(ROADS);
    registers();
    act(&town.hub, "request.accept", "{\"class\":\"general\",\"category\":\"0302\"}");
    arrive();
    assert_true(row(&r));
    assert_int_equal(r.state, REQUEST_REGISTERED);
    last_is("category is on no list of categories");
}

static void a_correction_to_an_unknown_category_has_no_effect(void **state)
{
    (void)state;
    struct request r;
    char id[65], body[160];
    put_list(ROADS);
    registers();
    hex_encode(id, request->id.bytes, sizeof request->id.bytes);
    snprintf(body, sizeof body, "{\"target\":\"%s\",\"field\":\"category\",\"value\":\"0302\"}",
             id);
    act(&town.devices[0], "correct.entry", body);
    arrive();
    last_is("is on no list of categories");
    put_list(LIGHTS);
    arrive();
    township_node_settle(&node);
    last_is("counts");
    assert_true(row(&r));
    assert_int_equal(r.effective, 2);
}

static void a_field_of_that_name_in_another_act_means_nothing(void **state)
{
    (void)state;
    put_list(ROADS);
    registers();
    act(&town.devices[0], "progress.note", "{\"category\":\"0302\"}");
    arrive();
    last_is("counts");
}

static void a_category_counts_from_its_list_on_however_late_that_comes(void **state)
{
    (void)state;
    struct request r;
    put_list(LIGHTS);
    size_t late = town.event_count;
    put_list(ROADS);
    registers();
    act(&town.hub, "request.accept", "{\"class\":\"general\"}");
    arrive_but(late);
    assert_false(row(&r));
    township_node_take(&node, town.events + late, 1);
    assert_true(pending());
    township_node_settle(&node);
    assert_true(row(&r));
    assert_int_equal(r.state, REQUEST_ACCEPTED);
    rows_are_those_of_a_fresh_fold();
}

/* A village that has just joined: its records stand, and the list judges them when it comes. */
static void before_the_first_list_every_category_counts(void **state)
{
    (void)state;
    struct request r;
    size_t late = town.event_count;
    put_list(LIGHTS);
    registers();
    arrive_but(late);
    assert_true(row(&r));
    last_is("counts");
    township_node_take(&node, town.events + late, 1);
    assert_true(pending());
    township_node_settle(&node);
    assert_false(row(&r));
    rows_are_those_of_a_fresh_fold();
}

/* The clerks wait for nothing while a list only grows. */
static void a_category_more_folds_nothing_again_unless_an_act_waits_for_it(void **state)
{
    (void)state;
    put_list(ROADS);
    registers();
    arrive();
    put_list(LIGHTS);
    arrive();
    rows_are_those_of_a_fresh_fold();
    put_list("[\"0101\",\"供水\",null,null]");
    put("calendar.put",
        "{\"year\":2026,\"source\":\"a\",\"days\":[[\"2026-10-01\",true,\"国庆\"]]}");
    put("rule.put", "{\"type\":\"kpi\",\"ver\":1,\"effective\":\"2026-01-01\",\"weights\":[]}");
    arrive();
    rows_are_those_of_a_fresh_fold();
}

/* The order is due in ten days. */
static void an_order_is_given(void)
{
    char body[96];
    registers();
    act(&town.devices[0], "request.accept", "{\"class\":\"general\"}");
    snprintf(body, sizeof body, "{\"unit\":\"水利站\",\"due\":%llu}",
             (unsigned long long)(town.time_ms + 10 * DAY_MS));
    act(&town.devices[0], "order.issue", body);
    act(&town.devices[0], "order.sign", NULL);
}

static void asks_until(unsigned days)
{
    char body[64];
    snprintf(body, sizeof body, "{\"to\":%llu,\"reason\":\"weather\"}",
             (unsigned long long)(town.time_ms + (10 + days) * DAY_MS - 3600000));
    act(&town.devices[0], "order.extend_ask", body);
}

static void an_extension_beyond_every_rule_has_no_effect(void **state)
{
    (void)state;
    struct request r;
    put_extension(5);
    an_order_is_given();
    asks_until(20);
    arrive();
    assert_true(row(&r));
    assert_int_equal(r.extend_to_ms, 0);
    last_is("is further than any rule extends an order");
    asks_until(5);
    arrive();
    last_is("counts");
    rows_are_those_of_a_fresh_fold();
}

static void a_granted_extension_beyond_every_rule_has_no_effect(void **state)
{
    (void)state;
    struct request r;
    char body[64];
    put_extension(5);
    an_order_is_given();
    uint64_t far_ms = town.time_ms + 30 * DAY_MS;
    asks_until(5);
    snprintf(body, sizeof body, "{\"ok\":true,\"due\":%llu}", (unsigned long long)far_ms);
    act(&town.hub, "order.extend_decide", body);
    arrive();
    last_is("is further than any rule extends an order");
    assert_true(row(&r));
    assert_false(r.extended);
    snprintf(body, sizeof body, "{\"ok\":false,\"due\":%llu}", (unsigned long long)far_ms);
    act(&town.hub, "order.extend_decide", body); /* nothing is extended by a no */
    arrive();
    last_is("counts");
}

static void a_longer_extension_counts_when_its_rule_comes(void **state)
{
    (void)state;
    put_extension(5);
    an_order_is_given();
    asks_until(20);
    arrive();
    put_extension(20);
    arrive();
    assert_true(pending());
    township_node_settle(&node);
    last_is("counts");
    rows_are_those_of_a_fresh_fold();
}

static void what_is_only_folded_again_keeps_its_row_meanwhile(void **state)
{
    (void)state;
    struct request r;
    size_t late = town.event_count;
    put_list(ROADS);
    registers();
    arrive_but(late);
    township_node_take(&node, town.events + late, 1);
    assert_true(pending());
    assert_true(row(&r));
    township_node_settle(&node);
    assert_true(row(&r));
}

static void a_rebuild_knows_the_rules_before_it_folds_what_they_bind(void **state)
{
    (void)state;
    struct request r;
    registers(); /* its scope has the lesser number where it arrives before any rule */
    size_t late = town.event_count;
    put_list(LIGHTS);
    arrive_but(late);
    township_node_take(&node, town.events + late, 1);
    township_node_settle(&node);
    assert_false(row(&r));
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), OK);
    assert_false(row(&r));
    rows_are_those_of_a_fresh_fold();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_registration_of_an_unknown_category_has_no_effect),
        TEST(an_acceptance_of_an_unknown_category_has_no_effect),
        TEST(a_correction_to_an_unknown_category_has_no_effect),
        TEST(a_field_of_that_name_in_another_act_means_nothing),
        TEST(a_category_counts_from_its_list_on_however_late_that_comes),
        TEST(before_the_first_list_every_category_counts),
        TEST(a_category_more_folds_nothing_again_unless_an_act_waits_for_it),
        TEST(an_extension_beyond_every_rule_has_no_effect),
        TEST(a_granted_extension_beyond_every_rule_has_no_effect),
        TEST(a_longer_extension_counts_when_its_rule_comes),
        TEST(what_is_only_folded_again_keeps_its_row_meanwhile),
        TEST(a_rebuild_knows_the_rules_before_it_folds_what_they_bind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
