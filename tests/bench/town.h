#pragma once
/* A hub and one village as real nodes with the lab's link between them. */
#include "node/store/log.h"
#include "proto/run.h"
#include "tests/bench/lab.h"

struct town {
    const char *sidan, *node, *link, *hub_home, *village_home;
    const char *rows; /* NDJSON as `import --as requests` takes it, used from the start again */
    int hub_port, link_port;
    long rows_at;
    struct store *hub, *village;
    struct sign_key hub_key, village_key;
    pid_t hub_pid, village_pid;                  /* 0: not running */
    uint64_t hub_memory_kib, village_memory_kib; /* greatest RssAnon seen */
    struct lab lab;
};
void town_open(struct town *t, char **argv);
void town_close(struct town *t);

/* The hub's node and the link; the village's node is started apart. */
void town_begin(struct town *t, const char *options);
void town_village_start(struct town *t);
void town_end(struct town *t); /* both nodes and the link */

/* Imports the next `count` rows at the village. */
void town_record(struct town *t, unsigned count);
/* One event with a box of about `size` bytes that cannot be compressed. */
void town_record_large(struct town *t, size_t size);

/* Waits until the village holds the hub's receipt for all of its own; false after `limit_s`. */
bool town_wait(struct town *t, double limit_s);

/* The village's own feed with the most events. */
uint64_t town_head(struct town *t);

/* Sizes of the events after number `base` of that feed as one run behind its dictionary, in the
 * steps of its encoding. */
struct run_sizes {
    size_t events;
    size_t floor;         /* zstd -19 of the records without salts, + 8 an event, + 64 */
    size_t run;           /* zstd -19 of the records, + 64 */
    size_t no_dictionary; /* the same without that step */
    size_t no_derived;
    size_t no_differences;
    size_t signature_each;
};
struct run_sizes town_sizes(struct town *t, uint64_t base);
/* The same events in runs of about so many bytes: payloads and signatures. */
size_t town_payload(struct town *t, uint64_t base, size_t payload_max);
