/* WANT: what this node asks for, and when it asks again. */
#include "node/sync/state.h"

#include <string.h>

#define ASK_PAUSE_MS 1000u /* and two round trips: what is on its way may still come and fail */

static uint64_t due_ms(const struct session *s, const struct track *t)
{
    return t->asked_ms + ASK_PAUSE_MS + 2 * s->rtt_ms;
}

static void ask(struct session *s, struct track *t, struct session_points points, uint64_t flags)
{
    struct frame_want want = {.has_feed = true, .flags = flags};
    struct buf frame = {0};
    t->asked++;
    t->asked_flags |= flags;
    t->asked_ms = s->now_ms;
    t->ask_again = false;
    memcpy(want.feed.id8, t->id8, sizeof want.feed.id8);
    for (size_t i = 0; i < points.count && i < WANT_POINTS_MAX; i++)
        want.points[want.point_count++] = points.points[i];
    frame_want_write(&frame, &want);
    session_send(s, &frame);
}

bool session_asks(const struct session *s, const struct track *t)
{
    return t->asked && s->now_ms < due_ms(s, t);
}

void session_want(struct session *s, struct track *t, struct session_points points, uint64_t flags)
{
    /* Runs that were on their way when the first WANT went out fail as well: one is enough, unless
     * they fail for another reason. But what came in answer to it may have failed among them. */
    bool lately = session_asks(s, t);
    if (!lately) t->asked_flags = 0;
    if (t->asked >= ASKS_MAX) return;
    if (lately && !(flags & ~t->asked_flags))
        t->ask_again = true;
    else
        ask(s, t, points, flags);
}

void session_ask_again(struct session *s, bool now)
{
    for (size_t i = 0; i < s->tracks.count; i++) {
        struct track *t = s->tracks.rows[i];
        struct want_point heads[FEED_BRANCHES_MAX];
        struct session_points points = {.points = heads};
        if (!t->ask_again || t->storing || (!now && s->now_ms < due_ms(s, t))) continue;
        t->ask_again = false;
        if (t->asked >= ASKS_MAX || !track_behind(t)) continue;
        for (size_t h = 0; t->held && h < t->local.head_count; h++)
            heads[points.count++] = point_of(t->local.heads[h].seq, &t->local.heads[h].id);
        ask(s, t, points, t->asked_flags);
    }
}

uint64_t session_ask_deadline_ms(const struct session *s)
{
    uint64_t at_ms = UINT64_MAX;
    for (size_t i = 0; i < s->tracks.count; i++) {
        const struct track *t = s->tracks.rows[i];
        if (t->ask_again && due_ms(s, t) < at_ms) at_ms = due_ms(s, t);
    }
    return at_ms;
}
