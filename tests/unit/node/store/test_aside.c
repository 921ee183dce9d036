#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/audit.h"
#include "node/store/txn.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#include <string.h>

/* A feed of TRUNK events that forks into BRANCHES branches, of which the first TRUNK are kept. */
enum { TRUNK = 5, BRANCHES = FEED_BRANCHES_MAX + 1, EACH = 3 };

static struct test_store ts;
static struct test_chain chains[BRANCHES];

static void fork_many(void)
{
    for (size_t b = 0; b < BRANCHES; b++) {
        test_chain_begin(&chains[b], 1, "town");
        test_chain_fill(&chains[b], TRUNK);
        for (size_t i = 0; i < EACH; i++)
            test_chain_add(&chains[b],
                           &(struct test_event){.time = i ? 0 : HLC_MAKE(1900000000000 + b, 0, 0)});
    }
}

static void end_all(void)
{
    for (size_t b = 0; b < BRANCHES; b++) test_chain_end(&chains[b]);
    test_store_end(&ts);
}

static void nothing_touched(void *state, uint32_t scope_number, const struct thing_id *thing)
{
    (void)scope_number;
    (void)thing;
    ++*(size_t *)state;
}

/* Names the last of the trunk's. */
static size_t cut(uint64_t seq)
{
    struct feed_id id;
    struct head_named head = {.seq = seq};
    size_t touched = 0;
    const struct log_cutting cutting = {.touched = nothing_touched, .state = &touched};
    feed_id_of(&id, &chains[0].feed);
    memcpy(head.feed8, id.bytes, sizeof head.feed8);
    memcpy(head.id16, chains[0].events[seq - 1].id.bytes, sizeof head.id16);
    struct txn *t = test_txn(&ts, true);
    assert_true(log_cut(t, &chains[0].feed.author, &head, 1, &cutting));
    assert_false(log_cut(t, &chains[0].feed.author, &head, 1, &cutting));
    assert_int_equal(txn_commit(t), OK);
    return touched;
}

static enum err append(const struct event *e)
{
    struct appended did;
    struct txn *t = test_txn(&ts, true);
    enum err err = log_check(t, e, 1);
    if (!err) {
        log_append(t, e, &did);
        return txn_commit(t);
    }
    txn_abort(t);
    return err;
}

static void assert_whole(void)
{
    struct audit_result audit;
    const struct audit_options options = {0};
    assert_int_equal(audit_run(ts.store, &options, &audit), OK);
    assert_int_equal(audit.problems, 0);
}

static struct feed_row row_now(void)
{
    struct feed_row row = {0};
    struct txn *t = test_txn(&ts, false);
    assert_true(feed_find(t, &chains[0].feed, &row));
    txn_abort(t);
    return row;
}

/* Level by level, so that each branch is open from its first event on. */
static void append_all(bool cut_off)
{
    test_store_begin(&ts, NULL);
    fork_many();
    for (size_t i = 0; i < TRUNK; i++) assert_int_equal(append(&chains[0].events[i]), OK);
    if (cut_off) assert_int_equal(cut(TRUNK), 0);
    for (size_t i = TRUNK; i < TRUNK + EACH; i++)
        for (size_t b = 0; b < BRANCHES; b++)
            assert_int_equal(append(&chains[b].events[i]), b < FEED_BRANCHES_MAX ? OK
                                                           : i == TRUNK          ? ERR_LIMIT
                                                                                 : ERR_BASE);
}

static void as_many_branches_are_held_of_who_was_cut_off(void **state)
{
    (void)state;
    for (int cut_off = 0; cut_off < 2; cut_off++) {
        append_all(cut_off);
        if (!cut_off) assert_int_equal(cut(TRUNK), FEED_BRANCHES_MAX * EACH);
        struct feed_row row = row_now();
        assert_int_equal(row.events, TRUNK);
        assert_int_equal(row.head_count, 1);
        assert_int_equal(row.heads[0].seq, TRUNK);
        assert_int_equal(row.aside_count, FEED_BRANCHES_MAX);
        assert_whole();
        /* all of it is held already: again it changes nothing */
        for (size_t b = 0; b < FEED_BRANCHES_MAX; b++)
            assert_int_equal(append(&chains[b].events[TRUNK + 1]), OK);
        assert_int_equal(row_now().aside_count, FEED_BRANCHES_MAX);
        end_all();
    }
}

/* What is told to the township: each branch once, whether it counts or not. */
static void ends_are_what_nothing_follows(void **state)
{
    (void)state;
    struct head ends[FEED_BRANCHES_MAX];
    append_all(true);
    assert_int_equal(cut(TRUNK + 2), 2);
    struct feed_row row = row_now();
    assert_int_equal(row.head_count, 1);
    assert_int_equal(row.heads[0].seq, TRUNK + 2);
    struct txn *t = test_txn(&ts, false);
    assert_int_equal(feed_ends(t, &row, ends), FEED_BRANCHES_MAX);
    for (size_t i = 0; i < FEED_BRANCHES_MAX; i++) assert_int_equal(ends[i].seq, TRUNK + EACH);
    struct head way[] = {{.seq = 2, .id = chains[0].events[1].id},
                         {.seq = TRUNK + 2, .id = chains[3].events[TRUNK + 1].id},
                         {.seq = TRUNK, .id = chains[0].events[TRUNK - 1].id},
                         {.seq = TRUNK + 2, .id = chains[3].events[TRUNK + 1].id},
                         {.seq = TRUNK + 1, .id = chains[4].events[TRUNK].id}};
    assert_int_equal(log_ends(t, &row, way, 5), 2);
    assert_true(event_id_equal(&way[0].id, &chains[3].events[TRUNK + 1].id));
    assert_true(event_id_equal(&way[1].id, &chains[4].events[TRUNK].id));
    txn_abort(t);
    end_all();
}

static void change_flags(uint64_t arrival, uint8_t bits)
{
    struct key key;
    struct slice value;
    struct buf copy = {0};
    struct txn *t = test_txn(&ts, true);
    assert_true(db_get(t, DB_LOG, key_arrival(&key, arrival), &value));
    buf_append_slice(&copy, value);
    copy.data[32] ^= bits;
    db_put(t, DB_LOG, key_slice(&key), buf_slice(&copy));
    buf_clear(&copy);
    assert_int_equal(txn_commit(t), OK);
}

static void a_damaged_mark_is_healed_to_what_it_was(void **state)
{
    (void)state;
    append_all(true);
    for (uint8_t bit = 0; bit < 8; bit++)
        for (uint64_t arrival = TRUNK; arrival <= TRUNK + 1; arrival++) {
            const struct event *e = &chains[0].events[arrival - 1];
            change_flags(arrival, (uint8_t)(1u << bit));
            assert_int_equal(append(e), OK);
            assert_whole();
        }
    assert_int_equal(row_now().events, TRUNK);
    end_all();
}

static void an_audit_finds_a_mark_that_is_wrong(void **state)
{
    (void)state;
    struct audit_result audit;
    const struct audit_options options = {0};
    append_all(true);
    assert_whole();
    change_flags(TRUNK + 1, RECORD_ASIDE);
    assert_int_equal(audit_run(ts.store, &options, &audit), OK);
    assert_true(audit.problems > 0);
    end_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_branches_are_held_of_who_was_cut_off),
        cmocka_unit_test(ends_are_what_nothing_follows),
        cmocka_unit_test(a_damaged_mark_is_healed_to_what_it_was),
        cmocka_unit_test(an_audit_finds_a_mark_that_is_wrong),
    };
    if (crypto_init()) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
