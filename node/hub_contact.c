#include "node/hub_contact.h"

#include "common/log.h"
#include "node/store/local.h"

#include <string.h>

#define ASK_SYNC "sync"
#define SETTLED_MS 250 /* idle for so long: the exchange has written the peer's row by now */
/* What a session gave up, a damaged feed say, the next one tries again. */
#define RENEW_MS (24u * 3600 * 1000)
#define RETURN_AFTER 10 /* times the longest pause between attempts */

void hub_contact_init(struct hub_contact *h, const struct dial_context *options)
{
    const struct dialing_options dial = {.context = options->context,
                                         .key = options->keys->transport,
                                         .secret = options->keys->transport_secret,
                                         .retry_min_s = options->settings->retry_min_s,
                                         .retry_max_s = options->settings->retry_max_s};
    *h = (struct hub_contact){.options = *options};
    dialing_init(&h->dialing, &dial);
}

/* An idle link is ended in good order; the next is made at once. */
static void renew(struct hub_contact *h)
{
    h->again = true;
    exchange_finish(h->options.exchange, h->dialing.link);
}

/* One round trip tells whether a link that looks alive is; if it is not, the next is made at once.
 */
static void ask_hub(struct hub_contact *h, bool hurried, const struct exchange_time *time)
{
    h->again = true;
    h->idle_ms = 0; /* the answer may come in this very turn */
    exchange_ask(h->options.exchange, h->dialing.link, hurried, time);
}

/* --- what is kept in the store --- */

/* No session began, so the exchange knows nothing of this attempt. The next is planned by now. */
static void remember_failure(struct hub_contact *h, enum err why, const struct exchange_time *time)
{
    struct txn *t;
    struct peer_row row = {0};
    if (txn_begin(h->options.store, true, &t)) return;
    if (!peer_get(t, &h->device, &row)) row.device = h->device;
    row.last_attempt_ms = time->clock.wall_ms;
    row.next_attempt_ms = time->clock.wall_ms + dialing_wait_ms(&h->dialing, time->now_ms);
    row.last_error = why;
    row.failures++;
    row.state = PEER_OFFLINE;
    peer_put(t, &row);
    peer_row_clear(&row);
    enum err err = txn_commit(t);
    if (err) log_write(LOG_WARN, "the failed attempt was not kept: %s", err_text(err));
}

static void answer(struct hub_contact *h)
{
    struct txn *t;
    enum err err = txn_begin(h->options.store, true, &t);
    if (!err) {
        ask_delete(t, ASK_SYNC);
        err = txn_commit(t);
    }
    if (err) log_write(LOG_WARN, "an ask could not be answered: %s", err_text(err));
    h->asked = h->answer_due = false;
}

static uint64_t known_rtt_ms(struct txn *t, const struct sign_key *device)
{
    struct peer_row row;
    if (!peer_get(t, device, &row)) return 0;
    uint64_t rtt_ms = row.rtt_ms;
    peer_row_clear(&row);
    return rtt_ms;
}

/* Between two links what the roster says now counts. */
static void take_plan(struct hub_contact *h)
{
    if (h->dialing.link || memcmp(&h->plan, &h->fresh, sizeof h->plan) == 0) return;
    h->plan = h->fresh;
    dialing_set_addresses(&h->dialing, &h->plan);
}

static const struct dial_place *place_of(const struct hub_contact *h)
{
    return &h->plan.places[h->dialing.next_address];
}

void hub_contact_look(struct hub_contact *h, struct txn *t, const struct exchange_time *time)
{
    const struct settings *settings = h->options.settings;
    const char *given[INVITE_ADDRESSES_MAX];
    const struct roster *roster;
    struct slice ask;
    for (size_t i = 0; i < settings->hub_count; i++) given[i] = settings->hub[i];
    if (!views_roster(h->options.views, t, &roster))
        dial_plan_make(&h->fresh, t, roster, given, settings->hub_count);
    take_plan(h);
    bool asked = ask_get(t, ASK_SYNC, &ask);
    if (asked && !h->asked) {
        struct exchange_link shown = {0};
        dialing_hurry(&h->dialing, false, time->now_ms);
        if (h->dialing.link) exchange_link(h->options.exchange, h->dialing.link, &shown);
        if (shown.state == EXCHANGE_LINK_LIVE && shown.session.idle) ask_hub(h, false, time);
    }
    h->asked = asked;
}

/* A handshake that was begun on the way there was before waits for segments that TCP sends again
 * later and later; a new one is through sooner. */
static void restart(struct hub_contact *h, const struct exchange_time *time)
{
    log_write(LOG_INFO, "hub at %s: the network changed, dialling anew",
              dialing_address(&h->dialing));
    exchange_remove_link(h->options.exchange, h->dialing.link);
    dialing_restart(&h->dialing, time->now_ms);
}

void hub_contact_network(struct hub_contact *h, bool again, const struct exchange_time *time)
{
    struct exchange_link shown;
    if (!dialing_way_is_new(&h->dialing, again)) return;
    if (!h->dialing.link) {
        dialing_hurry(&h->dialing, true, time->now_ms);
        return;
    }
    exchange_link(h->options.exchange, h->dialing.link, &shown);
    bool live = shown.state == EXCHANGE_LINK_LIVE && shown.session.greeted;
    if (live && way_stands(zmq_link_way(h->dialing.link)))
        ask_hub(h, true, time);
    else if (shown.state != EXCHANGE_LINK_ENDED)
        restart(h, time);
}

/* --- the link --- */

static void take_keys(struct hub_contact *h, struct txn *t, const struct roster *roster)
{
    const struct dial_place *place = place_of(h);
    const struct device *self = roster_device(roster, &store_identity(txn_store(t))->device);
    struct dial_keys keys[DIAL_KEYS_MAX];
    size_t count =
        key_change_dial(keys, t, roster, &place->device, &place->transport, self, h->options.keys);
    if (count != h->key_count || memcmp(keys, h->keys, count * sizeof keys[0]) != 0) {
        memcpy(h->keys, keys, count * sizeof keys[0]);
        h->key_count = count;
        h->key_at = 0;
    }
    crypto_wipe(keys, sizeof keys);
    if (sign_key_equal(&h->device, &place->device) && h->dialing.rtt_ms) return;
    h->device = place->device;
    h->dialing.rtt_ms = known_rtt_ms(t, &h->device);
}

/* The hub of this place, its keys (it may have changed them, or this device its own), how far it
 * is. */
static enum err look_at_place(struct hub_contact *h)
{
    struct txn *t = NULL;
    const struct roster *roster;
    enum err err = txn_begin(h->options.store, false, &t);
    if (err) return err;
    err = views_roster(h->options.views, t, &roster);
    if (!err) take_keys(h, t, roster);
    txn_abort(t);
    return err ? err : h->key_count ? OK : ERR_NOT_FOUND;
}

static void start_link(struct hub_contact *h, const struct exchange_time *time)
{
    enum err err = look_at_place(h);
    h->live = h->good = h->learned = h->again = false;
    h->moved = h->idle_ms = 0;
    h->moved_ms = time->now_ms;
    if (!err) {
        const struct dial_keys *keys = &h->keys[h->key_at];
        dialing_use(&h->dialing, &keys->key, &keys->secret);
        err = dialing_start(&h->dialing, &keys->peer, time->now_ms);
    } else {
        dialing_failed(&h->dialing, time->now_ms);
    }
    if (!err && (err = exchange_add_link(h->options.exchange, h->dialing.link, true)))
        dialing_end(&h->dialing, DIALING_FAILED, time->now_ms);
    if (err) log_write(LOG_WARN, "cannot dial %s: %s", dialing_address(&h->dialing), err_text(err));
}

/* Somebody is there and our keys and his do not fit: the next ones are tried, each once in a row.
 */
static bool next_keys(struct hub_contact *h)
{
    if (h->key_count < 2) return false;
    h->key_at = (h->key_at + 1) % h->key_count;
    h->barred++;
    return h->barred % h->key_count != 0;
}

static void end_link(struct hub_contact *h, const struct exchange_link *shown,
                     const struct exchange_time *time)
{
    enum err err = shown->err;
    const char *text = shown->text;
    const char *address = dialing_address(&h->dialing);
    bool last_address = h->dialing.next_address + 1 >= h->dialing.address_count;
    bool patient = !dialing_patience_ms(&h->dialing);
    if (!text[0]) (void)zmq_link_ended(h->dialing.link, &err, &text);
    log_write(h->live ? LOG_INFO : LOG_WARN, "hub at %s: %s", address, text[0] ? text : "ended");
    bool other_keys = !h->live && zmq_link_was_barred(h->dialing.link) && next_keys(h);
    exchange_remove_link(h->options.exchange, h->dialing.link);
    dialing_end(&h->dialing,
                other_keys             ? DIALING_OTHER_KEYS
                : err == ERR_FORBIDDEN ? DIALING_TURNED_AWAY
                : h->good              ? DIALING_GOOD
                                       : DIALING_FAILED,
                time->now_ms);
    if (!h->live) remember_failure(h, err ? err : ERR_UNREACHABLE, time);
    if (other_keys) return;
    if (h->again)
        dialing_hurry(&h->dialing, false, time->now_ms);
    else if (h->asked && (h->live ? !h->good : last_address && (patient || err != ERR_TIMEOUT)))
        h->answer_due = true; /* else the next attempt may have it */
}

/* Connected for a while to another hub than the first: maybe that one is there again. */
static bool is_second_choice(const struct hub_contact *h, const struct exchange_time *time)
{
    uint64_t patience_ms = (uint64_t)h->dialing.options.retry_max_s * 1000 * RETURN_AFTER;
    return time->now_ms - h->idle_ms >= patience_ms &&
           !sign_key_equal(&h->plan.places[0].device, &h->device);
}

static void look_at_session(struct hub_contact *h, const struct session_status *s,
                            const struct exchange_time *time)
{
    uint64_t moved = s->sent_events + s->received_events;
    if (moved != h->moved) {
        h->moved = moved;
        h->moved_ms = time->now_ms;
    }
    if (!h->live) log_write(LOG_INFO, "hub at %s: connected", dialing_address(&h->dialing));
    h->live = true;
    h->barred = 0;
    h->dialing.rtt_ms = s->rtt_ms;
    if (s->idle || moved || s->passed_bytes) {
        h->good = true;
        h->dialing.rounds = 0;
    }
    if (!s->idle || !h->idle_ms) h->idle_ms = s->idle ? time->now_ms : 0;
    if (!s->idle || time->now_ms - h->idle_ms < SETTLED_MS) return;
    h->again = false;
    if (!h->learned) {
        h->learned = true;
        if (clock_learn_from(h->options.store, &h->device))
            log_write(LOG_WARN, "the hub's time was not kept");
    }
    if (h->asked) answer(h);
    if (time->now_ms - h->moved_ms >= RENEW_MS || is_second_choice(h, time)) renew(h);
}

void hub_contact_before_turn(struct hub_contact *h, const struct exchange_time *time)
{
    take_plan(h);
    if (dialing_due(&h->dialing, time->now_ms)) start_link(h, time);
    if (h->dialing.link) zmq_link_tick(h->dialing.link, time->now_ms);
}

void hub_contact_after_turn(struct hub_contact *h, const struct exchange_time *time)
{
    struct exchange_link shown;
    enum err err;
    const char *text;
    bool nobody = !h->dialing.address_count;
    if (h->answer_due || (h->asked && nobody)) answer(h);
    if (!h->dialing.link) return;
    exchange_link(h->options.exchange, h->dialing.link, &shown);
    if (shown.state == EXCHANGE_LINK_LIVE) look_at_session(h, &shown.session, time);
    if (shown.state == EXCHANGE_LINK_ENDED || zmq_link_ended(h->dialing.link, &err, &text))
        end_link(h, &shown, time);
}

int hub_contact_fd(const struct hub_contact *h)
{
    return h->dialing.link ? zmq_link_fd(h->dialing.link) : -1;
}

uint64_t hub_contact_wait_ms(const struct hub_contact *h, uint64_t now_ms)
{
    if (h->answer_due) return 0;
    uint64_t wait_ms = dialing_wait_ms(&h->dialing, now_ms);
    bool settling = h->dialing.link && h->idle_ms && (!h->learned || h->asked);
    uint64_t settled_ms = h->idle_ms + SETTLED_MS;
    if (settling && settled_ms > now_ms && settled_ms - now_ms < wait_ms)
        return settled_ms - now_ms;
    return wait_ms;
}

void hub_contact_finish(struct hub_contact *h)
{
    if (h->dialing.link) exchange_finish(h->options.exchange, h->dialing.link);
}

void hub_contact_close(struct hub_contact *h)
{
    if (h->dialing.link && h->options.exchange)
        exchange_remove_link(h->options.exchange, h->dialing.link);
    dialing_close(&h->dialing);
    crypto_wipe(h->keys, sizeof h->keys);
}
