/* Doing what sessions ask for. */
#include "node/exchange_state.h"
#include "node/key_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is remembered --- */

/* The points of one feed in a vector of the peer's row are now these. */
static void remember_points(struct exchange *x, struct peer *p, struct peer_have **vector,
                            size_t *count, const struct session_action *a)
{
    if (peer_have_set(vector, count, a->feed.id8, a->points, a->point_count)) peer_changed(x, p);
}

static void remember_hello(struct exchange *x, struct peer *p, const struct frame_hello *h)
{
    struct peer_row *row = &p->row;
    exchange_towns_hello(x, p, h);
    memcpy(row->generation, h->generation, sizeof row->generation);
    row->credit = h->credit;
    row->disk_free_mib = h->disk_free_mib;
    row->clock_trusted = h->time_trusted;
    row->clock_offset_ms = (int64_t)(h->time_ms - x->time.clock.wall_ms);
    if (h->has_views || !p->told) peer_told_views(x, p, ++p->told, h->has_views, h->views8);
}

/* --- actions --- */

static enum err complete_receipt(struct exchange *x, struct frame_receipt *f, struct buf *entries)
{
    struct txn *t = NULL;
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    err = frame_receipt_complete(f, entries, receipt_whole_id, t);
    txn_abort(t);
    return err;
}

/* By whichever of its keys, the newest first. */
static enum err verify_receipt(const struct peer *p, const struct frame_receipt *f,
                               const struct receipt_parties *parties)
{
    enum err err = ERR_SIGNATURE;
    struct sign_key key;
    for (size_t i = 0; err == ERR_SIGNATURE && peer_key_at(p, i, &key); i++)
        err = frame_receipt_verify_by(f, parties, &key);
    return err;
}

static void act_receipt(struct exchange *x, struct peer *p, struct slice frame)
{
    struct frame_receipt f;
    struct receipt_parties parties = {.township = x->identity->township,
                                      .receiver = p->device.first,
                                      .addressee = x->identity->device};
    memcpy(parties.generation, p->row.generation, sizeof parties.generation);
    if (x->options.rehearsal) {
        session_receipt_verified(p->session, OK, x->time.now_ms);
        return;
    }
    struct buf entries = {0};
    enum err err = frame_receipt_read(&f, frame);
    if (!err) err = complete_receipt(x, &f, &entries);
    if (!err) err = verify_receipt(p, &f, &parties);
    if (!err) {
        /* A neighbour's proves nothing to anybody: it is taken, and not kept (W3). */
        struct pending_receipt *r = peer_is_neighbour(x, p) ? NULL : calloc(1, sizeof *r);
        if (r) {
            r->from = p->device.first;
            r->counter = f.counter;
            r->signature = f.signature;
            receipt_body_write(&r->body, &parties, &f);
            x->receipt_bytes += r->body.size;
            r->next = x->receipts;
            x->receipts = r;
        }
        peer_told_views(x, p, ++p->told, f.has_views, f.views8);
    }
    buf_clear(&entries);
    session_receipt_verified(p->session, err, x->time.now_ms);
}

/* By a key that the peer can know: while it has not told all that it holds, the first, for its
 * store may be an older one than the one that was told of a change. */
static const struct signer *signer_for(struct exchange *x, struct txn *t, const struct peer *p)
{
    const struct roster *roster;
    const struct signer *signer;
    const struct device_keys *keys = x->options.keys;
    if (views_roster(x->views, t, &roster)) return &keys->signer;
    const struct device *self = roster_device(roster, &x->identity->device);
    struct session_status status;
    session_status(p->session, &status);
    if (!status.told && (signer = device_keys_signer(keys, &x->identity->device))) return signer;
    return key_change_signer_for(&signer, t, roster, self, keys, &p->row) ? &keys->signer : signer;
}

static void act_confirm(struct exchange *x, struct peer *p, const struct session_action *a)
{
    struct txn *t = NULL;
    struct frame_receipt f = {.counter = exchange_next_counter(x),
                              .time_ms = x->time.clock.wall_ms,
                              .credit = a->credit,
                              .entry_count = a->entry_count};
    const struct signer *signer = &x->options.keys->signer;
    if (txn_begin(x->store, false, &t) == OK) {
        f.has_views = peer_views(x, t, p, f.views8);
        signer = signer_for(x, t, p);
        txn_abort(t);
    }
    struct receipt_parties parties = {.township = x->identity->township,
                                      .receiver = x->identity->device,
                                      .addressee = p->device.first};
    memcpy(parties.generation, x->identity->generation, sizeof parties.generation);
    struct buf out = {0};
    frame_receipt_write(&out, &f, a->entries, &parties, signer);
    if (!out.err) peer_send(p, buf_slice(&out));
    buf_clear(&out);
}

static void act_store(struct exchange *x, struct peer *p, const struct session_action *a)
{
    struct pending_store *s = calloc(1, sizeof *s);
    if (s) {
        s->peer = p;
        s->ticket = a->ticket;
        s->feed = a->feed;
        s->run = a->run;
        s->has_views = a->has_views;
        memcpy(s->views8, a->views8, sizeof s->views8);
        s->told = ++p->told;
        buf_append_slice(&s->payload, a->run.payload);
    }
    if (!s || s->payload.err) {
        free(s);
        session_stored(p->session, a->ticket, ERR_NOMEM, NULL, (struct session_points){0},
                       x->time.now_ms);
        return;
    }
    s->run.payload = buf_slice(&s->payload);
    x->store_bytes += s->payload.size;
    *x->stores_tail = s;
    x->stores_tail = &s->next;
}

static void act_build(struct exchange *x, struct peer *p, const struct session_action *a)
{
    struct pending_build *b = calloc(1, sizeof *b);
    if (!b) {
        session_built(p->session, a->ticket, ERR_NOMEM, NULL, (struct session_points){0},
                      x->time.now_ms);
        return;
    }
    b->peer = p;
    b->action = *a;
    *x->builds_tail = b;
    x->builds_tail = &b->next;
}

static void act_end(struct exchange *x, struct peer *p, const struct session_action *a)
{
    exchange_log(
        x, a->refused ? LOG_WARN : LOG_INFO, "peer %02x%02x%02x: %s%s", p->device.first.bytes[0],
        p->device.first.bytes[1], p->device.first.bytes[2],
        a->refused ? a->by_peer ? "refused us: " : "refused: " : "session over: ", a->text);
    if (a->refused) {
        p->row.state = PEER_FAULT;
        p->row.last_error = ERR_FORBIDDEN;
        p->row.failures++;
        if (!a->by_peer) p->row.refusals++;
        peer_changed(x, p);
    }
    /* the last words and the goodbye may come in one turn */
    struct session_status status;
    session_status(p->session, &status);
    if (!a->refused && status.idle) peer_succeeded(x, p, &status);
    for (struct attached *l = x->links; l; l = l->next) {
        if (l->link != p->link) continue;
        if (a->refused) l->moved.refused = a->refused;
        if (!l->connecting) continue;
        l->shown.state = EXCHANGE_LINK_ENDED;
        l->shown.err = a->refused ? ERR_FORBIDDEN : OK;
        l->shown.refused = a->refused;
        l->shown.session = status;
        snprintf(l->shown.text, sizeof l->shown.text, "%s", a->text);
    }
    p->closing = true;
    p->closing_ms = x->time.now_ms;
}

void peer_act(struct exchange *x, struct peer *p)
{
    struct session_action a;
    while (session_next(p->session, &a)) {
        switch (a.type) {
        case SESSION_SEND:
            peer_send(p, a.frame);
            break;
        case SESSION_BUILD:
            act_build(x, p, &a);
            break;
        case SESSION_STORE:
            act_store(x, p, &a);
            break;
        case SESSION_CONFIRM:
            act_confirm(x, p, &a);
            break;
        case SESSION_RECEIPT:
            act_receipt(x, p, a.frame);
            break;
        case SESSION_ARRIVED:
            remember_points(x, p, &p->row.have, &p->row.have_count, &a);
            exchange_note_told(x, p, a.feed.id8);
            p->arrived = true;
            break;
        case SESSION_SHOWN:
            remember_points(x, p, &p->row.shown, &p->row.shown_count, &a);
            break;
        case SESSION_PEER:
            remember_hello(x, p, &a.hello);
            p->hello_taken = true;
            x->met |= !peer_is_neighbour(x, p); /* it does not hold all that this device said */
            break;
        case SESSION_TOWN:
            exchange_take_town(x, p, a.frame);
            break;
        case SESSION_ALARM:
            exchange_log(x, LOG_WARN, "peer %02x%02x%02x: %s", p->device.first.bytes[0],
                         p->device.first.bytes[1], p->device.first.bytes[2], a.text);
            break;
        case SESSION_END:
            act_end(x, p, &a);
            break;
        }
    }
}
