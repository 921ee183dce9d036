/*
 * sim --seeds A-B [--part I/N] [--days D]     plays seeds, each in its own process
 * sim --seed N [--trace] [--days D]           plays one; with its trace
 *
 * The first seed of a range is played twice: the same seed must give the same trace.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
    uint64_t first, last;
    unsigned part, parts, days;
    bool trace;
};

/* Shared with the children. */
struct report {
    struct hash hash;
    uint64_t lines;
    uint64_t happened[HAPPENING_COUNT];
};

static bool options_read(struct options *o, int argc, char **argv)
{
    unsigned long long first, last;
    *o = (struct options){.first = 1, .last = 1, .part = 1, .parts = 1, .days = 30};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--trace") == 0) {
            o->trace = true;
            continue;
        }
        if (strcmp(argv[i], "--seeds") == 0 && sscanf(value, "%llu-%llu", &first, &last) == 2) {
            o->first = first;
            o->last = last;
        } else if (strcmp(argv[i], "--seed") == 0 && sscanf(value, "%llu", &first) == 1) {
            o->first = o->last = first;
        } else if (strcmp(argv[i], "--part") == 0) {
            if (sscanf(value, "%u/%u", &o->part, &o->parts) != 2) return false;
        } else if (strcmp(argv[i], "--days") == 0) {
            if (sscanf(value, "%u", &o->days) != 1) return false;
        } else {
            return false;
        }
        i++;
    }
    return o->parts > 0 && o->part >= 1 && o->part <= o->parts && o->first <= o->last;
}

static void folder_of(char *out, size_t size, uint64_t seed)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(out, size, "%s/sidan-sim-%d-%llu", base, (int)getpid(),
                   (unsigned long long)seed);
}

static void folder_remove(const char *folder)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) fprintf(stderr, "sim: cannot remove %s\n", folder);
}

static void play(const struct options *o, uint64_t seed, const char *folder, struct report *report)
{
    struct sim *s = calloc(1, sizeof *s);
    if (s == NULL || crypto_init() != OK) _exit(1);
    s->seed = seed;
    s->days = o->days;
    s->node_count = SIM_NODES_MAX;
    s->trace.print = o->trace;
    (void)snprintf(s->folder, sizeof s->folder, "%s", folder);
    story_play(s, &report->hash);
    report->lines = s->trace.lines;
    for (size_t i = 0; i < HAPPENING_COUNT; i++) report->happened[i] += s->trace.happened[i];
    free(s);
}

static bool play_apart(const struct options *o, uint64_t seed, struct report *report)
{
    char folder[64];
    int status = -1;
    folder_of(folder, sizeof folder, seed);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char command[96];
        (void)snprintf(command, sizeof command, "mkdir -p -m 700 '%s'", folder);
        if (system(command) != 0) _exit(1);
        play(o, seed, folder, report);
        fflush(stdout);
        exit(0);
    }
    if (child > 0) (void)waitpid(child, &status, 0);
    folder_remove(folder);
    if (child > 0 && status == 0) return true;
    if (child > 0 && WIFSIGNALED(status))
        printf("seed %llu: killed by signal %d\n", (unsigned long long)seed, WTERMSIG(status));
    printf("  again: make build/sim && build/sim --seed %llu --trace\n", (unsigned long long)seed);
    return false;
}

/* A fault that no seed met is a hole in the story. */
static bool happenings_print(const struct report *report)
{
    bool all = true;
    for (size_t i = 0; i < HAPPENING_COUNT; i++) {
        printf("%10llu  %s%s\n", (unsigned long long)report->happened[i],
               happening_text((enum sim_happening)i),
               report->happened[i] == 0 ? "  NEVER HAPPENED" : "");
        if (report->happened[i] == 0) all = false;
    }
    return all;
}

int main(int argc, char **argv)
{
    struct options o;
    unsigned passed = 0, failed = 0;
    if (!options_read(&o, argc, argv)) {
        fputs("usage: sim --seeds A-B [--part I/N] | --seed N [--trace]   [--days D]\n", stderr);
        return 2;
    }
    struct report *report =
        mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED) return 1;
    for (uint64_t seed = o.first + o.part - 1; seed <= o.last; seed += o.parts) {
        if (play_apart(&o, seed, report))
            passed++;
        else
            failed++;
        if (o.first == o.last || seed != o.first + o.part - 1) continue;
        struct hash hash = report->hash;
        bool same = play_apart(&o, seed, report) && hash_equal(&hash, &report->hash);
        if (!same)
            printf("seed %llu told another story the second time\n", (unsigned long long)seed);
        if (same)
            passed++;
        else
            failed++;
    }
    if (o.first != o.last) {
        if (happenings_print(report))
            passed++;
        else
            failed++;
    }
    char hex[65];
    hex_encode(hex, report->hash.bytes, sizeof report->hash.bytes);
    printf("%llu lines, last trace %.16s\n%u passed, %u failed\n",
           (unsigned long long)report->lines, hex, passed, failed);
    return failed != 0;
}
