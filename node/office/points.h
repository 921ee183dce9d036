#pragma once
/*
 * Points for voluntary service, by the rules of a `rule.put` of type `points`. All points are
 * tenths of a point. In this order: minutes, whole blocks of them, rate, factor,
 * caps. It is rounded once, down to a tenth, after the factor:
 *
 *   hour      ⌊minutes / block_min⌋ × block_min × rate × factor_pct / (60 × 100), rounded down
 *   activity  rate × factor_pct / 100, rounded down, once an activity
 *   outcome   outcomes × rate × factor_pct / 100, rounded down
 *   referral  rate × factor_pct / 100, rounded down
 *
 * and then cut to what each cap leaves: of the activity, the day, the month, the year.
 */
#include "proto/event.h"

#define POINTS_ID_SIZE_MAX 32
#define POINTS_CATEGORY_SIZE_MAX 32
#define POINTS_BLOCK_MIN_DEFAULT 30
#define POINTS_TENTHS_MAX 1000000 /* of a rate or a cap */

enum points_basis { POINTS_ACTIVITY, POINTS_HOUR, POINTS_OUTCOME, POINTS_REFERRAL };

struct points_rule {
    char id[POINTS_ID_SIZE_MAX + 1];
    enum points_basis basis;
    int32_t rate;        /* a unit of the basis: an activity, 60 minutes, an outcome, a referral */
    uint32_t block_min;  /* minutes */
    uint32_t factor_pct; /* 100: none */
    char category[POINTS_CATEGORY_SIZE_MAX + 1];         /* of the services it is for; "": of any */
    uint32_t cap_activity, cap_day, cap_month, cap_year; /* 0: none */
    bool need_verify;
};

struct points_rules {
    struct points_rule rules[POINTS_RULES_MAX];
    size_t count;
};

/* Reads the scanned body of a rule: `points`, an array of rows [id, basis, rate int, block_min uint
 * (0: the default), factor_pct uint, category str or nil, cap_activity, cap_day, cap_month,
 * cap_year uint, need_verify bool]; a basis is activity, hour, outcome or referral. Points are
 * never negative: deductions are acts of their own. Errors: ERR_MALFORMED, ERR_RANGE, ERR_EXISTS
 * (an id that is used twice). */
MUST_CHECK enum err points_read(struct points_rules *out, struct slice body);

enum points_service_kind {
    POINTS_ATTENDED, /* an activity: counts for activity, hour, outcome */
    POINTS_SERVED,   /* a service of one's own (零星服务): for hour, outcome */
    POINTS_REFERRED, /* brought a volunteer: for referral */
};

struct points_service {
    uint32_t day; /* common/time.h */
    enum points_service_kind kind;
    bool verified;
    uint32_t minutes; /* the verified ones, of what is verified; else the stated ones */
    uint32_t outcomes;
    struct slice category;            /* borrowed */
    struct thing_id activity;         /* attended; else the service's own thing */
    struct thing_id basis;            /* the record of service that entries are based on */
    const struct points_rules *rules; /* in force on that day, borrowed; NULL: none */
};

struct points_entry {
    const struct points_rule *rule;
    size_t service; /* index */
    int32_t points; /* more than 0 */
};

/* Zero-initialise; used again and again; points_entries_clear gives the memory back. */
struct points_entries {
    struct points_entry *items;
    size_t count, capacity;
    struct points_tally *tallies; /* points.c's own */
    size_t tally_count, tally_capacity;
};

/* The entries of one person's services, which must be sorted. Caps run over the calendar year and
 * month of the services; a rule that a newer version replaces within the year goes on under its id,
 * with the newer version's caps. Of services with one day and basis, the first counts. An activity
 * of several services gives its points on the first one for which the caps leave any.
 * Errors: ERR_NOMEM. */
MUST_CHECK enum err points_count(struct points_entries *out, const struct points_service *services,
                                 size_t count);
void points_entries_clear(struct points_entries *entries);
