#include "tools/status.h"

#include "common/time.h"
#include "tools/hint.h"
#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct table_column columns[] = {
    {"", false, 1},
    {N_("village"), false, 9},
    {N_("state"), false, 8},
    {N_("last success"), false, 13},
    {N_("got/known"), true, 11},
    {N_("open"), true, 4},
    {N_("overdue"), true, 4},
    {N_("remarks"), false, 0},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static enum colour colour_of(enum standing_state state)
{
    if (state == STANDING_FAULT) return COLOUR_RED;
    return state == STANDING_OFFLINE || state == STANDING_NEVER ? COLOUR_YELLOW : COLOUR_NONE;
}

/* The device of a village that is worst off, or else forked: the remark is about it. */
static const struct standing_peer *worst_of(const struct standing *s,
                                            const struct standing_village *v)
{
    const struct standing_peer *worst = NULL;
    for (size_t i = 0; i < v->peer_count; i++) {
        const struct standing_peer *p = &s->peers[v->peer_at + i];
        if (worst && standing_is_heard_through(p)) continue;
        if (!worst || standing_is_heard_through(worst) || p->state < worst->state ||
            (p->state == worst->state && p->fork && !worst->fork))
            worst = p;
    }
    return worst;
}

static const char *remark_on(struct cli *cli, const struct standing *s,
                             const struct standing_village *v)
{
    const struct standing_peer *p = worst_of(s, v);
    if (!p) return _("no device has joined yet");
    if (p->fork && p->fork->at)
        return cli_format(cli,
                          p->fork->settled
                              ? _("record %" PRIu64 " has two versions, both kept: %s")
                              : _("record %" PRIu64 " has two versions (an old backup in use?)"),
                          p->fork->at, p->fork->machine);
    if (p->fork) return fork_words(cli, p->fork);
    if (v->digest == DIGEST_DIFFERS) return _("the lists differ: sidan verify");
    if (p->state == STANDING_UNSENT)
        return cli_format(cli, _("%" PRIu64 " records are coming in"), p->ours_missing);
    if (p->state == STANDING_BEHIND)
        return cli_format(cli, _("%" PRIu64 " records are going out"), p->theirs_missing);
    if (p->last_error)
        return cli_format(cli, _("%s (%" PRIu32 " times)"), words_contact(p->last_error),
                          p->failures);
    return "";
}

static void count_cell(struct table *t, uint64_t got, bool sure, uint64_t known)
{
    if (sure)
        table_cellf(t, "%" PRIu64 "/%" PRIu64, got, known);
    else
        table_cellf(t, "%" PRIu64 "/?", got);
}

static void village_row(struct cli *cli, struct table *t, const struct standing *s,
                        const struct standing_village *v)
{
    table_colour(t, colour_of(v->state));
    table_cellf(t, "%c", standing_sign(v->state));
    table_cell(t, slice_of_text(v->village->short_name));
    table_cell(t, slice_of_text(standing_words(v->state, true)));
    table_cell(t, slice_of_text(words_ago(cli, v->last_ok_ms, s->now_ms)));
    count_cell(t, v->got, v->known_sure, v->known);
    table_cellf(t, "%" PRIu64, v->open);
    table_cellf(t, "%" PRIu64, v->overdue);
    table_cell(t, slice_of_text(remark_on(cli, s, v)));
}

/* Villages that need no line of their own: all is well, or nobody there has joined yet. */
static bool is_folded(const struct standing *s, const struct standing_village *v)
{
    const struct standing_peer *p = worst_of(s, v);
    return (v->state == STANDING_SYNCED && v->digest != DIGEST_DIFFERS && !(p && p->fork)) || !p;
}

/* The folded ones of a state in one row: the oldest success, and sums. */
static void folded_row(struct cli *cli, struct table *t, const struct standing *s,
                       enum standing_state state)
{
    struct standing_village sum = {.last_ok_ms = UINT64_MAX};
    size_t count = 0;
    for (size_t i = 0; i < s->village_count; i++) {
        const struct standing_village *v = &s->villages[i];
        if (!is_folded(s, v) || v->state != state) continue;
        count++;
        sum.got += v->got;
        sum.known += v->known;
        sum.open += v->open;
        sum.overdue += v->overdue;
        if (v->last_ok_ms < sum.last_ok_ms) sum.last_ok_ms = v->last_ok_ms;
    }
    if (count == 0) return;
    table_cellf(t, "%c", standing_sign(state));
    table_cellf(t, count < s->village_count ? _("the other %zu") : _("all %zu"), count);
    table_cell(t, slice_of_text(standing_words(state, true)));
    table_cell(t, slice_of_text(words_ago(cli, sum.last_ok_ms, s->now_ms)));
    count_cell(t, sum.got, state == STANDING_SYNCED, sum.known);
    table_cellf(t, "%" PRIu64, sum.open);
    table_cellf(t, "%" PRIu64, sum.overdue);
    table_cell(t, slice_of_text(state == STANDING_SYNCED ? _("(--all lists each)")
                                                         : _("no device has joined yet")));
}

static void title_line(struct cli *cli, const struct standing *s)
{
    char now[TIME_TEXT_SIZE];
    const char *counts = "";
    /* The healthy first, then by growing trouble, as one says it. */
    for (int i = STANDING_STATE_COUNT - 1; i >= 0; i--)
        if (s->counts[i])
            counts = cli_format(cli, _("%s %zu %s"), counts, s->counts[i],
                                standing_words((enum standing_state)i, true));
    time_format_clock(now, s->now_ms);
    output_line(cli, _("%s hub  %zu villages:%s  %s"), s->roster->township_name, s->village_count,
                counts, now);
    if (!s->node_running)
        output_line(cli, "! %s", _("the node is not running here: nobody can connect. sidan-node"));
}

static void next_line(struct cli *cli, const struct standing *s,
                      const struct standing_village *worst)
{
    uint64_t overdue = 0;
    for (size_t i = 0; i < s->village_count; i++) overdue += s->villages[i].overdue;
    const char *doctor =
        worst ? cli_format(cli, "sidan doctor --village %s", worst->village->short_name) : NULL;
    const char *late = overdue ? "sidan requests --overdue" : NULL;
    if (!doctor && !late) return;
    hint_line(cli, "%s: %s%s%s", _("next"), doctor ? doctor : "", doctor && late ? " · " : "",
              late ? late : "");
}

static int table_of(struct cli *cli, const struct standing *s, const struct village *only,
                    const struct standing_village **worst)
{
    struct table t;
    bool all = cli_has(cli, "--all") || only || cli->csv;
    table_begin(&t, cli, columns, COLUMNS);
    for (int i = 0; i < STANDING_STATE_COUNT; i++) {
        for (size_t k = 0; k < s->village_count; k++) {
            const struct standing_village *v = &s->villages[k];
            if ((int)v->state != i || (only && only != v->village)) continue;
            if (!*worst && !is_folded(s, v)) *worst = v;
            if (all || !is_folded(s, v)) village_row(cli, &t, s, v);
        }
        if (!all) folded_row(cli, &t, s, (enum standing_state)i);
    }
    return table_end(&t);
}

static void devices_of(struct cli *cli, const struct standing *s, const struct standing_village *v)
{
    for (size_t i = 0; i < v->peer_count; i++) {
        const struct standing_peer *p = &s->peers[v->peer_at + i];
        output_line(cli, "  %c %s  %s  %s %s", standing_sign(p->state), p->device->name,
                    standing_words(p->state, true), _("last success"),
                    words_ago(cli, p->last_ok_ms, s->now_ms));
        if (p->through)
            output_line(cli, _("    its newest records came by %s, %s"), p->through->name,
                        words_ago(cli, p->through_ms, s->now_ms));
    }
}

int status_hub(struct cli *cli, const struct standing *s, const struct village *only)
{
    const struct standing_village *worst = NULL;
    if (!cli->csv) title_line(cli, s);
    int code = table_of(cli, s, only, &worst);
    if (code || cli->csv) return code;
    month_lines(cli, &s->month, false);
    status_own_forks(cli, s);
    if (s->numbers_wait) output_line(cli, "! %s", _("no official number is given: sidan numbers"));
    if (s->numbers_after)
        output_line(cli, _("! numbers wait: %s has not said yet that it gives none any more"),
                    s->numbers_after->name);
    for (size_t i = 0; i < s->village_count; i++)
        if (only == s->villages[i].village) devices_of(cli, s, &s->villages[i]);
    next_line(cli, s, worst);
    return EXIT_OK;
}
