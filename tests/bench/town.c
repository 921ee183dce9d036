#include "tests/bench/town.h"

#include "tests/bench/bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum { LINE_MAX_SIZE = 4096, POLL_US = 2000, START_US = 300000, LEVEL = 19, SIGNATURE_SIZE = 64 };

void town_open(struct town *t, char **argv)
{
    *t = (struct town){.sidan = argv[1],
                       .node = argv[2],
                       .link = argv[3],
                       .hub_home = argv[4],
                       .village_home = argv[5],
                       .rows = argv[6],
                       .hub_port = atoi(argv[7]),
                       .link_port = atoi(argv[8])};
    t->hub = bench_store(t->hub_home);
    t->village = bench_store(t->village_home);
    t->hub_key = store_identity(t->hub)->device;
    t->village_key = store_identity(t->village)->device;
}

void town_close(struct town *t)
{
    town_end(t);
    store_close(t->hub);
    store_close(t->village);
}

void town_begin(struct town *t, const char *options)
{
    const char *hub[] = {t->node, "--home", t->hub_home, NULL};
    t->hub_pid = bench_spawn(hub);
    lab_start(&t->lab, t->link, options, t->hub_port, t->link_port);
    (void)usleep(START_US);
}

void town_village_start(struct town *t)
{
    const char *village[] = {t->node, "--home", t->village_home, NULL};
    t->village_pid = bench_spawn(village);
}

void town_end(struct town *t)
{
    if (t->village_pid > 0) bench_stop(t->village_pid);
    if (t->hub_pid > 0) bench_stop(t->hub_pid);
    t->village_pid = t->hub_pid = 0;
    lab_stop(&t->lab);
}

void town_record(struct town *t, unsigned count)
{
    char line[LINE_MAX_SIZE], path[512];
    (void)snprintf(path, sizeof path, "%s.part.ndjson", t->rows);
    FILE *in = fopen(t->rows, "re"), *out = fopen(path, "we");
    if (in == NULL || out == NULL || fseek(in, t->rows_at, SEEK_SET) != 0)
        bench_must(ERR_IO, t->rows);
    for (unsigned i = 0; i < count; i++) {
        if (fgets(line, sizeof line, in) == NULL) {
            rewind(in);
            if (fgets(line, sizeof line, in) == NULL) bench_must(ERR_IO, t->rows);
        }
        (void)fputs(line, out);
    }
    t->rows_at = ftell(in);
    (void)fclose(in);
    if (fclose(out) != 0) bench_must(ERR_IO, path);
    const char *argv[] = {t->sidan, "--home", t->village_home, "--no-input", "import",
                          path,     "--as",   "requests",      NULL};
    (void)bench_run(argv);
    (void)unlink(path);
}

void town_record_large(struct town *t, size_t size)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    char command[1024];
    uint8_t *noise = malloc(size);
    (void)snprintf(command, sizeof command, "'%s' --home '%s' --no-input record -q", t->sidan,
                   t->village_home);
    FILE *f = popen(command, "we");
    if (noise == NULL || f == NULL) {
        perror(command);
        exit(1);
    }
    crypto_random(noise, size);
    fputs("{\"kind\":\"request.register\",\"body\":{\"number\":\"01A-90001\",\"channel\":\"visit\","
          "\"received\":1793491200000,\"nature\":\"help\",\"category\":\"0302\",\"urgency\":1},"
          "\"box\":{\"name\":\"-\",\"content\":\"-\",\"x\":\"",
          f);
    for (size_t i = 0; i < size; i++) fputc(digits[noise[i] % 64], f);
    fputs("\"}}\n", f);
    if (pclose(f) != 0) bench_must(ERR_STATE, command);
    free(noise);
}

static void look_at_memory(struct town *t)
{
    uint64_t hub = bench_rss_anon_kib(t->hub_pid), village = bench_rss_anon_kib(t->village_pid);
    if (hub > t->hub_memory_kib) t->hub_memory_kib = hub;
    if (village > t->village_memory_kib) t->village_memory_kib = village;
}

bool town_wait(struct town *t, double limit_s)
{
    double end = bench_now() + limit_s;
    uint64_t events;
    while (!bench_arrived(t->village, &t->village_key, &t->hub_key, &events)) {
        if (bench_now() > end) return false;
        (void)usleep(POLL_US);
        look_at_memory(t);
    }
    return true;
}

/* --- sizes --- */

static bool own_feed(struct txn *t, const struct sign_key *author, struct feed_row *out)
{
    bool found = false;
    for (uint32_t number = 1; number <= feed_count(t); number++) {
        struct feed_row feed;
        if (!feed_get(t, number, &feed) || !sign_key_equal(&feed.feed.author, author)) continue;
        if (!found || feed.events > out->events) *out = feed;
        found = true;
    }
    return found;
}

uint64_t town_head(struct town *t)
{
    struct txn *txn = NULL;
    struct feed_row feed;
    bench_must(txn_begin(t->village, false, &txn), "begin");
    uint64_t head = own_feed(txn, &t->village_key, &feed) ? feed.heads[0].seq : 0;
    txn_abort(txn);
    return head;
}

/* The events after `base`, and those before it that its dictionary has. */
struct part {
    struct event *events;
    size_t before, count;
};

static void part_read(struct part *p, struct txn *txn, const struct feed_row *feed, uint64_t base)
{
    const struct head *head = &feed->heads[0];
    size_t all = (size_t)head->seq, held = 0, weight = 0, from = (size_t)base;
    uint64_t *arrivals = calloc(all, sizeof *arrivals);
    struct event *events = calloc(all, sizeof *events);
    if (arrivals == NULL || events == NULL) bench_must(ERR_NOMEM, "events");
    bench_must(log_branch(txn, feed, head, 1, head->seq, arrivals, &held), "branch");
    for (size_t i = 0; i < held; i++) bench_must(log_read(txn, arrivals[i], &events[i]), "event");
    while (from > 0 && weight + run_dictionary_weight(&events[from - 1]) <= RUN_DICTIONARY_SIZE_MAX)
        weight += run_dictionary_weight(&events[--from]);
    memmove(events, events + from, (all - from) * sizeof *events);
    *p = (struct part){events, (size_t)base - from, all - (size_t)base};
    free(arrivals);
}

/* How the encoding is changed, to see what a step of it saves. */
enum step { AS_IT_IS, ZERO_SALTS, NO_DICTIONARY, NO_DERIVED, NO_DIFFERENCES };

static void whole_write(struct buf *out, struct event *e)
{
    bench_must(event_encode(e, out), "event");
    buf_append(out, e->salt, sizeof e->salt);
    buf_append_slice(out, e->box);
}

static void records_write(struct buf *raw, struct run_context *c, const struct part *p,
                          enum step step)
{
    for (size_t i = p->before; i < p->before + p->count; i++) {
        struct event e = p->events[i];
        if (step == ZERO_SALTS) memset(e.salt, 0, sizeof e.salt);
        if (step == NO_DIFFERENCES) c->time = 0;
        if (step == NO_DERIVED)
            whole_write(raw, &e);
        else
            bench_must(run_record_write(c, raw, &e), "record");
    }
}

static size_t compressed(const struct part *p, enum step step)
{
    struct buf dictionary = {0}, raw = {0};
    struct run_context c = {0};
    size_t before = step == NO_DICTIONARY ? 0 : p->before;
    const struct event *first = p->events + p->before - before;
    run_context_reset(&c, p->before > 0 ? p->events[p->before - 1].time : 0);
    if (step == NO_DERIVED)
        for (size_t i = 0; i < before; i++) {
            struct event e = first[i];
            whole_write(&dictionary, &e);
        }
    else if (before > 0)
        bench_must(run_dictionary_write(&c, &dictionary, first, before), "dictionary");
    records_write(&raw, &c, p, step);
    size_t bound = ZSTD_compressBound(raw.size);
    void *out = malloc(bound);
    ZSTD_CCtx *z = ZSTD_createCCtx();
    if (out == NULL || z == NULL) bench_must(ERR_NOMEM, "zstd");
    size_t size = ZSTD_compress_usingDict(z, out, bound, raw.data, raw.size, dictionary.data,
                                          dictionary.size, LEVEL);
    if (ZSTD_isError(size)) bench_must(ERR_LIMIT, "zstd");
    (void)ZSTD_freeCCtx(z);
    free(out);
    run_context_clear(&c);
    buf_clear(&dictionary);
    buf_clear(&raw);
    return size;
}

size_t town_payload(struct town *t, uint64_t base, size_t payload_max)
{
    struct txn *txn = NULL;
    struct feed_row feed;
    struct part p;
    size_t sum = 0, a_run = 1;
    bench_must(txn_begin(t->village, false, &txn), "begin");
    if (!own_feed(txn, &t->village_key, &feed)) bench_must(ERR_NOT_FOUND, "feed");
    for (uint64_t at = base; at < feed.heads[0].seq; at += p.count) {
        part_read(&p, txn, &feed, at);
        if (at == base) a_run += p.count * payload_max / compressed(&p, AS_IT_IS);
        if (p.count > a_run) p.count = a_run;
        sum += compressed(&p, AS_IT_IS) + SIGNATURE_SIZE;
        free(p.events);
    }
    txn_abort(txn);
    return sum;
}

struct run_sizes town_sizes(struct town *t, uint64_t base)
{
    struct txn *txn = NULL;
    struct feed_row feed;
    struct part p;
    bench_must(txn_begin(t->village, false, &txn), "begin");
    if (!own_feed(txn, &t->village_key, &feed)) bench_must(ERR_NOT_FOUND, "feed");
    part_read(&p, txn, &feed, base);
    struct run_sizes s = {.events = p.count};
    s.floor = compressed(&p, ZERO_SALTS) + p.count * EVENT_SALT_SIZE + SIGNATURE_SIZE;
    s.run = compressed(&p, AS_IT_IS) + SIGNATURE_SIZE;
    s.no_dictionary = compressed(&p, NO_DICTIONARY) + SIGNATURE_SIZE;
    s.no_derived = compressed(&p, NO_DERIVED) + SIGNATURE_SIZE;
    s.no_differences = compressed(&p, NO_DIFFERENCES) + SIGNATURE_SIZE;
    s.signature_each = s.run + (p.count - 1) * SIGNATURE_SIZE;
    free(p.events);
    txn_abort(txn);
    return s;
}
