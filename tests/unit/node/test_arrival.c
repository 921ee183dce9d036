#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "node/store/audit.h"
#include "node/views/request.h"
#include "tests/support/store.h"
#include "tests/support/township.h"

#include <string.h>
#include <time.h>

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
    uint64_t held = test_events_held(node.store);
    a = begin();
    add(a, all, 2, OK, 0);
    assert_int_equal(arrival_commit(a), OK);
    assert_int_equal(test_events_held(node.store), held);
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
    uint64_t held = test_events_held(node.store);
    struct arrival *a = begin();
    add(a, &one, 1, OK, 1);
    arrival_abort(a);
    arrival_abort(NULL);
    assert_int_equal(test_events_held(node.store), held);
    assert_int_equal(state_of(&one->subject), REQUEST_STATE_COUNT);
}

static double core_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Records acts on one request and takes them, `step` a call, in one commit. */
static double take_acts(struct township_device *v, size_t count, size_t step)
{
    const struct event *one = township_register(&town, v, "01A-0001");
    struct township_act act = {.kind = "request.fly", .subject = &one->subject};
    struct event *events = test_calloc(count, sizeof *events);
    township_node_take(&node, town.events, town.event_count);
    for (size_t i = 0; i < count; i++) {
        act.depth = act.seen = (uint32_t)i + 1;
        events[i] = *township_record(&town, v, &act);
    }
    size_t fresh = 0;
    double start = core_seconds();
    struct arrival *a = begin();
    for (size_t i = 0; i < count; i += step)
        assert_int_equal(arrival_add(a, events + i, step, &fresh), OK);
    assert_int_equal(arrival_commit(a), OK);
    double seconds = core_seconds() - start;
    test_free(events);
    return seconds;
}

/* A peer may send each act in a run of its own, thousands of them in a commit. */
static void a_thing_that_a_commit_touches_often_is_folded_once(void **state)
{
    (void)state;
    const size_t count = 3000;
    double together = take_acts(&town.devices[0], count, count);
    double apart = take_acts(&town.devices[1], count, 1);
    assert_true(apart < 8 * together + 0.05);
}

static void what_waits_for_the_commit_is_in_no_row_before(void **state)
{
    (void)state;
    struct request r;
    const struct event *one = township_register(&town, &town.devices[0], "01A-0001");
    const struct event *act = accept(&town.hub, one);
    struct arrival *a = begin();
    add(a, &one, 1, OK, 1);
    add(a, &act, 1, OK, 1);
    struct scope scope;
    struct scope_row row;
    assert_int_equal(scope_parse(&scope, slice_of_text(SCOPE)), OK);
    assert_true(scope_find(arrival_txn(a), &scope, &row));
    const struct thing_key key = {row.number, one->subject};
    assert_int_equal(request_get(arrival_txn(a), &key, &r), OK);
    assert_int_equal(r.state, REQUEST_REGISTERED);
    assert_int_equal(arrival_commit(a), OK);
    assert_int_equal(state_of(&one->subject), REQUEST_ACCEPTED);
}

static void a_person_sees_each_act_in_the_rows_at_once(void **state)
{
    (void)state;
    bool low;
    struct request r;
    struct arrival *a;
    const struct event *one = township_register(&town, &town.devices[0], "01A-0001");
    const struct event *act = accept(&town.devices[0], one);
    township_node_take(&node, town.events, town.event_count - 1);
    const struct thing_key key = {township_node_scope(&node, SCOPE), one->subject};
    assert_int_equal(arrival_begin_person(&a, node.store, node.views, &low), OK);
    add(a, &act, 1, OK, 1);
    assert_int_equal(request_get(arrival_txn(a), &key, &r), OK);
    assert_int_equal(r.state, REQUEST_ACCEPTED);
    assert_int_equal(arrival_commit(a), OK);
}

static void the_next_run_of_a_commit_is_judged_by_the_roster_that_one_before_brought(void **state)
{
    (void)state;
    const struct roster *roster;
    struct arrival *a = begin();
    const struct event *act =
        township_record(&town, &town.authority,
                        &(struct township_act){.kind = "device.revoked",
                                               .subject = &town.devices[0].thing,
                                               .depth = 2,
                                               .seen = 2,
                                               .body = "{\"reason\":\"lost\"}"});
    add(a, &act, 1, OK, 1);
    assert_int_equal(views_roster(node.views, arrival_txn(a), &roster), OK);
    const struct device *d = roster_device(roster, &town.devices[0].signer.key);
    assert_non_null(d);
    assert_int_equal(d->state, DEVICE_REVOKED);
    assert_int_equal(arrival_commit(a), OK);
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
        cmocka_unit_test_setup_teardown(a_thing_that_a_commit_touches_often_is_folded_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_waits_for_the_commit_is_in_no_row_before, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_person_sees_each_act_in_the_rows_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            the_next_run_of_a_commit_is_judged_by_the_roster_that_one_before_brought, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(leaves_a_store_that_audits_clean, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_is_nearly_full_is_left_to_persons, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
