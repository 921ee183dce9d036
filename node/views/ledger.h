#pragma once
/*
 * The ledger of points of one year's account (SPEC 20): every entry with its state, every person
 * with their sums and verified services. Stage 2: a pure function of the rows of stage 1 and of a
 * day; it reads no clock and changes nothing. Points are tenths of a point.
 *
 * A village device holds its own village's entries and no redemption run, so an entry that was
 * redeemed stands as final there.
 */
#include "node/office/points.h"
#include "node/office/rank.h"
#include "node/views/redemption.h"

#define LEDGER_RULE_SIZE_MAX 16
#define LEDGER_NUMBER_SIZE_MAX 16
#define LEDGER_ACTIVITIES_MIN 5 /* verified ones, for a recommendation */

#define LEDGER_STATES(X)                                                                           \
    X(LEDGER_POSTED, "posted", "已记入")                                                           \
    X(LEDGER_PUBLIC, "public", "公示中")                                                           \
    X(LEDGER_HELD, "held", "有异议")                                                               \
    X(LEDGER_FINAL, "final", "已生效")                                                             \
    X(LEDGER_REDEEMED, "redeemed", "已兑换")                                                       \
    X(LEDGER_REVERSED, "reversed", "已冲正") /* or an objection was upheld: it does not count */

enum ledger_state {
#define LEDGER_STATE_ENUM(code, name, zh) code,
    LEDGER_STATES(LEDGER_STATE_ENUM)
#undef LEDGER_STATE_ENUM
        LEDGER_STATE_COUNT
};
const char *ledger_state_name(enum ledger_state s);
const char *ledger_state_zh(enum ledger_state s);

struct ledger_entry {
    struct thing_key sheet;
    uint32_t number; /* in the sheet, from 1 */
    struct thing_id person;
    char village[13];                    /* whose list it is on; "" of a sheet in `office` */
    char rule[LEDGER_RULE_SIZE_MAX + 1]; /* "" of a deduction */
    bool has_basis;
    struct thing_id basis;
    int32_t points;      /* below 0: deducted */
    uint32_t rules;      /* version */
    uint64_t posted_ms;  /* when the sheet was recorded */
    uint64_t out_ms;     /* when it ceased to count; UINT64_MAX: it counts */
    bool upheld;         /* by an objection, not by a reversal */
    bool held;           /* an objection is open, whatever the state */
    uint32_t objections; /* ever made to it */
    enum ledger_state state;
    uint64_t listed; /* bits: the redemption runs on whose lists it was when they were opened */
    size_t run;      /* the one that redeems it; SIZE_MAX: none */
};

/* What one sheet of attendance, or one service of one's own, says of one person. */
struct ledger_service {
    struct thing_id person;
    struct thing_id basis; /* the service's thing */
    enum points_service_kind kind;
    struct thing_id activity; /* attended; else the basis */
    uint32_t day, minutes, outcomes;
    bool verified;         /* minutes are the verified ones; else the stated ones */
    struct slice category; /* borrowed from the transaction until its next write */
};

struct ledger_person {
    struct thing_key key; /* scope number 0: no volunteer of this id is held */
    char village[13];
    char number[LEDGER_NUMBER_SIZE_MAX + 1]; /* "" where none was given */
    bool left;
    bool may_name;                              /* consents to being ranked by name */
    uint32_t entries;                           /* that count */
    int64_t points;                             /* of all that count */
    int64_t in_state[LEDGER_STATE_COUNT];       /* points of the entries in that state */
    uint32_t minutes, activities;               /* verified, activities once each */
    uint32_t first_day;                         /* of a verified service; 0: none */
    size_t entry_at, service_at, service_count; /* in the ledger's arrays; entries: all of them */
    size_t entry_count;
};

/* points that were made public. */
struct ledger_publicity {
    struct thing_key key;
    char village[13];  /* "": the whole township */
    uint32_t from, to; /* days */
    uint64_t opened_ms;
    bool ended;
    uint64_t ended_ms;
    struct hash list; /* as stated */
};

struct ledger {
    uint32_t year, day;
    struct ledger_person *people;         /* by id */
    struct ledger_entry *entries;         /* by person, sheet, number */
    struct ledger_service *services;      /* by person, day, basis */
    struct ledger_publicity *publicities; /* by the time they were opened, then id */
    size_t person_count, entry_count, service_count, publicity_count;
    struct redemptions runs;
};

/* The account of `year` as it stands on `day` (common/time.h). Owned by the caller: ledger_free.
 * Errors: ERR_NOMEM, ERR_CORRUPT, the transaction's. */
MUST_CHECK enum err ledger_load(struct ledger **out, struct txn *t, uint32_t year, uint32_t day);
void ledger_free(struct ledger *l);

/* NULL: neither a volunteer nor anyone with an entry or a service. */
const struct ledger_person *ledger_person_of(const struct ledger *l, const struct thing_id *person);

/* Is the entry on the list that was made public? It was posted before, not later than the day on
 * which the showing began, and the showing was not ended early. */
bool ledger_covers(const struct ledger_publicity *p, const struct ledger_entry *entry);

/* --- ranks --- */

/* Who has an entry that counts, ranked by points; `village` NULL: of the whole township. ids are
 * those of ledger_person_of. `certificates`: each has a rank of its own. Owned by the caller: free.
 * Errors: ERR_NOMEM. */
MUST_CHECK enum err ledger_rank(struct rank_row **out, size_t *count, const struct ledger *l,
                                const char *village, bool certificates);

/* --- lists (SPEC 20.6) --- */

struct ledger_row {
    struct thing_id person;
    int64_t points;
};
struct ledger_list {
    struct ledger_row *rows; /* by person */
    size_t count;
    int64_t points;  /* of the rows above 0, together */
    uint32_t newest; /* day on which the newest of its entries was posted */
};
void ledger_list_clear(struct ledger_list *list);
void ledger_list_digest(struct hash *out, const struct ledger_list *list);
/* What is made public: the entries of a village (NULL: of all) that count at `ms` and were posted
 * by then. Errors: ERR_NOMEM. */
MUST_CHECK enum err ledger_list_public(struct ledger_list *out, const struct ledger *l,
                                       const char *village, uint64_t ms);
/* What a run redeems: volunteers whose entries on its list, as it was when the run was opened, come
 * to more than 0. `run` SIZE_MAX: of one that is opened now: entries that are final and not on the
 * way to be redeemed. */
MUST_CHECK enum err ledger_list_run(struct ledger_list *out, const struct ledger *l, size_t run);
/* Entries on a run's list that were reversed or objected to since it was opened. */
size_t ledger_list_disputed(const struct ledger *l, size_t run);
