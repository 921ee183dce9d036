#include "tools/contact.h"

#include "node/dialing.h"
#include "node/joining.h"
#include "node/link/meter.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

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

/* Turns until the session is idle, then says goodbye. ERR_AGAIN: cut, or no answer in time. */
static enum err run_session(struct contact *c, struct exchange *x, struct link *link,
                            const struct contact_words *words, struct session_status *out)
{
    struct exchange_link shown = {0};
    struct exchange_time time;
    bool more;
    enum err e = read_time(c, &time);
    while (e == OK) {
        time.now_ms = clock_monotonic_ms();
        e = exchange_turn(x, &time, &more);
        exchange_link(x, link, &shown);
        if (e != OK || shown.state == EXCHANGE_LINK_ENDED) {
            break;
        }
        *out = shown.session;
        if (out->greeted && !c->live) {
            c->live = true;
            words->live(c);
        }
        if (out->greeted && out->idle && !shown.carrying) {
            exchange_finish(x, link);
            return exchange_turn(x, &time, &more);
        }
        if (contact_is_over(c)) {
            if (!out->greeted || !out->idle) {
                return ERR_AGAIN;
            }
            exchange_finish(x, link); /* what is carried for others goes on another time */
            return exchange_turn(x, &time, &more);
        }
        if (!more) {
            uint64_t deadline = exchange_deadline(x, time.now_ms);
            wait_for(link, deadline < WAIT_MAX_MS ? deadline : WAIT_MAX_MS);
        }
    }
    if (e != OK) {
        return e;
    }
    keep_text(c, shown.text);
    bool cut = out->greeted && shown.err != ERR_FORBIDDEN;
    if (cut || shown.err == ERR_TIMEOUT) {
        return ERR_AGAIN;
    }
    return shown.err != OK ? shown.err : ERR_UNREACHABLE;
}

static void add(struct contact_done *sum, const struct session_status *s)
{
    sum->sent += s->sent_events;
    sum->received += s->received_events;
    sum->unsent = s->unsent;
    sum->bytes += METER_DIALLER_HANDSHAKE + METER_LISTENER_HANDSHAKE + /* without the goodbye */
                  meter_of_frames(s->sent_frames, s->sent_bytes) +
                  meter_of_frames(s->received_frames, s->received_bytes);
}

/* The hub is there and the keys do not fit: whether there are others to try. */
static bool next_keys(struct contact *c, const struct dialing *d, size_t key_count)
{
    c->barred = !c->live && d->link != NULL && zmq_link_was_barred(d->link);
    if (!c->barred) {
        return false;
    }
    c->key_at = (c->key_at + 1) % key_count;
    return c->key_at != 0;
}

/* By which keys the hub of this place is dialled, and how far it is. */
static enum err place_keys(struct contact *c, const struct dial_place *place,
                           struct dial_keys keys[DIAL_KEYS_MAX], size_t *count, uint64_t *rtt_ms)
{
    struct txn *t;
    const struct roster *roster;
    struct peer_row row;
    enum err e = txn_begin(c->cli->store, false, &t);
    if (e != OK) {
        return e;
    }
    e = views_roster(c->cli->views, t, &roster);
    if (e == OK) {
        const struct device *self = roster_device(roster, &store_identity(c->cli->store)->device);
        *count = key_change_dial(keys, t, roster, &place->device, &place->transport, self,
                                 &c->cli->keys);
        e = *count != 0 ? OK : ERR_NOT_FOUND;
    }
    if (e == OK && peer_get(t, &place->device, &row)) {
        *rtt_ms = row.rtt_ms;
        peer_row_clear(&row);
    }
    txn_abort(t);
    return e;
}

static enum err attempt(struct contact *c, struct dialing *d, const struct dial_place *place,
                        const struct contact_words *words, struct contact_done *sum, bool *others)
{
    struct dial_keys keys[DIAL_KEYS_MAX];
    size_t key_count = 1;
    struct exchange *x = NULL;
    struct session_status status = {0};
    struct exchange_options options = {.store = c->cli->store,
                                       .views = c->cli->views,
                                       .keys = &c->cli->keys,
                                       .month_bytes_max =
                                           settings_month_bytes_max(&c->cli->settings),
                                       .courier_home = c->cli->home,
                                       .log = keep_log,
                                       .log_state = c};
    enum err e = place_keys(c, place, keys, &key_count, &d->rtt_ms);
    if (e == OK) {
        e = exchange_open(&x, &options);
    }
    if (e == OK) {
        const struct dial_keys *pair = &keys[c->key_at % key_count];
        dialing_use(d, &pair->key, &pair->secret);
        e = dialing_start(d, &pair->peer, clock_monotonic_ms());
    }
    crypto_wipe(keys, sizeof keys);
    if (e == OK) {
        e = exchange_add_link(x, d->link, true);
    }
    if (e == OK) {
        e = run_session(c, x, d->link, words, &status);
    }
    exchange_close(x);
    bool good = status.idle || status.passed_bytes != 0;
    *others = next_keys(c, d, key_count);
    dialing_end(d,
                good      ? DIALING_GOOD
                : *others ? DIALING_OTHER_KEYS
                          : DIALING_FAILED,
                clock_monotonic_ms());
    if (status.greeted) {
        d->rtt_ms = status.rtt_ms;
        add(sum, &status);
    }
    return e;
}

static void dialing_to(struct dialing *d, const struct contact *c,
                       const struct contact_target *target)
{
    const struct dialing_options options = {.context = c->zmq,
                                            .key = c->cli->keys.transport,
                                            .secret = c->cli->keys.transport_secret,
                                            .retry_min_s = c->cli->settings.retry_min_s,
                                            .retry_max_s = c->cli->settings.retry_max_s};
    dialing_init(d, &options);
    dialing_set_addresses(d, &target->plan);
}

static bool wait_until_due(const struct contact *c, const struct dialing *d)
{
    uint64_t wait_ms = dialing_wait_ms(d, clock_monotonic_ms());
    if (clock_monotonic_ms() + wait_ms >= c->deadline_ms) {
        return false;
    }
    struct timespec wait = {.tv_sec = (time_t)(wait_ms / 1000),
                            .tv_nsec = (long)(wait_ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
    return true;
}

enum err contact_sync(struct contact *c, const struct contact_target *target,
                      const struct contact_words *words, struct contact_done *out)
{
    struct dialing d;
    bool there = false, again, others; /* there: somebody may be, though nobody listens just now */
    enum err e;
    dialing_to(&d, c, target);
    *out = (struct contact_done){0};
    do {
        if (d.rounds == 0 && !c->live) {
            words->calling(c, dialing_address(&d));
        }
        out->place = &target->plan.places[d.next_address];
        e = attempt(c, &d, out->place, words, out, &others);
        there = there || e == ERR_AGAIN;
        bool another = d.next_address != 0;
        again = others || e == ERR_AGAIN || (e == ERR_UNREACHABLE && (there || another));
    } while (again && wait_until_due(c, &d));
    dialing_close(&d);
    if (e == OK) {
        e = cli_finish_rows(c->cli); /* where no node runs, nobody else does */
    }
    if (e == ERR_AGAIN || e == ERR_UNREACHABLE) {
        return c->live ? ERR_TIMEOUT : ERR_UNREACHABLE;
    }
    return e;
}

/* --- whom to call --- */

static int plan(struct cli *cli, struct contact_target *out)
{
    struct txn *t;
    const struct roster *roster;
    const char *given[INVITE_ADDRESSES_MAX];
    size_t count = 0;
    const char *address = cli_flag(cli, "--hub");
    int code = cli_begin(cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    if (address != NULL) {
        given[count++] = address;
    }
    for (size_t i = 0; address == NULL && i < cli->settings.hub_count; i++) {
        given[count++] = cli->settings.hub[i];
    }
    code = cli_roster(cli, t, &roster);
    if (code == EXIT_OK) {
        dial_plan_make(&out->plan, t, roster, given, count);
    }
    txn_abort(t);
    if (address != NULL && out->plan.count > 1) {
        out->plan.count = 1; /* that one alone */
    }
    return code;
}

int contact_target(struct cli *cli, struct contact_target *out)
{
    *out = (struct contact_target){0};
    int code = cli_open_settings(cli);
    if (code == EXIT_OK) {
        code = cli_open_keys(cli);
    }
    if (code == EXIT_OK) {
        code = plan(cli, out);
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (out->plan.nobody) {
        return cli_error(cli, EXIT_REFUSED, _("there is nobody to call"),
                         _("this device is the hub: the villages call it"),
                         _("keep sidan-node running here"));
    }
    if (out->plan.count == 0) {
        return cli_error(cli, EXIT_USAGE, _("the hub's address is not known"), NULL,
                         _("sidan config set hub tcp://ADDRESS:PORT, or add --hub"));
    }
    return EXIT_OK;
}
