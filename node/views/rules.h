#pragma once
/*
 * What the township set: its rules in all their versions and its calendar, as a snapshot of the
 * rows of scope `town`, held in memory and read-only. A rule is in force from its effective date
 * until a greater version is; of two with one version the one founded later counts, then the
 * greater id. Of two calendars of a year the same. What cannot be read is left out, on every node
 * alike.
 */
#include "node/views/bounds.h"
#include "node/views/views.h"

#define RULE_TYPES(X)                                                                              \
    X(RULE_SLA, "sla", "时限")                                                                     \
    X(RULE_POINTS, "points", "积分")                                                               \
    X(RULE_REDEEM, "redeem", "兑换")                                                               \
    X(RULE_KPI, "kpi", "考核权重")                                                                 \
    X(RULE_CATEGORY, "category", "诉求类别")

enum rule_type {
#define RULE_TYPE_ENUM(code, name, zh) code,
    RULE_TYPES(RULE_TYPE_ENUM)
#undef RULE_TYPE_ENUM
        RULE_TYPE_COUNT
};
const char *rule_type_name(enum rule_type type);
const char *rule_type_zh(enum rule_type type);
/* By either. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum err rule_type_parse(enum rule_type *out, struct slice name);

/* All slices are the snapshot's. */
struct rule {
    enum rule_type type;
    uint32_t ver;
    uint32_t effective; /* day, as common/time.h numbers them */
    uint64_t founded_ms;
    struct thing_id id;
    struct slice fields;    /* the body of its rule.put */
    struct limits limits;   /* of RULE_SLA */
    struct code_set *codes; /* of RULE_CATEGORY */
};
struct rules_calendar {
    uint32_t year;
    uint64_t founded_ms;
    struct thing_id id;
    struct slice fields; /* the body of its calendar.put */
};
struct rules {
    struct rule *rules; /* by type, then version, then what counts more */
    size_t rule_count;
    struct rules_calendar *calendars; /* by year, one each */
    size_t calendar_count;
    struct calendar calendar;
    struct bounds bounds; /* of all versions together */
    struct buf bytes;
};

/* As of this transaction; kept by the handle until the next change. Errors: as views_roster. */
MUST_CHECK enum err views_rules(struct views *v, struct txn *t, const struct rules **out);
MUST_CHECK enum err rules_load(struct rules **out, struct txn *t);
void rules_free(struct rules *r);

/* In force on a day; NULL: none. */
const struct rule *rules_at(const struct rules *r, enum rule_type type, uint32_t day);
/* The greatest version, in force or not yet; NULL: none. */
const struct rule *rules_newest(const struct rules *r, enum rule_type type);
/* When the newest of rules and calendars was founded; 0: there are none. */
uint64_t rules_newest_ms(const struct rules *r);
const struct rules_calendar *rules_calendar_of(const struct rules *r, uint32_t year);

/* The limits in force on a day; returns their version, 0: this program's own, for none are set. */
uint32_t rules_limits(const struct rules *r, uint32_t day, struct limits *out);
/* For how many days points are made public (7 where no rule says). */
uint32_t rules_public_days(const struct rules *r, uint32_t day);

/* --- categories of requests --- */

struct category {
    struct slice code, zh, en, ext_code; /* the last two may be empty */
};
/* One after the other of a rule of type category; start with a zeroed cursor. */
struct category_cursor {
    struct mp_reader rows;
    size_t left;
    bool begun;
};
bool rule_category_next(const struct rule *rule, struct category_cursor *at, struct category *out);
bool rule_category_find(const struct rule *rule, struct slice code, struct category *out);
