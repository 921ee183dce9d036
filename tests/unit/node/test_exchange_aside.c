/* What stands aside, and who was revoked, between two nodes that sync. */
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

/* --- a second laptop of the village, which was stolen --- */

#define RECORDS 10

static struct township_device *stolen;
static const struct event *records[RECORDS];
static struct event *revocation;

static void set_up(void)
{
    meeting_begin(0);
    stolen =
        township_join(&meeting.township, meeting.township.devices[0].village, ROLE_VILLAGE, 'B');
    township_node_take_all(&meeting.hub.store, &meeting.township);
    township_node_take_all(&meeting.village.store, &meeting.township);
    for (unsigned i = 0; i < RECORDS; i++) {
        char number[16];
        snprintf(number, sizeof number, "01B-%04u", i + 1);
        records[i] = township_register(&meeting.township, stolen, number);
    }
}

/* Up to the record with this number it counts; 0: nothing does. */
static void revoke(unsigned last, uint32_t depth)
{
    char heads[128] = "";
    if (last) township_name_head(heads, sizeof heads, records[last - 1]);
    township_revoke(&meeting.township, &stolen->thing, depth, heads);
    revocation = meeting.township.events[meeting.township.event_count - 1];
}

static void give(struct meeting_node *n, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        struct event *e = (struct event *)(uintptr_t)records[i - 1];
        township_node_take(&n->store, &e, 1);
    }
}

static void tell(struct meeting_node *n)
{
    township_node_take(&n->store, &revocation, 1);
}

static void refresh(struct meeting_node *n)
{
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(n->exchange, &time), OK);
}

static uint64_t aside_at(struct meeting_node *n)
{
    struct txn *t;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    uint64_t count = aside_count(t);
    txn_abort(t);
    return count;
}

/* Nothing more to say at the next contact, nor at the one after a restart. */
static void assert_settled(void)
{
    for (unsigned contact = 0; contact < 3; contact++) {
        struct exchange_peer mine, theirs;
        meeting_turns(6);
        meeting_disconnect();
        if (contact == 1) {
            meeting_node_stop(&meeting.village);
            meeting_node_stop(&meeting.hub);
            meeting_node_start(&meeting.village);
            meeting_node_start(&meeting.hub);
        }
        meeting_connect();
        uint64_t before = pipe_bytes(meeting.pipe);
        meeting_sync_to_rest();
        assert_int_equal(exchange_peers(meeting.village.exchange, &mine, 1), 1);
        assert_int_equal(exchange_peers(meeting.hub.exchange, &theirs, 1), 1);
        assert_int_equal(mine.status.sent_events + theirs.status.sent_events, 0);
        assert_int_equal(mine.status.unsent + theirs.status.unsent, 0);
        assert_int_equal(mine.status.behind + theirs.status.behind, 0);
        if (contact) assert_true(pipe_bytes(meeting.pipe) - before < 600);
        assert_null(strstr(meeting.hub.log, "sending it again"));
        assert_null(strstr(meeting.village.log, "sending it again"));
    }
}

static void unsign(unsigned number)
{
    struct event *e = (struct event *)(uintptr_t)records[number - 1];
    e->has_signature = false;
}

/* --- the stories --- */

static void what_a_village_holds_aside_goes_to_the_hub_once(void **state)
{
    (void)state;
    set_up();
    revoke(6, 2);
    give(&meeting.hub, 1, 6);
    give(&meeting.village, 1, 10);
    tell(&meeting.hub);
    tell(&meeting.village);
    refresh(&meeting.hub);
    refresh(&meeting.village);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 6);
    assert_int_equal(aside_at(&meeting.hub), 4);
    assert_int_equal(aside_at(&meeting.village), 4);
    assert_settled();
    meeting_end();
}

static void a_village_is_given_nothing_that_stands_aside(void **state)
{
    (void)state;
    set_up();
    revoke(6, 2);
    give(&meeting.hub, 1, 10);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 6);
    assert_int_equal(aside_at(&meeting.hub), 4);
    assert_int_equal(aside_at(&meeting.village), 0);
    assert_settled();
    meeting_end();
}

static void who_holds_part_of_it_is_not_given_the_rest(void **state)
{
    (void)state;
    set_up();
    revoke(6, 2);
    give(&meeting.hub, 1, 10);
    give(&meeting.village, 1, 8);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    refresh(&meeting.village);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 6);
    assert_int_equal(aside_at(&meeting.village), 2);
    assert_settled();
    meeting_end();
}

static void a_feed_of_which_nothing_counts_is_handed_over_too(void **state)
{
    (void)state;
    set_up();
    revoke(0, 2);
    give(&meeting.village, 1, 10);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    refresh(&meeting.village);
    meeting_connect();
    meeting_sync_to_rest();
    assert_int_equal(aside_at(&meeting.hub), 10);
    assert_int_equal(aside_at(&meeting.village), 10);
    assert_settled();
    meeting_end();
}

/* The village hears of it in the session in which it has just handed everything over. */
static void a_revocation_in_the_middle_of_a_session_settles(void **state)
{
    (void)state;
    set_up();
    give(&meeting.village, 1, 10);
    refresh(&meeting.village);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 10);
    revoke(6, 2);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    meeting_turns(2);
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 6);
    assert_int_equal(aside_at(&meeting.hub), 4);
    assert_int_equal(aside_at(&meeting.village), 4);
    assert_settled();
    /* and back again */
    revoke(9, 3);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    meeting_turns(2);
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 9);
    assert_int_equal(aside_at(&meeting.village), 1);
    assert_settled();
    meeting_end();
}

static void kept_events_reach_a_village_that_was_not_given_them(void **state)
{
    (void)state;
    set_up();
    revoke(6, 2);
    give(&meeting.hub, 1, 10);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 6);
    revoke(8, 3);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    meeting_turns(2);
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 8);
    assert_int_equal(aside_at(&meeting.hub), 2);
    assert_int_equal(aside_at(&meeting.village), 0);
    assert_settled();
    meeting_end();
}

/* The laptop's disk was copied after the fifth record: the copy's records do not count, the village
 * holds those alone, and they are as many as those that count. */
static void who_holds_another_branch_is_given_the_one_that_counts(void **state)
{
    (void)state;
    meeting_begin(0);
    stolen =
        township_join(&meeting.township, meeting.township.devices[0].village, ROLE_VILLAGE, 'B');
    township_node_take_all(&meeting.hub.store, &meeting.township);
    township_node_take_all(&meeting.village.store, &meeting.township);
    for (unsigned i = 0; i < 5; i++)
        records[i] = township_register(&meeting.township, stolen, "01B-0001");
    struct township_device copy = *stolen;
    for (unsigned i = 5; i < 8; i++)
        records[i] = township_register(&meeting.township, &copy, "01B-0101");
    give(&meeting.village, 1, 8);
    for (unsigned i = 5; i < 8; i++)
        records[i] = township_register(&meeting.township, stolen, "01B-0001");
    give(&meeting.hub, 1, 8);
    revoke(8, 2);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    refresh(&meeting.village);
    meeting_connect();
    meeting_sync_to_rest();
    /* what counted while the named head was not held is folded away by the rebuild that is due */
    assert_int_equal(views_rebuild_finish(meeting.village.store.views, meeting.village.store.store),
                     OK);
    meeting_assert_agree(MEETING_VILLAGE, 8);
    assert_int_equal(aside_at(&meeting.hub), 3);
    assert_int_equal(aside_at(&meeting.village), 3);
    assert_settled();
    meeting_end();
}

/* --- signatures: what ends a feed needs one, wherever it goes --- */

static bool is_signed_at(struct meeting_node *n, unsigned number)
{
    struct txn *t;
    struct feed_row row;
    struct event e;
    assert_int_equal(txn_begin(n->store.store, false, &t), OK);
    assert_true(feed_find(t, &records[number - 1]->feed, &row));
    uint64_t arrival = log_find(t, row.number, number, records[number - 1]->id.bytes);
    assert_int_equal(log_read(t, arrival, &e), OK);
    bool has = e.has_signature;
    txn_abort(t);
    return has;
}

/* An office desk in the laptop's place. */
static void set_up_desk(void)
{
    set_up();
    const size_t before = meeting.township.event_count;
    meeting_node_stop(&meeting.village);
    township_node_close(&meeting.village.store);
    struct township_device *desk = township_join(&meeting.township, "", ROLE_DISPATCH, 'B');
    meeting_node_open(&meeting.village, desk);
    meeting_node_start(&meeting.village);
    township_node_take(&meeting.hub.store, meeting.township.events + before,
                       meeting.township.event_count - before);
    for (size_t i = 0; i < meeting.township.event_count; i++)
        if (scope_class(&meeting.township.events[i]->feed.scope) == SCOPE_TOWN)
            township_node_take(&meeting.village.store, &meeting.township.events[i], 1);
}

static void the_last_that_counts_comes_with_its_signature(void **state)
{
    (void)state;
    set_up_desk();
    for (unsigned i = 1; i < 10; i++)
        if (i != 6) unsign(i);
    revoke(6, 2);
    give(&meeting.hub, 1, 10);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    meeting_connect();
    meeting_sync_to_rest();
    assert_int_equal(aside_at(&meeting.village), 4);
    assert_true(is_signed_at(&meeting.village, 6));
    assert_true(is_signed_at(&meeting.village, 10));
    assert_settled();
    meeting_end();
}

/* Where it has none, what proves it comes along, or the village would lack it for ever. */
static void what_counts_is_given_with_what_proves_it(void **state)
{
    (void)state;
    set_up();
    for (unsigned i = 5; i <= 8; i++) unsign(i);
    revoke(6, 2);
    give(&meeting.hub, 1, 10);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 6);
    assert_int_equal(aside_at(&meeting.village), 3);
    assert_settled();
    meeting_end();
}

/* --- the thief's own laptop --- */

static void steal(void)
{
    stolen = &meeting.township.devices[0];
    for (unsigned i = 0; i < RECORDS; i++)
        records[i] = meeting.township.events[meeting.township.roster_count + i];
}

static void a_live_session_ends_at_once(void **state)
{
    (void)state;
    meeting_begin(RECORDS);
    steal();
    meeting_connect();
    meeting_sync_to_rest();
    revoke(RECORDS, 2);
    tell(&meeting.hub);
    refresh(&meeting.hub);
    struct exchange_peer peer;
    assert_int_equal(exchange_peers(meeting.hub.exchange, &peer, 1), 1);
    assert_false(peer.connected);
    meeting_turns(3);
    struct exchange_link shown;
    exchange_link(meeting.village.exchange, meeting.village.link, &shown);
    assert_int_equal(shown.state, EXCHANGE_LINK_ENDED);
    assert_int_equal(exchange_admit(meeting.hub.exchange, &stolen->transport, 1), LINK_DENY);
    meeting_end();
}

/* The hub's own process has not looked yet: another one recorded the revocation. */
static void what_comes_in_the_turn_of_the_revocation_is_not_taken(void **state)
{
    (void)state;
    meeting_begin(RECORDS);
    steal();
    meeting_connect();
    meeting_sync_to_rest();
    const struct event *late = township_register(&meeting.township, stolen, "01A-0099");
    struct event *e = (struct event *)(uintptr_t)late;
    township_node_take(&meeting.village.store, &e, 1);
    refresh(&meeting.village);
    meeting_turn(&meeting.village); /* its run is on its way */
    revoke(RECORDS, 2);
    tell(&meeting.hub);
    meeting_turns(4);
    assert_int_equal(aside_at(&meeting.hub), 0);
    struct hash digest;
    assert_int_equal(meeting_events_of(&meeting.hub, MEETING_VILLAGE, &digest), RECORDS);
    struct exchange_link shown;
    exchange_link(meeting.village.exchange, meeting.village.link, &shown);
    assert_int_equal(shown.state, EXCHANGE_LINK_ENDED);
    meeting_end();
}

/* On which runs go in pieces. */
static void note_slow_link(struct meeting_node *n, const struct sign_key *peer)
{
    struct txn *t;
    struct peer_row row = {.device = *peer, .rate_bps = 9600, .rtt_ms = 600};
    assert_int_equal(txn_begin(n->store.store, true, &t), OK);
    peer_put(t, &row);
    assert_int_equal(txn_commit(t), OK);
}

/* A record that hardly compresses. */
static void record_at_length(void)
{
    uint8_t random[6000];
    static char content[2 * sizeof random + 1], box[sizeof content + 32];
    crypto_random(random, sizeof random);
    hex_encode(content, random, sizeof random);
    snprintf(box, sizeof box, "{\"content\":\"%s\"}", content);
    township_record(&meeting.township, stolen,
                    &(struct township_act){.kind = "request.register",
                                           .scope = MEETING_VILLAGE,
                                           .body = "{\"number\":\"01A-0001\",\"nature\":\"help\"}",
                                           .box = box});
}

static size_t unfinished_at_hub(void)
{
    struct txn *t;
    assert_int_equal(txn_begin(meeting.hub.store.store, false, &t), OK);
    size_t size = peer_unfinished(t, &stolen->signer.key).size;
    txn_abort(t);
    return size;
}

static void what_is_kept_of_its_runs_goes(void **state)
{
    (void)state;
    meeting_begin(0);
    stolen = &meeting.township.devices[0];
    note_slow_link(&meeting.village, &meeting.hub.keys.signer.key);
    note_slow_link(&meeting.hub, &meeting.village.keys.signer.key);
    meeting_connect();
    meeting_sync_to_rest();
    exchange_finish(meeting.village.exchange, meeting.village.link);
    meeting_turns(10);
    meeting_disconnect();
    record_at_length();
    township_node_take_all(&meeting.village.store, &meeting.township);
    refresh(&meeting.village);
    for (unsigned contacts = 0; contacts < 20 && !unfinished_at_hub(); contacts++) {
        meeting_connect();
        pipe_budget(meeting.pipe, 1300);
        meeting_turns(20);
        pipe_cut(meeting.pipe);
        meeting_turns(1);
        meeting_disconnect();
        meeting_turns(60);
    }
    assert_true(unfinished_at_hub() > 0);
    revoke(0, 2);
    tell(&meeting.hub);
    assert_int_equal(unfinished_at_hub(), 0);
    refresh(&meeting.hub);
    meeting_turns(60);
    assert_int_equal(unfinished_at_hub(), 0);
    meeting_connect();
    meeting_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_village_holds_aside_goes_to_the_hub_once),
        cmocka_unit_test(a_village_is_given_nothing_that_stands_aside),
        cmocka_unit_test(who_holds_part_of_it_is_not_given_the_rest),
        cmocka_unit_test(a_feed_of_which_nothing_counts_is_handed_over_too),
        cmocka_unit_test(a_revocation_in_the_middle_of_a_session_settles),
        cmocka_unit_test(kept_events_reach_a_village_that_was_not_given_them),
        cmocka_unit_test(who_holds_another_branch_is_given_the_one_that_counts),
        cmocka_unit_test(the_last_that_counts_comes_with_its_signature),
        cmocka_unit_test(what_counts_is_given_with_what_proves_it),
        cmocka_unit_test(a_live_session_ends_at_once),
        cmocka_unit_test(what_comes_in_the_turn_of_the_revocation_is_not_taken),
        cmocka_unit_test(what_is_kept_of_its_runs_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
