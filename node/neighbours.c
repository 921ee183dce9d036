#include "node/neighbours.h"

#include "common/log.h"
#include "node/neighbour_plan.h"
#include "node/store/local.h"

#include <string.h>

#define ASK_SYNC "sync"
/* A neighbour is off more often than a hub, and nobody waits for him: his address is tried less
 * often, and at once when the network has news. */
#define RARER 5u
#define RETRY_MAX_S 86400u
#define MET_ELSEWHERE_MS 5000u /* then it is looked again whether he is still there */
#define RENEW_MS (24u * 3600 * 1000)

void neighbours_init(struct neighbours *n, const struct dial_context *options)
{
    const struct settings *s = options->settings;
    uint64_t longest_s = (uint64_t)s->retry_max_s * RARER;
    const struct dialing_options dial = {
        .context = options->context,
        .key = options->keys->transport,
        .secret = options->keys->transport_secret,
        .retry_min_s = s->retry_min_s,
        .retry_max_s = longest_s < RETRY_MAX_S ? (uint32_t)longest_s : RETRY_MAX_S};
    struct txn *t;
    *n = (struct neighbours){.options = *options, .count = s->peer_count};
    for (size_t i = 0; i < n->count; i++) {
        n->at[i].given = &s->peers[i];
        dialing_init(&n->at[i].dialing, &dial);
        dialing_add_address(&n->at[i].dialing, s->peers[i].address);
    }
    if (!n->count || txn_begin(options->store, false, &t)) return;
    for (size_t i = 0; i < n->count; i++) neighbour_get(t, n->at[i].given->address, &n->at[i].row);
    txn_abort(t);
}

/* --- what is kept in the store --- */

static void keep(struct neighbours *n, struct neighbour *one, const struct exchange_time *time)
{
    struct txn *t;
    enum err err = txn_begin(n->options.store, true, &t);
    one->row.last_attempt_ms = time->clock.wall_ms;
    if (!err) {
        neighbour_put(t, one->given->address, &one->row);
        err = txn_commit(t);
    }
    if (err) log_write(LOG_WARN, "what became of a neighbour was not kept: %s", err_text(err));
}

/* The next attempt is planned by now. */
static void keep_failure(struct neighbours *n, struct neighbour *one, enum err why,
                         const struct exchange_time *time)
{
    one->row.next_attempt_ms = time->clock.wall_ms + dialing_wait_ms(&one->dialing, time->now_ms);
    one->row.last_error = why;
    one->row.failures++;
    keep(n, one, time);
}

static void keep_success(struct neighbours *n, struct neighbour *one,
                         const struct exchange_time *time)
{
    one->row = (struct neighbour_row){.device = one->device, .last_ok_ms = time->clock.wall_ms};
    keep(n, one, time);
}

/* --- whom to dial --- */

/* What the next attempt is made with. ERR_EXISTS: whoever is meant is connected already, or nobody
 * else is left to try; ERR_NOT_FOUND: the roster has nobody of that name. */
static enum err choose(struct neighbours *n, struct neighbour *one, struct txn *t,
                       struct dial_keys *out)
{
    const struct roster *roster;
    struct dial_keys keys[DIAL_KEYS_MAX];
    const struct device *d;
    enum err err = views_roster(n->options.views, t, &roster);
    if (err) return err;
    const struct device *self = roster_device(roster, &store_identity(n->options.store)->device);
    for (size_t first = one->at;; one->at++, one->key_at = 0) {
        d = neighbour_candidate(roster, self, one->given, &one->row.device, one->at);
        if (!d) return one->at > first || first ? ERR_EXISTS : ERR_NOT_FOUND;
        if (!exchange_meets(n->options.exchange, &d->first, NULL)) break;
        if (sign_key_equal(&d->first, &one->row.device)) return ERR_EXISTS;
    }
    size_t count =
        key_change_dial(keys, t, roster, &d->first, &d->transport, self, n->options.keys);
    if (!count) return ERR_NOT_FOUND;
    *out = keys[one->key_at < count ? one->key_at : 0];
    one->device = d->first;
    crypto_wipe(keys, sizeof keys);
    return OK;
}

static enum err dial(struct neighbours *n, struct neighbour *one, const struct exchange_time *time)
{
    struct txn *t;
    struct dial_keys keys;
    enum err err = txn_begin(n->options.store, false, &t);
    if (err) return err;
    err = choose(n, one, t, &keys);
    txn_abort(t);
    if (err) return err;
    dialing_use(&one->dialing, &keys.key, &keys.secret);
    err = dialing_start(&one->dialing, &keys.peer, time->now_ms);
    crypto_wipe(&keys, sizeof keys);
    return err;
}

static void start(struct neighbours *n, struct neighbour *one, const struct exchange_time *time)
{
    one->live = one->good = one->twice = false;
    one->moved = 0;
    one->moved_ms = time->now_ms;
    enum err err = dial(n, one, time);
    if (!err && (err = exchange_add_link(n->options.exchange, one->dialing.link, true)))
        dialing_end(&one->dialing, DIALING_FAILED, time->now_ms);
    if (!err) return;
    bool met = err == ERR_EXISTS;
    one->at = one->key_at = 0;
    if (met)
        dialing_rest(&one->dialing, MET_ELSEWHERE_MS, time->now_ms);
    else if (one->dialing.next_ms <= time->now_ms)
        dialing_failed(&one->dialing, time->now_ms);
    if (!met) keep_failure(n, one, err, time);
}

/* Somebody is there, and our keys and his do not fit: another pair of keys, then whoever else may
 * be there; DIALING_TURNED_AWAY when all were tried. Who denies us showed who he is: no other is
 * tried, and he may hear of this device any moment. */
static enum dialing_outcome next_keys(struct neighbours *n, struct neighbour *one, bool denied)
{
    struct txn *t;
    const struct roster *roster;
    struct dial_keys keys[DIAL_KEYS_MAX];
    size_t count = 0;
    const struct device *d = NULL, *next = NULL;
    if (txn_begin(n->options.store, false, &t)) return DIALING_TURNED_AWAY;
    if (!views_roster(n->options.views, t, &roster)) {
        const struct sign_key *own = &store_identity(n->options.store)->device;
        const struct device *self = roster_device(roster, own);
        d = roster_device(roster, &one->device);
        if (d)
            count =
                key_change_dial(keys, t, roster, &d->first, &d->transport, self, n->options.keys);
        crypto_wipe(keys, sizeof keys);
        next = neighbour_candidate(roster, self, one->given, &one->row.device, one->at + 1);
    }
    txn_abort(t);
    if (++one->key_at < count) return DIALING_OTHER_KEYS;
    one->key_at = 0;
    if (denied) return DIALING_FAILED;
    one->at = next ? one->at + 1 : 0;
    return next ? DIALING_OTHER_KEYS : DIALING_TURNED_AWAY;
}

/* --- the links --- */

static void end_link(struct neighbours *n, struct neighbour *one, const struct exchange_link *shown,
                     const struct exchange_time *time)
{
    enum err err = shown->err;
    const char *text = shown->text;
    if (!text[0]) (void)zmq_link_ended(one->dialing.link, &err, &text);
    bool denied = err == ERR_FORBIDDEN;
    enum dialing_outcome outcome = one->good ? DIALING_GOOD : DIALING_FAILED;
    if (!one->live && zmq_link_was_barred(one->dialing.link)) outcome = next_keys(n, one, denied);
    if (outcome != DIALING_OTHER_KEYS)
        log_write(LOG_INFO, "neighbour at %s: %s", one->given->address, text[0] ? text : "ended");
    exchange_remove_link(n->options.exchange, one->dialing.link);
    dialing_end(&one->dialing, outcome, time->now_ms);
    if (one->twice) dialing_rest(&one->dialing, MET_ELSEWHERE_MS, time->now_ms);
    if (outcome != DIALING_OTHER_KEYS && !one->live)
        keep_failure(n, one, err ? err : ERR_UNREACHABLE, time);
}

/* Both dialled: the link that the lesser first key dialled stays, on both ends. Where that one is
 * dead without our knowing, for else he would not have dialled, one round trip shows it. */
static void weigh_both(struct neighbours *n, struct neighbour *one,
                       const struct exchange_time *time)
{
    const struct sign_key *self = &store_identity(n->options.store)->device;
    bool both = exchange_meets(n->options.exchange, &one->device, one->dialing.link);
    bool news = both && !one->twice;
    one->twice = both;
    if (!news) return;
    if (memcmp(self->bytes, one->device.bytes, sizeof self->bytes) > 0)
        exchange_finish(n->options.exchange, one->dialing.link);
    else
        exchange_ask(n->options.exchange, one->dialing.link, true, time);
}

static void look_at_session(struct neighbours *n, struct neighbour *one,
                            const struct session_status *s, const struct exchange_time *time)
{
    uint64_t moved = s->sent_events + s->received_events;
    if (!one->live) {
        one->live = true;
        one->at = one->key_at = 0; /* from now on he is tried first */
        log_write(LOG_INFO, "neighbour at %s: connected", one->given->address);
        keep_success(n, one, time);
    }
    one->dialing.rtt_ms = s->rtt_ms;
    if (s->idle || moved || s->passed_bytes) {
        one->good = true;
        one->dialing.rounds = 0;
    }
    if (moved != one->moved) one->moved_ms = time->now_ms;
    one->moved = moved;
    weigh_both(n, one, time);
    /* What a session gave up, the next one tries again. */
    if (s->idle && time->now_ms - one->moved_ms >= RENEW_MS) {
        one->moved_ms = time->now_ms;
        exchange_finish(n->options.exchange, one->dialing.link);
    }
}

void neighbours_look(struct neighbours *n, struct txn *t, const struct exchange_time *time)
{
    struct slice ask;
    bool asked = ask_get(t, ASK_SYNC, &ask);
    for (size_t i = 0; i < n->count && asked && !n->asked; i++)
        dialing_hurry(&n->at[i].dialing, false, time->now_ms);
    n->asked = asked;
}

static void network(struct neighbours *n, struct neighbour *one, bool again,
                    const struct exchange_time *time)
{
    struct exchange_link shown;
    if (!dialing_way_is_new(&one->dialing, again)) return;
    if (!one->dialing.link) {
        dialing_hurry(&one->dialing, true, time->now_ms);
        return;
    }
    exchange_link(n->options.exchange, one->dialing.link, &shown);
    bool live = shown.state == EXCHANGE_LINK_LIVE && shown.session.greeted;
    if (live && way_stands(zmq_link_way(one->dialing.link))) {
        exchange_ask(n->options.exchange, one->dialing.link, true, time);
    } else if (shown.state != EXCHANGE_LINK_ENDED) {
        exchange_remove_link(n->options.exchange, one->dialing.link);
        dialing_restart(&one->dialing, time->now_ms);
    }
}

void neighbours_network(struct neighbours *n, bool again, const struct exchange_time *time)
{
    for (size_t i = 0; i < n->count; i++) network(n, &n->at[i], again, time);
}

void neighbours_before_turn(struct neighbours *n, const struct exchange_time *time)
{
    for (size_t i = 0; i < n->count; i++) {
        struct neighbour *one = &n->at[i];
        if (dialing_due(&one->dialing, time->now_ms)) start(n, one, time);
        if (one->dialing.link) zmq_link_tick(one->dialing.link, time->now_ms);
    }
}

void neighbours_after_turn(struct neighbours *n, const struct exchange_time *time)
{
    for (size_t i = 0; i < n->count; i++) {
        struct neighbour *one = &n->at[i];
        struct exchange_link shown;
        enum err err;
        const char *text;
        if (!one->dialing.link) continue;
        exchange_link(n->options.exchange, one->dialing.link, &shown);
        if (shown.state == EXCHANGE_LINK_LIVE && shown.session.greeted)
            look_at_session(n, one, &shown.session, time);
        if (shown.state == EXCHANGE_LINK_ENDED || zmq_link_ended(one->dialing.link, &err, &text))
            end_link(n, one, &shown, time);
    }
}

size_t neighbours_fds(const struct neighbours *n, int fds[SETTINGS_PEERS_MAX])
{
    for (size_t i = 0; i < n->count; i++)
        fds[i] = n->at[i].dialing.link ? zmq_link_fd(n->at[i].dialing.link) : -1;
    return n->count;
}

uint64_t neighbours_wait_ms(const struct neighbours *n, uint64_t now_ms)
{
    uint64_t shortest_ms = UINT64_MAX;
    for (size_t i = 0; i < n->count; i++) {
        uint64_t wait_ms = dialing_wait_ms(&n->at[i].dialing, now_ms);
        if (wait_ms < shortest_ms) shortest_ms = wait_ms;
    }
    return shortest_ms;
}

void neighbours_finish(struct neighbours *n)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->at[i].dialing.link) exchange_finish(n->options.exchange, n->at[i].dialing.link);
}

void neighbours_close(struct neighbours *n)
{
    for (size_t i = 0; i < n->count; i++) {
        struct link *link = n->at[i].dialing.link;
        if (link && n->options.exchange) exchange_remove_link(n->options.exchange, link);
        dialing_close(&n->at[i].dialing);
    }
    n->count = 0;
}
