#include "tools/exporting.h"

#include "common/time.h"
#include "node/views/ledger.h"
#include "node/views/person.h"
#include "tools/lookup.h"

/* The entries of the account of the period's year, as the ledger has them today. */
static const struct export_column columns[] = {
    {"no.", "序号", false},
    {"village", "村", false},
    {"volunteer's number", "志愿者编号", false},
    {"name", "姓名", true},
    {"rule", "规则", false},
    {"version of the rules", "规则版本", false},
    {"points", "积分", false},
    {"state", "状态", false},
    {"entered on", "记入日期", false},
    {"sheet", "积分单", false},
    {"entry", "第几条", false},
};

static void points_cell(struct exporting *x, int32_t tenths)
{
    unsigned size = (unsigned)(tenths < 0 ? -tenths : tenths);
    export_cellf(x, "%s%u.%u", tenths < 0 ? "-" : "", size / 10, size % 10);
}

static void write_entry(struct exporting *x, const struct ledger *l, const struct ledger_entry *e)
{
    const struct ledger_person *p = ledger_person_of(l, &e->person);
    struct person person = {0};
    char sheet[2 * sizeof e->sheet.thing.bytes + 1], day[TIME_TEXT_SIZE];
    if (p && p->key.scope_number && x->personal)
        x->err = person_read(x->cli->views, x->txn, &p->key, &person);
    if (x->err) return;
    hex_encode(sheet, e->sheet.thing.bytes, sizeof e->sheet.thing.bytes);
    time_format_date(day, e->posted_ms);
    export_number(x, x->rows + 1);
    export_cell(x, slice_of_text(lookup_village_name(x->roster, e->village)));
    export_cell(x, slice_of_text(p ? p->number : ""));
    export_cell(x, slice_of_text(person.name));
    export_cell(x, slice_of_text(e->rule));
    export_number(x, e->rules);
    points_cell(x, e->points);
    export_cell(x, slice_of_text(i18n_is_chinese() ? ledger_state_zh(e->state)
                                                   : ledger_state_name(e->state)));
    export_cell(x, slice_of_text(day));
    export_cell(x, slice_of_text(sheet));
    export_number(x, e->number);
}

static enum err add(struct exporting *x)
{
    struct ledger *ledger;
    uint64_t now_ms = cli_now_ms(x->txn);
    uint32_t year = time_year(x->has_period ? x->period.from_ms : now_ms);
    enum err err = ledger_load(&ledger, x->txn, year, time_day(now_ms));
    if (err) return err;
    for (size_t i = 0; i < ledger->entry_count && !x->err; i++) {
        const struct ledger_entry *e = &ledger->entries[i];
        if (export_wants_village(x, e->village)) write_entry(x, ledger, e);
    }
    ledger_free(ledger);
    return OK;
}

const struct export_sheet export_points = {
    .name = "points",
    .zh = "积分",
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .add = add,
};
