/* Two nodes sync: what moves, what is remembered, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/meeting.h"

#include "node/exchange_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the stories --- */

static void a_village_hands_its_requests_to_the_hub(void **state)
{
    (void)state;
    meeting_begin(300);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree("town", meeting.township.roster_count);
    meeting_assert_agree(MEETING_VILLAGE, 300);
    struct exchange_peer peer;
    assert_int_equal(exchange_peers(meeting.village.exchange, &peer, 1), 1);
    assert_int_equal(peer.status.sent_events, 300);
    assert_int_equal(peer.status.unsent, 0);
    meeting_end();
}

static void what_arrived_is_remembered_and_not_sent_again(void **state)
{
    (void)state;
    meeting_begin(50);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_turns(2);
    meeting_disconnect();
    meeting_node_stop(&meeting.village);
    meeting_node_start(&meeting.village);
    meeting_connect();
    uint64_t before = pipe_bytes(meeting.pipe);
    meeting_sync_to_rest();
    struct exchange_peer peer;
    assert_int_equal(exchange_peers(meeting.village.exchange, &peer, 1), 1);
    assert_int_equal(peer.status.sent_events, 0);
    assert_true(pipe_bytes(meeting.pipe) - before < 600);
    meeting_end();
}

/* What each knows of the other need not be told: two HELLOs that name no feed. */
static void nothing_new_costs_less_than_two_hundred_bytes(void **state)
{
    (void)state;
    meeting_begin(50);
    for (unsigned contact = 0; contact < 3; contact++) {
        meeting_connect();
        uint64_t before = pipe_bytes(meeting.pipe);
        meeting_sync_to_rest();
        if (contact) assert_true(pipe_bytes(meeting.pipe) - before < 200);
        meeting.now_ms += 2000;
        meeting_turns(2);
        exchange_finish(meeting.village.exchange, meeting.village.link);
        meeting_turns(10);
        meeting_disconnect();
    }
    meeting_connect();
    meeting_end();
}

/* A receipt that was cut off is told again by the next HELLO, without a further question. */
static void what_the_peer_may_not_know_is_named(void **state)
{
    (void)state;
    meeting_begin(50);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_disconnect(); /* the last receipts may not have been read */
    meeting_connect();
    uint64_t before = pipe_bytes(meeting.pipe);
    meeting_sync_to_rest();
    assert_true(pipe_bytes(meeting.pipe) - before < 250);
    meeting_assert_agree(MEETING_VILLAGE, 50);
    meeting_end();
}

static void receipts_are_kept_as_proof(void **state)
{
    (void)state;
    meeting_begin(3);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_disconnect();
    meeting_turns(6); /* what is known of peers is written together, a moment later */
    struct txn *t;
    uint64_t counter = 0;
    struct slice body;
    struct signature signature;
    struct hash hash;
    assert_int_equal(txn_begin(meeting.village.store.store, false, &t), OK);
    assert_true(receipt_next(t, &meeting.hub.keys.signer.key, &counter, &body, &signature));
    crypto_hash_one(&hash, CONTEXT_RECEIPT, body);
    assert_int_equal(crypto_verify(&signature, &meeting.hub.keys.signer.key, CONTEXT_RECEIPT,
                                   slice_of(hash.bytes, sizeof hash.bytes)),
                     OK);
    txn_abort(t);
    pipe_open(&meeting.pipe, &meeting.village.link, &meeting.village.keys.transport,
              &meeting.hub.link, &meeting.hub.keys.transport);
    meeting_end();
}

static void a_cut_loses_nothing_and_doubles_nothing(void **state)
{
    (void)state;
    meeting_begin(600);
    for (unsigned after = 1; after < 12; after++) {
        meeting_connect();
        meeting_turns(after);
        pipe_cut(meeting.pipe);
        meeting_turns(2);
        meeting_disconnect();
    }
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 600);
    meeting_end();
}

static void a_full_queue_delays_and_drops_nothing(void **state)
{
    (void)state;
    meeting_begin(400);
    meeting_connect();
    for (unsigned i = 0; i < 40; i++) {
        pipe_fill(meeting.pipe, 3);
        meeting_turns(1);
    }
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 400);
    meeting_end();
}

static void a_village_is_never_given_another_villages_records(void **state)
{
    (void)state;
    meeting_begin(2);
    for (unsigned i = 0; i < 5; i++)
        township_register(&meeting.township, &meeting.township.devices[1], "02A-0001");
    township_node_take_all(&meeting.hub.store, &meeting.township);
    meeting_connect();
    meeting_sync_to_rest();
    struct hash digest;
    assert_int_equal(meeting_events_of(&meeting.village, "village:431322111202", &digest), 0);
    meeting_assert_agree(MEETING_VILLAGE, 2);
    meeting_end();
}

static void a_feed_outside_the_peers_scopes_is_refused(void **state)
{
    (void)state;
    meeting_begin(2);
    /* This laptop somehow holds another village's record and offers it. */
    const struct event *foreign =
        township_register(&meeting.township, &meeting.township.devices[1], "02A-0001");
    char scope[SCOPE_SIZE_MAX + 1];
    snprintf(scope, sizeof scope, "%s", foreign->feed.scope.text);
    township_node_take_all(&meeting.village.store, &meeting.township);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
    meeting_connect();
    meeting_turns(20);
    struct hash digest;
    assert_int_equal(meeting_events_of(&meeting.hub, scope, &digest), 0);
    assert_non_null(strstr(meeting.hub.log, "refused"));
    struct exchange_link shown;
    exchange_link(meeting.village.exchange, meeting.village.link, &shown);
    assert_int_equal(shown.state, EXCHANGE_LINK_ENDED);
    assert_int_equal(shown.refused, REFUSE_SCOPE);
    meeting_end();
}

static void garbage_ends_the_session_and_stores_nothing(void **state)
{
    (void)state;
    meeting_begin(5);
    meeting_connect();
    meeting_sync_to_rest();
    pipe_inject(meeting.pipe, slice_of_text("\x9a\x02garbage"));
    meeting_turns(4);
    assert_non_null(strstr(meeting.hub.log, "refused"));
    struct hash digest;
    assert_int_equal(meeting_events_of(&meeting.hub, MEETING_VILLAGE, &digest), 5);
    meeting_end();
}

static void an_order_comes_down_while_the_session_lasts(void **state)
{
    (void)state;
    meeting_begin(1);
    meeting_connect();
    meeting_sync_to_rest();
    const struct event *request = meeting.township.events[meeting.township.event_count - 1];
    township_record(&meeting.township, &meeting.township.hub,
                    &(struct township_act){.kind = "request.accept",
                                           .scope = MEETING_VILLAGE,
                                           .subject = &request->subject,
                                           .depth = 1,
                                           .seen = 1,
                                           .body = "{\"official_no\":\"2026-0001\","
                                                   "\"category\":\"0101\"}"});
    township_node_take_all(&meeting.hub.store, &meeting.township);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.hub.exchange, &time), OK);
    meeting_turns(3);
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 2);
    meeting_end();
}

/* In a session that lasts, also when one turn stores runs of two feeds. */
static void nothing_is_sent_back_to_who_sent_it(void **state)
{
    (void)state;
    struct township *t = &meeting.township;
    struct exchange_peer peer;
    meeting_begin(1);
    meeting_connect();
    meeting_sync_to_rest();
    for (unsigned i = 0; i < 4; i++) {
        const size_t before = t->event_count;
        const struct thing_id request = township_register(t, &t->devices[0], "01A-0002")->subject;
        township_record(t, &t->devices[0],
                        &(struct township_act){.kind = "call.publish", .scope = "town"});
        township_record(t, &t->devices[0],
                        &(struct township_act){
                            .kind = "progress.note", .subject = &request, .depth = 1, .seen = 1});
        township_node_take(&meeting.village.store, t->events + before, t->event_count - before);
        struct exchange_time time = meeting_time();
        assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
        meeting_turns(3);
        meeting_sync_to_rest();
    }
    meeting_assert_agree(MEETING_VILLAGE, 9);
    assert_int_equal(exchange_peers(meeting.hub.exchange, &peer, 1), 1);
    assert_int_equal(peer.status.sent_events, 0);
    meeting_end();
}

/* What it remembers of the peer's views is what its own are. */
static void assert_told_views(struct meeting_node *n, const struct sign_key *device)
{
    struct txn *t;
    struct peer_row row;
    struct scope scopes[2] = {scope_town()};
    uint8_t views8[8];
    assert_int_equal(scope_parse(&scopes[1], slice_of_text(MEETING_VILLAGE)), OK);
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    assert_true(peer_get(t, device, &row));
    assert_true(row.has_views);
    assert_int_equal(views_digest8(t, scopes, 2, views8), OK);
    assert_memory_equal(row.views8, views8, sizeof views8);
    peer_row_clear(&row);
    txn_abort(t);
}

/* The hub accepts a request while another comes up: its RUN tells of its views before the one that
 * came, its receipt of those after, and the laptop takes both frames in one turn. */
static void a_run_does_not_tell_older_views_than_the_receipt_behind_it(void **state)
{
    (void)state;
    meeting_begin(1);
    meeting_connect();
    meeting_sync_to_rest();
    const struct event *request = meeting.township.events[meeting.township.event_count - 1];
    const struct township_act accept = {.kind = "request.accept",
                                        .scope = MEETING_VILLAGE,
                                        .subject = &request->subject,
                                        .depth = 1,
                                        .seen = 1,
                                        .body = "{\"category\":\"0101\",\"class\":\"simple\"}"};
    const size_t before = meeting.township.event_count;
    township_record(&meeting.township, &meeting.township.hub, &accept);
    township_node_take(&meeting.hub.store, meeting.township.events + before, 1);
    township_register(&meeting.township, &meeting.township.devices[0], "01A-0002");
    township_node_take(&meeting.village.store, meeting.township.events + before + 1, 1);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.hub.exchange, &time), OK);
    assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
    pipe_hold(meeting.pipe, true);
    meeting_turn(&meeting.hub);
    meeting_turns(1);
    pipe_hold(meeting.pipe, false);
    meeting_turn(&meeting.village);
    meeting_assert_agree(MEETING_VILLAGE, 3);
    meeting_disconnect();
    meeting_turns(6); /* what is known of peers is written together, a moment later */
    assert_told_views(&meeting.village, &meeting.hub.keys.signer.key);
    pipe_open(&meeting.pipe, &meeting.village.link, &meeting.village.keys.transport,
              &meeting.hub.link, &meeting.hub.keys.transport);
    meeting_end();
}

static void a_hub_that_lost_its_store_is_filled_again(void **state)
{
    (void)state;
    meeting_begin(120);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_turns(2);
    meeting_disconnect();
    meeting_node_stop(&meeting.hub);
    township_node_close(&meeting.hub.store);
    meeting_node_open(&meeting.hub, &meeting.township.hub);
    township_node_take(&meeting.hub.store, meeting.township.events, meeting.township.roster_count);
    meeting_node_start(&meeting.hub);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 120);
    assert_non_null(strstr(meeting.village.log, "sending it again"));
    meeting_end();
}

static void two_laptops_of_one_village_sync_with_each_other(void **state)
{
    (void)state;
    meeting_begin(10);
    /* The second laptop of village 1 plays the hub's part on a village LAN. */
    struct township_device *second =
        township_join(&meeting.township, meeting.township.devices[0].village, ROLE_VILLAGE, 'B');
    township_register(&meeting.township, second, "01B-0001");
    meeting_node_stop(&meeting.hub);
    township_node_close(&meeting.hub.store);
    meeting_node_open(&meeting.hub, second);
    for (size_t i = 0; i < meeting.township.event_count; i++) {
        struct event *e = meeting.township.events[i];
        bool first_laptops = sign_key_equal(&e->feed.author, &meeting.village.keys.signer.key);
        if (!first_laptops) township_node_take(&meeting.hub.store, &meeting.township.events[i], 1);
        if (scope_class(&e->feed.scope) == SCOPE_TOWN)
            township_node_take(&meeting.village.store, &meeting.township.events[i], 1);
    }
    meeting_node_start(&meeting.hub);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 11);
    meeting_end();
}

/* Taking a new range of numbers is a transaction that writes, and such a one begins while no other
 * is open (txn_begin). Here every receipt takes a range, among runs that come and are made. */
static void a_receipt_takes_its_number_outside_of_transactions(void **state)
{
    (void)state;
    meeting_begin(1);
    meeting_connect();
    meeting_sync_to_rest();
    const struct event *request = meeting.township.events[meeting.township.event_count - 1];
    const struct township_act accept = {.kind = "request.accept",
                                        .scope = MEETING_VILLAGE,
                                        .subject = &request->subject,
                                        .depth = 1,
                                        .seen = 1,
                                        .body = "{\"category\":\"0101\",\"class\":\"simple\"}"};
    for (unsigned i = 0; i < 20; i++) {
        const size_t before = meeting.township.event_count;
        char number[16];
        snprintf(number, sizeof number, "01A-%04u", i + 2);
        township_record(&meeting.township, &meeting.township.hub, &accept);
        township_node_take(&meeting.hub.store, meeting.township.events + before, 1);
        township_register(&meeting.township, &meeting.township.devices[0], number);
        township_node_take(&meeting.village.store, meeting.township.events + before + 1, 1);
        struct exchange_time time = meeting_time();
        assert_int_equal(exchange_refresh(meeting.hub.exchange, &time), OK);
        assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
        meeting.hub.exchange->receipt_counter |= RECEIPT_RANGE - 1;
        meeting.village.exchange->receipt_counter |= RECEIPT_RANGE - 1;
        meeting_turns(2);
    }
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 41);
    assert_true(meeting.hub.exchange->receipt_counter >> RECEIPT_RANGE_LOG >= 20);
    assert_true(meeting.village.exchange->receipt_counter >> RECEIPT_RANGE_LOG >= 20);
    meeting_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_village_hands_its_requests_to_the_hub),
        cmocka_unit_test(what_arrived_is_remembered_and_not_sent_again),
        cmocka_unit_test(nothing_new_costs_less_than_two_hundred_bytes),
        cmocka_unit_test(what_the_peer_may_not_know_is_named),
        cmocka_unit_test(receipts_are_kept_as_proof),
        cmocka_unit_test(a_cut_loses_nothing_and_doubles_nothing),
        cmocka_unit_test(a_full_queue_delays_and_drops_nothing),
        cmocka_unit_test(a_village_is_never_given_another_villages_records),
        cmocka_unit_test(a_feed_outside_the_peers_scopes_is_refused),
        cmocka_unit_test(garbage_ends_the_session_and_stores_nothing),
        cmocka_unit_test(an_order_comes_down_while_the_session_lasts),
        cmocka_unit_test(nothing_is_sent_back_to_who_sent_it),
        cmocka_unit_test(a_receipt_takes_its_number_outside_of_transactions),
        cmocka_unit_test(a_run_does_not_tell_older_views_than_the_receipt_behind_it),
        cmocka_unit_test(a_hub_that_lost_its_store_is_filled_again),
        cmocka_unit_test(two_laptops_of_one_village_sync_with_each_other),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
