#include "node/views/bounds.h"

#include <string.h>

#include "common/time.h"

/* --- codes -------------------------------------------------------------------------------- */

/* The number of a code of 4 digits; CODE_SET_SIZE: it is none. */
static unsigned code_number(struct slice code)
{
    unsigned number = 0;
    if (code.size != 4) return CODE_SET_SIZE;
    for (size_t i = 0; i < 4; i++) {
        if (code.data[i] < '0' || code.data[i] > '9') return CODE_SET_SIZE;
        number = number * 10 + (unsigned)(code.data[i] - '0');
    }
    return number;
}

void code_set_add(struct code_set *set, struct slice code)
{
    unsigned number = code_number(code);
    if (number < CODE_SET_SIZE) set->bits[number / 64] |= UINT64_C(1) << number % 64;
}

bool code_set_has(const struct code_set *set, struct slice code)
{
    unsigned number = code_number(code);
    return number < CODE_SET_SIZE && set->bits[number / 64] >> number % 64 & 1;
}

/* --- bounds ------------------------------------------------------------------------------- */

void bounds_begin(struct bounds *b)
{
    memset(b, 0, sizeof *b);
    calendar_begin(&b->fewest);
}

void bounds_add_list(struct bounds *b, const struct code_set *codes)
{
    b->listed = true;
    for (size_t i = 0; i < CODE_SET_WORDS; i++) b->codes.bits[i] |= codes->bits[i];
}

void bounds_add_limits(struct bounds *b, const struct limits *limits)
{
    const struct limit *limit = &limits->of[LIMIT_EXTENSION];
    b->limited = b->extends[limit->unit] = true;
    if (limit->amount > b->extension[limit->unit]) b->extension[limit->unit] = limit->amount;
}

enum err bounds_add_calendar(struct bounds *b, struct slice body)
{
    return calendar_put_off(&b->fewest, body);
}

bool bounds_allow_category(const struct bounds *b, struct slice code)
{
    return !b || !b->listed || code_set_has(&b->codes, code);
}

bool bounds_allow_extension(const struct bounds *b, uint64_t due_ms, uint64_t to_ms)
{
    if (!b || !b->limited) return true;
    for (unsigned unit = 0; unit < LIMIT_UNIT_COUNT; unit++) {
        struct limits limits = {0};
        uint64_t latest_ms;
        bool provisional;
        if (!b->extends[unit]) continue;
        limits.of[LIMIT_EXTENSION] = (struct limit){b->extension[unit], (enum limit_unit)unit};
        limits_due(&limits, &b->fewest, LIMIT_EXTENSION, due_ms, &latest_ms, &provisional);
        if (time_day(to_ms) <= time_day(latest_ms)) return true;
    }
    return false;
}

/* --- changes ------------------------------------------------------------------------------ */

/* `a` has no bit that `b` lacks. */
static bool within(const uint64_t *a, const uint64_t *b, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (a[i] & ~b[i]) return false;
    return true;
}

/* Is all that stood within `a` within `b`? */
static bool holds(const struct bounds *a, const struct bounds *b)
{
    if (b->listed && !(a->listed && within(a->codes.bits, b->codes.bits, CODE_SET_WORDS)))
        return false;
    if (!b->limited) return true;
    if (!a->limited || !within(b->fewest.working, a->fewest.working, CALENDAR_WORDS)) return false;
    for (unsigned unit = 0; unit < LIMIT_UNIT_COUNT; unit++)
        if (a->extends[unit] && (!b->extends[unit] || a->extension[unit] > b->extension[unit]))
            return false;
    return true;
}

enum bounds_change bounds_compare(const struct bounds *old, const struct bounds *now)
{
    if (!holds(old, now)) return BOUNDS_OTHER;
    return holds(now, old) ? BOUNDS_SAME : BOUNDS_WIDER;
}
