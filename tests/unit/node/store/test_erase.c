#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/store/erase.h"
#include "node/store/local.h"
#include "node/store/txn.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#define WORDS "蓝鲸水管第七次漏水"

static struct test_store ts;
static struct test_chain chain;

static int begin(void **state)
{
    (void)state;
    test_store_begin(&ts, NULL);
    test_chain_begin(&chain, 1, "village:431322111201");
    return 0;
}

static int end(void **state)
{
    (void)state;
    test_chain_end(&chain);
    test_store_end(&ts);
    return 0;
}

static void add(size_t padding)
{
    struct appended did;
    char *text = calloc(1, sizeof WORDS + padding);
    memset(text, 'x', padding);
    memcpy(text + padding, WORDS, sizeof WORDS);
    const struct event *e = test_chain_add(&chain, &(struct test_event){.box = {"note", text}});
    struct txn *t = test_txn(&ts, true);
    log_append(t, e, &did);
    assert_int_equal(txn_commit(t), OK);
    free(text);
}

static bool erase(uint64_t arrival)
{
    struct txn *t = test_txn(&ts, true);
    bool done = log_erase_box(t, arrival);
    assert_int_equal(txn_commit(t), OK);
    return done;
}

static void a_box_goes_and_the_record_still_verifies(void **state)
{
    (void)state;
    struct event e;
    add(0);
    assert_true(erase(1));
    assert_false(erase(1));
    struct txn *t = test_txn(&ts, true);
    assert_int_equal(log_read(t, 1, &e), OK);
    assert_int_equal(e.box_state, BOX_GONE);
    assert_true(event_id_equal(&e.id, &chain.events[0].id));
    txn_abort(t);
}

/* Of every size that LMDB keeps in another way: in a leaf, in one page of its own, in several. */
static void a_rewritten_file_holds_nothing_of_it(void **state)
{
    (void)state;
    struct txn *t;
    const size_t paddings[] = {0, 900, 2000, 3600, 4070, 9000, 40000};
    const size_t count = sizeof paddings / sizeof paddings[0];
    for (size_t i = 0; i < count; i++) add(paddings[i]);
    assert_true(test_store_file_has(&ts, WORDS));
    for (uint64_t arrival = 1; arrival <= count; arrival++) assert_true(erase(arrival));
    t = test_txn(&ts, true);
    erase_serial_next(t);
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(erase_rewrite(ts.store), OK);
    assert_false(test_store_file_has(&ts, WORDS));
    t = test_txn(&ts, true);
    assert_int_equal(erase_rewritten(t), erase_serial(t));
    assert_int_equal(log_count(t), count);
    txn_abort(t);
}

/* What was deleted stays in the gaps of pages in use; a copy of pages would take that along. */
static void so_does_one_whose_records_shrank_in_one_commit(void **state)
{
    (void)state;
    struct appended did;
    struct txn *t = test_txn(&ts, true);
    for (int i = 0; i < 40; i++)
        log_append(t, test_chain_add(&chain, &(struct test_event){.box = {"note", WORDS}}), &did);
    for (uint64_t arrival = 1; arrival <= 40; arrival++) assert_true(log_erase_box(t, arrival));
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(erase_rewrite(ts.store), OK);
    assert_false(test_store_file_has(&ts, WORDS));
}

/* So that its parts cannot be told apart. */
static void damage(uint64_t arrival)
{
    struct key key;
    struct slice value;
    struct txn *t = test_txn(&ts, true);
    struct buf copy = {0};
    assert_true(db_get(t, DB_LOG, key_arrival(&key, arrival), &value));
    buf_append_slice(&copy, value);
    copy.data[40] ^= 0x80; /* of the header */
    db_put(t, DB_LOG, key_arrival(&key, arrival), buf_slice(&copy));
    assert_int_equal(txn_commit(t), OK);
    buf_clear(&copy);
}

static void a_damaged_record_keeps_its_id_alone(void **state)
{
    (void)state;
    struct event e;
    struct appended did;
    add(0);
    damage(1);
    assert_true(erase(1));
    struct txn *t = test_txn(&ts, true);
    assert_int_equal(log_read(t, 1, &e), ERR_CORRUPT);
    log_append(t, &chain.events[0], &did); /* a peer heals it */
    assert_int_equal(log_read(t, 1, &e), OK);
    txn_abort(t);
}

static void cut_runs_of_all_peers_go(void **state)
{
    (void)state;
    struct sign_key devices[2] = {{{1}}, {{2}}};
    for (size_t i = 0; i < 2; i++) {
        struct peer_row row = {.device = devices[i], .unfinished_new = true};
        buf_append(&row.unfinished, WORDS, sizeof WORDS);
        struct txn *t = test_txn(&ts, true);
        peer_put(t, &row);
        assert_int_equal(txn_commit(t), OK);
        peer_row_clear(&row);
    }
    struct txn *t = test_txn(&ts, true);
    assert_true(peers_drop_unfinished(t));
    assert_false(peers_drop_unfinished(t));
    for (size_t i = 0; i < 2; i++) assert_int_equal(peer_unfinished(t, &devices[i]).size, 0);
    assert_int_equal(txn_commit(t), OK);
}

static void what_is_erased_of_a_thing_is_kept(void **state)
{
    (void)state;
    struct erased row = {.whole = true, .next = 7, .order_count = 1, .only_count = 1}, read;
    struct thing_key thing = {1, {{9}}}, at = {0};
    row.orders[0] = (struct erase_order){.id = {{3}}, .arrival = 4, .serial = 5, .settled = true};
    memset(row.only8[0], 6, 8);
    struct txn *t = test_txn(&ts, true);
    assert_false(erased_any(t));
    erased_put(t, &thing, &row);
    assert_true(erased_any(t));
    assert_int_equal(erased_unanswered(t), 1);
    assert_true(erased_next(t, &at, &read));
    assert_memory_equal(&at, &thing, sizeof at);
    assert_true(read.whole && read.next == 7 && read.orders[0].arrival == 4);
    assert_true(read.orders[0].serial == 5 && read.orders[0].settled && !read.orders[0].answered);
    assert_memory_equal(read.only8[0], row.only8[0], 8);
    assert_false(erased_next(t, &at, &read));
    row.order_count = 0;
    erased_put(t, &thing, &row);
    assert_false(erased_any(t));
    assert_int_equal(erased_unanswered(t), 0);
    txn_abort(t);
}

int main(void)
{
    if (crypto_init() != OK) return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_box_goes_and_the_record_still_verifies),
        TEST(a_rewritten_file_holds_nothing_of_it),
        TEST(so_does_one_whose_records_shrank_in_one_commit),
        TEST(a_damaged_record_keeps_its_id_alone),
        TEST(cut_runs_of_all_peers_go),
        TEST(what_is_erased_of_a_thing_is_kept),
    };
    return cmocka_run_group_tests_name("node/store/erase", tests, NULL, NULL);
}
