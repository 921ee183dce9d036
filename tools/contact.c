#include "tools/contact.h"

#include "node/joining.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { WAIT_MAX_MS = 100, LOG_WARN_LEVEL = 1 };

int contact_begin(struct contact *c, struct cli *cli, uint64_t timeout_ms)
{
    *c = (struct contact){.cli = cli, .started_ms = clock_monotonic_ms()};
    c->deadline_ms = c->started_ms + timeout_ms;
    enum err e = zmq_link_context_open(&c->zmq);
    return e == OK ? EXIT_OK : cli_fail(cli, e, _("the network cannot be used"));
}

void contact_end(struct contact *c)
{
    zmq_link_context_close(c->zmq);
    c->zmq = NULL;
}

bool contact_is_over(const struct contact *c)
{
    return clock_monotonic_ms() >= c->deadline_ms;
}

static void keep_text(struct contact *c, const char *text)
{
    if (text[0] != '\0') {
        snprintf(c->text, sizeof c->text, "%s", text);
    }
}

/* Sleeps until the link has something to say, at most `max_ms`. */
static void wait_for(struct link *link, uint64_t max_ms)
{
    int wait_ms = zmq_link_wait_ms(link);
    if (wait_ms < 0 || (uint64_t)wait_ms > max_ms) {
        wait_ms = (int)max_ms;
    }
    struct pollfd p = {.fd = zmq_link_fd(link), .events = POLLIN};
    poll(&p, 1, wait_ms);
    zmq_link_tick(link, clock_monotonic_ms());
}

enum err contact_join(struct contact *c, const char *address, const struct invite *invite,
                      uint64_t until_ms, struct join_progress *progress)
{
    struct link *link;
    struct zmq_link_dial dial = {
        .address = address, .peer = invite->acceptor_transport, .secret = invite->transport};
    box_key_of_secret(&dial.key, &invite->transport);
    *progress = (struct join_progress){0};
    enum err e = zmq_link_dial(&link, c->zmq, &dial);
    crypto_wipe(&dial.secret, sizeof dial.secret);
    if (e != OK) {
        return e;
    }
    while (e == OK && progress->state == JOIN_WAITING) {
        e = join_turn(link, invite, &c->cli->keys, clock_machine_ms(), progress);
        if (e != OK || progress->state != JOIN_WAITING) {
            break;
        }
        if (clock_monotonic_ms() >= until_ms) {
            e = ERR_TIMEOUT;
        } else {
            wait_for(link, WAIT_MAX_MS);
        }
    }
    keep_text(c, progress->text);
    link->ops->close(link);
    return e;
}

static struct zmq_link_dial dial_by_device(struct contact *c, const struct contact_hub *hub)
{
    return (struct zmq_link_dial){.address = hub->address,
                                  .peer = hub->key,
                                  .key = c->cli->keys.transport,
                                  .secret = c->cli->keys.transport_secret};
}

enum err contact_probe(struct contact *c, const struct contact_hub *hub, uint64_t until_ms)
{
    struct link *link;
    struct link_event event = {.type = LINK_DOWN};
    struct zmq_link_dial dial = dial_by_device(c, hub);
    bool answered = false;
    enum err e = zmq_link_dial(&link, c->zmq, &dial);
    crypto_wipe(&dial.secret, sizeof dial.secret);
    if (e != OK) {
        return e;
    }
    while (!answered && clock_monotonic_ms() < until_ms) {
        answered = link->ops->next(link, &event);
        if (!answered) {
            wait_for(link, WAIT_MAX_MS);
        }
    }
    if (!answered) {
        e = ERR_TIMEOUT;
    } else if (event.type == LINK_DOWN) {
        keep_text(c, event.text != NULL ? event.text : "");
        e = event.err != OK ? event.err : ERR_UNREACHABLE;
    }
    link->ops->close(link);
    return e;
}

/* --- a session --- */

static void keep_log(void *state, int level, const char *text)
{
    struct contact *c = state;
    if (level <= LOG_WARN_LEVEL) {
        keep_text(c, text);
    }
    if (c->cli->verbose > 0 && !c->cli->json) {
        fprintf(stderr, "%s\n", text);
    }
}

static enum err read_time(struct contact *c, struct exchange_time *time)
{
    struct txn *t;
    time->now_ms = clock_monotonic_ms();
    enum err e = txn_begin(c->cli->store, false, &t);
    if (e == OK) {
        clock_read(t, &time->clock);
        txn_abort(t);
    }
    return e;
}

/* Turns until the session is idle, then says goodbye. */
static enum err run_session(struct contact *c, struct exchange *x, struct link *link,
                            uint64_t until_ms, void (*live)(struct contact *c),
                            struct session_status *out)
{
    struct exchange_link shown = {0};
    struct exchange_time time;
    bool more, was_live = false;
    enum err e = read_time(c, &time);
    while (e == OK) {
        time.now_ms = clock_monotonic_ms();
        e = exchange_turn(x, &time, &more);
        exchange_link(x, link, &shown);
        if (e != OK || shown.state == EXCHANGE_LINK_ENDED) {
            break;
        }
        *out = shown.session;
        if (shown.state == EXCHANGE_LINK_LIVE && shown.session.greeted && !was_live) {
            was_live = true;
            live(c);
        }
        if (was_live && shown.session.idle) {
            exchange_finish(x, link);
            return exchange_turn(x, &time, &more);
        }
        if (time.now_ms >= until_ms) {
            return was_live ? ERR_TIMEOUT : ERR_UNREACHABLE;
        }
        if (!more) {
            uint64_t deadline = exchange_deadline(x, time.now_ms);
            wait_for(link, deadline < WAIT_MAX_MS ? deadline : WAIT_MAX_MS);
        }
    }
    if (e == OK) {
        keep_text(c, shown.text);
        e = shown.err != OK ? shown.err : ERR_UNREACHABLE;
    }
    return e;
}

enum err contact_sync(struct contact *c, const struct contact_hub *hub, uint64_t until_ms,
                      void (*live)(struct contact *c), struct session_status *out)
{
    struct cli *cli = c->cli;
    struct exchange *x = NULL;
    struct link *link = NULL;
    struct zmq_link_dial dial = dial_by_device(c, hub);
    struct exchange_options options = {.store = cli->store,
                                       .views = cli->views,
                                       .keys = &cli->keys,
                                       .month_bytes_max = settings_month_bytes_max(&cli->settings),
                                       .log = keep_log,
                                       .log_state = c};
    *out = (struct session_status){0};
    enum err e = exchange_open(&x, &options);
    if (e == OK) {
        e = zmq_link_dial(&link, c->zmq, &dial);
    }
    if (e == OK) {
        e = exchange_add_link(x, link, true);
    }
    if (e == OK) {
        e = run_session(c, x, link, until_ms, live, out);
    }
    if (e == OK) {
        e = cli_finish_rows(cli); /* where no node runs, nobody else does */
    }
    crypto_wipe(&dial.secret, sizeof dial.secret);
    exchange_close(x);
    if (link != NULL) {
        link->ops->close(link);
    }
    return e;
}

/* --- whom to call --- */

static int target_hub(struct cli *cli, struct contact_target *out)
{
    struct txn *t;
    const struct roster *roster;
    int code = cli_begin(cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_roster(cli, t, &roster);
    if (code == EXIT_OK && !joining_hub(t, roster, &out->device, &out->key)) {
        code = cli_error(cli, EXIT_REFUSED, _("there is nobody to call"),
                         _("this device is the hub: the villages call it"),
                         _("keep sidan-node running here"));
    }
    txn_abort(t);
    return code;
}

int contact_target(struct cli *cli, struct contact_target *out)
{
    const char *given = cli_flag(cli, "--hub");
    *out = (struct contact_target){0};
    int code = cli_open_settings(cli);
    if (code == EXIT_OK) {
        code = target_hub(cli, out);
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (given != NULL) {
        out->addresses[out->address_count++] = given;
    }
    for (size_t i = 0; given == NULL && i < cli->settings.hub_count; i++) {
        out->addresses[out->address_count++] = cli->settings.hub[i];
    }
    if (out->address_count == 0) {
        return cli_error(cli, EXIT_USAGE, _("the hub's address is not known"), NULL,
                         _("sidan config set hub tcp://ADDRESS:PORT, or add --hub"));
    }
    return EXIT_OK;
}
