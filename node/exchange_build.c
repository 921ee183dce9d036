/* Making the runs that sessions ask for, from the store. */
#include "node/exchange_state.h"

#include <stdlib.h>
#include <string.h>

/* A little is always sent as small as can be: it costs some milliseconds. */
#define LITTLE_EVENTS 256u

static void find_head(struct run_making *m, const struct session_action *a)
{
    m->head = m->feed.head_count ? m->feed.heads[0] : m->feed.aside[0];
    for (size_t i = 0; i < m->feed.aside_count; i++)
        if (event_id_equal(&m->feed.aside[i].id, &a->head)) m->head = m->feed.aside[i];
    for (size_t i = 0; i < m->feed.head_count; i++)
        if (event_id_equal(&m->feed.heads[i].id, &a->head)) m->head = m->feed.heads[i];
}

static void serve(struct exchange *x, struct txn *t, struct pending_build *b)
{
    const struct session_action *a = &b->action;
    struct run_making m = {.to_seq = a->to_seq,
                           .payload_max = a->payload_max,
                           .counting = !device_is_township(&b->peer->device),
                           .level = a->level};
    struct session_run built = {0};
    struct want_point points[WANT_POINTS_MAX];
    struct session_points known = {.points = points};
    enum err err = feed_find(t, &a->feed.feed, &m.feed) ? OK : ERR_NOT_FOUND;
    if (!err) {
        find_head(&m, a);
        err = run_making_base(&m, t, a->points, a->point_count, a->from_start);
    }
    m.dictionary = a->dictionary && !(a->fast && m.head.seq - m.base.seq > LITTLE_EVENTS);
    if (!err) err = run_making_proven(&m, &x->maker, t);
    if (err == ERR_BASE) known.count = exchange_points(t, &m.feed, points);
    bool hidden = m.feed.number && x->feeds[m.feed.number - 1].hidden;
    if (err && err != ERR_BASE && err != ERR_NOT_FOUND && !hidden)
        exchange_log(x, LOG_WARN, "feed %02x%02x%02x cannot be sent on: %s", a->feed.id8[0],
                     a->feed.id8[1], a->feed.id8[2], err_text(err));
    if (!err) {
        built.run = m.run;
        built.last_seq = m.last.seq;
        built.last_id = m.last.id;
        if (event_id_equal(&built.last_id, &m.head.id))
            built.has_views = peer_views(x, t, b->peer, built.views8);
    }
    session_built(b->peer->session, a->ticket, err, err ? NULL : &built, known, x->time.now_ms);
    run_making_clear(&m);
}

/* Whose run is made first: every peer has one a lap, so nobody starves; within a lap the one whose
 * last success lies furthest back, for it has waited longest. */
static bool goes_before(const struct peer *a, const struct peer *b)
{
    if (a->laps != b->laps) return a->laps < b->laps;
    return a->row.last_ok_ms < b->row.last_ok_ms;
}

struct pending_build *exchange_next_build(struct exchange *x)
{
    struct pending_build **best = NULL;
    for (struct pending_build **at = &x->builds; *at; at = &(*at)->next) {
        if ((*at)->peer->unsent) continue; /* what a link does not take now waits */
        if (!best || goes_before((*at)->peer, (*best)->peer)) best = at;
    }
    if (!best) return NULL;
    struct pending_build *b = *best;
    *best = b->next;
    if (!*best) x->builds_tail = best;
    /* Who was away has no laps saved up. */
    if (b->peer->laps < x->laps) b->peer->laps = x->laps;
    x->laps = b->peer->laps++;
    return b;
}

enum err exchange_serve_builds(struct exchange *x)
{
    if (!x->builds) return OK;
    struct txn *t = NULL;
    enum err err = txn_begin(x->store, false, &t);
    if (err) return err;
    for (unsigned served = 0; served < BUILDS_A_TURN; served++) {
        struct pending_build *b = exchange_next_build(x);
        if (!b) break;
        struct peer *p = b->peer;
        serve(x, t, b);
        free(b);
        peer_act(x, p);
    }
    txn_abort(t);
    return OK;
}

bool exchange_builds_waiting(const struct exchange *x)
{
    for (const struct pending_build *b = x->builds; b; b = b->next)
        if (!b->peer->unsent) return true;
    return false;
}
