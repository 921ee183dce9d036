#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/upkeep.h"
#include "node/views/search.h"
#include "tests/support/township.h"

static struct township town;
static struct township_node node;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 1);
    township_node_open(&node, &town, &town.hub);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static void volunteers(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        township_record(&town, &town.devices[0],
                        &(struct township_act){
                            .kind = "volunteer.register",
                            .body = "{\"joined\":\"2022-03-05\"}",
                            .box = "{\"name\":\"甲一\",\"phone\":\"19900000001\"}",
                        });
    township_node_take_all(&node, &town);
}

static uint64_t behind(void)
{
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    uint64_t events = search_behind(t);
    txn_abort(t);
    return events;
}

static void look(struct upkeep *u, uint64_t now_ms)
{
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    upkeep_look(u, t, now_ms);
    txn_abort(t);
}

/* Looks, and a minute later does what there is to do. */
static unsigned run(struct upkeep *u)
{
    unsigned turns = 0;
    look(u, 1);
    while (upkeep_turn(u, 60000, 1)) turns++;
    return turns;
}

static void what_arrived_is_indexed_once_it_is_much(void **state)
{
    (void)state;
    struct upkeep u;
    upkeep_init(&u, node.store, node.views, 0);
    volunteers(10);
    uint64_t few = behind();
    assert_true(few >= 10);
    run(&u);
    assert_int_equal(behind(), few);
    volunteers(SEARCH_TAIL_MAX);
    run(&u);
    assert_int_equal(behind(), 0);
}

static void much_is_indexed_a_slice_a_turn(void **state)
{
    (void)state;
    struct upkeep u;
    upkeep_init(&u, node.store, node.views, 0);
    volunteers(SEARCH_SLICE_EVENTS + 10);
    assert_int_equal(run(&u), 1);
    assert_int_equal(behind(), 0);
}

static void it_waits_while_more_arrives_and_not_for_ever(void **state)
{
    (void)state;
    struct upkeep u;
    uint64_t now_ms = 1000;
    upkeep_init(&u, node.store, node.views, 0);
    assert_true(upkeep_wait_ms(&u, now_ms) == UINT64_MAX);
    volunteers(SEARCH_TAIL_MAX);
    look(&u, now_ms);
    uint64_t quiet_ms = upkeep_wait_ms(&u, now_ms);
    assert_in_range(quiet_ms, 100, 2000);
    assert_false(upkeep_turn(&u, now_ms + quiet_ms - 1, 1));
    assert_true(behind() > SEARCH_TAIL_MAX);
    for (; behind() > SEARCH_TAIL_MAX && now_ms < 100000; now_ms += quiet_ms - 1) {
        volunteers(1);
        look(&u, now_ms);
        (void)upkeep_turn(&u, now_ms, 1);
    }
    assert_in_range(now_ms, 30000, 90000);
    assert_int_equal(behind(), 0);
    volunteers(SEARCH_TAIL_MAX + 1);
    look(&u, now_ms);
    (void)upkeep_turn(&u, now_ms + quiet_ms, 1); /* nothing more came */
    assert_int_equal(behind(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_arrived_is_indexed_once_it_is_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(much_is_indexed_a_slice_a_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_waits_while_more_arrives_and_not_for_ever, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
