#include "node/sync/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the queue --- */

struct queued *session_queue(struct session *s, enum session_action_type type)
{
    if (s->ended) return NULL;
    if (s->queue_at == s->queue_count) s->queue_at = s->queue_count = 0;
    if (s->queue_count == s->queue_capacity) {
        size_t capacity = s->queue_capacity ? 2 * s->queue_capacity : 8;
        struct queued *queue = realloc(s->queue, capacity * sizeof *queue);
        if (!queue) return NULL;
        s->queue = queue;
        s->queue_capacity = capacity;
    }
    struct queued *q = &s->queue[s->queue_count++];
    *q = (struct queued){.action = {.type = type}};
    return q;
}

void session_put(struct session *s, struct buf *frame)
{
    struct queued *q = frame->err ? NULL : session_queue(s, SESSION_SEND);
    if (!q) {
        buf_clear(frame);
        session_end(s, 0, false, "out of memory");
        return;
    }
    q->frame = *frame;
    *frame = (struct buf){0};
    s->sent_bytes += q->frame.size;
    s->sent_frames++;
}

void session_send(struct session *s, struct buf *frame)
{
    beat_sent(&s->beat, s->now_ms);
    session_put(s, frame);
}

void session_end(struct session *s, uint64_t refused, bool by_peer, const char *text)
{
    struct queued *q = session_queue(s, SESSION_END);
    if (q) {
        q->action.refused = refused;
        q->action.by_peer = by_peer;
        snprintf(q->action.text, sizeof q->action.text, "%s", text);
    }
    s->ended = true;
}

void session_refuse(struct session *s, enum refuse_code code, const char *text)
{
    struct buf frame = {0};
    frame_refuse_write(&frame, code, text);
    session_send(s, &frame);
    session_end(s, code, false, text);
}

bool session_next(struct session *s, struct session_action *out)
{
    buf_clear(&s->taken);
    if (s->queue_at == s->queue_count && s->confirm && !s->ended) {
        /* S2: only answered STOREs set `confirm`. */
        struct queued *q = session_queue(s, SESSION_CONFIRM);
        beat_sent(&s->beat, s->now_ms);
        size_t count = 0;
        bool more = false;
        if (q && s->entry_capacity < s->tracks.count * FEED_BRANCHES_MAX) {
            size_t capacity = s->tracks.count * FEED_BRANCHES_MAX;
            struct receipt_entry *entries = realloc(s->entries, capacity * sizeof *entries);
            if (entries) {
                s->entries = entries;
                s->entry_capacity = capacity;
            }
        }
        for (size_t i = 0; q && i < s->tracks.count; i++) {
            struct track *t = s->tracks.rows[i];
            if (!t->confirm || count + t->local.head_count > s->entry_capacity) continue;
            if (count + t->local.head_count > RECEIPT_ENTRIES_MAX) {
                more = true;
                break;
            }
            for (size_t j = 0; j < t->local.head_count; j++) {
                struct receipt_entry *e = &s->entries[count++];
                memcpy(e->feed8, t->id8, sizeof e->feed8);
                e->seq = t->local.heads[j].seq;
                e->id = t->local.heads[j].id;
                struct want_point p = point_of(e->seq, &e->id);
                e->brief = points_have(&t->peer, &p);
            }
            t->confirm = false;
            session_showing(s, t);
        }
        s->confirm = more;
        /* A window that shrank takes nothing back: the peer may have sent it already. */
        uint64_t total = s->run_bytes_answered + s->options.window;
        if (total > s->granted_total) s->granted_total = total;
        if (q) {
            q->action.entries = s->entries;
            q->action.entry_count = count;
            q->action.credit = s->granted_total;
        }
    }
    if (s->queue_at == s->queue_count) return false;
    struct queued *q = &s->queue[s->queue_at++];
    *out = q->action;
    s->taken = q->frame;
    if (s->taken.size) out->frame = buf_slice(&s->taken);
    q->frame = (struct buf){0};
    return true;
}

/* --- tickets --- */

struct ticket *session_ticket(struct session *s, const struct track *t, bool store)
{
    if (s->ticket_count == s->ticket_capacity) {
        size_t capacity = s->ticket_capacity ? 2 * s->ticket_capacity : 8;
        struct ticket *tickets = realloc(s->tickets, capacity * sizeof *tickets);
        if (!tickets) return NULL;
        s->tickets = tickets;
        s->ticket_capacity = capacity;
    }
    struct ticket *ticket = &s->tickets[s->ticket_count++];
    *ticket = (struct ticket){.number = ++s->ticket_last, .store = store};
    memcpy(ticket->id8, t->id8, sizeof ticket->id8);
    return ticket;
}

bool session_ticket_take(struct session *s, uint32_t number, bool store, struct ticket *out)
{
    for (size_t i = 0; i < s->ticket_count; i++) {
        if (s->tickets[i].number != number || s->tickets[i].store != store) continue;
        *out = s->tickets[i];
        s->tickets[i] = s->tickets[--s->ticket_count];
        return true;
    }
    return false;
}

/* --- frames of our own --- */

void session_send_hold(struct session *s)
{
    struct buf frame = {0};
    frame_hold_write(&frame, s->hold);
    session_send(s, &frame);
}

void session_arrived(struct session *s, const struct track *t)
{
    /* Of a feed that is not here nothing can have arrived there, whatever the peer tells. */
    struct queued *q = t->held ? session_queue(s, SESSION_ARRIVED) : NULL;
    if (!q) return;
    memcpy(q->action.feed.id8, t->id8, sizeof q->action.feed.id8);
    for (size_t i = 0; i < t->confirmed.count && i < FEED_BRANCHES_MAX; i++)
        q->action.points[q->action.point_count++] = t->confirmed.points[i];
}

/* --- life --- */

static void track_set(struct track *t, const struct session_feed *feed)
{
    if (t->local.head_count != feed->head_count) t->moved = true;
    for (size_t i = 0; i < feed->head_count && !t->moved; i++)
        t->moved = !event_id_equal(&t->local.heads[i].id, &feed->heads[i].id);
    t->local = *feed;
    t->held = true;
}

static bool track_hold(struct session *s, const struct session_feed *feed)
{
    struct track *t = tracks_get(&s->tracks, feed->id.bytes);
    if (!t) return false;
    track_set(t, feed);
    return true;
}

static struct want_point point_of_entry(const struct have_entry *e)
{
    struct want_point p = {.seq = e->seq};
    memcpy(p.id8, e->id8, sizeof p.id8);
    return p;
}

static bool memory_load(struct session *s, const struct session_memory *memory)
{
    for (size_t i = 0; i < memory->have_count; i++) {
        struct track *t = tracks_get(&s->tracks, memory->have[i].feed.id8);
        if (!t) return false;
        struct want_point p = point_of_entry(&memory->have[i]);
        points_add(&t->confirmed, &p, NULL);
        points_add(&t->peer, &p, NULL);
    }
    for (size_t i = 0; i < memory->shown_count; i++) {
        struct track *t = tracks_get(&s->tracks, memory->shown[i].feed.id8);
        if (!t) return false;
        struct want_point p = point_of_entry(&memory->shown[i]);
        points_add(&t->shown, &p, NULL);
    }
    return true;
}

enum err session_open(struct session **out, const struct session_options *options,
                      const struct session_feed *feeds, size_t feed_count, uint64_t now_ms)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->options = *options;
    s->opened_ms = s->now_ms = now_ms;
    beat_begin(&s->beat, now_ms);
    snprintf(s->software, sizeof s->software, "%s", options->software ? options->software : "");
    s->credit_total = CREDIT_DEFAULT;
    if (options->memory.credit && options->memory.credit < CREDIT_DEFAULT)
        s->credit_total = options->memory.credit;
    s->room = options->limited ? options->room : UINT64_MAX;
    s->hold = s->room == 0;
    s->rate_bps = options->memory.rate_bps;
    s->rtt_ms = options->memory.rtt_ms;
    s->run_cap = options->memory.cut ? AFTER_CUT_PAYLOAD : RUN_PAYLOAD_SIZE_MAX;
    bool good = memory_load(s, &options->memory);
    for (size_t i = 0; good && i < feed_count; i++) good = track_hold(s, &feeds[i]);
    good = good && session_unfinished_load(s, &options->memory.unfinished) &&
           session_outgoing_load(s, &options->memory);
    s->options.memory.have = s->options.memory.shown = NULL;
    s->options.memory.outgoing = NULL;
    s->options.memory.unfinished.bytes = SLICE_EMPTY;
    if (!good) {
        session_close(s);
        return ERR_NOMEM;
    }
    if (options->connecting) {
        session_send_hello(s, !options->memory.known);
        session_pump(s);
    }
    *out = s;
    return OK;
}

void session_close(struct session *s)
{
    if (!s) return;
    for (size_t i = s->queue_at; i < s->queue_count; i++) buf_clear(&s->queue[i].frame);
    free(s->queue);
    free(s->tickets);
    free(s->entries);
    buf_clear(&s->taken);
    buf_clear(&s->receipt);
    buf_clear(&s->incoming.bytes);
    for (size_t i = 0; i < s->outgoing_count; i++) buf_clear(&s->outgoing[i].frame);
    tracks_clear(&s->tracks);
    free(s);
}

/* --- inputs --- */

void session_frame(struct session *s, struct slice frame, uint64_t now_ms)
{
    if (s->ended) return;
    s->now_ms = now_ms;
    s->received_bytes += frame.size;
    s->received_frames++;
    session_take_frame(s, frame);
    if (!s->ended && s->greeted) session_pump(s);
}

void session_heads(struct session *s, const struct session_feed *feed, uint64_t now_ms)
{
    if (s->ended) return;
    s->now_ms = now_ms;
    if (!track_hold(s, feed)) {
        session_end(s, 0, false, "too many feeds");
        return;
    }
    if (s->hello_sent) session_pump(s);
}

void session_tick(struct session *s, uint64_t now_ms)
{
    s->now_ms = now_ms;
    if (s->ended) return;
    if (s->greeted)
        session_beat(s);
    else if (now_ms - s->opened_ms >= GREETING_TIMEOUT_MS)
        session_end(s, 0, false, "no HELLO from the peer");
    session_flight_expire(s);
    session_ask_again(s, false);
    if (s->hello_sent) session_pump(s);
}

uint64_t session_deadline_ms(const struct session *s)
{
    if (s->ended) return UINT64_MAX;
    if (!s->greeted) return s->opened_ms + GREETING_TIMEOUT_MS;
    uint64_t at_ms = session_beat_deadline_ms(s), settled_ms = session_hold_settled_ms(s);
    uint64_t answer_ms = s->flight_count ? s->flights[0].sent_ms + ANSWER_TIMEOUT_MS : UINT64_MAX;
    if ((s->hold || s->held) && s->now_ms < settled_ms && settled_ms < at_ms) at_ms = settled_ms;
    uint64_t ask_ms = session_ask_deadline_ms(s);
    if (ask_ms < answer_ms) answer_ms = ask_ms;
    return at_ms < answer_ms ? at_ms : answer_ms;
}

void session_grant(struct session *s, uint64_t window)
{
    s->options.window = window;
}

void session_room(struct session *s, uint64_t bytes, uint64_t now_ms)
{
    if (s->ended) return;
    s->now_ms = now_ms;
    bool changed = s->hold != (bytes == 0);
    s->room = bytes;
    s->hold = bytes == 0;
    if (!s->hello_sent) return;
    if (changed) session_send_hold(s);
    session_pump(s);
}

void session_finish(struct session *s)
{
    if (s->ended) return;
    struct buf frame = {0};
    frame_bye_write(&frame);
    session_send(s, &frame);
    session_end(s, 0, false, "finished");
}

static enum refuse_code refusal_of(enum err err)
{
    switch (err) {
    case ERR_SIGNATURE:
        return REFUSE_SIGNATURE;
    case ERR_LIMIT:
        return REFUSE_LIMIT;
    case ERR_FORBIDDEN:
        return REFUSE_SCOPE;
    default:
        return REFUSE_MALFORMED;
    }
}

/* The peer holds what it sent. Which branch it is on is known by the number, unless two have it. */
static void peer_holds_run(struct track *t, const struct ticket *ticket)
{
    uint64_t last = ticket->base_seq + ticket->count;
    const struct session_head *head = NULL;
    for (size_t i = 0; i < t->local.head_count; i++) {
        if (t->local.heads[i].seq != last) continue;
        if (head) return;
        head = &t->local.heads[i];
    }
    if (!head || points_top(&t->peer) >= last) return;
    struct want_point p = point_of(head->seq, &head->id), base = {.seq = ticket->base_seq};
    memcpy(base.id8, ticket->base_id8, sizeof base.id8);
    points_add(&t->peer, &p, &base);
    points_add(&t->confirmed, &p, &base);
}

static void ask_for_roster(struct session *s)
{
    struct frame_want want = {.flags = WANT_ROSTER};
    struct buf frame = {0};
    frame_want_write(&frame, &want);
    session_send(s, &frame);
}

void session_stored(struct session *s, uint32_t number, enum err err,
                    const struct session_feed *feed, struct session_points points, uint64_t now_ms)
{
    struct ticket ticket;
    s->now_ms = now_ms;
    if (s->ended || !session_ticket_take(s, number, true, &ticket)) return;
    s->run_bytes_answered += ticket.wire_bytes;
    struct track *t = tracks_get(&s->tracks, ticket.id8);
    if (!t) return;
    t->storing--;
    if (feed) track_set(t, feed);
    s->runs_wasted = t->moved && !err ? 0 : s->runs_wasted + 1;
    t->moved = false;
    switch (err) {
    case OK:
        t->asked = 0;
        t->ask_again = false;
        t->parked = false;
        t->confirm = true;
        s->confirm = true;
        if (!t->local.hidden) s->received_events += ticket.count;
        if (t->local.hidden) {
            s->received_bytes -= ticket.wire_bytes;
            s->received_frames -= ticket.wire_frames;
        }
        peer_holds_run(t, &ticket);
        session_arrived(s, t);
        /* Who was not known may be now. */
        if (t->local.roster) session_ask_again(s, true);
        break;
    case ERR_UNKNOWN_AUTHOR:
        if (!t->asked) ask_for_roster(s);
        session_want(s, t, points, 0);
        break;
    case ERR_BASE:
        session_want(s, t, points, 0);
        break;
    case ERR_DICTIONARY:
    case ERR_CORRUPT:
        session_want(s, t, points, WANT_NO_DICTIONARY);
        break;
    case ERR_SIGNATURE:
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_CHAIN:
    case ERR_FORBIDDEN:
        session_refuse(s, refusal_of(err), err_text(err));
        return;
    default:
        session_end(s, 0, false, err_text(err));
        return;
    }
    if (s->runs_wasted > RUNS_WASTED_MAX) {
        session_refuse(s, REFUSE_LIMIT, "too many runs that bring nothing");
        return;
    }
    /* What was not kept must not eat the peer's credit. */
    if (s->granted_total < s->run_bytes_answered + s->options.window / 2) s->confirm = true;
    session_pump(s);
}

void session_receipt_verified(struct session *s, enum err err, uint64_t now_ms)
{
    s->now_ms = now_ms;
    if (s->ended || !s->receipt_open) return;
    s->receipt_open = false;
    if (err == OK) {
        session_take_receipt(s);
        session_pump(s);
    } else if (err == ERR_NOT_FOUND) {
        session_want_hello(s);
    } else if (err == ERR_SIGNATURE) {
        session_refuse(s, REFUSE_SIGNATURE, "a receipt's signature does not verify");
    } else {
        session_end(s, 0, false, err_text(err));
    }
    buf_clear(&s->receipt);
}

size_t session_peer_points(const struct session *s, const uint8_t id8[8],
                           struct want_point out[WANT_POINTS_MAX])
{
    _Static_assert(TRACK_POINTS_MAX <= WANT_POINTS_MAX, "all fit");
    const struct track *t = tracks_find(&s->tracks, id8);
    if (!t) return 0;
    memcpy(out, t->peer.points, t->peer.count * sizeof *out);
    return t->peer.count;
}

void session_status(const struct session *s, struct session_status *out)
{
    *out = (struct session_status){
        .greeted = s->greeted,
        .told = s->greeted && !s->hello_wanted,
        .idle = s->greeted && !s->ticket_count && !s->confirm && !s->receipt_open &&
                !s->beat.asking && !s->hello_wanted && s->queue_at == s->queue_count,
        .holding = s->hold,
        .held = s->held,
        .sent_events = s->sent_events,
        .received_events = s->received_events,
        .sent_bytes = s->sent_bytes,
        .sent_frames = s->sent_frames,
        .received_frames = s->received_frames,
        .received_bytes = s->received_bytes,
        .unanswered_bytes = s->unanswered_bytes,
        .passed_bytes = s->run_bytes_received + s->run_bytes_sent - s->unanswered_bytes,
        .rate_bps = s->rate_bps,
        .rtt_ms = s->rtt_ms,
        .credit = s->credit_total > s->run_bytes_sent - s->unanswered_bytes
                      ? s->credit_total - (s->run_bytes_sent - s->unanswered_bytes)
                      : 0,
    };
    for (size_t i = 0; i < s->tracks.count; i++) {
        const struct track *t = s->tracks.rows[i];
        if (!t->local.hidden) {
            out->unsent += track_unsent(t);
            out->behind += track_behind(t);
        }
        if (session_waits(s, t) && !session_in_flight(s, t)) continue;
        if (!track_arrived(t) && (!t->parked || session_asks(s, t))) out->idle = false;
        if (track_behind(t) && t->asked < ASKS_MAX) out->idle = false;
    }
}
