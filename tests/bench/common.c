#include "tests/bench/bench.h"

#include "node/store/local.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { WORDS_MAX = 32 }; /* of a command */

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double bench_core(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_rss_anon_kib(pid_t pid)
{
    char path[64], line[256];
    unsigned long long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL) return 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "RssAnon: %llu", &kib) == 1) break;
    (void)fclose(f);
    return kib;
}

void bench_must(enum err err, const char *what)
{
    if (err == OK) return;
    fprintf(stderr, "bench: %s: %s\n", what, err_text(err));
    exit(1);
}

int bench_compare_doubles(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void put_text(struct mp_map *m, const char *key, const char *text)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_text(&w, text);
}

static void put_uint(struct mp_map *m, const char *key, uint64_t v)
{
    struct mp_writer w = mp_map_put(m, key);
    mp_write_uint(&w, v);
}

void bench_request_make(struct bench_request *r, const char *village, unsigned number)
{
    static const char *const pieces[] = {
        "村口的路灯坏了，晚上看不清路，", "自来水水压太低，二楼上不去水，",
        "垃圾桶三天没有清运，气味很大，", "进村道路塌了一角，车辆过不去，",
        "独居老人行动不便，需要送药，",   "水渠被泥沙堵住，田里进不了水，"};
    struct mp_map body = {0}, box = {0};
    char text[512];
    uint64_t mix = number * UINT64_C(0x9e3779b97f4a7c15) >> 20;
    buf_reset(&r->body);
    buf_reset(&r->box);
    (void)snprintf(text, sizeof text, "01A-%u", 1000 + number);
    put_text(&body, "number", text);
    put_text(&body, "channel", mix % 2 == 0 ? "visit" : "phone");
    put_uint(&body, "received", UINT64_C(1793491200000) + number * UINT64_C(60000));
    put_text(&body, "nature", "help");
    put_text(&body, "category", mix % 3 == 0 ? "0302" : "0101");
    put_uint(&body, "urgency", 1 + mix % 3);
    put_text(&box, "name", "村民甲");
    (void)snprintf(text, sizeof text, "138%08llu", (unsigned long long)(mix % 100000000));
    put_text(&box, "phone", text);
    (void)snprintf(text, sizeof text, "%llu组%llu号", (unsigned long long)(mix % 12 + 1),
                   (unsigned long long)(mix % 97));
    put_text(&box, "place", text);
    (void)snprintf(text, sizeof text, "%s%s请在%u日前处理。", pieces[mix % 6], pieces[mix / 6 % 6],
                   number % 28 + 1);
    put_text(&box, "content", text);
    bench_must(mp_map_end(&body, &r->body), "body");
    bench_must(mp_map_end(&box, &r->box), "box");
    mp_map_clear(&body);
    mp_map_clear(&box);
    r->draft = (struct draft){.kind = "request.register",
                              .scope = scope_of_village(village),
                              .lane = LANE_NORMAL,
                              .founding = true,
                              .body = buf_slice(&r->body),
                              .box = buf_slice(&r->box)};
}

void bench_request_clear(struct bench_request *r)
{
    buf_clear(&r->body);
    buf_clear(&r->box);
}

pid_t bench_spawn(const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    char *words[WORDS_MAX + 1] = {NULL}; /* posix_spawn takes them without const */
    for (size_t i = 0; argv[i] != NULL; i++) {
        if (i == WORDS_MAX) bench_must(ERR_LIMIT, argv[0]);
        words[i] = strdup(argv[i]);
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid, argv[0], &actions, NULL, words, environ) != 0) {
        fprintf(stderr, "bench: cannot run %s\n", argv[0]);
        exit(1);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < WORDS_MAX; i++) free(words[i]);
    return pid;
}

void bench_stop(pid_t pid)
{
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
}

double bench_run(const char *const argv[])
{
    int result;
    double start = bench_now();
    pid_t pid = bench_spawn(argv);
    (void)waitpid(pid, &result, 0);
    if (result != 0) bench_must(ERR_STATE, argv[0]);
    return bench_now() - start;
}

struct store *bench_store(const char *home)
{
    struct store *s = NULL;
    struct store_options options = {.read_only = true};
    bench_must(store_open(&s, home, &options), home);
    return s;
}

bool bench_arrived(struct store *s, const struct sign_key *author, const struct sign_key *hub,
                   uint64_t *events)
{
    struct txn *t = NULL;
    struct peer_row peer;
    bool all = true;
    *events = 0;
    bench_must(txn_begin(s, false, &t), "begin");
    bool known = peer_get(t, hub, &peer);
    for (uint32_t number = 1; number <= feed_count(t); number++) {
        struct feed_row feed;
        if (!feed_get(t, number, &feed) || !sign_key_equal(&feed.feed.author, author)) continue;
        *events += feed.events;
        bool told = false;
        for (size_t i = 0; known && i < peer.have_count; i++)
            told = told || (memcmp(peer.have[i].feed8, feed.id.bytes, 8) == 0 &&
                            peer.have[i].seq >= feed.heads[0].seq);
        all = all && told;
    }
    if (known) peer_row_clear(&peer);
    bench_must(txn_error(t), "peers");
    txn_abort(t);
    return all;
}
