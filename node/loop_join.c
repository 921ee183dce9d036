#include "node/loop.h"

#include "common/log.h"
#include "node/clock.h"
#include "node/dialing.h"
#include "node/exchange.h"
#include "node/joining.h"
#include "node/supervisor.h"

#include <stdio.h>

#define ATTEMPT_MS 90000
#define LOOK_AT_HOME_MS 1000 /* `sidan join` may have completed it meanwhile */

struct joiner {
    const struct loop_options *options;
    const struct invite *invite;
    struct dialing dialing;
    struct join_progress progress;
    bool own_key; /* the invite was denied: perhaps it is used because we are admitted already */
    uint64_t alive_ms;
};

/* The hub lets our own key in only when it is in the roster. */
static bool own_key_admitted(struct joiner *j)
{
    struct link_event event;
    while (j->dialing.link->ops->next(j->dialing.link, &event))
        if (event.type == LINK_UP) return true;
    return false;
}

static void attempt_ended(struct joiner *j, enum err why, const char *text, uint64_t now_ms)
{
    bool denied = why == ERR_FORBIDDEN;
    log_write(LOG_WARN, "joining at %s: %s", dialing_address(&j->dialing),
              text[0] ? text : err_text(why));
    if (denied && j->own_key) {
        j->progress.state = JOIN_REFUSED;
        snprintf(j->progress.text, sizeof j->progress.text,
                 "the hub does not know it, or it was used or has expired");
    } else {
        j->progress = (struct join_progress){0};
    }
    dialing_end(&j->dialing, denied ? DIALING_GOOD : DIALING_FAILED, now_ms);
    j->own_key = denied;
}

/* Drives one attempt's link. */
static void turn(struct joiner *j)
{
    uint64_t now_ms = clock_monotonic_ms();
    struct link *link = j->dialing.link;
    enum err err = OK, why = OK;
    const char *text = "";
    zmq_link_tick(link, now_ms);
    if (j->own_key) {
        if (own_key_admitted(j)) j->progress.state = JOIN_ADMITTED;
    } else {
        err = join_turn(link, j->invite, j->options->keys, clock_machine_ms(), &j->progress);
    }
    if (j->progress.state != JOIN_WAITING) {
        dialing_end(&j->dialing, DIALING_GOOD, now_ms);
        return;
    }
    bool ended = zmq_link_ended(link, &why, &text);
    if (!ended && !err && j->progress.refused) err = ERR_BUSY;
    if (!ended && !err && now_ms - j->dialing.tried_ms >= ATTEMPT_MS) err = ERR_TIMEOUT;
    if (err || ended) attempt_ended(j, ended && why ? why : err, text, now_ms);
}

static void start(struct joiner *j, uint64_t now_ms)
{
    const struct device_keys *keys = j->options->keys;
    j->dialing.options.secret = j->own_key ? keys->transport_secret : j->invite->transport;
    box_key_of_secret(&j->dialing.options.key, &j->dialing.options.secret);
    log_write(LOG_INFO, "joining at %s", dialing_address(&j->dialing));
    enum err err = dialing_start(&j->dialing, &j->invite->acceptor_transport, now_ms);
    if (err) log_write(LOG_WARN, "%s: %s", dialing_address(&j->dialing), err_text(err));
}

/* A home may wait for weeks: to the service manager that is a node at work, not one that starts. */
static void tell_supervisor(struct joiner *j, uint64_t now_ms)
{
    if (j->alive_ms && now_ms - j->alive_ms < LOOK_AT_HOME_MS) return;
    if (!j->alive_ms) {
        supervisor_ready();
        supervisor_status("waiting for the hub to admit this device");
    }
    j->alive_ms = now_ms;
    supervisor_alive();
}

/* An attempt on the old way is thrown away with what it asked; the hub knows whom it admitted. */
static void network_is_back(struct joiner *j)
{
    if (j->dialing.link) j->progress = (struct join_progress){0};
    dialing_restart(&j->dialing, clock_monotonic_ms());
}

static enum err ask_hub(struct joiner *j)
{
    struct dialing *d = &j->dialing;
    struct wake *wake = j->options->wake;
    while (j->progress.state == JOIN_WAITING) {
        uint64_t now_ms = clock_monotonic_ms();
        tell_supervisor(j, now_ms);
        if (home_state(j->options->home) == HOME_JOINED) return OK;
        if (dialing_due(d, now_ms)) start(j, now_ms);
        if (d->link) turn(j);
        if (j->progress.state != JOIN_WAITING) break;
        uint64_t wait_ms = dialing_wait_ms(d, now_ms);
        int fd = d->link ? zmq_link_fd(d->link) : -1;
        unsigned woken =
            wake_wait(wake, &fd, 1, wait_ms < LOOK_AT_HOME_MS ? wait_ms : LOOK_AT_HOME_MS);
        if (woken & WAKE_STOP) return ERR_TIMEOUT;
        if (woken & (WAKE_NETWORK | WAKE_AGAIN) && dialing_way_is_new(d, woken & WAKE_AGAIN))
            network_is_back(j);
    }
    if (j->progress.state == JOIN_REFUSED) {
        log_write(LOG_ERROR, "the hub refused the invite: %s; ask for a new one", j->progress.text);
        return ERR_FORBIDDEN;
    }
    log_write(LOG_INFO, "admitted by the hub");
    return joining_complete(j->options->home, j->invite, j->options->keys);
}

enum err loop_join(const struct loop_options *options)
{
    struct invite invite;
    struct joiner j = {.options = options, .invite = &invite};
    const struct settings *settings = options->settings;
    const struct dialing_options dial = {.context = options->context,
                                         .retry_min_s = settings->retry_min_s,
                                         .retry_max_s = settings->retry_max_s};
    enum err err = home_load_invite(options->home, &invite);
    if (err) return err;
    dialing_init(&j.dialing, &dial);
    for (size_t i = 0; i < settings->hub_count; i++)
        dialing_add_address(&j.dialing, settings->hub[i]);
    for (size_t i = 0; i < invite.address_count && !settings->hub_count; i++)
        dialing_add_address(&j.dialing, invite.addresses[i]);
    err = ask_hub(&j);
    dialing_close(&j.dialing);
    invite_wipe(&invite);
    return err;
}
