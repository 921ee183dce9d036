/*
 * bench_fold HOME: folds every thing of a store once, as a change of the roster or of the fold
 * does, without writing a row: events a second of a core, the hash of each event checked or not.
 */
#include "node/views/fold.h"
#include "node/views/rules.h"
#include "tests/bench/bench.h"

#include <stdio.h>

static double fold_all(struct store *s, struct fold *f, uint64_t *events)
{
    struct txn *t;
    struct thing_key key = {0};
    double start = bench_core();
    *events = 0;
    bench_must(txn_begin(s, false, &t), "transaction");
    while (thing_each(t, &key)) {
        bench_must(fold_thing(f, t, &key, NULL), "fold");
        *events += f->total;
    }
    txn_abort(t);
    return bench_core() - start;
}

int main(int argc, char **argv)
{
    struct store *store;
    struct views *views;
    struct txn *t;
    struct fold fold = {0};
    const struct rules *rules;
    const struct store_options options = {.read_only = true};
    if (argc != 2 || crypto_init()) return 2;
    bench_must(store_open(&store, argv[1], &options), argv[1]);
    bench_must(views_open(&views, store), "views");
    bench_must(txn_begin(store, false, &t), "transaction");
    bench_must(views_roster(views, t, &fold.roster), "roster");
    bench_must(views_rules(views, t, &rules), "rules");
    fold.bounds = &rules->bounds;
    fold.authority = store_identity(store)->township;
    for (int verify = 0; verify < 2; verify++) {
        uint64_t events;
        fold.verify = verify;
        (void)fold_all(store, &fold, &events); /* warm */
        double seconds = fold_all(store, &fold, &events);
        printf("%-34s %10.0f /s of a core   (%s)\n",
               verify ? "  with the hash of each event" : "folding whole requests",
               (double)events / seconds, verify ? "-" : "300,000");
    }
    fold_clear(&fold);
    txn_abort(t);
    views_close(views);
    store_close(store);
    return 0;
}
