#include "tools/commands.h"
#include "tools/command_flags.h"

#include <stdlib.h>
#include <string.h>

#include "tools/lookup.h"
#include "tools/recording.h"
#include "tools/reporting.h"
#include "tools/words.h"

const struct flag report_flags[] = {
    VALUE("--village", "VILLAGE", N_("figures: only this village's")),
    VALUE("--by", "PERSON|village|unit", N_("who acts; of figures: a line for each")),
    SWITCH("--ranked", N_("figures: rank the villages")),
    VALUE("--of", "figures|volunteers", N_("figures of requests, or of volunteers")),
    SWITCH("--freeze", N_("publish the figures of the period")),
    SWITCH("--again", N_("publish them though they were published already")),
    SWITCH("--frozen", N_("what was published, and what differs today")),
    END,
};

static int parse_period(struct reporting *r)
{
    struct cli *cli = r->cli;
    const char *text = cli_argument(cli, 0);
    if (!text || figure_period_parse(&r->period, text))
        return cli_error(cli, EXIT_USAGE,
                         cli_format(cli, _("\"%s\" is no period"), text ? text : ""), NULL,
                         _("a year, a quarter or a month: 2022, 2022-Q3, 2022-07"));
    char *canonical = strdup(text);
    if (!canonical) return cli_fail(cli, ERR_NOMEM, _("the figures cannot be counted"));
    for (char *at = canonical; *at; at++)
        if (*at == 'q') *at = 'Q';
    r->text = cli_format(cli, "%s", canonical);
    free(canonical);
    return EXIT_OK;
}

static int one_of(struct cli *cli, const char *flag, const char *const words[], size_t count,
                  size_t *which)
{
    const char *text = cli_flag(cli, flag), *allowed = NULL;
    if (!text) return EXIT_OK;
    for (size_t i = 0; i < count; i++) {
        *which = i;
        if (strcmp(text, words[i]) == 0) return EXIT_OK;
        allowed = cli_format(cli, "%s%s%s", allowed ? allowed : "", allowed ? ", " : "", words[i]);
    }
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("%s cannot be \"%s\""), flag, text), NULL,
                     cli_format(cli, _("allowed: %s"), allowed));
}

static int parse_choices(struct reporting *r)
{
    static const char *const by[] = {"village", "unit"}, *const of[] = {"figures", "volunteers"};
    struct cli *cli = r->cli;
    size_t which_by = 0, which_of = 0;
    bool freezes = cli_has(cli, "--freeze"); /* then --by is who does */
    int code = freezes ? EXIT_OK : one_of(cli, "--by", by, 2, &which_by);
    if (!code) code = one_of(cli, "--of", of, 2, &which_of);
    if (code) return code;
    r->ranked = cli_has(cli, "--ranked");
    r->volunteers = which_of == 1;
    if (cli_flag(cli, "--by") && !freezes)
        r->by = which_by == 0 ? REPORT_BY_VILLAGE : REPORT_BY_UNIT;
    if (r->ranked && !cli_flag(cli, "--by")) r->by = REPORT_BY_VILLAGE;
    const char *why = r->ranked && (r->by == REPORT_BY_UNIT || r->volunteers)
                          ? _("villages are ranked, by the figures of their requests")
                      : r->volunteers && r->by == REPORT_BY_UNIT
                          ? _("volunteers belong to villages, not to units")
                      : freezes && cli_flag(cli, "--village")
                          ? _("the figures of a period are published together")
                          : NULL;
    if (!why) return EXIT_OK;
    return cli_error(cli, EXIT_USAGE, _("these flags do not go together"), why,
                     _("sidan help report"));
}

/* `report` has the flags of both its verbs; those of an act mean nothing to figures. */
static int refuse_of_act(struct cli *cli)
{
    const struct kind *k = kind_find(slice_of_text("order.report"));
    for (size_t i = 0; i < k->field_count; i++) {
        if (!cli_field(cli, k->fields[i].name)) continue;
        return cli_error(cli, EXIT_USAGE, _("these flags do not go together"),
                         cli_format(cli, _("\"%s\" belongs to what was done about a request"),
                                    words_field(&k->fields[i])),
                         _("figures take --village VILLAGE, --by village or --by unit"));
    }
    return EXIT_OK;
}

static int show(struct reporting *r)
{
    int code = reporting_read(r);
    if (code) return code;
    if (cli_has(r->cli, "--freeze")) return reporting_freeze(r);
    if (cli_has(r->cli, "--frozen")) return reporting_frozen(r);
    if (!r->volunteers) return r->cli->json ? reporting_json(r) : reporting_print(r);
    if (!r->cli->json) return reporting_print_helps(r);
    json_t *o = output_json("sidan.report.volunteers/1");
    reporting_json_head(r, o);
    json_object_set_new(o, "volunteers", reporting_helps_json(r));
    return output_json_end(o);
}

int cmd_figures(struct cli *cli)
{
    struct reporting r = {.cli = cli};
    int code = parse_period(&r);
    if (!code) code = refuse_of_act(cli);
    if (!code) code = parse_choices(&r);
    if (!code && cli_has(cli, "--freeze")) code = cli_open_recorder(cli);
    if (!code) code = cli_begin(cli, &r.txn);
    if (code) return code;
    code = show(&r);
    reporting_end(&r);
    if (r.txn) txn_abort(r.txn);
    return code;
}

/* `report` is two verbs: what was done about a request, and the figures of a period. No number and
 * no id looks like a period. */
int cmd_report(struct cli *cli)
{
    struct figure_period period;
    const char *text = cli_argument(cli, 0);
    bool figures = figure_period_parse(&period, text) == OK;
    return figures ? cmd_figures(cli) : cmd_act(cli);
}
