#include "tools/status.h"

#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "node/views/request.h"
#include "tools/words.h"

#include <inttypes.h>
#include <string.h>

static const char *own_name(const struct standing *s)
{
    return s->self->village[0] ? lookup_village_name(s->roster, s->self->village) : s->self->name;
}

static void first_line(struct cli *cli, const struct standing *s)
{
    const char *state = standing_words(s->state, false);
    if (s->last_ok_ms == 0)
        output_line(cli, _("%c %s  %s, no success yet"), standing_sign(s->state), own_name(s),
                    state);
    else
        output_line(cli, _("%c %s  %s, last success %s (%s)"), standing_sign(s->state), own_name(s),
                    state, words_moment(cli, s->last_ok_ms, s->now_ms),
                    words_ago(cli, s->last_ok_ms, s->now_ms));
}

static void records_line(struct cli *cli, const struct standing *s)
{
    bool whole = s->checked && s->damage.count == 0;
    const char *held = whole ? cli_format(cli, _("  %" PRIu64 " records here, whole"), s->events)
                             : cli_format(cli, _("  %" PRIu64 " records here"), s->events);
    if (s->unsent)
        output_line(cli, _("%s. %" PRIu64 " still to be sent, stored safely"), held, s->unsent);
    else
        output_line(cli, _("%s, all have arrived at the township"), held);
    if (s->damage.count)
        output_line(cli, _("! %zu records are damaged: sidan doctor"), s->damage.count);
    if (s->behind) output_line(cli, _("  %" PRIu64 " still to be received"), s->behind);
}

void status_own_forks(struct cli *cli, const struct standing *s)
{
    for (size_t i = 0; i < s->forks.count; i++)
        if (s->forks.all[i].device == s->self && fork_is_news(&s->forks.all[i], s->now_ms))
            output_line(cli, "! %s", fork_words(cli, &s->forks.all[i]));
}

static int requests_line(struct cli *cli, struct txn *txn, const struct standing *s)
{
    if (!s->self->village[0]) return EXIT_OK;
    struct scope scope = scope_of_village(s->self->village);
    struct scope_row row;
    uint64_t open = 0, overdue = 0;
    if (!scope_find(txn, &scope, &row)) return EXIT_OK;
    enum err e = requests_count_open(txn, row.number, s->now_ms, &open, &overdue);
    if (e) return cli_fail(cli, e, _("the requests cannot be counted"));
    output_line(cli, _("  %" PRIu64 " requests open, %" PRIu64 " of them overdue"), open, overdue);
    return EXIT_OK;
}

static void attempt_line(struct cli *cli, const struct standing *s)
{
    const struct standing_peer *up = standing_upstream(s);
    if (!s->node_running)
        output_line(cli, "  %s", _("the node is not running: nothing is sent by itself"));
    if (up && up->last_error && up->next_attempt_ms)
        output_line(cli, _("  next attempt in %s (%" PRIu32 " failed: %s)"),
                    words_span(cli, up->next_attempt_ms - s->now_ms), up->failures,
                    words_contact(up->last_error));
    else if (up && up->last_error && up->last_attempt_ms > up->last_ok_ms)
        output_line(cli, _("  last attempt %s (%s; %" PRIu32 " times)"),
                    words_moment(cli, up->last_attempt_ms, s->now_ms),
                    words_contact(up->last_error), up->failures);
}

/* What lies at a neighbour has not arrived at the township, and is told in other words. */
static void met_line(struct cli *cli, const struct standing *s, const struct standing_peer *p)
{
    bool same = strcmp(p->device->village, s->self->village) == 0;
    const char *who = cli_format(cli, "%s %s", lookup_village_name(s->roster, p->device->village),
                                 p->device->name);
    if (!p->current)
        output_line(cli, _("  neighbour %s: last met %s"), who,
                    words_moment(cli, p->last_ok_ms, s->now_ms));
    else if (p->theirs_missing || p->ours_missing)
        output_line(cli, _("  neighbour %s: connected, %" PRIu64 " go there, %" PRIu64 " come"),
                    who, p->theirs_missing, p->ours_missing);
    else if (same)
        output_line(cli, _("  neighbour %s: connected, all records lie there as well"), who);
    else
        output_line(cli, _("  neighbour %s: connected, news of the town are exchanged"), who);
}

static void neighbour_lines(struct cli *cli, const struct standing *s)
{
    for (size_t i = 0; i < s->peer_count; i++)
        if (s->peers[i].neighbour && (s->peers[i].current || s->peers[i].last_ok_ms))
            met_line(cli, s, &s->peers[i]);
    for (size_t i = 0; i < s->neighbour_count; i++) {
        const struct standing_neighbour *n = &s->neighbours[i];
        if (n->row.last_ok_ms || !n->row.last_attempt_ms) continue;
        output_line(cli, _("  neighbour at %s: not reached yet (%s)"), n->given->address,
                    n->row.last_error == ERR_NOT_FOUND
                        ? _("the roster has nobody of that name")
                        : words_contact((enum err)n->row.last_error));
    }
}

static void next_line(struct cli *cli, const struct standing *s)
{
    if (s->state == STANDING_FAULT)
        hint_line(cli, "%s: sidan doctor", _("next"));
    else if (s->state == STANDING_OFFLINE || s->state == STANDING_NEVER)
        hint_line(cli, "%s: sidan sync · %s: sidan bundle export", _("next"),
                  _("without a network"));
    else if (!s->node_running)
        hint_line(cli, "%s: sidan sync · sidan doctor", _("next"));
}

int status_village(struct cli *cli, struct txn *txn, const struct standing *s)
{
    first_line(cli, s);
    records_line(cli, s);
    status_own_forks(cli, s);
    int code = cli->verbose ? requests_line(cli, txn, s) : EXIT_OK;
    if (code) return code;
    month_lines(cli, &s->month, cli->verbose > 0);
    attempt_line(cli, s);
    neighbour_lines(cli, s);
    next_line(cli, s);
    return EXIT_OK;
}
