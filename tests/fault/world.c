#include "tests/fault/world.h"

#include <stdio.h>
#include <stdlib.h>

static void *grown(void *p, size_t *room, size_t count, size_t item)
{
    if (count < *room) return p;
    *room = *room ? *room * 2 : 64;
    p = realloc(p, *room * item);
    if (!p) abort();
    return p;
}

/* --- processes --- */

const struct process *world_process(const struct world *w, uint32_t pid, size_t position)
{
    for (size_t i = w->process_count; i-- > 0;)
        if (w->processes[i].pid == pid && w->processes[i].start <= position)
            return &w->processes[i];
    return NULL;
}

/* The verb is the first word behind the home that is no flag; the daemon has none. */
static void process_add(struct world *w, struct disk *d, const struct record *r, size_t position)
{
    const char *at = (const char *)r->data, *end = at + r->head.data_size;
    struct process p = {.pid = r->head.pid, .node = -1, .start = position, .verb = "node"};
    if (r->head.name_size > 0) p.node = disk_node(d, r->name);
    if (p.node >= 0) w->is_home[p.node] = true;
    for (at += strlen(at) + 1; at < end; at += strlen(at) + 1) {
        if (strcmp(at, "--home") == 0)
            at += strlen(at) + 1;
        else if (*at != '-') {
            (void)snprintf(p.verb, sizeof p.verb, "%s", at);
            break;
        }
    }
    w->processes = grown(w->processes, &w->process_room, w->process_count, sizeof p);
    w->processes[w->process_count++] = p;
}

/* --- events --- */

static struct known *event_known(struct world *w, const struct event_id *id)
{
    for (size_t i = 0; i < w->event_count; i++)
        if (memcmp(&w->events[i].id, id, sizeof *id) == 0) return &w->events[i];
    return NULL;
}

static struct known *event_add(struct world *w, const struct event *e, int node)
{
    struct feed_id feed;
    w->events = grown(w->events, &w->event_room, w->event_count, sizeof *w->events);
    struct known *k = &w->events[w->event_count++];
    *k = (struct known){.id = e->id, .seq = e->seq, .origin = node};
    feed_id_of(&feed, &e->feed);
    memcpy(k->feed8, feed.bytes, 8);
    for (int i = 0; i < NODES_MAX; i++) {
        k->at[i].held = k->at[i].told = k->at[i].until = NEVER;
    }
    return k;
}

static void events_look(struct world *w, struct txn *t, int node, size_t position)
{
    struct event e;
    for (uint64_t arrival = 1, count = log_count(t); arrival <= count; arrival++) {
        if (log_read_any(t, arrival, &e)) abort();
        struct known *k = event_known(w, &e.id);
        if (!k) k = event_add(w, &e, node);
        if (k->at[node].held == NEVER) k->at[node].held = position;
    }
}

static bool holds(struct txn *t, const uint8_t feed8[8], uint64_t seq, const uint8_t id8[8])
{
    struct feed_row feed;
    return feed_find_id8(t, feed8, &feed) == OK && log_find(t, feed.number, seq, id8) != 0;
}

/* A store was put back from a backup: what it lacks is not asked for from `since` on. */
static void events_gone(struct world *w, struct txn *t, int node, size_t since)
{
    for (size_t i = 0; i < w->event_count; i++) {
        struct known *k = &w->events[i];
        if (k->at[node].held != NEVER && k->at[node].until == NEVER &&
            !holds(t, k->feed8, k->seq, k->id.bytes))
            k->at[node].until = since;
    }
    for (size_t i = 0; i < w->claim_count; i++) {
        struct claim *c = &w->claims[i];
        if (c->node == node && c->until == NEVER && !holds(t, c->feed8, c->seq, c->id8))
            c->until = since;
    }
}

/* --- claims --- */

static void claim_add(struct world *w, int node, const struct peer_have *have, size_t position)
{
    for (size_t i = 0; i < w->claim_count; i++) {
        const struct claim *c = &w->claims[i];
        if (c->node == node && c->seq == have->seq && memcmp(c->id8, have->id8, 8) == 0 &&
            memcmp(c->feed8, have->feed8, 8) == 0)
            return;
    }
    w->claims = grown(w->claims, &w->claim_room, w->claim_count, sizeof *w->claims);
    struct claim *c = &w->claims[w->claim_count++];
    *c = (struct claim){.node = node, .seq = have->seq, .from = position, .until = NEVER};
    memcpy(c->feed8, have->feed8, 8);
    memcpy(c->id8, have->id8, 8);
}

static void claims_look(struct world *w, struct txn *t, size_t position)
{
    for (int node = 0; node < NODES_MAX; node++) {
        struct peer_row peer;
        if (!w->has_device[node] || !peer_get(t, &w->devices[node], &peer)) continue;
        for (size_t i = 0; i < peer.have_count; i++) claim_add(w, node, &peer.have[i], position);
        peer_row_clear(&peer);
    }
}

/* --- the walk --- */

static void look(struct world *w, struct disk *d, int node, size_t position, size_t since,
                 const char *path)
{
    struct rng rng = {1};
    struct image_counts counts = {0};
    struct store *s;
    struct txn *t;
    struct store_options options = {.read_only = true};
    if (!disk_image(d, node, IMAGE_CLEAN, false, &rng, path, &counts)) return;
    if (store_open(&s, path, &options)) return; /* not yet */
    if (txn_begin(s, false, &t)) abort();
    w->devices[node] = store_identity(s)->device;
    w->has_device[node] = true;
    events_look(w, t, node, position);
    claims_look(w, t, position);
    if (since != NEVER) events_gone(w, t, node, since);
    txn_abort(t);
    store_close(s);
    w->commits++;
}

static void told(struct world *w, const struct process *p, size_t position)
{
    if (!p || p->node < 0) return;
    for (size_t i = 0; i < w->event_count; i++) {
        struct known *k = &w->events[i];
        if (k->at[p->node].held > position || k->at[p->node].told != NEVER) continue;
        k->at[p->node].told = position;
        if (w->begun[p->node] == NEVER) w->begun[p->node] = position;
    }
}

void world_read(struct world *w, const struct trace *t, const char *path)
{
    struct disk *d = disk_new(t);
    *w = (struct world){.events = NULL};
    for (int i = 0; i < NODES_MAX; i++) w->begun[i] = NEVER;
    for (size_t i = 0; i < t->count; i++) {
        const struct record *r = &t->records[i];
        disk_apply(d, r, false);
        const struct process *p = world_process(w, r->head.pid, i);
        int node = disk_node_of(d, r);
        if (r->head.op == TRACE_START) process_add(w, d, r, i);
        if (r->head.op == TRACE_OUT) told(w, p, i);
        if (node < 0) continue;
        if (disk_is_commit(d, r)) look(w, d, node, i, NEVER, path);
        if (r->head.op == TRACE_RENAME) look(w, d, node, i, NEVER, path);
        if (r->head.op == TRACE_EXCHANGE && p) look(w, d, node, i, p->start, path);
    }
    disk_free(d);
}
