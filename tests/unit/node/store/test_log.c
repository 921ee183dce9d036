#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/txn.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#include <stdlib.h>
#include <string.h>

static enum err append(struct test_store *ts, const struct event *e)
{
    struct txn *t = test_txn(ts, true);
    struct appended did;
    log_append(t, e, &did);
    return txn_commit(t);
}

static struct feed_row row_of(struct test_store *ts, const struct feed *feed)
{
    struct feed_row row = {0};
    struct txn *t = test_txn(ts, false);
    assert_true(feed_find(t, feed, &row));
    txn_abort(t);
    return row;
}

/* A branch of `from`: its first `same` events, then others. */
static void fork_chain(struct test_chain *out, unsigned author, size_t same, size_t more,
                       uint64_t time)
{
    test_chain_begin(out, author, "town");
    test_chain_fill(out, same);
    for (size_t i = 0; i < more; i++)
        test_chain_add(out, &(struct test_event){.time = i == 0 ? time : 0});
}

static void gives_back_what_was_appended(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    struct event e;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "village:430923106001");
    test_chain_fill(&c, 50);
    struct event *gone =
        test_chain_add(&c, &(struct test_event){.box = {"name", "x"}, .box_gone = true});
    test_store_append(&ts, &c, 0, c.count);
    struct txn *t = test_txn(&ts, false);
    assert_int_equal(log_count(t), c.count);
    for (size_t i = 0; i < c.count; i++) {
        const struct event *want = &c.events[i];
        assert_int_equal(log_find(t, 1, want->seq, want->id.bytes), i + 1);
        assert_int_equal(log_read(t, i + 1, &e), OK);
        assert_true(event_id_equal(&e.id, &want->id));
        assert_true(slice_equal(e.header, want->header));
        assert_int_equal(e.box_state, want->box_state);
        assert_true(slice_equal(e.box, want->box) || want->box_state != BOX_HERE);
        assert_true(thing_id_equal(&e.subject, &want->subject));
        assert_int_equal(e.has_signature, want->has_signature);
        assert_memory_equal(&e.signature, &want->signature, sizeof e.signature);
    }
    assert_int_equal(gone->box_state, BOX_GONE);
    assert_int_equal(log_read(t, c.count + 1, &e), ERR_NOT_FOUND);
    assert_int_equal(log_read(t, 0, &e), ERR_NOT_FOUND);
    txn_abort(t);
    test_chain_end(&c);
    test_store_end(&ts);
}

static void knows_feeds_and_scopes_by_number_and_by_name(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain chains[3];
    const char *scopes[3] = {"town", "village:430923106001", "town"};
    test_store_begin(&ts, NULL);
    for (unsigned i = 0; i < 3; i++) {
        test_chain_begin(&chains[i], i + 1, scopes[i]);
        test_chain_fill(&chains[i], 10);
        test_store_append(&ts, &chains[i], 0, 10);
    }
    struct txn *t = test_txn(&ts, false);
    struct feed_row row, other;
    struct scope_row scope;
    assert_int_equal(feed_count(t), 3);
    assert_int_equal(scope_count(t), 2);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(feed_find(t, &chains[i].feed, &row));
        assert_int_equal(row.number, i + 1);
        assert_true(feed_equal(&row.feed, &chains[i].feed));
        assert_int_equal(row.events, 10);
        assert_int_equal(row.head_count, 1);
        assert_int_equal(row.heads[0].seq, 10);
        assert_true(event_id_equal(&row.heads[0].id, &chains[i].events[9].id));
        assert_int_equal(feed_find_id8(t, row.id.bytes, &other), OK);
        assert_int_equal(other.number, row.number);
        assert_true(scope_find(t, &chains[i].feed.scope, &scope));
        assert_int_equal(scope.number, row.scope_number);
        assert_int_equal(scope.events, i == 1 ? 10 : 20);
    }
    assert_int_equal(feed_find_id8(t, (const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff", &row),
                     ERR_NOT_FOUND);
    assert_false(feed_get(t, 4, &row));
    assert_false(feed_get(t, 0, &row));
    struct scope office = scope_office();
    assert_false(scope_find(t, &office, &scope));
    assert_int_equal(txn_error(t), OK);
    txn_abort(t);
    for (unsigned i = 0; i < 3; i++) test_chain_end(&chains[i]);
    test_store_end(&ts);
}

/* More feeds in one commit than rows are kept in memory. */
static void serves_more_feeds_in_a_commit_than_it_keeps_hot(void **state)
{
    (void)state;
    enum { FEEDS = HOT_FEEDS * 2 + 7, EACH = 3 };
    struct test_store ts;
    static struct test_chain chains[FEEDS];
    struct appended did;
    test_store_begin(&ts, NULL);
    for (unsigned i = 0; i < FEEDS; i++) {
        char village[32] = "village:430923106";
        size_t at = strlen(village);
        village[at] = '0';
        village[at + 1] = (char)('0' + i / 10 % 10);
        village[at + 2] = (char)('0' + i % 10);
        test_chain_begin(&chains[i], i + 1, village);
        test_chain_fill(&chains[i], EACH);
    }
    struct txn *t = test_txn(&ts, true);
    for (size_t n = 0; n < EACH; n++)
        for (unsigned i = 0; i < FEEDS; i++) {
            log_append(t, &chains[i].events[n], &did);
            assert_int_equal(did.arrival, n * FEEDS + i + 1);
        }
    assert_int_equal(txn_commit(t), OK);
    for (unsigned i = 0; i < FEEDS; i++) {
        struct feed_row row = row_of(&ts, &chains[i].feed);
        assert_int_equal(row.events, EACH);
        assert_int_equal(row.heads[0].seq, EACH);
        test_chain_end(&chains[i]);
    }
    test_store_end(&ts);
}

static void holds_an_event_only_once(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    struct appended did;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 10);
    test_store_append(&ts, &c, 0, 10);
    struct txn *t = test_txn(&ts, true);
    for (size_t i = 0; i < 10; i++) {
        log_append(t, &c.events[i], &did);
        assert_int_equal(did.arrival, 0);
        assert_int_equal(did.scope_number, 1);
    }
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(row_of(&ts, &c.feed).events, 10);
    test_chain_end(&c);
    test_store_end(&ts);
}

static void adds_a_signature_and_a_box_that_were_lacking(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    struct event e;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    struct event *whole = test_chain_add(&c, &(struct test_event){.box = {"name", "甲"}});
    struct event bare = *whole;
    bare.has_signature = false;
    bare.box_state = BOX_GONE;
    assert_int_equal(append(&ts, &bare), OK);
    struct event boxed = *whole;
    boxed.has_signature = false;
    assert_int_equal(append(&ts, &boxed), OK);
    struct event sealed = *whole;
    sealed.box_state = BOX_GONE;
    assert_int_equal(append(&ts, &sealed), OK);
    assert_int_equal(append(&ts, &bare), OK); /* takes nothing away */
    struct txn *t = test_txn(&ts, false);
    assert_int_equal(log_count(t), 1);
    assert_int_equal(log_read(t, 1, &e), OK);
    assert_true(e.has_signature);
    assert_int_equal(e.box_state, BOX_HERE);
    assert_true(slice_equal(e.box, whole->box));
    txn_abort(t);
    test_chain_end(&c);
    test_store_end(&ts);
}

static void refuses_an_event_whose_predecessor_is_not_held(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c, other;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 5);
    assert_int_equal(append(&ts, &c.events[1]), ERR_BASE);
    test_store_append(&ts, &c, 0, 2);
    assert_int_equal(append(&ts, &c.events[3]), ERR_BASE);
    /* The right number after the wrong event. */
    test_chain_begin(&other, 1, "town");
    test_chain_add(&other, &(struct test_event){.time = HLC_MAKE(5, 0, 0)});
    test_chain_fill(&other, 2);
    assert_int_equal(append(&ts, &other.events[2]), ERR_BASE);
    struct txn *t = test_txn(&ts, false);
    assert_int_equal(log_count(t), 2);
    txn_abort(t);
    test_chain_end(&c);
    test_chain_end(&other);
    test_store_end(&ts);
}

static void a_check_tells_before_anything_is_appended(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c, other;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    test_chain_fill(&c, 20);
    test_chain_begin(&other, 2, "town");
    test_chain_fill(&other, 20);
    test_store_append(&ts, &c, 0, 10);
    struct txn *t = test_txn(&ts, true);
    assert_int_equal(log_check(t, c.events, 20), OK);
    assert_int_equal(log_check(t, c.events + 10, 10), OK);
    assert_int_equal(log_check(t, c.events + 2, 3), OK);
    assert_int_equal(log_check(t, c.events, 0), OK);
    assert_int_equal(log_check(t, c.events + 11, 5), ERR_BASE);
    assert_int_equal(log_check(t, other.events, 20), OK);
    assert_int_equal(log_check(t, other.events + 1, 20 - 1), ERR_BASE);
    struct event gap[2] = {c.events[10], c.events[12]}, mixed[2] = {c.events[10], other.events[11]};
    assert_int_equal(log_check(t, gap, 2), ERR_BASE);
    assert_int_equal(log_check(t, mixed, 2), ERR_BASE);
    assert_int_equal(txn_error(t), OK);
    txn_abort(t);
    test_chain_end(&c);
    test_chain_end(&other);
    test_store_end(&ts);
}

static void refuses_more_branches_and_epochs_than_the_limits(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    test_store_begin(&ts, NULL);
    for (unsigned i = 0; i <= FEED_BRANCHES_MAX; i++) {
        fork_chain(&c, 1, 0, 1, HLC_MAKE(UINT64_C(2000000000000) + i, 0, 0));
        struct txn *t = test_txn(&ts, true);
        enum err want = i < FEED_BRANCHES_MAX ? OK : ERR_LIMIT;
        assert_int_equal(log_check(t, c.events, 1), want);
        txn_abort(t);
        assert_int_equal(append(&ts, &c.events[0]), want);
        test_chain_end(&c);
    }
    for (unsigned i = 0; i <= DEVICE_EPOCHS_MAX; i++) {
        test_chain_begin(&c, 2, "town");
        c.feed.has_epoch = true;
        c.feed.epoch[0] = (uint8_t)i;
        test_chain_fill(&c, 1);
        assert_int_equal(append(&ts, &c.events[0]), i < DEVICE_EPOCHS_MAX ? OK : ERR_LIMIT);
        test_chain_end(&c);
    }
    /* A known epoch goes on in another lane, and another device is not concerned. */
    test_chain_begin(&c, 2, "town");
    c.feed.has_epoch = true;
    c.feed.epoch[0] = 5;
    c.feed.lane = LANE_URGENT;
    test_chain_fill(&c, 1);
    assert_int_equal(append(&ts, &c.events[0]), OK);
    test_chain_end(&c);
    test_chain_begin(&c, 3, "town");
    c.feed.has_epoch = true;
    c.feed.epoch[0] = 99;
    test_chain_fill(&c, 1);
    assert_int_equal(append(&ts, &c.events[0]), OK);
    test_chain_end(&c);
    test_store_end(&ts);
}

/* --- damage --- */

/* Flips one bit of the only record. */
static void flip(struct test_store *ts, size_t bit)
{
    struct txn *t = test_txn(ts, true);
    struct key key;
    struct slice value;
    uint8_t copy[4096];
    assert_true(db_get(t, DB_LOG, key_arrival(&key, 1), &value));
    assert_true(value.size <= sizeof copy);
    size_t size = value.size;
    memcpy(copy, value.data, size);
    copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    db_put(t, DB_LOG, key_slice(&key), slice_of(copy, size));
    assert_int_equal(txn_commit(t), OK);
}

static void reading_catches_each_flipped_bit(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain c;
    struct event e;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    struct event *whole = test_chain_add(
        &c, &(struct test_event){.body = {"number", "03A-0001"}, .box = {"name", "甲"}});
    assert_int_equal(append(&ts, whole), OK);
    size_t bits = record_size(whole, NULL) * 8;
    for (size_t bit = 0; bit < bits; bit += 3) {
        flip(&ts, bit);
        struct txn *t = test_txn(&ts, false);
        assert_int_equal(log_read(t, 1, &e), ERR_CORRUPT);
        txn_abort(t);
        flip(&ts, bit);
    }
    struct txn *t = test_txn(&ts, false);
    assert_int_equal(log_read(t, 1, &e), OK);
    txn_abort(t);
    test_chain_end(&c);
    test_store_end(&ts);
}

static void a_damaged_record_is_healed_by_the_same_event(void **state)
{
    (void)state;
    static const size_t bits[] = {3, 32 * 8, 35 * 8 + 1, 110 * 8, 120 * 8 + 7};
    struct test_store ts;
    struct test_chain c;
    struct event e;
    test_store_begin(&ts, NULL);
    test_chain_begin(&c, 1, "town");
    struct event *whole = test_chain_add(&c, &(struct test_event){.box = {"name", "甲"}});
    assert_int_equal(append(&ts, whole), OK);
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        flip(&ts, bits[i]);
        assert_int_equal(append(&ts, whole), OK);
        struct txn *t = test_txn(&ts, false);
        assert_int_equal(log_read(t, 1, &e), OK);
        assert_true(slice_equal(e.box, whole->box));
        txn_abort(t);
    }
    test_chain_end(&c);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_appended),
        cmocka_unit_test(knows_feeds_and_scopes_by_number_and_by_name),
        cmocka_unit_test(serves_more_feeds_in_a_commit_than_it_keeps_hot),
        cmocka_unit_test(holds_an_event_only_once),
        cmocka_unit_test(adds_a_signature_and_a_box_that_were_lacking),
        cmocka_unit_test(refuses_an_event_whose_predecessor_is_not_held),
        cmocka_unit_test(a_check_tells_before_anything_is_appended),
        cmocka_unit_test(refuses_more_branches_and_epochs_than_the_limits),
        cmocka_unit_test(reading_catches_each_flipped_bit),
        cmocka_unit_test(a_damaged_record_is_healed_by_the_same_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
