#include "tools/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/office/money.h"
#include "tools/lookup.h"
#include "tools/redeem.h"

/* 积分兑换发放表: who is paid how much, with room to sign. */

static const struct table_column columns[] = {
    {N_("no."), true, 3},           {N_("number"), false, 9},  {N_("name"), false, 6},
    {N_("village"), false, 6},      {N_("points"), true, 6},   {N_("yuan"), true, 9},
    {N_("in capitals"), false, 16}, {N_("voucher"), false, 6}, {N_("paid on"), false, 10},
    {N_("signature"), false, 6},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

struct sheet {
    struct points points;
    const struct redemption *run;
    const struct redemption_grant **order; /* by village, then number, as the sheet is paid out */
    bool names;
};

static const struct ledger_person *person_of(const struct sheet *s, const struct thing_id *id)
{
    static const struct ledger_person nobody;
    const struct ledger_person *person = ledger_person_of(s->points.ledger, id);
    return person ? person : &nobody;
}

/* qsort has no room for the ledger that the numbers stand in. */
static const struct ledger *sorting;

static int in_order(const void *a, const void *b)
{
    const struct redemption_grant *x = *(const struct redemption_grant *const *)a;
    const struct redemption_grant *y = *(const struct redemption_grant *const *)b;
    const struct ledger_person *p = ledger_person_of(sorting, &x->person);
    const struct ledger_person *q = ledger_person_of(sorting, &y->person);
    int order = strcmp(x->village, y->village);
    if (!order) order = strcmp(p ? p->number : "", q ? q->number : "");
    return order ? order : thing_id_compare(&x->person, &y->person);
}

static int put_in_order(struct sheet *s)
{
    s->order = calloc(s->run->grant_count + 1, sizeof *s->order);
    if (!s->order) return cli_fail(s->points.cli, ERR_NOMEM, _("the sheet cannot be made"));
    for (size_t i = 0; i < s->run->grant_count; i++) s->order[i] = &s->run->grants[i];
    sorting = s->points.ledger;
    if (s->run->grant_count > 1) qsort(s->order, s->run->grant_count, sizeof *s->order, in_order);
    return EXIT_OK;
}

static const char *capitals(struct cli *cli, int64_t fen)
{
    struct buf out = {0};
    money_capitals(&out, fen);
    const char *text = cli_format(cli, "%s", buf_text(&out));
    buf_clear(&out);
    return text;
}

static const char *paid_on(struct cli *cli, const struct redemption_grant *g)
{
    char text[TIME_TEXT_SIZE] = "";
    if (g->paid) time_format_date(text, time_day_ms(g->paid_day, 0));
    return cli_format(cli, "%s", text);
}

static json_t *grant_json(const struct sheet *s, const struct redemption_grant *g)
{
    struct cli *cli = s->points.cli;
    const struct ledger_person *person = person_of(s, &g->person);
    json_t *o = json_object();
    points_describe(o, &s->points, person);
    json_object_set_new(o, "name", json_string(points_name(&s->points, person, s->names)));
    json_object_set_new(o, "village", json_string(g->village));
    json_object_set_new(o, "tenths", json_integer(g->points));
    json_object_set_new(o, "fen", json_integer(g->fen));
    json_object_set_new(o, "yuan", json_string(redeem_money(cli, g->fen)));
    json_object_set_new(o, "capitals", json_string(capitals(cli, g->fen)));
    json_object_set_new(o, "voucher", json_string(g->voucher));
    json_object_set_new(o, "paid", g->paid ? json_string(paid_on(cli, g)) : json_null());
    return o;
}

static int print_json(const struct sheet *s)
{
    const struct redemption *run = s->run;
    struct output_list list = {0};
    json_t *o = output_json("sidan.redemption/1");
    json_object_set_new(o, "run",
                        output_json_hex(run->key.thing.bytes, sizeof run->key.thing.bytes));
    json_object_set_new(o, "year", json_integer(run->year));
    json_object_set_new(o, "rules", json_integer(run->rules));
    json_object_set_new(o, "state", json_string(run->completed ? "completed" : "running"));
    json_object_set_new(o, "total_tenths", json_integer(run->total));
    json_object_set_new(o, "pool_fen", json_integer(run->pool));
    json_object_set_new(o, "granted_fen", json_integer(run->granted));
    json_object_set_new(o, "paid_fen", json_integer(run->paid));
    json_object_set_new(o, "remainder_fen", json_integer(run->pool - run->granted));
    output_list_begin(&list, o, "grants");
    for (size_t i = 0; i < run->grant_count; i++)
        output_list_item(&list, grant_json(s, s->order[i]));
    return output_list_end(&list);
}

static void grant_row(const struct sheet *s, struct table *t, size_t at)
{
    struct cli *cli = s->points.cli;
    const struct redemption_grant *g = s->order[at];
    const struct ledger_person *person = person_of(s, &g->person);
    table_cellf(t, "%zu", at + 1);
    table_cellf(t, "%s", points_number(cli, person));
    table_cellf(t, "%s", points_name(&s->points, person, s->names));
    table_cellf(t, "%s", lookup_village_name(s->points.roster, g->village));
    table_cellf(t, "%s", points_text(cli, g->points));
    table_cellf(t, "%s", redeem_money(cli, g->fen));
    table_cellf(t, "%s", capitals(cli, g->fen));
    table_cellf(t, "%s", g->voucher);
    table_cellf(t, "%s", paid_on(cli, g));
    table_cellf(t, "%s", "");
}

static int print_table(const struct sheet *s)
{
    struct table table;
    struct cli *cli = s->points.cli;
    const struct redemption *run = s->run;
    if (!cli->csv)
        output_line(cli, _("redemption of the points of %u, run %s: %s"), (unsigned)run->year,
                    points_id(cli, &run->key.thing),
                    run->completed ? _("completed") : _("under way"));
    table_begin(&table, cli, columns, COLUMNS);
    for (size_t i = 0; i < run->grant_count; i++) grant_row(s, &table, i);
    int code = table_end(&table);
    if (cli->csv) return code;
    output_line(cli, _("together %s yuan (%s) for %zu people, by the rule of version %u"),
                redeem_money(cli, run->granted), capitals(cli, run->granted), run->grant_count,
                (unsigned)run->rules);
    output_line(cli, _("pool %s yuan, left over %s yuan, paid so far %s yuan"),
                redeem_money(cli, run->pool), redeem_money(cli, run->pool - run->granted),
                redeem_money(cli, run->paid));
    output_line(cli, "%s", _("made by:            checked by:            approved by:"));
    return code;
}

static int show(struct cli *cli, struct sheet *s, struct redemptions *runs)
{
    struct txn *t;
    int code = cli_begin(cli, &t);
    if (code) return code;
    enum err e = redemptions_load(runs, t, 0);
    txn_abort(t);
    if (e) return cli_fail(cli, e, _("the redemption cannot be read"));
    code = redeem_find(cli, runs, cli_argument(cli, 0), true, &s->run);
    if (code) return code;
    code = points_begin(&s->points, cli, NULL, cli_format(cli, "%u", (unsigned)s->run->year));
    if (!code) code = put_in_order(s);
    if (!code) code = cli->json ? print_json(s) : print_table(s);
    return code;
}

int cmd_redeem_show(struct cli *cli)
{
    struct sheet sheet = {.names = cli_has(cli, "--names")};
    struct redemptions runs = {.count = 0};
    int code = cli_open_views(cli);
    if (!code) code = show(cli, &sheet, &runs);
    free(sheet.order);
    points_end(&sheet.points);
    redemptions_clear(&runs);
    return code;
}
