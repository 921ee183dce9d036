/* What hubs learn of each other, and by whom a village's records came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/series.h"
#include "tests/support/wire.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS 60000u

/* The founding hub, a standby, two laptops of village 1. */
static struct meeting_node hub, standby, laptop, second;
static struct township_device *standby_device, *second_device;

static int set_up(void **state)
{
    (void)state;
    memset(&meeting, 0, sizeof meeting);
    township_begin(&meeting.township, 1);
    standby_device = township_join(&meeting.township, "", ROLE_HUB, 'C');
    second_device =
        township_join(&meeting.township, meeting.township.devices[0].village, ROLE_VILLAGE, 'B');
    meeting.township.roster_count = meeting.township.event_count;
    wire_node_begin(&hub, &meeting.township.hub, meeting.township.event_count);
    wire_node_begin(&standby, standby_device, meeting.township.event_count);
    wire_node_begin(&laptop, &meeting.township.devices[0], meeting.township.event_count);
    wire_node_begin(&second, second_device, meeting.township.event_count);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wire_node_end(&hub);
    wire_node_end(&standby);
    wire_node_end(&laptop);
    wire_node_end(&second);
    township_end(&meeting.township);
    return 0;
}

/* --- by whom --- */

static bool came_by(struct meeting_node *n, const struct meeting_node *of, struct via *out)
{
    struct txn *t;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    bool found = via_get(t, &of->keys.signer.key, out);
    txn_abort(t);
    return found;
}

static void a_hub_notes_by_whom_the_records_of_a_laptop_came(void **state)
{
    (void)state;
    struct via via;
    wire_node_take(&second, township_register(&meeting.township, second_device, "01B-0001"));
    wire_meet(&second, &laptop);
    assert_false(came_by(&laptop, &second, &via)); /* a laptop notes nothing */
    wire_meet(&laptop, &hub);
    assert_true(came_by(&hub, &second, &via));
    assert_true(sign_key_equal(&via.from, &laptop.keys.signer.key));
    wire_meet(&hub, &standby);
    assert_true(came_by(&standby, &second, &via));
    assert_true(sign_key_equal(&via.from, &hub.keys.signer.key));
}

static void what_somebody_brings_himself_is_not_noted_nor_what_the_township_says(void **state)
{
    (void)state;
    struct via via;
    const struct township_act act = {.kind = "device.note",
                                     .scope = "town",
                                     .subject = &meeting.township.hub.thing,
                                     .depth = 2,
                                     .seen = 2};
    wire_node_take(&hub, township_record(&meeting.township, &meeting.township.hub, &act));
    wire_node_take(&laptop,
                   township_register(&meeting.township, &meeting.township.devices[0], "01A-0001"));
    wire_meet(&laptop, &hub);
    wire_meet(&laptop, &standby);
    assert_false(came_by(&hub, &laptop, &via));
    assert_false(came_by(&standby, &laptop, &via));
    assert_false(came_by(&standby, &hub, &via));
}

/* --- who was met --- */

/* The numbers may have been given to another hub since this one was last here. */
static void a_hub_is_not_settled_before_it_met_the_other(void **state)
{
    (void)state;
    meeting_turn(&hub);
    wire_meet(&laptop, &hub);
    assert_false(exchange_settled(hub.exchange));
    wire_meet(&standby, &hub);
    assert_true(exchange_settled(hub.exchange));
}

static void a_hub_waits_for_the_other_no_longer_than_ten_minutes(void **state)
{
    (void)state;
    meeting_turn(&hub);
    wire_meet(&laptop, &hub);
    meeting.now_ms += 9 * MINUTE_MS;
    meeting_turn(&hub);
    assert_false(exchange_settled(hub.exchange));
    meeting.now_ms += MINUTE_MS;
    meeting_turn(&hub);
    assert_true(exchange_settled(hub.exchange));
}

/* --- who gives numbers --- */

static enum series_state series_at(struct meeting_node *n)
{
    struct txn *t;
    const struct roster *roster;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    assert_int_equal(views_roster(n->store.views, t, &roster), OK);
    enum series_state state = series_state(t, roster);
    txn_abort(t);
    return state;
}

static const struct event *move_to_standby(void)
{
    char key[65], body[96];
    hex_encode(key, standby_device->signer.key.bytes, 32);
    snprintf(body, sizeof body, "{\"device\":\"%s\"}", key);
    return township_record(&meeting.township, &meeting.township.authority,
                           &(struct township_act){.kind = "series.moved",
                                                  .subject = &meeting.township.events[0]->subject,
                                                  .depth = 1,
                                                  .seen = 1,
                                                  .body = body});
}

/* The hub before learns of it in this very session; it is asked for a HELLO, for a receipt does not
 * tell where its own feeds stand. */
static void numbers_go_on_when_the_hub_before_told_that_it_knows(void **state)
{
    (void)state;
    wire_node_take(&standby, move_to_standby());
    assert_int_equal(series_at(&standby), SERIES_WAITS);
    wire_meet(&laptop, &standby); /* what a laptop knows of it does not count */
    assert_int_equal(series_at(&standby), SERIES_WAITS);
    wire_meet(&standby, &hub);
    assert_int_equal(series_at(&hub), SERIES_ELSEWHERE);
    assert_int_equal(series_at(&standby), SERIES_HERE);
}

/* It was moved there, so its HELLO came before the standby knew what to look for in it: it is asked
 * for another one as soon as the news are stored, and not at the next sign of life. */
static void the_hub_where_they_were_moved_is_asked_once_the_news_are_here(void **state)
{
    (void)state;
    wire_node_take(&hub, move_to_standby());
    struct wire w = wire_up(&standby, &hub);
    wire_rest(&w);
    for (unsigned i = 0; i < 6; i++) {
        meeting_turn(&standby);
        meeting_turn(&hub);
    }
    assert_int_equal(series_at(&standby), SERIES_HERE);
    wire_down(&w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hub_notes_by_whom_the_records_of_a_laptop_came),
        TEST(what_somebody_brings_himself_is_not_noted_nor_what_the_township_says),
        TEST(a_hub_is_not_settled_before_it_met_the_other),
        TEST(a_hub_waits_for_the_other_no_longer_than_ten_minutes),
        TEST(numbers_go_on_when_the_hub_before_told_that_it_knows),
        TEST(the_hub_where_they_were_moved_is_asked_once_the_news_are_here),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
