#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/rows.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#include <string.h>

/* Scopes 1 and 2 are known. */
static void begin(struct test_store *ts)
{
    struct test_chain c;
    test_store_begin(ts, NULL);
    for (unsigned i = 1; i <= 2; i++) {
        test_chain_begin(&c, i, i == 1 ? "town" : "village:430923106001");
        test_chain_fill(&c, 1);
        test_store_append(ts, &c, 0, 1);
        test_chain_end(&c);
    }
}

static struct row_key key_of(uint32_t scope, uint8_t table, const char *text)
{
    return (struct row_key){scope, table, slice_of_text(text)};
}

static void put(struct txn *t, uint32_t scope, uint8_t table, const char *key, const char *value)
{
    const struct row_key k = key_of(scope, table, key);
    row_put(t, &k, slice_of_text(value));
}

static void drop(struct txn *t, uint32_t scope, uint8_t table, const char *key)
{
    const struct row_key k = key_of(scope, table, key);
    row_delete(t, &k);
}

static void sum_of(struct txn *t, uint32_t scope, uint8_t out[32])
{
    struct scope_row row;
    assert_true(scope_get(t, scope, &row));
    memcpy(out, row.rows_sum, 32);
}

static void the_sum_does_not_depend_on_the_order_of_changes(void **state)
{
    (void)state;
    struct test_store ts;
    uint8_t one[32], two[32], zero[32] = {0};
    begin(&ts);
    struct txn *t = test_txn(&ts, true);
    put(t, 1, ROW_THING, "a", "1");
    put(t, 1, ROW_THING, "b", "2");
    put(t, 1, ROW_THING, "c", "3");
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, true);
    sum_of(t, 1, one);
    assert_memory_not_equal(one, zero, 32);
    put(t, 1, ROW_THING, "d", "4");
    put(t, 1, ROW_THING, "b", "5");
    drop(t, 1, ROW_THING, "a");
    sum_of(t, 1, two);
    assert_memory_not_equal(one, two, 32);
    put(t, 1, ROW_THING, "a", "1");
    put(t, 1, ROW_THING, "b", "22");
    put(t, 1, ROW_THING, "b", "2");
    put(t, 1, ROW_THING, "b", "2");
    drop(t, 1, ROW_THING, "d");
    drop(t, 1, ROW_THING, "never there");
    sum_of(t, 1, two);
    assert_memory_equal(one, two, 32);
    sum_of(t, 2, two);
    assert_memory_equal(two, zero, 32);
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void the_sum_is_that_of_the_row_hashes(void **state)
{
    (void)state;
    struct test_store ts;
    uint8_t sum[32], want[32] = {0};
    begin(&ts);
    struct txn *t = test_txn(&ts, true);
    for (char n = 'a'; n <= 'z'; n++) {
        struct row_key k = {1, ROW_THING, slice_of(&n, 1)};
        row_put(t, &k, slice_of_text("value"));
        /* Schoolbook addition of big-endian numbers. */
        struct hash h;
        const uint8_t message[] = {ROW_THING, (uint8_t)n, 'v', 'a', 'l', 'u', 'e'};
        crypto_hash_one(&h, CONTEXT_ROW, slice_of(message, sizeof message));
        unsigned carry = 0;
        for (size_t i = 32; i-- > 0; carry >>= 8) {
            carry += want[i] + h.bytes[i];
            want[i] = (uint8_t)carry;
        }
    }
    sum_of(t, 1, sum);
    assert_memory_equal(sum, want, 32);
    memset(sum, 0, 32);
    row_sum_add(sum, ROW_THING, slice_of_text("a"), slice_of_text("value"));
    txn_abort(t);
    test_store_end(&ts);
}

static uint64_t open_rows(struct txn *t, uint32_t scope)
{
    struct scope_row row;
    assert_true(scope_get(t, scope, &row));
    return row.open_rows;
}

static void open_rows_are_counted_and_no_others(void **state)
{
    (void)state;
    struct test_store ts;
    begin(&ts);
    struct txn *t = test_txn(&ts, true);
    put(t, 1, ROW_OPEN, "a", "");
    put(t, 1, ROW_OPEN, "b", "");
    put(t, 1, ROW_OPEN, "b", "");
    put(t, 1, ROW_OPEN, "b", "changed");
    put(t, 1, ROW_NUMBER, "a", "");
    put(t, 1, ROW_THING, "a", "");
    drop(t, 1, ROW_OPEN, "never there");
    assert_int_equal(open_rows(t, 1), 2);
    assert_int_equal(open_rows(t, 2), 0);
    drop(t, 1, ROW_OPEN, "a");
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, true);
    assert_int_equal(open_rows(t, 1), 1);
    rows_clear(t);
    assert_int_equal(open_rows(t, 1), 0);
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void index_tables_stay_outside_the_sum(void **state)
{
    (void)state;
    struct test_store ts;
    uint8_t sum[32], zero[32] = {0};
    begin(&ts);
    struct txn *t = test_txn(&ts, true);
    put(t, 1, ROW_OPEN, "a", "");
    put(t, 1, ROW_NUMBER, "a", "1");
    put(t, 1, ROW_LOCAL_MAX, "a", "1");
    drop(t, 1, ROW_OPEN, "a");
    sum_of(t, 1, sum);
    assert_memory_equal(sum, zero, 32);
    put(t, 1, ROW_LOCAL_MAX + 1, "a", "1");
    sum_of(t, 1, sum);
    assert_memory_not_equal(sum, zero, 32);
    txn_abort(t);
    test_store_end(&ts);
}

static void walks_a_table_in_key_order_and_by_prefix(void **state)
{
    (void)state;
    struct test_store ts;
    struct slice key, value;
    begin(&ts);
    struct txn *t = test_txn(&ts, true);
    static const char *const keys[] = {"b", "ab", "a", "abc", "aa", "c"};
    for (size_t i = 0; i < 6; i++) put(t, 1, ROW_THING, keys[i], keys[i]);
    put(t, 1, ROW_THING - 1, "zz", "");
    put(t, 1, ROW_THING + 1, "aa", "");
    put(t, 2, ROW_THING, "aaa", "");
    static const char *const sorted[] = {"a", "aa", "ab", "abc", "b", "c"};
    struct row_cursor c = {.scope_number = 1, .table = ROW_THING};
    for (size_t i = 0; i < 6; i++) {
        assert_true(row_next(t, &c, &key, &value));
        assert_true(slice_is_text(key, sorted[i]));
        assert_true(slice_is_text(value, sorted[i]));
        /* Changes in between do not disturb the walk. */
        drop(t, 1, ROW_THING, sorted[i]);
        put(t, 1, ROW_OPEN, sorted[i], "");
    }
    assert_false(row_next(t, &c, &key, &value));
    for (size_t i = 0; i < 6; i++) put(t, 1, ROW_THING, keys[i], keys[i]);
    c = (struct row_cursor){.scope_number = 1, .table = ROW_THING, .prefix = slice_of_text("ab")};
    assert_true(row_next(t, &c, &key, &value));
    assert_true(slice_is_text(key, "ab"));
    assert_true(row_next(t, &c, &key, &value));
    assert_true(slice_is_text(key, "abc"));
    assert_false(row_next(t, &c, &key, &value));
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void clearing_throws_away_all_rows_and_sums(void **state)
{
    (void)state;
    struct test_store ts;
    struct slice value;
    uint8_t sum[32], zero[32] = {0};
    begin(&ts);
    struct txn *t = test_txn(&ts, true);
    put(t, 1, ROW_THING, "a", "1");
    put(t, 2, ROW_THING, "a", "1");
    put(t, 2, ROW_OPEN, "a", "1");
    rows_clear(t);
    put(t, 2, ROW_THING, "b", "1");
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, false);
    struct row_key k = key_of(2, ROW_THING, "a");
    assert_false(row_get(t, &k, &value));
    k = key_of(2, ROW_OPEN, "a");
    assert_false(row_get(t, &k, &value));
    k = key_of(2, ROW_THING, "b");
    assert_true(row_get(t, &k, &value));
    sum_of(t, 1, sum);
    assert_memory_equal(sum, zero, 32);
    sum_of(t, 2, sum);
    assert_memory_not_equal(sum, zero, 32);
    txn_abort(t);
    test_store_end(&ts);
}

static void refuses_keys_over_the_bound_and_unknown_scopes(void **state)
{
    (void)state;
    struct test_store ts;
    uint8_t bytes[ROW_KEY_SIZE_MAX + 1] = {1};
    struct slice value;
    begin(&ts);
    for (size_t size = ROW_KEY_SIZE_MAX; size <= ROW_KEY_SIZE_MAX + 1; size++) {
        struct txn *t = test_txn(&ts, true);
        struct row_key k = {1, ROW_THING, slice_of(bytes, size)};
        row_put(t, &k, slice_of_text("1"));
        assert_int_equal(row_get(t, &k, &value), size == ROW_KEY_SIZE_MAX);
        struct row_cursor c = {.scope_number = 1, .table = ROW_THING};
        struct slice key;
        assert_int_equal(row_next(t, &c, &key, &value), size == ROW_KEY_SIZE_MAX);
        assert_int_equal(txn_commit(t), size == ROW_KEY_SIZE_MAX ? OK : ERR_LIMIT);
    }
    struct txn *t = test_txn(&ts, true);
    put(t, 1, ROW_THING, "", "1");
    assert_int_equal(txn_commit(t), ERR_LIMIT);
    t = test_txn(&ts, true);
    put(t, 3, ROW_THING, "a", "1");
    assert_int_equal(txn_commit(t), ERR_NOT_FOUND);
    test_store_end(&ts);
}

static void the_key_of_a_things_row_is_its_type_and_its_id(void **state)
{
    (void)state;
    struct thing_key thing = {.scope_number = 7};
    struct thing_id id;
    uint8_t bytes[ROW_THING_KEY_SIZE];
    for (size_t i = 0; i < sizeof thing.thing.bytes; i++) thing.thing.bytes[i] = (uint8_t)(i + 1);
    struct row_key key = row_thing_key(bytes, 5, &thing);
    assert_int_equal(key.scope_number, 7);
    assert_int_equal(key.table, ROW_THING);
    assert_int_equal(key.key.size, 17);
    assert_int_equal(key.key.data[0], 5);
    assert_memory_equal(key.key.data + 1, thing.thing.bytes, sizeof thing.thing.bytes);
    assert_int_equal(row_thing_id(&id, key.key), OK);
    assert_true(thing_id_equal(&id, &thing.thing));
    assert_int_equal(row_thing_id(&id, slice_of(bytes, 16)), ERR_CORRUPT);
    assert_int_equal(row_thing_id(&id, SLICE_EMPTY), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_does_not_depend_on_the_order_of_changes),
        cmocka_unit_test(the_sum_is_that_of_the_row_hashes),
        cmocka_unit_test(open_rows_are_counted_and_no_others),
        cmocka_unit_test(index_tables_stay_outside_the_sum),
        cmocka_unit_test(walks_a_table_in_key_order_and_by_prefix),
        cmocka_unit_test(clearing_throws_away_all_rows_and_sums),
        cmocka_unit_test(refuses_keys_over_the_bound_and_unknown_scopes),
        cmocka_unit_test(the_key_of_a_things_row_is_its_type_and_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
