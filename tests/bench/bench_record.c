/*
 * bench_record HOME VILLAGE: recording by the recorder itself, on a home that holds a township.
 *
 * One at a time: each durable event alternates with a bare LMDB commit of one record of the same
 * size on the same disk, so the ratio says what sidan adds whatever the disk is. Then in batches.
 */
#include "node/home.h"
#include "tests/bench/bench.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ONE_BY_ONE = 400, BATCH = 4096, BATCHES = 50, RECORD_SIZE = 600 };

struct bare {
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t key;
};

static void bare_must(int result, const char *what)
{
    if (result == 0) return;
    fprintf(stderr, "bench: %s: %s\n", what, mdb_strerror(result));
    exit(1);
}

static void bare_open(struct bare *b, const char *home)
{
    char path[512];
    MDB_txn *t;
    (void)snprintf(path, sizeof path, "%s.bare", home);
    (void)mkdir(path, 0700);
    bare_must(mdb_env_create(&b->env), "create");
    bare_must(mdb_env_set_mapsize(b->env, MIB(1024)), "map size");
    bare_must(mdb_env_open(b->env, path, MDB_NOTLS, 0600), "open");
    bare_must(mdb_txn_begin(b->env, NULL, 0, &t), "begin");
    bare_must(mdb_dbi_open(t, NULL, 0, &b->dbi), "dbi");
    bare_must(mdb_txn_commit(t), "commit");
}

static void bare_commit(struct bare *b)
{
    static uint8_t record[RECORD_SIZE];
    uint8_t key_bytes[8];
    MDB_txn *t;
    be64_put(key_bytes, ++b->key);
    MDB_val key = {sizeof key_bytes, key_bytes}, value = {sizeof record, record};
    bare_must(mdb_txn_begin(b->env, NULL, 0, &t), "begin");
    bare_must(mdb_put(t, b->dbi, &key, &value, 0), "put");
    bare_must(mdb_txn_commit(t), "commit");
}

static void record_one(struct recorder *r, const struct draft *draft, bool whole)
{
    struct clock_reading clock = {
        .wall_ms = clock_machine_ms(), .trusted = true, .source = "time service"};
    struct recorded recorded;
    struct kind_problem problem = {0};
    if (whole)
        bench_must(recorder_record(r, &clock, draft, &recorded, &problem), "record");
    else
        bench_must(recorder_add(r, draft, &recorded, &problem), "add");
}

static void one_by_one(struct recorder *r, const char *home, const char *village)
{
    struct bare bare = {0};
    struct bench_request request = {0};
    double ours = 0, theirs = 0;
    bare_open(&bare, home);
    for (unsigned i = 0; i < ONE_BY_ONE; i++) {
        double start = bench_now();
        bare_commit(&bare);
        theirs += bench_now() - start;
        start = bench_now();
        bench_request_make(&request, village, i);
        record_one(r, &request.draft, true);
        ours += bench_now() - start;
    }
    mdb_env_close(bare.env);
    bench_request_clear(&request);
    printf("record, one durable commit each     %9.0f /s, bare LMDB %.0f /s, ratio %.2f   (0.55)\n",
           ONE_BY_ONE / ours, ONE_BY_ONE / theirs, theirs / ours);
}

static void in_bulk(struct recorder *r, const char *village)
{
    struct bench_request *requests = calloc(BATCH, sizeof *requests);
    double spent = 0, core = 0;
    if (requests == NULL) exit(1);
    for (unsigned b = 0; b < BATCHES; b++) {
        for (unsigned i = 0; i < BATCH; i++)
            bench_request_make(&requests[i], village, 100000 + b * BATCH + i);
        struct clock_reading clock = {
            .wall_ms = clock_machine_ms(), .trusted = true, .source = "time service"};
        double start = bench_now(), core_start = bench_core();
        bench_must(recorder_begin(r, &clock), "begin");
        for (unsigned i = 0; i < BATCH; i++) record_one(r, &requests[i].draft, false);
        bench_must(recorder_commit(r), "commit");
        spent += bench_now() - start;
        core += bench_core() - core_start;
    }
    for (unsigned i = 0; i < BATCH; i++) bench_request_clear(&requests[i]);
    free(requests);
    printf("append path, %d a commit          %9.0f /s of a core, %.0f /s with the disk   "
           "(200,000)\n",
           BATCH, BATCH * BATCHES / core, BATCH * BATCHES / spent);
}

int main(int argc, char **argv)
{
    struct device_keys keys;
    struct store *store = NULL;
    struct views *views = NULL;
    struct recorder *recorder = NULL;
    if (argc != 3) return 2;
    bench_must(crypto_init(), "crypto");
    bench_must(home_load_keys(argv[1], &keys), "keys");
    bench_must(store_open(&store, argv[1], &(struct store_options){0}), "store");
    bench_must(views_open(&views, store), "views");
    struct recorder_options options = {.store = store, .views = views, .signer = &keys.signer};
    bench_must(recorder_open(&recorder, &options), "recorder");
    one_by_one(recorder, argv[1], argv[2]);
    in_bulk(recorder, argv[2]);
    recorder_close(recorder);
    views_close(views);
    store_close(store);
    device_keys_wipe(&keys);
    return 0;
}
