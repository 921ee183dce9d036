#include "node/rehearsal.h"

#include "node/exchange_state.h"
#include "node/link/meter.h"

#include <stdlib.h>
#include <string.h>

#define HANDSHAKE_ROUND_TRIPS 5 /* of a cold CURVE connection, TCP included; measured */
#define STEP_US 1000000         /* timers are looked at so often */
#define STEPS_MAX 1000000u
#define GOODBYE_SIZE 2u
#define EVENT_BYTES 64u /* of one that the peer holds, where no run of ours tells better */

struct parcel {
    struct parcel *next;
    uint64_t at_us; /* it arrives */
    struct buf frame;
};

struct wire {
    struct parcel *first, **tail;
    uint64_t free_us, bytes;
};

struct scene {
    struct link link; /* first: ours */
    const struct rehearsal_options *options;
    struct exchange *x;
    struct wire up, down;
    struct link_traffic told;
    struct parcel *taken;
    uint64_t now_us, rate_bps, rtt_ms;
    bool shown_up, over;

    /* the stand-in */
    struct session *peer;
    struct session_feed *feeds; /* as it holds them */
    size_t feed_count, feed_capacity;
    uint64_t receipts;
};

/* --- the wire --- */

static void carry(struct scene *s, struct wire *w, uint64_t bytes)
{
    uint64_t from_us = w->free_us > s->now_us ? w->free_us : s->now_us;
    w->free_us = from_us + bytes * 8000000 / s->rate_bps;
    w->bytes += bytes;
}

static enum err put(struct scene *s, struct wire *w, struct slice frame)
{
    struct parcel *p = calloc(1, sizeof *p);
    if (p) buf_append_slice(&p->frame, frame);
    if (!p || p->frame.err) {
        free(p);
        return ERR_NOMEM;
    }
    carry(s, w, meter_of_frame(frame.size));
    p->at_us = w->free_us + s->rtt_ms * 500;
    *w->tail = p;
    w->tail = &p->next;
    return OK;
}

static struct parcel *take(struct scene *s, struct wire *w)
{
    struct parcel *p = w->first;
    if (!p || p->at_us > s->now_us) return NULL;
    w->first = p->next;
    if (!w->first) w->tail = &w->first;
    return p;
}

static void parcel_free(struct parcel *p)
{
    if (!p) return;
    buf_clear(&p->frame);
    free(p);
}

/* --- our link --- */

static bool link_next(struct link *l, struct link_event *out)
{
    struct scene *s = (struct scene *)l;
    *out = (struct link_event){.peer = 1, .key = s->options->key, .type = LINK_UP};
    parcel_free(s->taken);
    s->taken = NULL;
    if (!s->shown_up) return s->shown_up = true;
    if (!(s->taken = take(s, &s->down))) return false;
    out->type = LINK_FRAME;
    out->frame = buf_slice(&s->taken->frame);
    return true;
}

static enum err link_send(struct link *l, uint64_t peer, struct slice frame)
{
    struct scene *s = (struct scene *)l;
    (void)peer;
    return put(s, &s->up, frame);
}

static void link_drop(struct link *l, uint64_t peer)
{
    (void)peer;
    ((struct scene *)l)->over = true;
}

static bool link_traffic(struct link *l, bool last, struct link_traffic *out)
{
    struct scene *s = (struct scene *)l;
    (void)last;
    *out = (struct link_traffic){.known = true,
                                 .key = s->options->key,
                                 .sent = s->up.bytes - s->told.sent,
                                 .received = s->down.bytes - s->told.received};
    s->told = (struct link_traffic){.sent = s->up.bytes, .received = s->down.bytes};
    return out->sent || out->received;
}

static const struct link_ops ops = {
    .next = link_next, .send = link_send, .drop = link_drop, .traffic = link_traffic};

/* --- the stand-in --- */

static struct session_feed *feed_of(struct scene *s, const uint8_t feed8[8])
{
    for (size_t i = 0; i < s->feed_count; i++)
        if (memcmp(s->feeds[i].id.bytes, feed8, 8) == 0) return &s->feeds[i];
    if (s->feed_count == s->feed_capacity) {
        size_t capacity = s->feed_capacity ? 2 * s->feed_capacity : 32;
        struct session_feed *feeds = realloc(s->feeds, capacity * sizeof *feeds);
        if (!feeds) return NULL;
        s->feeds = feeds;
        s->feed_capacity = capacity;
    }
    struct session_feed *f = &s->feeds[s->feed_count++];
    *f = (struct session_feed){0};
    memcpy(f->id.bytes, feed8, 8);
    return f;
}

/* Of what it told only the first bytes of ids are known; no more of them goes over the link. */
static enum err take_vector(struct scene *s, const struct peer_row *row)
{
    for (size_t i = 0; i < row->have_count; i++) {
        const struct peer_have *h = &row->have[i];
        struct session_feed *f = feed_of(s, h->feed8);
        if (!f) return ERR_NOMEM;
        if (f->head_count == FEED_BRANCHES_MAX) continue;
        struct session_head *head = &f->heads[f->head_count++];
        head->seq = h->seq;
        memcpy(head->id.bytes, h->id8, sizeof h->id8);
    }
    return OK;
}

static struct have_entry *entries_of(const struct peer_have *vector, size_t count)
{
    struct have_entry *have = calloc(count + 1, sizeof *have);
    for (size_t i = 0; have && i < count; i++) {
        have[i].seq = vector[i].seq;
        memcpy(have[i].feed.id8, vector[i].feed8, sizeof have[i].feed.id8);
        memcpy(have[i].id8, vector[i].id8, sizeof have[i].id8);
    }
    return have;
}

/* What it remembers of us is the mirror of what we remember of it. */
static enum err open_peer(struct scene *s, const struct peer_row *row)
{
    const struct store_identity *identity = store_identity(s->options->store);
    struct have_entry *have = entries_of(row->shown, row->shown_count);
    struct have_entry *shown = entries_of(row->have, row->have_count);
    struct session_options options = {
        .time_ms = s->options->time.clock.wall_ms,
        .time_trusted = true,
        .disk_free_mib = row->disk_free_mib,
        .software = "sidan " SIDAN_VERSION,
        .window = row->credit ? row->credit : CREDIT_DEFAULT,
        .has_views = true,
        .memory = {.known = row->have_count != 0,
                   .have = have,
                   .have_count = row->shown_count,
                   .shown = shown,
                   .shown_count = row->have_count,
                   .rate_bps = row->rate_bps,
                   .rtt_ms = row->rtt_ms},
    };
    memcpy(options.township8, identity->township.bytes, sizeof options.township8);
    memcpy(options.generation, row->generation, sizeof options.generation);
    memcpy(options.memory.generation, identity->generation, sizeof options.memory.generation);
    enum err err = take_vector(s, row);
    if (!err) err = have && shown ? OK : ERR_NOMEM;
    if (!err) err = session_open(&s->peer, &options, s->feeds, s->feed_count, s->now_us / 1000);
    free(have);
    free(shown);
    return err;
}

/* The event that a run of ours ends at. */
static enum err last_of(struct txn *t, const struct session_action *a, struct feed_row *row,
                        struct session_head *last)
{
    uint64_t arrival;
    size_t count = 0;
    enum err err = feed_find_id8(t, a->feed.id8, row);
    last->seq = a->run.base_seq + a->run.count;
    for (size_t i = 0; !err && i < row->head_count; i++) {
        struct event e;
        bool ours = a->run.base_seq == 0;
        if (row->heads[i].seq < last->seq) continue;
        if (!ours && log_branch(t, row, &row->heads[i], a->run.base_seq, a->run.base_seq, &arrival,
                                &count) == OK)
            ours = count == 1 && log_read(t, arrival, &e) == OK &&
                   memcmp(e.id.bytes, a->run.base_id8, sizeof a->run.base_id8) == 0;
        if (!ours) continue;
        err = log_branch(t, row, &row->heads[i], last->seq, last->seq, &arrival, &count);
        if (!err) err = log_read(t, arrival, &e);
        if (!err) last->id = e.id;
        return err;
    }
    return err ? err : ERR_NOT_FOUND;
}

static void store_run(struct scene *s, const struct session_action *a)
{
    struct txn *t = NULL;
    struct feed_row row = {0};
    struct session_head last = {0};
    struct session_feed *f = NULL;
    enum err err = txn_begin(s->options->store, false, &t);
    if (!err) err = last_of(t, a, &row, &last);
    if (!err && !(f = feed_of(s, a->feed.id8))) err = ERR_NOMEM;
    txn_abort(t);
    if (f) {
        size_t at = 0; /* the head that it follows */
        while (at < f->head_count && memcmp(f->heads[at].id.bytes, a->run.base_id8, 8) != 0) at++;
        if (at == FEED_BRANCHES_MAX) at--;
        if (at == f->head_count) f->head_count++;
        f->feed = row.feed;
        f->id = row.id;
        f->heads[at] = last;
    }
    session_stored(s->peer, a->ticket, err, f, (struct session_points){0}, s->now_us / 1000);
}

static void confirm(struct scene *s, const struct session_action *a)
{
    struct frame_receipt f = {.counter = UINT64_C(1) << 32 | ++s->receipts,
                              .time_ms = s->options->time.clock.wall_ms,
                              .credit = a->credit,
                              .has_views = true,
                              .entry_count = a->entry_count};
    const struct receipt_parties parties = {0};
    struct buf out = {0};
    frame_receipt_write(&out, &f, a->entries, &parties, &s->options->keys->signer);
    if (!out.err) s->over |= put(s, &s->down, buf_slice(&out)) != OK;
    buf_clear(&out);
}

static void peer_act_all(struct scene *s)
{
    struct session_action a;
    const struct session_points none = {0};
    while (session_next(s->peer, &a)) {
        if (a.type == SESSION_SEND && put(s, &s->down, a.frame)) s->over = true;
        if (a.type == SESSION_STORE) store_run(s, &a);
        if (a.type == SESSION_CONFIRM) confirm(s, &a);
        /* it holds what we hold, and has nothing to build from */
        if (a.type == SESSION_BUILD)
            session_built(s->peer, a.ticket, ERR_NOT_FOUND, NULL, none, s->now_us / 1000);
        if (a.type == SESSION_RECEIPT) session_receipt_verified(s->peer, OK, s->now_us / 1000);
        if (a.type == SESSION_END) s->over = true;
    }
}

static void peer_turn(struct scene *s)
{
    struct parcel *p;
    while ((p = take(s, &s->up))) {
        session_frame(s->peer, buf_slice(&p->frame), s->now_us / 1000);
        peer_act_all(s);
        parcel_free(p);
    }
    if (session_deadline_ms(s->peer) <= s->now_us / 1000) {
        session_tick(s->peer, s->now_us / 1000);
        peer_act_all(s);
    }
}

/* --- the play --- */

static enum err our_turn(struct scene *s, uint64_t from_us)
{
    bool more = true;
    enum err err = OK;
    struct exchange_time time = s->options->time;
    time.now_ms = s->now_us / 1000;
    time.clock.wall_ms += (s->now_us - from_us) / 1000;
    while (!err && more) err = exchange_turn(s->x, &time, &more);
    return err;
}

static void handshake(struct scene *s)
{
    carry(s, &s->up, METER_DIALLER_HANDSHAKE);
    carry(s, &s->down, METER_LISTENER_HANDSHAKE);
    s->now_us =
        s->up.free_us + (s->down.free_us - s->now_us) + s->rtt_ms * 1000 * HANDSHAKE_ROUND_TRIPS;
}

static void step(struct scene *s)
{
    uint64_t at_us = s->now_us + STEP_US;
    if (s->up.first && s->up.first->at_us < at_us) at_us = s->up.first->at_us;
    if (s->down.first && s->down.first->at_us < at_us) at_us = s->down.first->at_us;
    s->now_us = at_us > s->now_us ? at_us : s->now_us + 1;
}

static enum err play(struct scene *s, struct rehearsal *out)
{
    struct exchange_link shown = {0};
    uint64_t from_us = s->now_us, runs_up = 0;
    handshake(s);
    enum err err = our_turn(s, from_us);
    exchange_link(s->x, &s->link, &shown);
    if (!err && shown.state != EXCHANGE_LINK_LIVE) err = ERR_FORBIDDEN;
    uint64_t unsent = shown.session.unsent;
    for (unsigned i = 0; !err && !s->over && (s->up.first || s->down.first); i++) {
        if (i == STEPS_MAX) return ERR_TIMEOUT;
        step(s);
        peer_turn(s);
        err = our_turn(s, from_us);
    }
    if (err) return err;
    exchange_link(s->x, &s->link, &shown);
    out->waiting = shown.session.unsent;
    out->events = unsent - out->waiting;
    out->behind = shown.session.behind;
    runs_up = shown.session.sent_bytes;
    uint64_t each = out->events ? runs_up / out->events : EVENT_BYTES;
    carry(s, &s->down, out->behind * each);
    if (s->down.free_us > s->now_us) s->now_us = s->down.free_us;
    carry(s, &s->up, meter_of_frame(GOODBYE_SIZE));
    out->up = s->up.bytes;
    out->down = s->down.bytes;
    out->ms = (s->now_us - from_us) / 1000;
    return OK;
}

static enum err recall(struct scene *s, struct rehearsal *out, struct peer_row *row)
{
    struct txn *t;
    enum err err = txn_begin(s->options->store, false, &t);
    if (err) return err;
    if (!peer_get(t, &s->options->device, row))
        *row = (struct peer_row){.device = s->options->device};
    err = txn_error(t);
    txn_abort(t);
    exchange_forget_hidden(s->x, row);
    out->measured = row->rate_bps && row->rtt_ms;
    s->rate_bps = out->rate_bps = row->rate_bps ? row->rate_bps : REHEARSAL_RATE_BPS;
    s->rtt_ms = out->rtt_ms = row->rtt_ms ? row->rtt_ms : REHEARSAL_RTT_MS;
    return err;
}

enum err rehearsal_run(struct rehearsal *out, const struct rehearsal_options *options)
{
    struct scene s = {
        .link = {.ops = &ops}, .options = options, .now_us = options->time.now_ms * 1000};
    const struct exchange_options exchange = {.store = options->store,
                                              .views = options->views,
                                              .keys = options->keys,
                                              .month_bytes_max = options->month_bytes_max,
                                              .rehearsal = true};
    struct peer_row row = {0};
    struct rehearsal result = {0};
    s.up.tail = &s.up.first;
    s.down.tail = &s.down.first;
    enum err err = exchange_open(&s.x, &exchange);
    if (!err) err = recall(&s, &result, &row);
    if (!err) err = open_peer(&s, &row);
    if (!err) err = exchange_add_link(s.x, &s.link, true);
    if (!err) err = play(&s, &result);
    exchange_close(s.x);
    session_close(s.peer);
    peer_row_clear(&row);
    parcel_free(s.taken);
    for (struct parcel *p; (p = s.up.first); parcel_free(p)) s.up.first = p->next;
    for (struct parcel *p; (p = s.down.first); parcel_free(p)) s.down.first = p->next;
    free(s.feeds);
    if (!err) *out = result;
    return err;
}
