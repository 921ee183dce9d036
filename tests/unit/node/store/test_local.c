#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/local.h"
#include "node/store/txn.h"
#include "tests/support/store.h"

#include <string.h>

static void a_peer_is_remembered_with_its_whole_vector(void **state)
{
    (void)state;
    struct test_store ts;
    struct peer_have have[3] = {{.feed8 = {2}, .seq = 7, .id8 = {1}},
                                {.feed8 = {1}, .seq = 5, .id8 = {2}},
                                {.feed8 = {1}, .seq = 9, .id8 = {3}}};
    struct peer_have shown = {.feed8 = {4}, .seq = 6, .id8 = {5}};
    struct buf unfinished = {0};
    buf_append(&unfinished, "run", 3);
    const struct peer_row row = {
        .device = {{0xaa}},
        .last_attempt_ms = 1,
        .last_ok_ms = 2,
        .failures = 3,
        .last_error = ERR_TIMEOUT,
        .state = PEER_FAULT,
        .generation = "genera",
        .credit = 5,
        .disk_free_mib = 6,
        .clock_offset_ms = -7,
        .clock_trusted = true,
        .has_views = true,
        .views8 = "viewsss",
        .rate_bps = 8,
        .rtt_ms = 9,
        .bytes_sent = UINT64_MAX,
        .bytes_received = 11,
        .refusals = 12,
        .next_attempt_ms = 13,
        .have_count = 3,
        .have = have,
        .shown_count = 1,
        .shown = &shown,
        .cut = true,
        .cut_bytes = 14,
        .cut_sending = true,
        .unfinished_new = true,
        .unfinished = unfinished,
    };
    struct peer_row got;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    assert_false(peer_get(t, &row.device, &got));
    peer_put(t, &row);
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, false);
    assert_true(peer_get(t, &row.device, &got));
    assert_int_equal(got.have_count, 3);
    assert_int_equal(got.have[0].feed8[0], 1);
    assert_int_equal(got.have[0].seq, 9);
    assert_int_equal(got.have[1].seq, 5);
    assert_int_equal(got.have[2].seq, 7);
    assert_int_equal(got.have[2].id8[0], 1);
    assert_memory_equal(got.generation, row.generation, 8);
    assert_memory_equal(got.views8, row.views8, 8);
    assert_true(got.clock_offset_ms == -7 && got.clock_trusted && got.has_views);
    assert_true(got.last_attempt_ms == 1 && got.last_ok_ms == 2 && got.failures == 3);
    assert_true(got.last_error == ERR_TIMEOUT && got.state == PEER_FAULT && got.credit == 5);
    assert_true(got.disk_free_mib == 6 && got.rate_bps == 8 && got.rtt_ms == 9);
    assert_true(got.bytes_sent == UINT64_MAX && got.bytes_received == 11 && got.refusals == 12);
    assert_int_equal(got.next_attempt_ms, 13);
    assert_int_equal(got.shown_count, 1);
    assert_int_equal(got.shown[0].seq, 6);
    assert_true(got.cut && got.cut_sending && got.cut_bytes == 14 && !got.unfinished_new);
    assert_int_equal(peer_unfinished(t, &row.device).size, 3);
    peer_row_clear(&got);
    peer_row_clear(&got);
    buf_clear(&unfinished);
    txn_abort(t);
    test_store_end(&ts);
}

static void peers_are_listed_in_order_of_their_keys(void **state)
{
    (void)state;
    struct test_store ts;
    struct sign_key after = {{0}};
    struct peer_row row;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    assert_false(peer_next(t, &after, &row));
    for (uint8_t i = 3; i > 0; i--) {
        struct peer_row peer = {.device = {{i}}, .credit = i};
        peer_put(t, &peer);
    }
    ask_put(t, "sync", SLICE_EMPTY);
    for (uint8_t i = 1; i <= 3; i++) {
        assert_true(peer_next(t, &after, &row));
        assert_int_equal(row.credit, i);
        assert_int_equal(row.device.bytes[0], i);
        peer_row_clear(&row);
    }
    assert_false(peer_next(t, &after, &row));
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void a_peer_of_another_format_is_forgotten_and_the_next_one_is_not(void **state)
{
    (void)state;
    struct test_store ts;
    struct sign_key after = {{0}};
    struct peer_row row = {.device = {{1}}}, next = {.device = {{2}}}, got;
    struct key key;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    peer_put(t, &row);
    peer_put(t, &next);
    key_local(&key, 'p', slice_of(row.device.bytes, 32));
    db_put(t, DB_LOCAL, key_slice(&key), slice_of_text("older"));
    assert_false(peer_get(t, &row.device, &got));
    assert_true(peer_next(t, &after, &got));
    assert_int_equal(got.device.bytes[0], 2);
    peer_row_clear(&got);
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void refuses_a_damaged_peer_and_too_long_a_vector(void **state)
{
    (void)state;
    struct test_store ts;
    struct peer_row row = {.device = {{1}}}, got;
    struct key key;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    peer_put(t, &row);
    key_local(&key, 'p', slice_of(row.device.bytes, 32));
    db_put(t, DB_LOCAL, key_slice(&key), slice_of_text("\x05short"));
    assert_false(peer_get(t, &row.device, &got));
    assert_int_equal(txn_commit(t), ERR_CORRUPT);
    row.have_count = HAVE_ENTRIES_MAX + 1;
    t = test_txn(&ts, true);
    peer_put(t, &row);
    assert_int_equal(txn_commit(t), ERR_LIMIT);
    test_store_end(&ts);
}

static void receipts_come_back_in_order_and_the_newest_are_kept(void **state)
{
    (void)state;
    struct test_store ts;
    const struct sign_key hub = {{1}}, other = {{2}}, none = {{3}};
    struct signature sig = {{9}};
    struct slice body;
    struct txn *t;
    test_store_begin(&ts, NULL);
    t = test_txn(&ts, true);
    receipt_put(t, &other, 1, slice_of_text("other"), &sig);
    for (uint64_t n = 1; n <= RECEIPTS_KEPT_MAX + 20; n++) {
        sig.bytes[1] = (uint8_t)n;
        receipt_put(t, &hub, n * 3, slice_of(&n, sizeof n), &sig);
    }
    uint64_t counter = 0, count = 0;
    while (receipt_next(t, &hub, &counter, &body, &sig)) {
        uint64_t n;
        assert_int_equal(body.size, sizeof n);
        memcpy(&n, body.data, sizeof n);
        assert_int_equal(counter, n * 3);
        assert_int_equal(n, 21 + count++);
        assert_int_equal(sig.bytes[1], (uint8_t)n);
    }
    assert_int_equal(count, RECEIPTS_KEPT_MAX);
    counter = 0;
    assert_true(receipt_next(t, &other, &counter, &body, &sig));
    assert_true(slice_is_text(body, "other"));
    assert_false(receipt_next(t, &other, &counter, &body, &sig));
    counter = 0;
    assert_false(receipt_next(t, &none, &counter, &body, &sig));
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

static void an_ask_stays_until_it_is_deleted(void **state)
{
    (void)state;
    struct test_store ts;
    struct slice value;
    test_store_begin(&ts, NULL);
    struct txn *t = test_txn(&ts, true);
    assert_false(ask_get(t, "sync", &value));
    ask_put(t, "sync", slice_of_text("now"));
    assert_int_equal(txn_commit(t), OK);
    t = test_txn(&ts, true);
    assert_true(ask_get(t, "sync", &value));
    assert_true(slice_is_text(value, "now"));
    assert_false(ask_get(t, "syn", &value));
    ask_delete(t, "sync");
    ask_delete(t, "sync");
    assert_false(ask_get(t, "sync", &value));
    assert_int_equal(txn_commit(t), OK);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_is_remembered_with_its_whole_vector),
        cmocka_unit_test(peers_are_listed_in_order_of_their_keys),
        cmocka_unit_test(a_peer_of_another_format_is_forgotten_and_the_next_one_is_not),
        cmocka_unit_test(refuses_a_damaged_peer_and_too_long_a_vector),
        cmocka_unit_test(receipts_come_back_in_order_and_the_newest_are_kept),
        cmocka_unit_test(an_ask_stays_until_it_is_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
