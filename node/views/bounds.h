#pragma once
/*
 * What can be at all, by everything that the township ever published and that is held here: the
 * categories of every list, the longest extension of every rule over the fewest working days of all
 * calendars. It is what stage 1 knows of rules (SPEC 14.15). No clock is asked and no version is
 * chosen, so what is published later only widens it, and no act that had an effect loses it. Where
 * nothing is held yet, there is no bound.
 */
#include "node/office/limits.h"

enum { CODE_SET_SIZE = 10000, CODE_SET_WORDS = (CODE_SET_SIZE + 63) / 64 };

/* Of codes of 4 digits, a bit for each. */
struct code_set {
    uint64_t bits[CODE_SET_WORDS];
};
void code_set_add(struct code_set *set, struct slice code); /* no such code: nothing */
bool code_set_has(const struct code_set *set, struct slice code);

struct bounds {
    bool listed; /* a list of categories is held */
    struct code_set codes;
    bool limited; /* a rule of limits is held */
    bool extends[LIMIT_UNIT_COUNT];
    uint32_t extension[LIMIT_UNIT_COUNT]; /* the greatest of those counted in this unit */
    struct calendar fewest;               /* working days; no day is known there */
};

void bounds_begin(struct bounds *b);
void bounds_add_list(struct bounds *b, const struct code_set *codes);
void bounds_add_limits(struct bounds *b, const struct limits *limits);
/* The body of a `calendar.put`. Errors: as calendar_put. */
MUST_CHECK enum err bounds_add_calendar(struct bounds *b, struct slice body);

/* `b` may be NULL: no bound. */
bool bounds_allow_category(const struct bounds *b, struct slice code);
/* May what is due at `due_ms` be extended until `to_ms`? Days are compared. */
bool bounds_allow_extension(const struct bounds *b, uint64_t due_ms, uint64_t to_ms);

/* Of what stood within `old`, does all stand within `now`, and perhaps more? */
enum bounds_change { BOUNDS_SAME, BOUNDS_WIDER, BOUNDS_OTHER };
enum bounds_change bounds_compare(const struct bounds *old, const struct bounds *now);
