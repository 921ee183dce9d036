#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

enum {
    QUEUE_MAX = 32
}; /* frames a sender may have under way, as the ZeroMQ link's high water mark */

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

static enum err sim_link_send(struct link *l, uint64_t peer, struct slice frame)
{
    struct sim_link *sl = sim_link_of(l);
    struct sim_node *n = sl->node;
    struct sim *s = n->sim;
    size_t index;
    int end;
    struct conn *c = conn_of(sl, peer, &index, &end);
    if (c == NULL) return ERR_NOT_FOUND;
    if (frame.size > FRAME_SIZE_MAX) return ERR_LIMIT;
    if (c->queued[end] >= c->queue_max) {
        trace_happened(s, HAPPENED_QUEUE_FULL);
        c->full[end] = true;
        return ERR_AGAIN;
    }
    if (n->crash_after_sends > 0 && --n->crash_after_sends == 0) {
        trace_happened(s, HAPPENED_CRASH_IN_TURN);
        node_snapshot(n);
    }
    if (n->dying) return OK; /* the process is gone already, it only does not know */
    check_receipt(n, frame);
    if (!c->open) return OK; /* a dead line swallows what is sent into it */
    uint64_t start = c->free_at[end] > s->now_ms ? c->free_at[end] : s->now_ms;
    c->free_at[end] = start + (uint64_t)frame.size * 8000 / c->rate_bps;
    c->queued[end]++;
    struct step step = {.type = STEP_DELIVER, .a = index, .b = 1 - end};
    buf_append_slice(&step.frame, frame);
    story_schedule(s, c->free_at[end] + c->latency_ms - s->now_ms, step);
    return OK;
}

/* The other end hears of a close after the line's latency. */
static void conn_end(struct sim *s, size_t index, int end)
{
    struct conn *c = &s->net.conns[index];
    c->end[end] = NULL;
    if (c->open && c->end[1 - end] != NULL)
        story_schedule(s, c->latency_ms,
                       (struct step){.type = STEP_DOWN, .a = index, .b = 1 - end});
    c->open = false;
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

struct link *net_dial(struct sim *s, struct sim_node *from, struct sim_node *to,
                      const struct box_key *key)
{
    struct net *net = &s->net;
    if (net->count == net->capacity) {
        net->capacity = net->capacity == 0 ? 64 : net->capacity * 2;
        net->conns = realloc(net->conns, net->capacity * sizeof *net->conns);
        if (net->conns == NULL) abort();
    }
    struct sim_link *l = sim_link_new(from);
    struct conn *c = &net->conns[net->count];
    *c = (struct conn){.end = {l, NULL}, .key = {*key, to->keys.transport}};
    c->latency_ms = (uint32_t)rng_between(&s->network, 20, 1200);
    static const uint32_t rates[] = {9600, 19200, 33600, 64000, 1000000};
    /* ZeroMQ's high water mark, or a line whose buffers are nearly nothing. */
    c->queue_max = rng_chance(&s->network, 30) ? 2 : 32;
    c->rate_bps = rates[rng_below(&s->network, sizeof rates / sizeof rates[0])];
    /* TCP and CURVE: about three round trips. */
    struct step step = {.type = STEP_UP, .a = net->count++, .b = to->index};
    story_schedule(s, 6 * (uint64_t)c->latency_ms, step);
    return &l->link;
}

void net_up(struct sim *s, size_t conn)
{
    struct conn *c = &s->net.conns[conn];
    struct sim_node *hub = &s->nodes[SIM_HUB];
    if (c->end[0] == NULL) return; /* dialled and gave up */
    struct sim_node *n = c->end[0]->node;
    if (n->alive && n->contact_to <= s->now_ms) {
        inbox_event(s, conn, 0, LINK_DOWN, ERR_TIMEOUT, "no answer");
        c->end[0] = NULL;
        return;
    }
    if (!hub->alive) {
        trace_happened(s, HAPPENED_UNREACHABLE);
        inbox_event(s, conn, 0, LINK_DOWN, ERR_UNREACHABLE, "connection refused");
        c->end[0] = NULL;
        return;
    }
    enum exchange_admission admission =
        exchange_admit(hub->exchange, &c->key[0], node_clock(hub).wall_ms);
    if (admission == EXCHANGE_DENY) {
        inbox_event(s, conn, 0, LINK_DOWN, ERR_FORBIDDEN, "not admitted");
        c->end[0] = NULL;
        return;
    }
    c->invite = admission == EXCHANGE_INVITE;
    c->end[1] = sim_link_of(hub->listener);
    c->open = true;
    inbox_event(s, conn, 0, LINK_UP, OK, NULL);
}

bool net_deliver(struct sim *s, size_t conn, int to, struct buf *frame)
{
    struct conn *c = &s->net.conns[conn];
    bool waiting = c->full[1 - to];
    c->full[1 - to] = false;
    c->queued[1 - to]--;
    if (!c->open || c->end[to] == NULL) {
        trace_happened(s, HAPPENED_CUT_IN_FLIGHT);
        buf_clear(frame);
        return waiting;
    }
    if (to == 1 && !c->greeted) {
        inbox_event(s, conn, 1, LINK_UP, OK, NULL);
        c->greeted = true;
    }
    struct link_event event = {.type = LINK_FRAME,
                               .peer = peer_handle(conn, to),
                               .key = c->key[1 - to],
                               .invite = to == 1 && c->invite};
    inbox_add(c->end[to], &event, frame);
    return waiting;
}

void net_down(struct sim *s, size_t conn, int end)
{
    struct conn *c = &s->net.conns[conn];
    if (c->end[end] == NULL) return;
    /* A listener that never heard of the peer is not told of its end. */
    if (end == 0 || c->greeted) inbox_event(s, conn, end, LINK_DOWN, ERR_UNREACHABLE, "reset");
    c->end[end] = NULL;
}

void net_cut(struct sim *s, struct sim_node *n, bool half_open)
{
    for (size_t i = 0; i < s->net.count; i++) {
        struct conn *c = &s->net.conns[i];
        if (!c->open) continue;
        bool ours = (c->end[0] != NULL && c->end[0]->node == n) ||
                    (c->end[1] != NULL && c->end[1]->node == n);
        if (!ours) continue;
        c->open = false;
        trace_happened(s, half_open ? HAPPENED_HALF_OPEN : HAPPENED_CUT);
        /* Heartbeats notice a silent end after half a minute to a minute. */
        int late = half_open ? (int)rng_below(&s->network, 2) : -1;
        for (int end = 0; end < 2; end++) {
            uint64_t in = end == late ? rng_between(&s->network, SECONDS(30), SECONDS(70)) : 50;
            story_schedule(s, in, (struct step){.type = STEP_DOWN, .a = i, .b = end});
        }
    }
}

void net_forget(struct sim *s, struct sim_node *n)
{
    for (size_t i = 0; i < s->net.count; i++) {
        struct conn *c = &s->net.conns[i];
        for (int end = 0; end < 2; end++) {
            if (c->end[end] == NULL || c->end[end]->node != n) continue;
            c->end[end] = NULL;
            /* A kernel that lives on resets the line; after a power cut the peer waits. */
            if (c->open && c->end[1 - end] != NULL) {
                uint64_t in = rng_chance(&s->network, 50) ? c->latency_ms : SECONDS(45);
                story_schedule(s, in, (struct step){.type = STEP_DOWN, .a = i, .b = 1 - end});
            }
            c->open = false;
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
    free(s->net.conns);
    s->net = (struct net){0};
}
