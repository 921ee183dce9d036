/* What links carried is kept by peer and day, and a month's limit is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/meeting.h"

#include "common/time.h"
#include "node/store/traffic.h"

#include <string.h>

static uint32_t today(void)
{
    return time_day(meeting.township.time_ms + meeting.now_ms);
}

static struct traffic of_month(struct meeting_node *n, const struct meeting_node *peer)
{
    struct txn *t;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    struct traffic bytes = traffic_of_month(t, &peer->keys.signer.key, traffic_month_of(today()));
    txn_abort(t);
    return bytes;
}

static void use_up(struct meeting_node *n, const struct meeting_node *peer, uint64_t bytes)
{
    struct txn *t;
    struct exchange_time time = meeting_time();
    assert_int_equal(txn_begin(n->store.store, true, &t), OK);
    traffic_add(t, &peer->keys.signer.key, time.clock.wall_ms, true, &(struct traffic){bytes, 0});
    assert_int_equal(txn_commit(t), OK);
}

static void limit_village(uint64_t bytes)
{
    meeting_node_stop(&meeting.village);
    meeting.village.month_bytes_max = bytes;
    meeting_node_start(&meeting.village);
}

static uint64_t unsent(void)
{
    struct exchange_peer peer;
    assert_int_equal(exchange_peers(meeting.village.exchange, &peer, 1), 1);
    return peer.status.unsent;
}

static void both_ends_keep_what_was_carried(void **state)
{
    (void)state;
    meeting_begin(50);
    meeting_connect();
    meeting_sync_to_rest();
    uint64_t carried = pipe_bytes(meeting.pipe);
    meeting_disconnect();
    meeting_turns(10); /* with what is remembered of the peer */
    struct traffic village = of_month(&meeting.village, &meeting.hub);
    struct traffic hub = of_month(&meeting.hub, &meeting.village);
    assert_true(carried > 500);
    assert_int_equal(village.sent + village.received, carried);
    assert_int_equal(hub.sent, village.received);
    assert_int_equal(hub.received, village.sent);
    meeting_end();
}

static void what_is_not_written_is_written_at_the_end(void **state)
{
    (void)state;
    meeting_begin(0);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_turns(20);
    static const uint8_t odd[] = {0x92, 99, 0}; /* a type of a later version costs no commit */
    uint64_t commits = store_last_txn(meeting.hub.store.store);
    for (unsigned i = 0; i < 100; i++) pipe_inject(meeting.pipe, slice_of(odd, sizeof odd));
    meeting_turns(100);
    assert_int_equal(store_last_txn(meeting.hub.store.store), commits);
    meeting_disconnect();
    meeting_node_stop(&meeting.hub);
    meeting_node_stop(&meeting.village);
    assert_int_equal(of_month(&meeting.hub, &meeting.village).received,
                     of_month(&meeting.village, &meeting.hub).sent + 100 * sizeof odd);
    meeting_node_start(&meeting.hub);
    meeting_node_start(&meeting.village);
    meeting_end();
}

static void a_month_that_is_used_up_makes_records_wait(void **state)
{
    (void)state;
    meeting_begin(30);
    use_up(&meeting.village, &meeting.hub, 900000);
    limit_village(1000000);
    meeting_connect();
    meeting_sync_to_rest();
    assert_int_equal(unsent(), 30);
    meeting_assert_agree("town", meeting.township.roster_count);
    meeting.township.time_ms += UINT64_C(32) * 86400000; /* the next month */
    meeting_turns(80);
    meeting_sync_to_rest();
    assert_int_equal(unsent(), 0);
    meeting_assert_agree(MEETING_VILLAGE, 30);
    meeting_end();
}

static void a_month_that_fills_in_the_middle_of_a_session_is_noticed(void **state)
{
    (void)state;
    meeting_begin(30);
    use_up(&meeting.village, &meeting.hub, 899900);
    limit_village(1000000);
    meeting_connect();
    meeting_sync_to_rest();
    assert_int_equal(unsent(), 0);
    meeting_turns(2);
    for (unsigned i = 0; i < 5; i++)
        township_register(&meeting.township, &meeting.township.devices[0], "01A-0099");
    township_node_take_all(&meeting.village.store, &meeting.township);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
    meeting_turns(20);
    meeting_sync_to_rest();
    assert_int_equal(unsent(), 5);
    meeting_end();
}

/* The hub may not push more ahead than the village has room for. */
static void the_credit_is_no_more_than_the_month_has_left(void **state)
{
    (void)state;
    struct exchange_peer peer;
    meeting_begin(1);
    use_up(&meeting.village, &meeting.hub, 850000);
    limit_village(1000000);
    meeting_connect();
    meeting_sync_to_rest();
    assert_int_equal(exchange_peers(meeting.hub.exchange, &peer, 1), 1);
    assert_in_range(peer.status.credit, CREDIT_PEER_MIN, 50000);
    meeting_end();
}

static void a_clock_that_nobody_vouches_for_begins_no_month(void **state)
{
    (void)state;
    bool more;
    meeting_begin(30);
    use_up(&meeting.village, &meeting.hub, 900000);
    limit_village(1000000);
    meeting_connect();
    meeting_sync_to_rest();
    struct exchange_time time = meeting_time();
    time.clock.wall_ms += UINT64_C(32) * 86400000;
    time.clock.trusted = false;
    for (unsigned i = 0; i < 20; i++) {
        time.now_ms += 1000;
        assert_int_equal(exchange_turn(meeting.village.exchange, &time, &more), OK);
    }
    assert_int_equal(unsent(), 30);
    meeting_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_keep_what_was_carried),
        cmocka_unit_test(what_is_not_written_is_written_at_the_end),
        cmocka_unit_test(a_month_that_is_used_up_makes_records_wait),
        cmocka_unit_test(a_month_that_fills_in_the_middle_of_a_session_is_noticed),
        cmocka_unit_test(the_credit_is_no_more_than_the_month_has_left),
        cmocka_unit_test(a_clock_that_nobody_vouches_for_begins_no_month),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
