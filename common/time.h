#pragma once
/*
 * Times as people write and read them. All shown times and dates are the office's: Asia/Shanghai,
 * which is UTC+8 without summer time since 1991, so no time zone data is needed and a laptop with a
 * wrong zone shows the right hour. Milliseconds since 1970 everywhere else.
 */
#include "common/bytes.h"

#define TIME_TEXT_SIZE 32

/* "2026-11-23 15:20" */
void time_format(char out[TIME_TEXT_SIZE], uint64_t ms);
/* "2026-11-23" */
void time_format_date(char out[TIME_TEXT_SIZE], uint64_t ms);
/* "15:20" */
void time_format_clock(char out[TIME_TEXT_SIZE], uint64_t ms);
/* "2026-11-23T07:20:11Z" (UTC, for JSON) */
void time_format_utc(char out[TIME_TEXT_SIZE], uint64_t ms);
/* The office's calendar year of a moment. */
uint32_t time_year(uint64_t ms);

/* "YYYY-MM-DD[ HH:MM[:SS]]" of the office (blank or T between), or the same with a final Z: UTC.
 * Errors: ERR_MALFORMED, ERR_RANGE (no such day or hour, before 1970). */
MUST_CHECK enum err time_parse(uint64_t *ms, const char *text);
/* "30s" "5m" "2h" "7d" "4w"; a bare number is seconds. Errors: ERR_MALFORMED, ERR_RANGE (over 100
 * years). */
MUST_CHECK enum err time_parse_duration(uint64_t *ms, const char *text);
/* "YYYY-MM-DD" and a day that exists. */
bool time_date_valid(const char *text);

/* --- days: the office's, counted from 1970-01-01 there, which is day 0 --- */
struct time_date {
    uint32_t year, month, day; /* month and day from 1 */
};
uint32_t time_day(uint64_t ms);
/* The day of a date that exists, from 1970 on. */
uint32_t time_day_of(uint32_t year, uint32_t month, uint32_t day);
struct time_date time_day_date(uint32_t day);
/* The moment `minute` minutes into a day; 0 where that is before 1970 in UTC. */
uint64_t time_day_ms(uint32_t day, uint32_t minute);
/* Exactly "YYYY-MM-DD". Errors: ERR_MALFORMED (also a day that does not exist), ERR_RANGE (before
 * 1970). */
MUST_CHECK enum err time_parse_day(uint32_t *day, struct slice text);
