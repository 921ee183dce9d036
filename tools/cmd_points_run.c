#include "tools/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/views/ledger_audit.h"
#include "tools/lookup.h"
#include "tools/points.h"
#include "tools/recording.h"

/* The verbs that compute the account anew: run awards what is missing, check says what differs. */
struct account {
    struct points points;
    const char *village; /* NULL: all */
    struct ledger_audit audit;
    bool audited;
};

static int begin(struct account *a, struct cli *cli, struct txn *txn)
{
    const struct rules *rules;
    int code = points_begin(&a->points, cli, txn, cli_argument(cli, 0));
    if (!code) code = points_village(&a->points, cli_flag(cli, "--village"), &a->village);
    if (code) return code;
    enum err e = views_rules(cli->views, a->points.txn, &rules);
    if (!e) e = ledger_audit(&a->audit, a->points.ledger, rules, a->village);
    a->audited = !e;
    return e ? cli_fail(cli, e, _("the account of points cannot be checked")) : EXIT_OK;
}

static void end(struct account *a)
{
    if (a->audited) ledger_audit_clear(&a->audit);
    points_end(&a->points);
}

/* --- run ---------------------------------------------------------------------------------- */

struct sheet {
    struct buf body;
    char village[13];
    size_t rows;
    int64_t points;
};

struct running {
    struct account account;
    struct sheet *sheets;
    struct draft *drafts;
    struct recorded *recorded;
    size_t count, capacity, left_out;
    enum err err;
};

static bool take_sheet(void *state, const struct ledger_sheet *sheet)
{
    struct running *r = state;
    if (r->count == r->capacity) {
        size_t more = r->capacity ? r->capacity * 2 : 16;
        void *grown = realloc(r->sheets, more * sizeof *r->sheets);
        if (!grown) {
            r->err = ERR_NOMEM;
            return false;
        }
        r->sheets = grown;
        r->capacity = more;
    }
    struct sheet *kept = &r->sheets[r->count++];
    *kept = (struct sheet){.rows = sheet->rows, .points = sheet->points};
    memcpy(kept->village, sheet->village, sizeof kept->village);
    buf_append_slice(&kept->body, sheet->body);
    r->err = kept->body.err;
    return !r->err;
}

static int make_drafts(struct cli *cli, struct running *r)
{
    r->drafts = calloc(r->count + 1, sizeof *r->drafts);
    r->recorded = calloc(r->count + 1, sizeof *r->recorded);
    if (!r->drafts || !r->recorded) return cli_fail(cli, ERR_NOMEM, _("nothing was recorded"));
    for (size_t i = 0; i < r->count; i++)
        r->drafts[i] = (struct draft){
            .kind = "points.award",
            .scope = scope_of_village(r->sheets[i].village),
            .lane = LANE_NORMAL,
            .founding = true,
            .body = buf_slice(&r->sheets[i].body),
        };
    return EXIT_OK;
}

static void tell_left_out(struct cli *cli, const struct running *r)
{
    if (r->left_out)
        output_note(cli,
                    _("%zu people were left out, for entries of theirs are wrong: sidan points "
                      "check %u lists them; reverse those, then run again"),
                    r->left_out, (unsigned)r->account.points.year);
}

static json_t *sheet_json(const struct running *r, size_t i, bool dry)
{
    json_t *o = json_object();
    const struct thing_id *id = &r->recorded[i].subject;
    json_object_set_new(o, "village", json_string(r->sheets[i].village));
    json_object_set_new(o, "entries", json_integer((json_int_t)r->sheets[i].rows));
    json_object_set_new(o, "tenths", json_integer(r->sheets[i].points));
    json_object_set_new(o, "subject",
                        dry ? json_null() : output_json_hex(id->bytes, sizeof id->bytes));
    return o;
}

static int tell(struct cli *cli, const struct running *r, bool dry)
{
    static const struct table_column columns[] = {{N_("village"), false, 6},
                                                  {N_("entries"), true, 6},
                                                  {N_("points"), true, 8},
                                                  {N_("sheet"), false, 16}};
    struct table table;
    size_t entries = 0;
    int64_t sum = 0;
    for (size_t i = 0; i < r->count; i++) {
        entries += r->sheets[i].rows;
        sum += r->sheets[i].points;
    }
    if (cli->json) {
        json_t *o = output_json("sidan.points_run/1");
        json_t *sheets = json_array();
        for (size_t i = 0; i < r->count; i++) json_array_append_new(sheets, sheet_json(r, i, dry));
        json_object_set_new(o, "year", json_integer(r->account.points.year));
        json_object_set_new(o, "dry_run", json_boolean(dry));
        json_object_set_new(o, "entries", json_integer((json_int_t)entries));
        json_object_set_new(o, "tenths", json_integer(sum));
        json_object_set_new(o, "left_out", json_integer((json_int_t)r->left_out));
        json_object_set_new(o, "sheets", sheets);
        return output_json_end(o);
    }
    int code = EXIT_OK;
    if (r->count || cli->csv) {
        table_begin(&table, cli, columns, sizeof columns / sizeof columns[0]);
        for (size_t i = 0; i < r->count; i++) {
            table_cellf(&table, "%s",
                        lookup_village_name(r->account.points.roster, r->sheets[i].village));
            table_cellf(&table, "%zu", r->sheets[i].rows);
            table_cellf(&table, "%s", points_text(cli, r->sheets[i].points));
            table_cellf(&table, "%s", dry ? "" : points_id(cli, &r->recorded[i].subject));
        }
        code = table_end(&table);
    }
    if (!cli->csv)
        output_line(cli,
                    dry ? _("%zu entries of %s points would be recorded; nothing was")
                        : _("%zu entries of %s points were recorded"),
                    entries, points_text(cli, sum));
    tell_left_out(cli, r);
    return code;
}

/* Within the recorder's transaction: nobody records in between. */
static int compute(struct cli *cli, struct running *r)
{
    int code = begin(&r->account, cli, recorder_txn(cli->recorder));
    if (code) return code;
    enum err e =
        ledger_sheets(r->account.points.ledger, &r->account.audit, take_sheet, r, &r->left_out);
    if (!e) e = r->err;
    return e ? cli_fail(cli, e, _("nothing was recorded")) : make_drafts(cli, r);
}

static int run(struct cli *cli, struct running *r)
{
    struct recording recording;
    bool dry = cli_has(cli, "--dry-run");
    int code = recording_begin(cli, &recording);
    if (code) return code;
    if (!(recording.self.roles & (ROLE_HUB | ROLE_DISPATCH)))
        return cli_error(cli, EXIT_REFUSED, _("nothing was recorded"),
                         _("points are awarded at the township, by the hub or dispatch"),
                         _("a village verifies its services: sidan service verify"));
    enum err e = recorder_begin(cli->recorder, &recording.clock);
    if (e) return cli_fail(cli, e, _("nothing was recorded"));
    code = compute(cli, r);
    if (code || dry || !r->count)
        recorder_abort(cli->recorder);
    else
        code = recording_all(cli, &recording, r->drafts, r->count, r->recorded);
    return code ? code : tell(cli, r, dry);
}

static int cmd_run(struct cli *cli)
{
    struct running r = {.count = 0};
    int code = run(cli, &r);
    end(&r.account);
    for (size_t i = 0; i < r.count; i++) buf_clear(&r.sheets[i].body);
    free(r.sheets);
    free(r.drafts);
    free(r.recorded);
    return code;
}

/* --- check -------------------------------------------------------------------------------- */

/* A list that was made public or redeemed and is not what the records say. */
struct list_finding {
    bool differs;
    const char *what; /* of JSON */
    const char *id;
    const char *village;
};

struct checking {
    struct account account;
    struct list_finding *lists;
    size_t count;
};

static void note_list(struct checking *c, const char *what, const struct thing_id *id,
                      const char *village)
{
    char hex[sizeof id->bytes * 2 + 1];
    hex_encode(hex, id->bytes, sizeof id->bytes);
    c->lists[c->count++] =
        (struct list_finding){true, what, cli_format(c->account.points.cli, "%s", hex), village};
}

static bool list_is(struct ledger_list *list, const struct hash *stated)
{
    struct hash digest;
    ledger_list_digest(&digest, list);
    ledger_list_clear(list);
    return memcmp(digest.bytes, stated->bytes, sizeof digest.bytes) == 0;
}

static bool wants(const struct checking *c, const char *village)
{
    return !c->account.village || strcmp(c->account.village, village) == 0;
}

static enum err check_lists(struct checking *c)
{
    const struct ledger *l = c->account.points.ledger;
    struct ledger_list list;
    c->lists = calloc(l->publicity_count + l->runs.count + 1, sizeof *c->lists);
    if (!c->lists) return ERR_NOMEM;
    for (size_t i = 0; i < l->publicity_count; i++) {
        const struct ledger_publicity *p = &l->publicities[i];
        if (!wants(c, p->village)) continue;
        enum err e = ledger_list_public(&list, l, p->village[0] ? p->village : NULL, p->opened_ms);
        if (e) return e;
        if (!list_is(&list, &p->list)) note_list(c, "publicity", &p->key.thing, p->village);
    }
    for (size_t i = 0; i < l->runs.count && !c->account.village; i++) {
        enum err e = ledger_list_run(&list, l, i);
        if (e) return e;
        if (!list_is(&list, &l->runs.runs[i].list))
            note_list(c, "redemption", &l->runs.runs[i].key.thing, "");
    }
    return OK;
}

static json_t *finding_json(const struct points *p, const struct ledger_finding *f)
{
    json_t *o = json_object();
    const struct ledger_entry *e = f->entry;
    json_object_set_new(o, "what", json_string(ledger_finding_name(f->type)));
    points_describe(o, p, f->person);
    json_object_set_new(o, "rule", json_string(f->rule));
    json_object_set_new(o, "service",
                        f->has_basis ? output_json_hex(f->basis.bytes, sizeof f->basis.bytes)
                                     : json_null());
    json_object_set_new(o, "due_tenths", json_integer(f->due));
    json_object_set_new(o, "awarded_tenths", json_integer(f->awarded));
    json_object_set_new(o, "sheet",
                        e ? output_json_hex(e->sheet.thing.bytes, sizeof e->sheet.thing.bytes)
                          : json_null());
    json_object_set_new(o, "entry", e ? json_integer(e->number) : json_null());
    return o;
}

static int print_json(const struct checking *c)
{
    const struct ledger_audit *audit = &c->account.audit;
    struct output_list list = {0};
    json_t *o = output_json("sidan.points_check/1"), *lists = json_array();
    for (size_t i = 0; i < c->count; i++) {
        json_t *item = json_object();
        json_object_set_new(item, "what", json_string(c->lists[i].what));
        json_object_set_new(item, "id", json_string(c->lists[i].id));
        json_object_set_new(item, "village", json_string(c->lists[i].village));
        json_array_append_new(lists, item);
    }
    json_object_set_new(o, "year", json_integer(c->account.points.year));
    json_object_set_new(o, "due_entries", json_integer((json_int_t)audit->due_entries));
    json_object_set_new(o, "due_tenths", json_integer(audit->due));
    json_object_set_new(o, "awarded_tenths", json_integer(audit->awarded));
    json_object_set_new(o, "denied", json_integer((json_int_t)audit->denied));
    json_object_set_new(o, "lists", lists);
    output_list_begin(&list, o, "findings");
    for (size_t i = 0; i < audit->count; i++)
        output_list_item(&list, finding_json(&c->account.points, &audit->findings[i]));
    return output_list_end(&list);
}

static const struct table_column finding_columns[] = {
    {N_("finding"), false, 6}, {N_("number"), false, 9}, {N_("name"), false, 6},
    {N_("village"), false, 6}, {N_("rule"), false, 6},   {N_("owed"), true, 6},
    {N_("entered"), true, 6},  {N_("for"), false, 16},   {N_("sheet"), false, 16},
    {N_("entry"), true, 4},
};

static void finding_row(const struct points *p, struct table *t, const struct ledger_finding *f)
{
    struct cli *cli = p->cli;
    table_cellf(t, "%s",
                i18n_is_chinese() ? ledger_finding_zh(f->type) : ledger_finding_name(f->type));
    table_cellf(t, "%s", points_number(cli, f->person));
    table_cellf(t, "%s", points_name(p, f->person, false));
    table_cellf(t, "%s", lookup_village_name(p->roster, f->person->village));
    table_cellf(t, "%s", f->rule);
    table_cellf(t, "%s", points_text(cli, f->due));
    table_cellf(t, "%s", points_text(cli, f->awarded));
    table_cellf(t, "%s", f->has_basis ? points_id(cli, &f->basis) : "");
    table_cellf(t, "%s", f->entry ? points_id(cli, &f->entry->sheet.thing) : "");
    table_cellf(t, "%s", f->entry ? cli_format(cli, "%" PRIu32, f->entry->number) : "");
}

static int print_findings(const struct checking *c)
{
    struct table table;
    const struct ledger_audit *audit = &c->account.audit;
    table_begin(&table, c->account.points.cli, finding_columns,
                sizeof finding_columns / sizeof finding_columns[0]);
    for (size_t i = 0; i < audit->count; i++)
        finding_row(&c->account.points, &table, &audit->findings[i]);
    return table_end(&table);
}

static int print(const struct checking *c)
{
    struct cli *cli = c->account.points.cli;
    const struct ledger_audit *audit = &c->account.audit;
    int code = audit->count || cli->csv ? print_findings(c) : EXIT_OK;
    if (cli->csv) return code;
    for (size_t i = 0; i < c->count; i++)
        output_line(cli, _("the list of %s is not what the records say now: %.20s"),
                    strcmp(c->lists[i].what, "publicity") == 0 ? _("the public notice")
                                                               : _("the redemption"),
                    c->lists[i].id);
    output_line(cli, _("due: %zu entries, %s points; entered: %s points"), audit->due_entries,
                points_text(cli, audit->due), points_text(cli, audit->awarded));
    if (audit->denied)
        output_line(cli, _("%zu are due and were reversed by decision"), audit->denied);
    if (audit->of[LEDGER_MISSING])
        output_note(cli, _("next: sidan points run %u records what is missing"),
                    (unsigned)c->account.points.year);
    if (audit->count > audit->of[LEDGER_MISSING])
        output_note(cli, "%s",
                    _("next: sidan points reverse SHEET ENTRY takes back what is wrong"));
    if (!audit->count && !c->count)
        output_line(cli, "%s", _("the account is what the records say"));
    return code;
}

static int cmd_check(struct cli *cli)
{
    struct checking c = {.lists = NULL};
    int code = cli_open_views(cli);
    if (code) return code;
    code = begin(&c.account, cli, NULL);
    if (!code) {
        enum err e = check_lists(&c);
        if (e) code = cli_fail(cli, e, _("the account of points cannot be checked"));
    }
    if (!code) code = cli->json ? print_json(&c) : print(&c);
    if (!code && (c.account.audit.count || c.count)) code = EXIT_VERIFY_FAILED;
    free(c.lists);
    end(&c.account);
    return code;
}

int cmd_points_run(struct cli *cli)
{
    return strcmp(cli->command->name, "points run") == 0 ? cmd_run(cli) : cmd_check(cli);
}
