/* The coming sync, told before it happens; the bytes against a real link: tests/e2e/test_traffic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/meeting.h"

#include "node/link/meter.h"
#include "node/rehearsal.h"
#include "node/store/local.h"
#include "node/store/traffic.h"

static struct rehearsal rehearse(uint64_t month_bytes_max)
{
    struct rehearsal out;
    struct rehearsal_options options = {.store = meeting.village.store.store,
                                        .views = meeting.village.store.views,
                                        .keys = &meeting.village.keys,
                                        .device = meeting.hub.keys.signer.key,
                                        .key = meeting.hub.keys.transport,
                                        .month_bytes_max = month_bytes_max,
                                        .time = meeting_time()};
    uint64_t commits = store_last_txn(meeting.village.store.store);
    assert_int_equal(rehearsal_run(&out, &options), OK);
    assert_int_equal(store_last_txn(meeting.village.store.store), commits);
    return out;
}

static void record(unsigned requests)
{
    for (unsigned i = 0; i < requests; i++)
        township_register(&meeting.township, &meeting.township.devices[0], "01A-0099");
    township_node_take_all(&meeting.village.store, &meeting.township);
}

static void sync_once(void)
{
    meeting_connect();
    meeting_sync_to_rest();
    meeting_turns(2);
    meeting_disconnect();
    meeting_turns(10); /* what is known of the peer is written */
}

/* The link of the last contact was so. */
static void measured(uint64_t rate_bps, uint64_t rtt_ms)
{
    struct txn *t;
    struct peer_row row;
    assert_int_equal(txn_begin(meeting.village.store.store, true, &t), OK);
    assert_true(peer_get(t, &meeting.hub.keys.signer.key, &row));
    row.rate_bps = rate_bps;
    row.rtt_ms = rtt_ms;
    peer_put(t, &row);
    peer_row_clear(&row);
    assert_int_equal(txn_commit(t), OK);
}

static void tells_what_goes_and_writes_nothing(void **state)
{
    (void)state;
    meeting_begin(30);
    sync_once();
    struct rehearsal nothing = rehearse(0);
    assert_int_equal(nothing.events + nothing.waiting + nothing.behind, 0);
    assert_in_range(nothing.up, METER_DIALLER_HANDSHAKE + 100, METER_DIALLER_HANDSHAKE + 400);
    record(20);
    struct rehearsal some = rehearse(0), again = rehearse(0);
    assert_int_equal(some.events, 20);
    assert_true(some.up > nothing.up && some.down > nothing.down);
    assert_int_equal(again.up, some.up);
    assert_int_equal(again.down, some.down);
    meeting_end();
}

static void takes_as_long_as_the_link_that_was_measured(void **state)
{
    (void)state;
    meeting_begin(30);
    sync_once();
    record(400);
    measured(64000, 600);
    struct rehearsal fast = rehearse(0);
    assert_true(fast.measured);
    assert_in_range(fast.ms, 6 * 600, 10 * 600); /* handshake, HELLO, receipt */
    measured(9600, 600);
    struct rehearsal slow = rehearse(0);
    assert_true(slow.ms > fast.ms + fast.up * 8 / 20); /* 9.6 against 64 bits a millisecond */
    measured(64000, 3000);
    assert_in_range(rehearse(0).ms, fast.ms + 6 * 2400, fast.ms + 10 * 2400);
    measured(0, 0);
    assert_false(rehearse(0).measured);
    meeting_end();
}

static void tells_what_has_no_room_in_the_month(void **state)
{
    (void)state;
    meeting_begin(30);
    sync_once();
    record(20);
    struct txn *t;
    struct exchange_time time = meeting_time();
    assert_int_equal(txn_begin(meeting.village.store.store, true, &t), OK);
    traffic_add(t, &meeting.hub.keys.signer.key, time.clock.wall_ms, true,
                &(struct traffic){900000, 0});
    assert_int_equal(txn_commit(t), OK);
    struct rehearsal full = rehearse(1000000), room = rehearse(10000000);
    assert_int_equal(full.events, 0);
    assert_int_equal(full.waiting, 20);
    assert_int_equal(room.events, 20);
    assert_int_equal(room.waiting, 0);
    assert_true(full.up < room.up);
    meeting_end();
}

static void a_hub_never_met_is_told_all_of_our_own(void **state)
{
    (void)state;
    meeting_begin(30);
    struct rehearsal first = rehearse(0);
    assert_false(first.measured);
    assert_true(first.events >= 30); /* and the roster, of which nobody said that it is there */
    meeting_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_goes_and_writes_nothing),
        cmocka_unit_test(takes_as_long_as_the_link_that_was_measured),
        cmocka_unit_test(tells_what_has_no_room_in_the_month),
        cmocka_unit_test(a_hub_never_met_is_told_all_of_our_own),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
