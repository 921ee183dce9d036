#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/views/doc_numbers.h"
#include "tests/support/township.h"

#include <stdio.h>

static struct township town;
static struct township_node node;
static struct doc_numbers numbers;

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
    doc_numbers_clear(&numbers);
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static struct event_id order(const char *kind, unsigned number)
{
    char body[96];
    const struct thing_id *thing = &township_register(&town, &town.devices[0], "01A-0001")->subject;
    (void)snprintf(body, sizeof body, "{\"doc_no\":\"琅信交〔2026〕%u号\"}", number);
    return township_record(&town, &town.hub,
                           &(struct township_act){.kind = kind,
                                                  .scope = "village:431322111201",
                                                  .subject = thing,
                                                  .depth = 1,
                                                  .seen = 1,
                                                  .body = body})
        ->id;
}

static enum err find_in(struct txn *t, unsigned number, struct event_id *id)
{
    char text[64];
    struct event e;
    (void)snprintf(text, sizeof text, "琅信交〔2026〕%u号", number);
    enum err err = doc_numbers_find(&numbers, t, slice_of_text(text), &e);
    if (!err) *id = e.id;
    return err;
}

static enum err find(unsigned number, struct event_id *id)
{
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    enum err err = find_in(t, number, id);
    txn_abort(t);
    return err;
}

static void finds_the_first_order_of_a_number_as_the_log_grows(void **state)
{
    (void)state;
    struct event_id first[200], id;
    (void)order("supervise.issue", 7);
    for (unsigned i = 0; i < 200; i++) {
        first[i] = order("order.issue", i);
        if (i % 50 == 0) township_node_take_all(&node, &town);
        if (i % 50 == 0) assert_int_equal(find(i + 1, &id), ERR_NOT_FOUND);
    }
    (void)order("order.issue", 7);
    township_node_take_all(&node, &town);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(find(i, &id), OK);
        assert_true(event_id_equal(&id, &first[i]));
    }
    assert_int_equal(find(200, &id), ERR_NOT_FOUND);
}

static void what_was_never_committed_is_not_found_once_it_is_cleared(void **state)
{
    (void)state;
    struct event_id id;
    struct arrival *a;
    size_t fresh;
    township_node_take_all(&node, &town);
    size_t before = town.event_count;
    (void)order("order.issue", 1);
    assert_int_equal(arrival_begin(&a, node.store, node.views), OK);
    for (size_t i = before; i < town.event_count; i++)
        assert_int_equal(arrival_add(a, town.events[i], 1, &fresh), OK);
    assert_int_equal(find_in(arrival_txn(a), 1, &id), OK);
    arrival_abort(a);
    doc_numbers_clear(&numbers);
    assert_int_equal(find(1, &id), ERR_NOT_FOUND);
    township_node_take_all(&node, &town);
    assert_int_equal(find(1, &id), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_the_first_order_of_a_number_as_the_log_grows, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_never_committed_is_not_found_once_it_is_cleared,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
