#pragma once
/* Temporary homes and stores for tests. Helpers abort on a mistake of the test itself. */
#include "node/store/store.h"

struct test_store {
    char home[96];
    struct signer township, device; /* test_signer 1000 and 1001 */
    struct store *store;
};
/* A fresh home in $TMPDIR or /tmp with a store, opened. `options` may be NULL. */
void test_store_begin(struct test_store *ts, const struct store_options *options);
/* The same without a store. */
void test_home_begin(struct test_store *ts);
void test_store_identity(const struct test_store *ts, struct store_identity *out);
void test_store_reopen(struct test_store *ts, const struct store_options *options);
/* Closes and removes everything. */
void test_store_end(struct test_store *ts);

struct txn *test_txn(struct test_store *ts, bool write);
uint64_t test_events_held(struct store *s);
/* <home>/<name> in a buffer that lives until the next call. */
const char *test_path(const struct test_store *ts, const char *name);
/* Is the text anywhere in the store's data file, pages that are free or half empty included? */
bool test_store_file_has(const struct test_store *ts, const char *text);
/* Appends a chain's events `first`..`end` (positions) in one commit. */
struct test_chain;
void test_store_append(struct test_store *ts, const struct test_chain *c, size_t first, size_t end);
