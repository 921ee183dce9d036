/* Links that are cut all the time: runs go in pieces, and what came is not sent again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/meeting.h"

#include "node/store/local.h"
#include "node/store/log.h"
#include "node/store/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note_rate(struct meeting_node *n, const struct sign_key *peer, uint64_t rate_bps)
{
    struct txn *t;
    struct peer_row row = {0};
    assert_int_equal(txn_begin(n->store.store, true, &t), OK);
    if (!peer_get(t, peer, &row)) row.device = *peer;
    row.rate_bps = rate_bps;
    row.rtt_ms = 600;
    peer_put(t, &row);
    peer_row_clear(&row);
    assert_int_equal(txn_commit(t), OK);
}

/* Both have met on a slow link, and nothing is new. */
static void begin_on_a_slow_link(void)
{
    meeting_begin(0);
    note_rate(&meeting.village, &meeting.hub.keys.signer.key, 9600);
    note_rate(&meeting.hub, &meeting.village.keys.signer.key, 9600);
    meeting_connect();
    meeting_sync_to_rest();
    exchange_finish(meeting.village.exchange, meeting.village.link);
    meeting_turns(10);
    meeting_disconnect();
}

/* Text of so many letters that hardly compresses. */
static void random_text(char *out, size_t letters)
{
    for (size_t i = 0; i < letters; i++) {
        uint8_t random;
        crypto_random(&random, 1);
        out[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[random % 64];
    }
    out[letters] = 0;
}

static void record(unsigned count, size_t letters)
{
    static char box[EVENT_BOX_SIZE_MAX], content[EVENT_BOX_SIZE_MAX - 64];
    const size_t before = meeting.township.event_count;
    for (unsigned i = 0; i < count; i++) {
        char body[64];
        random_text(content, letters);
        snprintf(box, sizeof box, "{\"content\":\"%s\"}", content);
        snprintf(body, sizeof body, "{\"number\":\"01A-%04u\",\"nature\":\"help\"}", i + 1);
        const struct township_act act = {
            .kind = "request.register", .scope = MEETING_VILLAGE, .body = body, .box = box};
        township_record(&meeting.township, &meeting.township.devices[0], &act);
    }
    township_node_take(&meeting.village.store, meeting.township.events + before, count);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
}

static uint64_t at_hub(void)
{
    struct hash digest;
    return meeting_events_of(&meeting.hub, MEETING_VILLAGE, &digest);
}

/* One contact of so many bytes each way, then the link is cut; gives the bytes that passed. */
static uint64_t contact(uint64_t bytes)
{
    meeting_connect();
    pipe_budget(meeting.pipe, bytes);
    meeting_turns(20);
    uint64_t passed = pipe_bytes(meeting.pipe);
    pipe_cut(meeting.pipe);
    meeting_turns(1);
    meeting_disconnect();
    return passed;
}

/* What a cold CURVE connection leaves of 2 KiB each way. */
#define LEFT_OF_2_KIB 1300

/* --- the stories --- */

static void assert_arrives_by_contacts(unsigned events, unsigned contacts_max)
{
    unsigned contacts = 0;
    for (; at_hub() < events && contacts < contacts_max; contacts++) contact(LEFT_OF_2_KIB);
    assert_int_equal(at_hub(), events);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, events);
    meeting_end();
}

static void a_backlog_shrinks_with_every_short_contact(void **state)
{
    (void)state;
    begin_on_a_slow_link();
    record(100, 100); /* about 10 KB */
    assert_arrives_by_contacts(100, 18);
}

static void a_large_record_arrives_through_short_contacts(void **state)
{
    (void)state;
    begin_on_a_slow_link();
    record(1, EVENT_BOX_SIZE_MAX - 100); /* 36 KB */
    assert_arrives_by_contacts(1, 42);
}

static uint64_t sync_after_cut(uint64_t cut_after)
{
    begin_on_a_slow_link();
    record(12, 2000);
    uint64_t passed = cut_after ? contact(cut_after) : 0;
    meeting_connect();
    meeting_sync_to_rest();
    passed += pipe_bytes(meeting.pipe);
    meeting_assert_agree(MEETING_VILLAGE, 12);
    meeting_end();
    return passed;
}

/* What is sent again after a cut: the greetings, and the frame that was cut. */
static void a_cut_anywhere_costs_little(void **state)
{
    (void)state;
    uint64_t uncut = sync_after_cut(0);
    for (uint64_t cut = 150; cut < uncut; cut += 1571)
        assert_in_range(sync_after_cut(cut), 0, uncut + 1300);
}

/* 64 KiB of records, cut after so many frames, then all the rest; gives the bytes that passed. */
static uint64_t sync_after_frames(uint64_t frames, uint64_t *frames_passed)
{
    uint64_t passed = 0;
    begin_on_a_slow_link();
    record(32, 2700);
    if (frames) {
        meeting_connect();
        pipe_frames(meeting.pipe, frames);
        meeting_turns(60);
        passed = pipe_bytes(meeting.pipe);
        pipe_cut(meeting.pipe);
        meeting_turns(1);
        meeting_disconnect();
    }
    meeting_connect();
    meeting_sync_to_rest();
    passed += pipe_bytes(meeting.pipe);
    *frames_passed = pipe_frames_passed(meeting.pipe);
    meeting_assert_agree(MEETING_VILLAGE, 32);
    meeting_end();
    return passed;
}

/* A frame that is cut in its middle is a frame that did not come, so the ends of the frames stand
 * for every byte. */
static void it_goes_on_after_a_cut_at_any_byte(void **state)
{
    (void)state;
    uint64_t count, rest, uncut = sync_after_frames(0, &count);
    assert_in_range(count, 10, 200);
    for (uint64_t frames = 1; frames < count; frames++)
        assert_in_range(sync_after_frames(frames, &rest), 0, uncut + KIB(3));
}

/* The hub lost what it had of an unfinished run: it is begun anew. */
static void what_the_peer_forgot_is_sent_from_the_start(void **state)
{
    (void)state;
    begin_on_a_slow_link();
    record(1, 20000);
    for (unsigned i = 0; i < 3; i++) contact(LEFT_OF_2_KIB);
    meeting_node_stop(&meeting.hub);
    meeting_node_start(&meeting.hub);
    struct txn *t;
    struct peer_row row = {0};
    assert_int_equal(txn_begin(meeting.hub.store.store, true, &t), OK);
    assert_true(peer_get(t, &meeting.village.keys.signer.key, &row));
    assert_true(peer_unfinished(t, &meeting.village.keys.signer.key).size > 2000);
    row.unfinished_new = true;
    peer_put(t, &row);
    assert_int_equal(peer_unfinished(t, &meeting.village.keys.signer.key).size, 0);
    peer_row_clear(&row);
    assert_int_equal(txn_commit(t), OK);
    meeting_connect();
    meeting_sync_to_rest();
    meeting_assert_agree(MEETING_VILLAGE, 1);
    meeting_end();
}

/* Both processes end between two contacts: what came is on disk, and what was sent too. */
static void unfinished_runs_outlive_both_processes(void **state)
{
    (void)state;
    begin_on_a_slow_link();
    record(1, 20000);
    unsigned contacts = 0;
    for (; at_hub() < 1 && contacts < 30; contacts++) {
        contact(LEFT_OF_2_KIB);
        meeting_node_stop(&meeting.hub);
        meeting_node_start(&meeting.hub);
        meeting_node_stop(&meeting.village);
        meeting_node_start(&meeting.village);
    }
    assert_int_equal(at_hub(), 1);
    meeting_connect();
    meeting_end();
}

/* A village that dials anew before the hub knows that its connection is gone. */
static void a_newer_connection_goes_on_where_the_older_one_was(void **state)
{
    (void)state;
    uint64_t passed[2];
    for (unsigned again = 0; again < 2; again++) {
        begin_on_a_slow_link();
        record(1, 20000);
        meeting_connect();
        if (again) {
            pipe_budget(meeting.pipe, 8000);
            meeting_turns(5);
            exchange_remove_link(meeting.village.exchange, meeting.village.link);
            pipe_redial(meeting.pipe);
            assert_int_equal(
                exchange_add_link(meeting.village.exchange, meeting.village.link, true), OK);
            meeting_turns(1);
        }
        meeting_sync_to_rest();
        meeting_assert_agree(MEETING_VILLAGE, 1);
        passed[again] = pipe_bytes(meeting.pipe);
        meeting_end();
    }
    assert_in_range(passed[1], passed[0], passed[0] + 1300);
}

/* Flips a bit in the box of the laptop's newest record. */
static void damage_newest_box(void)
{
    struct txn *t;
    struct key key;
    struct slice value;
    struct event e;
    static uint8_t copy[EVENT_SIZE_MAX];
    assert_int_equal(txn_begin(meeting.village.store.store, true, &t), OK);
    uint64_t newest = log_count(t);
    assert_true(db_get(t, DB_LOG, key_arrival(&key, newest), &value));
    size_t size = value.size;
    assert_true(size <= sizeof copy);
    memcpy(copy, value.data, size);
    copy[size - 150] ^= 1;
    db_put(t, DB_LOG, key_slice(&key), slice_of(copy, size));
    assert_int_equal(log_read(t, newest, &e), ERR_CORRUPT);
    assert_int_equal(log_read_header(t, newest, &e), OK);
    assert_int_equal(txn_commit(t), OK);
}

static unsigned proofs(void)
{
    struct txn *t;
    uint64_t counter = 0;
    struct slice body;
    struct signature signature;
    unsigned count = 0;
    assert_int_equal(txn_begin(meeting.village.store.store, false, &t), OK);
    while (receipt_next(t, &meeting.hub.keys.signer.key, &counter, &body, &signature)) count++;
    txn_abort(t);
    return count;
}

/* The receipt names the record in short; its id does not hang on its box. */
static void a_receipt_counts_where_the_box_is_damaged_meanwhile(void **state)
{
    (void)state;
    meeting_begin(0);
    meeting_connect();
    meeting_sync_to_rest();
    record(1, 200);
    const unsigned before = proofs();
    pipe_hold(meeting.pipe, true);
    meeting_turns(2);
    assert_int_equal(at_hub(), 1);
    damage_newest_box();
    pipe_hold(meeting.pipe, false);
    meeting_turns(60);
    assert_int_equal(proofs(), before + 1);
    meeting_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backlog_shrinks_with_every_short_contact),
        cmocka_unit_test(a_large_record_arrives_through_short_contacts),
        cmocka_unit_test(a_cut_anywhere_costs_little),
        cmocka_unit_test(it_goes_on_after_a_cut_at_any_byte),
        cmocka_unit_test(what_the_peer_forgot_is_sent_from_the_start),
        cmocka_unit_test(unfinished_runs_outlive_both_processes),
        cmocka_unit_test(a_newer_connection_goes_on_where_the_older_one_was),
        cmocka_unit_test(a_receipt_counts_where_the_box_is_damaged_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
