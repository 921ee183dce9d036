#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/views/request.h"
#include "node/views/sealed.h"
#include "tests/support/township.h"

#define REQUEST_A "{\"request\":\"%s\",\"recorded\":5}"
#define ACCUSATION                                                                                 \
    "{\"number\":\"JB-0001\",\"channel\":\"visit\",\"received\":1,\"nature\":\"accusation\","      \
    "\"category\":\"0103\",\"urgency\":1}"

static struct township town;
static struct township_node node;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init()) return -1;
    township_begin(&town, 2);
    township_node_open(&node, &town, &town.hub);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    township_node_close(&node);
    township_end(&town);
    return 0;
}

static const struct event *seal(struct township_device *d, const char *scope)
{
    return township_record(&town, d, &(struct township_act){.kind = "sealed", .scope = scope});
}

static void opened(struct township_device *d, const struct event *sealed, uint32_t depth,
                   uint32_t seen, char digit)
{
    char id[33], body[128];
    memset(id, digit, 32);
    id[32] = 0;
    snprintf(body, sizeof body, REQUEST_A, id);
    township_record(&town, d,
                    &(struct township_act){.kind = "sealed.opened",
                                           .scope = "office",
                                           .subject = &sealed->subject,
                                           .depth = depth,
                                           .seen = seen,
                                           .body = body});
}

static enum err read(const struct event *sealed, struct sealed *out)
{
    struct txn *t;
    const struct thing_key key = {township_node_scope(&node, sealed->feed.scope.text),
                                  sealed->subject};
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    enum err err = sealed_get(t, &key, out);
    txn_abort(t);
    return err;
}

static void one_is_opened_once_whoever_comes_second(void **state)
{
    (void)state;
    struct sealed s;
    struct history h;
    struct txn *t;
    const struct event *sealed = seal(&town.devices[0], "office");
    struct township_device *office = township_join(&town, "", ROLE_OFFICE, 'B');
    opened(&town.hub, sealed, 1, 1, 'a');
    opened(office, sealed, 1, 1, 'b'); /* at the same time, apart */
    township_node_take_all(&node, &town);
    assert_int_equal(read(sealed, &s), OK);
    assert_true(s.opened);
    assert_int_equal(s.request.bytes[0], 0xaa);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(
        views_history(node.views, t, township_node_scope(&node, "office"), &sealed->subject, &h),
        OK);
    txn_abort(t);
    assert_int_equal(h.type, THING_SEALED);
    assert_int_equal(h.items[1].effect, EFFECT_COUNTS);
    assert_string_equal(h.items[1].state_after, "opened");
    assert_int_equal(h.items[2].effect, EFFECT_IMPOSSIBLE);
    assert_string_equal(h.items[2].reason, "was opened already");
    history_clear(&h);
}

static void dismissed(struct township_device *d, const struct event *sealed, uint32_t depth,
                      uint32_t seen)
{
    township_record(&town, d,
                    &(struct township_act){.kind = "sealed.dismissed",
                                           .scope = "office",
                                           .subject = &sealed->subject,
                                           .depth = depth,
                                           .seen = seen,
                                           .body = "{\"reason\":\"unreadable\"}"});
}

static void what_was_dismissed_waits_no_more_and_can_be_opened(void **state)
{
    (void)state;
    struct sealed s;
    struct txn *t;
    struct sealed_counts counts;
    const struct event *lost = seal(&town.devices[0], "office");
    const struct event *found = seal(&town.devices[0], "office");
    const struct event *read_first = seal(&town.devices[0], "office");
    dismissed(&town.hub, lost, 1, 1);
    dismissed(&town.hub, found, 1, 1);
    opened(&town.hub, found, 2, 2, 'a');
    opened(&town.hub, read_first, 1, 1, 'b');
    dismissed(&town.hub, read_first, 2, 2);
    township_node_take_all(&node, &town);
    assert_int_equal(read(lost, &s), OK);
    assert_true(s.dismissed && !s.opened);
    assert_int_equal(read(found, &s), OK);
    assert_true(s.opened && !s.dismissed);
    assert_int_equal(read(read_first, &s), OK);
    assert_true(s.opened && !s.dismissed);
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(sealed_count(t, &counts), OK);
    txn_abort(t);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(counts.dismissed, 1);
    assert_int_equal(counts.opened, 2);
}

static void only_a_village_seals_and_only_the_township_opens(void **state)
{
    (void)state;
    struct sealed s;
    const struct event *by_hub = seal(&town.hub, "office");
    const struct event *in_village = seal(&town.devices[0], "village:431322111201");
    const struct event *good = seal(&town.devices[0], "office");
    opened(&town.devices[0], good, 1, 1, 'a');
    township_node_take_all(&node, &town);
    assert_int_equal(read(by_hub, &s), ERR_NOT_FOUND);
    assert_int_equal(read(in_village, &s), ERR_NOT_FOUND);
    assert_int_equal(read(good, &s), OK);
    assert_false(s.opened);
}

static bool add_request(void *state, const struct thing_key *key, const struct request *r)
{
    char *numbers = state;
    (void)key;
    strncat(numbers, (const char *)r->number.data, r->number.size);
    strcat(numbers, " ");
    return true;
}

static void numbers_of(bool accusations, char out[256])
{
    struct txn *t;
    const struct request_filter filter = {.any_state = true, .accusations = accusations};
    out[0] = 0;
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(requests_each(t, &filter, add_request, out), OK);
    txn_abort(t);
}

static void accusations_are_listed_and_counted_apart(void **state)
{
    (void)state;
    char numbers[256];
    struct sealed_counts counts;
    struct txn *t;
    township_register(&town, &town.devices[0], "01A-0001");
    const struct event *first = seal(&town.devices[0], "office");
    seal(&town.devices[1], "office");
    seal(&town.devices[1], "office");
    township_record(
        &town, &town.hub,
        &(struct township_act){.kind = "request.register", .scope = "office", .body = ACCUSATION});
    opened(&town.hub, first, 1, 1, 'a');
    township_node_take_all(&node, &town);
    numbers_of(false, numbers);
    assert_string_equal(numbers, "01A-0001 ");
    numbers_of(true, numbers);
    assert_string_equal(numbers, "JB-0001 ");
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(sealed_count(t, &counts), OK);
    txn_abort(t);
    assert_int_equal(counts.waiting, 2);
    assert_int_equal(counts.opened, 1);
}

static void an_accusation_outside_the_office_has_no_effect(void **state)
{
    (void)state;
    char numbers[256];
    struct history h;
    struct txn *t;
    const struct event *e =
        township_record(&town, &town.devices[0],
                        &(struct township_act){.kind = "request.register", .body = ACCUSATION});
    const struct event *by_village = township_record(
        &town, &town.devices[0],
        &(struct township_act){.kind = "request.register", .scope = "office", .body = ACCUSATION});
    township_node_take_all(&node, &town);
    numbers_of(false, numbers);
    assert_string_equal(numbers, "");
    numbers_of(true, numbers);
    assert_string_equal(numbers, "");
    assert_int_equal(txn_begin(node.store, false, &t), OK);
    assert_int_equal(views_history(node.views, t, township_node_scope(&node, e->feed.scope.text),
                                   &e->subject, &h),
                     OK);
    assert_int_equal(h.items[0].effect, EFFECT_BAD_FIELD);
    history_clear(&h);
    assert_int_equal(views_history(node.views, t, township_node_scope(&node, "office"),
                                   &by_village->subject, &h),
                     OK);
    assert_int_equal(h.items[0].effect, EFFECT_FORBIDDEN);
    history_clear(&h);
    txn_abort(t);
}

static void their_numbers_are_a_series_of_their_own(void **state)
{
    (void)state;
    struct txn *t;
    char number[16];
    township_record(
        &town, &town.hub,
        &(struct township_act){.kind = "request.register", .scope = "office", .body = ACCUSATION});
    township_node_take_all(&node, &town);
    assert_int_equal(txn_begin(node.store, true, &t), OK);
    const struct device hub = {.roles = town.hub.roles, .letter = 'A'};
    const struct device pc = {.roles = ROLE_DISPATCH, .letter = 'C'};
    assert_int_equal(request_next_accusation(t, &hub, number), OK);
    assert_string_equal(number, "JB-0002"); /* after the one that this device recorded */
    assert_int_equal(request_next_accusation(t, &pc, number), OK);
    assert_string_equal(number, "JBC-0001"); /* no two devices give one number */
    assert_int_equal(request_next_official(t, 2026, number), OK);
    assert_string_equal(number, "2026-0001");
    txn_abort(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(one_is_opened_once_whoever_comes_second),
        TEST(what_was_dismissed_waits_no_more_and_can_be_opened),
        TEST(only_a_village_seals_and_only_the_township_opens),
        TEST(accusations_are_listed_and_counted_apart),
        TEST(an_accusation_outside_the_office_has_no_effect),
        TEST(their_numbers_are_a_series_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
