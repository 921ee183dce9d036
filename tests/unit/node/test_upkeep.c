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

static unsigned run(struct upkeep *u)
{
    struct txn *t;
    unsigned turns = 0;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    upkeep_look(u, t);
    txn_abort(t);
    while (upkeep_turn(u, 1, 1)) turns++;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_arrived_is_indexed_once_it_is_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(much_is_indexed_a_slice_a_turn, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
