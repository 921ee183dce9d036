#include "common/time.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define OFFICE_AHEAD_MS (8 * HOUR_MS)
#define MS_MAX (UINT64_C(253402300799) * 1000 - OFFICE_AHEAD_MS) /* the end of the year 9999 */

struct date {
    uint32_t year, month, day, hour, minute, second;
};

/* Days since 1970-01-01 and back: Howard Hinnant, "chrono-compatible low-level date algorithms",
 * for years from 0 on. */
static uint64_t days_of(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t y = month <= 2 ? year - 1 : year;
    uint32_t era = y / 400, of_era = y % 400;
    uint32_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    uint64_t day_of_era = (uint64_t)of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return (uint64_t)era * 146097 + day_of_era - 719468;
}

static struct date date_of(uint64_t ms)
{
    if (ms > MS_MAX + OFFICE_AHEAD_MS) ms = MS_MAX + OFFICE_AHEAD_MS;
    uint32_t z = (uint32_t)(ms / DAY_MS) + 719468;
    uint32_t era = z / 146097, day_of_era = z % 146097;
    uint32_t of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    uint32_t shifted = (5 * of_year + 2) / 153;
    uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    uint32_t second = (uint32_t)(ms % DAY_MS / 1000);
    return (struct date){
        .year = era * 400 + of_era + (month <= 2),
        .month = month,
        .day = of_year - (153 * shifted + 2) / 5 + 1,
        .hour = second / 3600,
        .minute = second / 60 % 60,
        .second = second % 60,
    };
}

static struct date office_date_of(uint64_t ms)
{
    return date_of(ms > MS_MAX ? MS_MAX + OFFICE_AHEAD_MS : ms + OFFICE_AHEAD_MS);
}

void time_format(char out[TIME_TEXT_SIZE], uint64_t ms)
{
    struct date d = office_date_of(ms);
    snprintf(out, TIME_TEXT_SIZE, "%04u-%02u-%02u %02u:%02u", d.year % 10000, d.month % 100,
             d.day % 100, d.hour % 100, d.minute % 100);
}

void time_format_date(char out[TIME_TEXT_SIZE], uint64_t ms)
{
    struct date d = office_date_of(ms);
    snprintf(out, TIME_TEXT_SIZE, "%04u-%02u-%02u", d.year % 10000, d.month % 100, d.day % 100);
}

void time_format_clock(char out[TIME_TEXT_SIZE], uint64_t ms)
{
    struct date d = office_date_of(ms);
    snprintf(out, TIME_TEXT_SIZE, "%02u:%02u", d.hour % 100, d.minute % 100);
}

void time_format_utc(char out[TIME_TEXT_SIZE], uint64_t ms)
{
    struct date d = date_of(ms);
    snprintf(out, TIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", d.year % 10000, d.month % 100,
             d.day % 100, d.hour % 100, d.minute % 100, d.second % 100);
}

uint32_t time_year(uint64_t ms)
{
    return office_date_of(ms).year;
}

/* Exactly `digits` digits. */
static bool take_number(const char **at, int digits, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9') return false;
        value = value * 10 + (uint32_t)(**at - '0');
    }
    *out = value;
    return true;
}

static bool take(const char **at, char c)
{
    if (**at != c) return false;
    (*at)++;
    return true;
}

static bool take_date(const char **at, struct date *d)
{
    return take_number(at, 4, &d->year) && take(at, '-') && take_number(at, 2, &d->month) &&
           take(at, '-') && take_number(at, 2, &d->day);
}

static bool day_exists(const struct date *d)
{
    static const uint32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (d->month < 1 || d->month > 12 || d->day < 1) return false;
    bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
    return d->day <= days[d->month - 1] + (leap && d->month == 2);
}

enum err time_parse(uint64_t *ms, const char *text)
{
    struct date d = {0};
    const char *at = text;
    bool utc = false;
    if (!take_date(&at, &d)) return ERR_MALFORMED;
    if (take(&at, ' ') || take(&at, 'T')) {
        if (!take_number(&at, 2, &d.hour) || !take(&at, ':') || !take_number(&at, 2, &d.minute))
            return ERR_MALFORMED;
        if (take(&at, ':') && !take_number(&at, 2, &d.second)) return ERR_MALFORMED;
        utc = take(&at, 'Z');
    }
    if (*at) return ERR_MALFORMED;
    if (!day_exists(&d) || d.hour > 23 || d.minute > 59 || d.second > 59) return ERR_RANGE;
    if (d.year < 1970) return ERR_RANGE;
    uint64_t value = days_of(d.year, d.month, d.day) * DAY_MS + d.hour * HOUR_MS +
                     d.minute * MINUTE_MS + d.second * UINT64_C(1000);
    if (!utc && value < OFFICE_AHEAD_MS) return ERR_RANGE;
    *ms = utc ? value : value - OFFICE_AHEAD_MS;
    return OK;
}

enum err time_parse_duration(uint64_t *ms, const char *text)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"", 1000},     {"s", 1000},   {"m", MINUTE_MS},
                 {"h", HOUR_MS}, {"d", DAY_MS}, {"w", 7 * DAY_MS}};
    const uint64_t value_max = 100 * 366 * DAY_MS;
    uint64_t value = 0;
    const char *at = text;
    if (*at < '0' || *at > '9') return ERR_MALFORMED;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (uint64_t)(*at - '0');
        if (value > value_max) return ERR_RANGE;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(at, units[i].unit) == 0) {
            if (value > value_max / units[i].ms) return ERR_RANGE;
            *ms = value * units[i].ms;
            return OK;
        }
    return ERR_MALFORMED;
}

bool time_date_valid(const char *text)
{
    struct date d = {0};
    return take_date(&text, &d) && *text == 0 && day_exists(&d);
}

uint32_t time_day(uint64_t ms)
{
    return (uint32_t)((ms > MS_MAX ? MS_MAX + OFFICE_AHEAD_MS : ms + OFFICE_AHEAD_MS) / DAY_MS);
}

uint32_t time_day_of(uint32_t year, uint32_t month, uint32_t day)
{
    return (uint32_t)days_of(year, month, day);
}

struct time_date time_day_date(uint32_t day)
{
    struct date d = date_of(day * DAY_MS);
    return (struct time_date){d.year, d.month, d.day};
}

uint64_t time_day_ms(uint32_t day, uint32_t minute)
{
    uint64_t ahead = day * DAY_MS + minute * MINUTE_MS;
    return ahead > OFFICE_AHEAD_MS ? ahead - OFFICE_AHEAD_MS : 0;
}

enum err time_parse_day(uint32_t *day, struct slice text)
{
    char copy[sizeof "YYYY-MM-DD"] = "";
    const char *at = copy;
    struct date d = {0};
    if (text.size != sizeof copy - 1) return ERR_MALFORMED;
    memcpy(copy, text.data, text.size);
    if (!take_date(&at, &d) || !day_exists(&d)) return ERR_MALFORMED;
    if (d.year < 1970) return ERR_RANGE;
    *day = time_day_of(d.year, d.month, d.day);
    return OK;
}
