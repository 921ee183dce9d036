#include "node/sync/state.h"

#include <assert.h>
#include <string.h>

#define RUN_SECONDS 2           /* a run is about this much of the measured link */
#define RATE_SLOW_BPS 256000    /* below it zstd works hard */
#define RUN_PAYLOAD_MIN 512u    /* of a run that is cut by size */
#define AFTER_CUT_FLIGHT KIB(8) /* until the first receipt */
#define AFTER_CUT_GROWTH 4      /* with each receipt */
#define SAMPLE_BYTES_MIN 512u   /* what is less tells of the round trip, not of the rate */
#define FIRST_FLIGHT KIB(64)    /* before an answer: the link may not be what it was */
#define FIRST_PAYLOAD KIB(16)

/* Bytes that may be on their way before another run is made: what the link holds and one run, so
 * that it is never without work and what is urgent waits for one run at most. */
static uint64_t flight_limit(const struct session *s)
{
    if (!s->greeted && !s->options.memory.known) return BLIND_BYTES_MAX;
    if (s->run_cap < RUN_PAYLOAD_SIZE_MAX && !s->answered) return AFTER_CUT_FLIGHT;
    if (!s->rate_bps) return WINDOW_UNKNOWN;
    uint64_t held = s->rate_bps / 8 * (1000 * RUN_SECONDS + s->rtt_ms) / 1000;
    if (!s->answered && held > FIRST_FLIGHT) return FIRST_FLIGHT;
    /* The peer's answers make the rate: it may not make it boundless. */
    return held > FLIGHT_BYTES_MAX ? FLIGHT_BYTES_MAX : held;
}

static size_t payload_target(const struct session *s)
{
    uint64_t size = s->rate_bps ? s->rate_bps / 8 * RUN_SECONDS : FIRST_PAYLOAD;
    if (size > s->run_cap) size = s->run_cap;
    if (!s->answered && size > FIRST_PAYLOAD) size = FIRST_PAYLOAD;
    return size < RUN_PAYLOAD_MIN ? RUN_PAYLOAD_MIN : (size_t)size;
}

bool session_is_fast(const struct session *s)
{
    return s->answered && s->rate_bps > RATE_FAST_BPS;
}

static int compression_level(const struct session *s)
{
    if (s->rate_bps && s->rate_bps < RATE_SLOW_BPS) return 19;
    return session_is_fast(s) ? 1 : 6;
}

bool session_waits(const struct session *s, const struct track *t)
{
    /* runs that are being made count in full, as with credit */
    bool full = s->room <= s->builds_open * FRAME_SIZE_MAX;
    if ((!full && !s->held) || track_is_first(t)) return false;
    return t->held || s->now_ms >= session_hold_settled_ms(s);
}

uint64_t session_hold_settled_ms(const struct session *s)
{
    return s->greeted_ms + HOLD_SETTLES_MS + 2 * s->rtt_ms;
}

static struct track *next_track(const struct session *s)
{
    struct track *best = NULL;
    bool blind = !s->greeted && !s->options.memory.known;
    /* How much of what was on its way came before the cut, the peer's HELLO will tell: what is
     * large would be sent twice. */
    bool unsure = !s->greeted && s->options.memory.cut_sending;
    for (size_t i = 0; i < s->tracks.count; i++) {
        struct track *t = s->tracks.rows[i];
        if ((blind && !t->local.own) || session_waits(s, t)) continue;
        if (unsure && t->local.feed.lane != LANE_URGENT) continue;
        if (track_next_head(t) && (!best || track_compare(t, best) < 0)) best = t;
    }
    return best;
}

/* Positions to build from: where the peer stands, and what is on its way; newest first. */
static void build_points(struct session_action *a, const struct track *t)
{
    const struct point_set *sets[] = {t->want_open ? &t->wanted : &t->peer, &t->sent};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < sets[i]->count && a->point_count < WANT_POINTS_MAX; j++) {
            size_t at = a->point_count++;
            while (at > 0 && a->points[at - 1].seq < sets[i]->points[j].seq) {
                a->points[at] = a->points[at - 1];
                at--;
            }
            a->points[at] = sets[i]->points[j];
        }
}

static bool build(struct session *s, struct track *t)
{
    const struct session_head *head = track_next_head(t);
    struct ticket *ticket = session_ticket(s, t, false);
    struct queued *q = ticket ? session_queue(s, SESSION_BUILD) : NULL;
    if (!q) return false;
    struct session_action *a = &q->action;
    a->ticket = ticket->number;
    a->feed.whole = true;
    a->feed.feed = t->local.feed;
    memcpy(a->feed.id8, t->id8, sizeof a->feed.id8);
    a->head = head->id;
    a->to_seq = t->want_open ? t->want_to : 0;
    build_points(a, t);
    a->from_start = t->want_open || a->point_count == 0;
    a->payload_max = payload_target(s);
    a->level = compression_level(s);
    a->dictionary = !t->no_dictionary && t->local.feed.lane != LANE_INTAKE;
    a->fast = session_is_fast(s);
    t->building = true;
    s->builds_open++;
    return true;
}

static bool may_build(const struct session *s)
{
    if (s->ended || !s->hello_sent || s->builds_open >= BUILDS_MAX) return false;
    if (s->flight_count + s->builds_open >= FLIGHT_MAX) return false;
    /* Runs that are being made count in full, so only one frame can pass the grant (S4). */
    if (s->run_bytes_sent + s->builds_open * FRAME_SIZE_MAX >= s->credit_total) return false;
    return s->unanswered_bytes < flight_limit(s);
}

void session_pump(struct session *s)
{
    while (may_build(s)) {
        struct track *t = next_track(s);
        if (!t || !build(s, t)) return;
    }
}

/* From now on what the peer is known to hold counts again, not what it asked for. */
static void want_answered(struct track *t)
{
    t->want_open = false;
    t->want_to = 0;
}

void session_built(struct session *s, uint32_t number, enum err err,
                   const struct session_run *built, struct session_points points, uint64_t now_ms)
{
    struct ticket ticket;
    s->now_ms = now_ms;
    if (s->ended || !session_ticket_take(s, number, false, &ticket)) return;
    s->builds_open--;
    struct track *t = tracks_find(&s->tracks, ticket.id8);
    if (!t) return;
    t->building = false;
    if (err == OK) {
        const struct run *run = &built->run;
        struct frame_run frame = {.feed = {.whole = run->base_seq == 0, .feed = t->local.feed},
                                  .run = *run,
                                  .has_views = built->has_views};
        memcpy(frame.feed.id8, t->id8, sizeof frame.feed.id8);
        memcpy(frame.views8, built->views8, sizeof frame.views8);
        struct session_outgoing run_out = {.base = {.seq = run->base_seq},
                                           .last = point_of(built->last_seq, &built->last_id),
                                           .count = run->count};
        memcpy(run_out.id8, t->id8, sizeof run_out.id8);
        memcpy(run_out.base.id8, run->base_id8, sizeof run_out.base.id8);
        points_add(&t->sent, &run_out.last, &run_out.base);
        if (t->want_to && built->last_seq >= t->want_to) want_answered(t);
        struct buf out = {0};
        frame_run_write(&out, &frame);
        uint64_t frames = s->sent_frames;
        size_t size = session_send_run(s, &run_out, &out);
        if (!track_is_first(t) && s->room != UINT64_MAX) s->room -= size < s->room ? size : s->room;
        session_flight_begin(s, t, &run_out, size, s->sent_frames - frames);
    } else if (err == ERR_BASE) {
        /* The peer has what this node lacks: a fork, or this node lost its tail. */
        t->parked = true;
        session_want(s, t, points, 0);
    } else if (err == ERR_NOT_FOUND && t->want_open) {
        want_answered(t);
    } else {
        t->parked = true;
    }
    session_pump(s);
}

void session_flight_begin(struct session *s, const struct track *t,
                          const struct session_outgoing *run, size_t size, uint64_t frames)
{
    s->runs_sent++;
    if (t->local.hidden) s->sent_bytes -= size, s->sent_frames -= frames;
    s->unanswered_bytes += size;
    assert(s->flight_count < FLIGHT_MAX);
    struct flight *f = &s->flights[s->flight_count++];
    *f = (struct flight){
        .seq = run->last.seq, .count = run->count, .size = size, .sent_ms = s->now_ms};
    memcpy(f->id8, t->id8, sizeof f->id8);
}

void session_flight_forget(struct session *s, const uint8_t id8[8])
{
    size_t kept = 0;
    for (size_t i = 0; i < s->flight_count; i++) {
        if (memcmp(s->flights[i].id8, id8, sizeof s->flights[i].id8) != 0)
            s->flights[kept++] = s->flights[i];
        else
            s->unanswered_bytes -= s->flights[i].size;
    }
    s->flight_count = kept;
    if (s->greeted) session_outgoing_answered(s, id8, UINT64_MAX);
}

bool session_in_flight(const struct session *s, const struct track *t)
{
    for (size_t i = 0; i < s->flight_count; i++)
        if (memcmp(s->flights[i].id8, t->id8, sizeof t->id8) == 0) return true;
    return false;
}

void session_flight_expire(struct session *s)
{
    while (s->flight_count && s->now_ms - s->flights[0].sent_ms >= ANSWER_TIMEOUT_MS) {
        struct track *t = tracks_find(&s->tracks, s->flights[0].id8);
        assert(t); /* tracks stay as long as their session */
        session_flight_forget(s, t->id8);
        t->sent = (struct point_set){0};
        if (++t->expired > RESENDS_MAX) t->parked = true;
    }
}

/* The first HELLO may have waited for a peer that had much to look up: an answer that took less
 * than that, less the time of its own bytes, is nearer to the truth. */
static void measure_round_trip(struct session *s, uint64_t bytes, uint64_t since_ms)
{
    uint64_t took_ms = s->now_ms - since_ms;
    if (!s->rate_bps || s->last_answer_ms > since_ms) return;
    uint64_t moving_ms = bytes * 8000 / s->rate_bps;
    if (took_ms > moving_ms && took_ms - moving_ms < s->rtt_ms) s->rtt_ms = took_ms - moving_ms;
}

/* An answer for `bytes` that were sent since `since_ms`. Answers that follow each other are as far
 * apart as the link took for what lies between; a first answer also took the round trip. What is
 * too little to tell the rate can still show that it is higher than was thought. */
static void measure(struct session *s, uint64_t bytes, uint64_t since_ms)
{
    measure_round_trip(s, bytes, since_ms);
    bool follows = s->last_answer_ms > since_ms;
    uint64_t took_ms = s->now_ms - (follows ? s->last_answer_ms : since_ms);
    uint64_t least = bytes * 8000 / (took_ms ? took_ms : 1);
    uint64_t moved_ms = !follows && took_ms > s->rtt_ms ? took_ms - s->rtt_ms : took_ms;
    bool tells = bytes >= SAMPLE_BYTES_MIN && (follows || 4 * moved_ms >= s->rtt_ms);
    uint64_t sample = tells ? bytes * 8000 / (moved_ms ? moved_ms : 1) : least;
    if (!tells && (!s->rate_bps || sample <= s->rate_bps)) return;
    /* Falls at once, grows by half of the difference. */
    s->rate_bps = !s->rate_bps || sample < s->rate_bps ? sample : (s->rate_bps + sample) / 2;
    if (!s->rate_bps) s->rate_bps = 1;
}

/* Takes out what the peer has of the feed up to `seq`; gives its bytes and when the first were
 * sent. */
static uint64_t take_flights(struct session *s, const uint8_t id8[8], uint64_t seq, bool hidden,
                             uint64_t *since_ms)
{
    size_t kept = 0;
    uint64_t bytes = 0;
    *since_ms = s->now_ms;
    for (size_t i = 0; i < s->flight_count; i++) {
        struct flight *f = &s->flights[i];
        if (memcmp(f->id8, id8, sizeof f->id8) != 0 || f->seq > seq) {
            s->flights[kept++] = *f;
            continue;
        }
        bytes += f->size;
        if (!hidden) s->sent_events += f->count;
        if (f->sent_ms < *since_ms) *since_ms = f->sent_ms;
    }
    s->flight_count = kept;
    s->unanswered_bytes -= bytes;
    session_outgoing_answered(s, id8, seq);
    return bytes;
}

static bool is_hidden(const struct session *s, const uint8_t id8[8])
{
    const struct track *t = tracks_find(&s->tracks, id8);
    return t && t->local.hidden;
}

void session_flight_told(struct session *s, const uint8_t id8[8], uint64_t seq)
{
    uint64_t since_ms;
    (void)take_flights(s, id8, seq, is_hidden(s, id8), &since_ms);
}

void session_flight_end(struct session *s, const uint8_t id8[8], uint64_t seq)
{
    bool hidden = is_hidden(s, id8);
    uint64_t since_ms, bytes = take_flights(s, id8, seq, hidden, &since_ms);
    if (!bytes) return;
    if (!hidden) measure(s, bytes, since_ms); /* the rate is shown */
    s->answered = true;
    s->last_answer_ms = s->now_ms;
    s->run_cap *= AFTER_CUT_GROWTH;
    if (s->run_cap > RUN_PAYLOAD_SIZE_MAX) s->run_cap = RUN_PAYLOAD_SIZE_MAX;
}
