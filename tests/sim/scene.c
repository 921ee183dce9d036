#include "tests/sim/scene.h"

#include <stdio.h>
#include <stdlib.h>

struct net_line scene_line(uint32_t rate_bps, uint32_t delay_ms)
{
    struct net_line line = {.queue_max = 32};
    for (int way = 0; way < 2; way++)
        line.way[way] = (struct link_options){
            .rate_bps = rate_bps, .delay_us = (uint64_t)delay_ms * 1000, .queue_max = KIB(8)};
    return line;
}

void scene_begin(struct sim *s, const struct net_line *line)
{
    static const struct net_line fast = {
        .way = {{.delay_us = 1000, .queue_max = KIB(64)}, {.delay_us = 1000, .queue_max = KIB(64)}},
        .queue_max = 32};
    s->quiet = true;
    s->net.line = &fast;
    township_found(s);
    story_run(s, s->now_ms + MINUTES(1));
    s->net.line = line;
    for (int way = 0; way < 2; way++) s->net.bytes[way] = (struct link_counts){0};
}

void scene_contact(struct sim_node *n)
{
    n->contact_to = UINT64_MAX;
    story_schedule(n->sim, 0, (struct step){.type = STEP_DIAL, .a = (size_t)n->index});
}

void scene_apart(struct sim_node *n)
{
    n->contact_to = n->sim->now_ms;
    net_cut(n->sim, n, false);
}

static void put_text(struct mp_map *m, const char *key, const char *text)
{
    if (text == NULL) return;
    struct mp_writer w = mp_map_put(m, key);
    mp_write_text(&w, text);
}

static void put_uint(struct mp_map *m, const char *key, uint64_t v)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_uint(&w, v);
}

static char *noise_make(struct sim *s, size_t size)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    char *text = malloc(size + 1);
    if (text == NULL) abort();
    for (size_t i = 0; i < size; i++) text[i] = digits[rng_below(&s->story, 64)];
    text[size] = '\0';
    return text;
}

void scene_record(struct sim_node *n, const struct scene_request *r, struct recorded *out)
{
    struct sim *s = n->sim;
    struct mp_map body = {0}, box = {0};
    struct buf body_bytes = {0}, box_bytes = {0};
    char number[16];
    (void)snprintf(number, sizeof number, "%02dA-%04zu", n->index,
                   (n->acknowledged_count + 1) % 10000);
    put_text(&body, "number", number);
    put_text(&body, "channel", r->channel);
    put_text(&body, "channel_ref", r->channel_ref);
    put_uint(&body, "received", node_clock(n).wall_ms);
    put_text(&body, "nature", r->nature);
    put_text(&body, "category", r->category);
    put_uint(&body, "urgency", r->urgency);
    put_text(&box, "place", r->place);
    put_text(&box, "content", r->content);
    put_text(&box, "x", r->noise);
    SIM_OK(s, mp_map_end(&body, &body_bytes));
    SIM_OK(s, mp_map_end(&box, &box_bytes));
    const struct sim_node *about = n->index == SIM_HUB ? &s->nodes[1] : n;
    struct draft draft = {.kind = "request.register",
                          .scope = scope_of_village(about->village),
                          .lane = (uint8_t)r->lane,
                          .founding = true,
                          .body = buf_slice(&body_bytes),
                          .box = buf_slice(&box_bytes)};
    if (!node_record(n, &draft, out)) sim_fail(s, "%s may not register", n->name);
    mp_map_clear(&body);
    mp_map_clear(&box);
    buf_clear(&body_bytes);
    buf_clear(&box_bytes);
}

void scene_register(struct sim_node *n, enum lane lane, size_t noise, struct recorded *out)
{
    char *text = noise_make(n->sim, noise + noise / 3); /* six bits a character */
    const struct scene_request request = {.channel = "visit",
                                          .nature = "help",
                                          .category = "0101",
                                          .content = "-",
                                          .noise = text,
                                          .urgency = lane == LANE_URGENT ? 3 : 1,
                                          .lane = lane};
    scene_record(n, &request, out);
    free(text);
}

bool scene_holds(struct sim_node *n, const struct recorded *r)
{
    struct txn *t = NULL;
    struct feed_row row;
    SIM_OK(n->sim, txn_begin(n->store, false, &t));
    bool holds = feed_find(t, &r->feed, &row) && log_find(t, row.number, r->seq, r->id.bytes) != 0;
    txn_abort(t);
    return holds;
}

void scene_settle(struct sim *s, uint64_t limit_ms)
{
    uint64_t limit = s->now_ms + limit_ms;
    while (!check_agreement(s, false)) {
        if (s->now_ms > limit) (void)check_agreement(s, true);
        story_run(s, s->now_ms + SECONDS(1));
    }
    /* The last receipt is on its way. */
    story_run(s, s->now_ms + SECONDS(8));
}

struct link_counts scene_bytes(const struct sim *s, int way)
{
    struct link_counts sum = s->net.bytes[way];
    for (size_t i = 0; i < s->net.count; i++) {
        const struct link_counts *c = &s->net.conns[i].way[way].link.counts;
        if (!s->net.conns[i].open) continue;
        sum.taken += c->taken;
        sum.carried += c->carried;
        sum.lost += c->lost;
    }
    return sum;
}
