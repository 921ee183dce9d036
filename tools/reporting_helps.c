#include "tools/reporting.h"

#include <inttypes.h>

#include "node/office/rate.h"
#include "tools/choices.h"

static const char *hours(struct cli *cli, uint64_t minutes)
{
    return cli_format(cli, "%" PRIu64 ".%u", minutes / 60, (unsigned)(minutes % 60 * 10 / 60));
}

const char *reporting_outcome(struct cli *cli, struct slice key)
{
    return choice_shown("key", output_text(cli, key));
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void set(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

static json_t *help_json(const struct report_help *h)
{
    json_t *o = json_object(), *outcomes = json_object();
    json_object_set_new(o, "village", h->village ? json_string(h->village->code) : json_null());
    json_object_set_new(o, "name", h->village ? json_string(h->village->name) : json_null());
    set(o, "activities", h->activities);
    set(o, "activities_elsewhere", h->activities_elsewhere);
    set(o, "person_times", h->person_times);
    set(o, "minutes_verified", h->minutes_verified);
    set(o, "people_helped", h->people_helped);
    set(o, "joined", h->joined);
    set(o, "active", h->active);
    set(o, "left", h->left);
    set(o, "calls", h->calls);
    set(o, "signups", h->signups);
    set(o, "cancels", h->cancels);
    for (size_t i = 0; i < h->outcome_count; i++) {
        const struct report_outcome *outcome = &h->outcomes[i];
        json_t *one = json_object();
        if (!outcome->own && !outcome->other) {
            json_decref(one);
            continue;
        }
        set(one, "own", outcome->own);
        set(one, "other", outcome->other);
        json_object_setn_new(outcomes, (const char *)outcome->key.data, outcome->key.size, one);
    }
    json_object_set_new(o, "outcomes", outcomes);
    return o;
}

json_t *reporting_helps_json(struct reporting *r)
{
    json_t *all = json_array();
    json_array_append_new(all, help_json(&r->helps.whole));
    for (size_t i = 0; r->by == REPORT_BY_VILLAGE && i < r->helps.village_count; i++)
        json_array_append_new(all, help_json(&r->helps.villages[i]));
    return all;
}

/* --- tables -------------------------------------------------------------------------------- */

static void help_lines(struct reporting *r)
{
    const struct report_help *h = &r->helps.whole;
    struct cli *cli = r->cli;
    output_line(cli,
                _("activities %" PRIu32 " (for other villages %" PRIu32 "), times somebody took "
                  "part %" PRIu64 ", hours verified %s, people helped %" PRIu64),
                h->activities, h->activities_elsewhere, h->person_times,
                hours(cli, h->minutes_verified), h->people_helped);
    output_line(cli,
                _("volunteers: at the end %" PRIu32 ", joined %" PRIu32 ", left %" PRIu32
                  "; calls %" PRIu32 ", sign-ups %" PRIu32 ", cancelled %" PRIu32),
                h->active, h->joined, h->left, h->calls, h->signups, h->cancels);
}

static int outcomes_table(struct reporting *r)
{
    static const struct table_column columns[] = {
        {N_("outcome"), false, 14},
        {N_("own village"), true, 8},
        {N_("other villages"), true, 8},
        {N_("together"), true, 8},
    };
    const struct report_help *h = &r->helps.whole;
    struct table t;
    table_begin(&t, r->cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < h->outcome_count; i++) {
        const struct report_outcome *o = &h->outcomes[i];
        if (!o->own && !o->other) continue;
        table_cellf(&t, "%s", reporting_outcome(r->cli, o->key));
        table_cellf(&t, "%" PRIu64, o->own);
        table_cellf(&t, "%" PRIu64, o->other);
        table_cellf(&t, "%" PRIu64, o->own + o->other);
    }
    return table_end(&t);
}

static const struct table_column columns[] = {
    {N_("village"), false, 8},   {N_("village code"), false, 12}, {N_("activities"), true, 4},
    {N_("for others"), true, 4}, {N_("took part"), true, 4},      {N_("hours"), true, 6},
    {N_("helped"), true, 4},     {N_("volunteers"), true, 6},     {N_("newly joined"), true, 4},
    {N_("have left"), true, 4},  {N_("calls"), true, 4},          {N_("sign-ups"), true, 4},
    {N_("cancelled"), true, 4},
};

static void help_row(struct reporting *r, struct table *t, const struct report_help *h)
{
    const uint64_t counts[] = {h->people_helped, h->active,  h->joined, h->left,
                               h->calls,         h->signups, h->cancels};
    table_cellf(t, "%s", h->village ? h->village->short_name : _("together"));
    if (r->cli->csv) table_cellf(t, "%s", h->village ? h->village->code : "");
    table_cellf(t, "%" PRIu32, h->activities);
    table_cellf(t, "%" PRIu32, h->activities_elsewhere);
    table_cellf(t, "%" PRIu64, h->person_times);
    table_cellf(t, "%s", hours(r->cli, h->minutes_verified));
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        table_cellf(t, "%" PRIu64, counts[i]);
    for (size_t i = 0; r->cli->csv && i < h->outcome_count; i++) {
        table_cellf(t, "%" PRIu64, h->outcomes[i].own);
        table_cellf(t, "%" PRIu64, h->outcomes[i].other);
    }
}

/* A screen shows the numbers of people and times, a file the outcomes too. */
static int helps_table(struct reporting *r)
{
    struct table_column all[TABLE_COLUMNS_MAX];
    size_t used = 0, outcomes = r->cli->csv ? r->helps.whole.outcome_count : 0;
    struct table t;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (i != 1 || r->cli->csv) all[used++] = columns[i];
    for (size_t i = 0; i < outcomes; i++) {
        const char *words = reporting_outcome(r->cli, r->helps.whole.outcomes[i].key);
        all[used++] = (struct table_column){.title = words, .right = true};
        all[used++] = (struct table_column){.title = cli_format(r->cli, _("%s, elsewhere"), words)};
    }
    table_begin(&t, r->cli, all, used);
    for (size_t i = 0; i < r->helps.village_count; i++) help_row(r, &t, &r->helps.villages[i]);
    if (!r->cli->csv) help_row(r, &t, &r->helps.whole);
    return table_end(&t);
}

int reporting_print_helps(struct reporting *r)
{
    bool by_village = r->by == REPORT_BY_VILLAGE;
    if (r->cli->csv) return helps_table(r);
    reporting_title(r);
    if (!by_village) help_lines(r);
    int code = by_village ? helps_table(r) : outcomes_table(r);
    if (!code) reporting_end_lines(r);
    return code;
}
