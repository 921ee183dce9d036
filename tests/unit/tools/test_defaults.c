#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "common/csv.h"
#include "common/file.h"
#include "common/time.h"
#include "node/office/points.h"
#include "node/office/redeem.h"
#include "tools/defaults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA "../shared/data/"

static struct buf body;

static int tear_down(void **state)
{
    (void)state;
    buf_clear(&body);
    return 0;
}

static struct slice rule_of(enum rule_type type)
{
    struct kind_problem problem;
    uint64_t ms;
    assert_int_equal(time_parse(&ms, "2026-11-24 10:00"), OK);
    buf_reset(&body);
    assert_true(defaults_rule(&body, type, time_day(ms)));
    assert_int_equal(mp_scan_whole(buf_slice(&body)), OK);
    assert_int_equal(kind_check(kind_find(slice_of_text("rule.put")), buf_slice(&body), SLICE_EMPTY,
                                false, &problem),
                     OK);
    return buf_slice(&body);
}

static void rules_fit_their_kind_and_can_be_read(void **state)
{
    (void)state;
    struct limits limits, programs = limits_default();
    struct points_rules points;
    struct redeem_options redeem;
    struct mp_reader r;
    assert_int_equal(limits_read(&limits, rule_of(RULE_SLA)), OK);
    assert_memory_equal(&limits, &programs, sizeof limits);
    assert_int_equal(points_read(&points, rule_of(RULE_POINTS)), OK);
    assert_int_equal(points.count, 1);
    assert_int_equal(points.rules[0].rate, 10);
    assert_int_equal(points.rules[0].cap_activity, 20);
    assert_int_equal(redeem_read(&redeem, rule_of(RULE_REDEEM)), OK);
    assert_int_equal(redeem.scheme, REDEEM_SHARE);
    assert_true(mp_map_get(rule_of(RULE_CATEGORY), "effective", &r));
    assert_true(slice_is_text(mp_read_str(&r, 10), "2026-11-24"));
    assert_false(defaults_rule(&body, RULE_KPI, 0)); /* weights are the township's to set */
}

static void calendars_are_known_of_the_years_that_were_announced(void **state)
{
    (void)state;
    static struct calendar cal;
    struct kind_problem problem;
    calendar_begin(&cal);
    for (uint32_t year = 2022; year <= 2026; year++) {
        buf_reset(&body);
        assert_true(defaults_calendar(&body, year));
        assert_int_equal(mp_scan_whole(buf_slice(&body)), OK);
        assert_int_equal(kind_check(kind_find(slice_of_text("calendar.put")), buf_slice(&body),
                                    SLICE_EMPTY, false, &problem),
                         OK);
        assert_int_equal(calendar_put(&cal, buf_slice(&body)), OK);
    }
    assert_false(defaults_calendar(&body, 2021));
    assert_false(defaults_calendar(&body, 2027));
}

/* --- against the data that the project was given --- */

static size_t rows;
static struct calendar known;

static bool same_day(void *state, const struct csv_row *row, enum err err)
{
    (void)state;
    uint32_t day;
    if (err || row->line == 1) return true;
    assert_int_equal(time_parse_day(&day, row->cells[0]), OK);
    assert_int_equal(calendar_is_working(&known, day), slice_is_text(row->cells[2], "0"));
    rows++;
    return true;
}

static void the_calendar_is_that_of_the_notices(void **state)
{
    (void)state;
    struct buf file = {0};
    size_t exceptions = 0;
    if (file_read(&file, DATA "holidays.csv", 65536)) {
        print_message("skipped: there is no " DATA "holidays.csv\n");
        return;
    }
    calendar_begin(&known);
    for (uint32_t year = 2022; year <= 2026; year++) {
        struct mp_reader r;
        buf_reset(&body);
        assert_true(defaults_calendar(&body, year));
        assert_int_equal(calendar_put(&known, buf_slice(&body)), OK);
        assert_true(mp_map_get(buf_slice(&body), "days", &r));
        exceptions += mp_read_array(&r, SIZE_MAX);
    }
    assert_int_equal(csv_read(buf_slice(&file), same_day, NULL), OK);
    assert_int_equal(rows, exceptions);
    buf_clear(&file);
}

static struct rule list;
static size_t listed;

static bool same_category(void *state, const struct csv_row *row, enum err err)
{
    (void)state;
    struct category c;
    if (err || row->line == 1) return true;
    assert_true(rule_category_find(&list, row->cells[0], &c));
    assert_true(slice_equal(c.zh, row->cells[1]));
    assert_true(slice_equal(c.en, row->cells[2]));
    listed++;
    return true;
}

static void the_categories_are_the_starter_list(void **state)
{
    (void)state;
    struct buf file = {0};
    struct category_cursor at = {0};
    struct category c;
    size_t count = 0;
    if (file_read(&file, DATA "categories.csv", 65536)) {
        print_message("skipped: there is no " DATA "categories.csv\n");
        return;
    }
    list.fields = rule_of(RULE_CATEGORY);
    assert_int_equal(csv_read(buf_slice(&file), same_category, NULL), OK);
    while (rule_category_next(&list, &at, &c)) count++;
    assert_int_equal(count, listed);
    buf_clear(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_fit_their_kind_and_can_be_read),
        cmocka_unit_test(calendars_are_known_of_the_years_that_were_announced),
        cmocka_unit_test(the_calendar_is_that_of_the_notices),
        cmocka_unit_test(the_categories_are_the_starter_list),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
