/* HELLO: what each side tells the other that it holds, and what each remembers of that. */
#include "node/sync/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- ours --- */

static void local_points(const struct track *t, struct point_set *out)
{
    out->count = 0;
    for (size_t i = 0; t->held && i < t->local.head_count; i++)
        out->points[out->count++] = point_of(t->local.heads[i].seq, &t->local.heads[i].id);
}

/* `have` has room for `max` entries and holds `count`; gives the new count. */
static size_t append_entries(struct have_entry *have, size_t max, size_t count,
                             const struct track *t, const struct point_set *points)
{
    for (size_t i = 0; i < points->count && count < max; i++, count++) {
        have[count] = (struct have_entry){.seq = points->points[i].seq};
        memcpy(have[count].feed.id8, t->id8, sizeof t->id8);
        memcpy(have[count].id8, points->points[i].id8, sizeof have[count].id8);
    }
    return count;
}

/* The peer knows that we hold these heads of the feed. */
static void shown_set(struct session *s, struct track *t, const struct point_set *points)
{
    bool known = points_equal(&t->shown, points);
    t->shown = *points;
    t->showing.count = 0;
    if (known) return;
    struct queued *q = session_queue(s, SESSION_SHOWN);
    if (!q) return;
    memcpy(q->action.feed.id8, t->id8, sizeof q->action.feed.id8);
    for (size_t i = 0; i < t->shown.count; i++)
        q->action.points[q->action.point_count++] = t->shown.points[i];
}

void session_showing(struct session *s, struct track *t)
{
    local_points(t, &t->showing);
    t->showing_ms = s->now_ms;
    s->showing = true;
}

/* A frame that came a round trip after ours tells that ours was read. */
void session_shown(struct session *s)
{
    bool left = false;
    if (!s->showing) return;
    for (size_t i = 0; i < s->tracks.count; i++) {
        struct track *t = s->tracks.rows[i];
        if (!t->showing.count) continue;
        /* Claims of a feed that it does not hold the peer forgets (session_arrived). */
        if (!t->confirmed.count)
            t->showing.count = 0;
        else if (s->now_ms >= t->showing_ms + (s->rtt_ms ? s->rtt_ms : SHOWN_AFTER_MS))
            shown_set(s, t, &t->showing);
        else
            left = true;
    }
    s->showing = left;
}

void session_shown_by_receipt(struct session *s, struct track *t)
{
    struct point_set local;
    local_points(t, &local);
    if (points_equal(&t->told, &local)) shown_set(s, t, &local);
}

/* First 8 bytes of the digest of all that is held here and that the peer may hold. */
static void local_digest(const struct session *s, struct have_entry *room, uint8_t out8[8])
{
    size_t count = 0;
    for (size_t i = 0; i < s->tracks.count; i++) {
        struct point_set local;
        local_points(s->tracks.rows[i], &local);
        count = append_entries(room, HAVE_ENTRIES_MAX, count, s->tracks.rows[i], &local);
    }
    have_digest(out8, room, count);
}

/* The feeds to be named: all, or those of which the peer may not know what is held here. */
static size_t named_entries(struct session *s, struct have_entry *room, bool complete)
{
    size_t count = 0;
    for (size_t i = 0; i < s->tracks.count; i++) {
        struct track *t = s->tracks.rows[i];
        struct point_set local;
        local_points(t, &local);
        if (!local.count || (!complete && points_equal(&local, &t->shown))) continue;
        count = append_entries(room, HAVE_ENTRIES_MAX, count, t, &local);
        session_showing(s, t);
    }
    return count;
}

void session_send_hello(struct session *s, bool complete)
{
    struct have_entry *room = malloc(HAVE_ENTRIES_MAX * sizeof *room);
    if (!room) {
        session_end(s, 0, false, "out of memory");
        return;
    }
    if (s->hold) session_send_hold(s); /* first: HELLO starts the peer's runs */
    if (!s->granted_total) s->granted_total = s->options.window;
    struct frame_hello hello = {
        .protocol_min = PROTOCOL_MIN,
        .protocol_max = PROTOCOL_MAX,
        .time_ms = s->options.time_ms + (s->now_ms - s->opened_ms),
        .time_trusted = s->options.time_trusted,
        .disk_free_mib = s->options.disk_free_mib,
        .software = complete ? slice_of_text(s->software) : SLICE_EMPTY,
        .credit = s->granted_total,
        .has_views = s->options.has_views && !s->hello_sent, /* later they have changed */
        .complete = complete,
        .says_towns = s->options.says_towns,
        .has_towns = s->options.has_towns,
    };
    memcpy(hello.towns8, s->options.towns8, sizeof hello.towns8);
    memcpy(hello.township8, s->options.township8, sizeof hello.township8);
    memcpy(hello.generation, s->options.generation, sizeof hello.generation);
    memcpy(hello.views8, s->options.views8, sizeof hello.views8);
    local_digest(s, room, hello.have8);
    hello.have_count = named_entries(s, room, complete);
    struct session_unfinished unfinished;
    hello.has_unfinished = session_unfinished(s, &unfinished);
    if (hello.has_unfinished) {
        memcpy(hello.unfinished8, unfinished.run8, sizeof hello.unfinished8);
        hello.unfinished_size = unfinished.bytes.size;
    }
    struct buf frame = {0};
    frame_hello_write(&frame, &hello, room);
    free(room);
    session_send(s, &frame);
    s->hello_sent = true;
    s->hello_sent_ms = s->now_ms;
}

/* --- the peer's --- */

/* The peer lost what it had of a feed held here: all that was sent since is sent again. */
bool session_take_loss(struct session *s, struct track *t)
{
    uint64_t had = points_top(&t->confirmed), has = points_top(&t->told);
    if (!t->held || has >= had) return false;
    t->sent = (struct point_set){0};
    session_flight_forget(s, t->id8);
    struct queued *q = t->local.hidden ? NULL : session_queue(s, SESSION_ALARM);
    if (!q) return true;
    char id[17];
    hex_encode(id, t->id8, sizeof t->id8);
    snprintf(q->action.text, sizeof q->action.text,
             "the peer holds feed %s up to %llu and had %llu: sending it again", id,
             (unsigned long long)has, (unsigned long long)had);
    return true;
}

/* Each loss makes us send again, so it is believed so often and no more. */
void session_count_loss(struct session *s, bool lost)
{
    if (lost && ++s->shrinks_taken > SHRINKS_TAKEN_MAX)
        session_refuse(s, REFUSE_LIMIT, "it lost what it had too often");
}

/* A point of a feed of this device that has one head, between what the peer was known to hold and
 * what was sent: the peer got that far in an earlier session and its receipt was cut off. */
static bool told_on_the_way(const struct track *t, const struct want_point *p)
{
    return t->local.own && t->local.head_count == 1 && p->seq > points_top(&t->confirmed) &&
           p->seq <= points_top(&t->sent);
}

/* Takes over what the peer told of one feed. What is on its way stays counted as sent when the
 * peer's word is from before it arrived. */
static bool take_told(struct session *s, struct track *t)
{
    if (points_equal(&t->told, &t->confirmed)) return false;
    bool of_ours = false;
    for (size_t i = 0; i < t->told.count; i++)
        if (points_have(&t->sent, &t->told.points[i]) || told_on_the_way(t, &t->told.points[i]))
            of_ours = true;
    if (of_ours) {
        session_flight_told(s, t->id8, points_top(&t->told));
    } else {
        t->sent = (struct point_set){0};
        session_flight_forget(s, t->id8);
    }
    bool lost = session_take_loss(s, t);
    t->confirmed = t->told;
    t->peer = t->told;
    session_arrived(s, t);
    return lost;
}

/* First 8 bytes of the digest of all that the peer is believed to hold. */
static void confirmed_digest(const struct session *s, uint8_t out8[8])
{
    size_t count = 0;
    size_t max = s->tracks.count * TRACK_POINTS_MAX;
    struct have_entry *have = malloc((max + 1) * sizeof *have);
    for (size_t i = 0; have && i < s->tracks.count; i++) {
        const struct track *t = s->tracks.rows[i];
        count = append_entries(have, max, count, t, &t->confirmed);
    }
    have_digest(out8, have, count);
    free(have);
}

static bool take_have(struct session *s, const struct frame_hello *hello)
{
    for (size_t i = 0; i < s->tracks.count; i++) s->tracks.rows[i]->told.count = 0;
    struct mp_reader r = frame_have_begin(hello);
    struct have_entry e;
    while (frame_have_next(&r, &e)) {
        struct track *t = tracks_get(&s->tracks, e.feed.id8);
        if (!t) return false;
        struct want_point p = {.seq = e.seq};
        memcpy(p.id8, e.id8, sizeof p.id8);
        points_add(&t->told, &p, NULL);
    }
    bool lost = false;
    for (size_t i = 0; i < s->tracks.count; i++) {
        struct track *t = s->tracks.rows[i];
        if ((hello->complete || t->told.count) && take_told(s, t)) lost = true;
    }
    session_count_loss(s, lost);
    return true;
}

void session_want_hello(struct session *s)
{
    if (s->hello_wanted || s->hellos_taken + 1 >= HELLOS_TAKEN_MAX) return;
    s->hello_wanted = true;
    struct frame_want want = {.flags = WANT_HELLO};
    struct buf out = {0};
    frame_want_write(&out, &want);
    session_send(s, &out);
}

void session_ask_hello(struct session *s, uint64_t now_ms)
{
    if (s->ended || !s->greeted) return;
    s->now_ms = now_ms;
    session_want_hello(s);
}

/* Does the peer's store still remember what it was told before? */
static bool knows_us(const struct session *s, const struct frame_hello *hello)
{
    const struct session_memory *memory = &s->options.memory;
    return memory->known &&
           memcmp(memory->generation, hello->generation, sizeof memory->generation) == 0;
}

void session_take_hello(struct session *s, struct slice frame)
{
    struct frame_hello hello;
    enum err err = frame_hello_read(&hello, frame);
    if (err) {
        session_refuse_frame(s, err, "HELLO malformed or over a limit");
        return;
    }
    if (hello.protocol_min > PROTOCOL_MAX || hello.protocol_max < PROTOCOL_MIN) {
        session_refuse(s, REFUSE_VERSION, "no common protocol version");
        return;
    }
    if (memcmp(hello.township8, s->options.township8, sizeof hello.township8) != 0) {
        session_refuse(s, REFUSE_TOWNSHIP, "another township");
        return;
    }
    if (++s->hellos_taken > HELLOS_TAKEN_MAX) {
        session_refuse(s, REFUSE_LIMIT, "too many HELLOs");
        return;
    }
    s->hello_wanted = false;
    struct queued *q = session_queue(s, SESSION_PEER);
    if (q) {
        q->action.hello = hello;
        q->action.hello.software = q->action.hello.have = SLICE_EMPTY;
    }
    if (!take_have(s, &hello)) {
        session_refuse(s, REFUSE_LIMIT, "too many feeds in HELLO");
        return;
    }
    if (!s->greeted && s->options.connecting) s->rtt_ms = s->now_ms - s->hello_sent_ms;
    bool first = !s->greeted;
    if (first) s->greeted_ms = s->now_ms;
    s->greeted = true;
    s->credit_total = hello.credit;
    /* Before all else: the peer refuses what comes before. */
    if (!s->hello_sent) session_send_hello(s, !knows_us(s, &hello));
    if (first) session_resume(s, &hello);
    uint8_t digest[8];
    confirmed_digest(s, digest);
    if (memcmp(digest, hello.have8, sizeof digest) != 0) {
        if (hello.complete) {
            session_refuse(s, REFUSE_MALFORMED, "HELLO does not match its own digest");
            return;
        }
        session_want_hello(s);
    }
}
