#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/store/towns.h"
#include "node/store/txn.h"
#include "tests/support/store.h"

#include <string.h>

static struct town_head heads[2] = {{{1}, 2, {3}}, {{4}, 5, {6}}};

static struct town_kept kept_of(uint8_t hub, uint8_t generation, uint64_t number)
{
    struct town_kept k = {.state = {.hub = {{hub}},
                                    .generation = {generation},
                                    .number = number,
                                    .ended = {{8}, {9}},
                                    .ended_count = 2,
                                    .digest = {{7}}},
                          .has_heads = true,
                          .heads = heads,
                          .count = 2};
    return k;
}

static void assert_kept(const struct town_kept *k, uint8_t hub, uint8_t generation, uint64_t number)
{
    assert_int_equal(k->state.hub.bytes[0], hub);
    assert_int_equal(k->state.generation[0], generation);
    assert_int_equal(k->state.number, number);
    assert_int_equal(k->state.ended_count, 2);
    assert_int_equal(k->state.ended[1][0], 9);
    assert_int_equal(k->state.digest.bytes[0], 7);
    assert_true(k->has_heads);
    assert_int_equal(k->count, 2);
    assert_memory_equal(k->heads, heads, sizeof heads);
}

static void states_come_back_by_hub_and_store(void **state)
{
    (void)state;
    struct test_store ts;
    struct town_kept k;
    struct town_at at = {.hub = {{0}}};
    uint8_t from[8] = {0};
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    for (uint8_t i = 0; i < 4; i++) {
        k = kept_of(3 + i % 2, 1 + i / 2, 10 + i);
        towns_put(t, &k);
    }
    for (uint8_t i = 0; i < 4; i++) {
        assert_true(towns_next(t, &at, &k));
        assert_kept(&k, 3 + i / 2, 1 + i % 2, 10u + i / 2u + i % 2u * 2u);
        town_kept_clear(&k);
    }
    assert_false(towns_next(t, &at, &k));
    for (uint8_t i = 0; i < 2; i++) {
        assert_true(towns_next_of(t, &(struct sign_key){{4}}, from, &k));
        assert_kept(&k, 4, 1 + i, 11u + 2u * i);
        town_kept_clear(&k);
    }
    assert_false(towns_next_of(t, &(struct sign_key){{4}}, from, &k));
    towns_delete(t, &(struct sign_key){{4}}, (uint8_t[8]){1});
    assert_false(towns_get(t, &(struct sign_key){{4}}, (uint8_t[8]){1}, &k));
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void two_that_differ_stay_together(void **state)
{
    (void)state;
    struct test_store ts;
    struct town_kept a = kept_of(3, 1, 10), b = kept_of(3, 1, 11), x, y;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    assert_false(towns_split_get(t, &a.state.hub, &x, &y));
    towns_split_put(t, &a, &b);
    assert_true(towns_split_get(t, &a.state.hub, &x, &y));
    assert_kept(&x, 3, 1, 10);
    assert_kept(&y, 3, 1, 11);
    town_kept_clear(&x);
    town_kept_clear(&y);
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void another_name_goes_for_one_store(void **state)
{
    (void)state;
    struct test_store ts;
    uint8_t found[8];
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    towns_generation(t, found);
    assert_memory_equal(found, store_identity(ts.store)->generation, sizeof found);
    towns_generation_put(t, (uint8_t[8]){5});
    towns_generation(t, found);
    assert_int_equal(found[0], 5);
    store_renew(t);
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, true);
    towns_generation(t, found);
    assert_memory_equal(found, store_identity(ts.store)->generation, sizeof found);
    txn_abort(t);
    test_store_end(&ts);
}

static void a_damaged_row_is_no_state(void **state)
{
    (void)state;
    struct test_store ts;
    struct town_kept k;
    struct key key;
    uint8_t name[41] = {'h', 3};
    name[33] = 1;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    db_put(t, DB_LOCAL, key_local(&key, 's', slice_of(name, sizeof name)),
           slice_of_text("too short"));
    assert_false(towns_get(t, &(struct sign_key){{3}}, (uint8_t[8]){1}, &k));
    assert_int_equal(txn_commit(t), ERR_CORRUPT);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_come_back_by_hub_and_store),
        cmocka_unit_test(two_that_differ_stay_together),
        cmocka_unit_test(another_name_goes_for_one_store),
        cmocka_unit_test(a_damaged_row_is_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
