#include "node/exchange_state.h"

#include "node/store/erase.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void exchange_log(struct exchange *x, int level, const char *format, ...)
{
    if (!x->options.log) return;
    char text[320];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    x->options.log(x->options.log_state, level, text);
}

uint64_t exchange_next_counter(struct exchange *x)
{
    struct txn *t = NULL;
    if (++x->receipt_counter % RECEIPT_RANGE) return x->receipt_counter;
    /* A range is used up: the next one is taken as at the start. */
    enum err err = txn_begin(x->store, true, &t);
    if (!err) {
        x->receipt_counter = receipt_range_take(t, true);
        err = txn_commit(t);
    }
    if (err) exchange_log(x, LOG_WARN, "the numbers of receipts were not kept: %s", err_text(err));
    return ++x->receipt_counter;
}

static enum err begin_counters(struct exchange *x)
{
    struct txn *t = NULL;
    bool write = !x->options.rehearsal;
    enum err err = txn_begin(x->store, write, &t);
    if (err) return err;
    x->receipt_counter = receipt_range_take(t, write);
    x->erased = erase_serial(t);
    err = exchange_look_at_feeds(x, t);
    if (err || !write) {
        txn_abort(t);
        return err;
    }
    return txn_commit(t);
}

enum err exchange_open(struct exchange **out, const struct exchange_options *options)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x) return ERR_NOMEM;
    x->options = *options;
    x->store = options->store;
    x->views = options->views;
    x->identity = store_identity(options->store);
    x->month_of_day = UINT32_MAX;
    x->stores_tail = &x->stores;
    x->builds_tail = &x->builds;
    x->maker =
        (struct run_maker){.signer = &options->keys->signer, .raw_per_payload = RUN_MAKER_RATIO};
    const struct recorder_options recorder = {
        .store = x->store,
        .views = x->views,
        .signer = &options->keys->signer,
        .rehearsal = options->rehearsal,
    };
    enum err err = recorder_open(&x->recorder, &recorder);
    if (!err) err = zstd_open(&x->maker.zstd);
    if (!err) err = run_decoder_open(&x->decoder);
    if (!err) err = begin_counters(x);
    if (!err) err = exchange_courier_open(x);
    if (err) {
        exchange_close(x);
        return err;
    }
    *out = x;
    return OK;
}

void exchange_close(struct exchange *x)
{
    if (!x) return;
    while (x->links) exchange_remove_link(x, x->links->link);
    bool kept = !x->options.rehearsal && (x->gone_count || x->receipts || x->counted_count);
    if (kept) {
        struct txn *t = NULL;
        enum err err = txn_begin(x->store, true, &t);
        if (!err) {
            peers_write(x, t);
            err = txn_commit(t);
        }
        if (err)
            exchange_log(x, LOG_WARN, "what is known of peers was not kept: %s", err_text(err));
    }
    for (size_t i = 0; i < x->gone_count; i++) peer_row_clear(&x->gone[i]);
    exchange_towns_clear(x);
    free(x->gone);
    free(x->counted);
    while (x->receipts) {
        struct pending_receipt *r = x->receipts;
        x->receipts = r->next;
        buf_clear(&r->body);
        free(r);
    }
    recorder_close(x->recorder);
    zstd_close(x->maker.zstd);
    run_decoder_close(x->decoder);
    free(x->stock);
    free(x->feeds);
    free(x);
}

enum err exchange_add_link(struct exchange *x, struct link *link, bool connecting)
{
    struct attached *a = calloc(1, sizeof *a);
    if (!a) return ERR_NOMEM;
    a->link = link;
    a->connecting = connecting;
    a->next = x->links;
    x->links = a;
    return OK;
}

void exchange_remove_link(struct exchange *x, struct link *link)
{
    for (struct peer *p = x->peers, *next; p; p = next) {
        next = p->next;
        if (p->link == link) peer_close(x, p, OK, "link removed");
    }
    exchange_forget_joiners(x, link);
    for (struct attached **at = &x->links; *at; at = &(*at)->next) {
        if ((*at)->link != link) continue;
        struct attached *gone = *at;
        exchange_traffic_last(x, link); /* before it is closed */
        *at = gone->next;
        free(gone);
        return;
    }
}

static void link_ended(struct attached *a, enum err err, const char *text)
{
    if (!a->connecting || a->shown.state == EXCHANGE_LINK_ENDED) return;
    a->shown.state = EXCHANGE_LINK_ENDED;
    a->shown.err = err ? err : ERR_UNREACHABLE;
    snprintf(a->shown.text, sizeof a->shown.text, "%s", text ? text : "");
}

static void take_event(struct exchange *x, struct attached *a, const struct link_event *event)
{
    struct peer *p = peer_find(x, a->link, event->peer);
    if (event->invite || (event->type == LINK_DOWN && !p)) exchange_take_joiner(x, a->link, event);
    if (event->type == LINK_DOWN) {
        if (p) peer_close(x, p, event->err, event->text ? event->text : "link down");
        link_ended(a, event->err, event->text);
        return;
    }
    if (event->invite) return;
    if (!p && peer_open(x, a, event, &p) != OK) {
        a->link->ops->drop(a->link, event->peer);
        return;
    }
    struct session_unfinished unfinished;
    if (event->type == LINK_FRAME && !p->closing) {
        session_frame(p->session, event->frame, x->time.now_ms);
        if (session_unfinished(p->session, &unfinished)) peer_changed(x, p);
        exchange_courier_frame(x, p, event->frame);
    }
    peer_act(x, p);
    exchange_hubs_look(x, p);
}

/* Runs count as they come and as they will be opened: that is what the transaction holds in memory,
 * and a few hundred bytes may open to RUN_RAW_SIZE_MAX. */
static bool turn_is_full(const struct exchange *x)
{
    uint64_t raw_size = 0;
    for (const struct pending_store *s = x->stores; s; s = s->next) raw_size += s->run.raw_size;
    return raw_size >= TURN_RAW_MAX || x->store_bytes + x->receipt_bytes >= TURN_BYTES_MAX;
}

static bool drain_links(struct exchange *x)
{
    bool more = false;
    unsigned taken = 0;
    for (struct attached *a = x->links; a; a = a->next) {
        struct link_event event;
        while (taken < TURN_EVENTS_MAX && !turn_is_full(x) && a->link->ops->next(a->link, &event)) {
            taken++;
            take_event(x, a, &event);
        }
        if (taken == TURN_EVENTS_MAX || turn_is_full(x)) more = true;
    }
    return more;
}

/* Peers whose session ended go when their last frames are out, those that take nothing at once. */
static void sweep_peers(struct exchange *x)
{
    for (struct peer *p = x->peers, *next; p; p = next) {
        next = p->next;
        peer_flush_unsent(p);
        bool stuck = peer_is_stuck(p);
        bool over = p->closing && (!p->unsent || x->time.now_ms - p->closing_ms >= CLOSING_MS);
        if (!stuck && !over) continue;
        for (struct attached *a = x->links; stuck && a; a = a->next)
            if (a->link == p->link) link_ended(a, ERR_TIMEOUT, "the peer takes nothing");
        p->link->ops->drop(p->link, p->handle);
        peer_close(x, p, stuck ? ERR_TIMEOUT : OK, stuck ? "takes nothing" : "");
    }
}

/* Writes what is remembered of peers when nothing else was committed for a while. */
static enum err write_peers_if_due(struct exchange *x)
{
    if (x->options.rehearsal) return OK;
    bool due = x->receipt_bytes >= TURN_BYTES_MAX / 2 ||
               (x->gone_count > 0 && x->time.now_ms - x->gone_ms >= FLUSH_IDLE_MS);
    for (const struct peer *p = x->peers; p; p = p->next)
        if (p->row_changed &&
            x->time.now_ms - p->row_changed_ms >= (p->was_idle ? FLUSH_IDLE_MS : FLUSH_AFTER_MS))
            due = true;
    if (!due && x->time.now_ms < traffic_due_ms(x)) return OK;
    struct txn *t = NULL;
    enum err err = txn_begin(x->store, true, &t);
    if (err) return err;
    peers_write(x, t);
    return txn_commit(t);
}

/* A session that has just become idle is a success to remember. */
static void note_idle(struct exchange *x)
{
    for (struct peer *p = x->peers; p; p = p->next) {
        struct session_status status;
        if (p->closing) continue;
        session_status(p->session, &status);
        if (status.idle == p->was_idle) continue;
        p->was_idle = status.idle;
        p->row.state = status.idle ? PEER_SYNCED : PEER_SYNCING;
        peer_changed(x, p);
        if (status.idle) peer_succeeded(x, p, &status);
    }
}

static void tick(struct exchange *x, struct peer *p)
{
    if (session_deadline_ms(p->session) > x->time.now_ms) return;
    const struct link_ops *ops = p->link->ops;
    uint64_t bytes = ops->partial ? ops->partial(p->link, p->handle) : UINT64_MAX;
    if (bytes != UINT64_MAX) session_partial(p->session, bytes, x->time.now_ms);
    session_tick(p->session, x->time.now_ms);
}

/* That an own feed forked is news to the admin, with the machine where it goes on: once all is here
 * that peers show, for a copy of this device may have said it. What cannot be recorded now is said
 * when the feed is next used. */
static enum err tell_fork(struct exchange *x)
{
    x->forked = false;
    enum err err = recorder_continue(x->recorder, &x->time.clock);
    exchange_log(x, LOG_WARN, "this device's records have two versions, both kept: %s",
                 err ? err_text(err) : "it goes on in a new feed");
    return exchange_refresh(x, &x->time);
}

enum err exchange_turn(struct exchange *x, const struct exchange_time *time, bool *more)
{
    x->time = *time;
    if (!x->opened_ms) x->opened_ms = time->now_ms;
    exchange_traffic_turn(x);
    *more = drain_links(x);
    for (struct peer *p = x->peers; p; p = p->next) {
        if (p->closing) continue;
        tick(x, p);
        peer_act(x, p);
    }
    enum err err = exchange_commit_stores(x);
    if (!err) err = exchange_towns_turn(x);
    if (!err) err = exchange_show_told(x);
    for (struct peer *p = x->peers; p && !err; p = p->next) exchange_hubs_look(x, p);
    if (!err) err = exchange_serve_builds(x);
    if (!err) err = exchange_courier_turn(x, more);
    note_idle(x);
    sweep_peers(x);
    exchange_sweep_joiners(x);
    if (!err && x->forked && exchange_settled(x)) err = tell_fork(x);
    if (!err) err = write_peers_if_due(x);
    if (exchange_builds_waiting(x) || x->stores) *more = true;
    return err;
}

enum err exchange_refresh(struct exchange *x, const struct exchange_time *time)
{
    x->time = *time;
    struct txn *t = NULL;
    exchange_courier_stale(x);
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    err = exchange_look_at_feeds(x, t);
    txn_abort(t);
    for (struct peer *p = x->peers; p; p = p->next) peer_act(x, p);
    return err;
}

uint64_t exchange_deadline(const struct exchange *x, uint64_t now_ms)
{
    uint64_t earliest = x->gone_count ? x->gone_ms + FLUSH_IDLE_MS : UINT64_MAX;
    if (traffic_due_ms(x) < earliest) earliest = traffic_due_ms(x);
    if (exchange_courier_due_ms(x) < earliest) earliest = exchange_courier_due_ms(x);
    if (exchange_joiners_due_ms(x) < earliest) earliest = exchange_joiners_due_ms(x);
    if (exchange_towns_due_ms(x) < earliest) earliest = exchange_towns_due_ms(x);
    for (const struct peer *p = x->peers; p; p = p->next) {
        uint64_t at = p->closing ? UINT64_MAX : session_deadline_ms(p->session);
        uint64_t flush_ms = p->row_changed_ms + (p->was_idle ? FLUSH_IDLE_MS : FLUSH_AFTER_MS);
        if (p->row_changed && flush_ms < at) at = flush_ms;
        if (p->unsent && now_ms + 5 < at) at = now_ms + 5;
        if (at < earliest) earliest = at;
    }
    if (earliest == UINT64_MAX) return UINT64_MAX;
    return earliest > now_ms ? earliest - now_ms : 0;
}

enum link_admission exchange_admit(struct exchange *x, const struct box_key *key, uint64_t wall_ms)
{
    struct txn *t = NULL;
    const struct roster *roster;
    enum link_admission admission = LINK_DENY;
    if (txn_begin(x->store, false, &t) != OK) return LINK_DENY;
    if (views_roster(x->views, t, &roster) == OK) {
        const struct device *self = roster_device(roster, &x->identity->device);
        if (roster_transport(roster, key))
            admission = LINK_DEVICE;
        else if (self && device_is_hub(self) && roster_invite_transport(roster, key, wall_ms))
            admission = LINK_INVITE; /* who is no hub lets nobody join (W4) */
    }
    txn_abort(t);
    return admission;
}

void exchange_link(const struct exchange *x, const struct link *link, struct exchange_link *out)
{
    *out = (struct exchange_link){.state = EXCHANGE_LINK_ENDED, .err = ERR_NOT_FOUND};
    for (const struct attached *a = x->links; a; a = a->next)
        if (a->link == link) *out = a->shown;
    if (out->state == EXCHANGE_LINK_ENDED) return;
    for (const struct peer *p = x->peers; p; p = p->next)
        if (p->link == link) {
            session_status(p->session, &out->session);
            out->carrying = exchange_courier_busy(x, p);
        }
}

bool exchange_meets(const struct exchange *x, const struct sign_key *device,
                    const struct link *except)
{
    for (const struct peer *p = x->peers; p; p = p->next)
        if (!p->closing && p->link != except && sign_key_equal(&p->device.first, device))
            return true;
    return false;
}

void exchange_finish(struct exchange *x, struct link *link)
{
    for (struct peer *p = x->peers; p; p = p->next) {
        if (p->link != link || p->closing) continue;
        session_finish(p->session);
        peer_act(x, p);
    }
}

void exchange_ask(struct exchange *x, struct link *link, bool hurried,
                  const struct exchange_time *time)
{
    x->time = *time;
    for (struct peer *p = x->peers; p; p = p->next) {
        if (p->link != link || p->closing) continue;
        session_ask(p->session, hurried, time->now_ms);
        p->was_idle = false; /* so the answer counts, however soon it comes */
        peer_act(x, p);
    }
}

size_t exchange_peers(const struct exchange *x, struct exchange_peer *out, size_t max)
{
    size_t count = 0;
    for (const struct peer *p = x->peers; p && count < max; p = p->next) {
        out[count] = (struct exchange_peer){.device = p->device.first, .connected = !p->closing};
        session_status(p->session, &out[count].status);
        count++;
    }
    return count;
}
