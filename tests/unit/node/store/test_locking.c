#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/store/erase.h"
#include "node/store/local.h"
#include "node/store/locking.h"
#include "node/store/txn.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#define WORDS "蓝鲸水管第七次漏水"
#define RECORDS 40

static struct test_store ts;
static struct test_chain chain;
static struct secret_key key = {{7}}, other = {{8}};

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

/* In every third there is no box. */
static void add(size_t count)
{
    size_t first = chain.count;
    for (size_t i = first; i < first + count; i++) {
        char text[160];
        snprintf(text, sizeof text, "%zu " WORDS, i);
        const struct test_event plain = {.body = {"number", "03A-0001"}};
        const struct test_event full = {.body = {"number", "03A-0001"}, .box = {"note", text}};
        test_chain_add(&chain, i % 3 ? &full : &plain);
    }
    test_store_append(&ts, &chain, first, chain.count);
}

static void use(const struct secret_key *k)
{
    const struct store_options options = {.key = k};
    test_store_reopen(&ts, &options);
}

static void commit(struct txn *t)
{
    assert_int_equal(txn_commit(t), OK);
}

static void begin_locking(void)
{
    struct txn *t = test_txn(&ts, true);
    locking_begin(t, slice_of_text("wrapped"));
    commit(t);
}

static void end_locking(void)
{
    struct txn *t = test_txn(&ts, true);
    locking_end(t);
    commit(t);
}

static bool slice(uint64_t records)
{
    struct txn *t = test_txn(&ts, true);
    bool more = locking_slice(t, records);
    commit(t);
    return more;
}

static void clean(void)
{
    assert_int_equal(store_compact(ts.store), OK);
    struct txn *t = test_txn(&ts, true);
    locking_clean(t);
    commit(t);
}

static void lock_all(void)
{
    begin_locking();
    while (slice(7)) continue;
    clean();
}

static enum locking_state state_now(void)
{
    struct locking now;
    struct txn *t = test_txn(&ts, false);
    assert_int_equal(locking_get(t, &now), OK);
    txn_abort(t);
    return now.state;
}

/* Every event is as it was signed, box and all; how many boxes are locked. */
static size_t check_all(void)
{
    struct txn *t = test_txn(&ts, false);
    struct buf keep = {0};
    size_t locked = 0;
    assert_int_equal(log_count(t), chain.count);
    for (size_t i = 0; i < chain.count; i++) {
        const struct event *made = &chain.events[i];
        struct event e;
        assert_int_equal(log_read(t, i + 1, &e), OK);
        locked += e.box_state == BOX_LOCKED;
        buf_reset(&keep);
        assert_int_equal(log_read_open(t, i + 1, &e, &keep), OK);
        assert_int_equal(e.box_state, made->box_state);
        assert_memory_equal(&e.id, &made->id, sizeof e.id);
        assert_int_equal(e.has_signature, made->has_signature);
        if (e.box_state != BOX_HERE) continue;
        assert_memory_equal(e.salt, made->salt, sizeof e.salt);
        assert_int_equal(e.box.size, made->box.size);
        assert_memory_equal(e.box.data, made->box.data, e.box.size);
    }
    buf_clear(&keep);
    txn_abort(t);
    return locked;
}

static size_t boxes(void)
{
    size_t count = 0;
    for (size_t i = 0; i < chain.count; i++) count += chain.events[i].box_state == BOX_HERE;
    return count;
}

/* --- there and back --- */

static void what_is_locked_is_nowhere_in_the_file_and_opens_with_the_key(void **state)
{
    (void)state;
    use(&key);
    add(RECORDS);
    assert_true(test_store_file_has(&ts, WORDS));
    begin_locking();
    assert_int_equal(state_now(), LOCKING_GOES_ON);
    while (slice(7)) assert_int_equal(state_now(), LOCKING_GOES_ON);
    assert_int_equal(state_now(), LOCKING_PAGES);
    assert_int_equal(check_all(), boxes());
    clean();
    assert_int_equal(state_now(), LOCKING_DONE);
    assert_false(test_store_file_has(&ts, WORDS));
    add(RECORDS);
    assert_false(test_store_file_has(&ts, WORDS));
    assert_int_equal(check_all(), boxes());
}

/* A process that ends between two slices, at each of them, and records come meanwhile. */
static void a_store_that_is_half_done_reads_and_writes_and_goes_on(void **state)
{
    (void)state;
    size_t halves = 0;
    use(&key);
    add(RECORDS);
    begin_locking();
    for (bool more = true; more;) {
        more = slice(5);
        use(&key);
        add(1);
        size_t locked = check_all();
        halves += locked > 0 && locked < boxes();
        assert_true(more || locked == boxes());
    }
    end_locking();
    assert_int_equal(state_now(), LOCKING_OPENS);
    for (bool more = true; more;) {
        more = slice(5);
        use(&key);
        add(1);
        size_t locked = check_all();
        halves += locked > 0 && locked < boxes();
        assert_true(more || locked == 0);
    }
    assert_true(halves > 10);
    assert_int_equal(state_now(), LOCKING_NONE);
    use(NULL);
    add(1);
    assert_int_equal(check_all(), 0);
}

static void a_change_of_mind_half_way_is_carried_out(void **state)
{
    (void)state;
    use(&key);
    add(RECORDS);
    begin_locking();
    assert_true(slice(RECORDS / 2));
    end_locking();
    assert_true(slice(RECORDS / 4));
    begin_locking();
    while (slice(9)) continue;
    assert_int_equal(check_all(), boxes());
    end_locking();
    while (slice(9)) continue;
    assert_int_equal(check_all(), 0);
    assert_int_equal(state_now(), LOCKING_NONE);
}

static void touch_nothing(void *state, uint32_t scope_number, const struct thing_id *thing)
{
    (void)state, (void)scope_number, (void)thing;
}

static size_t count_aside(void)
{
    struct txn *t = test_txn(&ts, false);
    size_t count = 0;
    for (uint64_t arrival = 1; arrival <= chain.count; arrival++) {
        bool aside = log_is_aside(t, arrival);
        assert_true(aside == (arrival > 10));
        count += aside;
    }
    assert_int_equal(aside_count(t), count);
    txn_abort(t);
    return count;
}

static void what_stands_aside_stays_there(void **state)
{
    (void)state;
    const struct log_cutting cutting = {.touched = touch_nothing};
    struct head_named cut = {.seq = 10};
    struct feed_id feed;
    use(&key);
    add(RECORDS);
    feed_id_of(&feed, &chain.feed);
    memcpy(cut.feed8, feed.bytes, sizeof cut.feed8);
    memcpy(cut.id16, chain.events[9].id.bytes, sizeof cut.id16);
    struct txn *t = test_txn(&ts, true);
    log_cut(t, &chain.signer.key, &cut, 1, &cutting);
    commit(t);
    assert_int_equal(count_aside(), RECORDS - 10);
    lock_all();
    assert_int_equal(check_all(), boxes());
    assert_int_equal(count_aside(), RECORDS - 10);
    assert_false(test_store_file_has(&ts, WORDS));
    end_locking();
    while (slice(7)) continue;
    assert_int_equal(check_all(), 0);
    assert_int_equal(count_aside(), RECORDS - 10);
}

/* --- the key --- */

static void without_the_key_headers_are_read_and_nothing_is_written(void **state)
{
    (void)state;
    use(&key);
    add(RECORDS);
    lock_all();
    const struct secret_key *const keys[] = {NULL, &other};
    for (size_t i = 0; i < 2; i++) {
        struct txn *t = NULL;
        struct event e;
        struct buf keep = {0};
        use(keys[i]);
        assert_int_equal(txn_begin(ts.store, true, &t), ERR_LOCKED);
        assert_null(t);
        t = test_txn(&ts, false);
        assert_true(locking_any(t));
        assert_false(locking_key_fits(t));
        assert_int_equal(log_read_unverified(t, 2, &e), OK);
        assert_int_equal(e.box_state, BOX_LOCKED);
        assert_memory_equal(&e.id, &chain.events[1].id, sizeof e.id);
        assert_int_equal(log_open_box(t, &e, &keep), keys[i] ? ERR_CORRUPT : ERR_LOCKED);
        assert_int_equal(keep.size, 0);
        txn_abort(t);
        buf_clear(&keep);
    }
    use(&key);
    add(1);
    assert_int_equal(check_all(), boxes());
}

static void a_key_that_is_taken_away_locks_the_open_store(void **state)
{
    (void)state;
    use(&key);
    add(3);
    lock_all();
    struct txn *t = NULL;
    store_use_key(ts.store, NULL);
    assert_int_equal(txn_begin(ts.store, true, &t), ERR_LOCKED);
    store_use_key(ts.store, &key);
    assert_int_equal(check_all(), boxes());
}

static void nobody_begins_without_a_key_or_twice(void **state)
{
    (void)state;
    add(3);
    struct txn *t = test_txn(&ts, true);
    locking_begin(t, SLICE_EMPTY);
    assert_int_equal(txn_commit(t), ERR_LOCKED);
    t = test_txn(&ts, true);
    locking_end(t);
    assert_int_equal(txn_commit(t), ERR_STATE);
    use(&key);
    begin_locking();
    t = test_txn(&ts, true);
    locking_begin(t, SLICE_EMPTY);
    assert_int_equal(txn_commit(t), ERR_STATE);
}

static void the_text_that_opens_the_key_is_kept_and_changed(void **state)
{
    (void)state;
    struct locking now;
    char large[LOCKING_TEXT_SIZE_MAX + 1] = {0};
    use(&key);
    add(3);
    lock_all();
    struct txn *t = test_txn(&ts, true);
    locking_text(t, slice_of(large, sizeof large));
    assert_int_equal(txn_commit(t), ERR_LIMIT);
    t = test_txn(&ts, true);
    locking_text(t, slice_of_text("fresh"));
    commit(t);
    t = test_txn(&ts, false);
    assert_int_equal(locking_get(t, &now), OK);
    assert_int_equal(now.state, LOCKING_DONE);
    assert_true(slice_is_text(now.text, "fresh"));
    txn_abort(t);
}

/* --- damage and moves --- */

static bool opens(uint64_t arrival)
{
    struct event e;
    struct buf keep = {0};
    struct txn *t = test_txn(&ts, false);
    enum err err = log_read(t, arrival, &e);
    if (!err) err = log_read_open(t, arrival, &e, &keep);
    assert_true(err == OK || err == ERR_CORRUPT);
    txn_abort(t);
    buf_clear(&keep);
    return !err;
}

static void put_record(uint64_t arrival, struct slice bytes)
{
    struct key at;
    struct txn *t = test_txn(&ts, true);
    db_put(t, DB_LOG, key_arrival(&at, arrival), bytes);
    commit(t);
}

static void get_record(uint64_t arrival, struct buf *out)
{
    struct key at;
    struct slice value;
    struct txn *t = test_txn(&ts, false);
    assert_true(db_get(t, DB_LOG, key_arrival(&at, arrival), &value));
    buf_reset(out);
    buf_append_slice(out, value);
    txn_abort(t);
}

static void each_flipped_bit_of_a_locked_record_is_found(void **state)
{
    (void)state;
    struct buf record = {0};
    use(&key);
    add(3);
    lock_all();
    get_record(2, &record);
    for (size_t bit = 0; bit < record.size * 8; bit++) {
        record.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        put_record(2, buf_slice(&record));
        assert_false(opens(2));
        record.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    put_record(2, buf_slice(&record));
    assert_true(opens(2));
    buf_clear(&record);
}

/* The ends of two records, where their boxes are, are of one size. */
static void a_box_does_not_open_in_another_record(void **state)
{
    (void)state;
    struct buf a = {0}, b = {0};
    use(&key);
    add(6);
    lock_all();
    get_record(2, &a);
    get_record(3, &b);
    assert_int_equal(a.size, b.size);
    size_t box = EVENT_SALT_SIZE + chain.events[1].box.size + CRYPTO_LOCK_OVERHEAD;
    memcpy(a.data + a.size - box, b.data + b.size - box, box);
    put_record(2, buf_slice(&a));
    assert_false(opens(2));
    assert_true(opens(3));
    buf_clear(&a);
    buf_clear(&b);
}

static void a_locked_box_is_erased_and_a_late_one_is_added_locked(void **state)
{
    (void)state;
    struct event e;
    struct appended did;
    use(&key);
    add(3);
    lock_all();
    struct txn *t = test_txn(&ts, true);
    assert_true(log_erase_box(t, 2));
    assert_false(log_erase_box(t, 2));
    assert_int_equal(log_read(t, 2, &e), OK);
    assert_int_equal(e.box_state, BOX_GONE);
    commit(t);
    t = test_txn(&ts, true);
    log_append(t, &chain.events[1], &did);
    commit(t);
    assert_int_equal(check_all(), boxes());
    assert_false(test_store_file_has(&ts, WORDS));
}

/* --- what else holds boxes --- */

static void what_is_kept_of_cut_runs_is_locked_too(void **state)
{
    (void)state;
    const struct sign_key device = {{1}};
    struct peer_row row = {.device = device, .unfinished_new = true};
    buf_append(&row.unfinished, WORDS, sizeof WORDS);
    use(&key);
    struct txn *t = test_txn(&ts, true);
    peer_put(t, &row);
    commit(t);
    lock_all(); /* those of before go */
    assert_false(test_store_file_has(&ts, WORDS));
    t = test_txn(&ts, true);
    assert_int_equal(peer_unfinished(t, &device).size, 0);
    peer_put(t, &row);
    commit(t);
    assert_false(test_store_file_has(&ts, WORDS));
    t = test_txn(&ts, false);
    assert_true(slice_equal(peer_unfinished(t, &device), buf_slice(&row.unfinished)));
    txn_abort(t);
    use(NULL);
    t = test_txn(&ts, false);
    assert_int_equal(peer_unfinished(t, &device).size, 0);
    txn_abort(t);
    peer_row_clear(&row);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_locked_is_nowhere_in_the_file_and_opens_with_the_key),
        TEST(a_store_that_is_half_done_reads_and_writes_and_goes_on),
        TEST(a_change_of_mind_half_way_is_carried_out),
        TEST(what_stands_aside_stays_there),
        TEST(without_the_key_headers_are_read_and_nothing_is_written),
        TEST(a_key_that_is_taken_away_locks_the_open_store),
        TEST(nobody_begins_without_a_key_or_twice),
        TEST(the_text_that_opens_the_key_is_kept_and_changed),
        TEST(each_flipped_bit_of_a_locked_record_is_found),
        TEST(a_box_does_not_open_in_another_record),
        TEST(a_locked_box_is_erased_and_a_late_one_is_added_locked),
        TEST(what_is_kept_of_cut_runs_is_locked_too),
    };
    return cmocka_run_group_tests_name("node/store/locking", tests, NULL, NULL);
}
