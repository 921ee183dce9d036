#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/time.h"

static void shows_the_office_s_time_whatever_the_machine_s_zone(void **state)
{
    (void)state;
    char text[TIME_TEXT_SIZE];
    uint64_t ms;
    assert_int_equal(time_parse(&ms, "2026-11-23T07:20:11Z"), OK);
    time_format(text, ms);
    assert_string_equal(text, "2026-11-23 15:20");
    time_format_date(text, ms);
    assert_string_equal(text, "2026-11-23");
    time_format_clock(text, ms);
    assert_string_equal(text, "15:20");
    time_format_utc(text, ms);
    assert_string_equal(text, "2026-11-23T07:20:11Z");
}

static void knows_the_turn_of_the_year_in_shanghai(void **state)
{
    (void)state;
    uint64_t ms;
    assert_int_equal(time_parse(&ms, "2026-12-31T16:00:00Z"), OK);
    assert_int_equal(time_year(ms), 2027);
    assert_int_equal(time_year(ms - 1), 2026);
}

static void reads_what_it_shows_on_every_day(void **state)
{
    (void)state;
    /* 1970 to 2106, a step that visits every day of the year, leap years and centuries */
    for (uint64_t ms = 0; ms < UINT64_C(4300000000000); ms += UINT64_C(86400000) * 17 + 60000) {
        char text[TIME_TEXT_SIZE];
        uint64_t back = 0;
        time_format(text, ms);
        assert_int_equal(time_parse(&back, text), OK);
        assert_int_equal(back, ms);
    }
}

static void stays_within_four_digits_of_year(void **state)
{
    (void)state;
    char text[TIME_TEXT_SIZE];
    time_format(text, UINT64_MAX);
    assert_string_equal(text, "9999-12-31 23:59");
    time_format_utc(text, 0);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
}

static void reads_times_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *utc;
    } rows[] = {
        {"2026-11-23", "2026-11-22T16:00:00Z"},
        {"2026-11-23 15:20", "2026-11-23T07:20:00Z"},
        {"2026-11-23T15:20:11", "2026-11-23T07:20:11Z"},
        {"2024-02-29", "2024-02-28T16:00:00Z"},
        {"2000-02-29 00:00", "2000-02-28T16:00:00Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[TIME_TEXT_SIZE];
        uint64_t ms;
        assert_int_equal(time_parse(&ms, rows[i].text), OK);
        time_format_utc(text, ms);
        assert_string_equal(text, rows[i].utc);
    }
}

static void refuses_days_and_hours_that_do_not_exist(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "2026-02-29", "2100-02-29", "2026-13-01", "2026-00-10",       "2026-01-00",
        "2026-04-31", "1969-12-31", "1970-01-01", "2026-11-23 24:00", "2026-11-23 15:60",
    };
    uint64_t ms = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(time_parse(&ms, bad[i]), ERR_RANGE);
    assert_int_equal(ms, 7);
}

static void refuses_other_forms_of_time(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11",
        "26-11-23",
        "2026/11/23",
        "2026-11-23 ",
        "2026-11-23 15",
        "2026-11-23 15:2",
        "2026-11-23 15:20:1",
        "2026-11-23 15:20 ",
        "2026-11-23Z",
        "yesterday",
    };
    uint64_t ms;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(time_parse(&ms, bad[i]), ERR_MALFORMED);
}

static void reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {{"30", 30000},     {"30s", 30000},    {"5m", 300000}, {"2h", 7200000},
                {"7d", 604800000}, {"1w", 604800000}, {"0", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t ms;
        assert_int_equal(time_parse_duration(&ms, rows[i].text), OK);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void refuses_bad_durations(void **state)
{
    (void)state;
    uint64_t ms;
    assert_int_equal(time_parse_duration(&ms, ""), ERR_MALFORMED);
    assert_int_equal(time_parse_duration(&ms, "-1s"), ERR_MALFORMED);
    assert_int_equal(time_parse_duration(&ms, "d"), ERR_MALFORMED);
    assert_int_equal(time_parse_duration(&ms, "7days"), ERR_MALFORMED);
    assert_int_equal(time_parse_duration(&ms, "1.5h"), ERR_MALFORMED);
    assert_int_equal(time_parse_duration(&ms, "99999999999999999999"), ERR_RANGE);
    assert_int_equal(time_parse_duration(&ms, "40000d"), ERR_RANGE);
}

static void tells_dates_from_other_text(void **state)
{
    (void)state;
    assert_true(time_date_valid("2026-11-23"));
    assert_false(time_date_valid("2026-11-31"));
    assert_false(time_date_valid("2026-11-23 15:20"));
    assert_false(time_date_valid(""));
}

static void counts_days_as_the_office_has_them(void **state)
{
    (void)state;
    uint64_t ms;
    uint32_t day;
    assert_int_equal(time_parse(&ms, "2022-07-12T15:59:59Z"), OK);
    assert_int_equal(time_parse_day(&day, slice_of_text("2022-07-12")), OK);
    assert_int_equal(time_day(ms), day);
    assert_int_equal(time_day(ms + 1000), day + 1);
    assert_int_equal(time_day_ms(day, 24 * 60), ms + 1000);
    assert_int_equal(time_day(time_day_ms(day, 0)), day);
    assert_int_equal(time_day(time_day_ms(day, 18 * 60)), day);
    assert_int_equal(time_day(0), 0);
    assert_int_equal(time_day_ms(0, 60), 0);
    assert_int_equal(time_day(UINT64_MAX), time_day_of(9999, 12, 31));
}

static void reads_every_day_that_it_names(void **state)
{
    (void)state;
    for (uint32_t day = 1; day < 60000; day++) {
        struct time_date d = time_day_date(day);
        char text[TIME_TEXT_SIZE];
        uint32_t back;
        time_format_date(text, time_day_ms(day, 12 * 60));
        assert_int_equal(time_day_of(d.year, d.month, d.day), day);
        assert_int_equal(time_parse_day(&back, slice_of_text(text)), OK);
        assert_int_equal(back, day);
    }
}

static void refuses_what_is_no_day(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "2022-02-29", "2022-2-28",  "2022-13-01",  "2022-00-10",
        "2022-01-00", "20220101",   "2022/01/01", "2022-01-01 ", "2022-01-010"};
    uint32_t day = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(time_parse_day(&day, slice_of_text(bad[i])), ERR_MALFORMED);
    assert_int_equal(time_parse_day(&day, slice_of_text("1969-12-31")), ERR_RANGE);
    assert_int_equal(day, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_office_s_time_whatever_the_machine_s_zone),
        cmocka_unit_test(knows_the_turn_of_the_year_in_shanghai),
        cmocka_unit_test(reads_what_it_shows_on_every_day),
        cmocka_unit_test(stays_within_four_digits_of_year),
        cmocka_unit_test(reads_times_as_people_write_them),
        cmocka_unit_test(refuses_days_and_hours_that_do_not_exist),
        cmocka_unit_test(refuses_other_forms_of_time),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(refuses_bad_durations),
        cmocka_unit_test(tells_dates_from_other_text),
        cmocka_unit_test(counts_days_as_the_office_has_them),
        cmocka_unit_test(reads_every_day_that_it_names),
        cmocka_unit_test(refuses_what_is_no_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
