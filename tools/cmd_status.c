#include "tools/commands.h"
#include "tools/couriers.h"
#include "tools/erasures.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WATCH_POLL_NS (200 * 1000 * 1000)
#define WATCH_REDRAW_MS 10000 /* "3 minutes ago" grows old */

static int choose_village(struct cli *cli, const struct standing *s, const struct village **only)
{
    const char *text = cli_argument(cli, 0);
    *only = NULL;
    if (!text) return EXIT_OK;
    int code = lookup_village(cli, s->roster, text, only);
    if (code || s->hub || strcmp((*only)->code, s->self->village) == 0) return code;
    return cli_error(cli, EXIT_NOT_FOUND,
                     cli_format(cli, _("this laptop does not know how %s stands"), (*only)->name),
                     _("only the hub hears of every village"), NULL);
}

/* A village where nobody has joined yet is no trouble. */
static bool needs_attention(const struct standing *s)
{
    for (size_t i = 0; i < s->village_count; i++) {
        const struct standing_village *v = &s->villages[i];
        if (v->digest == DIGEST_DIFFERS || (v->peer_count && v->state <= STANDING_NEVER))
            return true;
    }
    for (size_t i = 0; i < s->feed_count; i++)
        if (s->feeds[i].head_count > 1 &&
            !roster_is_authority(s->roster, &s->feeds[i].feed.author)) /* told apart */
            return true;
    return s->locked || s->state <= STANDING_NEVER || (s->hub && !s->node_running);
}

/* `sidan` alone begins with the list for today. */
static int show_laptop(struct cli *cli, struct txn *txn, const struct standing *s)
{
    bool today = cli->bare && !cli->csv && cli->flag_count == 0 && !s->locked;
    return today ? today_village(cli, txn, s) : status_village(cli, txn, s);
}

/* Above all else, for whoever signs for the township may change all else. */
static void show_alarms(struct cli *cli, const struct trust_alarm *alarms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        output_line(cli, "%s! %s%s", output_colour(cli, COLOUR_RED), alarms[i].what,
                    output_colour(cli, COLOUR_NONE));
        hint_line(cli, "   %s: %s", _("do"), alarms[i].todo);
    }
}

static void show_lock(struct cli *cli, const struct standing *s)
{
    if (!s->locked) return;
    output_line(cli, "%s# %s%s", output_colour(cli, COLOUR_YELLOW),
                _("locked: nothing is sent, received or recorded until the passphrase is typed"),
                output_colour(cli, COLOUR_NONE));
    output_line(cli, "   %s: %s", _("do"), "sidan unlock");
}

static int listed_json(struct cli *cli, struct txn *txn, const struct standing *s,
                       json_t **erasures, json_t **couriers)
{
    struct couriers c;
    int code = erasures_json(cli, txn, s->roster, erasures);
    if (!code) code = couriers_read(cli, txn, s->roster, &c);
    if (code) return code;
    *couriers = couriers_json(&c, s->hub);
    couriers_clear(&c);
    return EXIT_OK;
}

static int listed_lines(struct cli *cli, struct txn *txn, const struct standing *s,
                        const struct village *only)
{
    int code = s->hub ? erasures_lines(cli, txn, s->roster) : EXIT_OK;
    if (!code && s->hub) code = couriers_lines(cli, txn, s->roster, only ? only->code : NULL);
    return code ? code : couriers_carried_line(cli);
}

static int show(struct cli *cli, struct txn *txn, bool clear)
{
    struct standing s;
    const struct village *only;
    struct trust_alarm alarms[TRUST_ALARMS_MAX];
    size_t alarm_count = 0;
    int code = standing_read(cli, txn, &s);
    if (code) return code;
    code = choose_village(cli, &s, &only);
    if (!code) code = trust_alarms(cli, txn, alarms, &alarm_count);
    if (!code && clear) fputs("\033[H\033[2J", stdout);
    bool silent = cli->quiet && cli_has(cli, "--check"); /* only the exit code is asked for */
    if (!code && !cli->json && !silent) show_alarms(cli, alarms, alarm_count);
    json_t *erasures = NULL, *couriers = NULL;
    if (!code && cli->json) code = listed_json(cli, txn, &s, &erasures, &couriers);
    if (!code && !cli->json && !silent) show_lock(cli, &s);
    if (!code && cli->json)
        code = status_json(&s, only, alarms, alarm_count, erasures, couriers);
    else if (!code && !silent)
        code = s.hub ? status_hub(cli, &s, only) : show_laptop(cli, txn, &s);
    if (!code && !silent && !cli->json && !cli->csv) code = listed_lines(cli, txn, &s, only);
    if (!code && cli_has(cli, "--check") && (alarm_count || needs_attention(&s)))
        code = EXIT_ATTENTION;
    standing_clear(&s);
    return code;
}

static int show_once(struct cli *cli, bool clear)
{
    struct txn *txn;
    int code = cli_begin(cli, &txn);
    if (code) return code;
    code = show(cli, txn, clear);
    txn_abort(txn);
    return code;
}

/* Until --timeout, or for ever; the last look decides the exit code. */
static int watch(struct cli *cli)
{
    const struct timespec pause = {.tv_nsec = WATCH_POLL_NS};
    uint64_t started_ms = clock_monotonic_ms(), drawn_ms = 0, seen = 0;
    bool clear = !cli->json && output_is_terminal();
    int code = EXIT_OK;
    for (;;) {
        uint64_t now_ms = clock_monotonic_ms();
        bool changed = !cli->store || store_last_txn(cli->store) != seen;
        if (changed || now_ms - drawn_ms >= WATCH_REDRAW_MS) {
            if (cli->store) seen = store_last_txn(cli->store);
            code = show_once(cli, clear);
            if (code && code != EXIT_ATTENTION) return code;
            fflush(stdout);
            drawn_ms = now_ms;
        }
        if (cli->has_timeout && now_ms - started_ms >= cli->timeout_ms) return code;
        nanosleep(&pause, NULL);
    }
}

int cmd_status(struct cli *cli)
{
    return cli_has(cli, "--watch") ? watch(cli) : show_once(cli, false);
}
