/*
 * Two nodes with real stores on a link that is cut at any byte or dialled anew unnoticed, whose
 * processes are killed and whose rows of memory are lost: all arrives once, nobody is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/meeting.h"
#include "tests/support/rng.h"

#include "node/exchange_state.h"
#include "node/store/txn.h"

#include <stdio.h>
#include <string.h>

#define SEEDS 24u
#define CONTACTS_MAX 24u

static struct rng rng;
static unsigned recorded;

static struct meeting_node *other(const struct meeting_node *n)
{
    return n == &meeting.hub ? &meeting.village : &meeting.hub;
}

static void edit_row(struct meeting_node *n, void (*edit)(struct peer_row *row))
{
    struct txn *t;
    struct peer_row row = {0};
    const struct sign_key *peer = &other(n)->keys.signer.key;
    assert_int_equal(txn_begin(n->store.store, true, &t), OK);
    if (!peer_get(t, peer, &row)) row.device = *peer;
    edit(&row);
    row.device = *peer;
    peer_put(t, &row);
    peer_row_clear(&row);
    assert_int_equal(txn_commit(t), OK);
}

static void slow(struct peer_row *row)
{
    row->rate_bps = 9600;
    row->rtt_ms = 600;
}

static void forgotten(struct peer_row *row)
{
    peer_row_clear(row);
    *row = (struct peer_row){.unfinished_new = true};
}

static void begin(void)
{
    recorded = 0;
    meeting_begin(0);
    edit_row(&meeting.hub, slow);
    edit_row(&meeting.village, slow);
}

/* A request with some hundred letters that hardly shrink. */
static void record(void)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    char box[1600], body[64];
    size_t at = (size_t)snprintf(box, sizeof box, "{\"content\":\""),
           end = at + rng_below(&rng, 1500);
    while (at < end) box[at++] = letters[rng_below(&rng, 64)];
    snprintf(box + at, sizeof box - at, "\"}");
    snprintf(body, sizeof body, "{\"number\":\"01A-%04u\",\"nature\":\"help\"}", ++recorded);
    township_record(
        &meeting.township, &meeting.township.devices[0],
        &(struct township_act){
            .kind = "request.register", .scope = MEETING_VILLAGE, .body = body, .box = box});
    township_node_take(&meeting.village.store,
                       meeting.township.events + meeting.township.event_count - 1, 1);
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(meeting.village.exchange, &time), OK);
}

static void assert_nobody_refused(void)
{
    assert_null(strstr(meeting.hub.log, "refused"));
    assert_null(strstr(meeting.village.log, "refused"));
}

/* A process that is killed writes nothing more. */
static void restart(struct meeting_node *n, bool killed)
{
    assert_nobody_refused(); /* its log begins anew */
    n->exchange->options.rehearsal = killed;
    meeting_node_stop(n);
    if (rng_chance(&rng, 30)) edit_row(n, forgotten);
    meeting_node_start(n);
}

static void dial_anew_unnoticed(void)
{
    exchange_remove_link(meeting.village.exchange, meeting.village.link);
    pipe_redial(meeting.pipe);
    pipe_budget(meeting.pipe, rng_below(&rng, 6000));
    assert_int_equal(exchange_add_link(meeting.village.exchange, meeting.village.link, true), OK);
}

static void contact(void)
{
    meeting_connect();
    pipe_budget(meeting.pipe, rng_below(&rng, 6000));
    for (uint64_t turns = rng_below(&rng, 30); turns > 0; turns--) {
        if (rng_chance(&rng, 10)) record();
        if (rng_chance(&rng, 5)) dial_anew_unnoticed();
        if (rng_chance(&rng, 10)) meeting.now_ms += 1000;
        meeting_turn(rng_chance(&rng, 50) ? &meeting.hub : &meeting.village);
    }
    bool killed[] = {rng_chance(&rng, 20), rng_chance(&rng, 20)};
    struct meeting_node *nodes[] = {&meeting.hub, &meeting.village};
    for (size_t i = 0; i < 2; i++) nodes[i]->exchange->options.rehearsal = killed[i];
    if (rng_chance(&rng, 50)) {
        pipe_cut(meeting.pipe);
        for (size_t i = 0; i < 2; i++)
            if (!killed[i]) meeting_turn(nodes[i]);
    }
    meeting_disconnect();
    for (size_t i = 0; i < 2; i++)
        if (killed[i] || rng_chance(&rng, 10)) restart(nodes[i], killed[i]);
}

static void all_arrives_once_whatever_happens(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rng = (struct rng){seed};
        begin();
        for (uint64_t left = rng_below(&rng, CONTACTS_MAX); left > 0; left--) {
            if (rng_chance(&rng, 50)) record();
            contact();
        }
        record();
        meeting_connect();
        meeting_sync_to_rest();
        meeting_assert_agree(MEETING_VILLAGE, recorded);
        assert_nobody_refused();
        meeting_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_arrives_once_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
