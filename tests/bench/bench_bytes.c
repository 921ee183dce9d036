/*
 * Bytes on the wire for events in runs of 32, behind a full dictionary of the same feed, at the
 * level for slow links. Overhead is the RUN frame less what body and box alone compress to in the
 * same setting.
 */
#include "proto/frame.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN = 32, BEFORE = 96, LEVEL = 19 };

struct made {
    struct event events[BEFORE + RUN];
    struct buf bytes[BEFORE + RUN], bodies[BEFORE + RUN], boxes[BEFORE + RUN];
};

/* One event of the feed: a founding registration, or an order signed on a thing of its own. */
static void make(struct made *m, unsigned i, const struct signer *signer, bool act)
{
    struct event *e = &m->events[i];
    struct bench_request request = {0};
    bench_request_make(&request, "431322111201", i);
    m->bodies[i] = request.body;
    m->boxes[i] = request.box;
    *e = (struct event){.suite = SUITE_1,
                        .seq = i + 1,
                        .time = HLC_MAKE(UINT64_C(1793491200000) + i * 61234, 0, 0),
                        .kind = slice_of_text("request.register"),
                        .founding = true,
                        .body = buf_slice(&m->bodies[i]),
                        .box_state = BOX_HERE,
                        .box = buf_slice(&m->boxes[i])};
    e->feed.author = signer->key;
    e->feed.scope = scope_of_village("431322111201");
    e->feed.lane = LANE_NORMAL;
    if (i > 0) e->prev = m->events[i - 1].id;
    if (act) {
        static const uint8_t empty = 0x80;
        e->kind = slice_of_text("order.sign");
        e->founding = false;
        crypto_random(e->subject.bytes, sizeof e->subject.bytes);
        e->depth = 3;
        e->seen = 3;
        e->body = slice_of(&empty, 1);
    }
    crypto_random(e->salt, sizeof e->salt);
    bench_must(event_encode(e, &m->bytes[i]), "event");
    event_sign(e, signer);
}

static size_t content_size(struct zstd *z, const struct made *m, unsigned first)
{
    struct buf before = {0}, content = {0}, out = {0};
    for (unsigned i = 0; i < BEFORE + RUN; i++) {
        struct buf *to = i < BEFORE ? &before : &content;
        if (i < first) continue;
        buf_append_slice(to, m->events[i].body);
        buf_append_slice(to, m->events[i].box);
    }
    bench_must(zstd_compress(z, &out, buf_slice(&content), buf_slice(&before), LEVEL), "compress");
    size_t size = out.size;
    buf_clear(&before);
    buf_clear(&content);
    buf_clear(&out);
    return size;
}

/* As a sender builds it: the dictionary is the last whole events within its bound. */
static size_t frame_size(struct zstd *z, const struct made *m, unsigned *first)
{
    struct run_context context = {0};
    struct buf dictionary = {0}, raw = {0}, payload = {0}, out = {0};
    struct frame_run frame = {0};
    size_t weight = 0;
    unsigned from = BEFORE;
    while (from > 0 &&
           weight + run_dictionary_weight(&m->events[from - 1]) <= RUN_DICTIONARY_SIZE_MAX)
        weight += run_dictionary_weight(&m->events[--from]);
    *first = from;
    run_context_reset(&context, 0);
    bench_must(run_dictionary_write(&context, &dictionary, &m->events[from], BEFORE - from),
               "dictionary");
    for (unsigned i = BEFORE; i < BEFORE + RUN; i++)
        bench_must(run_record_write(&context, &raw, &m->events[i]), "record");
    bench_must(
        run_build(&frame.run, z, buf_slice(&raw), RUN, buf_slice(&dictionary), LEVEL, &payload),
        "run");
    frame.run.base_seq = BEFORE;
    memcpy(frame.run.base_id8, m->events[BEFORE - 1].id.bytes, sizeof frame.run.base_id8);
    frame.run.signature = m->events[BEFORE + RUN - 1].signature;
    memcpy(frame.feed.id8, m->events[0].id.bytes, sizeof frame.feed.id8);
    frame_run_write(&out, &frame);
    bench_must(out.err, "frame");
    size_t size = out.size;
    run_context_clear(&context);
    buf_clear(&dictionary);
    buf_clear(&raw);
    buf_clear(&payload);
    buf_clear(&out);
    return size;
}

static void measure(struct zstd *z, const struct signer *signer, bool act, const char *what,
                    int aim)
{
    struct made *m = calloc(1, sizeof *m);
    unsigned first;
    if (m == NULL) exit(1);
    for (unsigned i = 0; i < BEFORE + RUN; i++) make(m, i, signer, act);
    size_t whole = frame_size(z, m, &first), content = content_size(z, m, first);
    printf("%-36s %8.1f bytes over %.1f of content   (%d)\n", what,
           ((double)whole - (double)content) / RUN, (double)content / RUN, aim);
    for (unsigned i = 0; i < BEFORE + RUN; i++) {
        buf_clear(&m->bytes[i]);
        buf_clear(&m->bodies[i]);
        buf_clear(&m->boxes[i]);
    }
    free(m);
}

int main(void)
{
    struct zstd *z = NULL;
    struct sign_seed seed;
    struct signer signer;
    bench_must(crypto_init(), "crypto");
    bench_must(zstd_open(&z), "zstd");
    sign_seed_make(&seed);
    signer_from_seed(&signer, &seed);
    measure(z, &signer, false, "overhead of a founding event", 24);
    measure(z, &signer, true, "overhead of an act, thing first met", 40);
    zstd_close(z);
    return 0;
}
