#include "tests/sim/scene.h"

#include <stdlib.h>
#include <string.h>

enum { LEVEL = 19, SIGNATURE_SIZE = 64 };

/* The events first..last of the feed; the caller owns them. */
static struct event *events_read(struct sim *s, struct txn *t, const struct feed_row *feed,
                                 uint64_t first)
{
    const struct head *head = &feed->heads[0];
    size_t count = (size_t)(head->seq - first + 1), held;
    uint64_t *arrivals = calloc(count, sizeof *arrivals);
    struct event *events = calloc(count, sizeof *events);
    if (arrivals == NULL || events == NULL) abort();
    SIM_OK(s, log_branch(t, feed, head, first, head->seq, arrivals, &held));
    for (size_t i = 0; i < held; i++) SIM_OK(s, log_read_unverified(t, arrivals[i], &events[i]));
    free(arrivals);
    return events;
}

size_t fleet_floor(struct sim_node *n, const struct feed *feed, uint64_t base)
{
    enum { BEFORE_MAX = RUN_DICTIONARY_SIZE_MAX / 64 };
    static struct zstd *z; /* as long as the process */
    struct sim *s = n->sim;
    struct txn *t = NULL;
    struct feed_row row;
    struct run_context context = {0};
    struct buf dictionary = {0}, raw = {0}, out = {0};
    if (z == NULL) SIM_OK(s, zstd_open(&z));
    SIM_OK(s, txn_begin(n->store, false, &t));
    if (!feed_find(t, feed, &row) || row.heads[0].seq <= base) {
        txn_abort(t);
        return 0;
    }
    uint64_t first = base > BEFORE_MAX ? base - BEFORE_MAX + 1 : 1;
    struct event *events = events_read(s, t, &row, first);
    size_t before = (size_t)(base + 1 - first), from = before, weight = 0;
    size_t count = (size_t)(row.heads[0].seq - base);
    while (from > 0 && weight + run_dictionary_weight(&events[from - 1]) <= RUN_DICTIONARY_SIZE_MAX)
        weight += run_dictionary_weight(&events[--from]);
    SIM_OK(s, run_dictionary_write(&context, &dictionary, events + from, before - from));
    for (size_t i = before; i < before + count; i++) {
        struct event e = events[i];
        memset(e.salt, 0, sizeof e.salt);
        SIM_OK(s, run_record_write(&context, &raw, &e));
    }
    SIM_OK(s, zstd_compress(z, &out, buf_slice(&raw), buf_slice(&dictionary), LEVEL));
    size_t size = out.size + count * EVENT_SALT_SIZE + SIGNATURE_SIZE;
    free(events);
    txn_abort(t);
    run_context_clear(&context);
    buf_clear(&dictionary);
    buf_clear(&raw);
    buf_clear(&out);
    return size;
}
