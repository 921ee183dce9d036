#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/log.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void a_full_map_is_an_error_and_the_store_goes_on(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    test_store_begin(&ts, &(struct store_options){.map_size = MIB(1)});
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 4000);
    struct txn *t = test_txn(&ts, true);
    struct appended did;
    for (size_t i = 0; i < c.count; i++) log_append(t, &c.events[i], &did);
    assert_int_equal(did.arrival, 0);
    assert_int_equal(txn_error(t), ERR_MAP_FULL);
    assert_int_equal(txn_commit(t), ERR_MAP_FULL);
    test_store_append(&ts, &c, 0, 10);
    test_store_reopen(&ts, NULL);
    test_store_append(&ts, &c, 10, c.count);
    t = test_txn(&ts, false);
    assert_int_equal(log_count(t), c.count);
    txn_abort(t);
    test_chain_end(&c);
    test_store_end(&ts);
}

/* The file may not grow: LMDB's commit fails with an error that is not "disk full". */
static void after_a_commit_that_failed_the_store_is_opened_again(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    struct rlimit before, small;
    struct stat st;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 400);
    test_store_append(&ts, &c, 0, 5);
    struct txn *t = test_txn(&ts, true);
    struct appended did;
    for (size_t i = 5; i < c.count; i++) log_append(t, &c.events[i], &did);
    assert_int_equal(did.arrival, c.count);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    assert_int_equal(stat(test_path(&ts, "store/data.mdb"), &st), 0);
    small.rlim_cur = (rlim_t)st.st_size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum err err = txn_commit(t);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err, ERR_AMBIGUOUS_COMMIT);
    t = test_txn(&ts, false);
    assert_int_equal(log_count(t), 5);
    txn_abort(t);
    test_store_append(&ts, &c, 5, c.count);
    test_chain_end(&c);
    test_store_end(&ts);
}

static void a_transaction_latches_its_first_error(void **state)
{
    (void)state;
    struct test_store ts;
    struct slice value;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    meta_put_uint(t, "one", 1);
    txn_fail(t, ERR_LIMIT);
    txn_fail(t, ERR_IO);
    meta_put_uint(t, "two", 2);
    assert_false(meta_get(t, "one", &value));
    assert_int_equal(txn_commit(t), ERR_LIMIT);
    t = test_txn(&ts, true);
    assert_false(meta_get(t, "one", &value));
    meta_put(t, "name", slice_of_text("value"));
    meta_put_uint(t, "number", UINT64_MAX);
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, true);
    assert_true(meta_get(t, "name", &value));
    assert_true(slice_is_text(value, "value"));
    assert_int_equal(meta_get_uint(t, "number"), UINT64_MAX);
    assert_int_equal(meta_get_uint(t, "name"), 0);
    meta_delete(t, "name");
    meta_delete(t, "never there");
    assert_false(meta_get(t, "name", &value));
    txn_abort(t);
    test_store_end(&ts);
}

static void counters_of_meta_read_as_they_were_put(void **state)
{
    (void)state;
    struct test_store ts;
    struct slice value;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    meta_put_uint(t, "a", 1);
    meta_put_uint(t, "a", 2);
    meta_put_uint(t, "b", 7);
    assert_int_equal(meta_get_uint(t, "a"), 2);
    assert_int_equal(meta_get_uint(t, "b"), 7);
    assert_true(meta_get(t, "b", &value));
    assert_int_equal(value.size, 8);
    meta_put_uint(t, "b", 8);
    meta_put(t, "b", slice_of_text("text"));
    meta_put_uint(t, "c", 9);
    meta_delete(t, "c");
    assert_int_equal(meta_get_uint(t, "c"), 0);
    meta_put_uint(t, "a name that is longer than what is kept in memory", 3);
    meta_put_uint(t, "a", 4);
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, true);
    assert_int_equal(meta_get_uint(t, "a"), 4);
    assert_true(meta_get(t, "b", &value));
    assert_true(slice_is_text(value, "text"));
    assert_false(meta_get(t, "c", &value));
    assert_int_equal(meta_get_uint(t, "a name that is longer than what is kept in memory"), 3);
    meta_put_uint(t, "a", 5);
    txn_abort(t);
    t = test_txn(&ts, true);
    assert_int_equal(meta_get_uint(t, "a"), 4);
    txn_abort(t);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_map_is_an_error_and_the_store_goes_on),
        cmocka_unit_test(after_a_commit_that_failed_the_store_is_opened_again),
        cmocka_unit_test(a_transaction_latches_its_first_error),
        cmocka_unit_test(counters_of_meta_read_as_they_were_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
