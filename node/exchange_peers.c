#include "node/exchange_state.h"

#include "node/store/erase.h"
#include "node/link/meter.h"

#include <stdlib.h>
#include <string.h>

struct peer *peer_find(struct exchange *x, const struct link *link, uint64_t handle)
{
    for (struct peer *p = x->peers; p; p = p->next)
        if (p->link == link && p->handle == handle) return p;
    return NULL;
}

bool peer_views(struct exchange *x, struct txn *t, const struct peer *p, uint8_t out8[8])
{
    const struct roster *roster;
    if (views_roster(x->views, t, &roster) != OK) return false;
    const struct device *self = roster_device(roster, &x->identity->device);
    return self && views_shared8(t, self, &p->device, out8) == OK;
}

uint64_t peer_window(const struct exchange *x)
{
    uint64_t peers = 1;
    for (const struct peer *p = x->peers; p; p = p->next) peers++;
    uint64_t window = CREDIT_TOTAL / peers;
    if (x->options.month_bytes_max && window > x->month_room) window = x->month_room;
    if (window > CREDIT_PEER_MAX) return CREDIT_PEER_MAX;
    return window < CREDIT_PEER_MIN ? CREDIT_PEER_MIN : window;
}

static struct have_entry *entries_of(const struct peer_have *vector, size_t count)
{
    struct have_entry *have = calloc(count + 1, sizeof *have);
    for (size_t i = 0; have && i < count; i++) {
        memcpy(have[i].feed.id8, vector[i].feed8, sizeof have[i].feed.id8);
        have[i].seq = vector[i].seq;
        memcpy(have[i].id8, vector[i].id8, sizeof have[i].id8);
    }
    return have;
}

static enum err open_session(struct exchange *x, struct txn *t, struct peer *p, bool known)
{
    struct store_space space = {0};
    if (store_space(x->store, &space) != OK) space.disk_free = 0;
    struct session_options options = {
        .connecting = p->connecting,
        .time_ms = x->time.clock.wall_ms,
        .time_trusted = x->time.clock.trusted,
        .disk_free_mib = space.disk_free >> 20,
        .software = "sidan " SIDAN_VERSION,
        .window = peer_window(x),
        .limited = x->options.month_bytes_max != 0,
        .room = x->month_room,
        .memory = {.known = known,
                   .cut = p->row.cut,
                   .cut_bytes = p->row.cut_bytes,
                   .cut_sending = p->row.cut_sending,
                   .credit = p->row.credit,
                   .rate_bps = p->row.rate_bps,
                   .rtt_ms = p->row.rtt_ms},
    };
    memcpy(options.township8, x->identity->township.bytes, sizeof options.township8);
    memcpy(options.generation, x->identity->generation, sizeof options.generation);
    options.has_views = peer_views(x, t, p, options.views8);
    options.has_towns = towns_digest8(t, options.towns8);
    options.says_towns = memcmp(options.towns8, p->row.towns8, sizeof options.towns8) != 0;
    struct session_outgoing outgoing[OUTGOING_MAX];
    struct slice unfinished = p->row.unfinished_new ? buf_slice(&p->row.unfinished)
                                                    : peer_unfinished(t, &p->device.first);
    unfinished_read(unfinished, &options.memory, outgoing);
    struct have_entry *have = entries_of(p->row.have, p->row.have_count);
    struct have_entry *shown = entries_of(p->row.shown, p->row.shown_count);
    struct session_feed *feeds = calloc(x->feed_count + 1, sizeof *feeds);
    size_t count = 0;
    for (size_t i = 0; feeds && i < x->feed_count; i++)
        if (peer_may_hold(p, &x->feeds[i].feed) && !(x->options.rehearsal && x->feeds[i].hidden))
            session_feed_for(t, p, (uint32_t)i + 1, &x->feeds[i], NULL, &feeds[count++]);
    options.memory.have = have;
    options.memory.have_count = p->row.have_count;
    options.memory.shown = shown;
    options.memory.shown_count = p->row.shown_count;
    memcpy(options.memory.generation, p->row.generation, sizeof options.memory.generation);
    enum err err = ERR_NOMEM;
    if (have && shown && feeds)
        err = session_open(&p->session, &options, feeds, count, x->time.now_ms);
    free(have);
    free(shown);
    free(feeds);
    return err;
}

/* A device has one session: a newer connection of it replaces an older one. */
static void close_older(struct exchange *x, const struct peer *newer)
{
    for (struct peer *p = x->peers, *next; p; p = next) {
        next = p->next;
        if (p->link != newer->link || !sign_key_equal(&p->device.first, &newer->device.first))
            continue;
        p->link->ops->drop(p->link, p->handle);
        peer_close(x, p, OK, "replaced by a newer connection");
    }
}

static size_t forget_hidden(const struct exchange *x, struct peer_have *vector, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool hidden = false;
        for (size_t j = 0; j < x->feed_count && !hidden; j++)
            hidden = x->feeds[j].hidden && memcmp(x->feeds[j].id.bytes, vector[i].feed8, 8) == 0;
        if (!hidden) vector[kept++] = vector[i];
    }
    return kept;
}

void exchange_forget_hidden(const struct exchange *x, struct peer_row *row)
{
    row->have_count = forget_hidden(x, row->have, row->have_count);
    row->shown_count = forget_hidden(x, row->shown, row->shown_count);
}

/* What is known of the peer: of its last session, written or not. */
static bool recall(struct exchange *x, struct txn *t, struct peer *p)
{
    for (size_t i = x->gone_count; i > 0; i--) {
        struct peer_row *gone = &x->gone[i - 1];
        if (!sign_key_equal(&gone->device, &p->device.first)) continue;
        p->row = *gone;
        memmove(gone, gone + 1, (x->gone_count - i) * sizeof *gone);
        x->gone_count--;
        return true;
    }
    bool known = peer_get(t, &p->device.first, &p->row);
    if (x->options.rehearsal) exchange_forget_hidden(x, &p->row);
    return known;
}

enum err peer_open(struct exchange *x, struct attached *a, const struct link_event *event,
                   struct peer **out)
{
    struct txn *t = NULL;
    const struct roster *roster;
    const struct device *device = NULL;
    struct peer *p = NULL;
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    err = views_roster(x->views, t, &roster);
    if (!err) device = roster_transport(roster, &event->key);
    struct device introduced = {0};
    if (!err && !device && a->connecting)
        device = peer_introduce(t, roster, &event->key, &introduced);
    if (!err && !device) err = ERR_FORBIDDEN;
    if (!err && !(p = calloc(1, sizeof *p))) err = ERR_NOMEM;
    if (!err) {
        *p = (struct peer){
            .link = a->link, .handle = event->peer, .connecting = a->connecting, .key = event->key};
        p->unsent_tail = &p->unsent;
        err = peer_set_device(p, roster, device);
    }
    if (!err) {
        close_older(x, p); /* before what it leaves is recalled */
        static const uint8_t never[8];
        bool known = recall(x, t, p) &&
                     memcmp(p->row.generation, never, sizeof never) != 0; /* its HELLO was seen */
        p->row.device = p->device.first;
        p->row.last_attempt_ms = x->time.clock.wall_ms;
        p->row.state = PEER_SYNCING;
        err = open_session(x, t, p, known);
    }
    txn_abort(t);
    if (err) {
        exchange_log(x, LOG_WARN, "a connection was not taken: %s", err_text(err));
        if (p) peer_row_clear(&p->row);
        if (p) buf_clear(&p->keys);
        free(p);
        return err;
    }
    p->next = x->peers;
    x->peers = p;
    a->shown.state = EXCHANGE_LINK_LIVE;
    peer_changed(x, p);
    *out = p;
    return OK;
}

static void drop_pending(struct exchange *x, const struct peer *p)
{
    for (struct pending_store **at = &x->stores; *at;) {
        struct pending_store *s = *at;
        if (s->peer != p) {
            at = &s->next;
            continue;
        }
        x->store_bytes -= s->payload.size;
        *at = s->next;
        buf_clear(&s->payload);
        free(s);
    }
    for (x->stores_tail = &x->stores; *x->stores_tail;) x->stores_tail = &(*x->stores_tail)->next;
    for (struct pending_build **at = &x->builds; *at;) {
        struct pending_build *b = *at;
        if (b->peer != p) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        free(b);
    }
    for (x->builds_tail = &x->builds; *x->builds_tail;) x->builds_tail = &(*x->builds_tail)->next;
}

/* What is known of a peer outlives its session: written with the next commit. */
static void keep_row(struct exchange *x, struct peer *p)
{
    struct peer_row *gone = realloc(x->gone, (x->gone_count + 1) * sizeof *gone);
    if (gone) {
        x->gone = gone;
        if (!x->gone_count) x->gone_ms = x->time.now_ms;
        gone[x->gone_count++] = p->row;
    } else {
        peer_row_clear(&p->row);
    }
    p->row = (struct peer_row){0};
}

static void keep_rate(struct peer *p, const struct session_status *status)
{
    if (status->rate_bps) p->row.rate_bps = status->rate_bps;
    if (status->rtt_ms) p->row.rtt_ms = status->rtt_ms;
}

/* Runs with boxes that were erased since are sent and received like any other, and not kept. */
static void keep_unfinished(struct peer *p)
{
    struct session_unfinished in;
    struct session_outgoing out;
    if (!session_unfinished(p->session, &in) && !session_outgoing(p->session, 0, &out))
        p->forgets = false;
    unfinished_write(&p->row.unfinished, p->session);
    if (p->forgets) buf_clear(&p->row.unfinished);
    p->row.unfinished_new = true;
}

static void forget_erased(struct exchange *x, struct txn *t)
{
    uint64_t erased = erase_serial(t);
    if (erased == x->erased) return;
    x->erased = erased;
    for (size_t i = 0; i < x->gone_count; i++) {
        buf_clear(&x->gone[i].unfinished);
        x->gone[i].unfinished_new = true;
    }
    for (struct peer *p = x->peers; p; p = p->next) p->forgets = true;
}

/* As on the wire, the connection's handshake included, without what is hidden. */
static void note_bytes(struct peer *p, const struct session_status *status)
{
    uint64_t sent = meter_of_frames(status->sent_frames, status->sent_bytes);
    uint64_t received = meter_of_frames(status->received_frames, status->received_bytes);
    sent += p->connecting ? METER_DIALLER_HANDSHAKE : METER_LISTENER_HANDSHAKE;
    received += p->connecting ? METER_LISTENER_HANDSHAKE : METER_DIALLER_HANDSHAKE;
    p->row.bytes_sent += sent - p->noted_sent;
    p->row.bytes_received += received - p->noted_received;
    p->noted_sent = sent;
    p->noted_received = received;
}

static void add_moved(struct exchange_moved *sum, const struct peer *p,
                      const struct session_status *status)
{
    sum->sent_events += status->sent_events;
    sum->received_events += status->received_events;
    sum->bytes += status->sent_bytes + status->received_bytes;
    sum->frames += status->sent_frames + status->received_frames;
    if (!status->greeted) return;
    uint64_t lacked = status->unsent + status->sent_events; /* as it greeted */
    if (sign_key_equal(&sum->peer, &p->device.first) && sum->unsent > lacked)
        sum->sent_events += sum->unsent - lacked; /* its receipt was lost */
    sum->settled = status->idle;
    sum->peer = p->device.first;
    sum->unsent = status->unsent;
}

static void note_moved(struct exchange *x, const struct peer *p,
                       const struct session_status *status)
{
    for (struct attached *a = x->links; a; a = a->next) {
        if (a->link != p->link) continue;
        add_moved(&a->moved, p, status);
        a->moved.goodbyes += p->closing && status->greeted && status->idle;
    }
}

void exchange_moved(const struct exchange *x, const struct link *link, struct exchange_moved *out)
{
    *out = (struct exchange_moved){0};
    for (const struct attached *a = x->links; a; a = a->next)
        if (a->link == link) *out = a->moved;
    for (const struct peer *p = x->peers; p; p = p->next) {
        struct session_status status;
        if (p->link != link) continue;
        session_status(p->session, &status);
        add_moved(out, p, &status);
    }
}

void peer_close(struct exchange *x, struct peer *p, enum err err, const char *text)
{
    drop_pending(x, p);
    struct session_status status;
    session_status(p->session, &status);
    note_moved(x, p, &status);
    if (text[0])
        exchange_log(x, LOG_INFO, "peer %02x%02x%02x: closed: %s", p->device.first.bytes[0],
                     p->device.first.bytes[1], p->device.first.bytes[2], text);
    if (status.greeted) {
        p->row.cut = !p->closing && !status.idle;
        p->row.cut_bytes = status.passed_bytes;
        p->row.cut_sending = p->row.cut && status.unanswered_bytes > 0;
    }
    keep_rate(p, &status);
    keep_unfinished(p);
    note_bytes(p, &status);
    if (p->row.state != PEER_FAULT) p->row.state = PEER_OFFLINE;
    if (err) {
        p->row.last_error = err;
        p->row.failures++;
    }
    keep_row(x, p);
    for (struct peer **at = &x->peers; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    while (p->unsent) {
        struct unsent *u = p->unsent;
        p->unsent = u->next;
        buf_clear(&u->frame);
        free(u);
    }
    exchange_courier_forget(p);
    session_close(p->session);
    buf_clear(&p->keys);
    free(p);
}

/* --- sending --- */

void peer_flush_unsent(struct peer *p)
{
    while (p->unsent) {
        struct unsent *u = p->unsent;
        enum err err = p->link->ops->send(p->link, p->handle, buf_slice(&u->frame));
        if (err == ERR_AGAIN) return;
        p->unsent = u->next;
        if (!p->unsent) p->unsent_tail = &p->unsent;
        p->unsent_bytes -= u->frame.size;
        buf_clear(&u->frame);
        free(u);
    }
}

void peer_send(struct peer *p, struct slice frame)
{
    peer_flush_unsent(p);
    if (!p->unsent) {
        enum err err = p->link->ops->send(p->link, p->handle, frame);
        if (err != ERR_AGAIN) return; /* a peer that is gone is told by LINK_DOWN */
    }
    /* Over the bound all that follows is lost: the peer goes with this turn. */
    struct unsent *u = peer_is_stuck(p) ? NULL : calloc(1, sizeof *u);
    if (!u) return;
    buf_append_slice(&u->frame, frame);
    p->unsent_bytes += u->frame.size;
    *p->unsent_tail = u;
    p->unsent_tail = &u->next;
}

bool peer_is_stuck(const struct peer *p)
{
    return p->unsent_bytes > PEER_UNSENT_MAX;
}

/* The roster changed: who the peer is and what it may hold may have changed with it. */
void peers_look_at_roster(struct exchange *x, struct txn *t, const struct roster *roster)
{
    for (struct peer *p = x->peers; p; p = p->next) {
        const struct device *device = peer_device_now(p, roster);
        if (p->closing || (!device && !roster->founded)) continue;
        if (!device) {
            exchange_log(x, LOG_WARN, "peer %02x%02x%02x is not in the roster any more",
                         p->device.first.bytes[0], p->device.first.bytes[1],
                         p->device.first.bytes[2]);
            session_finish(p->session);
            continue;
        }
        bool same =
            p->device.roles == device->roles && strcmp(p->device.village, device->village) == 0;
        if (peer_set_device(p, roster, device)) session_finish(p->session);
        for (size_t i = 0; !same && i < x->feed_count; i++) {
            struct session_feed shown;
            if (!peer_may_hold(p, &x->feeds[i].feed)) continue;
            session_feed_for(t, p, (uint32_t)i + 1, &x->feeds[i], NULL, &shown);
            if (shown.head_count) session_heads(p->session, &shown, x->time.now_ms);
        }
    }
}

/* --- what is remembered --- */

void peer_changed(struct exchange *x, struct peer *p)
{
    if (!p->row_changed) p->row_changed_ms = x->time.now_ms;
    p->row_changed = true;
}

void peer_told_views(struct exchange *x, struct peer *p, uint64_t told, bool has_views,
                     const uint8_t views8[8])
{
    if (told < p->views_of) return;
    p->views_of = told;
    p->row.has_views = has_views;
    memcpy(p->row.views8, views8, sizeof p->row.views8);
    peer_changed(x, p);
}

void peer_succeeded(struct exchange *x, struct peer *p, const struct session_status *status)
{
    p->row.last_ok_ms = x->time.clock.wall_ms;
    p->row.failures = 0;
    p->row.last_error = OK;
    keep_rate(p, status);
    note_bytes(p, status);
    peer_changed(x, p);
}

/* Of a device that was revoked no run is kept: they hold boxes. */
static void write_row(struct exchange *x, struct txn *t, struct peer_row *row)
{
    const struct roster *roster;
    if (views_roster(x->views, t, &roster) == OK && peer_is_revoked(roster, &row->device)) {
        buf_reset(&row->unfinished);
        row->unfinished_new = true;
    }
    peer_put(t, row);
}

void peers_write(struct exchange *x, struct txn *t)
{
    exchange_traffic_write(x, t);
    forget_erased(x, t);
    /* The older first: a device that came back has a newer row below. */
    for (size_t i = 0; i < x->gone_count; i++) {
        write_row(x, t, &x->gone[i]);
        peer_row_clear(&x->gone[i]);
    }
    x->gone_count = 0;
    for (struct peer *p = x->peers; p; p = p->next) {
        if (!p->row_changed) continue;
        keep_unfinished(p);
        write_row(x, t, &p->row);
        buf_clear(&p->row.unfinished); /* the session holds them: not twice for each peer */
        p->row.unfinished_new = false;
        p->row_changed = false;
    }
    while (x->receipts) {
        struct pending_receipt *r = x->receipts;
        x->receipts = r->next;
        receipt_put(t, &r->from, r->counter, buf_slice(&r->body), &r->signature);
        buf_clear(&r->body);
        free(r);
    }
    x->receipt_bytes = 0;
}
