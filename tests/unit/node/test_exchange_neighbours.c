/* Laptops of villages that sync with each other, and what that says to the township (DESIGN W). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/wire.h"

#include "node/exchange_state.h"

#include <stdio.h>
#include <string.h>

#define OTHER_VILLAGE "village:431322111202"

/* A laptop of village 1, a second one of it, one of village 2, and the hub. */
static struct meeting_node first, second, other, hub;
static struct township_device *second_device;

static void record(struct meeting_node *n, struct township_device *d, const char *number)
{
    wire_node_take(n, township_register(&meeting.township, d, number));
}

/* What it says for the office alone. */
static void seal(struct meeting_node *n, struct township_device *d)
{
    const struct township_act act = {.kind = "sealed", .scope = "office", .box = "{\"x\":1}"};
    wire_node_take(n, township_record(&meeting.township, d, &act));
}

/* What a village says to all. */
static void say(struct meeting_node *n, struct township_device *d)
{
    const struct township_act act = {
        .kind = "device.note", .scope = "town", .subject = &d->thing, .depth = 2, .seen = 2};
    wire_node_take(n, township_record(&meeting.township, d, &act));
}

static int set_up(void **state)
{
    (void)state;
    memset(&meeting, 0, sizeof meeting);
    township_begin(&meeting.township, 2);
    second_device =
        township_join(&meeting.township, meeting.township.devices[0].village, ROLE_VILLAGE, 'B');
    meeting.township.roster_count = meeting.township.event_count;
    wire_node_begin(&first, &meeting.township.devices[0], meeting.township.event_count);
    wire_node_begin(&second, second_device, meeting.township.event_count);
    wire_node_begin(&other, &meeting.township.devices[1], meeting.township.event_count);
    wire_node_begin(&hub, &meeting.township.hub, meeting.township.event_count);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wire_node_end(&first);
    wire_node_end(&second);
    wire_node_end(&other);
    wire_node_end(&hub);
    township_end(&meeting.township);
    return 0;
}

static uint64_t held(struct meeting_node *n, const char *scope)
{
    struct hash digest;
    return meeting_events_of(n, scope, &digest);
}

/* --- what goes --- */

static void two_villages_share_what_is_the_whole_towns_and_nothing_else(void **state)
{
    (void)state;
    record(&first, &meeting.township.devices[0], "01A-0001");
    seal(&first, &meeting.township.devices[0]);
    say(&first, &meeting.township.devices[0]);
    record(&other, &meeting.township.devices[1], "02A-0001");
    say(&other, &meeting.township.devices[1]);
    wire_meet(&first, &other);
    assert_int_equal(held(&first, "town"), meeting.township.roster_count + 2);
    assert_int_equal(held(&other, "town"), meeting.township.roster_count + 2);
    assert_int_equal(held(&first, OTHER_VILLAGE), 0);
    assert_int_equal(held(&other, MEETING_VILLAGE), 0);
    assert_int_equal(held(&other, "office"), 0);
}

/* Of what one says for the office alone the other does not even learn that there is something. */
static void two_laptops_of_a_village_share_it_without_what_is_sealed(void **state)
{
    (void)state;
    record(&first, &meeting.township.devices[0], "01A-0001");
    seal(&first, &meeting.township.devices[0]);
    record(&second, second_device, "01B-0001");
    wire_meet(&second, &first);
    assert_int_equal(held(&second, MEETING_VILLAGE), 2);
    assert_int_equal(held(&first, MEETING_VILLAGE), 2);
    assert_int_equal(held(&second, "office"), 0);
    assert_int_equal(held(&first, "office"), 1);
}

static void what_a_neighbour_brought_is_passed_on_to_the_hub(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) record(&second, second_device, "01B-0001");
    wire_meet(&second, &first);
    wire_meet(&first, &hub);
    assert_int_equal(held(&hub, MEETING_VILLAGE), 20);
}

/* News of the town come to a village that meets no hub. */
static void what_the_hub_said_comes_from_a_neighbour(void **state)
{
    (void)state;
    say(&hub, &meeting.township.hub);
    wire_meet(&first, &hub);
    wire_meet(&other, &first);
    assert_int_equal(held(&other, "town"), meeting.township.roster_count + 1);
}

/* --- what it says to the township --- */

static unsigned receipts_of(struct meeting_node *n, const struct sign_key *from)
{
    struct txn *t;
    uint64_t counter = 0;
    struct slice body;
    struct signature signature;
    unsigned count = 0;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    while (receipt_next(t, from, &counter, &body, &signature)) count++;
    txn_abort(t);
    return count;
}

static void its_receipt_is_no_proof_and_keeps_nothing_from_the_hub(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) record(&second, second_device, "01B-0001");
    wire_meet(&second, &first);
    for (unsigned i = 0; i < 120; i++) meeting_turn(&second); /* written a moment later */
    assert_int_equal(receipts_of(&second, &first.keys.signer.key), 0);
    struct wire w = wire_up(&second, &hub);
    wire_rest(&w);
    struct exchange_peer peer;
    assert_int_equal(exchange_peers(second.exchange, &peer, 1), 1);
    assert_int_equal(peer.status.sent_events, 20);
    wire_down(&w);
    for (unsigned i = 0; i < 120; i++) meeting_turn(&second);
    assert_true(receipts_of(&second, &hub.keys.signer.key) > 0);
}

/* It does not hold all that this device ever said, so it cannot tell that nothing is missing. */
static void it_is_nobody_who_knows_what_this_device_said(void **state)
{
    (void)state;
    wire_meet(&first, &other);
    meeting.now_ms += 11 * 60 * 1000; /* no hub is waited for any longer */
    meeting_turn(&first);
    assert_false(exchange_settled(first.exchange));
    wire_meet(&first, &hub);
    assert_true(exchange_settled(first.exchange));
}

/* --- who is let in --- */

static void revoke(const struct township_device *d)
{
    township_record(&meeting.township, &meeting.township.authority,
                    &(struct township_act){.kind = "device.revoked",
                                           .scope = "town",
                                           .subject = &d->thing,
                                           .depth = 2,
                                           .seen = 2,
                                           .body = "{\"reason\":\"stolen\",\"heads\":[]}"});
}

static void tell_last(struct meeting_node *n)
{
    wire_node_take(n, meeting.township.events[meeting.township.event_count - 1]);
}

static void a_neighbour_who_was_revoked_is_left_and_not_let_in_again(void **state)
{
    (void)state;
    struct wire w = wire_up(&second, &first);
    wire_rest(&w);
    assert_int_equal(exchange_admit(first.exchange, &second.keys.transport, 1), LINK_DEVICE);
    revoke(second_device);
    tell_last(&first);
    record(&first, &meeting.township.devices[0], "01A-0001");
    for (unsigned i = 0; i < 20; i++) {
        meeting_turn(&first);
        meeting_turn(&second);
    }
    assert_false(exchange_meets(first.exchange, &second.keys.signer.key, NULL));
    assert_int_equal(held(&second, MEETING_VILLAGE), 0);
    assert_int_equal(exchange_admit(first.exchange, &second.keys.transport, 1), LINK_DENY);
    wire_down(&w);
}

/* The news of it come from a neighbour as well as from the hub. */
static void a_revocation_comes_from_a_neighbour(void **state)
{
    (void)state;
    revoke(&meeting.township.devices[1]);
    tell_last(&first);
    wire_meet(&second, &first);
    assert_int_equal(exchange_admit(second.exchange, &other.keys.transport, 1), LINK_DENY);
}

static void who_is_no_hub_lets_nobody_join(void **state)
{
    (void)state;
    struct signer one_time;
    township_signer(&one_time, 900);
    const struct event *e =
        township_invite(&meeting.township, &one_time, &meeting.township.hub.signer.key,
                        meeting.township.devices[0].village, ROLE_VILLAGE, 'C');
    tell_last(&first);
    tell_last(&hub);
    struct txn *t;
    const struct roster *roster;
    assert_int_equal(txn_begin(hub.store.store, false, &t), OK);
    assert_int_equal(views_roster(hub.store.views, t, &roster), OK);
    const struct device *invited = roster_invite(roster, &one_time.key);
    assert_non_null(invited);
    const struct box_key key = invited->invite_transport;
    const uint64_t before_ms = invited->expires_ms - 1;
    txn_abort(t);
    assert_non_null(e);
    assert_int_equal(exchange_admit(hub.exchange, &key, before_ms), LINK_INVITE);
    assert_int_equal(exchange_admit(first.exchange, &key, before_ms), LINK_DENY);
}

/* --- two that dial each other --- */

static void two_links_at_once_lose_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        record(&first, &meeting.township.devices[0], "01A-0001");
        record(&second, second_device, "01B-0001");
    }
    struct wire a = wire_up(&first, &second), b = wire_up(&second, &first);
    wire_rest(&a);
    assert_true(exchange_meets(first.exchange, &second.keys.signer.key, a.dialled));
    assert_true(exchange_meets(second.exchange, &first.keys.signer.key, b.dialled));
    exchange_finish(second.exchange, b.dialled);
    for (unsigned i = 0; i < 4; i++) {
        meeting_turn(&first);
        meeting_turn(&second);
    }
    assert_false(exchange_meets(first.exchange, &second.keys.signer.key, a.dialled));
    wire_down(&b);
    record(&second, second_device, "01B-0001"); /* the one that is left goes on */
    wire_rest(&a);
    wire_down(&a);
    assert_int_equal(held(&first, MEETING_VILLAGE), 21);
    assert_int_equal(held(&second, MEETING_VILLAGE), 21);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_villages_share_what_is_the_whole_towns_and_nothing_else),
        TEST(two_laptops_of_a_village_share_it_without_what_is_sealed),
        TEST(what_a_neighbour_brought_is_passed_on_to_the_hub),
        TEST(what_the_hub_said_comes_from_a_neighbour),
        TEST(its_receipt_is_no_proof_and_keeps_nothing_from_the_hub),
        TEST(it_is_nobody_who_knows_what_this_device_said),
        TEST(a_neighbour_who_was_revoked_is_left_and_not_let_in_again),
        TEST(a_revocation_comes_from_a_neighbour),
        TEST(who_is_no_hub_lets_nobody_join),
        TEST(two_links_at_once_lose_nothing),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
