/* Asked before points are awarded, shown or redeemed: what checks_points.c would flag. */
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "common/time.h"
#include "node/views/body.h"
#include "node/views/checks_before_state.h"
#include "node/views/ledger_parts.h"
#include "node/views/rules.h"

/* --- awards --------------------------------------------------------------------------------- */

/* What may be awarded once: person, rule and the service it is for. */
struct award {
    struct thing_id person, basis;
    char rule[LEDGER_RULE_SIZE_MAX + 1];
};

struct awards {
    struct asking *asking;
    uint64_t year;
    struct award mine[SHEET_ROWS_MAX]; /* of the draft, sorted */
    size_t count;
};

static int in_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct award));
}

/* The next row of a points.award; false where it stands on no record. */
static bool read_award(struct mp_reader *rows, struct award *out)
{
    memset(out, 0, sizeof *out);
    mp_read_array(rows, SIZE_MAX);
    mp_read_bin_exact(rows, out->person.bytes, sizeof out->person.bytes);
    struct slice rule = mp_read_str(rows, LEDGER_RULE_SIZE_MAX);
    if (rule.size) memcpy(out->rule, rule.data, rule.size);
    bool based = !mp_read_nil(rows);
    if (based) mp_read_bin_exact(rows, out->basis.bytes, sizeof out->basis.bytes);
    (void)mp_read_int(rows, INT32_MIN, INT32_MAX);
    return based && !rows->err;
}

static void refuse_twice(struct asking *a, const struct thing_key *sheet, const char *rule)
{
    asking_find(a, ERR_EXISTS, "rows", N_("a service is awarded twice to one person by one rule"),
                N_("look at the account: sidan points show; reverse what is wrong first"));
    if (sheet) asking_other(a, THING_POINTS, sheet, slice_of_text(rule));
}

static void read_out(const struct thing *sheet, bool out[SHEET_ROWS_MAX + 1])
{
    struct mp_reader acts = mp_reader_of(sheet->acts);
    for (struct thing_act act; thing_act_next(&acts, &act);) {
        uint64_t entry = body_uint(act.body, "entry");
        bool ends = slice_is_text(act.kind, "points.reverse") || body_bool(act.body, "upheld");
        if (ends && entry <= SHEET_ROWS_MAX) out[entry] = true;
    }
}

static bool compare_sheet(void *state, const struct thing *sheet)
{
    struct awards *s = state;
    bool out[SHEET_ROWS_MAX + 1] = {false};
    size_t count;
    if (body_uint(sheet->fields, "year") != s->year || body_has(sheet->fields, "reason"))
        return true;
    read_out(sheet, out);
    struct mp_reader rows = body_rows(sheet->fields, "rows", &count);
    for (size_t i = 1; i <= count && i <= SHEET_ROWS_MAX; i++) {
        struct award award;
        if (!read_award(&rows, &award) || out[i]) continue;
        if (!bsearch(&award, s->mine, s->count, sizeof award, in_order)) continue;
        refuse_twice(s->asking, &sheet->key, award.rule);
        return false;
    }
    return true;
}

void before_award(struct asking *a)
{
    struct awards s = {.asking = a, .year = body_uint(a->draft->body, "year")};
    struct scope_row scope;
    size_t count;
    struct mp_reader rows = body_rows(a->draft->body, "rows", &count);
    for (size_t i = 0; i < count && i < SHEET_ROWS_MAX; i++)
        if (read_award(&rows, &s.mine[s.count])) s.count++;
    if (s.count > 1) qsort(s.mine, s.count, sizeof *s.mine, in_order);
    for (size_t i = 1; i < s.count; i++)
        if (in_order(&s.mine[i - 1], &s.mine[i]) == 0) refuse_twice(a, NULL, "");
    if (a->err || !s.count || !scope_find(a->txn, a->draft->scope, &scope)) return;
    enum err err = things_each(a->txn, THING_POINTS, scope.number, compare_sheet, &s);
    if (err && !a->err) a->err = err;
}

/* --- public lists --------------------------------------------------------------------------- */

void before_publicity(struct asking *a)
{
    const struct rules *rules;
    a->err = views_rules(a->views, a->txn, &rules);
    if (a->err) return;
    if (checks_shown_too_short(rules, a->draft->body))
        asking_find(a, ERR_STATE, "to", N_("shown for fewer days than the rules in force ask for"),
                    N_("a later last day; sidan rule show points says how many days"));
    else
        before_list(a, rules);
}

void before_recommendation(struct asking *a)
{
    if (body_uint(a->draft->body, "count") < LEDGER_ACTIVITIES_MIN)
        asking_find(a, ERR_STATE, "count", N_("fewer than 5 verified activities"),
                    N_("verify what is not verified yet: sidan service verify"));
}

/* --- redemption ----------------------------------------------------------------------------- */

/* The account of a year as it stands today; NULL: a->err. */
static struct ledger *account(struct asking *a, uint64_t year)
{
    struct ledger *l = NULL;
    enum err err = ledger_load(&l, a->txn, (uint32_t)year, time_day(a->draft->now_ms));
    if (err) a->err = err;
    return err ? NULL : l;
}

static bool is_settled(const struct ledger *l)
{
    for (size_t i = 0; i < l->entry_count; i++)
        if (l->entries[i].state == LEDGER_POSTED || l->entries[i].state == LEDGER_PUBLIC)
            return false;
    return true;
}

void before_redeem_open(struct asking *a)
{
    struct slice body = a->draft->body, stated = body_bin(body, "list");
    struct redemptions runs;
    struct ledger_list list;
    struct hash digest;
    enum err err = redemptions_load(&runs, a->txn, 0);
    if (err) {
        a->err = err;
        return;
    }
    const struct redemption *open = redemptions_open(&runs);
    if (open) {
        asking_find(a, ERR_EXISTS, "", N_("another redemption is not completed"),
                    N_("complete it first: sidan redeem close"));
        asking_other(a, THING_REDEEM, &open->key, SLICE_EMPTY);
    }
    redemptions_clear(&runs);
    struct ledger *l = a->err ? NULL : account(a, body_uint(body, "year"));
    if (!l) return;
    if (!is_settled(l))
        asking_find(a, ERR_STATE, "year", N_("not all entries of that year are final"),
                    N_("make them public first: sidan points publish YEAR town"));
    err = ledger_list_run(&list, l, SIZE_MAX);
    if (!err) {
        ledger_list_digest(&digest, &list);
        if (!slice_equal(stated, slice_of(digest.bytes, sizeof digest.bytes)) ||
            body_uint(body, "total") != (uint64_t)list.points)
            asking_find(a, ERR_STATE, "list", N_("not the list of what is final now"),
                        N_("let sidan redeem open YEAR make it"));
        ledger_list_clear(&list);
    }
    ledger_free(l);
    if (err && !a->err) a->err = err;
}

static int row_in_order(const void *a, const void *b)
{
    const struct ledger_row *x = a, *y = b;
    return thing_id_compare(&x->person, &y->person);
}

static void compare_grants(struct asking *a, const struct ledger_list *list)
{
    size_t count;
    struct mp_reader rows = body_rows(a->draft->body, "rows", &count);
    for (size_t i = 0; i < count; i++) {
        struct ledger_row key = {.points = 0};
        mp_read_array(&rows, SIZE_MAX);
        mp_read_bin_exact(&rows, key.person.bytes, sizeof key.person.bytes);
        (void)mp_read_str(&rows, SIZE_MAX);
        key.points = (int64_t)mp_read_uint(&rows, INT32_MAX);
        (void)mp_read_uint(&rows, INT64_MAX);
        const struct ledger_row *row =
            list->count ? bsearch(&key, list->rows, list->count, sizeof key, row_in_order) : NULL;
        if (row && row->points == key.points) continue;
        asking_find(a, ERR_STATE, "rows",
                    N_("grants for other points than the list of the run has"),
                    N_("let sidan redeem grant make them"));
        return;
    }
}

void before_redeem_grant(struct asking *a)
{
    struct scope_row scope;
    struct thing run;
    struct ledger_list list;
    struct thing_key key = {.thing = a->draft->subject};
    if (!scope_find(a->txn, a->draft->scope, &scope)) return;
    key.scope_number = scope.number;
    if (thing_get(a->txn, THING_REDEEM, &key, &run)) return; /* the recorder says so */
    struct ledger *l = account(a, body_uint(run.fields, "year"));
    for (size_t i = 0; l && i < l->runs.count; i++) {
        if (!thing_id_equal(&l->runs.runs[i].key.thing, &key.thing)) continue;
        enum err err = ledger_list_run(&list, l, i);
        if (err) {
            a->err = err;
        } else {
            compare_grants(a, &list);
            ledger_list_clear(&list);
        }
    }
    ledger_free(l);
}
