#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/store/bundles.h"
#include "tests/support/store.h"

#include <string.h>

static int setup(void **state)
{
    static struct test_store store;
    test_store_begin(&store, NULL);
    *state = &store;
    return 0;
}

static int teardown(void **state)
{
    test_store_end(*state);
    return 0;
}

static struct bundle_id id_of(unsigned n)
{
    struct bundle_id id = {{0}};
    id.bytes[0] = (uint8_t)n;
    id.bytes[1] = (uint8_t)(n >> 8);
    return id;
}

static void note(struct txn *t, unsigned n, uint64_t when, bool refused)
{
    const struct bundle_id id = id_of(n);
    const struct bundle_noted noted = {.wall_ms = when, .way = BUNDLE_BY_LINK, .refused = refused};
    bundle_note(t, &id, &noted);
}

static bool noted(struct txn *t, unsigned n, struct bundle_noted *out)
{
    const struct bundle_id id = id_of(n);
    return bundle_noted(t, &id, out);
}

static void remembers_when_and_how_one_came(void **state)
{
    struct txn *t = test_txn(*state, true);
    struct bundle_noted n;
    assert_false(noted(t, 1, &n));
    note(t, 1, 500, false);
    assert_true(noted(t, 1, &n));
    assert_int_equal(n.wall_ms, 500);
    assert_int_equal(n.way, BUNDLE_BY_LINK);
    assert_false(n.refused);
    note(t, 1, 900, false); /* a second time is the first time */
    assert_true(noted(t, 1, &n));
    assert_int_equal(n.wall_ms, 500);
    assert_int_equal(txn_commit(t), OK);
    test_store_reopen(*state, NULL);
    t = test_txn(*state, false);
    assert_true(noted(t, 1, &n));
    txn_abort(t);
}

static void a_whole_one_takes_the_place_of_a_refused_one_and_never_the_other_way(void **state)
{
    struct txn *t = test_txn(*state, true);
    struct bundle_noted n;
    note(t, 1, 100, true);
    note(t, 1, 200, false);
    assert_true(noted(t, 1, &n));
    assert_false(n.refused);
    assert_int_equal(n.wall_ms, 200);
    note(t, 1, 300, true);
    assert_true(noted(t, 1, &n));
    assert_false(n.refused);
    txn_abort(t);
}

static void what_one_device_refused_another_may_want(void **state)
{
    struct txn *t = test_txn(*state, true);
    const struct bundle_id id = id_of(1);
    const struct sign_key one = {{1}}, other = {{2}};
    struct bundle_noted n;
    bundle_refuse(t, &id, &one, 500);
    assert_true(bundle_refused_by(t, &id, &one));
    assert_false(bundle_refused_by(t, &id, &other));
    assert_false(noted(t, 1, &n)); /* nor did it come here */
    txn_abort(t);
}

static void keeps_the_newest_ones_alone(void **state)
{
    struct txn *t = test_txn(*state, true);
    struct bundle_noted n;
    for (unsigned i = 0; i < BUNDLES_NOTED_MAX + 10; i++) note(t, i, i + 1, i % 2);
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(*state, false);
    for (unsigned i = 0; i < 10; i++) assert_false(noted(t, i, &n));
    for (unsigned i = 10; i < BUNDLES_NOTED_MAX + 10; i++) assert_true(noted(t, i, &n));
    txn_abort(t);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(remembers_when_and_how_one_came),
        CASE(a_whole_one_takes_the_place_of_a_refused_one_and_never_the_other_way),
        CASE(what_one_device_refused_another_may_want),
        CASE(keeps_the_newest_ones_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
