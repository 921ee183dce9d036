#include "tools/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/office/money.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/redeem.h"

/* Opening a redemption run, granting by it, closing it; within the recorder's transaction. */
struct redeeming {
    struct cli *cli;
    struct recording recording;
    struct points points;
    struct redemption_plan plan;
    struct redemptions runs; /* of all years */
    struct mp_map map;
    struct buf body;
    int64_t pool;
    uint32_t rules;
    bool planned;
};

static int begin(struct redeeming *r, const char *year)
{
    struct cli *cli = r->cli;
    enum err e = recorder_begin(cli->recorder, &r->recording.clock);
    if (e) return cli_fail(cli, e, _("nothing was recorded"));
    int code = points_begin(&r->points, cli, recorder_txn(cli->recorder), year);
    if (!code) {
        e = redemptions_load(&r->runs, r->points.txn, 0);
        if (e) code = cli_fail(cli, e, _("nothing was recorded"));
    }
    return code;
}

static void end(struct redeeming *r)
{
    if (r->planned) redemption_plan_clear(&r->plan);
    redemptions_clear(&r->runs);
    mp_map_clear(&r->map);
    buf_clear(&r->body);
    points_end(&r->points);
}

/* Ends the recorder's transaction by recording, or without where `code` says so. */
static int record(struct redeeming *r, int code, struct draft *draft, struct recorded *recorded)
{
    if (code) {
        recorder_abort(r->cli->recorder);
        return code;
    }
    return recording_all(r->cli, &r->recording, draft, 1, recorded);
}

/* Grants of the run (SIZE_MAX: of one that is opened now) into r->plan. */
static int make_plan(struct redeeming *r, size_t run, const struct redeem_options *options)
{
    struct cli *cli = r->cli;
    enum err e = redemption_plan(&r->plan, r->points.ledger, run, options, r->pool);
    r->planned = !e || e == ERR_LIMIT;
    if (e == ERR_LIMIT)
        return cli_error(
            cli, EXIT_REFUSED,
            cli_format(cli, _("the pool of %s yuan is not enough"), redeem_money(cli, r->pool)),
            cli_format(cli, _("by the rule %s yuan are missing"),
                       redeem_money(cli, r->plan.result.missing_fen)),
            _("a greater pool, or another rule; nothing was recorded"));
    return e ? cli_fail(cli, e, _("nothing was recorded")) : EXIT_OK;
}

/* --- open --------------------------------------------------------------------------------- */

static int read_pool(struct redeeming *r)
{
    struct cli *cli = r->cli;
    const char *text = cli_flag(cli, "--pool");
    if (text && money_parse(&r->pool, slice_of_text(text)) == OK && r->pool > 0 &&
        r->pool <= REDEEM_POOL_FEN_MAX)
        return EXIT_OK;
    return cli_error(
        cli, EXIT_USAGE,
        text ? cli_format(cli, _("--pool: \"%s\" is no amount"), text)
             : _("it is not said how much there is to hand out"),
        cli_format(cli, _("from 0.01 to %s yuan"), redeem_money(cli, REDEEM_POOL_FEN_MAX)),
        _("write it in yuan (200000, 20万) or in fen (20000000分)"));
}

static int refuse_open_run(struct redeeming *r)
{
    const struct redemption *run = redemptions_open(&r->runs);
    if (!run) return EXIT_OK;
    return cli_error(r->cli, EXIT_REFUSED, _("nothing was recorded"),
                     cli_format(r->cli, _("the redemption of %u is not completed: %s"),
                                (unsigned)run->year, points_id(r->cli, &run->key.thing)),
                     _("first: sidan redeem pay, then sidan redeem close"));
}

/* Held entries are left out and hold nobody else's; what was not shown long enough stops it. */
static int refuse_unsettled(struct redeeming *r)
{
    size_t count[LEDGER_STATE_COUNT] = {0};
    const struct ledger *l = r->points.ledger;
    for (size_t i = 0; i < l->entry_count; i++) count[l->entries[i].state]++;
    size_t unsettled = count[LEDGER_POSTED] + count[LEDGER_PUBLIC];
    if (unsettled)
        return cli_error(r->cli, EXIT_REFUSED, _("nothing was recorded"),
                         cli_format(r->cli,
                                    _("%zu entries of %u are not final yet: %zu were never "
                                      "made public, %zu are public now"),
                                    unsettled, (unsigned)l->year, count[LEDGER_POSTED],
                                    count[LEDGER_PUBLIC]),
                         cli_format(r->cli, _("sidan points publish %u town, and wait for its end"),
                                    (unsigned)l->year));
    if (count[LEDGER_HELD])
        output_note(r->cli, _("%zu entries are left out: an objection is open"),
                    count[LEDGER_HELD]);
    return EXIT_OK;
}

static int write_open(struct redeeming *r)
{
    struct cli *cli = r->cli;
    struct thing_id signer;
    const char *signed_by = cli_flag(cli, "--signed-by"), *doc_ref = cli_flag(cli, "--doc-ref");
    if (!signed_by)
        return cli_error(cli, EXIT_USAGE, _("it is not said who signed"),
                         _("the decision is a person's, on paper"), _("add --signed-by PERSON"));
    int code = lookup_person(cli, r->points.txn, signed_by, &signer);
    if (code) return code;
    struct mp_writer w = mp_map_put(&r->map, "year");
    mp_write_uint(&w, r->points.year);
    w = mp_map_put(&r->map, "rules");
    mp_write_uint(&w, r->rules);
    w = mp_map_put(&r->map, "pool");
    mp_write_uint(&w, (uint64_t)r->pool);
    w = mp_map_put(&r->map, "total");
    mp_write_uint(&w, (uint64_t)r->plan.list.points);
    w = mp_map_put(&r->map, "list");
    mp_write_bin(&w, r->plan.digest.bytes, sizeof r->plan.digest.bytes);
    if (doc_ref) {
        w = mp_map_put(&r->map, "doc_ref");
        mp_write_text(&w, doc_ref);
    }
    w = mp_map_put(&r->map, "signed_by");
    mp_write_bin(&w, signer.bytes, sizeof signer.bytes);
    enum err e = mp_map_end(&r->map, &r->body);
    return e ? cli_fail(cli, e, _("nothing was recorded")) : EXIT_OK;
}

static int tell_plan(struct redeeming *r, const struct recorded *recorded, const char *what)
{
    struct cli *cli = r->cli;
    const struct redeem_result *result = &r->plan.result;
    size_t people = 0;
    for (size_t i = 0; i < r->plan.list.count; i++) people += r->plan.people[i].fen > 0;
    if (cli->json) {
        json_t *o = output_json("sidan.redeem/1");
        if (recorded) recording_describe(o, recorded);
        json_object_set_new(o, "year", json_integer(r->points.year));
        json_object_set_new(o, "rules", json_integer(r->rules));
        json_object_set_new(o, "people", json_integer((json_int_t)people));
        json_object_set_new(o, "total_tenths", json_integer(r->plan.list.points));
        json_object_set_new(o, "pool_fen", json_integer(r->pool));
        json_object_set_new(o, "granted_fen", json_integer(result->granted_fen));
        json_object_set_new(o, "remainder_fen", json_integer(result->remainder_fen));
        return output_json_end(o);
    }
    output_line(cli, "%s", what);
    output_line(cli, _("%zu people, %s points; pool %s yuan, grants %s yuan, left over %s yuan"),
                people, points_text(cli, r->plan.list.points), redeem_money(cli, r->pool),
                redeem_money(cli, result->granted_fen), redeem_money(cli, result->remainder_fen));
    return EXIT_OK;
}

static int open_run(struct redeeming *r)
{
    struct cli *cli = r->cli;
    struct redeem_options options;
    struct recorded recorded;
    int code = read_pool(r);
    if (code) return code;
    code = begin(r, cli_argument(cli, 0));
    if (!code) code = refuse_open_run(r);
    if (!code) code = refuse_unsettled(r);
    if (!code)
        code =
            redeem_rule(cli, r->points.txn, time_day(r->points.now_ms), NULL, &r->rules, &options);
    if (!code) code = make_plan(r, SIZE_MAX, &options);
    if (!code && !r->plan.list.count)
        code = cli_error(cli, EXIT_REFUSED, _("nothing was recorded"),
                         _("no final points of that year are left to redeem"),
                         _("sidan points rank YEAR shows the account"));
    if (!code) code = write_open(r);
    struct draft draft = {
        .kind = "redeem.open",
        .scope = scope_office(),
        .lane = LANE_NORMAL,
        .founding = true,
        .body = buf_slice(&r->body),
    };
    code = record(r, code, &draft, &recorded);
    if (!code) code = tell_plan(r, &recorded, _("the redemption run is open"));
    if (!code && !cli->json) hint_line(cli, "%s", _("next: sidan redeem grant records the grants"));
    return code;
}

/* --- grant -------------------------------------------------------------------------------- */

struct grants {
    struct draft *drafts;
    struct recorded *recorded;
    struct buf *bodies;
    size_t count;
    enum err err;
};

static bool take_grants(void *state, struct slice body)
{
    struct grants *g = state;
    buf_append_slice(&g->bodies[g->count], body);
    g->err = g->bodies[g->count].err;
    g->count++;
    return !g->err;
}

static int make_grants(struct redeeming *r, struct grants *g, const struct redemption *run)
{
    size_t most = r->plan.list.count + 1; /* events, surely */
    g->drafts = calloc(most, sizeof *g->drafts);
    g->recorded = calloc(most, sizeof *g->recorded);
    g->bodies = calloc(most, sizeof *g->bodies);
    enum err e = g->drafts && g->recorded && g->bodies
                     ? redemption_plan_grants(&r->plan, r->points.ledger, take_grants, g)
                     : ERR_NOMEM;
    if (!e) e = g->err;
    for (size_t i = 0; i < g->count; i++)
        g->drafts[i] = (struct draft){
            .kind = "redeem.grant",
            .scope = scope_office(),
            .lane = LANE_NORMAL,
            .subject = run->key.thing,
            .body = buf_slice(&g->bodies[i]),
        };
    return e ? cli_fail(r->cli, e, _("nothing was recorded")) : EXIT_OK;
}

static void grants_clear(struct grants *g)
{
    for (size_t i = 0; i < g->count; i++) buf_clear(&g->bodies[i]);
    free(g->drafts);
    free(g->recorded);
    free(g->bodies);
}

/* The list of an open run must be what it was, and in no doubt since. */
static int refuse_changed(struct redeeming *r, size_t at, const struct redemption *run)
{
    struct cli *cli = r->cli;
    size_t disputed = ledger_list_disputed(r->points.ledger, at);
    bool same = memcmp(r->plan.digest.bytes, run->list.bytes, sizeof run->list.bytes) == 0;
    if (run->grant_count)
        return cli_error(cli, EXIT_REFUSED, _("nothing was recorded"),
                         _("the grants of this run are recorded already"),
                         _("sidan redeem show prints them"));
    if (same && !disputed) return EXIT_OK;
    return cli_error(cli, EXIT_REFUSED, _("nothing was recorded"),
                     disputed ? cli_format(cli,
                                           _("%zu entries on its list were reversed or "
                                             "objected to since it was opened"),
                                           disputed)
                              : _("its list is not what the records say now"),
                     _("close it (sidan redeem close) and open another"));
}

static int grant(struct redeeming *r)
{
    struct cli *cli = r->cli;
    struct grants g = {.count = 0};
    struct redeem_options options;
    const struct redemption *run;
    size_t at = 0;
    int code = begin(r, NULL);
    if (!code) code = redeem_find(cli, &r->runs, cli_argument(cli, 0), false, &run);
    if (!code && run->year != r->points.year) {
        points_end(&r->points);
        code = points_begin(&r->points, cli, recorder_txn(cli->recorder),
                            cli_format(cli, "%u", (unsigned)run->year));
    }
    const struct redemptions *of_year = code ? NULL : &r->points.ledger->runs;
    while (of_year && !thing_id_equal(&of_year->runs[at].key.thing, &run->key.thing)) at++;
    if (!code) {
        r->pool = run->pool;
        code = redeem_rule(cli, r->points.txn, 0, run, &r->rules, &options);
    }
    if (!code) code = make_plan(r, at, &options);
    if (!code) code = refuse_changed(r, at, run);
    if (!code) code = make_grants(r, &g, run);
    if (code)
        recorder_abort(cli->recorder);
    else
        code = recording_all(cli, &r->recording, g.drafts, g.count, g.recorded);
    if (!code) code = tell_plan(r, NULL, _("the grants are recorded"));
    if (!code && !cli->json)
        hint_line(cli, "%s", _("next: sidan redeem show prints the sheet to be signed"));
    grants_clear(&g);
    return code;
}

/* --- close -------------------------------------------------------------------------------- */

static int close_run(struct redeeming *r)
{
    struct cli *cli = r->cli;
    const struct redemption *run;
    struct recorded recorded;
    size_t unpaid = 0;
    int code = begin(r, NULL);
    if (!code) code = redeem_find(cli, &r->runs, cli_argument(cli, 0), false, &run);
    if (code) return record(r, code, NULL, NULL);
    for (size_t i = 0; i < run->grant_count; i++) unpaid += !run->grants[i].paid;
    struct mp_writer w = mp_map_put(&r->map, "paid");
    mp_write_uint(&w, (uint64_t)run->paid);
    w = mp_map_put(&r->map, "remainder");
    mp_write_uint(&w, (uint64_t)(run->pool - run->paid));
    enum err e = mp_map_end(&r->map, &r->body);
    struct draft draft = {
        .kind = "redeem.close",
        .scope = scope_office(),
        .lane = LANE_NORMAL,
        .subject = run->key.thing,
        .body = buf_slice(&r->body),
    };
    code = record(r, e ? cli_fail(cli, e, _("nothing was recorded")) : EXIT_OK, &draft, &recorded);
    if (code) return code;
    if (cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        recording_describe(o, &recorded);
        json_object_set_new(o, "paid_fen", json_integer(run->paid));
        json_object_set_new(o, "remainder_fen", json_integer(run->pool - run->paid));
        json_object_set_new(o, "unpaid", json_integer((json_int_t)unpaid));
        return output_json_end(o);
    }
    output_line(cli, _("the redemption of %u is completed: %s yuan paid, %s yuan left over"),
                (unsigned)run->year, redeem_money(cli, run->paid),
                redeem_money(cli, run->pool - run->paid));
    if (unpaid)
        output_line(cli, _("%zu people were not paid; their points stay for the next run"), unpaid);
    return EXIT_OK;
}

int cmd_redeem(struct cli *cli)
{
    struct redeeming r = {.cli = cli};
    const char *verb = cli->command->name;
    int code = recording_begin(cli, &r.recording);
    if (!code) code = recording_may(cli, &r.recording, "redeem.open", SCOPE_OFFICE);
    if (!code && strcmp(verb, "redeem open") == 0)
        code = open_run(&r);
    else if (!code && strcmp(verb, "redeem grant") == 0)
        code = grant(&r);
    else if (!code)
        code = close_run(&r);
    end(&r);
    return code;
}
