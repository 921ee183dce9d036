/*
 * bench_job SIDAN-NODE HUB VILLAGE...: the main job. The hub runs; all villages' nodes are started
 * at once; time until the hub holds every village's events durably and every village has the hub's
 * receipt for its last one. And the hub's peak of anonymous memory.
 */
#include "node/home.h"
#include "node/store/log.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VILLAGES_MAX = 64 };
static const double limit_s = 120;

struct bench_village {
    char *home;
    struct store *store;
    struct sign_key key;
    pid_t pid;
    uint64_t events; /* of its own */
    bool arrived;
};

static uint64_t held(struct store *hub)
{
    struct txn *t = NULL;
    bench_must(txn_begin(hub, false, &t), "begin");
    uint64_t count = log_count(t);
    txn_abort(t);
    return count;
}

static bool all_arrived(struct bench_village *villages, size_t count, const struct sign_key *hub)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        struct bench_village *v = &villages[i];
        uint64_t events;
        if (!v->arrived) v->arrived = bench_arrived(v->store, &v->key, hub, &events);
        all = all && v->arrived;
    }
    return all;
}

int main(int argc, char **argv)
{
    static struct bench_village villages[VILLAGES_MAX];
    size_t count = 0;
    uint64_t total = 0, events, memory = 0;
    if (argc < 4 || argc - 3 > VILLAGES_MAX) return 2;
    bench_must(crypto_init(), "crypto");
    struct store *hub = bench_store(argv[2]);
    struct sign_key hub_key = store_identity(hub)->device;
    uint64_t before = held(hub);
    for (int i = 3; i < argc; i++) {
        struct bench_village *v = &villages[count++];
        v->home = argv[i];
        v->store = bench_store(v->home);
        v->key = store_identity(v->store)->device;
        (void)bench_arrived(v->store, &v->key, &hub_key, &events);
        total += events;
    }
    const char *hub_argv[] = {argv[1], "--home", argv[2], NULL};
    pid_t hub_pid = bench_spawn(hub_argv);
    (void)usleep(300000);

    double start = bench_now(), spent = 0;
    for (size_t i = 0; i < count; i++) {
        const char *village_argv[] = {argv[1], "--home", villages[i].home, NULL};
        villages[i].pid = bench_spawn(village_argv);
    }
    bool done = false;
    while (!done && spent < limit_s) {
        (void)usleep(5000);
        uint64_t now = bench_rss_anon_kib(hub_pid);
        if (now > memory) memory = now;
        done = held(hub) >= before + total && all_arrived(villages, count, &hub_key);
        spent = bench_now() - start;
    }
    for (size_t i = 0; i < count; i++) bench_stop(villages[i].pid);
    bench_stop(hub_pid);
    for (size_t i = 0; i < count; i++) store_close(villages[i].store);
    store_close(hub);
    printf("%zu villages, %llu events to the hub %9.2f s   (0.6)%s\n", count,
           (unsigned long long)total, spent, done ? "" : "   NOT DONE");
    printf("hub memory, RssAnon                 %9.1f MB   (64)\n", (double)memory / 1024);
    return !done;
}
