#pragma once
/*
 * The working-day calendar: Saturdays and Sundays are off, but for the exceptional days (调休) that
 * the State Council sets each year and the township records by `calendar.put`. Days are the
 * office's, as common/time.h numbers them.
 *
 * The notice of a year may also move days of the last week of the year before (the State Council's
 * notices since 2008 moved none before the 26th of December), so that week is known only with the
 * notices of both years. Nothing is known outside CALENDAR_YEAR_FIRST to
 * CALENDAR_YEAR_LAST, and what is not known follows the week alone. A time limit that was counted
 * over such days is provisional (暂定).
 */
#include "common/bytes.h"

#define CALENDAR_YEAR_FIRST 2000u
#define CALENDAR_YEAR_LAST 2099u
#define CALENDAR_AMOUNT_MAX 10000u        /* of working days that can be counted on */
#define CALENDAR_CLOSES_MINUTE (18 * 60u) /* of the day: when what is due on a day is due */

enum {
    CALENDAR_YEARS = CALENDAR_YEAR_LAST - CALENDAR_YEAR_FIRST + 1,
    CALENDAR_NOTICE_DAYS = 31 + 366, /* from the 1st of the December before */
    CALENDAR_NOTICE_WORDS = (CALENDAR_NOTICE_DAYS + 63) / 64,
    CALENDAR_DAYS = CALENDAR_YEARS * 365 + CALENDAR_YEARS / 4, /* 2000 is a leap year */
    CALENDAR_WORDS = (CALENDAR_DAYS + 63) / 64,
};

/* Sets of days as bits. Belongs to calendar.c; about 16 KiB, copied as it is. */
struct calendar {
    struct calendar_notice {
        bool known;
        uint64_t off[CALENDAR_NOTICE_WORDS], work[CALENDAR_NOTICE_WORDS];
    } notices[CALENDAR_YEARS];
    uint64_t working[CALENDAR_WORDS]; /* what the week and the notices give together */
};

/* No year is known. */
void calendar_begin(struct calendar *cal);
/* Takes the scanned body of a `calendar.put`: `year` uint, `days` an array of rows
 * ["YYYY-MM-DD", off bool, name str]; it replaces what the calendar had of that year. The order of
 * calls for different years does not matter; where two notices name one day of December, the later
 * year's holds. Nothing changes on error.
 * Errors: ERR_MALFORMED, ERR_RANGE (a year outside the calendar; a day outside the year and the
 * December before), ERR_EXISTS (a day that is named twice). */
MUST_CHECK enum err calendar_put(struct calendar *cal, struct slice body);

/* Takes the same body, of which only the days off count, beside all that was put before: no day
 * gets to be a working day, or known. Errors: as calendar_put. */
MUST_CHECK enum err calendar_put_off(struct calendar *cal, struct slice body);

bool calendar_is_working(const struct calendar *cal, uint32_t day);
bool calendar_is_known(const struct calendar *cal, uint32_t day);

/* When something is due `working_days` after a moment: at 18:00 of the last of that many working
 * days, of which the first is the next one after the moment's own day. 0: at 18:00 of the moment's
 * day when that is a working day (which may lie before the moment), else of the next one. At most
 * CALENDAR_AMOUNT_MAX.
 * `*provisional`: one of the days looked at is not known. */
void calendar_due(const struct calendar *cal, uint64_t start_ms, uint32_t working_days,
                  uint64_t *due_ms, bool *provisional);
