#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "common/time.h"
#include "node/deadlines.h"
#include "proto/json.h"
#include "tests/support/township.h"

#include <stdlib.h>
#include <string.h>

/* The township's rules as its authority would publish them; 2026 is known, 2027 is not. */
static const char *const published[] = {
    "{\"type\":\"sla\",\"ver\":3,\"effective\":\"2026-01-01\",\"limits\":[[\"accept\",1,\"wd\"],"
    "[\"sign\",2,\"wd\"],[\"simple\",3,\"wd\"],[\"contact\",24,\"h\"]]}",
    "{\"type\":\"category\",\"ver\":1,\"effective\":\"2026-01-01\",\"categories\":"
    "[[\"0102\",\"排水排污\",null,null],[\"0302\",\"路灯\",\"street lighting\",null]]}",
};
static const char calendar_2026[] =
    "{\"year\":2026,\"source\":\"国务院办公厅\",\"days\":[[\"2026-10-01\",true,\"国庆节\"],"
    "[\"2026-10-02\",true,\"国庆节\"],[\"2026-10-05\",true,\"国庆节\"],"
    "[\"2026-10-06\",true,\"国庆节\"],[\"2026-10-07\",true,\"国庆节\"],"
    "[\"2026-10-10\",false,\"国庆节\"]]}";

static struct township town;
static struct township_node node;
static struct deadlines deadlines;
static struct buf stated;
static struct rules *rules, *none;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 1);
    for (size_t i = 0; i < 2; i++)
        township_record(&town, &town.authority,
                        &(struct township_act){.kind = "rule.put", .body = published[i]});
    township_record(&town, &town.authority,
                    &(struct township_act){.kind = "calendar.put", .body = calendar_2026});
    township_node_open(&node, &town, &town.devices[0]);
    township_node_take_all(&node, &town);
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(rules_load(&rules, t), OK);
    txn_abort(t);
    none = calloc(1, sizeof *none);
    assert_non_null(none);
    calendar_begin(&none->calendar);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rules_free(rules);
    rules_free(none);
    deadlines_clear(&deadlines);
    buf_clear(&stated);
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static uint64_t at(const char *text)
{
    uint64_t ms;
    assert_int_equal(time_parse(&ms, text), OK);
    return ms;
}

static struct deadlines_act act_of(const char *kind, const char *body, const char *now)
{
    struct json_packer packer = {0};
    struct kind_problem problem;
    json_t *object = json_loads(body, 0, NULL);
    assert_non_null(object);
    struct deadlines_act act = {
        .kind = kind_find(slice_of_text(kind)), .now_ms = at(now), .trusted = true};
    buf_reset(&stated);
    assert_int_equal(json_pack_map(&packer, &stated, object, act.kind, &problem), OK);
    json_packer_clear(&packer);
    json_decref(object);
    act.body = buf_slice(&stated);
    return act;
}

static struct slice filled(const struct rules *by, const struct deadlines_act *act)
{
    struct kind_problem problem = {0};
    struct slice body;
    assert_int_equal(deadlines_fill(&deadlines, by, act, &body, &problem), OK);
    assert_int_equal(mp_scan_whole(body), OK);
    return body;
}

static void says(struct slice body, const char *field, const char *time)
{
    struct mp_reader r;
    char text[TIME_TEXT_SIZE];
    if (!time) {
        assert_false(mp_map_get(body, field, &r));
        return;
    }
    assert_true(mp_map_get(body, field, &r));
    time_format(text, mp_read_uint(&r, UINT64_MAX));
    assert_string_equal(text, time);
}

static uint64_t number(struct slice body, const char *field)
{
    struct mp_reader r;
    assert_true(mp_map_get(body, field, &r));
    return mp_read_uint(&r, UINT64_MAX);
}

static bool provisional(struct slice body)
{
    struct mp_reader r;
    return mp_map_get(body, "provisional", &r) && mp_read_bool(&r);
}

static void each_step_starts_the_clock_of_the_next(void **state)
{
    (void)state;
    /* A Tuesday; the 24 hours of the first contact and the 15 days run on holidays too. */
    static const struct {
        const char *kind, *body, *next, *due;
    } cases[] = {
        {"request.register", "{\"category\":\"0102\"}", "2026-09-30 18:00", NULL},
        {"request.accept", "{\"class\":\"simple\"}", "2026-09-30 18:00", "2026-10-09 18:00"},
        {"request.accept", "{\"class\":\"general\"}", "2026-09-30 18:00", "2026-10-12 18:00"},
        {"request.accept", "{\"class\":\"complex\"}", "2026-09-30 18:00", "2026-10-19 18:00"},
        {"request.accept", "{\"class\":\"petition\"}", "2026-09-30 18:00", "2026-11-28 18:00"},
        {"request.supplement", "{\"what\":\"ask\"}", "2026-10-14 18:00", NULL},
        {"request.supplement", "{\"what\":\"answer\"}", "2026-09-30 18:00", NULL},
        {"request.answer", "{\"method\":\"phone\"}", "2026-10-09 18:00", NULL},
        {"request.escalate", "{\"reason\":\"across\"}", "2026-09-30 18:00", NULL},
        {"order.issue", "{\"unit\":\"水利站\"}", "2026-10-08 18:00", "2026-10-12 18:00"},
        {"order.sign", "{}", "2026-09-30 10:00", NULL},
        {"order.object", "{\"reason\":\"other\"}", "2026-10-12 18:00", NULL},
        {"order.object_decide", "{\"agree\":true}", "2026-09-30 18:00", NULL},
        {"order.object_decide", "{\"agree\":false}", "2026-10-08 18:00", NULL},
        {"order.transfer", "{\"unit\":\"水利站\"}", "2026-10-08 18:00", NULL},
        {"order.report", "{\"solved\":\"yes\"}", "2026-10-09 18:00", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct deadlines_act act = act_of(cases[i].kind, cases[i].body, "2026-09-29 10:00");
        struct slice body = filled(rules, &act);
        says(body, "next_due", cases[i].next);
        says(body, "due", cases[i].due);
        assert_int_equal(number(body, "rules"), 3);
        assert_false(provisional(body));
    }
}

static void other_acts_start_none(void **state)
{
    (void)state;
    static const char *const kinds[] = {"progress.note", "contact.log", "callback.record",
                                        "request.close"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct deadlines_act act = act_of(kinds[i], "{\"x\":1}", "2026-09-29 10:00");
        assert_true(slice_equal(filled(rules, &act), act.body));
    }
}

static void what_is_stated_stays(void **state)
{
    (void)state;
    struct deadlines_act act = act_of(
        "request.accept",
        "{\"class\":\"simple\",\"due\":\"2026-11-02 18:00\",\"next_due\":\"2026-10-30 12:00\"}",
        "2026-09-29 10:00");
    assert_true(slice_equal(filled(rules, &act), act.body));
    act = act_of("request.accept", "{\"class\":\"simple\",\"due\":\"2027-11-02 18:00\"}",
                 "2026-09-29 10:00");
    struct slice body = filled(rules, &act);
    says(body, "due", "2027-11-02 18:00");
    says(body, "next_due", "2026-09-30 18:00");
    assert_false(provisional(body));
}

static void the_clock_of_what_came_in_before_today_starts_today(void **state)
{
    (void)state;
    struct deadlines_act act =
        act_of("request.register", "{\"received\":\"2026-09-01 08:00\"}", "2026-09-29 10:00");
    says(filled(rules, &act), "next_due", "2026-09-30 18:00");
    act = act_of("request.register", "{\"received\":\"2026-09-30 08:00\"}", "2026-09-29 10:00");
    says(filled(rules, &act), "next_due", "2026-10-08 18:00");
}

static void an_order_is_due_when_the_request_is(void **state)
{
    (void)state;
    struct deadlines_act act = act_of("order.issue", "{\"unit\":\"水利站\"}", "2026-09-29 10:00");
    struct request request = {.due_ms = at("2026-10-20 18:00"), .due_provisional = true};
    act.request = &request;
    says(filled(rules, &act), "due", "2026-10-20 18:00");
    assert_true(provisional(filled(rules, &act)));
    /* A day that is over it cannot be issued with: its class gives another. */
    request.due_ms = at("2026-09-28 18:00");
    says(filled(rules, &act), "due", "2026-10-12 18:00");
    assert_false(provisional(filled(rules, &act)));
    request.class = slice_of_text("complex");
    says(filled(rules, &act), "due", "2026-10-19 18:00");
    assert_true(deadlines_need_request(act.kind));
    assert_false(deadlines_need_request(kind_find(slice_of_text("request.accept"))));
}

static void a_day_past_the_known_calendar_is_provisional(void **state)
{
    (void)state;
    /* The year's last week is known with the next year's notice only. */
    struct deadlines_act act =
        act_of("request.accept", "{\"class\":\"complex\"}", "2026-12-16 10:00");
    assert_true(provisional(filled(rules, &act)));
    act = act_of("request.accept", "{\"class\":\"simple\"}", "2026-12-16 10:00");
    assert_false(provisional(filled(rules, &act)));
}

static void without_rules_the_programs_own_limits_are_provisional(void **state)
{
    (void)state;
    struct deadlines_act act =
        act_of("request.register", "{\"category\":\"4444\"}", "2026-09-29 10:00");
    struct slice body = filled(none, &act);
    says(body, "next_due", "2026-09-30 18:00");
    assert_int_equal(number(body, "rules"), 0);
    assert_true(provisional(body));
}

static void refuses(const char *kind, const char *body, const char *now, const char *field)
{
    struct kind_problem problem = {0};
    struct deadlines_act act = act_of(kind, body, now);
    struct slice out;
    assert_int_equal(deadlines_fill(&deadlines, rules, &act, &out, &problem), ERR_RANGE);
    assert_string_equal(problem.field, field);
    assert_non_null(problem.what);
}

static void a_date_that_is_past_is_refused(void **state)
{
    (void)state;
    refuses("order.issue", "{\"due\":\"2026-09-28 18:00\"}", "2026-09-29 10:00", "due");
    refuses("request.accept", "{\"due\":\"2025-10-28 18:00\"}", "2026-09-29 10:00", "due");
    refuses("order.extend_ask", "{\"to\":\"2026-09-28 18:00\"}", "2026-09-29 10:00", "to");
    refuses("order.extend_decide", "{\"due\":\"2026-09-28 18:00\"}", "2026-09-29 10:00", "due");
    /* Today is none, at any hour; nor is a day after the one on which it was done, on paper. */
    struct deadlines_act act =
        act_of("order.issue", "{\"due\":\"2026-09-29 08:00\"}", "2026-09-29 10:00");
    says(filled(rules, &act), "due", "2026-09-29 08:00");
    act = act_of("order.issue", "{\"due\":\"2022-07-15 18:00\",\"at\":\"2022-07-12 10:00\"}",
                 "2026-09-29 10:00");
    says(filled(rules, &act), "due", "2022-07-15 18:00");
}

static void a_clock_that_nobody_vouches_for_refuses_little(void **state)
{
    (void)state;
    struct kind_problem problem;
    struct slice out;
    char published_on[TIME_TEXT_SIZE];
    struct deadlines_act act =
        act_of("order.issue", "{\"due\":\"2033-09-28 18:00\"}", "2036-01-01 10:00");
    act.trusted = false;
    filled(rules, &act);
    act = act_of("order.issue", "{\"due\":\"2016-09-28 18:00\"}", "2036-01-01 10:00");
    act.trusted = false;
    time_format(published_on, rules_newest_ms(rules));
    assert_true(strcmp(published_on, "2016-09-28") > 0 && strcmp(published_on, "2033") < 0);
    assert_int_equal(deadlines_fill(&deadlines, rules, &act, &out, &problem), ERR_RANGE);
}

static void a_category_that_is_not_in_the_list_is_refused(void **state)
{
    (void)state;
    refuses("request.register", "{\"category\":\"0199\"}", "2026-09-29 10:00", "category");
    refuses("request.accept", "{\"class\":\"simple\",\"category\":\"9900\"}", "2026-09-29 10:00",
            "category");
    /* What a village sealed is opened whatever its list was. */
    struct deadlines_act act =
        act_of("request.register", "{\"category\":\"0199\"}", "2026-09-29 10:00");
    act.any_category = true;
    says(filled(rules, &act), "next_due", "2026-09-30 18:00");
}

static void what_does_not_fit_is_left_to_the_table_of_kinds(void **state)
{
    (void)state;
    struct deadlines_act act =
        act_of("request.accept", "{\"class\":7,\"due\":true,\"category\":1}", "2026-09-29 10:00");
    struct slice body = filled(rules, &act);
    struct mp_reader r;
    assert_true(mp_map_get(body, "due", &r));
    assert_int_equal(mp_peek(&r), MP_BOOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_starts_the_clock_of_the_next),
        cmocka_unit_test(other_acts_start_none),
        cmocka_unit_test(what_is_stated_stays),
        cmocka_unit_test(the_clock_of_what_came_in_before_today_starts_today),
        cmocka_unit_test(an_order_is_due_when_the_request_is),
        cmocka_unit_test(a_day_past_the_known_calendar_is_provisional),
        cmocka_unit_test(without_rules_the_programs_own_limits_are_provisional),
        cmocka_unit_test(a_date_that_is_past_is_refused),
        cmocka_unit_test(a_clock_that_nobody_vouches_for_refuses_little),
        cmocka_unit_test(a_category_that_is_not_in_the_list_is_refused),
        cmocka_unit_test(what_does_not_fit_is_left_to_the_table_of_kinds),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
