#include "tools/sync_pipe.h"

#include "common/text.h"
#include "node/clock.h"
#include "tools/output.h"
#include "tools/pipe_session.h"
#include "tools/sync_report.h"

#include <stdio.h>

enum { TIMEOUT_DEFAULT_MS = 60000 };

struct pipe_sync {
    struct cli *cli;
    struct pipe_line line;
    struct pipe_peers peers;
    struct pipe_session_done done;
    bool calling;
    uint64_t limit_ms;
    const char *command; /* NULL: standard input and output */
};

/* --- before --- */

static int check_flags(struct cli *cli)
{
    const char *what = _("no exchange was begun");
    const char *const others[] = {"--hub", "--dry-run"};
    if (cli_has(cli, "--stdio") && cli_has(cli, "--exec"))
        return cli_error(cli, EXIT_USAGE, what, _("--stdio and --exec are two ways; one is needed"),
                         _("sidan sync --exec \"ssh HUB sidan sync --stdio\""));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (cli_has(cli, others[i]))
            return cli_error(cli, EXIT_USAGE, what,
                             cli_format(cli, _("%s is of no use over a pipe"), others[i]),
                             _("leave it out"));
    return EXIT_OK;
}

static int open_home(struct cli *cli)
{
    int code = cli_open_keys(cli);
    if (!code) code = cli_open_store_writable(cli);
    return code ? code : cli_open_views(cli);
}

static int open_line(struct pipe_sync *s)
{
    if (s->command) return pipe_line_exec(&s->line, s->cli, s->command);
    return pipe_line_stdio(&s->line, s->cli);
}

/* --- steps --- */

static const char *calling_words(struct cli *cli, const char *name)
{
    return cli_format(cli, _("calling %s ... "), name);
}

static void say_calling(const struct pipe_sync *s)
{
    if (s->cli->json || s->cli->quiet || !s->calling) return;
    fputs(calling_words(s->cli, s->peers.name), stdout);
    fflush(stdout);
}

static void say_met(struct cli *cli)
{
    if (cli->json || cli->quiet) return;
    fputs(_("good; "), stdout);
    fflush(stdout);
}

/* --- afterwards --- */

static const char *line_why(struct pipe_sync *s)
{
    const char *failed = s->command ? pipe_line_command_failed(&s->line, s->cli) : NULL;
    if (failed) return failed;
    return s->done.text[0] ? _(s->done.text) : _("no answer came");
}

static int fail_refused(struct pipe_sync *s)
{
    struct cli *cli = s->cli;
    if (s->done.met)
        return cli_error(cli, EXIT_REFUSED, _("the exchange was refused; all records are safe"),
                         s->done.text[0] ? _(s->done.text) : NULL, _("sidan doctor"));
    if (s->done.denied)
        return cli_error(cli, EXIT_REFUSED, _("the other end does not let this device in"),
                         _("its roster does not have this device, or says that it was revoked"),
                         _("ask the township whether it was revoked"));
    return cli_error(cli, EXIT_REFUSED,
                     cli_format(cli, _("%s is not at the other end"), s->peers.name),
                     _("another device or another township answers there"),
                     _("look at the command and its --home; --to NODE calls another"));
}

/* Where nobody was met. */
static int fail_alone(struct pipe_sync *s, enum err err)
{
    struct cli *cli = s->cli;
    if (s->calling)
        return cli_error(
            cli, EXIT_UNREACHABLE,
            cli_format(cli, _("%s did not answer; all records are safe"), s->peers.name),
            line_why(s), _("is sidan sync --stdio running at the other end?"));
    if (s->done.denied)
        return cli_error(cli, EXIT_REFUSED, _("who called was not let in"),
                         _("the roster here does not have that device, or it was revoked"),
                         _("sidan devices lists those that have joined"));
    if (s->done.for_others)
        return cli_error(cli, EXIT_REFUSED, _("the call was not for this device"),
                         _("it was for another device or another township"),
                         _("look at --home here, and at --to where it was called from"));
    if (err == ERR_TIMEOUT)
        return cli_error(
            cli, EXIT_TIMED_OUT, _("nobody called"),
            cli_format(cli, _("nothing came for %u seconds"), (unsigned)(s->limit_ms / 1000)),
            _("sidan sync --exec or --stdio --to at the other end"));
    return cli_error(cli, EXIT_UNREACHABLE, _("nobody called; all records are safe"),
                     _("the other end closed the line"), NULL);
}

static int fail(struct pipe_sync *s, enum err err)
{
    struct cli *cli = s->cli;
    if (err == ERR_FORBIDDEN) return fail_refused(s);
    bool line = err == ERR_UNREACHABLE || err == ERR_TIMEOUT;
    if (line && !s->done.met) return fail_alone(s, err);
    if (err == ERR_TIMEOUT)
        return cli_error(cli, EXIT_TIMED_OUT, _("not everything was exchanged in time"),
                         _("the link is slow; what was confirmed stays"),
                         _("the same again goes on from there; --timeout 10m gives it longer"));
    if (err == ERR_UNREACHABLE)
        return cli_error(cli, EXIT_UNREACHABLE, _("not everything was exchanged"), line_why(s),
                         _("the same again goes on from there"));
    return cli_fail(cli, err, _("the exchange failed; all records are safe"));
}

/* As after any contact with the township; where no node runs, nobody else makes the rows. */
static void finish(struct pipe_sync *s)
{
    struct cli *cli = s->cli;
    const struct roster *roster;
    struct txn *t;
    bool learn = false;
    if (s->done.met && txn_begin(cli->store, false, &t) == OK) {
        const struct device *self = NULL, *peer = NULL;
        if (views_roster(cli->views, t, &roster) == OK) {
            self = roster_device(roster, &store_identity(cli->store)->device);
            peer = roster_device(roster, &s->done.peer);
        }
        learn = self && peer && !device_is_township(self) && device_is_hub(peer);
        txn_abort(t);
    }
    if (learn && clock_learn_from(cli->store, &s->done.peer))
        output_note(cli, "%s", _("the hub's time was not kept"));
    if (!home_node_running(cli->home) && cli_finish_rows(cli))
        output_note(cli, "%s", _("the lists are made up at the next start"));
}

static int tell(struct pipe_sync *s, enum err err)
{
    struct cli *cli = s->cli;
    bool steps = s->calling && !cli->json && !cli->quiet;
    if (err) {
        if (steps) output_line(cli, "%s", _("failed"));
        return fail(s, err);
    }
    const char *said =
        cli_format(cli, "%s%s", s->calling ? calling_words(cli, s->peers.name) : "", _("good; "));
    const struct sync_outcome outcome = {.sent = s->done.sent,
                                         .unsent = s->done.unsent,
                                         .received = s->done.received,
                                         .bytes = s->done.bytes,
                                         .ms = s->done.ms,
                                         .column = text_width(slice_of_text(said))};
    const char *failed = s->command ? pipe_line_command_failed(&s->line, cli) : NULL;
    int code = sync_report(cli, &outcome);
    if (failed) output_note(cli, _("everything was exchanged; %s"), failed);
    return code;
}

static int run(struct pipe_sync *s)
{
    const struct pipe_session_options options = {.line = &s->line,
                                                 .peers = &s->peers,
                                                 .calling = s->calling,
                                                 .limit_ms = s->limit_ms,
                                                 .met = say_met};
    int code = open_home(s->cli);
    if (!code && s->calling)
        code = pipe_peers_to_call(s->cli, &s->peers);
    else if (!code)
        pipe_peers_to_answer(s->cli, &s->peers);
    if (!code && s->command) code = open_line(s);
    if (code) return code;
    say_calling(s);
    enum err err = pipe_session_run(s->cli, &options, &s->done);
    finish(s);
    pipe_line_close(&s->line);
    return tell(s, err);
}

int sync_pipe(struct cli *cli)
{
    struct pipe_sync s = {.cli = cli,
                          .line = {.in = -1, .out = -1},
                          .command = cli_flag(cli, "--exec"),
                          .limit_ms = cli_timeout_ms(cli, TIMEOUT_DEFAULT_MS)};
    s.calling = s.command || cli_has(cli, "--to");
    int code = check_flags(cli);
    /* The line first: what anybody prints from here on is not to get among the frames. */
    if (!code && !s.command) code = open_line(&s);
    if (!code) code = run(&s);
    pipe_line_close(&s.line);
    crypto_wipe(&s.peers, sizeof s.peers);
    return code;
}
