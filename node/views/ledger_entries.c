/* Sheets of points: their entries, and the state of each (SPEC 20.3 to 20.5). */
#include <string.h>

#include "common/time.h"
#include "common/text.h"
#include "node/views/body.h"
#include "node/views/ledger_parts.h"

/* --- what was made public ------------------------------------------------------------------ */

static bool take_publicity(void *state, const struct thing *thing)
{
    struct ledger_loading *l = state;
    struct ledger *ledger = l->ledger;
    struct ledger_publicity p = {.key = thing->key, .opened_ms = thing->founded_ms};
    if (!slice_is_text(body_text(thing->fields, "type"), "points") ||
        body_uint(thing->fields, "year") != ledger->year ||
        time_parse_day(&p.from, body_text(thing->fields, "from")) ||
        time_parse_day(&p.to, body_text(thing->fields, "to")))
        return true;
    text_copy(p.village, sizeof p.village, body_text(thing->fields, "village"));
    (void)body_bytes(thing->fields, "list", p.list.bytes, sizeof p.list.bytes);
    struct mp_reader acts = mp_reader_of(thing->acts);
    for (struct thing_act act; thing_act_next(&acts, &act);) {
        p.ended = true;
        p.ended_ms = act.ms;
    }
    void *grown = ledger_grow(l, ledger->publicities, ledger->publicity_count,
                              &l->publicity_capacity, sizeof p);
    if (!grown) return false;
    ledger->publicities = grown;
    ledger->publicities[ledger->publicity_count++] = p;
    return true;
}

void ledger_load_publicities(struct ledger_loading *l)
{
    enum err err = things_each(l->txn, THING_PUBLICITY, 0, take_publicity, l);
    if (err) l->err = err;
}

bool ledger_covers(const struct ledger_publicity *p, const struct ledger_entry *entry)
{
    if (p->village[0] && strcmp(p->village, entry->village) != 0) return false;
    if (p->opened_ms < entry->posted_ms || p->from < time_day(entry->posted_ms)) return false;
    return !p->ended || time_day(p->ended_ms) > p->to;
}

/* Posted, public or final on a day, by what was made public until `ms`. */
static enum ledger_state shown_by(const struct ledger *l, const struct ledger_entry *entry,
                                  uint32_t day, uint64_t ms)
{
    enum ledger_state state = LEDGER_POSTED;
    for (size_t i = 0; i < l->publicity_count; i++) {
        const struct ledger_publicity *p = &l->publicities[i];
        if (p->opened_ms > ms || !ledger_covers(p, entry)) continue;
        if (day > p->to) return LEDGER_FINAL;
        if (day >= p->from) state = LEDGER_PUBLIC;
    }
    return state;
}

/* --- what was done to the entries of a sheet ------------------------------------------------ */

struct sheet_acts {
    uint64_t out_ms[SHEET_ROWS_MAX + 1];
    uint64_t objected_ms[SHEET_ROWS_MAX + 1];
    uint64_t held_at[SHEET_ROWS_MAX + 1]; /* bits: the runs opened under an objection */
    bool held[SHEET_ROWS_MAX + 1], upheld[SHEET_ROWS_MAX + 1];
    uint32_t objections[SHEET_ROWS_MAX + 1];
};

static size_t run_count(const struct ledger *l)
{
    return l->runs.count < LEDGER_RUNS_MAX ? l->runs.count : LEDGER_RUNS_MAX;
}

static uint64_t runs_between(const struct ledger *l, uint64_t from_ms, uint64_t to_ms)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < run_count(l); i++)
        if (l->runs.runs[i].opened_ms >= from_ms && l->runs.runs[i].opened_ms < to_ms)
            bits |= UINT64_C(1) << i;
    return bits;
}

static void take_act(const struct ledger *l, struct sheet_acts *acts, const struct thing_act *act)
{
    uint64_t entry = body_uint(act->body, "entry");
    if (entry == 0 || entry > SHEET_ROWS_MAX) return;
    bool decided = slice_is_text(act->kind, "points.decide");
    bool upheld = decided && body_bool(act->body, "upheld");
    if (slice_is_text(act->kind, "points.object")) {
        acts->held[entry] = true;
        acts->objections[entry]++;
        acts->objected_ms[entry] = act->ms;
    }
    if (decided) {
        acts->held[entry] = false;
        acts->held_at[entry] |= runs_between(l, acts->objected_ms[entry], act->ms);
    }
    if (upheld || slice_is_text(act->kind, "points.reverse")) {
        if (acts->out_ms[entry] > act->ms) acts->out_ms[entry] = act->ms;
        acts->upheld[entry] = upheld;
    }
}

static void read_acts(const struct ledger *l, struct sheet_acts *acts, const struct thing *sheet)
{
    memset(acts, 0, sizeof *acts);
    for (size_t i = 0; i <= SHEET_ROWS_MAX; i++) acts->out_ms[i] = UINT64_MAX;
    struct mp_reader reader = mp_reader_of(sheet->acts);
    for (struct thing_act act; thing_act_next(&reader, &act);) take_act(l, acts, &act);
    for (size_t i = 1; i <= SHEET_ROWS_MAX; i++)
        if (acts->held[i]) acts->held_at[i] |= runs_between(l, acts->objected_ms[i], UINT64_MAX);
}

/* --- states -------------------------------------------------------------------------------- */

static bool was_listed(const struct ledger *l, const struct ledger_entry *entry, size_t at,
                       uint64_t held_at)
{
    const struct redemption *run = &l->runs.runs[at];
    return entry->posted_ms <= run->opened_ms && entry->out_ms > run->opened_ms &&
           !(held_at & UINT64_C(1) << at) &&
           shown_by(l, entry, time_day(run->opened_ms), run->opened_ms) == LEDGER_FINAL;
}

/* Finds the lists it was on and the run that redeems it: the first, unless that left the person out
 * or was completed without paying. */
static void find_runs(const struct ledger *l, struct ledger_entry *entry, uint64_t held_at)
{
    entry->run = SIZE_MAX;
    for (size_t i = 0; i < run_count(l) && entry->run == SIZE_MAX; i++) {
        const struct redemption *run = &l->runs.runs[i];
        if (!was_listed(l, entry, i, held_at)) continue;
        entry->listed |= UINT64_C(1) << i;
        const struct redemption_grant *grant = redemption_grant_of(run, &entry->person);
        if (grant ? grant->paid || !run->completed : !run->grant_count && !run->completed)
            entry->run = i;
    }
}

static void settle(const struct ledger *l, struct ledger_entry *entry, uint64_t held_at)
{
    find_runs(l, entry, held_at);
    const struct redemption_grant *grant =
        entry->run == SIZE_MAX ? NULL
                               : redemption_grant_of(&l->runs.runs[entry->run], &entry->person);
    if (entry->out_ms != UINT64_MAX)
        entry->state = LEDGER_REVERSED;
    else if (grant && grant->paid)
        entry->state = LEDGER_REDEEMED;
    else if (entry->held)
        entry->state = LEDGER_HELD;
    else
        entry->state = shown_by(l, entry, l->day, UINT64_MAX);
}

/* --- sheets -------------------------------------------------------------------------------- */

/* A row of points.award [person, rule, basis, points] or of points.deduct [person, points]. */
static void read_row(struct ledger_entry *entry, struct mp_reader *rows, bool deducted)
{
    mp_read_array(rows, SIZE_MAX);
    mp_read_bin_exact(rows, entry->person.bytes, sizeof entry->person.bytes);
    if (deducted) {
        entry->points = -(int32_t)mp_read_uint(rows, INT32_MAX);
        return;
    }
    struct slice rule = mp_read_str(rows, LEDGER_RULE_SIZE_MAX);
    if (rule.size) memcpy(entry->rule, rule.data, rule.size);
    entry->has_basis = !mp_read_nil(rows);
    if (entry->has_basis) mp_read_bin_exact(rows, entry->basis.bytes, sizeof entry->basis.bytes);
    entry->points = (int32_t)mp_read_int(rows, INT32_MIN, INT32_MAX);
}

static bool take_sheet(void *state, const struct thing *sheet)
{
    struct ledger_loading *l = state;
    struct ledger *ledger = l->ledger;
    struct sheet_acts acts;
    size_t count;
    if (body_uint(sheet->fields, "year") != ledger->year) return true;
    const char *village = ledger_village(l, sheet->key.scope_number);
    bool deducted = body_has(sheet->fields, "reason");
    struct mp_reader rows = body_rows(sheet->fields, "rows", &count);
    read_acts(ledger, &acts, sheet);
    for (size_t i = 1; i <= count && i <= SHEET_ROWS_MAX; i++) {
        struct ledger_entry entry = {
            .sheet = sheet->key,
            .number = (uint32_t)i,
            .rules = (uint32_t)body_uint(sheet->fields, "rules"),
            .posted_ms = sheet->founded_ms,
            .out_ms = acts.out_ms[i],
            .upheld = acts.upheld[i],
            .held = acts.held[i],
            .objections = acts.objections[i],
        };
        memcpy(entry.village, village, sizeof entry.village);
        read_row(&entry, &rows, deducted);
        if (rows.err) l->err = ERR_CORRUPT;
        void *grown =
            ledger_grow(l, ledger->entries, ledger->entry_count, &l->entry_capacity, sizeof entry);
        if (!grown || l->err) return false;
        settle(ledger, &entry, acts.held_at[i]);
        ledger->entries = grown;
        ledger->entries[ledger->entry_count++] = entry;
    }
    return true;
}

void ledger_load_entries(struct ledger_loading *l)
{
    enum err err = things_each(l->txn, THING_POINTS, 0, take_sheet, l);
    if (err) l->err = err;
}
