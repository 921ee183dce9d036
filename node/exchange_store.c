/* Opening, verifying and committing what peers sent: all RUNs of a turn in one transaction. */
#include "node/exchange_state.h"
#include "node/views/visible.h"

#include <stdlib.h>
#include <string.h>

void session_feed_of(const struct exchange *x, const struct roster *roster,
                     const struct feed_row *row, struct session_feed *out)
{
    *out = (struct session_feed){.feed = row->feed, .id = row->id, .head_count = row->head_count};
    for (size_t i = 0; i < row->head_count; i++)
        out->heads[i] = (struct session_head){.seq = row->heads[i].seq, .id = row->heads[i].id};
    out->aside_count = row->aside_count;
    for (size_t i = 0; i < row->aside_count; i++)
        out->aside[i] = (struct session_head){.seq = row->aside[i].seq, .id = row->aside[i].id};
    out->own = sign_key_equal(&row->feed.author, &x->options.keys->signer.key);
    out->hidden = !visible_by(roster_device(roster, &x->identity->device), &row->feed.scope);
    if (scope_class(&row->feed.scope) != SCOPE_TOWN) return;
    const struct device *author = roster_device(roster, &row->feed.author);
    /* What a device says of its keys goes first too, or its new ones are strangers'. */
    bool rotated = author && !sign_key_equal(&row->feed.author, &author->key);
    out->authority = roster_is_authority(roster, &row->feed.author) ||
                     roster_is_recovery(roster, &row->feed.author);
    out->roster = out->authority || rotated || (author && (author->roles & ROLE_HUB));
    out->village_town = author && !device_is_township(author);
}

/* Points of the feed that the peer told of, in this session or as the last one left them. */
static size_t told_points(const struct peer *p, const uint8_t id8[8],
                          struct want_point out[WANT_POINTS_MAX])
{
    if (p->session) return session_peer_points(p->session, id8, out);
    size_t count = 0;
    for (size_t i = 0; i < p->row.have_count && count < WANT_POINTS_MAX; i++) {
        const struct peer_have *have = &p->row.have[i];
        if (memcmp(have->feed8, id8, sizeof have->feed8) != 0) continue;
        out[count] = (struct want_point){.seq = have->seq};
        memcpy(out[count++].id8, have->id8, sizeof have->id8);
    }
    return count;
}

/* Of those what stands aside here, behind the `count` heads that are there. */
static size_t add_aside(struct txn *t, const struct feed_row *row, const struct want_point *points,
                        size_t point_count, struct head *heads, size_t count)
{
    for (size_t i = 0; i < point_count; i++) {
        struct event e;
        uint64_t arrival = log_find(t, row->number, points[i].seq, points[i].id8);
        if (arrival && log_is_aside(t, arrival) && log_read_any(t, arrival, &e) == OK)
            heads[count++] = (struct head){.seq = e.seq, .id = e.id};
    }
    return count;
}

/* Ends alone, for a session takes each of its heads for a branch. What a village handed over is
 * named to it, or it would hand it over again. */
void session_feed_for(struct txn *t, const struct peer *p, uint32_t number,
                      const struct session_feed *feed, const struct want_point *sent,
                      struct session_feed *out)
{
    struct feed_row row;
    struct head heads[FEED_BRANCHES_MAX + WANT_POINTS_MAX + 1];
    size_t count;
    *out = *feed;
    out->aside_count = 0;
    if (!feed->aside_count || !feed_get(t, number, &row)) return;
    if (device_is_township(&p->device)) {
        count = feed_ends(t, &row, heads);
    } else {
        struct want_point points[WANT_POINTS_MAX + 1];
        size_t told = told_points(p, row.id.bytes, points);
        if (sent) points[told++] = *sent;
        memcpy(heads, row.heads, row.head_count * sizeof *heads);
        count = add_aside(t, &row, points, told, heads, row.head_count);
        count = log_ends(t, &row, heads, count);
    }
    out->head_count = count < FEED_BRANCHES_MAX ? count : FEED_BRANCHES_MAX;
    for (size_t i = 0; i < out->head_count; i++)
        out->heads[i] = (struct session_head){.seq = heads[i].seq, .id = heads[i].id};
}

void exchange_note_told(const struct exchange *x, struct peer *p, const uint8_t id8[8])
{
    for (size_t i = 0; i < x->feed_count && !device_is_township(&p->device); i++)
        if (x->feeds[i].aside_count && memcmp(x->feeds[i].id.bytes, id8, 8) == 0)
            p->told_aside = true;
}

static void show_told(struct exchange *x, struct txn *t, struct peer *p)
{
    p->told_aside = false;
    for (size_t i = 0; i < x->feed_count; i++) {
        struct session_feed shown;
        if (!x->feeds[i].aside_count || !peer_may_hold(p, &x->feeds[i].feed)) continue;
        session_feed_for(t, p, (uint32_t)i + 1, &x->feeds[i], NULL, &shown);
        session_heads(p->session, &shown, x->time.now_ms);
    }
}

enum err exchange_show_told(struct exchange *x)
{
    struct txn *t = NULL;
    enum err err = OK;
    for (struct peer *p = x->peers; p && !err; p = p->next) {
        if (p->closing || !p->told_aside) continue;
        if (!t) err = txn_begin(x->store, false, &t);
        if (err) break;
        show_told(x, t, p);
        peer_act(x, p);
    }
    txn_abort(t);
    return err;
}

static bool same_ends(const struct session_head *a, size_t a_count, const struct session_head *b,
                      size_t b_count)
{
    if (a_count != b_count) return false;
    for (size_t i = 0; i < a_count; i++)
        if (a[i].seq != b[i].seq || !event_id_equal(&a[i].id, &b[i].id)) return false;
    return true;
}

static bool same_heads(const struct session_feed *a, const struct session_feed *b)
{
    return a->roster == b->roster && a->hidden == b->hidden &&
           same_ends(a->heads, a->head_count, b->heads, b->head_count) &&
           same_ends(a->aside, a->aside_count, b->aside, b->aside_count);
}

static void feed_changed(struct exchange *x, struct txn *t, const struct roster *roster,
                         const struct feed_row *row)
{
    struct session_feed now;
    session_feed_of(x, roster, row, &now);
    if (same_heads(&now, &x->feeds[row->number - 1])) return;
    x->feeds[row->number - 1] = now;
    for (struct peer *p = x->peers; p; p = p->next) {
        struct session_feed shown;
        if (p->closing || !peer_may_hold(p, &now.feed)) continue;
        session_feed_for(t, p, row->number, &now, NULL, &shown);
        session_heads(p->session, &shown, x->time.now_ms);
    }
}

enum err exchange_look_at_feeds(struct exchange *x, struct txn *t)
{
    const struct roster *roster;
    enum err err = views_roster(x->views, t, &roster);
    if (err) return err;
    const struct device *self = roster_device(roster, &x->identity->device);
    x->villager = self && !device_is_township(self);
    size_t count = feed_count(t);
    if (count > x->feed_count) {
        struct session_feed *feeds = realloc(x->feeds, count * sizeof *feeds);
        if (!feeds) return ERR_NOMEM;
        memset(feeds + x->feed_count, 0, (count - x->feed_count) * sizeof *feeds);
        x->feeds = feeds;
        x->feed_count = count;
    }
    for (size_t i = 0; i < count; i++) {
        struct feed_row row;
        if (feed_get(t, (uint32_t)i + 1, &row)) feed_changed(x, t, roster, &row);
    }
    peers_look_at_roster(x, t, roster);
    return txn_error(t);
}

/* A commit of runs touches few feeds; only when it touched the roster all of them are looked at,
 * for then who may hold what has changed. */
static enum err look_at_stored(struct exchange *x, struct txn *t)
{
    const struct roster *roster;
    enum err err = views_roster(x->views, t, &roster);
    bool all = feed_count(t) > x->feed_count;
    for (const struct pending_store *s = x->stores; !err && s && !all; s = s->next) {
        struct feed_row row;
        struct feed feed;
        struct session_feed shown;
        bool held;
        if (s->err || run_feed_of(t, &s->feed, &feed, &held, &row) != OK || !held) continue;
        session_feed_of(x, roster, &row, &shown);
        all = shown.roster;
        feed_changed(x, t, roster, &row);
    }
    return !err && all ? exchange_look_at_feeds(x, t) : err;
}

static size_t points_of(struct txn *t, const struct feed_row *row, const struct head *head,
                        struct want_point points[WANT_POINTS_MAX], size_t count, size_t share)
{
    uint64_t seqs[WANT_POINTS_MAX];
    uint8_t id8s[WANT_POINTS_MAX][8];
    size_t got = log_points(t, row, head, seqs, id8s, share);
    for (size_t j = 0; j < got; j++) {
        struct want_point p = {.seq = seqs[j]};
        struct event e;
        memcpy(p.id8, id8s[j], sizeof p.id8);
        /* A damaged event is not held: what comes after the point below it heals it. */
        if (log_read(t, log_find(t, row->number, p.seq, p.id8), &e) != OK) continue;
        size_t at = count++;
        for (; at > 0 && points[at - 1].seq < p.seq; at--) points[at] = points[at - 1];
        points[at] = p;
    }
    return count;
}

size_t exchange_points(struct txn *t, const struct feed_row *row,
                       struct want_point points[WANT_POINTS_MAX])
{
    const size_t heads = row->head_count + row->aside_count;
    size_t count = 0;
    for (size_t i = 0; i < heads; i++) {
        bool aside = i >= row->head_count;
        count = points_of(t, row, aside ? &row->aside[i - row->head_count] : &row->heads[i], points,
                          count, (WANT_POINTS_MAX - count) / (heads - i));
    }
    return count;
}

static enum err allowed(struct exchange *x, const struct roster *roster, const struct peer *p,
                        const struct feed *feed)
{
    /* First, so that an author who is not known opens nothing. */
    if (!peer_may_hold(p, feed)) return ERR_FORBIDDEN;
    if (!roster_may_author(roster, &feed->author, &feed->scope))
        return roster_roles(roster, &feed->author) ? ERR_FORBIDDEN : ERR_UNKNOWN_AUTHOR;
    if (self_may_hold(x, roster, feed)) return OK;
    /* A joiner learns from the roster what it may hold. */
    return roster_device(roster, &x->identity->device) ? ERR_FORBIDDEN : ERR_UNKNOWN_AUTHOR;
}

static enum err store_run(struct exchange *x, struct arrival *a, struct pending_store *s)
{
    const struct roster *roster;
    struct feed feed;
    struct feed_row row;
    bool held;
    uint64_t events = log_count(arrival_txn(a));
    enum err err = views_roster(x->views, arrival_txn(a), &roster);
    if (!err) err = run_feed_of(arrival_txn(a), &s->feed, &feed, &held, &row);
    if (!err && peer_is_revoked(roster, &s->peer->device.key)) err = ERR_FORBIDDEN;
    if (!err) err = allowed(x, roster, s->peer, &feed);
    if (!err) err = run_take(x->decoder, a, roster, &s->run, &feed, held ? &row : NULL);
    if (err) return err;
    s->last = (struct want_point){.seq = s->run.base_seq + s->run.count};
    memcpy(s->last.id8, run_decoder_last(x->decoder)->bytes, sizeof s->last.id8);
    if (log_count(arrival_txn(a)) == events) return OK;
    return exchange_note_via(x, arrival_txn(a), s->peer, &feed.author);
}

/* One transaction over the pending RUNs; those marked `retry` afterwards may go through in the next
 * one, when this one has made their author known. */
static enum err commit_pass(struct exchange *x, bool *again)
{
    struct arrival *a = NULL;
    bool stored = false, retry = false;
    enum err err = arrival_begin(&a, x->store, x->views);
    for (struct pending_store *s = x->stores; !err && s; s = s->next) {
        bool first = !s->retry;
        if (!first && s->err != ERR_UNKNOWN_AUTHOR) continue;
        s->err = store_run(x, a, s);
        err = run_is_at_fault(s->err) ? txn_error(arrival_txn(a)) : s->err;
        if (s->err == OK) stored = true;
        if (s->err == ERR_UNKNOWN_AUTHOR && first) retry = true;
        s->retry = true;
    }
    if (a && !err) {
        peers_write(x, arrival_txn(a));
        x->forked |= arrival_forked(a);
        err = arrival_commit(a);
    } else {
        arrival_abort(a);
    }
    *again = stored && retry;
    return err;
}

static void answer(struct exchange *x, struct txn *t, struct pending_store *s)
{
    struct feed_row row;
    struct feed feed;
    struct session_feed shown;
    struct want_point points[WANT_POINTS_MAX];
    struct session_points known = {.points = points};
    const struct roster *roster;
    bool held = false;
    if (t && views_roster(x->views, t, &roster) == OK &&
        run_feed_of(t, &s->feed, &feed, &held, &row) == OK)
        held = held && peer_may_hold(s->peer, &feed);
    if (held) {
        struct session_feed all;
        session_feed_of(x, roster, &row, &all);
        session_feed_for(t, s->peer, row.number, &all, s->err ? NULL : &s->last, &shown);
        if (s->err != OK) known.count = exchange_points(t, &row, points);
    }
    if (!s->err && s->has_views) peer_told_views(x, s->peer, s->told, true, s->views8);
    if (!run_is_at_fault(s->err)) { /* the disk is full, say: status names it */
        s->peer->row.last_error = s->err;
        s->peer->row.failures++;
        peer_changed(x, s->peer);
    }
    session_grant(s->peer->session, peer_window(x));
    session_stored(s->peer->session, s->ticket, s->err, held ? &shown : NULL, known,
                   x->time.now_ms);
}

enum err exchange_commit_stores(struct exchange *x)
{
    if (!x->stores) return OK;
    bool again = false;
    enum err err = commit_pass(x, &again);
    if (!err && again) err = commit_pass(x, &again);
    if (err) {
        views_forget(x->views);
        for (struct pending_store *s = x->stores; s; s = s->next) s->err = err;
        exchange_log(x, LOG_ERROR, "what peers sent was not stored: %s", err_text(err));
    }
    struct txn *t = NULL;
    if (txn_begin(x->store, false, &t) != OK) t = NULL;
    if (t && !err) err = look_at_stored(x, t);
    while (x->stores) {
        struct pending_store *s = x->stores;
        x->stores = s->next;
        answer(x, t, s);
        buf_clear(&s->payload);
        free(s);
    }
    x->stores_tail = &x->stores;
    x->store_bytes = 0;
    txn_abort(t);
    for (struct peer *p = x->peers; p; p = p->next) peer_act(x, p);
    return err == ERR_NOSPACE || err == ERR_MAP_FULL ? OK : err;
}
