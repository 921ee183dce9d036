#include "tools/reporting.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/office/rank.h"
#include "node/office/rate.h"
#include "node/views/body.h"
#include "node/views/rules.h"
#include "node/views/thing.h"
#include "tools/lookup.h"

#define DAY_MS UINT64_C(86400000)

bool reporting_is_township(const struct reporting *r)
{
    return device_is_township(r->standing.self);
}

bool reporting_knows_old(const struct reporting *r)
{
    return r->standing.hub || !reporting_is_township(r);
}

/* --- words --------------------------------------------------------------------------------- */

const char *reporting_figure(enum figure f)
{
    return i18n_is_chinese() ? figure_zh(f) : figure_en(f);
}

const char *reporting_words(enum figure f)
{
    static const char *const english[FIGURE_COUNT] = {
        [FIGURE_CLOSE] = "closed/accepted",
        [FIGURE_ONTIME] = "closed by the due date/due",
        [FIGURE_SIGN] = "signed for in time/ordered",
        [FIGURE_CONTACT] = "contacted in time/ordered",
        [FIGURE_RESPONSE] = "say in time/answers",
        [FIGURE_SOLVE] = "say solved/answers",
        [FIGURE_SATISFIED] = "rated 3 to 5/answers",
        [FIGURE_VERY] = "rated 4 or 5/answers",
        [FIGURE_CALLBACK] = "called back/reported",
        [FIGURE_REACH] = "reached/called back",
        [FIGURE_OBJECT] = "objected to/ordered",
        [FIGURE_REOPEN] = "reopened/reported",
    };
    return i18n_is_chinese() ? figure_words(f) : english[f];
}

const char *reporting_rate(struct cli *cli, const struct figure_rate *rate)
{
    char text[RATE_TEXT_SIZE];
    rate_format(text, rate->num, rate->den);
    return rate->den ? cli_format(cli, "%" PRIu32 "/%" PRIu32 " %s", rate->num, rate->den, text)
                     : cli_format(cli, "%s", text);
}

const char *reporting_ranked_by(struct reporting *r)
{
    struct cli *cli = r->cli;
    if (!r->weights.any)
        return _("rank: by the close rate, then by how many were accepted (the township has set no "
                 "weights)");
    const char *all = "";
    for (uint32_t i = 0; i < FIGURE_COUNT; i++)
        if (r->weights.of[i])
            all = cli_format(cli, "%s%s%s×%" PRIu32, all, *all ? " + " : "",
                             reporting_figure((enum figure)i), r->weights.of[i]);
    return cli_format(cli,
                      _("rank: by the mean of the rates by the township's weights (version %u): %s;"
                        " what has no denominator does not count"),
                      (unsigned)r->weights_version, all);
}

/* --- reading ------------------------------------------------------------------------------- */

static int choose_village(struct reporting *r)
{
    struct cli *cli = r->cli;
    const char *text = cli_flag(cli, "--village"), *own = r->standing.self->village;
    const struct roster *roster = r->standing.roster;
    if (!reporting_is_township(r)) r->village = roster_village(roster, own);
    if (!text) return EXIT_OK;
    int code = lookup_village(cli, roster, text, &r->village);
    if (code || reporting_is_township(r) || strcmp(r->village->code, own) == 0) return code;
    return cli_error(cli, EXIT_NOT_FOUND,
                     cli_format(cli, _("the figures of %s are not here"), r->village->name),
                     _("a village holds its own records only"),
                     _("sidan report PERIOD --frozen shows what the township published"));
}

static int read_requests(struct reporting *r)
{
    struct report_options options = {.period = r->period, .by = r->by};
    struct scope_row row;
    bool none = false;
    if (r->village) {
        struct scope scope = scope_of_village(r->village->code);
        none = !scope_find(r->txn, &scope, &row);
        if (!none) options.scope_number = row.number;
    }
    enum err err = none ? OK : report_requests(&r->report, r->txn, &options);
    if (!err && !r->village && reporting_is_township(r)) {
        options = (struct report_options){.period = r->period, .accusations = true};
        err = report_requests(&r->accusations, r->txn, &options);
    }
    if (!err)
        err = report_helps_read(&r->helps, r->txn, r->standing.roster, r->village, &r->period);
    return err ? cli_fail(r->cli, err, _("the figures cannot be counted")) : EXIT_OK;
}

static int read_weights(struct reporting *r)
{
    const struct rules *rules;
    size_t unknown;
    enum err err = views_rules(r->cli->views, r->txn, &rules);
    if (err) return cli_fail(r->cli, err, _("the rules cannot be read"));
    const struct rule *rule = rules_at(rules, RULE_KPI, time_day(r->period.to_ms - 1));
    if (!rule) return EXIT_OK;
    r->weights = report_weights_read(rule->fields, &unknown);
    if (r->weights.any) r->weights_version = rule->ver;
    if (unknown && r->ranked)
        output_note(r->cli, _("%zu weights are of figures that this version does not know"),
                    unknown);
    return EXIT_OK;
}

static void find_old(struct reporting *r)
{
    const struct standing *s = &r->standing;
    uint64_t end_ms = r->over ? r->period.to_ms : s->now_ms;
    uint64_t due_ms = r->over ? end_ms : end_ms - DAY_MS;
    for (size_t i = 0; i < s->village_count; i++) {
        const struct standing_village *v = &s->villages[i];
        if (v->last_ok_ms >= due_ms || (r->village && r->village != v->village)) continue;
        r->old[r->old_count++] = (struct reporting_old){
            .village = v->village,
            .last_ok_ms = v->last_ok_ms,
            .days = (uint32_t)((end_ms - v->last_ok_ms) / DAY_MS),
        };
    }
}

int reporting_read(struct reporting *r)
{
    int code = standing_read(r->cli, r->txn, &r->standing);
    if (code) return code;
    r->over = r->period.to_ms <= r->standing.now_ms;
    r->old = calloc(r->standing.village_count + 1, sizeof *r->old);
    if (!r->old) return cli_fail(r->cli, ERR_NOMEM, _("the figures cannot be counted"));
    code = choose_village(r);
    if (!code) find_old(r);
    if (!code) code = read_weights(r);
    return code ? code : read_requests(r);
}

void reporting_end(struct reporting *r)
{
    standing_clear(&r->standing);
    report_clear(&r->report);
    report_clear(&r->accusations);
    report_helps_clear(&r->helps);
    free(r->old);
}

/* --- lines by village or unit -------------------------------------------------------------- */

static void add_line(struct reporting_line *lines, size_t *count, struct slice key,
                     const char *name, const struct report_group *g)
{
    static const struct report_group nothing;
    if (!g) g = &nothing;
    lines[(*count)++] = (struct reporting_line){
        .key = key, .name = name, .figures = &g->figures, .counts = &g->counts};
}

static void lines_of_villages(struct reporting *r, struct reporting_line *lines, size_t *count)
{
    const struct roster *roster = r->standing.roster;
    for (size_t i = 0; i < roster->village_count; i++) {
        const struct village *v = &roster->villages[i];
        struct slice code = slice_of_text(v->code);
        if (r->village && r->village != v) continue;
        add_line(lines, count, code, v->short_name, report_find(&r->report, code));
    }
}

static void lines_of_units(struct reporting *r, struct reporting_line *lines, size_t *count)
{
    for (size_t i = 0; i < r->report.group_count; i++) {
        const struct report_group *g = r->report.groups[i];
        add_line(lines, count, g->name,
                 g->name.size ? output_text(r->cli, g->name) : _("(no unit yet)"), g);
    }
}

static int by_rank(const void *a, const void *b)
{
    const struct reporting_line *x = a, *y = b;
    if (x->rank != y->rank) return x->rank - 1 < y->rank - 1 ? -1 : 1; /* those without one last */
    return slice_compare(x->key, y->key);
}

static bool rank_lines(const struct reporting *r, struct reporting_line *lines, size_t count)
{
    struct rank_row *rows = calloc(count + 1, sizeof *rows);
    size_t ranked = 0;
    if (!rows) return false;
    for (size_t i = 0; i < count; i++)
        if (report_score(&lines[i].score, lines[i].figures, &r->weights))
            rows[ranked++] = (struct rank_row){.value = lines[i].score, .id = lines[i].key};
    rank_share(rows, ranked);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < ranked; k++)
            if (slice_equal(rows[k].id, lines[i].key)) lines[i].rank = rows[k].rank;
    free(rows);
    qsort(lines, count, sizeof *lines, by_rank);
    return true;
}

struct reporting_line *reporting_lines(struct reporting *r, size_t *count)
{
    size_t room = r->standing.roster->village_count + r->report.group_count + 1;
    struct reporting_line *lines = calloc(room, sizeof *lines);
    *count = 0;
    if (!lines) return NULL;
    if (r->by == REPORT_BY_VILLAGE)
        lines_of_villages(r, lines, count);
    else
        lines_of_units(r, lines, count);
    if (!r->ranked || rank_lines(r, lines, *count)) return lines;
    free(lines);
    return NULL;
}

/* --- figures from elsewhere ---------------------------------------------------------------- */

struct noting {
    struct reporting *reporting;
    void (*each)(void *state, struct slice name, struct slice value, struct slice source);
    void *state;
};

static bool note(void *state, const struct thing *stat)
{
    const struct noting *n = state;
    struct slice name = body_text(stat->fields, "name");
    if (!name.size || !slice_is_text(body_text(stat->fields, "period"), n->reporting->text))
        return true;
    n->each(n->state, name, body_text(stat->fields, "value"), body_text(stat->fields, "source"));
    return true;
}

void reporting_notes(struct reporting *r,
                     void (*each)(void *state, struct slice name, struct slice value,
                                  struct slice source),
                     void *state)
{
    struct noting n = {.reporting = r, .each = each, .state = state};
    enum err err = things_each(r->txn, THING_STAT, 0, note, &n);
    if (err) output_note(r->cli, "%s", _("the figures from elsewhere cannot be read"));
}
