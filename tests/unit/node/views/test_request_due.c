#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/views/request_due.h"
#include "tests/support/township.h"

enum { VILLAGES = 3, REQUESTS = 30 };

static struct township town;
static struct township_node node;

/* Thirty requests of three villages, accepted with due dates all over; the last of each without. */
static int set_up(void **state)
{
    (void)state;
    township_begin(&town, VILLAGES);
    township_node_open(&node, &town, &town.hub);
    for (unsigned i = 0; i < REQUESTS; i++) {
        char text[64];
        struct township_device *village = &town.devices[i % VILLAGES];
        snprintf(text, sizeof text, "%02uA-%04u", i % VILLAGES + 1, i);
        struct thing_id subject = township_register(&town, village, text)->subject;
        snprintf(text, sizeof text, "{\"at\":1,\"class\":\"general\",\"due\":%u}",
                 (i * 7919 % 97 + 1) * 100);
        township_record(&town, village,
                        &(struct township_act){
                            .kind = "request.accept",
                            .subject = &subject,
                            .depth = 1,
                            .seen = 1,
                            .body = i < REQUESTS - VILLAGES ? text : "{\"class\":\"general\"}",
                        });
    }
    township_node_take_all(&node, &town);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

struct walk {
    size_t count, stop_after;
    uint64_t last_ms;
    bool undated;
    uint32_t scope;
};

static bool step(void *state, const struct thing_key *key, const struct request *r, uint64_t due_ms)
{
    struct walk *w = state;
    assert_int_equal(due_ms, r->due_ms);
    if (w->scope) assert_int_equal(key->scope_number, w->scope);
    if (due_ms) {
        assert_false(w->undated); /* those without a date come last */
        assert_true(due_ms >= w->last_ms);
        w->last_ms = due_ms;
    } else {
        w->undated = true;
    }
    return ++w->count != w->stop_after;
}

static struct walk walk(uint32_t scope, size_t stop_after)
{
    struct walk w = {.scope = scope, .stop_after = stop_after};
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(requests_by_due(t, scope, step, &w), OK);
    txn_abort(t);
    return w;
}

static void merges_all_scopes_in_the_order_of_their_dates(void **state)
{
    (void)state;
    struct walk all = walk(0, SIZE_MAX);
    assert_int_equal(all.count, REQUESTS);
    assert_true(all.undated && all.last_ms > 8000);
}

static void keeps_to_one_scope_and_stops_when_told(void **state)
{
    (void)state;
    uint32_t scope = township_node_scope(&node, "village:431322111202");
    assert_int_equal(walk(scope, SIZE_MAX).count, REQUESTS / VILLAGES);
    assert_int_equal(walk(0, 4).count, 4);
}

static void counts_what_is_late_and_what_soon_will_be(void **state)
{
    (void)state;
    struct txn *t;
    struct due_counts counts;
    uint64_t late = 0, soon = 0;
    for (unsigned i = 0; i < REQUESTS - VILLAGES; i++) {
        uint64_t due = (i * 7919 % 97 + 1) * 100;
        late += due < 3000;
        soon += due >= 3000 && due < 6000;
    }
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(requests_due_count(t, 0, 3000, 6000, &counts), OK);
    txn_abort(t);
    assert_int_equal(counts.open, REQUESTS);
    assert_int_equal(counts.overdue, late);
    assert_int_equal(counts.soon, soon);
    assert_true(late > 0 && soon > 0);
}

int main(void)
{
    if (crypto_init()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_all_scopes_in_the_order_of_their_dates),
        cmocka_unit_test(keeps_to_one_scope_and_stops_when_told),
        cmocka_unit_test(counts_what_is_late_and_what_soon_will_be),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
