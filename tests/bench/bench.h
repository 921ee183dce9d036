#pragma once
/* What the benchmark programs share: a clock, figures of a process, one request to record. */
#include "node/recorder.h"

#include <sys/types.h>

double bench_now(void);  /* seconds, monotonic */
double bench_core(void); /* seconds of this process on a core, in the kernel too */
/* Anonymous memory of a process in KiB: the store's map is page cache and does not count. */
uint64_t bench_rss_anon_kib(pid_t pid);
/* Ends the program with a message unless `err` is OK. */
void bench_must(enum err err, const char *what);
int bench_compare_doubles(const void *a, const void *b);

/* A founding request.register, about 300 bytes of body and box, different for each `number`. */
struct bench_request {
    struct draft draft;
    struct buf body, box;
};
void bench_request_make(struct bench_request *r, const char *village, unsigned number);
void bench_request_clear(struct bench_request *r);

/* A child with its output thrown away. */
pid_t bench_spawn(const char *const argv[]);
void bench_stop(pid_t pid); /* SIGTERM, then waits */
/* Runs one to its end; the seconds it took. It must succeed. */
double bench_run(const char *const argv[]);

/* A home's store, to look at while its node runs. */
struct store *bench_store(const char *home);
/* Has the hub receipted the head of every feed of `author`? *events: how many are in them. */
bool bench_arrived(struct store *s, const struct sign_key *author, const struct sign_key *hub,
                   uint64_t *events);
