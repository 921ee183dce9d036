#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "common/time.h"
#include "node/views/rules.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <string.h>

static struct township town;
static struct township_node node;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_end(&town);
    return 0;
}

static uint32_t day(const char *date)
{
    uint32_t d;
    assert_int_equal(time_parse_day(&d, slice_of_text(date)), OK);
    return d;
}

static const struct event *put(const char *kind, const char *body)
{
    return township_record(&town, &town.authority, &(struct township_act){kind, .body = body});
}

/* A rule of limits in which a request has to be accepted in so many working days. */
static const struct event *put_limits(unsigned ver, const char *effective, unsigned accept)
{
    char body[256];
    snprintf(
        body, sizeof body,
        "{\"type\":\"sla\",\"ver\":%u,\"effective\":\"%s\",\"limits\":[[\"accept\",%u,\"wd\"]]}",
        ver, effective, accept);
    return put("rule.put", body);
}

static void with_rules(void (*check)(const struct rules *r))
{
    struct txn *t;
    const struct rules *r;
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_rules(node.views, t, &r), OK);
    check(r);
    txn_abort(t);
    township_node_close(&node);
}

static uint32_t accept_on(const struct rules *r, const char *date, uint32_t *ver)
{
    struct limits limits;
    *ver = rules_limits(r, day(date), &limits);
    return limits.of[LIMIT_ACCEPT].amount;
}

static void check_versions(const struct rules *r)
{
    uint32_t ver;
    assert_int_equal(accept_on(r, "2026-01-31", &ver), 1);
    assert_int_equal(ver, 0);
    assert_int_equal(accept_on(r, "2026-02-01", &ver), 2);
    assert_int_equal(ver, 1);
    assert_int_equal(accept_on(r, "2026-02-28", &ver), 2);
    assert_int_equal(accept_on(r, "2026-03-01", &ver), 4); /* the later of the two */
    assert_int_equal(ver, 2);
    assert_int_equal(rules_newest(r, RULE_SLA)->ver, 3);
    assert_int_equal(accept_on(r, "2027-01-01", &ver), 5);
    assert_null(rules_at(r, RULE_POINTS, day("2026-03-01")));
    assert_int_equal(rules_public_days(r, day("2026-03-01")), 7);
}

static void the_greatest_version_that_has_begun_is_in_force(void **state)
{
    (void)state;
    put_limits(1, "2026-02-01", 2);
    put_limits(3, "2027-01-01", 5);
    put_limits(2, "2026-03-01", 3);
    put_limits(2, "2026-03-01", 4);
    with_rules(check_versions);
}

static void check_odd(const struct rules *r)
{
    uint32_t ver;
    assert_int_equal(accept_on(r, "2026-06-01", &ver), 2);
    assert_int_equal(ver, 1);
    assert_int_equal(r->rule_count, 1);
}

static void what_contradicts_itself_is_left_out(void **state)
{
    (void)state;
    put_limits(1, "2026-02-01", 2);
    put("rule.put", "{\"type\":\"sla\",\"ver\":2,\"effective\":\"2026-02-01\",\"limits\":"
                    "[[\"accept\",1,\"wd\"],[\"accept\",9,\"wd\"]]}");
    with_rules(check_odd);
}

static void check_list(const struct rules *r)
{
    struct category c;
    struct category_cursor at = {0};
    const struct rule *list = rules_at(r, RULE_CATEGORY, day("2026-06-01"));
    assert_non_null(list);
    assert_true(rule_category_find(list, slice_of_text("0302"), &c));
    assert_true(slice_is_text(c.zh, "路灯") && slice_is_text(c.en, "street lighting"));
    assert_int_equal(c.ext_code.size, 0);
    assert_false(rule_category_find(list, slice_of_text("0303"), &c));
    assert_false(rule_category_find(NULL, slice_of_text("0302"), &c));
    size_t count = 0;
    while (rule_category_next(list, &at, &c)) count++;
    assert_int_equal(count, 2);
}

static void categories_are_found_by_code(void **state)
{
    (void)state;
    put("rule.put", "{\"type\":\"category\",\"ver\":1,\"effective\":\"2026-01-01\",\"categories\":"
                    "[[\"0102\",\"排水排污\",null,\"A7\"],"
                    "[\"0302\",\"路灯\",\"street lighting\",null]]}");
    with_rules(check_list);
}

static void check_calendar(const struct rules *r)
{
    assert_int_equal(r->calendar_count, 1);
    assert_non_null(rules_calendar_of(r, 2026));
    assert_null(rules_calendar_of(r, 2027));
    assert_false(calendar_is_working(&r->calendar, day("2026-10-02")));
    assert_true(calendar_is_working(&r->calendar, day("2026-10-01")));
}

static void the_newer_calendar_of_a_year_counts(void **state)
{
    (void)state;
    put("calendar.put", "{\"year\":2026,\"source\":\"a\",\"days\":"
                        "[[\"2026-10-01\",true,\"国庆节\"]]}");
    put("calendar.put", "{\"year\":2026,\"source\":\"b\",\"days\":"
                        "[[\"2026-10-02\",true,\"国庆节\"]]}");
    with_rules(check_calendar);
}

static void a_change_is_seen_by_who_has_read_the_rules(void **state)
{
    (void)state;
    struct txn *t;
    const struct rules *r, *again;
    uint32_t ver;
    put_limits(1, "2026-02-01", 2);
    township_node_open(&node, &town, &town.hub);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_rules(node.views, t, &r), OK);
    assert_int_equal(views_rules(node.views, t, &again), OK);
    assert_ptr_equal(r, again);
    assert_int_equal(accept_on(r, "2026-06-01", &ver), 2);
    txn_abort(t);
    size_t held = town.event_count;
    put_limits(2, "2026-02-01", 3);
    township_node_take(&node, town.events + held, town.event_count - held);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_rules(node.views, t, &r), OK);
    assert_int_equal(accept_on(r, "2026-06-01", &ver), 3);
    txn_abort(t);
    township_node_close(&node);
}

static void types_have_a_code_and_a_word(void **state)
{
    (void)state;
    enum rule_type type;
    assert_int_equal(rule_type_parse(&type, slice_of_text("category")), OK);
    assert_int_equal(type, RULE_CATEGORY);
    assert_int_equal(rule_type_parse(&type, slice_of_text(rule_type_zh(RULE_SLA))), OK);
    assert_int_equal(type, RULE_SLA);
    assert_string_equal(rule_type_name(type), "sla");
    assert_int_equal(rule_type_parse(&type, slice_of_text("rule")), ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_greatest_version_that_has_begun_is_in_force),
        TEST(what_contradicts_itself_is_left_out),
        TEST(categories_are_found_by_code),
        TEST(the_newer_calendar_of_a_year_counts),
        TEST(a_change_is_seen_by_who_has_read_the_rules),
        TEST(types_have_a_code_and_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
