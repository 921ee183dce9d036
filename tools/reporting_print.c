#include "tools/reporting.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"
#include "common/time.h"
#include "node/office/rate.h"
#include "tools/words.h"

/* --- before and after the table ------------------------------------------------------------ */

void reporting_title(struct reporting *r)
{
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
    time_format_date(from, r->period.from_ms);
    time_format_date(to, r->period.to_ms - 1);
    output_line(r->cli, _("%s, %s (%s to %s)%s"),
                r->village ? r->village->name : r->standing.roster->township_name, r->text, from,
                to, r->over ? "" : _(", not over yet"));
}

/* Lines of as many items as 80 columns take. */
struct wrapping {
    struct cli *cli;
    struct buf line;
};

static void wrap_end(struct wrapping *w)
{
    if (w->line.size) output_line(w->cli, "%s", buf_text(&w->line));
    buf_clear(&w->line);
}

static void wrap_add(struct wrapping *w, const char *item)
{
    enum { COLUMNS = 80, BETWEEN = 2 };
    size_t width = text_width(buf_slice(&w->line));
    if (width && width + BETWEEN + text_width(slice_of_text(item)) > COLUMNS) wrap_end(w);
    buf_printf(&w->line, "%*s%s", w->line.size ? BETWEEN : 0, "", item);
}

static void old_lines(struct reporting *r)
{
    struct wrapping w = {.cli = r->cli};
    if (!reporting_knows_old(r))
        output_line(r->cli,
                    _("only the hub knows which villages' data is old; last success here: %s"),
                    words_ago(r->cli, r->standing.last_ok_ms, r->standing.now_ms));
    size_t never = 0;
    for (size_t i = 0; i < r->old_count; i++) never += r->old[i].last_ok_ms == 0;
    if (r->old_count > never) {
        wrap_add(&w,
                 cli_format(r->cli,
                            r->over ? _("data is old in %zu villages (days to the period's end):")
                                    : _("data is old in %zu villages (days till now):"),
                            r->old_count - never));
        for (size_t i = 0; i < r->old_count; i++)
            if (r->old[i].last_ok_ms)
                wrap_add(&w, cli_format(r->cli, _("%s(%" PRIu32 " days)"),
                                        r->old[i].village->short_name, r->old[i].days));
        wrap_end(&w);
    }
    if (!never) return;
    wrap_add(&w, cli_format(r->cli, _("never heard of %zu villages:"), never));
    for (size_t i = 0; i < r->old_count; i++)
        if (!r->old[i].last_ok_ms) wrap_add(&w, r->old[i].village->short_name);
    wrap_end(&w);
}

static void formula_lines(struct reporting *r, uint32_t figures)
{
    struct wrapping w = {.cli = r->cli};
    for (uint32_t i = 0; i < FIGURE_COUNT; i++)
        if (figures & UINT32_C(1) << i)
            wrap_add(&w, cli_format(r->cli, "%s=%s", reporting_figure((enum figure)i),
                                    reporting_words((enum figure)i)));
    wrap_end(&w);
}

static void note_line(void *state, struct slice name, struct slice value, struct slice source)
{
    struct reporting *r = state;
    output_line(r->cli, _("from elsewhere: %s %s (%s)"), output_text(r->cli, name),
                output_text(r->cli, value), output_text(r->cli, source));
}

void reporting_end_lines(struct reporting *r)
{
    old_lines(r);
    reporting_notes(r, note_line, r);
}

static const char *state_words(enum request_state s)
{
    if (s == REQUEST_CLOSED) return _("closed since");
    return i18n_is_chinese() ? request_state_zh(s) : request_state_name(s);
}

static void counts_lines(struct reporting *r)
{
    const struct report_counts *c = &r->report.whole.counts;
    const char *open = "";
    output_line(r->cli,
                _("registered %" PRIu32 ": answered at once %" PRIu32 ", declined %" PRIu32
                  ", merged %" PRIu32 ", withdrawn %" PRIu32 ", supervised %" PRIu32
                  "; accepted %" PRIu32 "; closed %" PRIu32),
                c->registered, c->answered, c->declined, c->merged, c->withdrawn, c->supervised,
                r->report.whole.figures.of[FIGURE_CLOSE].den, c->closed);
    for (size_t i = 0; i < REQUEST_STATE_COUNT; i++)
        if (c->open[i])
            open = cli_format(r->cli, "%s%s%s %" PRIu32, open, *open ? ", " : ": ",
                              state_words((enum request_state)i), c->open[i]);
    output_line(r->cli, _("open at the end %" PRIu32 "%s"), report_open(c), open);
}

static void accusations_line(struct reporting *r)
{
    const struct report_group *a = &r->accusations.whole;
    if (!a->counts.registered && !report_open(&a->counts)) return;
    output_line(r->cli,
                _("accusations, counted apart: registered %" PRIu32 ", closed %s, open at the end "
                  "%" PRIu32),
                a->counts.registered, reporting_rate(r->cli, &a->figures.of[FIGURE_CLOSE]),
                report_open(&a->counts));
}

/* --- the whole ----------------------------------------------------------------------------- */

static int whole_table(struct reporting *r)
{
    static const struct table_column columns[] = {
        {N_("figure"), false, 14},    {N_("id"), false, 19}, {N_("numerator"), true, 4},
        {N_("denominator"), true, 4}, {N_("rate"), true, 6}, {N_("formula"), false, 0},
    };
    struct table t;
    table_begin(&t, r->cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        const struct figure_rate *rate = &r->report.whole.figures.of[i];
        char text[RATE_TEXT_SIZE];
        rate_format(text, rate->num, rate->den);
        table_cellf(&t, "%s", reporting_figure((enum figure)i));
        table_cellf(&t, "%s", figure_id((enum figure)i));
        table_cellf(&t, "%" PRIu32, rate->num);
        table_cellf(&t, "%" PRIu32, rate->den);
        table_cellf(&t, "%s", text);
        table_cellf(&t, "%s", reporting_words((enum figure)i));
    }
    return table_end(&t);
}

/* For people: what a monthly notice names, as "72/81 88.9%". */
static int whole_lines(struct reporting *r)
{
    static const struct table_column columns[] = {
        {N_("figure"), false, 14},
        {N_("rate"), true, 14},
        {"", false, 1},
        {N_("formula"), false, 0},
    };
    struct table t;
    table_begin(&t, r->cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        table_cellf(&t, "%s", reporting_figure((enum figure)i));
        table_cellf(&t, "%s", reporting_rate(r->cli, &r->report.whole.figures.of[i]));
        table_cell(&t, SLICE_EMPTY);
        table_cellf(&t, "%s", reporting_words((enum figure)i));
    }
    return table_end(&t);
}

static int print_whole(struct reporting *r)
{
    if (r->cli->csv) return whole_table(r);
    reporting_title(r);
    counts_lines(r);
    accusations_line(r);
    int code = whole_lines(r);
    if (!code) reporting_end_lines(r);
    return code;
}

/* --- by village or unit -------------------------------------------------------------------- */

/* Those of the township's notice (通报); a screen has no room for more, a file holds all. */
static const enum figure noticed[] = {FIGURE_CLOSE, FIGURE_ONTIME, FIGURE_REOPEN, FIGURE_SATISFIED};
enum { NOTICED = sizeof noticed / sizeof noticed[0] };

static int notice_table(struct reporting *r, const struct reporting_line *lines, size_t count)
{
    struct table_column columns[3 + NOTICED] = {{N_("rank"), true, 4}};
    size_t used = r->ranked;
    uint32_t figures = 0;
    struct table t;
    columns[used++] =
        (struct table_column){r->by == REPORT_BY_UNIT ? N_("unit") : N_("village"), false, 8};
    columns[used++] = (struct table_column){N_("requests registered"), true, 4};
    for (size_t i = 0; i < NOTICED; i++) {
        figures |= UINT32_C(1) << noticed[i];
        columns[used++] = (struct table_column){reporting_figure(noticed[i]), true, 13};
    }
    table_begin(&t, r->cli, columns, used);
    for (size_t k = 0; k < count; k++) {
        if (r->ranked && lines[k].rank) table_cellf(&t, "%" PRIu32, lines[k].rank);
        if (r->ranked && !lines[k].rank) table_cell(&t, slice_of_text("—"));
        table_cellf(&t, "%s", lines[k].name);
        table_cellf(&t, "%" PRIu32, lines[k].counts->registered);
        for (size_t i = 0; i < NOTICED; i++)
            table_cellf(&t, "%s", reporting_rate(r->cli, &lines[k].figures->of[noticed[i]]));
    }
    int code = table_end(&t);
    if (!code) formula_lines(r, figures);
    return code;
}

static void file_row(struct reporting *r, struct table *t, const struct reporting_line *l)
{
    const struct report_counts *c = l->counts;
    if (l->rank)
        table_cellf(t, "%" PRIu32, l->rank);
    else
        table_cell(t, SLICE_EMPTY);
    table_cellf(t, "%s", l->name);
    table_cell(t, r->by == REPORT_BY_VILLAGE ? l->key : SLICE_EMPTY);
    const uint32_t counts[] = {c->registered, c->answered,   c->declined, c->merged,
                               c->withdrawn,  c->supervised, c->closed,   report_open(c)};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        table_cellf(t, "%" PRIu32, counts[i]);
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        char text[RATE_TEXT_SIZE];
        const struct figure_rate *rate = &l->figures->of[i];
        rate_format(text, rate->num, rate->den);
        table_cellf(t, "%" PRIu32, rate->num);
        table_cellf(t, "%" PRIu32, rate->den);
        table_cellf(t, "%s", text);
    }
}

static int file_table(struct reporting *r, const struct reporting_line *lines, size_t count)
{
    struct table_column columns[TABLE_COLUMNS_MAX] = {
        {.title = N_("rank")},
        {.title = r->by == REPORT_BY_UNIT ? N_("unit") : N_("village")},
        {.title = N_("village code")},
        {.title = N_("requests registered")},
        {.title = N_("answered")},
        {.title = N_("declined")},
        {.title = N_("merged")},
        {.title = N_("withdrawn")},
        {.title = N_("supervised")},
        {.title = N_("closed")},
        {.title = N_("open")},
    };
    size_t used = 11;
    struct table t;
    _Static_assert(11 + 3 * FIGURE_COUNT <= TABLE_COLUMNS_MAX, "a row has room for all figures");
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        const char *name = reporting_figure((enum figure)i);
        columns[used++].title = cli_format(r->cli, _("%s, numerator"), name);
        columns[used++].title = cli_format(r->cli, _("%s, denominator"), name);
        columns[used++].title = name;
    }
    table_begin(&t, r->cli, columns, used);
    for (size_t k = 0; k < count; k++) file_row(r, &t, &lines[k]);
    return table_end(&t);
}

static int print_lines(struct reporting *r)
{
    size_t count;
    struct reporting_line *lines = reporting_lines(r, &count);
    if (!lines) return cli_fail(r->cli, ERR_NOMEM, _("the figures cannot be counted"));
    if (!r->cli->csv) reporting_title(r);
    int code = r->cli->csv ? file_table(r, lines, count) : notice_table(r, lines, count);
    free(lines);
    if (code || r->cli->csv) return code;
    if (r->ranked) output_line(r->cli, "%s", reporting_ranked_by(r));
    accusations_line(r);
    reporting_end_lines(r);
    return EXIT_OK;
}

int reporting_print(struct reporting *r)
{
    return r->by == REPORT_WHOLE ? print_whole(r) : print_lines(r);
}
