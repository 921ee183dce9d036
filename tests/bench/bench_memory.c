/*
 * bench_memory SIDAN-NODE EVENTS HUB VILLAGE...: the hub's node and those of all villages, until
 * each village holds so many events; the greatest anonymous memory of the hub and of any village.
 */
#include "node/home.h"
#include "node/store/log.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NODES_MAX = 64 };
static const double limit_s = 600;

struct watched {
    struct store *store;
    pid_t pid;
    uint64_t peak_kib;
};

static uint64_t held(struct store *s)
{
    struct txn *t = NULL;
    bench_must(txn_begin(s, false, &t), "begin");
    uint64_t count = log_count(t);
    txn_abort(t);
    return count;
}

static bool look(struct watched *nodes, size_t count, uint64_t events)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        uint64_t now = bench_rss_anon_kib(nodes[i].pid);
        if (now > nodes[i].peak_kib) nodes[i].peak_kib = now;
        all = all && held(nodes[i].store) >= events;
    }
    return all;
}

int main(int argc, char **argv)
{
    static struct watched nodes[NODES_MAX];
    size_t count = (size_t)argc - 3;
    uint64_t village_kib = 0;
    if (argc < 5 || count > NODES_MAX) return 2;
    const uint64_t events = strtoull(argv[2], NULL, 10);
    bench_must(crypto_init(), "crypto");
    for (size_t i = 0; i < count; i++) nodes[i].store = bench_store(argv[i + 3]);
    uint64_t total = held(nodes[0].store);
    double start = bench_now();
    for (size_t i = 0; i < count; i++) {
        const char *words[] = {argv[1], "--home", argv[i + 3], NULL};
        nodes[i].pid = bench_spawn(words);
    }
    bool done = false;
    while (!done && bench_now() - start < limit_s) {
        (void)usleep(20000);
        done = look(nodes, count, events);
    }
    double spent = bench_now() - start;
    for (size_t i = count; i > 0; i--) bench_stop(nodes[i - 1].pid);
    for (size_t i = 0; i < count; i++) {
        store_close(nodes[i].store);
        if (i > 0 && nodes[i].peak_kib > village_kib) village_kib = nodes[i].peak_kib;
    }
    printf("%zu villages, %llu events from the hub %7.1f s%s\n", count - 1,
           (unsigned long long)total, spent, done ? "" : "   NOT DONE");
    printf("hub memory, RssAnon                 %9.1f MB   (64)\n",
           (double)nodes[0].peak_kib / 1024);
    printf("village memory, the greatest        %9.1f MB   (16)\n", (double)village_kib / 1024);
    return !done;
}
