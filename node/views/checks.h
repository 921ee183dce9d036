#pragma once
/*
 * Checks across things (stage 2): what no thing can know by itself, as a number or a phone that two
 * have. Computed from the rows of stage 1 and the boxes at hand whenever somebody asks, kept
 * nowhere. They flag and never take an act's effect away; what is recorded here is refused by the
 * same checks before it is signed (node/views/checks_before.h).
 */
#include "node/views/views.h"

/* code, name for scripts, is it a mere note */
#define CHECK_CODES(X)                                                                             \
    X(CHECK_REQUEST_NUMBER, "request-number-twice", false)                                         \
    X(CHECK_OFFICIAL_NUMBER, "official-number-twice", false)                                       \
    X(CHECK_REFERENCE, "reference-twice", false)                                                   \
    X(CHECK_BOTH_CHANGED, "changed-on-both-sides", false)                                          \
    X(CHECK_DOC_NO, "order-number-twice", false)                                                   \
    X(CHECK_UNIT, "unit-twice", false)                                                             \
    X(CHECK_SIGNER, "signer-without-right", false)                                                 \
    X(CHECK_HOLDER_CLOSED, "unit-of-request-closed", false)                                        \
    X(CHECK_DUTY_CLOSED, "unit-of-duty-closed", false)                                             \
    X(CHECK_CATEGORY, "category-unknown", false)                                                   \
    X(CHECK_PHONE, "phone-unusable", false)                                                        \
    X(CHECK_VOLUNTEER_PHONE, "volunteer-phone-twice", false)                                       \
    X(CHECK_VOLUNTEER_NUMBER, "volunteer-number-twice", false)                                     \
    X(CHECK_GUARDIAN, "guardian-missing", false)                                                   \
    X(CHECK_TEAM, "team-twice", false)                                                             \
    X(CHECK_OVERLAP, "attendance-overlaps", false)                                                 \
    X(CHECK_DAY, "day-too-long", false)                                                            \
    X(CHECK_LEFT, "served-after-leaving", false)                                                   \
    X(CHECK_INSURANCE, "activity-without-insurance", false)                                        \
    X(CHECK_BASIS, "service-awarded-twice", false)                                                 \
    X(CHECK_PUBLICITY, "publicity-too-short", false)                                               \
    X(CHECK_SHOWN, "list-shown-twice", false)                                                      \
    X(CHECK_RUNS, "two-redemptions-open", false)                                                   \
    X(CHECK_GRANT, "grant-not-as-listed", false)                                                   \
    X(CHECK_BENEFIT, "recommended-too-early", false)                                               \
    X(CHECK_VERDICT, "verified-twice", true)                                                       \
    X(CHECK_WAITING, "waiting-list", true)

enum check_code {
#define CHECK_CODE_ENUM(code, name, note) code,
    CHECK_CODES(CHECK_CODE_ENUM)
#undef CHECK_CODE_ENUM
        CHECK_COUNT
};
const char *check_name(enum check_code code);
bool check_is_note(enum check_code code); /* shown, not counted as something to do */

#define CHECK_DAY_MINUTES 960 /* served by one person in a day, at most */

struct check_thing {
    enum thing_type type;
    struct thing_key key;
};
struct check_flag {
    enum check_code code;
    struct check_thing things[2]; /* the one flagged, then the other one */
    size_t thing_count;
    bool has_person; /* whose service, points or grant it is: */
    struct thing_id person;
    char said[64];   /* the number, reference, day or unit; "" where there is none; no phone */
    uint64_t number; /* minutes of a day, people waiting, days, activities; else 0 */
};
/* All of them, in the order of the codes, until `each` says false. Errors: ERR_NOMEM, ERR_CORRUPT,
 * the transaction's. */
MUST_CHECK enum err checks_each(struct views *v, struct txn *t,
                                bool (*each)(void *state, const struct check_flag *flag),
                                void *state);
/* How many there are but notes. */
MUST_CHECK enum err checks_count(struct views *v, struct txn *t, uint64_t *out);

/* People signed up for a call; those beyond its need wait. */
struct call_signups {
    uint32_t need, signed_up, waiting;
    bool hazard, insured;
};
struct thing;
void checks_call(const struct thing *call, struct call_signups *out);
