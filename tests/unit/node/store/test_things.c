#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/log.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

static void lists_the_events_of_a_thing_in_arrival_order(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    struct appended did;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    struct thing_id first = test_chain_add(&c, &(struct test_event){0})->subject;
    struct thing_id second = test_chain_add(&c, &(struct test_event){0})->subject;
    test_chain_add(&c, &(struct test_event){
                           .kind = "request.accept", .subject = &first, .depth = 1, .seen = 1});
    struct thing_id unknown = test_thing(7);
    test_chain_add(&c, &(struct test_event){
                           .kind = "request.accept", .subject = &unknown, .depth = 1, .seen = 1});
    static const bool first_of_thing[] = {true, true, false, true};
    struct txn *t = test_txn(&ts, true);
    for (size_t i = 0; i < c.count; i++) {
        log_append(t, &c.events[i], &did);
        assert_int_equal(did.first_of_thing, first_of_thing[i]);
    }
    struct thing_cursor cursor = {t, 1, first, 0};
    assert_int_equal(thing_next(&cursor), 1);
    assert_int_equal(thing_next(&cursor), 3);
    assert_int_equal(thing_next(&cursor), 0);
    assert_int_equal(thing_event_count(t, 1, &first, 10), 2);
    assert_int_equal(thing_event_count(t, 1, &first, 1), 1);
    assert_int_equal(thing_event_count(t, 1, &second, 10), 1);
    assert_int_equal(thing_event_count(t, 2, &second, 10), 0);
    struct thing_key key = {0};
    size_t things = 0;
    while (thing_each(t, &key)) things++;
    assert_int_equal(things, 3);
    assert_int_equal(txn_commit(t), OK);
    test_chain_end(&c);
    test_store_end(&ts);
}

static void finds_things_by_a_prefix_in_every_scope(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain town, village;
    struct thing_key found[4];
    test_store_begin(&ts, NULL);
    test_chain_begin(&town, 1, "town");
    test_chain_begin(&village, 1, "village:430923106001");
    struct thing_id ids[4] = {
        {{0xab, 0xcd, 0xef, 1}}, {{0xab, 0xcd, 0xef, 2}}, {{0xab, 0xcd, 0xff}}, {{0xac}}};
    for (size_t i = 0; i < 4; i++) {
        struct test_event e = {.kind = "x", .subject = &ids[i], .depth = 1, .seen = 1};
        test_chain_add(i % 2 ? &town : &village, &e);
        test_chain_add(i % 2 ? &town : &village, &e);
    }
    test_store_append(&ts, &town, 0, town.count);
    test_store_append(&ts, &village, 0, village.count);
    struct txn *t = test_txn(&ts, false);
    static const uint8_t prefix[16] = {0xab, 0xcd, 0xef, 1};
    static const size_t want[] = {4, 4, 3, 3, 3, 2, 2}; /* by nibbles */
    for (size_t nibbles = 1; nibbles <= 6; nibbles++)
        assert_int_equal(thing_find_prefix(t, prefix, nibbles, found, 4), want[nibbles]);
    assert_int_equal(thing_find_prefix(t, prefix, 8, found, 4), 1);
    assert_true(thing_id_equal(&found[0].thing, &ids[0]));
    assert_int_equal(thing_find_prefix(t, prefix, 6, found, 1), 1);
    assert_int_equal(thing_find_prefix(t, prefix, 32, found, 4), 1);
    assert_int_equal(thing_find_prefix(t, prefix, 33, found, 4), 0);
    txn_abort(t);
    test_chain_end(&town);
    test_chain_end(&village);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_the_events_of_a_thing_in_arrival_order),
        cmocka_unit_test(finds_things_by_a_prefix_in_every_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
