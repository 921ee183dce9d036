#include "tools/commands.h"
#include "tools/contact.h"
#include "tools/output.h"
#include "tools/sync_pipe.h"
#include "tools/sync_rehearsal.h"
#include "tools/sync_report.h"

#include "common/text.h"
#include "node/store/local.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TIMEOUT_DEFAULT_MS = 60000, POLL_MS = 100 };

static const char *shown_address(const char *address)
{
    static const char usual[] = "tcp://";
    size_t size = sizeof usual - 1;
    return strncmp(address, usual, size) == 0 ? address + size : address;
}

static int fail(struct cli *cli, enum err e, const char *address, const char *text)
{
    const char *why = text != NULL && text[0] != '\0' ? _(text) : cli_err_text(e);
    bool by_node = home_node_running(cli->home);
    if (e == ERR_TIMEOUT) {
        return cli_error(cli, EXIT_TIMED_OUT, _("not everything was exchanged in time"),
                         _("the link is slow; what was confirmed stays"),
                         _("sidan sync --timeout 10m, or leave it to sidan-node"));
    }
    if (e == ERR_FORBIDDEN) {
        return cli_error(cli, EXIT_REFUSED, _("the hub does not let this device in"), why,
                         _("ask the township whether it was revoked"));
    }
    if (e == ERR_UNREACHABLE) {
        return cli_error(cli, EXIT_UNREACHABLE,
                         cli_format(cli, _("the hub at %s was not reached; all records are safe"),
                                    shown_address(address)),
                         why,
                         by_node ? _("try later; sidan-node tries by itself")
                                 : _("try later, or start sidan-node: it tries by itself"));
    }
    return cli_fail(cli, e, _("the exchange failed; all records are safe"));
}

/* Whatever brings events of the roster brings its new key. */
static int fail_barred(struct cli *cli, const char *address)
{
    return cli_error(
        cli, EXIT_UNREACHABLE,
        cli_format(cli, _("the hub at %s was not reached; all records are safe"),
                   shown_address(address)),
        _("something answers there, and not by a key of the hub that is known here"),
        _("look at the address: sidan config get hub; if it is right the hub changed its key: take"
          " a sidan bundle export there on a stick, and import here what its bundle import --reply"
          " writes"));
}

/* --- a running node is told to --- */

static enum err ask(struct cli *cli)
{
    struct txn *t;
    uint8_t token[8];
    crypto_random(token, sizeof token);
    enum err e = txn_begin(cli->store, true, &t);
    if (e != OK) {
        return e;
    }
    ask_put(t, "sync", slice_of(token, sizeof token));
    return txn_commit(t);
}

/* The row of the hub that was spoken with last, as the node keeps it. */
static void newest_row(struct txn *t, const struct contact_target *target, struct peer_row *out)
{
    *out = (struct peer_row){0};
    for (size_t i = 0; i < target->plan.count; i++) {
        struct peer_row row;
        if (!peer_get(t, &target->plan.places[i].device, &row)) {
            continue;
        }
        if (row.last_ok_ms > out->last_ok_ms ||
            (out->last_ok_ms == 0 && row.last_attempt_ms > out->last_attempt_ms)) {
            struct peer_row other = *out;
            *out = row;
            row = other;
        }
        peer_row_clear(&row);
    }
}

/* What the node keeps, and whether the ask still stands. */
static enum err look(struct cli *cli, const struct contact_target *target, struct peer_row *row,
                     bool *asked, uint64_t *events)
{
    struct txn *t;
    struct slice value;
    const struct roster *roster;
    struct visible visible = {0};
    enum err e = txn_begin(cli->store, false, &t);
    if (e != OK) {
        return e;
    }
    *asked = ask_get(t, "sync", &value);
    e = views_roster(cli->views, t, &roster);
    if (e == OK) {
        e = visible_begin(&visible, t, roster);
    }
    *events = visible.events;
    visible_end(&visible);
    newest_row(t, target, row);
    e = e != OK ? e : txn_error(t);
    txn_abort(t);
    return e;
}

/* How many of this device's own events the hub is known to hold. */
static uint64_t arrived(struct cli *cli, const struct peer_row *row)
{
    struct txn *t;
    struct feed_row feed;
    const struct roster *roster;
    const struct device *self = NULL;
    uint64_t sum = 0;
    if (txn_begin(cli->store, false, &t) != OK) {
        return 0;
    }
    if (views_roster(cli->views, t, &roster) == OK) {
        self = roster_device(roster, &cli->keys.signer.key);
    }
    for (size_t i = 0; i < row->have_count; i++) {
        bool first = i == 0 || memcmp(row->have[i].feed8, row->have[i - 1].feed8, 8) != 0;
        if (first && feed_find_id8(t, row->have[i].feed8, &feed) == OK && self != NULL &&
            roster_has_key(roster, self, &feed.feed.author) && visible_by(self, &feed.feed.scope)) {
            sum += row->have[i].seq;
        }
    }
    txn_abort(t);
    return sum;
}

/* What was exchanged with each hub before the node was told to. */
struct before {
    struct sign_key device;
    uint64_t bytes, arrived, last_ok_ms;
};

static void look_before(struct cli *cli, const struct contact_target *target,
                        struct before before[DIAL_PLACES_MAX])
{
    struct txn *t;
    for (size_t i = 0; i < target->plan.count; i++) {
        struct peer_row row;
        before[i] = (struct before){.device = target->plan.places[i].device};
        if (txn_begin(cli->store, false, &t) != OK) {
            continue;
        }
        bool known = peer_get(t, &before[i].device, &row);
        txn_abort(t);
        if (!known) {
            continue;
        }
        before[i].bytes = row.bytes_sent + row.bytes_received;
        before[i].last_ok_ms = row.last_ok_ms;
        before[i].arrived = arrived(cli, &row);
        peer_row_clear(&row);
    }
}

/* True: it went well. */
static bool compare(struct cli *cli, const struct contact_target *target,
                    const struct before before[DIAL_PLACES_MAX], const struct peer_row *now,
                    struct sync_outcome *out)
{
    for (size_t i = 0; i < target->plan.count; i++) {
        if (!sign_key_equal(&before[i].device, &now->device)) {
            continue;
        }
        out->sent = arrived(cli, now) - before[i].arrived;
        out->bytes = now->bytes_sent + now->bytes_received - before[i].bytes;
        return now->last_ok_ms > before[i].last_ok_ms;
    }
    return false;
}

static int sync_by_node(struct cli *cli, const struct contact_target *target, uint64_t timeout_ms)
{
    struct peer_row now = {0};
    struct before before[DIAL_PLACES_MAX];
    struct sync_outcome outcome = {0};
    uint64_t events_before = 0, events = 0, started_ms = clock_monotonic_ms();
    bool asked = true, done = false;
    look_before(cli, target, before);
    enum err e = look(cli, target, &now, &asked, &events_before);
    if (e == OK) {
        e = ask(cli);
    }
    output_note(cli, _("sidan-node was told to exchange with %s now ..."),
                shown_address(target->plan.places[0].address));
    for (asked = true; e == OK && !done && clock_monotonic_ms() - started_ms < timeout_ms;) {
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
        peer_row_clear(&now);
        e = look(cli, target, &now, &asked, &events);
        done = !asked;
    }
    if (e != OK) {
        return fail(cli, e, target->plan.places[0].address, NULL);
    }
    outcome.ms = clock_monotonic_ms() - started_ms;
    outcome.received = events - events_before;
    bool good = compare(cli, target, before, &now, &outcome) && done;
    enum err why = now.last_error;
    peer_row_clear(&now);
    if (good) {
        return sync_report(cli, &outcome);
    }
    if (why == OK) {
        why = ERR_UNREACHABLE;
    }
    return fail(cli, done ? why : ERR_TIMEOUT, target->plan.places[0].address,
                why == ERR_UNREACHABLE ? N_("sidan-node tried just now and got no answer") : NULL);
}

/* --- no node: the session runs here --- */

static const char *calling_words(struct cli *cli, const char *address)
{
    return cli_format(cli, _("calling %s ... "), shown_address(address));
}

static void say_calling(struct contact *c, const char *address)
{
    if (c->text[0] != '\0' && !c->cli->json) { /* the address before */
        output_line(c->cli, "%s", _("failed"));
    }
    if (!c->cli->json && !c->cli->quiet) {
        fputs(calling_words(c->cli, address), stdout);
        fflush(stdout);
    }
}

static void say_live(struct contact *c)
{
    if (!c->cli->json && !c->cli->quiet) {
        fputs(_("good; "), stdout);
        fflush(stdout);
    }
}

static void remember_failure(struct cli *cli, const struct sign_key *hub, enum err why)
{
    struct txn *t;
    struct peer_row row;
    struct clock_reading clock;
    if (txn_begin(cli->store, true, &t) != OK) {
        return;
    }
    if (!peer_get(t, hub, &row)) {
        row = (struct peer_row){.device = *hub};
    }
    clock_read(t, &clock);
    row.last_attempt_ms = clock.wall_ms;
    row.last_error = why;
    row.failures++;
    row.state = PEER_OFFLINE;
    peer_put(t, &row);
    peer_row_clear(&row);
    if (txn_commit(t) != OK) {
        output_note(cli, _("the failed attempt was not noted"));
    }
}

static int sync_here(struct cli *cli, const struct contact_target *target, uint64_t timeout_ms)
{
    struct contact contact;
    struct contact_done done;
    const struct contact_words words = {.calling = say_calling, .live = say_live};
    int code = contact_begin(&contact, cli, timeout_ms);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = contact_sync(&contact, target, &words, &done);
    contact_end(&contact);
    if (e != OK) {
        if (!cli->json) {
            output_line(cli, "%s", _("failed"));
        }
        remember_failure(cli, &done.place->device, e);
        return e == ERR_UNREACHABLE && contact.barred
                   ? fail_barred(cli, done.place->address)
                   : fail(cli, e, done.place->address, contact.text);
    }
    if (clock_learn_from(cli->store, &done.place->device) != OK) {
        output_note(cli, "%s", _("the hub's time was not kept"));
    }
    struct sync_outcome outcome = {
        .sent = done.sent,
        .unsent = done.unsent,
        .received = done.received,
        .bytes = done.bytes,
        .ms = clock_monotonic_ms() - contact.started_ms,
        .column = text_width(slice_of_text(calling_words(cli, done.place->address))) +
                  text_width(slice_of_text(_("good; "))),
    };
    return sync_report(cli, &outcome);
}

int cmd_sync(struct cli *cli)
{
    struct contact_target target;
    if (cli_has(cli, "--stdio") || cli_has(cli, "--exec")) {
        return sync_pipe(cli);
    }
    if (cli_has(cli, "--to")) {
        return cli_error(cli, EXIT_USAGE, _("no exchange was begun"),
                         _("--to names whom to call over a pipe"),
                         _("add --exec COMMAND or --stdio, or leave it out"));
    }
    uint64_t timeout_ms = cli_timeout_ms(cli, TIMEOUT_DEFAULT_MS);
    bool dry = cli_has(cli, "--dry-run");
    int code = cli_open_keys(cli);
    if (code == EXIT_OK) {
        code = dry ? cli_open_store(cli) : cli_open_store_writable(cli);
    }
    if (code == EXIT_OK) {
        code = cli_open_views(cli);
    }
    if (code == EXIT_OK) {
        code = contact_target(cli, &target);
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (dry) {
        return sync_rehearsal(cli, &target);
    }
    if (!home_node_running(cli->home)) {
        return sync_here(cli, &target, timeout_ms);
    }
    if (cli_has(cli, "--hub")) {
        return cli_error(cli, EXIT_REFUSED, _("--hub cannot be used now"),
                         _("sidan-node runs here and calls the configured hub"),
                         _("sidan config set hub ADDRESS, or stop sidan-node first"));
    }
    return sync_by_node(cli, &target, timeout_ms);
}
