#include "tests/sim/sim.h"

#include "node/link/zmtp.h"
#include "node/sync/beat.h"

#include <stdlib.h>
#include <string.h>

enum {
    QUEUE_MAX = 32, /* frames a sender may have under way, as the ZeroMQ link's high water mark */
    /* Two of the longest intervals of a heartbeat; two of the shortest, which begin when something
     * is sent into the dead line; what the slowest line needs for a frame and all under way. */
    SILENCE_MAX_MS = 2 * (BEAT_IDLE_S + BEAT_BUSY_S) * 1000 + 150000,
};

struct delivery {
    struct link_event event; /* its frame is `frame`'s bytes */
    struct buf frame;
};
struct sim_link {
    struct link link;
    struct sim_node *node;
    struct delivery *inbox;
    size_t first, count, capacity;
    struct buf current; /* what the last event's frame borrows */
};

static struct sim_link *sim_link_of(struct link *l)
{
    return (struct sim_link *)(void *)l;
}

static uint64_t peer_handle(size_t conn, int end)
{
    return (uint64_t)conn * 2 + (uint64_t)end + 1;
}

static void inbox_add(struct sim_link *l, const struct link_event *event, struct buf *frame)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity == 0 ? 16 : l->capacity * 2;
        struct delivery *inbox = calloc(capacity, sizeof *inbox);
        if (inbox == NULL) abort();
        for (size_t i = 0; i < l->count; i++) inbox[i] = l->inbox[(l->first + i) % l->capacity];
        free(l->inbox);
        l->inbox = inbox;
        l->capacity = capacity;
        l->first = 0;
    }
    struct delivery *d = &l->inbox[(l->first + l->count++) % l->capacity];
    d->event = *event;
    d->frame = frame != NULL ? *frame : (struct buf){0};
}

static void inbox_event(struct sim *s, size_t conn, int end, enum link_event_type type,
                        enum err err, const char *text)
{
    struct conn *c = &s->net.conns[conn];
    struct link_event event = {.type = type,
                               .peer = peer_handle(conn, end),
                               .key = c->key[1 - end],
                               .invite = end == 1 && c->invite,
                               .err = err,
                               .text = text};
    inbox_add(c->end[end], &event, NULL);
}

static bool sim_link_next(struct link *l, struct link_event *out)
{
    struct sim_link *sl = sim_link_of(l);
    if (sl->count == 0) return false;
    struct delivery *d = &sl->inbox[sl->first];
    buf_clear(&sl->current);
    sl->current = d->frame;
    *out = d->event;
    if (out->type == LINK_FRAME) out->frame = buf_slice(&sl->current);
    sl->first = (sl->first + 1) % sl->capacity;
    sl->count--;
    return true;
}

/* The connection behind a peer handle, as far as this link still has that end of it. */
static struct conn *conn_of(struct sim_link *l, uint64_t peer, size_t *index, int *end)
{
    struct net *net = &l->node->sim->net;
    if (peer == 0 || (peer - 1) / 2 >= net->count) return NULL;
    *index = (size_t)((peer - 1) / 2);
    *end = (int)((peer - 1) % 2);
    struct conn *c = &net->conns[*index];
    return c->end[*end] == l ? c : NULL;
}

static bool conn_is_of(const struct conn *c, const struct sim_node *n)
{
    return (c->end[0] != NULL && c->end[0]->node == n) ||
           (c->end[1] != NULL && c->end[1]->node == n);
}

/* --- the line --- */

/* What comes next on this way comes at its time; one step at a time waits for it. */
static void conn_expect(struct sim *s, size_t index, int from)
{
    struct conn *c = &s->net.conns[index];
    uint64_t now_us = s->now_ms * 1000, at_us = link_model_next_us(&c->way[from].link);
    if (c->way[from].link.cut_us < at_us) at_us = c->way[from].link.cut_us;
    if (c->expected[from] || at_us == UINT64_MAX) return;
    c->expected[from] = true;
    story_schedule(s, at_us > now_us ? (at_us - now_us + 999) / 1000 : 0,
                   (struct step){.type = STEP_ARRIVE, .a = index, .b = from});
}

static void conn_send(struct sim *s, size_t index, int end, size_t size, struct buf *bytes)
{
    struct conn *c = &s->net.conns[index];
    if (c->deaf[end]) {
        buf_clear(bytes);
        return;
    }
    wire_send(&c->way[end], s->now_ms * 1000, size, bytes);
    conn_expect(s, index, end);
}

/* Nothing passes any more; what was under way is lost. */
static void conn_break(struct sim *s, size_t index)
{
    struct conn *c = &s->net.conns[index];
    if (!c->open) return;
    c->open = false;
    if (c->way[0].first != NULL || c->way[1].first != NULL)
        trace_happened(s, HAPPENED_CUT_IN_FLIGHT);
    for (int end = 0; end < 2; end++) {
        struct link_model *link = &c->way[end].link;
        link_model_set(link, s->now_ms * 1000, LINK_MODEL_DOWN);
        s->net.bytes[end].taken += link->counts.taken;
        s->net.bytes[end].carried += link->counts.carried;
        s->net.bytes[end].lost += link->counts.lost;
        wire_clear(&c->way[end]);
    }
}

/* --- the link of a node --- */

static enum err sim_link_send(struct link *l, uint64_t peer, struct slice frame)
{
    struct sim_link *sl = sim_link_of(l);
    struct sim_node *n = sl->node;
    struct sim *s = n->sim;
    struct buf bytes = {0};
    size_t index;
    int end;
    struct conn *c = conn_of(sl, peer, &index, &end);
    if (c == NULL) return ERR_NOT_FOUND;
    if (frame.size > FRAME_SIZE_MAX) return ERR_LIMIT;
    if (c->open && c->way[end].waiting >= c->queue_max) {
        trace_happened(s, HAPPENED_QUEUE_FULL);
        c->full[end] = true;
        return ERR_AGAIN;
    }
    if (n->crash_after_sends > 0 && --n->crash_after_sends == 0) {
        trace_happened(s, HAPPENED_CRASH_IN_TURN);
        node_snapshot(n);
    }
    if (n->dying) return OK; /* the process is gone already, it only does not know */
    if (!n->hostile) check_receipt(n, frame);
    if (!c->open) return OK; /* a dead line swallows what is sent into it */
    buf_append_slice(&bytes, frame);
    conn_send(s, index, end, wire_size(frame.size), &bytes);
    return OK;
}

static void conn_silent(struct sim *s, size_t index, int end);

/* The other end hears of a close after the line's delay. */
static void conn_end(struct sim *s, size_t index, int end)
{
    struct conn *c = &s->net.conns[index];
    c->end[end] = NULL;
    if (c->open && c->end[1 - end] != NULL && c->deaf[end])
        conn_silent(s, index, 1 - end);
    else if (c->open && c->end[1 - end] != NULL)
        story_schedule(s, c->way[end].link.options.delay_us / 1000,
                       (struct step){.type = STEP_DOWN, .a = index, .b = 1 - end});
    conn_break(s, index);
}

static void sim_link_drop(struct link *l, uint64_t peer)
{
    struct sim_link *sl = sim_link_of(l);
    size_t index;
    int end;
    if (conn_of(sl, peer, &index, &end) == NULL) return;
    if (sl->node->dying) return;
    conn_end(sl->node->sim, index, end);
}

static void sim_link_close(struct link *l)
{
    struct sim_link *sl = sim_link_of(l);
    struct net *net = &sl->node->sim->net;
    for (size_t i = 0; i < net->count; i++)
        for (int end = 0; end < 2; end++)
            if (net->conns[i].end[end] == sl) conn_end(sl->node->sim, i, end);
    while (sl->count > 0) {
        buf_clear(&sl->inbox[sl->first].frame);
        sl->first = (sl->first + 1) % sl->capacity;
        sl->count--;
    }
    buf_clear(&sl->current);
    free(sl->inbox);
    free(sl);
}

static const struct link_ops sim_link_ops = {
    .next = sim_link_next,
    .send = sim_link_send,
    .drop = sim_link_drop,
    .close = sim_link_close,
};

static struct sim_link *sim_link_new(struct sim_node *n)
{
    struct sim_link *l = calloc(1, sizeof *l);
    if (l == NULL) abort();
    l->link.ops = &sim_link_ops;
    l->node = n;
    return l;
}

struct link *net_listen(struct sim *s, struct sim_node *n)
{
    (void)s;
    return &sim_link_new(n)->link;
}

/* --- making a connection --- */

/* TCP, then ZMTP with CURVE, as measured: each waits for the one before. Five round trips. */
static const struct {
    int from;
    size_t size;
} handshake[] = {{0, 0},  {1, 0},   {0, 10},  {1, 11},  {0, 54},
                 {1, 53}, {0, 202}, {1, 170}, {0, 301}, {1, 67}};
enum { HANDSHAKE_SYN = 0, HANDSHAKE_INITIATE = 8, HANDSHAKE_READY = 9, HANDSHAKE_DONE };

static void draw_line(struct sim *s, struct net_line *line)
{
    static const uint32_t rates[] = {9600, 19200, 33600, 64000, 1000000};
    struct rng *r = &s->network;
    uint64_t delay_us = rng_between(r, 20, 1200) * 1000;
    uint32_t rate = rates[rng_below(r, sizeof rates / sizeof rates[0])];
    /* ZeroMQ's high water mark, or a line whose buffers are nearly nothing. */
    bool narrow = rng_chance(r, 30);
    unsigned loss = rng_chance(r, 25) ? (unsigned)rng_between(r, 1, 50) : 0;
    line->queue_max = narrow ? 2 : QUEUE_MAX;
    line->cut_half_open = rng_chance(r, 30) && kinds_has(s, KIND_HALF_OPEN);
    for (int way = 0; way < 2; way++)
        line->way[way] = (struct link_options){.rate_bps = rate,
                                               .delay_us = delay_us,
                                               .queue_max = narrow ? KIB(2) : KIB(64),
                                               .loss_permille = loss,
                                               .stall_us = delay_us + 200000};
    if (rng_chance(r, 25)) line->way[1].rate_bps *= 4;
    if (!s->quiet && rng_chance(r, 20) && kinds_has(s, KIND_CUTS_BY_BYTES))
        line->way[rng_below(r, 2)].cut_bytes = rng_between(r, 100, KIB(6));
}

struct link *net_dial(struct sim *s, struct sim_node *from, const struct box_key *hub,
                      const struct box_key *key)
{
    struct net *net = &s->net;
    struct net_line line;
    struct buf none = {0};
    if (net->count == net->capacity) {
        net->capacity = net->capacity == 0 ? 64 : net->capacity * 2;
        net->conns = realloc(net->conns, net->capacity * sizeof *net->conns);
        if (net->conns == NULL) abort();
    }
    struct sim_link *l = sim_link_new(from);
    struct conn *c = &net->conns[net->count];
    if (net->line != NULL)
        line = *net->line;
    else
        draw_line(s, &line);
    *c = (struct conn){.end = {l, NULL},
                       .key = {*key, *hub},
                       .open = true,
                       .queue_max = line.queue_max,
                       .cut_half_open = line.cut_half_open};
    for (int way = 0; way < 2; way++)
        wire_init(&c->way[way], &line.way[way], rng_next(&s->network));
    conn_send(s, net->count++, 0, handshake[HANDSHAKE_SYN].size, &none);
    return &l->link;
}

static void conn_refuse(struct sim *s, size_t index, enum err err, const char *text)
{
    struct conn *c = &s->net.conns[index];
    c->refused = err;
    c->refused_text = text;
    conn_end(s, index, 1);
}

/* True when an end has something to take. */
static bool handshake_step(struct sim *s, size_t index)
{
    struct conn *c = &s->net.conns[index];
    struct sim_node *hub = &s->nodes[SIM_HUB];
    struct buf none = {0};
    struct box_key served;
    if (c->step == HANDSHAKE_SYN && !hub->alive) {
        trace_happened(s, HAPPENED_UNREACHABLE);
        conn_refuse(s, index, ERR_UNREACHABLE, "connection refused");
        return false;
    }
    if (c->step == HANDSHAKE_SYN) trust_served(s, &served);
    if (c->step == HANDSHAKE_SYN && !box_key_equal(&c->key[1], &served)) {
        conn_refuse(s, index, ERR_FORBIDDEN, "another key is served");
        return false;
    }
    if (c->step == HANDSHAKE_SYN) c->end[1] = sim_link_of(hub->listener);
    if (c->step == HANDSHAKE_INITIATE) {
        enum link_admission admission =
            exchange_admit(hub->exchange, &c->key[0], node_clock(hub).wall_ms);
        if (admission == LINK_DENY) {
            conn_refuse(s, index, ERR_FORBIDDEN, "not admitted");
            return false;
        }
        c->invite = admission == LINK_INVITE;
    }
    if (c->step == HANDSHAKE_READY) inbox_event(s, index, 0, LINK_UP, OK, NULL);
    if (++c->step < HANDSHAKE_DONE)
        conn_send(s, index, handshake[c->step].from, handshake[c->step].size, &none);
    return c->step == HANDSHAKE_DONE;
}

/* --- what happens on the lines --- */

static bool frame_arrives(struct sim *s, size_t index, int to, struct buf *frame)
{
    struct conn *c = &s->net.conns[index];
    if (c->step < HANDSHAKE_DONE) return handshake_step(s, index);
    if (to == 1 && !c->greeted) {
        inbox_event(s, index, 1, LINK_UP, OK, NULL);
        c->greeted = true;
    }
    struct link_event event = {.type = LINK_FRAME,
                               .peer = peer_handle(index, to),
                               .key = c->key[1 - to],
                               .invite = to == 1 && c->invite};
    if (s->heard != NULL) s->heard(c->end[to]->node, buf_slice(frame));
    inbox_add(c->end[to], &event, frame);
    return true;
}

/* Who is not told of the end of a line has to find out. A session does by its heartbeats, whoever
 * dials by the limits of ZeroMQ. */
static void conn_silent(struct sim *s, size_t index, int end)
{
    const struct conn *c = &s->net.conns[index];
    struct step step = {.type = STEP_SILENT, .a = index, .b = end};
    if (end == 0 && c->step < HANDSHAKE_DONE) step.type = STEP_DOWN;
    story_schedule(s, step.type == STEP_DOWN ? ZMTP_HANDSHAKE_TIMEOUT_MS : SILENCE_MAX_MS, step);
}

void net_silent(struct sim *s, size_t index, int end)
{
    const struct conn *c = &s->net.conns[index];
    if (c->end[end] != NULL && (end == 0 || c->greeted))
        sim_fail(s, "%s has not noticed for %d s that a line is dead", c->end[end]->node->name,
                 SILENCE_MAX_MS / 1000);
}

void net_leave(struct sim *s, const struct sim_node *n)
{
    for (size_t i = 0; i < s->net.count; i++) {
        const struct conn *c = &s->net.conns[i];
        if (!c->open || !conn_is_of(c, n)) continue;
        int end = c->end[0] != NULL && c->end[0]->node == n ? 0 : 1;
        conn_break(s, i);
        story_schedule(s, 0, (struct step){.type = STEP_DOWN, .a = i, .b = end});
        conn_silent(s, i, 1 - end);
    }
}

void net_hole(struct sim *s, const struct sim_node *n)
{
    for (size_t i = 0; i < s->net.count; i++)
        if (s->net.conns[i].open && conn_is_of(&s->net.conns[i], n)) conn_break(s, i);
}

bool net_one_way(struct sim *s, const struct sim_node *n, int from)
{
    bool any = false;
    for (size_t i = 0; i < s->net.count; i++) {
        struct conn *c = &s->net.conns[i];
        if (!c->open || !conn_is_of(c, n) || c->deaf[0] || c->deaf[1]) continue;
        c->deaf[from] = true;
        conn_silent(s, i, 1 - from);
        any = true;
    }
    return any;
}

static void conn_cut(struct sim *s, size_t index, bool half_open)
{
    conn_break(s, index);
    trace_happened(s, half_open ? HAPPENED_HALF_OPEN : HAPPENED_CUT);
    int silent = half_open ? (int)rng_below(&s->network, 2) : -1;
    for (int end = 0; end < 2; end++)
        if (end == silent)
            conn_silent(s, index, end);
        else
            story_schedule(s, 50, (struct step){.type = STEP_DOWN, .a = index, .b = end});
}

bool net_arrive(struct sim *s, size_t index, int from, bool *took)
{
    struct conn *c = &s->net.conns[index];
    struct buf frame;
    uint64_t now_us = s->now_ms * 1000;
    *took = false;
    c->expected[from] = false;
    while (c->open && wire_next(&c->way[from], now_us, &frame))
        if (frame_arrives(s, index, 1 - from, &frame)) *took = true;
    if (c->open && c->way[from].link.cut_us <= now_us) {
        trace_happened(s, HAPPENED_CUT_BY_BYTES);
        conn_cut(s, index, c->cut_half_open);
    }
    if (c->open) conn_expect(s, index, from);
    bool room = c->full[from] && (!c->open || c->way[from].waiting < c->queue_max);
    if (room) c->full[from] = false;
    return room;
}

void net_down(struct sim *s, size_t conn, int end)
{
    struct conn *c = &s->net.conns[conn];
    if (c->end[end] == NULL) return;
    enum err err = c->refused != OK ? c->refused : ERR_UNREACHABLE;
    const char *text = c->refused != OK ? c->refused_text : "reset";
    /* A listener that never heard of the peer is not told of its end. */
    if (end == 0 || c->greeted) inbox_event(s, conn, end, LINK_DOWN, err, text);
    c->end[end] = NULL;
}

void net_cut(struct sim *s, struct sim_node *n, bool half_open)
{
    for (size_t i = 0; i < s->net.count; i++) {
        const struct conn *c = &s->net.conns[i];
        if (c->open && conn_is_of(c, n)) conn_cut(s, i, half_open);
    }
}

void net_forget(struct sim *s, struct sim_node *n)
{
    for (size_t i = 0; i < s->net.count; i++) {
        struct conn *c = &s->net.conns[i];
        for (int end = 0; end < 2; end++) {
            if (c->end[end] == NULL || c->end[end]->node != n) continue;
            c->end[end] = NULL;
            /* A kernel that lives on resets the line; after a power cut nobody does. */
            if (c->open && c->end[1 - end] != NULL && rng_chance(&s->network, 50))
                story_schedule(s, c->way[end].link.options.delay_us / 1000,
                               (struct step){.type = STEP_DOWN, .a = i, .b = 1 - end});
            else if (c->open && c->end[1 - end] != NULL)
                conn_silent(s, i, 1 - end);
            conn_break(s, i);
        }
    }
}

struct sim_node *net_node(struct sim *s, size_t conn, int end)
{
    struct sim_link *l = s->net.conns[conn].end[end];
    return l != NULL ? l->node : NULL;
}

void net_clear(struct sim *s)
{
    for (size_t i = 0; i < s->net.count; i++) conn_break(s, i);
    free(s->net.conns);
    s->net = (struct net){0};
}
