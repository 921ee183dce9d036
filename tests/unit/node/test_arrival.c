#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/audit.h"
#include "node/views/request.h"
#include "tests/support/township.h"

#include <string.h>

#define SCOPE "village:431322111201"

static struct township town;
static struct township_node node;

/* A hub that holds the roster. */
static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
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

static const struct event *accept(struct township_device *d, const struct event *request)
{
    return township_record(&town, d,
                           &(struct township_act){.kind = "request.accept",
                                                  .scope = SCOPE,
                                                  .subject = &request->subject,
                                                  .depth = 1,
                                                  .seen = 1,
                                                  .body = "{\"class\":\"simple\"}"});
}

static struct arrival *begin(void)
{
    struct arrival *a = NULL;
    assert_int_equal(arrival_begin(&a, node.store, node.views), OK);
    return a;
}

static void add(struct arrival *a, const struct event *const *events, size_t count, enum err want,
                size_t want_fresh)
{
    struct event copies[16];
    size_t fresh = 99;
    for (size_t i = 0; i < count; i++) copies[i] = *events[i];
    assert_int_equal(arrival_add(a, copies, count, &fresh), want);
    assert_int_equal(fresh, want == OK ? want_fresh : 99);
}

/* REQUEST_STATE_COUNT: there is no row. */
static enum request_state state_of(const struct thing_id *thing)
{
    struct txn *t;
    struct request r;
    const struct thing_key key = {township_node_scope(&node, SCOPE), *thing};
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    enum err err = request_get(t, &key, &r);
    enum request_state state = err ? REQUEST_STATE_COUNT : r.state;
    assert_true(err == OK || err == ERR_NOT_FOUND);
    txn_abort(t);
    return state;
}

static uint64_t events_held(void)
{
    struct txn *t;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    uint64_t count = log_count(t);
    txn_abort(t);
    return count;
}

static void folds_what_a_run_founds_and_does(void **state)
{
    (void)state;
    struct township_device *v = &town.devices[0];
    const struct event *one = township_register(&town, v, "01A-0001");
    const struct event *act = accept(v, one);
    const struct event *two = township_register(&town, v, "01A-0002");
    struct arrival *a = begin();
    add(a, (const struct event *const[]){one, act, two}, 3, OK, 3);
    assert_int_equal(arrival_commit(a), OK);
    assert_int_equal(state_of(&one->subject), REQUEST_ACCEPTED);
    assert_int_equal(state_of(&two->subject), REQUEST_REGISTERED);
}

static void an_act_before_its_request_counts_once_that_is_here(void **state)
{
    (void)state;
    const struct event *one = township_register(&town, &town.devices[0], "01A-0001");
    const struct event *act = accept(&town.hub, one);
    struct arrival *a = begin();
    add(a, &act, 1, OK, 1);
    assert_int_equal(arrival_commit(a), OK);
    assert_true(state_of(&one->subject) != REQUEST_ACCEPTED);
    a = begin();
    add(a, &one, 1, OK, 1);
    assert_int_equal(arrival_commit(a), OK);
    assert_int_equal(state_of(&one->subject), REQUEST_ACCEPTED);
}

static void what_is_held_already_changes_nothing(void **state)
{
    (void)state;
    struct township_device *v = &town.devices[0];
    const struct event *all[2] = {township_register(&town, v, "01A-0001"),
                                  township_register(&town, v, "01A-0002")};
    struct arrival *a = begin();
    add(a, all, 1, OK, 1);
    add(a, all, 1, OK, 0);
    add(a, all, 2, OK, 1);
    add(a, all, 0, OK, 0);
    assert_int_equal(arrival_commit(a), OK);
    uint64_t held = events_held();
    a = begin();
    add(a, all, 2, OK, 0);
    assert_int_equal(arrival_commit(a), OK);
    assert_int_equal(events_held(), held);
}

static void a_bad_run_costs_the_others_of_its_commit_nothing(void **state)
{
    (void)state;
    const struct event *one = township_register(&town, &town.devices[0], "01A-0001");
    const struct event *skipped = township_register(&town, &town.devices[1], "02A-0001");
    const struct event *late = township_register(&town, &town.devices[1], "02A-0002");
    struct event first = *one, gap = *late;
    struct arrival *a = begin();
    add(a, &late, 1, ERR_BASE, 0);
    add(a, &one, 1, OK, 1);
    size_t fresh = 99;
    const struct event mixed[2] = {first, gap};
    assert_int_equal(arrival_add(a, mixed, 2, &fresh), ERR_BASE);
    assert_int_equal(fresh, 99);
    add(a, (const struct event *const[]){skipped, late}, 2, OK, 2);
    assert_int_equal(txn_error(arrival_txn(a)), OK);
    assert_int_equal(arrival_commit(a), OK);
    assert_int_equal(state_of(&one->subject), REQUEST_REGISTERED);
}

static void nothing_of_an_aborted_arrival_stays(void **state)
{
    (void)state;
    const struct event *one = township_register(&town, &town.devices[0], "01A-0001");
    uint64_t held = events_held();
    struct arrival *a = begin();
    add(a, &one, 1, OK, 1);
    arrival_abort(a);
    arrival_abort(NULL);
    assert_int_equal(events_held(), held);
    assert_int_equal(state_of(&one->subject), REQUEST_STATE_COUNT);
}

static void leaves_a_store_that_audits_clean(void **state)
{
    (void)state;
    struct audit_result result;
    const struct audit_options options = {.all_signatures = true};
    for (int i = 0; i < 40; i++)
        accept(&town.hub, township_register(&town, &town.devices[i % 2], "01A-0001"));
    township_node_take_all(&node, &town);
    assert_int_equal(audit_run(node.store, &options, &result), OK);
    assert_int_equal(result.problems, 0);
    assert_int_equal(result.events, town.event_count);
}

static void a_disk_that_is_nearly_full_is_left_to_persons(void **state)
{
    (void)state;
    struct arrival *a;
    bool low = false;
    const struct event *one = township_register(&town, &town.devices[0], "01A-0001");
    views_close(node.views);
    store_close(node.store);
    const struct store_options options = {.disk_free_min = UINT64_MAX};
    assert_int_equal(store_open(&node.store, node.home, &options), OK);
    assert_int_equal(views_open(&node.views, node.store), OK);
    assert_int_equal(arrival_begin(&a, node.store, node.views), ERR_NOSPACE);
    assert_int_equal(arrival_begin_person(&a, node.store, node.views, &low), OK);
    assert_true(low);
    add(a, &one, 1, OK, 1);
    assert_int_equal(arrival_commit(a), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folds_what_a_run_founds_and_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_act_before_its_request_counts_once_that_is_here, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_held_already_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_run_costs_the_others_of_its_commit_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_of_an_aborted_arrival_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_a_store_that_audits_clean, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_is_nearly_full_is_left_to_persons, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
