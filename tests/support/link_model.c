#include "tests/support/link_model.h"

#include <stdlib.h>

enum { STALLS_MAX = 6, SEGMENTS_FIRST = 64 };

static const uint64_t never = UINT64_MAX;

static uint64_t max64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void link_model_init(struct link_model *m, const struct link_options *options, uint64_t seed)
{
    *m = (struct link_model){
        .options = *options, .rng = {seed}, .cut_us = never, .packet_space = LINK_PACKET_SIZE};
}

void link_model_clear(struct link_model *m)
{
    free(m->segments);
    *m = (struct link_model){.state = LINK_MODEL_DOWN};
}

void link_model_change(struct link_model *m, const struct link_options *options)
{
    m->options = *options;
    if (m->cut_us == never) m->passed = 0; /* a cut that is due still comes */
}

static void lose_all(struct link_model *m)
{
    m->counts.lost += m->held;
    m->held = 0;
    m->first = m->count = 0;
    m->passed = 0;
    m->free_us = m->last_us = 0;
    m->cut_us = never;
}

static void thaw(struct link_model *m, uint64_t now_us)
{
    uint64_t stood_us = now_us - m->frozen_us;
    for (size_t i = 0; i < m->count; i++) {
        struct link_segment *s = &m->segments[(m->first + i) % m->capacity];
        if (s->arrive_us != never) s->arrive_us += stood_us;
    }
    if (m->cut_us != never) m->cut_us += stood_us;
    m->free_us += stood_us;
    m->last_us += stood_us;
}

void link_model_set(struct link_model *m, uint64_t now_us, enum link_state state)
{
    if (m->state == state) return;
    bool loses = state == LINK_MODEL_DOWN || state == LINK_MODEL_HOLE ||
                 m->state == LINK_MODEL_DOWN || m->state == LINK_MODEL_HOLE;
    if (loses)
        lose_all(m);
    else if (state == LINK_MODEL_UP)
        thaw(m, now_us);
    if (state == LINK_MODEL_FROZEN) m->frozen_us = now_us;
    m->state = state;
}

/* The wire holds rate x delay; what waits for it is bounded. */
size_t link_model_room(const struct link_model *m)
{
    if (m->state == LINK_MODEL_DOWN) return 0;
    if (m->state == LINK_MODEL_HOLE) return SIZE_MAX;
    size_t all = m->options.queue_max +
                 (size_t)(m->options.rate_bps * m->options.delay_us / UINT64_C(8000000));
    return all > m->held ? all - m->held : 0;
}

static uint64_t packet_us(const struct link_model *m)
{
    const struct link_packets *p = &m->options.packets;
    uint64_t lap = m->packet / p->count, period_ms = p->at_ms[p->count - 1];
    return (lap * period_ms + p->at_ms[m->packet % p->count]) * 1000;
}

static void packet_follow(struct link_model *m)
{
    m->packet++;
    m->packet_space = LINK_PACKET_SIZE;
}

/* A recorded packet that nobody filled is gone. */
static uint64_t depart_recorded(struct link_model *m, uint64_t now_us, size_t size)
{
    if (m->packet_space == 0) packet_follow(m);
    while (packet_us(m) < now_us) packet_follow(m);
    while (size > m->packet_space) {
        size -= m->packet_space;
        packet_follow(m);
    }
    m->packet_space -= size;
    return packet_us(m);
}

/* When the last of these bytes has left. */
static uint64_t depart(struct link_model *m, uint64_t now_us, size_t size)
{
    uint64_t start = max64(now_us, m->free_us);
    if (size == 0 || (m->options.packets.count == 0 && m->options.rate_bps == 0)) return start;
    if (m->options.packets.count > 0) return depart_recorded(m, start, size);
    return start + (uint64_t)size * UINT64_C(8000000) / m->options.rate_bps;
}

static uint64_t stall(struct link_model *m)
{
    uint64_t sum = 0, wait = m->options.stall_us;
    for (int i = 0; i < STALLS_MAX && m->options.loss_permille > 0; i++, wait *= 2) {
        if (rng_below(&m->rng, 1000) >= m->options.loss_permille) break;
        sum += wait;
    }
    return sum;
}

static void segment_add(struct link_model *m, uint64_t tag, size_t size, uint64_t arrive_us)
{
    if (m->count == m->capacity) {
        size_t capacity = m->capacity == 0 ? SEGMENTS_FIRST : m->capacity * 2;
        struct link_segment *segments = calloc(capacity, sizeof *segments);
        if (segments == NULL) abort();
        for (size_t i = 0; i < m->count; i++)
            segments[i] = m->segments[(m->first + i) % m->capacity];
        free(m->segments);
        m->segments = segments;
        m->capacity = capacity;
        m->first = 0;
    }
    m->segments[(m->first + m->count++) % m->capacity] =
        (struct link_segment){.tag = tag, .arrive_us = arrive_us, .size = size};
    m->held += size;
}

static void send_packet(struct link_model *m, uint64_t now_us, uint64_t tag, size_t size)
{
    if (m->cut_us != never) { /* the link is cut before its turn comes */
        segment_add(m, tag, size, never);
        return;
    }
    m->free_us = depart(m, now_us, size);
    m->last_us = max64(m->last_us, m->free_us + m->options.delay_us + (size > 0 ? stall(m) : 0));
    m->passed += size;
    segment_add(m, tag, size, m->last_us);
    if (m->options.cut_bytes > 0 && m->passed == m->options.cut_bytes) m->cut_us = m->last_us;
}

size_t link_model_push(struct link_model *m, uint64_t now_us, uint64_t tag, size_t size)
{
    size_t room = link_model_room(m), taken = size < room ? size : room;
    m->counts.taken += taken;
    if (m->state == LINK_MODEL_HOLE) m->counts.lost += taken;
    if (m->state == LINK_MODEL_HOLE || m->state == LINK_MODEL_DOWN) return taken;
    if (m->state == LINK_MODEL_FROZEN) now_us = m->frozen_us;
    if (size == 0) send_packet(m, now_us, tag, 0);
    for (size_t left = taken; left > 0;) {
        size_t part = left < LINK_PACKET_SIZE ? left : LINK_PACKET_SIZE;
        uint64_t until_cut = m->options.cut_bytes - m->passed;
        if (m->options.cut_bytes > 0 && m->cut_us == never && part > until_cut)
            part = (size_t)until_cut;
        send_packet(m, now_us, tag, part);
        left -= part;
    }
    return taken;
}

bool link_model_pull(struct link_model *m, uint64_t now_us, struct link_segment *out)
{
    if (m->count == 0 || m->state != LINK_MODEL_UP) return false;
    if (m->segments[m->first].arrive_us > now_us) return false;
    *out = m->segments[m->first];
    m->first = (m->first + 1) % m->capacity;
    m->count--;
    m->held -= out->size;
    m->counts.carried += out->size;
    return true;
}

uint64_t link_model_next_us(const struct link_model *m)
{
    if (m->count == 0 || m->state != LINK_MODEL_UP) return never;
    return m->segments[m->first].arrive_us;
}

bool link_times_up(const struct link_times *t, uint64_t now_us, uint64_t *until_us)
{
    *until_us = never;
    if (t->up_us > 0) {
        uint64_t period = t->up_us + t->down_us, at = now_us % period;
        *until_us = now_us - at + (at < t->up_us ? t->up_us : period);
        return at < t->up_us;
    }
    if (t->span_count == 0) return true;
    size_t low = 0, high = t->span_count; /* the first span that has not ended */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->spans[middle].to_us <= now_us)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == t->span_count) return t->spans_down;
    bool inside = t->spans[low].from_us <= now_us;
    *until_us = inside ? t->spans[low].to_us : t->spans[low].from_us;
    return inside != t->spans_down;
}
