#include "tools/reporting.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/office/rate.h"
#include "node/views/actor.h"
#include "node/views/body.h"
#include "node/views/report_stat.h"
#include "node/views/thing.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/recording.h"

/* --- what was published -------------------------------------------------------------------- */

/* The newest publication of a period: one or more sheets with one digest. */
struct published {
    const char *period;
    bool found;
    uint64_t founded_ms;
    struct sign_key author;
    bool has_by;
    struct thing_id by;
    uint64_t events;
    struct hash digest;
    struct slice old; /* borrowed from the transaction */
    struct report_stats stats;
    enum err err;
};

static bool is_sheet_of(const struct published *p, const struct thing *stat)
{
    return body_has(stat->fields, "figures") &&
           slice_is_text(body_text(stat->fields, "period"), p->period);
}

static bool find_newest(void *state, const struct thing *stat)
{
    struct published *p = state;
    struct slice digest = body_bin(stat->fields, "digest");
    if (!is_sheet_of(p, stat) || digest.size != sizeof p->digest.bytes) return true;
    if (p->found && stat->founded_ms <= p->founded_ms) return true;
    p->found = true;
    p->founded_ms = stat->founded_ms;
    p->author = stat->author;
    p->has_by = stat->has_by;
    p->by = stat->by;
    p->events = body_uint(stat->fields, "events");
    memcpy(p->digest.bytes, digest.data, digest.size);
    return true;
}

static bool take_sheet(void *state, const struct thing *stat)
{
    struct published *p = state;
    struct slice digest = slice_of(p->digest.bytes, sizeof p->digest.bytes);
    bool same = is_sheet_of(p, stat) && sign_key_equal(&p->author, &stat->author) &&
                slice_equal(digest, body_bin(stat->fields, "digest")) &&
                p->events == body_uint(stat->fields, "events");
    if (same) p->err = report_stats_read(&p->stats, stat->fields);
    if (same && body_has(stat->fields, "old")) p->old = stat->fields;
    return !p->err;
}

static int read_published(struct reporting *r, struct published *p)
{
    *p = (struct published){.period = r->text};
    enum err err = things_each(r->txn, THING_STAT, 0, find_newest, p);
    if (!err && p->found) err = things_each(r->txn, THING_STAT, 0, take_sheet, p);
    if (!err) err = p->err;
    return err ? cli_fail(r->cli, err, _("the published figures cannot be read")) : EXIT_OK;
}

static const char *published_when(struct reporting *r, const struct published *p)
{
    char when[TIME_TEXT_SIZE], name[256] = "";
    const char *who = lookup_device_name(r->cli, r->standing.roster, &p->author);
    time_format(when, p->founded_ms);
    if (p->has_by && actor_name(r->txn, &p->by, name, sizeof name) && name[0])
        who = output_text(r->cli, slice_of_text(name));
    return cli_format(r->cli, "%s, %s", when, who);
}

/* --- publishing ---------------------------------------------------------------------------- */

static void put_old(struct reporting *r, struct mp_map *body)
{
    enum { LISTED = 60 }; /* the kind's table */
    size_t count = r->old_count < LISTED ? r->old_count : LISTED, left = r->old_count - count;
    if (!count) return;
    struct mp_writer w = mp_map_put(body, "old");
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        if (left && i + 1 == count)
            mp_write_text(&w, cli_format(r->cli, "+%zu", left + 1));
        else
            mp_write_text(&w, r->old[i].village->code);
    }
}

struct freezing {
    struct reporting *reporting;
    struct report_stats stats;
    struct hash digest;
    struct mp_map body;
    struct buf bytes;
};

/* The body of the sheet that begins at row `*at`. */
static MUST_CHECK enum err freeze_body(struct freezing *f, size_t *at)
{
    struct reporting *r = f->reporting;
    mp_map_reset(&f->body);
    buf_reset(&f->bytes);
    struct mp_writer w = mp_map_put(&f->body, "period");
    mp_write_text(&w, r->text);
    w = mp_map_put(&f->body, "rules");
    mp_write_uint(&w, r->weights_version);
    w = mp_map_put(&f->body, "events");
    mp_write_uint(&w, r->standing.events);
    w = mp_map_put(&f->body, "digest");
    mp_write_bin(&w, f->digest.bytes, sizeof f->digest.bytes);
    put_old(r, &f->body);
    w = mp_map_put(&f->body, "figures");
    report_stats_write(&w, &f->stats, at);
    return mp_map_end(&f->body, &f->bytes);
}

/* All sheets in one commit, so nobody sees a part of them. */
static int freeze_record(struct freezing *f, const struct recording *recording, size_t *sheets)
{
    struct cli *cli = f->reporting->cli;
    enum err e = recorder_begin(cli->recorder, &recording->clock);
    for (size_t at = 0; !e && at < f->stats.count; ++*sheets) {
        struct kind_problem problem = {0};
        struct recorded recorded;
        e = freeze_body(f, &at);
        if (e) break;
        const struct draft draft = {
            .kind = "stat.freeze",
            .scope = scope_town(),
            .lane = LANE_NORMAL,
            .founding = true,
            .has_by = recording->has_by,
            .by = recording->by,
            .body = buf_slice(&f->bytes),
        };
        e = recorder_add(cli->recorder, &draft, &recorded, &problem);
        if (!e) continue;
        recorder_abort(cli->recorder);
        return cli_fail_kind(cli, e, _("the figures were not published"), &problem);
    }
    if (e) {
        recorder_abort(cli->recorder);
        return cli_fail(cli, e, _("the figures were not published"));
    }
    e = recorder_commit(cli->recorder);
    return e ? cli_fail(cli, e, _("it is not certain that it was recorded")) : EXIT_OK;
}

static int freeze_told(struct freezing *f, size_t sheets)
{
    struct reporting *r = f->reporting;
    if (r->cli->json) {
        json_t *o = output_json("sidan.report.freeze/1");
        reporting_json_head(r, o);
        json_object_set_new(o, "rows", json_integer((json_int_t)f->stats.count));
        json_object_set_new(o, "sheets", json_integer((json_int_t)sheets));
        json_object_set_new(o, "events", json_integer((json_int_t)r->standing.events));
        json_object_set_new(o, "digest", output_json_hex(f->digest.bytes, sizeof f->digest.bytes));
        return output_json_end(o);
    }
    reporting_title(r);
    output_line(r->cli, _("published: %zu figures, from %" PRIu64 " records"), f->stats.count,
                r->standing.events);
    if (!r->over)
        output_note(r->cli, "%s", _("the period is not over: these are the figures of today"));
    reporting_end_lines(r);
    hint_line(r->cli, _("next: sidan report %s --frozen"), r->text);
    return EXIT_OK;
}

static int freeze_allowed(struct reporting *r)
{
    struct published p;
    struct cli *cli = r->cli;
    const uint32_t may = kind_find(slice_of_text("stat.freeze"))->roles;
    if (!(r->standing.self->roles & may))
        return cli_error(cli, EXIT_REFUSED, _("the figures were not published"),
                         _("only the township's dispatch and office publish figures"), NULL);
    int code = read_published(r, &p);
    report_stats_clear(&p.stats);
    if (code || !p.found || cli_has(cli, "--again")) return code;
    return cli_error(cli, EXIT_REFUSED, _("the figures were not published"),
                     cli_format(cli, _("those of %s were published already: %s"), r->text,
                                published_when(r, &p)),
                     _("--again publishes them anew; what was published before stays on record"));
}

int reporting_freeze(struct reporting *r)
{
    struct freezing f = {.reporting = r};
    struct recording recording;
    size_t sheets = 0;
    int code = freeze_allowed(r);
    if (code) return code;
    enum err e = report_stats_count(&f.stats, r->txn, r->standing.roster, NULL, &r->period);
    if (!e) e = views_digest_open(r->txn, &f.digest);
    if (e) code = cli_fail(r->cli, e, _("the figures cannot be counted"));
    if (!code && !f.stats.count)
        code = cli_error(r->cli, EXIT_REFUSED, _("the figures were not published"),
                         cli_format(r->cli, _("there are none for %s"), r->text), NULL);
    txn_abort(r->txn); /* all is counted: what records has the store to itself */
    r->txn = NULL;
    if (!code) code = recording_begin(r->cli, &recording);
    if (!code) code = freeze_record(&f, &recording, &sheets);
    if (!code) code = cli_begin(r->cli, &r->txn);
    if (!code) code = freeze_told(&f, sheets);
    report_stats_clear(&f.stats);
    mp_map_clear(&f.body);
    buf_clear(&f.bytes);
    return code;
}

/* --- published and today, side by side ----------------------------------------------------- */

struct comparing {
    struct reporting *reporting;
    struct published published;
    struct report_stats now;
    struct hash digest_now;
    size_t differing;
};

static bool is_count(const struct report_stat *row)
{
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        if (strcmp(row->id, figure_id((enum figure)i)) == 0) return false;
    return true;
}

static const char *stat_words(const struct report_stat *row, struct cli *cli)
{
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        if (strcmp(row->id, figure_id((enum figure)i)) == 0)
            return reporting_figure((enum figure)i);
    const char *zh = i18n_is_chinese() ? report_stat_zh(row->id) : NULL;
    return zh ? zh : reporting_outcome(cli, slice_of_text(row->id));
}

static const char *stat_value(struct cli *cli, const struct report_stat *row)
{
    const struct figure_rate rate = {row->num, row->den};
    return is_count(row) ? cli_format(cli, "%" PRIu32, row->num) : reporting_rate(cli, &rate);
}

static const char *stat_whose(struct reporting *r, const struct report_stat *row)
{
    if (row->unit[0]) return output_text(r->cli, slice_of_text(row->unit));
    return row->village[0] ? lookup_village_name(r->standing.roster, row->village) : "";
}

/* A village can count its own rows only. */
static bool is_comparable(const struct comparing *c, const struct report_stat *row)
{
    return reporting_is_township(c->reporting) ||
           strcmp(row->village, c->reporting->standing.self->village) == 0;
}

static bool is_chosen(const struct reporting *r, const struct report_stat *row)
{
    if (cli_flag(r->cli, "--village")) return strcmp(row->village, r->village->code) == 0;
    if (r->by == REPORT_BY_VILLAGE) return row->village[0];
    if (r->by == REPORT_BY_UNIT) return row->unit[0];
    return !row->village[0] && !row->unit[0];
}

/* What stands there today; *differs only where that can be told. */
static const struct report_stat *today(const struct comparing *c, const struct report_stat *row,
                                       struct report_stat *nothing, bool *differs)
{
    *differs = false;
    if (!is_comparable(c, row)) return NULL;
    const struct report_stat *now = report_stats_find(&c->now, row);
    *nothing = *row;
    nothing->num = 0;
    nothing->den = is_count(row);
    if (!now) now = nothing;
    *differs = now->num != row->num || now->den != row->den;
    return now;
}

static json_t *rate_json(const struct report_stat *row)
{
    char text[RATE_TEXT_SIZE];
    json_t *o = json_object();
    rate_format(text, row->num, row->den);
    json_object_set_new(o, "num", json_integer((json_int_t)row->num));
    json_object_set_new(o, "den", json_integer((json_int_t)row->den));
    json_object_set_new(o, "rate", is_count(row) || !row->den ? json_null() : json_string(text));
    return o;
}

static int frozen_json(struct comparing *c)
{
    struct reporting *r = c->reporting;
    const struct published *p = &c->published;
    json_t *o = output_json("sidan.report.frozen/1"), *figures = json_array();
    json_t *old_then = json_array();
    size_t count;
    struct mp_reader old = body_rows(p->old, "old", &count);
    reporting_json_head(r, o);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(old_then, output_json_text(mp_read_str(&old, SIZE_MAX)));
    for (size_t i = 0; i < p->stats.count; i++) {
        const struct report_stat *row = &p->stats.rows[i];
        struct report_stat nothing;
        bool differs;
        if (!is_chosen(r, row)) continue;
        const struct report_stat *now = today(c, row, &nothing, &differs);
        json_t *one = rate_json(row);
        json_object_set_new(one, "id", json_string(row->id));
        json_object_set_new(one, "name", json_string(stat_words(row, r->cli)));
        json_object_set_new(one, "village",
                            row->village[0] ? json_string(row->village) : json_null());
        json_object_set_new(one, "unit", row->unit[0] ? json_string(row->unit) : json_null());
        json_object_set_new(one, "now", now ? rate_json(now) : json_null());
        json_object_set_new(one, "differs", json_boolean(differs));
        json_array_append_new(figures, one);
    }
    json_object_set_new(o, "frozen", output_json_time(p->founded_ms));
    json_object_set_new(o, "by", json_string(published_when(r, p)));
    json_object_set_new(o, "events", json_integer((json_int_t)p->events));
    json_object_set_new(o, "events_now", json_integer((json_int_t)r->standing.events));
    json_object_set_new(o, "digest", output_json_hex(p->digest.bytes, sizeof p->digest.bytes));
    json_object_set_new(o, "digest_now",
                        output_json_hex(c->digest_now.bytes, sizeof c->digest_now.bytes));
    json_object_set_new(o, "old_then", old_then);
    json_object_set_new(o, "figures", figures);
    return output_json_end(o);
}

static const struct table_column columns[] = {
    {N_("figure"), false, 14},      {N_("of"), false, 8},      {N_("published"), true, 14},
    {N_("today"), true, 14},        {N_("remarks"), false, 0}, {N_("id"), false, 0},
    {N_("village code"), false, 0},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], COLUMNS_SHOWN = COLUMNS - 2 };

static int frozen_table(struct comparing *c)
{
    struct reporting *r = c->reporting;
    struct table t;
    table_begin(&t, r->cli, columns, r->cli->csv ? COLUMNS : COLUMNS_SHOWN);
    for (size_t i = 0; i < c->published.stats.count; i++) {
        const struct report_stat *row = &c->published.stats.rows[i];
        struct report_stat nothing;
        bool differs;
        if (!is_chosen(r, row)) continue;
        const struct report_stat *now = today(c, row, &nothing, &differs);
        c->differing += differs;
        table_colour(&t, differs ? COLOUR_YELLOW : COLOUR_NONE);
        table_cellf(&t, "%s", stat_words(row, r->cli));
        table_cellf(&t, "%s", stat_whose(r, row));
        table_cellf(&t, "%s", stat_value(r->cli, row));
        table_cellf(&t, "%s", now ? stat_value(r->cli, now) : "");
        table_cellf(&t, "%s", differs ? _("differs") : "");
        if (!r->cli->csv) continue;
        table_cellf(&t, "%s", row->id);
        table_cellf(&t, "%s", row->village);
    }
    return table_end(&t);
}

static const char *old_then(struct comparing *c)
{
    struct cli *cli = c->reporting->cli;
    const struct roster *roster = c->reporting->standing.roster;
    const char *all = "";
    size_t count;
    struct mp_reader old = body_rows(c->published.old, "old", &count);
    for (size_t i = 0; i < count; i++) {
        const char *code = output_text(cli, mp_read_str(&old, SIZE_MAX));
        const struct village *v = roster_village(roster, code);
        all = cli_format(cli, "%s%s%s", all, *all ? ", " : "", v ? v->short_name : code);
    }
    return all;
}

static int frozen_print(struct comparing *c)
{
    struct reporting *r = c->reporting;
    struct cli *cli = r->cli;
    uint64_t events = r->standing.events;
    if (!cli->csv) {
        reporting_title(r);
        output_line(cli, _("published %s, from %" PRIu64 " records"),
                    published_when(r, &c->published), c->published.events);
    }
    int code = frozen_table(c);
    if (code || cli->csv) return code;
    const char *old = old_then(c);
    if (*old) output_line(cli, _("villages whose data was old then: %s"), old);
    if (c->differing)
        output_line(cli, _("%zu differ: %" PRIu64 " records have come in since"), c->differing,
                    events > c->published.events ? events - c->published.events : 0);
    return EXIT_OK;
}

int reporting_frozen(struct reporting *r)
{
    struct comparing c = {.reporting = r};
    const struct village *only = reporting_is_township(r) ? NULL : r->village;
    int code = read_published(r, &c.published);
    if (!code && !c.published.found)
        code = cli_error(r->cli, EXIT_NOT_FOUND,
                         cli_format(r->cli, _("no figures of %s were published"), r->text), NULL,
                         _("sidan report PERIOD --freeze publishes them, at the township"));
    enum err e =
        code ? OK : report_stats_count(&c.now, r->txn, r->standing.roster, only, &r->period);
    if (!code && !e) e = views_digest_open(r->txn, &c.digest_now);
    if (e) code = cli_fail(r->cli, e, _("the figures cannot be counted"));
    if (!code) code = r->cli->json ? frozen_json(&c) : frozen_print(&c);
    report_stats_clear(&c.published.stats);
    report_stats_clear(&c.now);
    return code;
}
