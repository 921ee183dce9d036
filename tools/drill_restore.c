/* The drill's laptop: a bare folder that joins the copy of the hub and fetches what is its own. */
#include "tools/drill.h"

#include "node/link/meter.h"
#include "node/store/audit.h"
#include "node/store/local.h"
#include "tools/carried_text.h"
#include "tools/commands.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTACTS_MAX 3 /* until both ends are the same */

struct restoring {
    struct drill *drill;
    char home[PATH_MAX], invite[PATH_MAX];
    struct cli cli;
};

/* --- join, and one contact --- */

static int run_verb(struct restoring *r, int (*verb)(struct cli *cli), const char *argument,
                    const struct cli_flag *flags, size_t flag_count)
{
    const struct cli *cli = r->drill->cli;
    uint64_t now_ms = clock_monotonic_ms(), until_ms = r->drill->until_ms;
    cli_close(&r->cli);
    r->cli = (struct cli){.home = r->home,
                          .home_given = true,
                          .quiet = true,
                          .json = cli->json,
                          .no_input = cli->no_input,
                          .command = cli->command,
                          .has_timeout = true,
                          .timeout_ms = until_ms > now_ms ? until_ms - now_ms : 1,
                          .arguments = {argument},
                          .argument_count = argument ? 1 : 0,
                          .flag_count = flag_count};
    for (size_t i = 0; i < flag_count; i++) r->cli.flags[i] = flags[i];
    return drill_quietly(&r->cli, verb);
}

static int run_by_link(struct restoring *r, int (*verb)(struct cli *cli), const char *argument)
{
    static const struct flag hub = {.name = "--hub", .value = "ADDR"};
    return run_verb(r, verb, argument, &(struct cli_flag){&hub, r->drill->seen->address}, 1);
}

/* What the two connections carried: the join's handshake and frames are small beside it. */
static int count_bytes(struct restoring *r)
{
    struct drill_seen *seen = r->drill->seen;
    struct txn *t;
    struct sign_key at = {{0}};
    struct peer_row row = {0};
    int code = cli_begin(&r->cli, &t);
    if (code) return code;
    while (peer_next(t, &at, &row)) { /* the hub alone */
        seen->bytes_up = row.bytes_sent + METER_DIALLER_HANDSHAKE;
        seen->bytes_down = row.bytes_received + METER_LISTENER_HANDSHAKE;
        peer_row_clear(&row);
    }
    txn_abort(t);
    return code;
}

/* --- is it whole? --- */

static int digests(struct cli *cli, const char *code, struct drill_scope out[DRILL_SCOPES])
{
    const struct scope scopes[DRILL_SCOPES] = {scope_town(), scope_of_village(code)};
    struct txn *t;
    int exit_code = cli_begin(cli, &t);
    if (exit_code) return exit_code;
    enum err err = OK;
    for (size_t i = 0; !err && i < DRILL_SCOPES; i++) {
        struct views_digest views;
        struct scope_row row;
        memcpy(out[i].name, scopes[i].text, sizeof out[i].name);
        if (scope_find(t, &scopes[i], &row))
            err =
                audit_events_digest(cli->store, row.number, &out[i].events_digest, &out[i].events);
        if (!err) err = views_digest(t, &scopes[i], &views);
        if (!err) out[i].views_digest = views.digest;
    }
    txn_abort(t);
    return err ? cli_fail(cli, err, _("the digests could not be computed")) : EXIT_OK;
}

static int compare(struct restoring *r, bool *same)
{
    struct drill_seen *seen = r->drill->seen;
    struct drill_scope theirs[DRILL_SCOPES] = {0};
    struct cli hub = {.home = r->drill->cli->home,
                      .json = r->drill->cli->json,
                      .command = r->drill->cli->command};
    memset(seen->scopes, 0, sizeof seen->scopes);
    int code = drill_open_copy(r->drill, &hub, false);
    if (!code) code = digests(&hub, seen->code, theirs);
    cli_close(&hub);
    if (!code) code = digests(&r->cli, seen->code, seen->scopes);
    *same = true;
    seen->events = 0;
    for (size_t i = 0; i < DRILL_SCOPES; i++) {
        struct drill_scope *ours = &seen->scopes[i];
        ours->same =
            ours->events == theirs[i].events &&
            memcmp(&ours->events_digest, &theirs[i].events_digest, sizeof ours->events_digest) ==
                0 &&
            memcmp(&ours->views_digest, &theirs[i].views_digest, sizeof ours->views_digest) == 0;
        *same = *same && ours->same;
        seen->events += ours->events;
    }
    return code;
}

static int verify(struct restoring *r, uint64_t *problems)
{
    const struct audit_options options = {0};
    struct audit_result audit;
    uint64_t differing = 0;
    enum err err = audit_run(r->cli.store, &options, &audit);
    if (!err) err = views_compare(r->cli.views, r->cli.store, &differing, NULL, NULL);
    *problems = err ? 1 : audit.problems + differing;
    return err ? cli_fail(&r->cli, err, _("the records could not be checked")) : EXIT_OK;
}

static int restore(struct restoring *r)
{
    struct drill_seen *seen = r->drill->seen;
    bool same = false;
    uint64_t from_ms = clock_monotonic_ms();
    int code = run_by_link(r, cmd_join, r->invite);
    seen->ms = clock_monotonic_ms() - from_ms;
    if (!code) code = count_bytes(r);
    if (!code) code = compare(r, &same);
    for (int i = 1; !code && !same && i < CONTACTS_MAX; i++) {
        code = run_by_link(r, cmd_sync, NULL);
        if (!code) code = count_bytes(r);
        if (!code) code = compare(r, &same);
        seen->ms = clock_monotonic_ms() - from_ms;
    }
    if (!code) code = verify(r, &seen->problems);
    seen->whole = !code && same && !seen->problems;
    return code;
}

static bool paths_in(struct restoring *r)
{
    const char *path = r->drill->scratch.path;
    int sizes[] = {snprintf(r->home, sizeof r->home, "%s/laptop", path),
                   snprintf(r->invite, sizeof r->invite, "%s/invite", path)};
    return sizes[0] < PATH_MAX && sizes[1] < PATH_MAX;
}

int drill_restore(void *state)
{
    struct restoring r = {.drill = state};
    char byte;
    if (!paths_in(&r)) return EXIT_FAILED;
    if (read(r.drill->ready[0], &byte, 1) != 1) return EXIT_FAILED; /* it said why */
    int code = restore(&r);
    cli_close(&r.cli);
    return code;
}

/* --- without a link --- */

static const char *carried_file(struct restoring *r, const char *name)
{
    return cli_format(r->drill->cli, "%s/%s", r->drill->scratch.path, name);
}

/* Somebody compares them by telephone. */
static int words_of(struct restoring *r, const char *file, const char **out)
{
    struct cli *cli = r->drill->cli;
    const char *what = _("the request of the drill cannot be read");
    struct buf text = {0}, content = {0};
    struct frame_join join;
    uint8_t words[JOIN_WORDS];
    int code = carried_text_read(cli, file, &text);
    if (!code) code = carried_text_open(cli, &armour_request, what, buf_slice(&text), &content);
    if (!code && frame_join_read(&join, buf_slice(&content)))
        code = cli_fail(cli, ERR_MALFORMED, what);
    if (!code) code = carried_text_words(cli, join.request, words);
    if (!code) *out = carried_text_words_zh(cli, words);
    buf_clear(&text);
    buf_clear(&content);
    return code;
}

static int join_carried(struct restoring *r)
{
    static const struct flag offline = {.name = "--offline"}, o = {.name = "-o", .value = "FILE"},
                             words = {.name = "--words", .value = "WORDS"};
    const char *request = carried_file(r, "request"), *answer = carried_file(r, "answer");
    const char *six = NULL;
    const struct cli_flag asks[] = {{&offline, ""}, {&o, request}};
    int code = run_verb(r, cmd_join, r->invite, asks, 2);
    if (!code) code = words_of(r, request, &six);
    const struct cli_flag admits[] = {{&words, six}, {&o, answer}};
    if (!code) code = drill_on_copy(r->drill, cmd_admit, request, admits, 2);
    return code ? code : run_verb(r, cmd_join, answer, NULL, 0);
}

/* The village may have other devices: by its key. */
static int fetch_carried(struct restoring *r)
{
    static const struct flag to = {.name = "--to", .value = "WHOM"},
                             o = {.name = "-o", .value = "PATH"};
    const char *file = carried_file(r, "bundle.sidan");
    char device[65];
    int code = cli_open_store(&r->cli);
    if (code) return code;
    hex_encode(device, store_identity(r->cli.store)->device.bytes, 32);
    const struct cli_flag exports[] = {{&to, device}, {&o, file}};
    code = drill_on_copy(r->drill, cmd_bundle_export, NULL, exports, 2);
    return code ? code : run_verb(r, cmd_bundle_import, file, NULL, 0);
}

static void count_carried(struct restoring *r)
{
    static const char *const names[] = {"request", "answer", "bundle.sidan"};
    struct drill_seen *seen = r->drill->seen;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct stat st;
        if (stat(carried_file(r, names[i]), &st)) continue;
        *(i == 0 ? &seen->bytes_up : &seen->bytes_down) += (uint64_t)st.st_size;
    }
}

int drill_by_bundle(void *state)
{
    struct restoring r = {.drill = state};
    struct drill_seen *seen = r.drill->seen;
    bool same = false;
    uint64_t from_ms = clock_monotonic_ms();
    if (!paths_in(&r)) return EXIT_FAILED;
    int code = join_carried(&r);
    if (!code) code = fetch_carried(&r);
    seen->ms = clock_monotonic_ms() - from_ms;
    if (!code) count_carried(&r);
    if (!code) code = compare(&r, &same);
    if (!code) code = verify(&r, &seen->problems);
    seen->whole = !code && same && !seen->problems;
    cli_close(&r.cli);
    return code;
}
