#include "node/sync/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void session_refuse_frame(struct session *s, enum err err, const char *text)
{
    session_refuse(s, err == ERR_LIMIT ? REFUSE_LIMIT : REFUSE_MALFORMED, text);
}

/* --- RUN --- */

bool session_may_take_run(struct session *s)
{
    /* What a first flight may hold is granted to everyone (SPEC, "Credit"). */
    if (s->run_bytes_received < s->granted_total || s->run_bytes_received < CREDIT_DEFAULT)
        return true;
    session_refuse(s, REFUSE_CREDIT, "more than was granted");
    return false;
}

void session_take_run(struct session *s, struct slice frame, uint64_t wire_bytes,
                      uint64_t wire_frames)
{
    struct frame_run f;
    enum err err = frame_run_read(&f, frame);
    if (err) {
        session_refuse_frame(s, err, "RUN malformed or over a limit");
        return;
    }
    struct track *t = tracks_get(&s->tracks, f.feed.id8);
    struct ticket *ticket = t ? session_ticket(s, t, true) : NULL;
    struct queued *q = ticket ? session_queue(s, SESSION_STORE) : NULL;
    if (!q) {
        session_refuse(s, REFUSE_LIMIT, "too many feeds");
        return;
    }
    t->storing++;
    ticket->base_seq = f.run.base_seq;
    memcpy(ticket->base_id8, f.run.base_id8, sizeof ticket->base_id8);
    ticket->count = f.run.count;
    ticket->wire_bytes = wire_bytes;
    ticket->wire_frames = wire_frames;
    q->action.ticket = ticket->number;
    q->action.feed = f.feed;
    q->action.run = f.run;
    q->action.has_views = f.has_views;
    memcpy(q->action.views8, f.views8, sizeof q->action.views8);
}

/* --- WANT --- */

static void want_from(struct session *s, struct track *t, const struct frame_want *want)
{
    t->wanted = (struct point_set){0};
    /* The newest points matter; a set keeps the last ones added. */
    for (size_t i = want->point_count; i > 0; i--)
        points_add(&t->wanted, &want->points[i - 1], NULL);
    t->sent = (struct point_set){0};
    session_flight_forget(s, t->id8);
    t->want_open = true;
    t->want_to = want->to;
    t->parked = false;
    if (want->flags & WANT_NO_DICTIONARY) t->no_dictionary = true;
}

static void take_want(struct session *s, struct slice frame)
{
    struct frame_want want;
    enum err err = frame_want_read(&want, frame);
    if (err) {
        session_refuse_frame(s, err, "WANT malformed or over a limit");
        return;
    }
    if (++s->wants_taken > WANTS_TAKEN_MAX) {
        session_refuse(s, REFUSE_LIMIT, "too many WANTs");
        return;
    }
    /* It takes no more of them than this node does. */
    if ((want.flags & WANT_HELLO) && ++s->hellos_asked >= HELLOS_TAKEN_MAX) {
        session_refuse(s, REFUSE_LIMIT, "too many HELLOs asked for");
        return;
    }
    if (want.flags & WANT_HELLO) session_send_hello(s, true);
    for (size_t i = 0; (want.flags & WANT_ROSTER) && i < s->tracks.count; i++)
        if (s->tracks.rows[i]->local.roster) s->tracks.rows[i]->sent = (struct point_set){0};
    struct track *t = want.has_feed ? tracks_find(&s->tracks, want.feed.id8) : NULL;
    if (t && t->held) want_from(s, t, &want);
}

/* --- RECEIPT --- */

static void open_receipt(struct session *s, struct slice frame)
{
    struct frame_receipt f;
    enum err err = frame_receipt_read(&f, frame);
    if (err) {
        session_refuse_frame(s, err, "RECEIPT malformed or over a limit");
        return;
    }
    if (s->receipts_taken && f.counter <= s->receipt_counter) {
        session_refuse(s, REFUSE_ORDER, "a receipt that is not newer than the last");
        return;
    }
    if (++s->receipts_taken > s->runs_sent + RECEIPTS_SPARE_MAX) {
        session_refuse(s, REFUSE_LIMIT, "too many receipts");
        return;
    }
    s->receipt_counter = f.counter;
    struct queued *q = session_queue(s, SESSION_RECEIPT);
    if (!q) return;
    buf_append_slice(&q->frame, frame);
    buf_reset(&s->receipt);
    buf_append_slice(&s->receipt, frame);
    if (q->frame.err || s->receipt.err) {
        session_end(s, 0, false, "out of memory");
        return;
    }
    s->receipt_open = true;
}

/* The peer stands at these heads. They replace what was known of a feed, higher or lower. */
void session_take_receipt(struct session *s)
{
    struct frame_receipt f;
    if (frame_receipt_read(&f, buf_slice(&s->receipt)) != OK) return;
    struct mp_reader r = frame_receipt_begin(&f);
    struct receipt_entry e;
    for (size_t i = 0; i < s->tracks.count; i++) s->tracks.rows[i]->told.count = 0;
    while (frame_receipt_next(&r, &e)) {
        struct track *t = tracks_find(&s->tracks, e.feed8);
        if (!t) continue;
        struct want_point p = point_of(e.seq, &e.id);
        points_add(&t->told, &p, NULL);
    }
    bool lost = false, shown = !f.entry_count;
    for (size_t i = 0; i < s->tracks.count; i++) {
        struct track *t = s->tracks.rows[i];
        if (!t->told.count) continue;
        if (!t->local.hidden) shown = true;
        if (session_take_loss(s, t)) lost = true;
        t->confirmed = t->told;
        t->peer = t->told;
        t->want_open = false;
        t->expired = 0;
        session_flight_end(s, t->id8, points_top(&t->told));
        session_shown_by_receipt(s, t);
        session_arrived(s, t);
    }
    if (f.credit > s->credit_total) s->credit_total = f.credit;
    if (!shown) s->received_bytes -= s->receipt.size, s->received_frames--;
    session_count_loss(s, lost);
}

static void take_hold(struct session *s, struct slice frame)
{
    enum err err = frame_hold_read(&s->held, frame);
    if (err) session_refuse_frame(s, err, "HOLD malformed");
}

/* --- all frames --- */

static void take_town(struct session *s, struct slice frame)
{
    struct frame_town f;
    enum err err = frame_town_read(&f, frame);
    if (err) {
        session_refuse_frame(s, err, "TOWN malformed or over a limit");
        return;
    }
    if (++s->towns_taken > TOWNS_TAKEN_MAX) {
        session_refuse(s, REFUSE_LIMIT, "too many TOWNs");
        return;
    }
    struct queued *q = session_queue(s, SESSION_TOWN);
    if (!q) return;
    buf_append_slice(&q->frame, frame);
    if (q->frame.err) session_end(s, 0, false, "out of memory");
}

/* --- what this node signed or was given of `town` --- */

void session_towns(struct session *s, bool has, const uint8_t towns8[8])
{
    s->options.says_towns = true;
    s->options.has_towns = has;
    memcpy(s->options.towns8, towns8, sizeof s->options.towns8);
}

void session_tell(struct session *s, struct buf *frame, uint64_t now_ms)
{
    if (s->ended || !s->hello_sent) {
        buf_clear(frame);
        return;
    }
    s->now_ms = now_ms;
    session_put(s, frame);
}

void session_take_frame(struct session *s, struct slice frame)
{
    uint64_t type;
    enum err err = frame_type_of(frame, &type);
    if (err) {
        session_refuse_frame(s, err, "frame malformed or over a limit");
        return;
    }
    /* Nothing answers a TOWN, so it must not put off the PING that is waited for. */
    if (type != FRAME_PING && type != FRAME_TOWN) beat_heard(&s->beat, s->now_ms);
    if (type == FRAME_HELLO) {
        session_take_hello(s, frame);
        session_shown(s); /* with the round trip that it told */
        return;
    }
    session_shown(s);
    if (type == FRAME_REFUSE) {
        struct frame_refuse f = {0};
        if (frame_refuse_read(&f, frame) != OK) f.code = REFUSE_MALFORMED;
        session_end(s, f.code, true, refuse_text(f.code));
        return;
    }
    if (type == FRAME_BYE) {
        session_end(s, 0, true, "the peer said goodbye");
        return;
    }
    if (type == FRAME_HOLD) {
        take_hold(s, frame);
        return;
    }
    if (!s->greeted) {
        session_refuse(s, REFUSE_ORDER, "a frame before HELLO");
        return;
    }
    if (type == FRAME_RUN && session_may_take_run(s)) {
        s->run_bytes_received += frame.size;
        session_take_run(s, frame, frame.size, 1);
    }
    if (type == FRAME_PIECE) session_take_piece(s, frame);
    if (type == FRAME_WANT) take_want(s, frame);
    if (type == FRAME_RECEIPT) open_receipt(s, frame);
    if (type == FRAME_PING) session_take_ping(s, frame);
    if (type == FRAME_TOWN) take_town(s, frame);
    /* Other types are of later versions: ignored. */
}
