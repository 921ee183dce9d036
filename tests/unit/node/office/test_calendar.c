#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "common/time.h"
#include "node/office/calendar.h"
#include "proto/msgpack.h"

struct row {
    const char *date;
    bool off;
};

/* As the State Council set them; the notice of 2023 begins with a day of 2022. */
static const struct row of_2022[] = {
    {"2022-01-01", true},  {"2022-01-02", true}, {"2022-01-03", true},  {"2022-01-29", false},
    {"2022-01-30", false}, {"2022-01-31", true}, {"2022-02-01", true},  {"2022-02-02", true},
    {"2022-02-03", true},  {"2022-02-04", true}, {"2022-02-05", true},  {"2022-02-06", true},
    {"2022-09-10", true},  {"2022-09-11", true}, {"2022-09-12", true},  {"2022-10-01", true},
    {"2022-10-02", true},  {"2022-10-03", true}, {"2022-10-04", true},  {"2022-10-05", true},
    {"2022-10-06", true},  {"2022-10-07", true}, {"2022-10-08", false}, {"2022-10-09", false},
};
static const struct row of_2023[] = {
    {"2022-12-31", true}, {"2023-01-01", true}, {"2023-01-02", true},  {"2023-01-21", true},
    {"2023-01-22", true}, {"2023-01-23", true}, {"2023-01-24", true},  {"2023-01-25", true},
    {"2023-01-26", true}, {"2023-01-27", true}, {"2023-01-28", false}, {"2023-01-29", false},
};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct calendar cal;

static enum err put(uint64_t year, const struct row *rows, size_t count)
{
    struct buf body = {0};
    struct mp_writer w = {&body};
    mp_write_map(&w, 2);
    mp_write_text(&w, "days");
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        mp_write_array(&w, 3);
        mp_write_text(&w, rows[i].date);
        mp_write_bool(&w, rows[i].off);
        mp_write_text(&w, "节");
    }
    mp_write_text(&w, "year");
    mp_write_uint(&w, year);
    assert_int_equal(body.err, OK);
    assert_int_equal(mp_scan_whole(buf_slice(&body)), OK);
    enum err e = calendar_put(&cal, buf_slice(&body));
    buf_clear(&body);
    return e;
}

static int begin(void **state)
{
    (void)state;
    calendar_begin(&cal);
    assert_int_equal(put(2022, of_2022, COUNT(of_2022)), OK);
    return 0;
}

static uint32_t day(const char *date)
{
    uint32_t d = 0;
    assert_int_equal(time_parse_day(&d, slice_of_text(date)), OK);
    return d;
}

static uint64_t at(const char *text)
{
    uint64_t ms = 0;
    assert_int_equal(time_parse(&ms, text), OK);
    return ms;
}

static bool working(const char *date)
{
    return calendar_is_working(&cal, day(date));
}

/* After the day of `from_ms`, up to and with that of `to_ms`. */
static uint32_t working_days_between(uint64_t from_ms, uint64_t to_ms)
{
    uint32_t count = 0;
    for (uint32_t d = time_day(from_ms) + 1; d <= time_day(to_ms); d++)
        count += calendar_is_working(&cal, d);
    return count;
}

static void due_is(const char *start, uint32_t working_days, const char *due, bool provisional)
{
    uint64_t ms;
    bool open;
    char text[TIME_TEXT_SIZE];
    calendar_due(&cal, at(start), working_days, &ms, &open);
    time_format(text, ms);
    assert_string_equal(text, due);
    assert_int_equal(open, provisional);
    if (working_days) assert_int_equal(working_days_between(at(start), ms), working_days);
}

static void assert_same(const struct calendar *a, const struct calendar *b)
{
    for (uint32_t d = day("1999-01-01"); d < day("2101-01-01"); d++) {
        assert_int_equal(calendar_is_working(a, d), calendar_is_working(b, d));
        assert_int_equal(calendar_is_known(a, d), calendar_is_known(b, d));
    }
}

static void knows_holidays_and_the_days_made_up_for_them(void **state)
{
    (void)state;
    assert_true(working("2022-09-30"));
    for (uint32_t d = day("2022-10-01"); d <= day("2022-10-07"); d++)
        assert_false(calendar_is_working(&cal, d));
    assert_true(working("2022-10-08")); /* a Saturday */
    assert_true(working("2022-10-09")); /* a Sunday */
    assert_true(working("2022-10-10"));
    assert_false(working("2022-10-15"));
    assert_true(working("2022-01-29") && working("2022-01-30") && !working("2022-01-31"));
}

static void counts_from_the_next_working_day_to_six_in_the_evening(void **state)
{
    (void)state;
    due_is("2022-07-12 09:30", 1, "2022-07-13 18:00", false);
    due_is("2022-07-12 23:59", 1, "2022-07-13 18:00", false);
    due_is("2022-07-13 00:00", 1, "2022-07-14 18:00", false);
    due_is("2022-07-12 09:30", 5, "2022-07-19 18:00", false);
    due_is("2022-07-16 09:30", 1, "2022-07-18 18:00", false); /* from a Saturday */
    due_is("2022-09-30 17:00", 1, "2022-10-08 18:00", false);
    due_is("2022-09-30 17:00", 2, "2022-10-09 18:00", false);
    due_is("2022-09-30 17:00", 5, "2022-10-12 18:00", false);
    due_is("2022-10-03 08:00", 3, "2022-10-10 18:00", false);
}

static void no_working_days_are_today_or_the_next_working_day(void **state)
{
    (void)state;
    due_is("2022-07-12 09:30", 0, "2022-07-12 18:00", false);
    due_is("2022-07-12 19:30", 0, "2022-07-12 18:00", false);
    due_is("2022-10-01 09:30", 0, "2022-10-08 18:00", false);
}

static void a_limit_past_the_known_years_is_provisional(void **state)
{
    (void)state;
    due_is("2022-12-16 09:00", 5, "2022-12-23 18:00", false);
    due_is("2022-12-16 09:00", 6, "2022-12-26 18:00", true);
    due_is("2022-12-29 09:00", 3, "2023-01-03 18:00", true);
    due_is("2021-12-31 09:00", 1, "2022-01-04 18:00", false);
    due_is("2021-12-30 09:00", 1, "2021-12-31 18:00", true);
    due_is("2021-12-31 09:00", 0, "2021-12-31 18:00", true);
    due_is("2030-05-06 09:00", 1, "2030-05-07 18:00", true);
    due_is("1990-05-07 09:00", 1, "1990-05-08 18:00", true);
    due_is("2150-05-06 09:00", 1, "2150-05-07 18:00", true);
}

static void the_last_week_needs_the_notices_of_both_years(void **state)
{
    (void)state;
    due_is("2022-12-29 09:00", 2, "2023-01-02 18:00", true);
    assert_int_equal(put(2023, of_2023, COUNT(of_2023)), OK);
    assert_false(working("2022-12-31"));
    due_is("2022-12-29 09:00", 2, "2023-01-03 18:00", false);
    assert_false(calendar_is_known(&cal, day("2023-12-25")));
    assert_true(calendar_is_known(&cal, day("2023-12-24")));
    assert_false(calendar_is_known(&cal, day("2023-12-31")));
}

static void a_long_limit_is_provisional_for_one_unknown_stretch_within(void **state)
{
    (void)state;
    assert_int_equal(put(2024, NULL, 0), OK);
    assert_false(calendar_is_known(&cal, day("2022-12-31")));
    assert_int_equal(put(2023, NULL, 0), OK);
    due_is("2022-06-01 09:00", 400, "2023-12-19 18:00", false);
    calendar_begin(&cal);
    assert_int_equal(put(2022, of_2022, COUNT(of_2022)), OK);
    assert_int_equal(put(2024, NULL, 0), OK);
    for (uint32_t start = day("2022-11-01"); start < day("2022-12-01"); start++) {
        uint64_t ms;
        bool provisional;
        calendar_due(&cal, time_day_ms(start, 600), 330, &ms, &provisional);
        assert_true(ms > at("2024-01-01") && provisional);
    }
}

static void the_order_of_the_notices_does_not_matter(void **state)
{
    (void)state;
    static const struct row contrary[] = {{"2022-12-31", false}, {"2022-10-09", false}};
    static struct calendar other;
    calendar_begin(&cal);
    assert_int_equal(put(2022, contrary, COUNT(contrary)), OK);
    assert_int_equal(put(2023, of_2023, COUNT(of_2023)), OK);
    other = cal;
    calendar_begin(&cal);
    assert_int_equal(put(2023, of_2023, COUNT(of_2023)), OK);
    assert_int_equal(put(2022, contrary, COUNT(contrary)), OK);
    assert_same(&cal, &other);
    assert_false(working("2022-12-31"));
}

static void a_later_notice_replaces_the_earlier_of_its_year(void **state)
{
    (void)state;
    static const struct row one[] = {{"2022-05-04", true}};
    assert_int_equal(put(2022, one, 1), OK);
    assert_false(working("2022-05-04"));
    assert_true(working("2022-10-03"));
    assert_false(working("2022-10-08"));
    assert_int_equal(put(2022, NULL, 0), OK);
    assert_true(working("2022-05-04"));
    assert_true(calendar_is_known(&cal, day("2022-05-04")));
}

static void refuses_what_is_no_notice_and_keeps_what_it_had(void **state)
{
    (void)state;
    static const struct row other_year[] = {{"2022-05-04", true}, {"2023-01-02", true}};
    static const struct row november[] = {{"2021-11-30", true}};
    static const struct row no_day[] = {{"2022-02-29", true}};
    static const struct row no_date[] = {{"5月4日", true}};
    static const struct row twice[] = {{"2022-05-04", true}, {"2022-05-04", false}};
    static struct calendar before;
    before = cal;
    assert_int_equal(put(2022, other_year, 2), ERR_RANGE);
    assert_int_equal(put(2022, november, 1), ERR_RANGE);
    assert_int_equal(put(2022, no_day, 1), ERR_MALFORMED);
    assert_int_equal(put(2022, no_date, 1), ERR_MALFORMED);
    assert_int_equal(put(2022, twice, 2), ERR_EXISTS);
    assert_int_equal(put(1999, NULL, 0), ERR_RANGE);
    assert_int_equal(put(2100, NULL, 0), ERR_RANGE);
    assert_int_equal(put((UINT64_C(1) << 32) + 2022, NULL, 0), ERR_RANGE);
    assert_int_equal(calendar_put(&cal, slice_of("\x80", 1)), ERR_MALFORMED);
    assert_int_equal(calendar_put(&cal, slice_of("\x81\xa4year\x01", 7)), ERR_MALFORMED);
    assert_int_equal(calendar_put(&cal, SLICE_EMPTY), ERR_MALFORMED);
    assert_same(&cal, &before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(knows_holidays_and_the_days_made_up_for_them, begin),
        cmocka_unit_test_setup(counts_from_the_next_working_day_to_six_in_the_evening, begin),
        cmocka_unit_test_setup(no_working_days_are_today_or_the_next_working_day, begin),
        cmocka_unit_test_setup(a_limit_past_the_known_years_is_provisional, begin),
        cmocka_unit_test_setup(the_last_week_needs_the_notices_of_both_years, begin),
        cmocka_unit_test_setup(a_long_limit_is_provisional_for_one_unknown_stretch_within, begin),
        cmocka_unit_test_setup(the_order_of_the_notices_does_not_matter, begin),
        cmocka_unit_test_setup(a_later_notice_replaces_the_earlier_of_its_year, begin),
        cmocka_unit_test_setup(refuses_what_is_no_notice_and_keeps_what_it_had, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
