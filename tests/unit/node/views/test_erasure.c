#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/views/erasure.h"
#include "node/views/views.h"
#include "tests/support/township.h"

#define SCOPE "village:431322111201"
#define SECOND "00112233445566778899aabbccddeeff"
#define ORDER "{\"basis\":\"withdrawn\",\"second\":\"" SECOND "\"}"

static struct township town;
static struct township_node node;
static const struct thing_id clerk = {{7}};
static const struct event *request;

static int begin(void **state)
{
    (void)state;
    township_begin(&town, 2);
    request = township_register(&town, &town.devices[0], "01A-0001");
    township_node_open(&node, &town, &town.hub);
    township_node_take(&node, town.events, town.roster_count);
    return 0;
}

static int end(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

/* --- what is recorded ------------------------------------------------------------------------ */

static const struct event *act(struct township_device *d, const char *kind, uint32_t depth,
                               const char *body, const char *box)
{
    return township_record(&town, d,
                           &(struct township_act){.kind = kind,
                                                  .scope = SCOPE,
                                                  .subject = &request->subject,
                                                  .depth = depth,
                                                  .seen = depth,
                                                  .by = &clerk,
                                                  .body = body,
                                                  .box = box});
}

static const struct event *note(uint32_t depth)
{
    return act(&town.devices[0], "progress.note", depth, NULL, "{\"note\":\"水管已换\"}");
}

static const struct event *answer(struct township_device *d, const struct event *order,
                                  uint32_t depth)
{
    char hex[65], body[128];
    hex_encode(hex, order->id.bytes, sizeof order->id.bytes);
    snprintf(body, sizeof body, "{\"order\":\"%s\"}", hex);
    return act(d, "subject.erase_ack", depth, body, NULL);
}

/* --- what a node holds ----------------------------------------------------------------------- */

static void take(const struct event *e)
{
    struct event copy = *e, *one = &copy;
    township_node_take(&node, &one, 1);
}

/* How many of the request's records have their box; all must still verify. */
static size_t boxes(void)
{
    struct txn *t;
    struct event e;
    size_t count = 0;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    struct thing_cursor cursor = {t, township_node_scope(&node, SCOPE), request->subject, 0};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        assert_int_equal(log_read(t, arrival, &e), OK);
        count += e.box_state == BOX_HERE;
    }
    txn_abort(t);
    return count;
}

static bool mark(struct erased *out)
{
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    const struct thing_key key = {township_node_scope(&node, SCOPE), request->subject};
    bool there = erased_get(t, &key, out);
    txn_abort(t);
    return there;
}

/* Who has not answered the first order, as "name name | lost". */
static const char *pending(void)
{
    static char text[256];
    struct erased row;
    struct erasure e;
    struct txn *t;
    const struct roster *roster;
    assert_true(mark(&row));
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    const struct thing_key key = {township_node_scope(&node, SCOPE), request->subject};
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(erasure_read(t, roster, &key, &row.orders[0], &e), OK);
    size_t size = 0;
    text[0] = 0;
    for (size_t i = 0; i < e.pending_count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", i ? " " : "",
                                 e.pending[i]->village[0] ? "village" : "town");
    if (e.lost_count) snprintf(text + size, sizeof text - size, " | %zu", e.lost_count);
    erasure_clear(&e);
    txn_abort(t);
    return text;
}

/* --- an order is carried out ----------------------------------------------------------------- */

static void an_order_destroys_every_box_and_no_hash(void **state)
{
    (void)state;
    struct erased row;
    take(request);
    take(note(1));
    assert_int_equal(boxes(), 2);
    assert_false(mark(&row));
    take(act(&town.hub, "subject.erase", 2, ORDER, NULL));
    assert_int_equal(boxes(), 0);
    assert_true(mark(&row));
    assert_true(row.whole);
    assert_int_equal(row.order_count, 1);
    assert_true(row.orders[0].serial > 0);
    assert_false(row.orders[0].answered);
}

static void a_box_that_comes_late_is_not_kept(void **state)
{
    (void)state;
    const struct event *later = note(1), *order = act(&town.hub, "subject.erase", 1, ORDER, NULL);
    take(request);
    take(order);
    take(later);
    assert_int_equal(boxes(), 0);
    take(request); /* once more, with its box: a bundle of before */
    assert_int_equal(boxes(), 0);
}

static void an_order_that_comes_before_all_else_holds(void **state)
{
    (void)state;
    take(act(&town.hub, "subject.erase", 1, ORDER, NULL));
    take(request);
    take(note(1));
    assert_int_equal(boxes(), 0);
}

static void an_order_holds_with_all_it_is_about_in_one_commit(void **state)
{
    (void)state;
    note(1);
    act(&town.hub, "subject.erase", 2, ORDER, NULL);
    township_node_take_all(&node, &town);
    assert_int_equal(boxes(), 0);
}

/* Whatever place it has: nobody can keep his own words by adding to them. */
static void an_order_holds_past_the_bounds_of_a_fold(void **state)
{
    (void)state;
    take(request);
    take(act(&town.hub, "subject.erase", 900, ORDER, NULL));
    assert_int_equal(boxes(), 0);
}

static void who_may_not_erase_destroys_nothing(void **state)
{
    (void)state;
    char same[160];
    struct erased row;
    snprintf(same, sizeof same,
             "{\"basis\":\"withdrawn\",\"second\":\"07000000000000000000000000000000\"}");
    take(request);
    take(act(&town.devices[0], "subject.erase", 1, ORDER, NULL));
    take(act(&town.hub, "subject.erase", 2, same, NULL));
    take(act(&town.hub, "subject.erase", 3, "{\"basis\":\"withdrawn\"}", NULL));
    take(
        act(&town.hub, "subject.erase", 4, "{\"basis\":\"mood\",\"second\":\"" SECOND "\"}", NULL));
    assert_int_equal(boxes(), 1);
    assert_false(mark(&row));
}

static void a_correction_erases_the_records_it_names(void **state)
{
    (void)state;
    char hex[65], body[256];
    const struct event *first = note(1);
    take(request);
    take(first);
    hex_encode(hex, first->id.bytes, sizeof first->id.bytes);
    snprintf(body, sizeof body,
             "{\"asked_by\":\"self\",\"second\":\"" SECOND "\",\"erases\":[[{\"$bin\":\"%s\"}]]}",
             hex);
    take(act(&town.devices[0], "subject.correct", 2, body, "{\"content\":\"水管\"}"));
    assert_int_equal(boxes(), 3); /* a village corrects, and erases nothing */
    take(act(&town.hub, "subject.correct", 3, body, "{\"content\":\"水管\"}"));
    assert_int_equal(boxes(), 3); /* its own came, the old one went */
    take(first);
    assert_int_equal(boxes(), 3);
}

static void a_rebuild_finds_the_same(void **state)
{
    (void)state;
    struct erased before, after;
    take(request);
    take(act(&town.hub, "subject.erase", 1, ORDER, NULL));
    assert_true(mark(&before));
    assert_int_equal(views_rebuild(node.views, node.store, NULL, NULL), OK);
    assert_true(mark(&after));
    assert_int_equal(after.order_count, 1);
    assert_true(event_id_equal(&after.orders[0].id, &before.orders[0].id));
    assert_int_equal(after.orders[0].serial, before.orders[0].serial);
}

/* Of a thing with thousands of records one transaction destroys a part, the next ones the rest. */
static void a_thing_with_thousands_of_boxes_goes_in_parts(void **state)
{
    (void)state;
    struct txn *t;
    struct erased row;
    for (uint32_t i = 1; i <= ERASE_AT_ONCE + 10; i++) note(i);
    act(&town.hub, "subject.erase", 1, ORDER, NULL);
    township_node_take_all(&node, &town);
    assert_true(mark(&row));
    assert_true(row.next > 0);
    assert_int_equal(boxes(), 11);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    assert_true(erasure_go_on(t));
    assert_false(erasure_go_on(t));
    assert_int_equal(txn_commit(t), OK);
    assert_int_equal(boxes(), 0);
}

/* --- who has answered ------------------------------------------------------------------------ */

static void everybody_who_may_hold_it_is_waited_for(void **state)
{
    (void)state;
    struct erased row;
    take(request);
    const struct event *order = act(&town.hub, "subject.erase", 1, ORDER, NULL);
    take(order);
    assert_string_equal(pending(), "town village"); /* not the other village */
    take(answer(&town.devices[0], order, 2));
    assert_string_equal(pending(), "town");
    assert_true(mark(&row));
    assert_false(row.orders[0].answered);
    assert_false(row.orders[0].settled);
    take(answer(&town.hub, order, 3));
    assert_string_equal(pending(), "");
    assert_true(mark(&row));
    assert_true(row.orders[0].answered);
    assert_true(row.orders[0].settled);
}

static void who_joins_later_owes_nothing(void **state)
{
    (void)state;
    take(request);
    take(act(&town.hub, "subject.erase", 1, ORDER, NULL));
    township_join(&town, "431322111201", ROLE_VILLAGE, 'B');
    township_node_take_all(&node, &town);
    assert_string_equal(pending(), "town village");
}

int main(void)
{
    if (crypto_init() != OK) return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_order_destroys_every_box_and_no_hash),
        TEST(a_box_that_comes_late_is_not_kept),
        TEST(an_order_that_comes_before_all_else_holds),
        TEST(an_order_holds_with_all_it_is_about_in_one_commit),
        TEST(an_order_holds_past_the_bounds_of_a_fold),
        TEST(who_may_not_erase_destroys_nothing),
        TEST(a_correction_erases_the_records_it_names),
        TEST(a_rebuild_finds_the_same),
        TEST(a_thing_with_thousands_of_boxes_goes_in_parts),
        TEST(everybody_who_may_hold_it_is_waited_for),
        TEST(who_joins_later_owes_nothing),
    };
    return cmocka_run_group_tests_name("node/views/erasure", tests, NULL, NULL);
}
