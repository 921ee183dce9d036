#include "node/run_making.h"

#include <stdlib.h>
#include <string.h>

/* A little is always sent as small as can be: it costs some milliseconds. */
#define LITTLE_RAW_SIZE KIB(16)
#define LITTLE_LEVEL 19
#define DICTIONARY_EVENTS_MAX 512u

void run_making_clear(struct run_making *m)
{
    buf_clear(&m->raw);
    buf_clear(&m->dictionary_bytes);
    buf_clear(&m->payload);
    crypto_buf_wipe(&m->box);
    run_context_clear(&m->context);
    free(m->ends);
    free(m->cuts);
    free(m->signatures);
    free(m->is_signed);
}

void run_making_again(struct run_making *m)
{
    const struct run_making made = *m;
    run_making_clear(m);
    *m = (struct run_making){.feed = made.feed,
                             .head = made.head,
                             .base = made.base,
                             .to_seq = made.to_seq,
                             .payload_max = made.payload_max,
                             .dictionary = made.dictionary,
                             .counting = made.counting,
                             .level = made.level};
}

enum err run_dictionary_events(struct txn *t, const struct feed_row *feed, const struct head *base,
                               struct event **events, size_t *count, struct buf *boxes)
{
    uint64_t arrivals[DICTIONARY_EVENTS_MAX];
    uint64_t first = base->seq > DICTIONARY_EVENTS_MAX ? base->seq - DICTIONARY_EVENTS_MAX + 1 : 1;
    size_t held = 0, from, weight = 0;
    enum err err = log_branch(t, feed, base, first, base->seq, arrivals, &held);
    if (err) return err;
    struct event *all = calloc(held + 1, sizeof *all);
    /* All at once, for the events point into it: the last one looked at goes over the weight. */
    buf_reset(boxes);
    if (!all || !buf_reserve(boxes, RUN_DICTIONARY_SIZE_MAX + EVENT_SIZE_MAX)) {
        free(all);
        return ERR_NOMEM;
    }
    for (from = held; from > 0; from--) {
        err = log_read_open(t, arrivals[from - 1], &all[from - 1], boxes);
        if (err) goto out;
        weight += run_dictionary_weight(&all[from - 1]);
        if (weight > RUN_DICTIONARY_SIZE_MAX) break;
    }
    memmove(all, all + from, (held - from) * sizeof *all);
    *events = all;
    *count = held - from;
    all = NULL;
out:
    free(all);
    return err;
}

enum err run_common_ancestor(struct txn *t, const struct feed_row *feed, const struct head *head,
                             const struct head *held, uint64_t *seq)
{
    uint64_t low = *seq, high = held->seq < head->seq ? held->seq : head->seq;
    for (bool first = true; low < high; first = false) {
        uint64_t middle = first ? low + 1 : low + (high - low + 1) / 2, mine, theirs;
        size_t count = 0;
        enum err err = log_branch(t, feed, head, middle, middle, &mine, &count);
        if (!err) err = log_branch(t, feed, held, middle, middle, &theirs, &count);
        if (err) return err;
        if (mine == theirs)
            low = middle;
        else
            high = first ? low : middle - 1;
    }
    *seq = low;
    return OK;
}

enum err run_head_at(struct txn *t, const struct feed_row *feed, const struct head *head,
                     uint64_t seq, struct head *out)
{
    uint64_t arrival;
    size_t count = 0;
    struct event e;
    *out = (struct head){0};
    if (!seq) return OK;
    enum err err = log_branch(t, feed, head, seq, seq, &arrival, &count);
    if (!err) err = log_read(t, arrival, &e);
    if (!err) *out = (struct head){.seq = e.seq, .id = e.id, .time = e.time};
    return err;
}

static enum err begin_context(struct txn *t, struct run_making *m)
{
    run_context_reset(&m->context, m->base.time);
    if (!m->dictionary || !m->base.seq) return OK;
    struct event *events = NULL;
    size_t count = 0;
    enum err err = run_dictionary_events(t, &m->feed, &m->base, &events, &count, &m->box);
    if (!err) err = run_dictionary_write(&m->context, &m->dictionary_bytes, events, count);
    free(events);
    return err;
}

/* A run ends where what counts ends, so that the signature there goes along. Where it has none
 * here, the next one proves it, and what stands aside up to there has to come along. */
static bool ends_before_aside(const struct run_making *m, bool own, bool counted)
{
    if (!m->count) return m->counting;
    return counted && (own || m->is_signed[m->count - 1]);
}

/* Writes records until there is enough, and on to the next signature where only the author could
 * make one here. */
static enum err write_records(const struct run_maker *maker, struct txn *t, struct run_making *m)
{
    bool own = sign_key_equal(&m->feed.feed.author, &maker->signer->key);
    uint64_t last = m->to_seq && m->to_seq < m->head.seq ? m->to_seq : m->head.seq;
    if (last <= m->base.seq) return ERR_NOT_FOUND;
    uint64_t want = last - m->base.seq;
    size_t max = want > RUN_EVENTS_MAX ? RUN_EVENTS_MAX : (size_t)want;
    size_t enough = m->payload_max * maker->raw_per_payload / 16, held = 0;
    if (enough > RUN_RAW_TARGET) enough = RUN_RAW_TARGET;
    bool counted = false; /* the event before */
    uint64_t *arrivals = calloc(max, sizeof *arrivals);
    m->ends = calloc(max, sizeof *m->ends);
    m->cuts = calloc(max, sizeof *m->cuts);
    m->signatures = calloc(max, sizeof *m->signatures);
    m->is_signed = calloc(max, sizeof *m->is_signed);
    enum err err = ERR_NOMEM;
    if (!arrivals || !m->ends || !m->cuts || !m->signatures || !m->is_signed) goto out;
    err = log_branch(t, &m->feed, &m->head, m->base.seq + 1, m->base.seq + max, arrivals, &held);
    for (size_t i = 0; !err && i < held; i++) {
        struct event e;
        bool aside = log_is_aside(t, arrivals[i]);
        if (aside && ends_before_aside(m, own, counted)) break;
        counted = !aside;
        buf_reset(&m->box);
        err = log_read_open(t, arrivals[i], &e, &m->box);
        if (!err) err = run_record_write(&m->context, &m->raw, &e);
        if (err) break;
        m->ends[i] = m->raw.size;
        m->cuts[i] = (struct head){.seq = e.seq, .id = e.id, .time = e.time};
        m->is_signed[i] = e.has_signature;
        if (e.has_signature) m->signatures[i] = e.signature;
        m->count = i + 1;
        if ((m->raw.size >= enough || (aside && m->counting)) && (own || e.has_signature)) break;
        if (m->raw.size >= RUN_RAW_SIZE_MAX - 2 * EVENT_SIZE_MAX) break;
    }
    /* A damaged event ends the run before it, if there is something before it. */
    if (err == ERR_CORRUPT && m->count) err = OK;
    if (!err && !m->count) err = ERR_NOT_FOUND;
out:
    free(arrivals);
    return err;
}

/* The last event of at most `count` that a signature covers or can cover; 0: none. */
static size_t signed_cut(const struct run_maker *maker, struct run_making *m, size_t count)
{
    bool own = sign_key_equal(&m->feed.feed.author, &maker->signer->key);
    while (count > 0 && !own && !m->is_signed[count - 1]) count--;
    if (count && !m->is_signed[count - 1]) {
        signer_sign(&m->signatures[count - 1], maker->signer, CONTEXT_EVENT,
                    slice_of(m->cuts[count - 1].id.bytes, sizeof m->cuts[count - 1].id.bytes));
        m->is_signed[count - 1] = true;
    }
    return count;
}

static enum err compress(struct run_maker *maker, struct run_making *m)
{
    enum err err = ERR_LIMIT;
    size_t count = m->count;
    int level = m->raw.size <= LITTLE_RAW_SIZE ? LITTLE_LEVEL : m->level;
    while (err == ERR_LIMIT && count > 0) {
        count = signed_cut(maker, m, count);
        if (!count) return ERR_NOT_FOUND;
        buf_reset(&m->payload);
        err = run_build(&m->run, maker->zstd, slice_of(m->raw.data, m->ends[count - 1]),
                        (uint32_t)count, buf_slice(&m->dictionary_bytes), level, &m->payload);
        if (err == ERR_LIMIT) {
            if (count == 1) return ERR_LIMIT;
            count /= 2;
        }
    }
    if (err) return err;
    m->run.base_seq = m->base.seq;
    memcpy(m->run.base_id8, m->base.id.bytes, sizeof m->run.base_id8);
    m->run.signature = m->signatures[count - 1];
    m->last = m->cuts[count - 1];
    /* How far records shrink on this node's data, for the next run's size. */
    uint64_t ratio =
        m->run.payload.size ? m->run.raw_size * UINT64_C(16) / m->run.payload.size : 48;
    maker->raw_per_payload = (3 * maker->raw_per_payload + (ratio < 16 ? 16 : ratio)) / 4;
    return OK;
}

enum err run_making_make(struct run_making *m, struct run_maker *maker, struct txn *t)
{
    enum err err = begin_context(t, m);
    if (!err) err = write_records(maker, t, m);
    return err ? err : compress(maker, m);
}

/* --- which run --- */

/* Does the branch of `head` contain the event with this number and arrival? */
static bool on_branch(struct txn *t, const struct feed_row *feed, const struct head *head,
                      uint64_t seq, uint64_t arrival)
{
    uint64_t there;
    size_t count = 0;
    if (seq > head->seq) return false;
    if (feed->head_count + feed->aside_count == 1) return true;
    return log_branch(t, feed, head, seq, seq, &there, &count) == OK && count == 1 &&
           there == arrival;
}

enum err run_making_base(struct run_making *m, struct txn *t, const struct want_point *points,
                         size_t point_count, bool from_start)
{
    bool any = false;
    uint64_t best = 0;
    for (size_t i = 0; i < point_count; i++) {
        const struct want_point *p = &points[i];
        uint64_t arrival = log_find(t, m->feed.number, p->seq, p->id8), seq = p->seq;
        struct event e;
        if (!arrival) continue;
        if (!on_branch(t, &m->feed, &m->head, p->seq, arrival)) {
            enum err err = log_read(t, arrival, &e);
            if (err) return err;
            const struct head held = {.seq = e.seq, .id = e.id, .time = e.time};
            seq = best;
            err = run_common_ancestor(t, &m->feed, &m->head, &held, &seq);
            if (err) return err;
        }
        any = true;
        if (seq > best) best = seq;
    }
    if (!any && !from_start) return ERR_BASE;
    if (best >= m->head.seq) return ERR_NOT_FOUND;
    return run_head_at(t, &m->feed, &m->head, best, &m->base);
}

enum err run_making_proven(struct run_making *m, struct run_maker *maker, struct txn *t)
{
    const struct head head = m->head;
    enum err err = run_making_make(m, maker, t);
    for (size_t i = 0; err == ERR_NOT_FOUND && m->counting && i < m->feed.aside_count; i++) {
        struct head way[] = {head, m->feed.aside[i]};
        if (log_ends(t, &m->feed, way, 2) != 1) continue;
        run_making_again(m);
        m->head = way[0];
        err = run_making_make(m, maker, t);
    }
    return err;
}
