#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "node/views/request.h"
#include "tests/support/township.h"

#define FIRST_SCOPE "village:431322111201"

static struct township town;
static struct township_node node;
static struct thing_id first, second, third;

static void accept(const struct thing_id *subject, const char *body)
{
    township_record(&town, &town.hub,
                    &(struct township_act){.kind = "request.accept",
                                           .scope = FIRST_SCOPE,
                                           .subject = subject,
                                           .depth = 1,
                                           .seen = 1,
                                           .body = body});
}

static int set_up(void **state)
{
    (void)state;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    first = township_register(&town, &town.devices[0], "01A-0001")->subject;
    second = township_register(&town, &town.devices[0], "01A-0002")->subject;
    third = township_register(&town, &town.devices[1], "02A-0001")->subject;
    accept(&first, "{\"at\":1,\"class\":\"general\",\"due\":5000,\"official_no\":\"2025-0007\"}");
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

static struct txn *begin(bool write)
{
    struct txn *t;
    assert_int_equal(txn_begin(node.store, write, &t), OK);
    return t;
}

static bool count_one(void *state, const struct thing_key *key, const struct request *r)
{
    assert_true(key->scope_number > 0 && r->state != REQUEST_HELD);
    ++*(size_t *)state;
    return true;
}

static bool stop_at_once(void *state, const struct thing_key *key, const struct request *r)
{
    (void)key;
    (void)r;
    ++*(size_t *)state;
    return false;
}

static size_t listed(struct request_filter filter)
{
    size_t count = 0;
    struct txn *t = begin(false);
    assert_int_equal(requests_each(t, &filter, count_one, &count), OK);
    txn_abort(t);
    return count;
}

static void lists_by_scope_state_due_and_time(void **state)
{
    (void)state;
    uint32_t scope = township_node_scope(&node, FIRST_SCOPE);
    assert_int_equal(listed((struct request_filter){.any_state = true}), 3);
    assert_int_equal(listed((struct request_filter){.any_state = true, .scope_number = scope}), 2);
    assert_int_equal(listed((struct request_filter){.state = REQUEST_REGISTERED}), 2);
    assert_int_equal(listed((struct request_filter){.state = REQUEST_ACCEPTED}), 1);
    assert_int_equal(listed((struct request_filter){.open_only = true}), 3);
    assert_int_equal(listed((struct request_filter){.any_state = true, .overdue_at_ms = 5001}), 1);
    assert_int_equal(listed((struct request_filter){.any_state = true, .overdue_at_ms = 5000}), 0);
    assert_int_equal(listed((struct request_filter){.any_state = true, .since_ms = UINT64_MAX}), 0);
    size_t count = 0;
    struct txn *t = begin(false);
    struct request_filter all = {.any_state = true};
    assert_int_equal(requests_each(t, &all, stop_at_once, &count), OK);
    assert_int_equal(count, 1);
    txn_abort(t);
}

static void counts_open_and_overdue_from_the_index(void **state)
{
    (void)state;
    uint64_t open, overdue;
    struct txn *t = begin(false);
    uint32_t scope = township_node_scope(&node, FIRST_SCOPE);
    assert_int_equal(requests_count_open(t, scope, 5000, &open, &overdue), OK);
    assert_int_equal(open, 2);
    assert_int_equal(overdue, 0);
    assert_int_equal(requests_count_open(t, scope, 5001, &open, &overdue), OK);
    assert_int_equal(overdue, 1);
    txn_abort(t);
}

static void finds_by_either_number_and_says_when_it_is_not_one(void **state)
{
    (void)state;
    struct thing_key key;
    struct txn *t = begin(false);
    assert_int_equal(request_find_number(t, slice_of_text("02A-0001"), &key), OK);
    assert_true(thing_id_equal(&key.thing, &third));
    assert_int_equal(request_find_number(t, slice_of_text("2025-0007"), &key), OK);
    assert_true(thing_id_equal(&key.thing, &first));
    assert_int_equal(request_find_number(t, slice_of_text("01A-"), &key), ERR_NOT_FOUND);
    assert_int_equal(request_find_number(t, slice_of_text("01A-000"), &key), ERR_NOT_FOUND);
    assert_int_equal(request_find_number(t, SLICE_EMPTY, &key), ERR_NOT_FOUND);
    txn_abort(t);
    township_register(&town, &town.devices[1], "01A-0002");
    township_node_take_all(&node, &town);
    t = begin(false);
    assert_int_equal(request_find_number(t, slice_of_text("01A-0002"), &key), ERR_AMBIGUOUS);
    txn_abort(t);
}

static void the_index_follows_the_row(void **state)
{
    (void)state;
    uint64_t open, overdue;
    accept(&second, "{\"at\":1,\"class\":\"general\",\"due\":4000}");
    township_node_take_all(&node, &town);
    struct txn *t = begin(false);
    uint32_t scope = township_node_scope(&node, FIRST_SCOPE);
    assert_int_equal(requests_count_open(t, scope, 4500, &open, &overdue), OK);
    assert_int_equal(open, 2);
    assert_int_equal(overdue, 1);
    txn_abort(t);
}

/* --- numbers ------------------------------------------------------------------------------- */

/* An acceptance that stands before it arrives later, and takes the official number away again. */
static void a_number_that_was_the_official_one_too_is_still_found(void **state)
{
    (void)state;
    struct thing_key key;
    struct request r;
    accept(&second, "{\"class\":\"general\",\"official_no\":\"01A-0002\"}");
    township_node_take_all(&node, &town);
    struct township_act earlier = {.kind = "request.accept",
                                   .scope = "village:431322111201",
                                   .subject = &second,
                                   .depth = 1,
                                   .seen = 1,
                                   .body = "{\"class\":\"simple\"}",
                                   .time_ms = 1000};
    struct township_device *other = township_join(&town, "", ROLE_DISPATCH, 'B');
    township_record(&town, other, &earlier);
    township_node_take_all(&node, &town);
    township_node_settle(&node);
    struct txn *t = begin(false);
    assert_int_equal(request_find_number(t, slice_of_text("01A-0002"), &key), OK);
    assert_true(thing_id_equal(&key.thing, &second));
    assert_int_equal(request_get(t, &key, &r), OK);
    assert_int_equal(r.official_number.size, 0);
    txn_abort(t);
}

static void next_is(struct txn *t, const struct sign_key *device, const char *expected)
{
    char number[16];
    const struct roster *roster;
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(request_next_number(t, roster, roster_device(roster, device), number), OK);
    assert_string_equal(number, expected);
}

static void gives_numbers_of_village_device_and_counter(void **state)
{
    (void)state;
    char official[16];
    struct txn *t = begin(true);
    next_is(t, &town.devices[1].signer.key, "02A-0001");
    next_is(t, &town.devices[1].signer.key, "02A-0002");
    next_is(t, &town.hub.signer.key, "00A-0001");
    assert_int_equal(request_next_official(t, 2026, official), OK);
    assert_string_equal(official, "2026-0001");
    /* its own event carried 2025-0007 */
    assert_int_equal(request_next_official(t, 2025, official), OK);
    assert_string_equal(official, "2025-0008");
    assert_int_equal(txn_commit(t), OK);
    t = begin(true);
    next_is(t, &town.devices[1].signer.key, "02A-0003");
    txn_abort(t);
    t = begin(true);
    next_is(t, &town.devices[1].signer.key, "02A-0003"); /* an aborted one was not given */
    txn_abort(t);
}

static void a_refilled_store_goes_on_counting_after_its_own_numbers(void **state)
{
    (void)state;
    struct township_node laptop;
    township_register(&town, &town.devices[0], "01A-0041");
    township_register(&town, &town.devices[0], "01A-0007");
    township_register(&town, &town.devices[0], "no number");
    township_register(&town, &town.devices[1], "01A-0900"); /* another device's counts not */
    township_node_open(&laptop, &town, &town.devices[0]);
    township_node_take_all(&laptop, &town);
    struct txn *t;
    char number[16];
    const struct roster *roster;
    assert_int_equal(txn_begin(laptop.store, true, &t), OK);
    assert_int_equal(views_roster(laptop.views, t, &roster), OK);
    const struct device *d = roster_device(roster, &town.devices[0].signer.key);
    assert_int_equal(request_next_number(t, roster, d, number), OK);
    assert_string_equal(number, "01A-0042");
    txn_abort(t);
    township_node_close(&laptop);
}

static void gives_no_number_to_a_village_that_the_roster_does_not_know(void **state)
{
    (void)state;
    char number[16];
    const struct roster *roster;
    struct device d = {.village = "431322111999", .letter = 'A'};
    struct txn *t = begin(true);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(request_next_number(t, roster, &d, number), ERR_NOT_FOUND);
    txn_abort(t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lists_by_scope_state_due_and_time),
        TEST(counts_open_and_overdue_from_the_index),
        TEST(finds_by_either_number_and_says_when_it_is_not_one),
        TEST(the_index_follows_the_row),
        TEST(a_number_that_was_the_official_one_too_is_still_found),
        TEST(gives_numbers_of_village_device_and_counter),
        TEST(a_refilled_store_goes_on_counting_after_its_own_numbers),
        TEST(gives_no_number_to_a_village_that_the_roster_does_not_know),
    };
    if (crypto_init() != OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
