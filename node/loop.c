#include "node/loop.h"

#include "common/log.h"
#include "common/version.h"
#include "node/clock.h"
#include "node/dialing.h"
#include "node/erasing.h"
#include "node/exchange.h"
#include "node/home_key.h"
#include "node/hub_contact.h"
#include "node/hub_duty.h"
#include "node/joining.h"
#include "node/key_change.h"
#include "node/neighbours.h"
#include "node/store/local.h"
#include "node/supervisor.h"
#include "node/upkeep.h"
#include "node/views/visible.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define CLOCK_FRESH_MS 1000 /* the clock is judged anew so often; between, it is counted on */
#define STATUS_EVERY_MS 10000
#define STATUS_PEERS_MAX 64
#define STRANGERS_EVERY_MS (10 * 60 * 1000) /* a port on the internet is scanned all day */
#define LOCK_LOOK_MS 250                    /* `sidan lock` holds at once */
#define ERRORS_MAX 30                       /* turns in a row that failed before we give up */
#define ERROR_PAUSE_MS 1000
#define STOP_SECONDS_MAX 20 /* a deadline around the end */
#define RELISTEN_MS 50
#define RELISTEN_TRIES 200u

struct loop {
    const struct loop_options *options;
    struct store *store;
    struct views *views;
    struct exchange *exchange;
    struct link *listener;
    struct box_key served; /* the transport key that the listener has */
    bool note_served;      /* it is the newest, for good, from now on */
    uint64_t listen_ms;    /* when it is tried again: the port may be ours for a moment longer */
    unsigned listen_tries;
    enum err listen_err; /* why there is no listener any more */
    struct hub_contact hub;
    struct neighbours neighbours;
    struct upkeep upkeep;
    struct hub_duty duty;
    struct erasing erasing;
    struct exchange_time time;
    uint64_t clock_read_ms;
    uint64_t seen_txn; /* of the store, when it was last looked at */
    uint64_t alive_ms, status_ms;
    struct zmq_link_counts told; /* refusals that were logged */
    uint64_t told_ms;
    unsigned errors; /* turns in a row that failed */
};

/* --- time --- */

static void read_time(struct loop *l, bool anew)
{
    uint64_t now_ms = clock_monotonic_ms();
    struct txn *t;
    uint64_t passed_ms = now_ms - l->time.now_ms;
    l->time.now_ms = now_ms;
    l->time.clock.wall_ms += passed_ms;
    if (!anew && now_ms - l->clock_read_ms < CLOCK_FRESH_MS) return;
    if (txn_begin(l->store, false, &t)) return;
    clock_read(t, &l->time.clock);
    txn_abort(t);
    l->clock_read_ms = now_ms;
}

/* --- links --- */

static enum link_admission admit(void *state, const struct box_key *key)
{
    struct loop *l = state;
    return exchange_admit(l->exchange, key, l->time.clock.wall_ms);
}

/* A listener that was closed holds its port, and the place of its ZAP handler, for a moment. */
static bool may_come_free(enum err err)
{
    return err == ERR_BUSY || err == ERR_EXISTS;
}

static enum err listen(struct loop *l)
{
    const char *address = l->options->settings->listen;
    if (!address[0]) return OK;
    const struct box_secret *secret = device_keys_transport(l->options->keys, &l->served);
    enum err err =
        secret ? zmq_link_listen(&l->listener, l->options->context, address, secret, admit, l)
               : ERR_NOT_FOUND;
    if (!err) err = exchange_add_link(l->exchange, l->listener, false);
    if (err && !may_come_free(err))
        log_write(LOG_ERROR, "cannot listen on %s: %s", address, err_text(err));
    else if (!err)
        log_write(LOG_INFO, "listening on %s", zmq_link_address(l->listener));
    return err;
}

/* --- changed keys --- */

/* The key to serve: its newest only when everybody knows it (SPEC 10.11). */
static void look_at_served(struct loop *l, struct txn *t, const struct roster *roster,
                           const struct device *self)
{
    struct box_key key = l->options->keys->transport;
    if (self) key_change_served(t, roster, self, l->time.clock.wall_ms, &key);
    if (!device_keys_transport(l->options->keys, &key)) return; /* another copy's */
    if (l->listener && !box_key_equal(&key, &l->served)) {
        log_write(LOG_INFO, "everybody was told of the new transport key: it is served now");
        exchange_remove_link(l->exchange, l->listener);
        l->listener->ops->close(l->listener);
        l->listener = NULL;
        l->listen_ms = l->time.now_ms;
        l->listen_tries = RELISTEN_TRIES;
    }
    l->served = key;
}

/* A person had this device's keys changed, or all have been told of the new ones. */
static void look_at_keys(struct loop *l, struct txn *t)
{
    const struct roster *roster;
    bool changed = false;
    if (views_roster(l->views, t, &roster)) return;
    const struct device *self = roster_device(roster, &store_identity(l->store)->device);
    enum err err =
        self ? key_change_follow(l->options->keys, l->options->home, roster, self, &changed) : OK;
    if (err) log_write(LOG_ERROR, "device.key cannot be read again: %s", err_text(err));
    if (changed) log_write(LOG_INFO, "this device's new keys are in use");
    look_at_served(l, t, roster, self);
    l->note_served = self && key_change_to_note(t, roster, self, l->time.clock.wall_ms);
}

/* The listener that was closed for another key is made again. */
static enum err relisten(struct loop *l)
{
    if (!l->listen_tries || l->time.now_ms < l->listen_ms) return OK;
    enum err err = listen(l);
    l->listen_ms = l->time.now_ms + RELISTEN_MS;
    if (may_come_free(err) && --l->listen_tries > 0) return OK;
    l->listen_tries = 0;
    l->listen_err = err; /* a hub that nobody can reach is not to run on */
    return err;
}

static void tell_refusals(struct loop *l)
{
    struct zmq_link_counts now = zmq_link_counts(l->listener);
    if (now.refused == l->told.refused && now.dropped == l->told.dropped && now.cut == l->told.cut)
        return;
    if (l->told_ms && l->time.now_ms - l->told_ms < STRANGERS_EVERY_MS) return;
    log_write(LOG_WARN,
              "strangers: %" PRIu64 " connections refused, %" PRIu64 " messages dropped, %" PRIu64
              " connections cut since the start",
              now.refused, now.dropped, now.cut);
    l->told = now;
    l->told_ms = l->time.now_ms;
}

/* --- the store --- */

static void log_exchange(void *state, int level, const char *text)
{
    (void)state;
    log_write((enum log_level)level, "%s", text);
}

/* A commit since the last look, be it ours: the exchange sees what it does not know yet. */
static enum err look_at_store(struct loop *l)
{
    uint64_t txn = store_last_txn(l->store);
    struct txn *t;
    if (txn == l->seen_txn) return OK;
    enum err err = exchange_refresh(l->exchange, &l->time);
    if (!err) err = txn_begin(l->store, false, &t);
    if (err) return err;
    look_at_keys(l, t);
    upkeep_look(&l->upkeep, t, l->time.now_ms);
    hub_duty_look(&l->duty, t, l->time.now_ms);
    erasing_look(&l->erasing, t, l->time.now_ms);
    hub_contact_look(&l->hub, t, &l->time);
    neighbours_look(&l->neighbours, t, &l->time);
    txn_abort(t);
    l->seen_txn = txn; /* after an error it is looked at again */
    if (!l->note_served) return OK;
    l->note_served = false;
    return key_change_note_due(l->store, l->views, l->time.clock.wall_ms);
}

static void introduce(struct loop *l)
{
    struct txn *t;
    const struct roster *roster;
    const struct device *self = NULL;
    char id[7];
    hex_encode(id, l->options->keys->signer.key.bytes, 3);
    if (!txn_begin(l->store, false, &t)) {
        struct visible visible = {0};
        if (!views_roster(l->views, t, &roster) && !visible_begin(&visible, t, roster))
            self = roster_device(roster, &l->options->keys->signer.key);
        log_write(LOG_INFO, "device %s, %s%s, %" PRIu64 " events", id,
                  self && self->village[0] ? "village " : "",
                  !self              ? "not in the roster yet"
                  : self->village[0] ? self->village
                                     : "township",
                  visible.events);
        visible_end(&visible);
        txn_abort(t);
    }
}

/* --- turns --- */

static void tell_supervisor(struct loop *l)
{
    uint64_t interval_ms = supervisor_interval_ms();
    if (interval_ms && l->time.now_ms - l->alive_ms >= interval_ms) {
        l->alive_ms = l->time.now_ms;
        supervisor_alive();
    }
    if (l->status_ms && l->time.now_ms - l->status_ms < STATUS_EVERY_MS) return;
    l->status_ms = l->time.now_ms;
    struct exchange_peer peers[STATUS_PEERS_MAX];
    char text[96];
    size_t count = exchange_peers(l->exchange, peers, STATUS_PEERS_MAX);
    snprintf(text, sizeof text, "%zu%s peers connected", count,
             count == STATUS_PEERS_MAX ? " or more" : "");
    supervisor_status(text);
    if (l->listener) tell_refusals(l);
}

/* OK: go on. A store that reads is not given up for one failed commit. */
static enum err weigh_error(struct loop *l, enum err err)
{
    if (!err) {
        l->errors = 0;
        return OK;
    }
    if (l->errors++ == 0) log_write(LOG_ERROR, "this turn failed: %s", err_text(err));
    return l->errors < ERRORS_MAX ? OK : err;
}

/* Between two turns, when nobody of this process has a transaction. */
static void rewrite_store(struct loop *l)
{
    if (!erasing_rewrites(&l->erasing, l->time.now_ms)) return;
    wake_unwatch_store(l->options->wake);
    erasing_rewrite(&l->erasing);
    wake_watch_store(l->options->wake, l->options->home);
    l->seen_txn = 0; /* it counts from the beginning, and what was committed meanwhile is unseen */
}

static enum err turn(struct loop *l, unsigned woken, bool *more)
{
    bool link_more = false;
    read_time(l, woken & WAKE_CLOCK);
    if (woken & WAKE_CLOCK) log_write(LOG_INFO, "the machine's clock was set");
    if (woken & WAKE_AGAIN) log_write(LOG_INFO, "the network or this machine was away and is back");
    if (woken & (WAKE_NETWORK | WAKE_AGAIN)) {
        hub_contact_network(&l->hub, woken & WAKE_AGAIN, &l->time);
        neighbours_network(&l->neighbours, woken & WAKE_AGAIN, &l->time);
    }
    if (l->listener) zmq_link_tick(l->listener, l->time.now_ms);
    enum err err = look_at_store(l);
    if (!err) err = relisten(l);
    hub_contact_before_turn(&l->hub, &l->time);
    neighbours_before_turn(&l->neighbours, &l->time);
    if (!err) err = exchange_turn(l->exchange, &l->time, &link_more);
    hub_contact_after_turn(&l->hub, &l->time);
    neighbours_after_turn(&l->neighbours, &l->time);
    hub_duty_turn(&l->duty, &l->time, exchange_settled(l->exchange));
    erasing_turn(&l->erasing, &l->time);
    bool upkeep_more = !link_more && upkeep_turn(&l->upkeep, l->time.now_ms, l->time.clock.wall_ms);
    *more = !err && (link_more || upkeep_more || store_last_txn(l->store) != l->seen_txn);
    if (!*more && !err) rewrite_store(l);
    return weigh_error(l, err);
}

/* The kernel tells nobody that a key was taken out. */
static bool was_locked(const struct loop *l)
{
    struct secret_key key;
    if (!l->options->watch_lock) return false;
    enum err err = home_key(l->options->home, &key);
    crypto_wipe(&key, sizeof key);
    return err == ERR_LOCKED;
}

static uint64_t sleep_ms(struct loop *l)
{
    uint64_t now_ms = clock_monotonic_ms();
    if (l->errors) return ERROR_PAUSE_MS;
    uint64_t shortest_ms = exchange_deadline(l->exchange, now_ms);
    uint64_t others_ms[] = {hub_contact_wait_ms(&l->hub, now_ms),
                            neighbours_wait_ms(&l->neighbours, now_ms),
                            upkeep_wait_ms(&l->upkeep, now_ms),
                            hub_duty_wait_ms(&l->duty, now_ms, exchange_settled(l->exchange)),
                            erasing_wait_ms(&l->erasing, now_ms),
                            l->listener ? (uint64_t)zmq_link_wait_ms(l->listener) : UINT64_MAX,
                            l->listen_tries ? RELISTEN_MS : UINT64_MAX,
                            supervisor_interval_ms() ? supervisor_interval_ms() : UINT64_MAX,
                            l->options->watch_lock ? LOCK_LOOK_MS : UINT64_MAX};
    for (size_t i = 0; i < sizeof others_ms / sizeof others_ms[0]; i++)
        if (others_ms[i] < shortest_ms) shortest_ms = others_ms[i];
    return shortest_ms;
}

static enum err run(struct loop *l)
{
    bool more = true;
    unsigned woken = 0;
    for (;;) {
        enum err err = turn(l, woken, &more);
        if (!err && l->listener) err = zmq_link_health(l->listener);
        if (!err) err = l->listen_err;
        if (err) return err;
        tell_supervisor(l);
        int fds[2 + SETTINGS_PEERS_MAX] = {l->listener ? zmq_link_fd(l->listener) : -1,
                                           hub_contact_fd(&l->hub)};
        size_t count = 2 + neighbours_fds(&l->neighbours, fds + 2);
        woken = wake_wait(l->options->wake, fds, count, more ? 0 : sleep_ms(l));
        if (woken & WAKE_STOP) return OK;
        if (was_locked(l)) {
            log_write(LOG_INFO, "locked: all links are ended");
            return ERR_LOCKED;
        }
        if (woken & WAKE_STORE_GONE) {
            log_write(LOG_ERROR, "the store was moved or removed under a running node; stopping");
            return ERR_CORRUPT;
        }
    }
}

/* --- begin and end --- */

/* A process that was killed left its peers as it saw them last. */
static enum err forget_states(struct store *store)
{
    struct txn *t;
    enum err err = txn_begin(store, true, &t);
    if (err) return err;
    struct sign_key at = {{0}};
    struct peer_row row;
    bool changed = false;
    while (peer_next(t, &at, &row)) {
        if (row.state == PEER_SYNCED || row.state == PEER_SYNCING) {
            row.state = PEER_OFFLINE;
            peer_put(t, &row);
            changed = true;
        }
        peer_row_clear(&row);
    }
    if (changed) return txn_commit(t);
    txn_abort(t);
    return OK;
}

static enum err begin_serving(struct loop *l)
{
    struct txn *t;
    enum err err = txn_begin(l->store, false, &t);
    if (err) return err;
    l->served = l->options->keys->transport;
    look_at_keys(l, t);
    txn_abort(t);
    return OK;
}

static enum err begin(struct loop *l)
{
    const struct loop_options *o = l->options;
    const struct exchange_options options = {.store = l->store,
                                             .views = l->views,
                                             .keys = o->keys,
                                             .log = log_exchange,
                                             .courier_home = o->home,
                                             .month_bytes_max =
                                                 settings_month_bytes_max(o->settings)};
    enum err err = forget_states(l->store);
    if (err) return err;
    l->time.now_ms = clock_monotonic_ms();
    read_time(l, true);
    err = exchange_open(&l->exchange, &options);
    if (!err) err = hub_duty_open(&l->duty, l->store, l->views, o->keys);
    if (!err) err = erasing_open(&l->erasing, l->store, l->views, o->keys);
    if (err) return err;
    introduce(l);
    log_write(LOG_INFO, "clock: %s", l->time.clock.source);
    upkeep_init(&l->upkeep, l->store, l->views, l->time.now_ms);
    const struct dial_context dial = {.store = l->store,
                                      .views = l->views,
                                      .exchange = l->exchange,
                                      .context = o->context,
                                      .keys = o->keys,
                                      .settings = o->settings};
    hub_contact_init(&l->hub, &dial);
    neighbours_init(&l->neighbours, &dial);
    wake_watch_store(o->wake, o->home);
    err = begin_serving(l);
    if (!err) err = listen(l);
    if (err == ERR_BUSY)
        log_write(LOG_ERROR, "cannot listen on %s: %s", o->settings->listen, err_text(err));
    return err;
}

static void end(struct loop *l)
{
    bool more;
    supervisor_stopping();
    alarm(STOP_SECONDS_MAX);
    hub_contact_finish(&l->hub);
    neighbours_finish(&l->neighbours);
    if (l->exchange && exchange_turn(l->exchange, &l->time, &more))
        log_write(LOG_WARN, "the last turn failed");
    hub_contact_close(&l->hub);
    neighbours_close(&l->neighbours);
    if (l->listener && l->exchange) exchange_remove_link(l->exchange, l->listener);
    exchange_close(l->exchange);
    hub_duty_close(&l->duty);
    erasing_close(&l->erasing);
    if (l->listener) l->listener->ops->close(l->listener);
}

enum err loop_run(const struct loop_options *options, struct store *store, struct views *views)
{
    struct loop l = {.options = options, .store = store, .views = views};
    enum err err = begin(&l);
    if (!err) {
        supervisor_ready();
        err = run(&l);
    }
    end(&l);
    return err;
}
