#include "node/office/calendar.h"

#include <assert.h>
#include <string.h>

#include "common/time.h"
#include "proto/msgpack.h"

enum {
    NAME_SIZE_MAX = 64,
    FIRST_DAY = 10957,  /* of the calendar: 2000-01-01 */
    WEEK_WORDS = 7,
    NEXT_YEAR_DAYS = 7, /* at the end of December, which the next notice may move */
};

/* --- sets of days ------------------------------------------------------------------------- */

static bool bit_get(const uint64_t *bits, uint32_t at)
{
    return bits[at / 64] >> at % 64 & 1;
}

static void bit_put(uint64_t *bits, uint32_t at, bool on)
{
    uint64_t bit = UINT64_C(1) << at % 64;
    bits[at / 64] = on ? bits[at / 64] | bit : bits[at / 64] & ~bit;
}

static bool in_calendar(uint32_t day)
{
    return day >= FIRST_DAY && day - FIRST_DAY < CALENDAR_DAYS;
}

static bool in_week(uint32_t day)
{
    return (day + 3) % 7 < 5; /* day 0 was a Thursday */
}

/* --- notices ------------------------------------------------------------------------------ */

static uint32_t notice_first(uint32_t year)
{
    return time_day_of(year - 1, 12, 1);
}

static const struct calendar_notice *notice_of(const struct calendar *cal, uint32_t year)
{
    bool in_range = year >= CALENDAR_YEAR_FIRST && year <= CALENDAR_YEAR_LAST;
    return in_range ? &cal->notices[year - CALENDAR_YEAR_FIRST] : NULL;
}

/* Does the notice of `year` say something of this day, which it covers? */
static bool notice_says(const struct calendar *cal, uint32_t year, uint32_t day, bool *working)
{
    const struct calendar_notice *notice = notice_of(cal, year);
    if (!notice || !notice->known) return false;
    uint32_t at = day - notice_first(year);
    *working = bit_get(notice->work, at);
    return *working || bit_get(notice->off, at);
}

static void settle_day(struct calendar *cal, uint32_t day)
{
    struct time_date date = time_day_date(day);
    bool working = false;
    bool said = date.month == 12 && notice_says(cal, date.year + 1, day, &working);
    if (!said) said = notice_says(cal, date.year, day, &working);
    if (!said) working = in_week(day);
    bit_put(cal->working, day - FIRST_DAY, working);
}

void calendar_begin(struct calendar *cal)
{
    assert(time_day_of(CALENDAR_YEAR_FIRST, 1, 1) == FIRST_DAY);
    memset(cal, 0, sizeof *cal);
    /* Weeks and words come out even after seven words. */
    for (uint32_t i = 0; i < WEEK_WORDS * 64; i++)
        bit_put(cal->working, i, in_week(FIRST_DAY + i));
    for (size_t i = WEEK_WORDS; i < CALENDAR_WORDS; i++)
        cal->working[i] = cal->working[i - WEEK_WORDS];
}

static enum err read_row(struct mp_reader *r, uint32_t year, struct calendar_notice *notice)
{
    uint32_t day = 0;
    size_t cells = mp_read_array(r, 3);
    struct slice date = mp_read_str(r, sizeof "YYYY-MM-DD" - 1);
    bool off = mp_read_bool(r);
    mp_read_str(r, NAME_SIZE_MAX);
    if (r->err || cells != 3) return r->err ? r->err : ERR_MALFORMED;
    enum err e = time_parse_day(&day, date);
    if (e) return e;
    if (day < notice_first(year) || day > time_day_of(year, 12, 31)) return ERR_RANGE;
    uint32_t at = day - notice_first(year);
    if (bit_get(notice->off, at) || bit_get(notice->work, at)) return ERR_EXISTS;
    bit_put(off ? notice->off : notice->work, at, true);
    return OK;
}

static enum err read_notice(uint32_t *year, struct calendar_notice *notice, struct slice body)
{
    struct mp_reader of_year, days;
    if (!mp_map_get(body, "year", &of_year) || !mp_map_get(body, "days", &days))
        return ERR_MALFORMED;
    *notice = (struct calendar_notice){.known = true};
    *year = (uint32_t)mp_read_uint(&of_year, UINT32_MAX);
    size_t rows = mp_read_array(&days, CALENDAR_NOTICE_DAYS);
    enum err e = of_year.err ? of_year.err : days.err;
    if (e) return e;
    if (*year < CALENDAR_YEAR_FIRST || *year > CALENDAR_YEAR_LAST) return ERR_RANGE;
    for (size_t i = 0; i < rows && !e; i++) e = read_row(&days, *year, notice);
    return e;
}

enum err calendar_put(struct calendar *cal, struct slice body)
{
    struct calendar_notice notice;
    uint32_t year;
    enum err e = read_notice(&year, &notice, body);
    if (e) return e;
    cal->notices[year - CALENDAR_YEAR_FIRST] = notice;
    for (uint32_t day = notice_first(year); day <= time_day_of(year, 12, 31); day++)
        if (in_calendar(day)) settle_day(cal, day);
    return OK;
}

enum err calendar_put_off(struct calendar *cal, struct slice body)
{
    struct calendar_notice notice;
    uint32_t year;
    enum err e = read_notice(&year, &notice, body);
    if (e) return e;
    for (uint32_t at = 0, day = notice_first(year); at < CALENDAR_NOTICE_DAYS; at++, day++)
        if (in_calendar(day) && bit_get(notice.off, at))
            bit_put(cal->working, day - FIRST_DAY, false);
    return OK;
}

/* --- questions ---------------------------------------------------------------------------- */

bool calendar_is_working(const struct calendar *cal, uint32_t day)
{
    return in_calendar(day) ? bit_get(cal->working, day - FIRST_DAY) : in_week(day);
}

bool calendar_is_known(const struct calendar *cal, uint32_t day)
{
    struct time_date date = time_day_date(day);
    const struct calendar_notice *own = notice_of(cal, date.year);
    const struct calendar_notice *next = notice_of(cal, date.year + 1);
    bool last_week = date.month == 12 && date.day > 31 - NEXT_YEAR_DAYS;
    return own && own->known && (!last_week || (next && next->known));
}

/* What is not known is at least NEXT_YEAR_DAYS long. */
static bool all_known(const struct calendar *cal, uint32_t from, uint32_t to)
{
    while (from < to && calendar_is_known(cal, from))
        from = to - from > NEXT_YEAR_DAYS ? from + NEXT_YEAR_DAYS : to;
    return calendar_is_known(cal, from);
}

void calendar_due(const struct calendar *cal, uint64_t start_ms, uint32_t working_days,
                  uint64_t *due_ms, bool *provisional)
{
    assert(working_days <= CALENDAR_AMOUNT_MAX);
    uint32_t start = time_day(start_ms), first = working_days ? start + 1 : start, last = first;
    for (uint32_t left = working_days ? working_days : 1;; last++)
        if (calendar_is_working(cal, last) && --left == 0) break;
    *due_ms = time_day_ms(last, CALENDAR_CLOSES_MINUTE);
    *provisional = !all_known(cal, first, last);
}
