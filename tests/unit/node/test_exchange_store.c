/* A hub whose disk lied: what it finds damaged while it takes runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/store/audit.h"
#include "node/store/txn.h"
#include "tests/support/enemy.h"

#include <string.h>

/* Flips a bit of the record that is `back` before the newest. */
static void damage(uint64_t back)
{
    struct txn *t;
    struct key key;
    struct slice value;
    uint8_t copy[4096];
    assert_int_equal(txn_begin(scene.hub.store.store, true, &t), OK);
    assert_true(db_get(t, DB_LOG, key_arrival(&key, log_count(t) - back), &value));
    assert_true(value.size <= sizeof copy);
    size_t size = value.size;
    memcpy(copy, value.data, size);
    copy[size / 2] ^= 1;
    db_put(t, DB_LOG, key_slice(&key), slice_of(copy, size));
    assert_int_equal(txn_commit(t), OK);
}

static uint64_t problems(void)
{
    struct audit_result result;
    assert_int_equal(audit_run(scene.hub.store.store, &(struct audit_options){0}, &result), OK);
    return result.problems;
}

static void the_honest_village_records(void)
{
    struct township *t = &scene.township;
    township_register(t, &t->devices[1], "02A-9999");
    township_node_take(&scene.honest.store, &t->events[t->event_count - 1], 1);
    struct exchange_time time = {.now_ms = ++scene.now_ms, .clock = {.wall_ms = t->time_ms}};
    assert_int_equal(exchange_refresh(scene.honest.exchange, &time), OK);
}

static void a_run_after_a_damaged_event_is_stored(uint64_t back)
{
    assert_the_honest_village_is_served();
    damage(back);
    assert_true(problems() > 0);
    the_honest_village_records();
    turns(20);
    assert_int_equal(hub_holds(HONEST_SCOPE), HONEST_REQUESTS + 1);
}

static void a_damaged_base_is_asked_for_and_healed(void **state)
{
    (void)state;
    a_run_after_a_damaged_event_is_stored(0);
    assert_int_equal(problems(), 0);
}

static void a_damaged_dictionary_is_done_without(void **state)
{
    (void)state;
    a_run_after_a_damaged_event_is_stored(5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_damaged_base_is_asked_for_and_healed, enemy_begin,
                                        enemy_end),
        cmocka_unit_test_setup_teardown(a_damaged_dictionary_is_done_without, enemy_begin,
                                        enemy_end),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
