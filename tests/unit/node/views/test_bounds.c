#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/time.h"
#include "node/views/bounds.h"
#include "tests/support/township.h"

static struct bounds a, b;
static struct buf packed;

static int set_up(void **state)
{
    (void)state;
    bounds_begin(&a);
    bounds_begin(&b);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_clear(&packed);
    return 0;
}

static void list(struct bounds *to, const char *code)
{
    struct code_set codes = {{0}};
    code_set_add(&codes, slice_of_text(code));
    bounds_add_list(to, &codes);
}

static void limit(struct bounds *to, uint32_t amount, enum limit_unit unit)
{
    struct limits limits = limits_default();
    limits.of[LIMIT_EXTENSION] = (struct limit){amount, unit};
    bounds_add_limits(to, &limits);
}

static enum err calendar(struct bounds *to, unsigned year, const char *days)
{
    char json[256];
    snprintf(json, sizeof json, "{\"year\":%u,\"source\":\"a\",\"days\":[%s]}", year, days);
    buf_reset(&packed);
    return bounds_add_calendar(to, township_pack(&packed, json, NULL));
}

static bool category(const struct bounds *of, const char *code)
{
    return bounds_allow_category(of, slice_of_text(code));
}

static uint64_t moment(const char *date, uint32_t minute)
{
    uint32_t day;
    assert_int_equal(time_parse_day(&day, slice_of_text(date)), OK);
    return time_day_ms(day, minute);
}

static bool extends(const struct bounds *of, const char *due, const char *until)
{
    return bounds_allow_extension(of, moment(due, 18 * 60), moment(until, 23 * 60 + 59));
}

static void where_nothing_is_published_all_can_be(void **state)
{
    (void)state;
    assert_true(category(&a, "9999") && category(NULL, "9999"));
    assert_true(extends(&a, "2026-03-02", "2099-01-01") &&
                extends(NULL, "2026-03-02", "2099-01-01"));
}

static void a_category_is_known_that_any_list_names(void **state)
{
    (void)state;
    list(&a, "0101");
    list(&a, "9999");
    assert_true(category(&a, "0101") && category(&a, "9999"));
    assert_false(category(&a, "0102") || category(&a, "") || category(&a, "010") ||
                 category(&a, "01010") || category(&a, "01a1"));
}

static void a_list_of_no_code_allows_none(void **state)
{
    (void)state;
    list(&a, "no code");
    assert_false(category(&a, "0000"));
}

/* 2026-03-02 is a Monday. */
static void the_longest_extension_of_any_rule_counts(void **state)
{
    (void)state;
    limit(&a, 3, LIMIT_WORKING_DAYS);
    assert_true(extends(&a, "2026-03-02", "2026-03-05"));
    assert_false(extends(&a, "2026-03-02", "2026-03-06"));
    assert_true(extends(&a, "2026-03-05", "2026-03-10")); /* over a weekend */
    assert_false(extends(&a, "2026-03-05", "2026-03-11"));
    limit(&a, 2, LIMIT_WORKING_DAYS); /* a shorter one takes nothing away */
    assert_true(extends(&a, "2026-03-02", "2026-03-05"));
    limit(&a, 10, LIMIT_DAYS);
    assert_true(extends(&a, "2026-03-02", "2026-03-12"));
    assert_false(extends(&a, "2026-03-02", "2026-03-13"));
    limit(&a, 30 * 24, LIMIT_HOURS);
    assert_true(extends(&a, "2026-03-02", "2026-04-01"));
    assert_false(extends(&a, "2026-03-02", "2026-04-02"));
}

static void days_off_of_every_calendar_count_and_make_up_days_of_none(void **state)
{
    (void)state;
    limit(&a, 1, LIMIT_WORKING_DAYS);
    assert_int_equal(calendar(&a, 2026, "[\"2026-03-07\",false,\"x\"],[\"2026-03-09\",true,\"x\"]"),
                     OK);
    assert_true(extends(&a, "2026-03-06", "2026-03-10")); /* Friday until Tuesday */
    assert_false(extends(&a, "2026-03-06", "2026-03-11"));
    assert_int_equal(calendar(&a, 2026, "[\"2026-03-10\",true,\"x\"]"), OK);
    assert_true(extends(&a, "2026-03-06", "2026-03-11"));
    assert_int_equal(calendar(&a, 2026, "[\"2026-03-09\",false,\"x\"]"), OK);
    assert_true(extends(&a, "2026-03-06", "2026-03-11"));
    assert_int_equal(calendar(&a, 1999, ""), ERR_RANGE);
    assert_int_equal(calendar(&a, 2026, "[\"2027-01-01\",true,\"x\"]"), ERR_RANGE);
}

static void expect(enum bounds_change change)
{
    assert_int_equal(bounds_compare(&a, &b), change);
    bounds_begin(&a);
    bounds_begin(&b);
}

static void a_list_that_grows_is_wider_and_the_first_is_not(void **state)
{
    (void)state;
    expect(BOUNDS_SAME);
    list(&b, "0101");
    expect(BOUNDS_OTHER); /* all could be before */
    list(&a, "0101");
    expect(BOUNDS_WIDER); /* as after the last list went */
    list(&a, "0101");
    list(&b, "0101");
    expect(BOUNDS_SAME);
    list(&a, "0101");
    list(&b, "0101");
    list(&b, "0102");
    expect(BOUNDS_WIDER);
    list(&a, "0101");
    list(&a, "0102");
    list(&b, "0101");
    expect(BOUNDS_OTHER);
}

static void longer_extensions_and_more_days_off_are_wider(void **state)
{
    (void)state;
    limit(&b, 3, LIMIT_DAYS);
    expect(BOUNDS_OTHER);
    limit(&a, 3, LIMIT_DAYS);
    limit(&b, 4, LIMIT_DAYS);
    expect(BOUNDS_WIDER);
    limit(&a, 3, LIMIT_DAYS);
    limit(&b, 2, LIMIT_DAYS);
    expect(BOUNDS_OTHER);
    limit(&a, 3, LIMIT_DAYS);
    limit(&b, 3, LIMIT_DAYS);
    limit(&b, 1, LIMIT_HOURS);
    expect(BOUNDS_WIDER);
    limit(&a, 3, LIMIT_DAYS);
    limit(&b, 3, LIMIT_DAYS);
    assert_int_equal(calendar(&b, 2026, "[\"2026-03-09\",true,\"x\"]"), OK);
    expect(BOUNDS_WIDER);
    limit(&a, 3, LIMIT_DAYS);
    limit(&b, 3, LIMIT_DAYS);
    assert_int_equal(calendar(&a, 2026, "[\"2026-03-09\",true,\"x\"]"), OK);
    expect(BOUNDS_OTHER);
    assert_int_equal(calendar(&a, 2026, "[\"2026-03-09\",true,\"x\"]"), OK);
    expect(BOUNDS_SAME); /* where no rule counts by it */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(where_nothing_is_published_all_can_be),
        TEST(a_category_is_known_that_any_list_names),
        TEST(a_list_of_no_code_allows_none),
        TEST(the_longest_extension_of_any_rule_counts),
        TEST(days_off_of_every_calendar_count_and_make_up_days_of_none),
        TEST(a_list_that_grows_is_wider_and_the_first_is_not),
        TEST(longer_extensions_and_more_days_off_are_wider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
