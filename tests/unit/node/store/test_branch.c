#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/log.h"
#include "tests/support/events.h"
#include "tests/support/store.h"

#include <string.h>

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

static void keeps_every_branch_of_a_fork_and_its_heads(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain a, b, d;
    test_store_begin(&ts, NULL);
    fork_chain(&a, 1, 10, 20, 0);
    fork_chain(&b, 1, 10, 5, HLC_MAKE(UINT64_C(2000000000000), 0, 0));
    fork_chain(&d, 1, 12, 3, HLC_MAKE(UINT64_C(2000000000001), 0, 0));
    test_store_append(&ts, &a, 0, a.count);
    test_store_append(&ts, &b, 0, b.count);
    test_store_append(&ts, &d, 0, d.count);
    struct feed_row row = row_of(&ts, &a.feed);
    assert_int_equal(row.head_count, 3);
    assert_int_equal(row.events, 30 + 5 + 5);
    assert_true(event_id_equal(&row.heads[0].id, &a.events[29].id));
    assert_int_equal(row.heads[1].seq, 15);
    assert_int_equal(row.heads[2].seq, 15);
    assert_true(memcmp(row.heads[1].id.bytes, row.heads[2].id.bytes, 32) < 0);
    /* A branch that grows past the others comes first. */
    test_chain_fill(&b, 40);
    test_store_append(&ts, &b, 15, b.count);
    row = row_of(&ts, &a.feed);
    assert_int_equal(row.head_count, 3);
    assert_int_equal(row.heads[0].seq, b.count);
    assert_int_equal(row.heads[1].seq, 30);
    test_chain_end(&a);
    test_chain_end(&b);
    test_chain_end(&d);
    test_store_end(&ts);
}

static void walks_each_branch_along_its_own_links(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain chains[3];
    uint64_t arrivals[64];
    struct event e;
    test_store_begin(&ts, NULL);
    fork_chain(&chains[0], 1, 10, 40, 0);
    fork_chain(&chains[1], 1, 10, 15, HLC_MAKE(UINT64_C(2000000000000), 0, 0));
    fork_chain(&chains[2], 1, 20, 8, HLC_MAKE(UINT64_C(2000000000001), 0, 0));
    for (size_t i = 0; i < 3; i++) test_store_append(&ts, &chains[i], 0, chains[i].count);
    struct feed_row row = row_of(&ts, &chains[0].feed);
    struct txn *t = test_txn(&ts, false);
    for (size_t b = 0; b < 3; b++) {
        const struct test_chain *c = &chains[b];
        size_t n = c->count;
        struct head head = {n, c->events[n - 1].id, 0};
        for (uint64_t first = 1; first <= n; first += 3)
            for (uint64_t last = first; last <= n; last += 4) {
                size_t count = 0;
                assert_int_equal(log_branch(t, &row, &head, first, last, arrivals, &count), OK);
                assert_int_equal(count, last - first + 1);
                for (size_t i = 0; i < count; i++) {
                    assert_int_equal(log_read(t, arrivals[i], &e), OK);
                    assert_true(event_id_equal(&e.id, &c->events[first - 1 + i].id));
                }
            }
        size_t count = 1;
        assert_int_equal(log_branch(t, &row, &head, 1, n + 1, arrivals, &count), ERR_BASE);
        assert_int_equal(log_branch(t, &row, &head, 0, 1, arrivals, &count), ERR_BASE);
        assert_int_equal(log_branch(t, &row, &head, n + 1, n, arrivals, &count), OK);
        assert_int_equal(count, 0);
    }
    txn_abort(t);
    for (size_t i = 0; i < 3; i++) test_chain_end(&chains[i]);
    test_store_end(&ts);
}

static void points_go_back_from_the_head_in_growing_steps(void **state)
{
    (void)state;
    struct test_store ts;
    struct test_chain a, b;
    uint64_t seqs[40];
    uint8_t id8s[40][8];
    test_store_begin(&ts, NULL);
    fork_chain(&a, 1, 10, 90, 0);
    fork_chain(&b, 1, 10, 5, HLC_MAKE(UINT64_C(2000000000000), 0, 0));
    test_store_append(&ts, &a, 0, a.count);
    test_store_append(&ts, &b, 0, b.count);
    struct feed_row row = row_of(&ts, &a.feed);
    struct txn *t = test_txn(&ts, false);
    static const uint64_t want[] = {100, 99, 98, 96, 92, 84, 68, 36};
    assert_int_equal(log_points(t, &row, &row.heads[0], seqs, id8s, 40), 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(seqs[i], want[i]);
        assert_memory_equal(id8s[i], a.events[want[i] - 1].id.bytes, 8);
    }
    assert_int_equal(log_points(t, &row, &row.heads[1], seqs, id8s, 3), 3);
    assert_int_equal(seqs[2], 13);
    assert_memory_equal(id8s[2], b.events[12].id.bytes, 8);
    txn_abort(t);
    test_chain_end(&a);
    test_chain_end(&b);
    test_store_end(&ts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_branch_of_a_fork_and_its_heads),
        cmocka_unit_test(walks_each_branch_along_its_own_links),
        cmocka_unit_test(points_go_back_from_the_head_in_growing_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
