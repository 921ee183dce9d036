#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/damage.h"
#include "tests/support/store.h"

static void keeps_each_record_once_and_no_more_than_there_is_room_for(void **state)
{
    (void)state;
    struct damage d = {0};
    damage_add(&d, 0);
    assert_int_equal(d.count, 0);
    for (uint64_t n = 1; n <= DAMAGE_KEPT_MAX + 9; n++) {
        damage_add(&d, n);
        damage_add(&d, n);
    }
    assert_int_equal(d.count, DAMAGE_KEPT_MAX);
    assert_int_equal(d.arrivals[DAMAGE_KEPT_MAX - 1], DAMAGE_KEPT_MAX);
}

static void what_was_noted_is_read_back_and_forgotten(void **state)
{
    (void)state;
    struct test_store ts;
    struct damage d = {{7, 3}, 2}, got;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    damage_read(t, &got);
    assert_int_equal(got.count, 0);
    damage_write(t, &d);
    damage_read(t, &got);
    assert_int_equal(got.count, 2);
    assert_true(got.arrivals[0] == 7 && got.arrivals[1] == 3);
    damage_write(t, &(struct damage){0});
    damage_read(t, &got);
    assert_int_equal(got.count, 0);
    txn_abort(t);
    test_store_end(&ts);
}

static void records_that_are_whole_or_gone_are_no_longer_told_of(void **state)
{
    (void)state;
    struct test_store ts;
    struct damage d = {{1, 99}, 2};
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    damage_write(t, &d);
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(damage_recheck(ts.store, &d), OK);
    assert_int_equal(d.count, 0);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_each_record_once_and_no_more_than_there_is_room_for),
        cmocka_unit_test(what_was_noted_is_read_back_and_forgotten),
        cmocka_unit_test(records_that_are_whole_or_gone_are_no_longer_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
