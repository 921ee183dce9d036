#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/neighbours.h"
#include "tests/support/store.h"

#include <string.h>

static void an_address_is_remembered_with_who_was_met_there(void **state)
{
    (void)state;
    struct test_store ts;
    const struct neighbour_row met = {.device = {{0xaa}},
                                      .last_ok_ms = 1,
                                      .last_attempt_ms = 2,
                                      .next_attempt_ms = 3,
                                      .failures = 4,
                                      .last_error = ERR_TIMEOUT};
    const struct neighbour_row tried = {.last_attempt_ms = 9, .failures = 1};
    struct neighbour_row row;
    char longest[128];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    assert_false(neighbour_get(t, "tcp://192.168.1.7:7300", &row));
    assert_memory_equal(&row, &(struct neighbour_row){0}, sizeof row);
    neighbour_put(t, "tcp://192.168.1.7:7300", &met);
    neighbour_put(t, longest, &tried);
    assert_int_equal(txn_commit(t), OK);
    test_store_reopen(&ts, NULL);
    t = test_txn(&ts, false);
    assert_true(neighbour_get(t, "tcp://192.168.1.7:7300", &row));
    assert_memory_equal(&row, &met, sizeof row);
    assert_true(neighbour_get(t, longest, &row));
    assert_memory_equal(&row, &tried, sizeof row);
    assert_false(neighbour_get(t, "tcp://192.168.1.7:730", &row));
    assert_int_equal(txn_error(t), OK);
    txn_abort(t);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_remembered_with_who_was_met_there),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
