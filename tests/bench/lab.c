#include "tests/bench/lab.h"

#include "tests/bench/bench.h"

#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WORDS_MAX = 32, REST_MS = 2000 };

static const char stats_format[] =
    "{\"port\":%*d,\"connections\":%" SCNu64 ",\"cuts\":%" SCNu64 ",\"up\":{\"taken\":%" SCNu64
    ",\"carried\":%" SCNu64 ",\"lost\":%" SCNu64 ",\"last_ms\":%" SCNu64
    "},\"down\":{\"taken\":%" SCNu64 ",\"carried\":%" SCNu64 ",\"lost\":%" SCNu64
    ",\"last_ms\":%" SCNu64 "}}";

static void spawn(struct lab *l, char *const words[])
{
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    if (pipe(in) != 0 || pipe(out) != 0) bench_must(ERR_IO, "pipe");
    (void)fcntl(in[1], F_SETFD, FD_CLOEXEC);
    (void)fcntl(out[0], F_SETFD, FD_CLOEXEC);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_addclose(&actions, in[0]);
    (void)posix_spawn_file_actions_addclose(&actions, out[1]);
    if (posix_spawn(&l->pid, words[0], &actions, NULL, words, environ) != 0)
        bench_must(ERR_NOT_FOUND, words[0]);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    l->in = fdopen(in[1], "w");
    l->out = fdopen(out[0], "r");
    if (l->in == NULL || l->out == NULL) bench_must(ERR_NOMEM, "pipe");
}

static void command(struct lab *l, char *answer, size_t size, const char *verb, const char *rest)
{
    fprintf(l->in, "%s %d%s%s\n", verb, l->port, rest[0] != '\0' ? " " : "", rest);
    if (fflush(l->in) != 0 || fgets(answer, (int)size, l->out) == NULL) bench_must(ERR_IO, "link");
    if (strncmp(answer, "not understood", 14) == 0) bench_must(ERR_RANGE, answer);
}

void lab_start(struct lab *l, const char *program, const char *options, int target, int port)
{
    char copy[512], ports[2][16], *rest = NULL, *words[WORDS_MAX];
    size_t count = 0;
    char path[256];
    (void)snprintf(copy, sizeof copy, "%s", options);
    (void)snprintf(path, sizeof path, "%s", program);
    (void)snprintf(ports[0], sizeof ports[0], "%d", target);
    (void)snprintf(ports[1], sizeof ports[1], "%d", port);
    words[count++] = path;
    for (char *w = strtok_r(copy, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
        if (count == WORDS_MAX - 3) bench_must(ERR_LIMIT, options);
        words[count++] = w;
    }
    words[count++] = ports[0];
    words[count++] = ports[1];
    words[count] = NULL;
    l->port = port;
    spawn(l, words);
    lab_mark(l);
}

void lab_stop(struct lab *l)
{
    if (l->pid <= 0) return;
    (void)fclose(l->in);
    (void)waitpid(l->pid, NULL, 0);
    (void)fclose(l->out);
    *l = (struct lab){0};
}

void lab_mark(struct lab *l)
{
    char answer[256];
    command(l, answer, sizeof answer, "mark", "");
}

struct lab_stats lab_stats(struct lab *l)
{
    char answer[512];
    struct lab_stats s = {0};
    command(l, answer, sizeof answer, "stats", "");
    int read = sscanf(answer, stats_format, &s.connections, &s.cuts, &s.up.taken, &s.up.carried,
                      &s.up.lost, &s.up.last_ms, &s.down.taken, &s.down.carried, &s.down.lost,
                      &s.down.last_ms);
    if (read != 10) bench_must(ERR_MALFORMED, answer);
    return s;
}

uint64_t lab_bytes(const struct lab_stats *s)
{
    return s->up.carried + s->down.carried;
}

struct lab_stats lab_rest(struct lab *l, double limit_s)
{
    struct lab_stats s = lab_stats(l);
    double end = bench_now() + limit_s, still = bench_now();
    while (bench_now() < end && bench_now() - still < REST_MS / 1000.0) {
        (void)usleep(20000);
        struct lab_stats now = lab_stats(l);
        if (now.up.taken + lab_bytes(&now) != s.up.taken + lab_bytes(&s)) still = bench_now();
        s = now;
    }
    return s;
}
