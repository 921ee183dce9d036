#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/views/visible.h"
#include "node/views/views.h"
#include "tests/support/township.h"

#include <string.h>

static struct township town;
static struct township_node node;
static uint64_t first; /* arrival of the request before the first sealed record */

static const struct event *seal(void)
{
    return township_record(
        &town, &town.devices[0],
        &(struct township_act){.kind = "sealed", .scope = "office", .box = "{\"x\":1}"});
}

/* Request, sealed, request, sealed, sealed, request. */
static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 1);
    first = town.event_count + 1;
    township_register(&town, &town.devices[0], "01A-0001");
    seal();
    township_register(&town, &town.devices[0], "01A-0002");
    seal();
    seal();
    township_register(&town, &town.devices[0], "01A-0003");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_end(&town);
    return 0;
}

static struct txn *look(const struct township_device *device, struct visible *out)
{
    struct txn *t;
    const struct roster *roster;
    township_node_open(&node, &town, device);
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_roster(node.views, t, &roster), OK);
    assert_int_equal(visible_begin(out, t, roster), OK);
    return t;
}

static void leave(struct txn *t, struct visible *v)
{
    visible_end(v);
    txn_abort(t);
    township_node_close(&node);
}

static void a_village_counts_and_numbers_as_if_nothing_were_sealed(void **state)
{
    (void)state;
    struct visible v;
    struct txn *t = look(&town.devices[0], &v);
    const struct scope office = scope_office(), everybody = scope_town();
    assert_int_equal(log_count(t), first + 5);
    assert_int_equal(v.events, first + 2);
    static const bool shown[] = {true, false, true, false, false, true};
    static const uint64_t numbers[] = {0, 0, 1, 1, 1, 2};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(visible_arrival(&v, first + i), shown[i]);
        assert_int_equal(visible_number(&v, first + i), first + numbers[i]);
    }
    assert_false(visible_scope(&v, &office));
    assert_true(visible_scope(&v, &everybody));
    uint64_t done = first + 4, total = first + 5;
    visible_progress(&v, &done, &total);
    assert_int_equal(total, first + 2);
    assert_int_equal(done, total);
    leave(t, &v);
}

static void the_township_shows_all(void **state)
{
    (void)state;
    struct visible v;
    struct txn *t = look(&town.hub, &v);
    const struct scope office = scope_office();
    assert_int_equal(v.events, first + 5);
    for (uint64_t i = 0; i < 6; i++) {
        assert_true(visible_arrival(&v, first + i));
        assert_int_equal(visible_number(&v, first + i), first + i);
    }
    assert_true(visible_scope(&v, &office));
    leave(t, &v);
}

static void a_device_that_the_roster_does_not_name_shows_none(void **state)
{
    (void)state;
    const struct scope office = scope_office(), village = scope_of_village("431322111201");
    assert_false(visible_by(NULL, &office));
    assert_true(visible_by(NULL, &village));
}

static void no_id_leads_to_what_is_not_shown(void **state)
{
    (void)state;
    struct visible v;
    struct thing_key found[4];
    const struct thing_id *sealed = &town.events[first]->subject;
    const struct thing_id *request = &town.events[first - 1]->subject;
    struct txn *t = look(&town.devices[0], &v);
    assert_int_equal(visible_find_prefix(&v, t, sealed->bytes, 32, found, 4), 0);
    assert_int_equal(visible_find_prefix(&v, t, request->bytes, 32, found, 4), 1);
    assert_true(thing_id_equal(&found[0].thing, request));
    leave(t, &v);
    t = look(&town.hub, &v);
    assert_int_equal(visible_find_prefix(&v, t, sealed->bytes, 32, found, 4), 1);
    leave(t, &v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_village_counts_and_numbers_as_if_nothing_were_sealed),
        TEST(the_township_shows_all),
        TEST(a_device_that_the_roster_does_not_name_shows_none),
        TEST(no_id_leads_to_what_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
