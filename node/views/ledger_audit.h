#pragma once
/*
 * What the ledger should say, computed anew from the verified services and from the rules in force
 * on the day of each (SPEC 20.2), compared with what was awarded, to the tenth of a point.
 *
 * An entry that was reversed is not awarded again as it was: the reversal, or the objection that
 * was upheld, is somebody's decision. When the service is verified anew with other minutes, what is
 * due then is another award, and missing.
 */
#include "node/views/ledger.h"
#include "node/views/rules.h"

#define LEDGER_FINDINGS(X)                                                                         \
    X(LEDGER_MISSING, "missing", "未记入")                                                         \
    X(LEDGER_SURPLUS, "surplus", "多记") /* based on nothing, or a second time on the same */      \
    X(LEDGER_DIFFERENT, "different", "不符")

enum ledger_finding_type {
#define LEDGER_FINDING_ENUM(code, name, zh) code,
    LEDGER_FINDINGS(LEDGER_FINDING_ENUM)
#undef LEDGER_FINDING_ENUM
        LEDGER_FINDING_COUNT
};
const char *ledger_finding_name(enum ledger_finding_type type);
const char *ledger_finding_zh(enum ledger_finding_type type);

struct ledger_finding {
    enum ledger_finding_type type;
    const struct ledger_person *person;
    char rule[LEDGER_RULE_SIZE_MAX + 1];
    bool has_basis;
    struct thing_id basis;
    uint32_t day;   /* of the service; 0 where nothing is due */
    uint32_t rules; /* version in force on that day */
    int32_t due, awarded;
    const struct ledger_entry *entry; /* NULL: missing */
};

struct ledger_audit {
    struct ledger_finding *findings; /* by person, basis, rule */
    size_t count;
    size_t of[LEDGER_FINDING_COUNT];
    size_t due_entries;
    int64_t due, awarded; /* points, of awards that count; deductions are decisions, not audited */
    size_t denied;        /* due, but the same was reversed */
};
/* Of a village's people, NULL: of all. Borrows from the ledger. Errors: ERR_NOMEM. */
MUST_CHECK enum err ledger_audit(struct ledger_audit *out, const struct ledger *l,
                                 const struct rules *rules, const char *village);
void ledger_audit_clear(struct ledger_audit *a);

/* --- awarding what is missing --- */

struct ledger_sheet {
    char village[13];
    uint32_t rules;
    size_t rows;
    int64_t points;
    struct slice body; /* of a points.award, encoded; borrowed for the call */
};
/* Calls back with sheets of what is missing, by village and version of the rules, each within the
 * size of an event; false stops. People whose ledger has something surplus or different are left
 * out, for a cap may hang on it: first it has to be reversed. *left_out counts them. Errors:
 * ERR_NOMEM. */
MUST_CHECK enum err ledger_sheets(const struct ledger *l, const struct ledger_audit *a,
                                  bool (*each)(void *state, const struct ledger_sheet *sheet),
                                  void *state, size_t *left_out);
