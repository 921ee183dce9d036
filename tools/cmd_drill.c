/* `sidan drill lost-laptop VILLAGE` */
#include "tools/commands.h"
#include "tools/drill.h"
#include "tools/hint.h"
#include "tools/output.h"
#include "tools/words.h"

#include "node/rehearsal.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#define TIMEOUT_DEFAULT_MS (30 * 60 * 1000)
#define ROUND_TRIPS 12 /* two cold connections, the join's answer, the session; measured */

/* --- how long it would take there --- */

static uint64_t span_there_ms(const struct drill_seen *seen)
{
    uint64_t bytes = seen->bytes_up + seen->bytes_down;
    return bytes * 8000 / seen->rate_bps + ROUND_TRIPS * seen->rtt_ms;
}

/* --- report --- */

static json_t *count_of(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static int print_json(const struct drill_seen *seen)
{
    json_t *o = output_json("sidan.drill/1"), *scopes = json_array(), *missing = json_object();
    json_object_set_new(o, "ok", json_boolean(seen->whole));
    json_object_set_new(o, "village", json_string(seen->code));
    json_object_set_new(o, "name", json_string(seen->village));
    json_object_set_new(o, "events", count_of(seen->events));
    json_object_set_new(o, "bytes", count_of(seen->bytes_up + seen->bytes_down));
    json_object_set_new(o, "bytes_up", count_of(seen->bytes_up));
    json_object_set_new(o, "bytes_down", count_of(seen->bytes_down));
    json_object_set_new(o, "seconds", json_real((double)seen->ms / 1000));
    json_object_set_new(o, "by", json_string(seen->by_bundle ? "bundle" : "link"));
    json_object_set_new(o, "minutes",
                        seen->by_bundle ? json_null()
                                        : json_real((double)span_there_ms(seen) / 60000));
    json_object_set_new(o, "measured", json_boolean(seen->measured));
    json_object_set_new(o, "rate_bps", count_of(seen->rate_bps));
    json_object_set_new(o, "rtt_ms", count_of(seen->rtt_ms));
    json_object_set_new(o, "rtt_measured", json_boolean(seen->rtt_measured));
    json_object_set_new(o, "problems", count_of(seen->problems));
    for (size_t i = 0; i < DRILL_SCOPES; i++) {
        const struct drill_scope *scope = &seen->scopes[i];
        json_t *s = json_object();
        json_object_set_new(s, "scope", json_string(scope->name));
        json_object_set_new(s, "events", count_of(scope->events));
        json_object_set_new(
            s, "events_digest",
            output_json_hex(scope->events_digest.bytes, sizeof scope->events_digest.bytes));
        json_object_set_new(
            s, "views_digest",
            output_json_hex(scope->views_digest.bytes, sizeof scope->views_digest.bytes));
        json_object_set_new(s, "same", json_boolean(scope->same));
        json_array_append_new(scopes, s);
    }
    json_object_set_new(o, "scopes", scopes);
    json_object_set_new(missing, "events", count_of(seen->missing));
    json_object_set_new(missing, "sure", json_boolean(seen->missing_sure));
    json_object_set_new(missing, "since", output_json_time(seen->last_ok_ms));
    json_object_set_new(o, "missing", missing);
    return output_json_end(o);
}

static void print_missing(struct cli *cli, const struct drill_seen *seen)
{
    if (seen->missing)
        output_line(cli,
                    _("! %" PRIu64 " records would be missing: the hub knows of them and"
                      " does not hold them"),
                    seen->missing);
    if (seen->missing_sure && !seen->missing)
        output_line(cli, _("nothing would be missing: the laptop is connected, and all of it is"
                           " here"));
    else if (!seen->last_ok_ms)
        output_line(cli, _("no device of this village was ever here: nothing of it is at the hub"));
    else if (!seen->missing_sure)
        output_line(cli, _("missing besides: what the laptop recorded since its last contact, %s"),
                    words_ago(cli, seen->last_ok_ms, clock_machine_ms()));
    output_line(cli, _("not in any record, to be set again: who acts there by default, and its"
                       " configuration"));
}

static void print_span(struct cli *cli, const struct drill_seen *seen)
{
    const char *span = words_span(cli, span_there_ms(seen) + 999);
    if (seen->measured && seen->rtt_measured)
        output_line(cli, _("  about %s at the speed last measured (%s, round trip %s)"), span,
                    words_rate(cli, seen->rate_bps), words_round_trip(cli, seen->rtt_ms));
    else if (seen->measured)
        output_line(cli,
                    _("  about %s at the speed last measured (%s; the round trip, %s, is a guess)"),
                    span, words_rate(cli, seen->rate_bps), words_round_trip(cli, seen->rtt_ms));
    else
        output_line(cli, _("  about %s at %s, a guess: the speed of its link was never measured"),
                    span, words_rate(cli, seen->rate_bps));
}

/* What brings it back, and how much that is. */
static void print_way(struct cli *cli, const struct drill_seen *seen)
{
    const double kb = (double)(seen->bytes_up + seen->bytes_down) / 1000;
    if (seen->by_bundle)
        output_line(cli,
                    _("an invite, a bare machine, an answer and a bundle on a stick bring back"
                      " %" PRIu64 " records: %.1f KB"),
                    seen->events, kb);
    else
        output_line(
            cli,
            _("an invite, a bare machine and one contact bring back %" PRIu64 " records: %.1f KB"),
            seen->events, kb);
    output_line(cli, _("  %.1f s here"), (double)seen->ms / 1000);
    if (!seen->by_bundle) print_span(cli, seen);
}

static int print(struct cli *cli, const struct drill_seen *seen)
{
    output_line(cli, _("if the laptop of %s were lost now:"), seen->village);
    print_way(cli, seen);
    if (seen->whole)
        output_line(cli, _("every record verifies, and all lists are equal to the hub's"));
    else
        output_line(cli, _("! what came back is NOT what the hub has"));
    print_missing(cli, seen);
    output_line(cli, _("nothing of this drill is left: not in the roster, not on the disk"));
    hint_line(cli, _("next, when it happens: sidan revoke DEVICE, then sidan invite %s"),
              seen->short_name);
    return EXIT_OK;
}

/* --- the parts --- */

static int run_part(struct drill *d, int (*part)(void *state), size_t other)
{
    size_t number;
    int code = EXIT_FAILED;
    enum err err = scratch_start(&d->scratch, &number, part, d);
    if (!err) err = scratch_wait(&d->scratch, number, other, d->until_ms, &code);
    if (err == ERR_STATE)
        return cli_error(d->cli, EXIT_FAILED, _("the drill was stopped"), NULL,
                         _("run it again; nothing of it is left"));
    return err ? cli_fail(d->cli, err, _("the drill came to no end")) : code;
}

static int run_parts(struct drill *d)
{
    size_t hub;
    output_note(d->cli, _("copying the hub's store, inviting ..."));
    int code = run_part(d, drill_prepare, SIZE_MAX);
    if (code) return code;
    output_note(d->cli, _("a bare machine joins, fetches, compares ..."));
    if (d->seen->by_bundle) return run_part(d, drill_by_bundle, SIZE_MAX);
    enum err err = scratch_start(&d->scratch, &hub, drill_serve, d);
    if (err) return cli_fail(d->cli, err, _("the copy of the hub cannot be reached"));
    close(d->ready[1]); /* so that its end is seen */
    d->ready[1] = -1;
    return run_part(d, drill_restore, hub);
}

static int begin_failed(struct cli *cli, enum err err)
{
    if (err == ERR_BUSY)
        return cli_error(cli, EXIT_TIMED_OUT, _("no drill now"),
                         _("another one is under way in this folder"), _("wait until it is done"));
    return cli_fail(cli, err, _("no folder for the drill can be made"));
}

static int drill(struct drill *d)
{
    struct drill_seen *seen =
        mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED) return cli_fail(d->cli, ERR_NOMEM, _("no drill now"));
    d->seen = seen;
    seen->by_bundle = cli_has(d->cli, "--stick");
    int code = pipe(d->ready) ? cli_fail(d->cli, ERR_IO, _("no drill now")) : EXIT_OK;
    enum err err = code ? OK : scratch_begin(&d->scratch, d->cli->home, DRILL_FOLDER);
    if (err) code = begin_failed(d->cli, err);
    if (!code) {
        code = run_parts(d);
        if (!scratch_end(&d->scratch))
            code = cli_error(d->cli, EXIT_FAILED,
                             cli_format(d->cli, _("%s is left over"), d->scratch.path),
                             _("residents' records are in it"), _("delete it"));
    }
    if (!code) code = d->cli->json ? print_json(seen) : print(d->cli, seen);
    if (!code && !seen->whole) code = EXIT_VERIFY_FAILED;
    for (int i = 0; i < 2; i++)
        if (d->ready[i] >= 0) close(d->ready[i]);
    munmap(seen, sizeof *seen);
    return code;
}

int cmd_drill(struct cli *cli)
{
    struct drill d = {.cli = cli,
                      .ready = {-1, -1},
                      .until_ms = clock_monotonic_ms() + cli_timeout_ms(cli, TIMEOUT_DEFAULT_MS)};
    int code = cli_open_keys(cli);
    return code ? code : drill(&d);
}
