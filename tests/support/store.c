#define _GNU_SOURCE /* nftw, memmem */
#include "tests/support/store.h"

#include "common/file.h"
#include "node/store/log.h"
#include "tests/support/events.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "test store: %s\n", what);
    abort();
}

void test_home_begin(struct test_store *ts)
{
    const char *tmp = getenv("TMPDIR");
    memset(ts, 0, sizeof *ts);
    must(crypto_init() == OK, "crypto_init");
    test_signer(&ts->township, 1000);
    test_signer(&ts->device, 1001);
    int size = snprintf(ts->home, sizeof ts->home, "%s/sidan-test-XXXXXX", tmp ? tmp : "/tmp");
    must(size > 0 && (size_t)size < sizeof ts->home && mkdtemp(ts->home), "temporary home");
}

void test_store_identity(const struct test_store *ts, struct store_identity *out)
{
    *out = (struct store_identity){
        .township = ts->township.key, .device = ts->device.key, .generation = "12345678"};
}

void test_store_begin(struct test_store *ts, const struct store_options *options)
{
    struct store_identity identity;
    test_home_begin(ts);
    test_store_identity(ts, &identity);
    must(store_create(ts->home, &identity) == OK, "create");
    test_store_reopen(ts, options);
}

void test_store_reopen(struct test_store *ts, const struct store_options *options)
{
    store_close(ts->store);
    ts->store = NULL;
    must(store_open(&ts->store, ts->home, options) == OK, "open");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void test_store_end(struct test_store *ts)
{
    store_close(ts->store);
    ts->store = NULL;
    must(nftw(ts->home, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0, "remove");
}

struct txn *test_txn(struct test_store *ts, bool write)
{
    struct txn *t = NULL;
    must(txn_begin(ts->store, write, &t) == OK, "begin");
    return t;
}

uint64_t test_events_held(struct store *s)
{
    struct txn *t = NULL;
    must(txn_begin(s, false, &t) == OK, "begin");
    uint64_t count = log_count(t);
    txn_abort(t);
    return count;
}

const char *test_path(const struct test_store *ts, const char *name)
{
    static char path[256];
    int size = snprintf(path, sizeof path, "%s/%s", ts->home, name);
    must(size > 0 && (size_t)size < sizeof path, "path");
    return path;
}

void test_store_append(struct test_store *ts, const struct test_chain *c, size_t first, size_t end)
{
    struct txn *t = test_txn(ts, true);
    struct appended did;
    for (size_t i = first; i < end; i++) log_append(t, &c->events[i], &did);
    must(txn_commit(t) == OK, "append");
}

bool test_store_file_has(const struct test_store *ts, const char *text)
{
    struct buf bytes = {0};
    must(file_read(&bytes, test_path(ts, "store/data.mdb"), BUF_SIZE_MAX) == OK, "no data file");
    const bool found = memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
    buf_clear(&bytes);
    return found;
}
