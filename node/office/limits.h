#pragma once
/*
 * Time limits of the steps of a request: the township's defaults, or what a `rule.put` of type
 * `sla` sets. What is due is stored with the request and never computed anew when the rule changes.
 */
#include "node/office/calendar.h"

#define LIMITS_LIST(X)                                                                             \
    X(LIMIT_ACCEPT, "accept", 1, LIMIT_WORKING_DAYS)                                               \
    X(LIMIT_ISSUE, "issue", 1, LIMIT_WORKING_DAYS)                                                 \
    X(LIMIT_SIGN, "sign", 1, LIMIT_WORKING_DAYS)                                                   \
    X(LIMIT_CONTACT, "contact", 24, LIMIT_HOURS)                                                   \
    X(LIMIT_SIMPLE, "simple", 3, LIMIT_WORKING_DAYS)                                               \
    X(LIMIT_GENERAL, "general", 5, LIMIT_WORKING_DAYS)                                             \
    X(LIMIT_COMPLEX, "complex", 10, LIMIT_WORKING_DAYS)                                            \
    X(LIMIT_PETITION, "petition", 60, LIMIT_DAYS)                                                  \
    X(LIMIT_EXTENSION, "extension", 10, LIMIT_WORKING_DAYS)                                        \
    X(LIMIT_CALLBACK, "callback", 3, LIMIT_WORKING_DAYS)                                           \
    X(LIMIT_DECIDE, "decide", 5, LIMIT_WORKING_DAYS)

enum limit_step {
#define LIMITS_ENUM(step, name, amount, unit) step,
    LIMITS_LIST(LIMITS_ENUM)
#undef LIMITS_ENUM
        LIMIT_STEP_COUNT
};

enum limit_unit {
    LIMIT_WORKING_DAYS, /* "wd", calendar_due */
    LIMIT_DAYS,  /* "d": 18:00 that many days after the day of the start, also on a holiday */
    LIMIT_HOURS, /* "h": that many hours after the start */
};
enum { LIMIT_UNIT_COUNT = LIMIT_HOURS + 1 };

struct limits {
    struct limit {
        uint32_t amount; /* at most CALENDAR_AMOUNT_MAX */
        enum limit_unit unit;
    } of[LIMIT_STEP_COUNT];
};

struct limits limits_default(void);
/* Reads the scanned body of a rule: `limits`, an array of rows [step, amount uint, unit]; a step
 * that no row names has its default. Errors: ERR_MALFORMED, ERR_RANGE (another step or unit, too
 * great an amount), ERR_EXISTS (a step that is named twice). */
MUST_CHECK enum err limits_read(struct limits *out, struct slice body);

/* A step by its name, which for the four ways of handling is the request's class. Errors:
 * ERR_NOT_FOUND. */
MUST_CHECK enum err limits_find_step(enum limit_step *out, struct slice name);

/* When a step is due that begins at `start_ms`. Only working days can be provisional. */
void limits_due(const struct limits *limits, const struct calendar *cal, enum limit_step step,
                uint64_t start_ms, uint64_t *due_ms, bool *provisional);
