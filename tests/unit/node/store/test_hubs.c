#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/hubs.h"
#include "tests/support/store.h"

static const struct sign_key laptop = {{0x11}}, other = {{0x12}}, standby = {{0x22}};

static void keeps_by_whom_and_when_the_newest_records_came(void **state)
{
    (void)state;
    struct test_store ts;
    struct via via;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    assert_false(via_get(t, &laptop, &via));
    via_put(t, &laptop, &(struct via){.from = other, .wall_ms = 1});
    via_put(t, &laptop, &(struct via){.from = standby, .wall_ms = 2});
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, false);
    assert_true(via_get(t, &laptop, &via));
    assert_true(sign_key_equal(&via.from, &standby));
    assert_int_equal(via.wall_ms, 2);
    assert_false(via_get(t, &other, &via));
    txn_abort(t);
    test_store_end(&ts);
}

/* Of an earlier move it says nothing about this one. */
static void a_handover_is_of_one_move(void **state)
{
    (void)state;
    struct test_store ts;
    const struct peer_have points[] = {{.feed8 = {1}, .seq = 7, .id8 = {2}},
                                       {.feed8 = {3}, .seq = UINT64_C(1) << 47, .id8 = {4}}};
    struct peer_have out;
    struct slice left;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    assert_false(handover_get(t, &standby, 1, &left));
    handover_put(t, &standby, 1, points, 2);
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, false);
    assert_false(handover_get(t, &standby, 2, &left));
    assert_false(handover_get(t, &other, 1, &left));
    assert_true(handover_get(t, &standby, 1, &left));
    for (size_t i = 0; i < 2; i++) {
        assert_true(handover_next(&left, &out));
        assert_memory_equal(out.feed8, points[i].feed8, sizeof out.feed8);
        assert_int_equal(out.seq, points[i].seq);
        assert_memory_equal(out.id8, points[i].id8, sizeof out.id8);
    }
    assert_false(handover_next(&left, &out));
    txn_abort(t);
    test_store_end(&ts);
}

static void a_hub_that_holds_nothing_of_its_own_hands_over_nothing(void **state)
{
    (void)state;
    struct test_store ts;
    struct peer_have out;
    struct slice left;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    handover_put(t, &standby, 3, NULL, 0);
    assert_true(handover_get(t, &standby, 3, &left));
    assert_false(handover_next(&left, &out));
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_by_whom_and_when_the_newest_records_came),
        cmocka_unit_test(a_handover_is_of_one_move),
        cmocka_unit_test(a_hub_that_holds_nothing_of_its_own_hands_over_nothing),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
