/* What the accounts of points contradict (SPEC 20.8). */
#include <string.h>

#include "common/time.h"
#include "node/views/body.h"
#include "node/views/checks_state.h"
#include "node/views/ledger.h"
#include "node/views/rules.h"

/* --- one account --------------------------------------------------------------------------- */

static bool same_award(const struct ledger_entry *a, const struct ledger_entry *b)
{
    return b->out_ms == UINT64_MAX && b->has_basis && thing_id_equal(&a->basis, &b->basis) &&
           strcmp(a->rule, b->rule) == 0;
}

/* Entries of one person stand together, and are few. */
static void check_basis(struct checking *c, const struct ledger *l,
                        const struct ledger_person *person)
{
    const struct ledger_entry *entries = &l->entries[person->entry_at];
    for (size_t i = 0; i < person->entry_count; i++) {
        if (!entries[i].has_basis || entries[i].out_ms != UINT64_MAX) continue;
        for (size_t k = 0; k < i; k++) {
            if (!same_award(&entries[i], &entries[k])) continue;
            struct check_flag flag = flag_of(CHECK_BASIS, THING_POINTS, &entries[i].sheet);
            flag.things[1] = (struct check_thing){THING_POINTS, entries[k].sheet};
            flag.thing_count = 2;
            flag.has_person = true;
            flag.person = entries[i].person;
            flag_say(&flag, slice_of_text(entries[i].rule));
            flag_give(c, &flag);
            break;
        }
    }
}

/* Grants and lists both stand by person. */
static void check_grants(struct checking *c, const struct ledger *l, size_t at)
{
    const struct redemption *run = &l->runs.runs[at];
    struct ledger_list list;
    size_t row = 0;
    enum err err = ledger_list_run(&list, l, at);
    if (err) {
        c->err = err;
        return;
    }
    for (size_t i = 0; i < run->grant_count; i++) {
        const struct redemption_grant *grant = &run->grants[i];
        while (row < list.count && thing_id_compare(&list.rows[row].person, &grant->person) < 0)
            row++;
        bool listed = row < list.count && thing_id_equal(&list.rows[row].person, &grant->person);
        if (listed && list.rows[row].points == grant->points) continue;
        struct check_flag flag = flag_of(CHECK_GRANT, THING_REDEEM, &run->key);
        flag.has_person = true;
        flag.person = grant->person;
        flag_give(c, &flag);
    }
    ledger_list_clear(&list);
}

static void check_year(struct checking *c, uint32_t year)
{
    struct ledger *l;
    enum err err = ledger_load(&l, c->txn, year, 0);
    if (err) {
        c->err = err;
        return;
    }
    for (size_t i = 0; i < l->person_count; i++) check_basis(c, l, &l->people[i]);
    for (size_t i = 0; i < l->runs.count; i++) check_grants(c, l, i);
    ledger_free(l);
}

/* --- the others ----------------------------------------------------------------------------- */

struct years {
    struct checking *c;
    const struct rules *rules;
    uint32_t seen[64];
    size_t count;
};

static void see_year(struct years *y, const struct thing *thing)
{
    uint32_t year = (uint32_t)body_uint(thing->fields, "year");
    for (size_t i = 0; i < y->count; i++)
        if (y->seen[i] == year) return;
    if (y->count < sizeof y->seen / sizeof y->seen[0]) y->seen[y->count++] = year;
}

static bool take_sheet(void *state, const struct thing *sheet)
{
    see_year(state, sheet);
    return true;
}

/* Two runs that are not completed, whatever their years. */
static void check_runs(struct checking *c)
{
    struct redemptions runs;
    const struct redemption *open = NULL;
    enum err err = redemptions_load(&runs, c->txn, 0);
    if (err) {
        c->err = err;
        return;
    }
    for (size_t i = 0; i < runs.count; i++) {
        if (runs.runs[i].completed) continue;
        if (open) {
            struct check_flag flag = flag_of(CHECK_RUNS, THING_REDEEM, &runs.runs[i].key);
            flag.things[1] = (struct check_thing){THING_REDEEM, open->key};
            flag.thing_count = 2;
            flag_give(c, &flag);
        } else {
            open = &runs.runs[i];
        }
    }
    redemptions_clear(&runs);
}

static bool take_publicity(void *state, const struct thing *shown)
{
    struct years *y = state;
    if (!checks_shown_too_short(y->rules, shown->fields)) return true;
    struct check_flag flag = flag_of(CHECK_PUBLICITY, THING_PUBLICITY, &shown->key);
    flag.number = checks_shown_days(shown->fields);
    flag_give(y->c, &flag);
    return true;
}

static bool take_benefit(void *state, const struct thing *benefit)
{
    struct years *y = state;
    uint64_t count = body_uint(benefit->fields, "count");
    if (count >= LEDGER_ACTIVITIES_MIN) return true;
    struct check_flag flag = flag_of(CHECK_BENEFIT, THING_BENEFIT, &benefit->key);
    flag.number = count;
    flag_give(y->c, &flag);
    return true;
}

void checks_points(struct checking *c)
{
    struct years y = {.c = c};
    enum err err = views_rules(c->views, c->txn, &y.rules);
    if (!err) err = things_each(c->txn, THING_POINTS, 0, take_sheet, &y);
    if (!err) err = things_each(c->txn, THING_REDEEM, 0, take_sheet, &y);
    if (!err) err = things_each(c->txn, THING_PUBLICITY, 0, take_publicity, &y);
    if (!err) err = things_each(c->txn, THING_BENEFIT, 0, take_benefit, &y);
    if (err && !c->err) c->err = err;
    if (!c->err) check_runs(c);
    for (size_t i = 0; i < y.count && !c->err; i++) check_year(c, y.seen[i]);
}
