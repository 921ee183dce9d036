/* What a thing's founding event has to say beyond its kind's table (SPEC 14.12). */
#include "node/views/thing.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "node/views/body.h"
#include "node/views/thing_past.h"

enum { SPAN_MAX = 960 }; /* minutes: 16 hours */

static enum err wrong(struct kind_problem *problem, const char *field, const char *what)
{
    snprintf(problem->field, sizeof problem->field, "%s", field);
    problem->what = what;
    return ERR_RANGE;
}

static MUST_CHECK enum err rule_found(bool authority, struct slice body,
                                      struct kind_problem *problem)
{
    static const struct {
        const char *type, *needed;
    } needs[] = {
        {"sla", "limits"},          {"points", "points"},   {"redeem", "scheme"},
        {"redeem", "round"},        {"redeem", "rounding"}, {"kpi", "weights"},
        {"category", "categories"},
    };
    struct slice type = body_text(body, "type");
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if (slice_is_text(type, needs[i].type) && !body_has(body, needs[i].needed))
            return wrong(problem, needs[i].needed, N_("is missing"));
    if (!authority && !body_has(body, "approved_by"))
        return wrong(problem, "approved_by", N_("is missing"));
    if (!authority && !body_has(body, "doc_ref"))
        return wrong(problem, "doc_ref", N_("is missing"));
    return OK;
}

static MUST_CHECK enum err attendance_found(struct slice body, struct kind_problem *problem)
{
    struct sheet_row rows[SHEET_ROWS_MAX];
    size_t count = sheet_read(body, rows);
    for (size_t i = 0; i < count; i++) {
        uint64_t start = rows[i].number[0], end = rows[i].number[1], minutes = rows[i].number[2];
        if (end <= start)
            return wrong(problem, "rows", N_("has an end that is not after its start"));
        if (end - start > SPAN_MAX) return wrong(problem, "rows", N_("has more than 16 hours"));
        if (minutes > end - start)
            return wrong(problem, "rows", N_("has more minutes than from its start to its end"));
        if (i && memcmp(&rows[i - 1].person, &rows[i].person, sizeof rows[i].person) == 0 &&
            start < rows[i - 1].number[1])
            return wrong(problem, "rows", N_("has one volunteer twice at the same time"));
    }
    return OK;
}

enum err thing_may_found(const struct kind *kind, bool authority, struct slice body,
                         struct kind_problem *problem)
{
    if (kind->thing == THING_RULE) return rule_found(authority, body, problem);
    if (kind->thing == THING_SERVICE && kind_field(kind, "rows"))
        return attendance_found(body, problem);
    if (kind->thing == THING_PUBLICITY &&
        slice_compare(body_text(body, "to"), body_text(body, "from")) < 0)
        return wrong(problem, "to", N_("is before its first day"));
    return OK;
}
