#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/time.h"
#include "node/office/limits.h"
#include "proto/msgpack.h"

struct row {
    const char *step;
    uint64_t amount;
    const char *unit;
};

static struct calendar cal;

static enum err read_rows(struct limits *out, const struct row *rows, size_t count)
{
    struct buf body = {0};
    struct mp_writer w = {&body};
    mp_write_map(&w, 1);
    mp_write_text(&w, "limits");
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        mp_write_array(&w, 3);
        mp_write_text(&w, rows[i].step);
        mp_write_uint(&w, rows[i].amount);
        mp_write_text(&w, rows[i].unit);
    }
    enum err e = limits_read(out, buf_slice(&body));
    buf_clear(&body);
    return e;
}

/* 2022 is known, its national day with two days made up. */
static int begin(void **state)
{
    (void)state;
    static const struct {
        const char *date;
        bool off;
    } rows[] = {{"2022-10-03", true}, {"2022-10-04", true}, {"2022-10-05", true},
                {"2022-10-06", true}, {"2022-10-07", true}, {"2022-10-08", false},
                {"2022-10-09", false}};
    struct buf body = {0};
    struct mp_writer w = {&body};
    mp_write_map(&w, 2);
    mp_write_text(&w, "days");
    mp_write_array(&w, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mp_write_array(&w, 3);
        mp_write_text(&w, rows[i].date);
        mp_write_bool(&w, rows[i].off);
        mp_write_text(&w, "国庆节");
    }
    mp_write_text(&w, "year");
    mp_write_uint(&w, 2022);
    calendar_begin(&cal);
    assert_int_equal(calendar_put(&cal, buf_slice(&body)), OK);
    buf_clear(&body);
    return 0;
}

static void due_is(const struct limits *limits, const char *step, const char *start,
                   const char *due, bool provisional)
{
    enum limit_step found;
    uint64_t start_ms, ms;
    bool open;
    char text[TIME_TEXT_SIZE];
    assert_int_equal(limits_find_step(&found, slice_of_text(step)), OK);
    assert_int_equal(time_parse(&start_ms, start), OK);
    limits_due(limits, &cal, found, start_ms, &ms, &open);
    time_format(text, ms);
    assert_string_equal(text, due);
    assert_int_equal(open, provisional);
}

static void a_township_has_limits_before_it_sets_any(void **state)
{
    (void)state;
    struct limits limits = limits_default();
    static const struct {
        const char *step, *due;
    } dues[] = {
        {"accept", "2022-10-08 18:00"},    {"issue", "2022-10-08 18:00"},
        {"sign", "2022-10-08 18:00"},      {"contact", "2022-10-01 09:15"},
        {"simple", "2022-10-10 18:00"},    {"general", "2022-10-12 18:00"},
        {"complex", "2022-10-19 18:00"},   {"petition", "2022-11-29 18:00"},
        {"extension", "2022-10-19 18:00"}, {"callback", "2022-10-10 18:00"},
        {"decide", "2022-10-12 18:00"},
    };
    for (size_t i = 0; i < sizeof dues / sizeof dues[0]; i++)
        due_is(&limits, dues[i].step, "2022-09-30 09:15", dues[i].due, false);
}

static void natural_days_and_hours_know_no_holiday(void **state)
{
    (void)state;
    struct limits limits;
    static const struct row rows[] = {
        {"accept", 2, "h"}, {"issue", 3, "d"}, {"sign", 0, "d"}, {"contact", 0, "h"}};
    assert_int_equal(read_rows(&limits, rows, 4), OK);
    due_is(&limits, "accept", "2022-09-30 23:15", "2022-10-01 01:15", false);
    due_is(&limits, "issue", "2022-09-30 23:15", "2022-10-03 18:00", false);
    due_is(&limits, "sign", "2022-10-01 08:00", "2022-10-01 18:00", false);
    due_is(&limits, "contact", "2022-10-01 08:00", "2022-10-01 08:00", false);
    due_is(&limits, "petition", "2022-12-30 08:00", "2023-02-28 18:00", false);
}

static void what_a_rule_leaves_out_has_its_default(void **state)
{
    (void)state;
    struct limits limits, none;
    static const struct row rows[] = {{"general", 7, "wd"}};
    assert_int_equal(read_rows(&limits, rows, 1), OK);
    due_is(&limits, "general", "2022-07-12 09:00", "2022-07-21 18:00", false);
    due_is(&limits, "complex", "2022-07-12 09:00", "2022-07-26 18:00", false);
    assert_int_equal(read_rows(&none, NULL, 0), OK);
    due_is(&none, "general", "2022-07-12 09:00", "2022-07-19 18:00", false);
}

static void working_days_past_the_calendar_are_provisional(void **state)
{
    (void)state;
    struct limits limits = limits_default();
    due_is(&limits, "complex", "2022-12-05 09:00", "2022-12-19 18:00", false);
    due_is(&limits, "complex", "2022-12-15 09:00", "2022-12-29 18:00", true);
}

static void refuses_rules_that_it_does_not_understand(void **state)
{
    (void)state;
    struct limits limits = limits_default();
    static const struct row step[] = {{"acept", 1, "wd"}}, unit[] = {{"accept", 1, "m"}};
    static const struct row amount[] = {{"accept", CALENDAR_AMOUNT_MAX + 1, "wd"}};
    static const struct row twice[] = {{"accept", 1, "wd"}, {"accept", 2, "wd"}};
    assert_int_equal(read_rows(&limits, step, 1), ERR_RANGE);
    assert_int_equal(read_rows(&limits, unit, 1), ERR_RANGE);
    assert_int_equal(read_rows(&limits, amount, 1), ERR_RANGE);
    assert_int_equal(read_rows(&limits, twice, 2), ERR_EXISTS);
    assert_int_equal(limits_read(&limits, slice_of("\x80", 1)), ERR_MALFORMED);
    assert_int_equal(limits_read(&limits, slice_of("\x81\xa6limits\x91\x01", 10)), ERR_MALFORMED);
    assert_int_equal(limits_read(&limits, slice_of("\x81\xa6limits\x91\x92\xa4sign\x01", 16)),
                     ERR_MALFORMED);
    enum limit_step found;
    assert_int_equal(limits_find_step(&found, slice_of_text("")), ERR_NOT_FOUND);
    due_is(&limits, "accept", "2022-07-12 09:00", "2022-07-13 18:00", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_township_has_limits_before_it_sets_any),
        cmocka_unit_test(natural_days_and_hours_know_no_holiday),
        cmocka_unit_test(what_a_rule_leaves_out_has_its_default),
        cmocka_unit_test(working_days_past_the_calendar_are_provisional),
        cmocka_unit_test(refuses_rules_that_it_does_not_understand),
    };
    return cmocka_run_group_tests(tests, begin, NULL) != 0;
}
