#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/meeting.h"

#include "node/store/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct meeting meeting; /* large */

static void keep_log(void *state, int level, const char *text)
{
    struct meeting_node *n = state;
    (void)level;
    size_t used = strlen(n->log);
    snprintf(n->log + used, sizeof n->log - used, "%s\n", text);
}

void meeting_node_start(struct meeting_node *n)
{
    const struct exchange_options options = {.store = n->store.store,
                                             .views = n->store.views,
                                             .keys = &n->keys,
                                             .month_bytes_max = n->month_bytes_max,
                                             .courier_home = n->couriers ? n->store.home : NULL,
                                             .log = keep_log,
                                             .log_state = n};
    n->log[0] = 0;
    assert_int_equal(exchange_open(&n->exchange, &options), OK);
}

void meeting_node_open(struct meeting_node *n, const struct township_device *d)
{
    township_node_open(&n->store, &meeting.township, d);
    n->keys.signer = d->signer;
    n->keys.transport = d->transport;
}

void meeting_node_stop(struct meeting_node *n)
{
    exchange_close(n->exchange);
    n->exchange = NULL;
}

void meeting_connect(void)
{
    pipe_open(&meeting.pipe, &meeting.village.link, &meeting.village.keys.transport,
              &meeting.hub.link, &meeting.hub.keys.transport);
    assert_int_equal(exchange_add_link(meeting.village.exchange, meeting.village.link, true), OK);
    assert_int_equal(exchange_add_link(meeting.hub.exchange, meeting.hub.link, false), OK);
}

void meeting_disconnect(void)
{
    exchange_remove_link(meeting.village.exchange, meeting.village.link);
    exchange_remove_link(meeting.hub.exchange, meeting.hub.link);
    pipe_close(meeting.pipe);
    meeting.pipe = NULL;
}

struct exchange_time meeting_time(void)
{
    meeting.now_ms += 20;
    return (struct exchange_time){
        .now_ms = meeting.now_ms,
        .clock = {.wall_ms = meeting.township.time_ms + meeting.now_ms, .trusted = true}};
}

void meeting_turn(struct meeting_node *n)
{
    bool more;
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_turn(n->exchange, &time, &more), OK);
}

void meeting_turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        meeting_turn(&meeting.village);
        meeting_turn(&meeting.hub);
    }
}

static bool both_idle(void)
{
    struct exchange_peer peers[2];
    bool idle = exchange_peers(meeting.village.exchange, peers, 2) == 1 && peers[0].status.idle;
    return idle && exchange_peers(meeting.hub.exchange, peers, 2) == 1 && peers[0].status.idle;
}

void meeting_sync_to_rest(void)
{
    for (unsigned i = 0; i < 400 && !both_idle(); i++) meeting_turns(1);
    assert_true(both_idle());
}

uint64_t meeting_events_of(struct meeting_node *n, const char *scope, struct hash *digest)
{
    uint64_t events = 0;
    uint32_t number = township_node_scope(&n->store, scope);
    memset(digest, 0, sizeof *digest);
    if (number) assert_int_equal(audit_events_digest(n->store.store, number, digest, &events), OK);
    return events;
}

void meeting_assert_agree(const char *scope, uint64_t events)
{
    struct hash mine, theirs;
    assert_int_equal(meeting_events_of(&meeting.village, scope, &mine), events);
    assert_int_equal(meeting_events_of(&meeting.hub, scope, &theirs), events);
    assert_true(hash_equal(&mine, &theirs));
    struct scope parsed;
    struct views_digest a, b;
    struct txn *t;
    assert_int_equal(scope_parse(&parsed, slice_of_text(scope)), OK);
    assert_int_equal(txn_begin(meeting.village.store.store, false, &t), OK);
    assert_int_equal(views_digest(t, &parsed, &a), OK);
    txn_abort(t);
    assert_int_equal(txn_begin(meeting.hub.store.store, false, &t), OK);
    assert_int_equal(views_digest(t, &parsed, &b), OK);
    txn_abort(t);
    assert_true(hash_equal(&a.digest, &b.digest));
}

/* A hub that holds the roster, and a village's laptop with the roster and `requests` of its own. */
void meeting_begin(unsigned requests)
{
    memset(&meeting.hub, 0, sizeof meeting.hub);
    memset(&meeting.village, 0, sizeof meeting.village);
    meeting.pipe = NULL;
    meeting.now_ms = 0;
    township_begin(&meeting.township, 2);
    meeting_node_open(&meeting.hub, &meeting.township.hub);
    meeting_node_open(&meeting.village, &meeting.township.devices[0]);
    township_node_take_all(&meeting.hub.store, &meeting.township);
    for (unsigned i = 0; i < requests; i++) {
        char number[16];
        snprintf(number, sizeof number, "01A-%04u", i + 1);
        township_register(&meeting.township, &meeting.township.devices[0], number);
    }
    township_node_take_all(&meeting.village.store, &meeting.township);
    meeting_node_start(&meeting.hub);
    meeting_node_start(&meeting.village);
}

void meeting_end(void)
{
    if (meeting.pipe) meeting_disconnect();
    meeting_node_stop(&meeting.hub);
    meeting_node_stop(&meeting.village);
    township_node_close(&meeting.hub.store);
    township_node_close(&meeting.village.store);
    township_end(&meeting.township);
}
