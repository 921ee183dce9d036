/* Two nodes with real stores and the real exchange, joined by a link in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/exchange.h"
#include "node/store/audit.h"
#include "node/store/local.h"
#include "tests/support/pipe.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE0 "village:431322111201"

struct node {
    struct township_node store;
    struct device_keys keys;
    struct exchange *exchange;
    struct link *link;
    char log[4096];
};

struct scene {
    struct township township;
    struct node hub, village;
    struct pipe *pipe;
    uint64_t now_ms;
};

static struct scene scene; /* large */

static void keep_log(void *state, int level, const char *text)
{
    struct node *n = state;
    (void)level;
    size_t used = strlen(n->log);
    snprintf(n->log + used, sizeof n->log - used, "%s\n", text);
}

static void node_start(struct node *n)
{
    const struct exchange_options options = {.store = n->store.store,
                                             .views = n->store.views,
                                             .keys = &n->keys,
                                             .log = keep_log,
                                             .log_state = n};
    n->log[0] = 0;
    assert_int_equal(exchange_open(&n->exchange, &options), OK);
}

static void node_open(struct node *n, const struct township_device *d)
{
    township_node_open(&n->store, &scene.township, d);
    n->keys.signer = d->signer;
    n->keys.transport = d->transport;
}

static void node_stop(struct node *n)
{
    exchange_close(n->exchange);
    n->exchange = NULL;
}

static void connect_nodes(void)
{
    pipe_open(&scene.pipe, &scene.village.link, &scene.village.keys.transport, &scene.hub.link,
              &scene.hub.keys.transport);
    assert_int_equal(exchange_add_link(scene.village.exchange, scene.village.link, true), OK);
    assert_int_equal(exchange_add_link(scene.hub.exchange, scene.hub.link, false), OK);
}

static void disconnect_nodes(void)
{
    exchange_remove_link(scene.village.exchange, scene.village.link);
    exchange_remove_link(scene.hub.exchange, scene.hub.link);
    pipe_close(scene.pipe);
    scene.pipe = NULL;
}

static struct exchange_time time_now(void)
{
    scene.now_ms += 1;
    return (struct exchange_time){
        .now_ms = scene.now_ms,
        .clock = {.wall_ms = scene.township.time_ms + scene.now_ms, .trusted = true}};
}

static void turn(struct node *n)
{
    bool more;
    struct exchange_time time = time_now();
    assert_int_equal(exchange_turn(n->exchange, &time, &more), OK);
}

static void turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        turn(&scene.village);
        turn(&scene.hub);
    }
}

static bool both_idle(void)
{
    struct exchange_peer peers[2];
    bool idle = exchange_peers(scene.village.exchange, peers, 2) == 1 && peers[0].status.idle;
    return idle && exchange_peers(scene.hub.exchange, peers, 2) == 1 && peers[0].status.idle;
}

static void sync_to_rest(void)
{
    for (unsigned i = 0; i < 400 && !both_idle(); i++) turns(1);
    assert_true(both_idle());
}

static uint64_t events_of(struct node *n, const char *scope, struct hash *digest)
{
    uint64_t events = 0;
    uint32_t number = township_node_scope(&n->store, scope);
    memset(digest, 0, sizeof *digest);
    if (number) assert_int_equal(audit_events_digest(n->store.store, number, digest, &events), OK);
    return events;
}

static void assert_agree(const char *scope, uint64_t events)
{
    struct hash mine, theirs;
    assert_int_equal(events_of(&scene.village, scope, &mine), events);
    assert_int_equal(events_of(&scene.hub, scope, &theirs), events);
    assert_true(hash_equal(&mine, &theirs));
    struct scope parsed;
    struct views_digest a, b;
    struct txn *t;
    assert_int_equal(scope_parse(&parsed, slice_of_text(scope)), OK);
    assert_int_equal(txn_begin(scene.village.store.store, false, &t), OK);
    assert_int_equal(views_digest(t, &parsed, &a), OK);
    txn_abort(t);
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    assert_int_equal(views_digest(t, &parsed, &b), OK);
    txn_abort(t);
    assert_true(hash_equal(&a.digest, &b.digest));
}

/* A hub that holds the roster, and a village's laptop with the roster and `requests` of its own. */
static void begin(unsigned requests)
{
    memset(&scene.hub, 0, sizeof scene.hub);
    memset(&scene.village, 0, sizeof scene.village);
    scene.pipe = NULL;
    scene.now_ms = 0;
    township_begin(&scene.township, 2);
    node_open(&scene.hub, &scene.township.hub);
    node_open(&scene.village, &scene.township.devices[0]);
    township_node_take_all(&scene.hub.store, &scene.township);
    for (unsigned i = 0; i < requests; i++) {
        char number[16];
        snprintf(number, sizeof number, "01A-%04u", i + 1);
        township_register(&scene.township, &scene.township.devices[0], number);
    }
    township_node_take_all(&scene.village.store, &scene.township);
    node_start(&scene.hub);
    node_start(&scene.village);
}

static void end(void)
{
    if (scene.pipe) disconnect_nodes();
    node_stop(&scene.hub);
    node_stop(&scene.village);
    township_node_close(&scene.hub.store);
    township_node_close(&scene.village.store);
    township_end(&scene.township);
}

/* --- the stories --- */

static void a_village_hands_its_requests_to_the_hub(void **state)
{
    (void)state;
    begin(300);
    connect_nodes();
    sync_to_rest();
    assert_agree("town", scene.township.roster_count);
    assert_agree(CODE0, 300);
    struct exchange_peer peer;
    assert_int_equal(exchange_peers(scene.village.exchange, &peer, 1), 1);
    assert_int_equal(peer.status.sent_events, 300);
    assert_int_equal(peer.status.unsent, 0);
    end();
}

static void what_arrived_is_remembered_and_not_sent_again(void **state)
{
    (void)state;
    begin(50);
    connect_nodes();
    sync_to_rest();
    turns(2);
    disconnect_nodes();
    node_stop(&scene.village);
    node_start(&scene.village);
    connect_nodes();
    uint64_t before = pipe_bytes(scene.pipe);
    sync_to_rest();
    struct exchange_peer peer;
    assert_int_equal(exchange_peers(scene.village.exchange, &peer, 1), 1);
    assert_int_equal(peer.status.sent_events, 0);
    assert_true(pipe_bytes(scene.pipe) - before < 600);
    end();
}

static void receipts_are_kept_as_proof(void **state)
{
    (void)state;
    begin(3);
    connect_nodes();
    sync_to_rest();
    disconnect_nodes();
    turn(&scene.village);
    struct txn *t;
    uint64_t counter = 0;
    struct slice body;
    struct signature signature;
    struct hash hash;
    assert_int_equal(txn_begin(scene.village.store.store, false, &t), OK);
    assert_true(receipt_next(t, &scene.hub.keys.signer.key, &counter, &body, &signature));
    crypto_hash_one(&hash, CONTEXT_RECEIPT, body);
    assert_int_equal(crypto_verify(&signature, &scene.hub.keys.signer.key, CONTEXT_RECEIPT,
                                   slice_of(hash.bytes, sizeof hash.bytes)),
                     OK);
    txn_abort(t);
    pipe_open(&scene.pipe, &scene.village.link, &scene.village.keys.transport, &scene.hub.link,
              &scene.hub.keys.transport);
    end();
}

static void a_cut_loses_nothing_and_doubles_nothing(void **state)
{
    (void)state;
    begin(600);
    for (unsigned after = 1; after < 12; after++) {
        connect_nodes();
        turns(after);
        pipe_cut(scene.pipe);
        turns(2);
        disconnect_nodes();
    }
    connect_nodes();
    sync_to_rest();
    assert_agree(CODE0, 600);
    end();
}

static void a_full_queue_delays_and_drops_nothing(void **state)
{
    (void)state;
    begin(400);
    connect_nodes();
    for (unsigned i = 0; i < 40; i++) {
        pipe_fill(scene.pipe, 3);
        turns(1);
    }
    sync_to_rest();
    assert_agree(CODE0, 400);
    end();
}

static void a_village_is_never_given_another_villages_records(void **state)
{
    (void)state;
    begin(2);
    for (unsigned i = 0; i < 5; i++)
        township_register(&scene.township, &scene.township.devices[1], "02A-0001");
    township_node_take_all(&scene.hub.store, &scene.township);
    connect_nodes();
    sync_to_rest();
    struct hash digest;
    assert_int_equal(events_of(&scene.village, "village:431322111202", &digest), 0);
    assert_agree(CODE0, 2);
    end();
}

static void a_feed_outside_the_peers_scopes_is_refused(void **state)
{
    (void)state;
    begin(2);
    /* This laptop somehow holds another village's record and offers it. */
    const struct event *foreign =
        township_register(&scene.township, &scene.township.devices[1], "02A-0001");
    char scope[SCOPE_SIZE_MAX + 1];
    snprintf(scope, sizeof scope, "%s", foreign->feed.scope.text);
    township_node_take_all(&scene.village.store, &scene.township);
    struct exchange_time time = time_now();
    assert_int_equal(exchange_refresh(scene.village.exchange, &time), OK);
    connect_nodes();
    turns(20);
    struct hash digest;
    assert_int_equal(events_of(&scene.hub, scope, &digest), 0);
    assert_non_null(strstr(scene.hub.log, "refused"));
    struct exchange_link shown;
    exchange_link(scene.village.exchange, scene.village.link, &shown);
    assert_int_equal(shown.state, EXCHANGE_LINK_ENDED);
    assert_int_equal(shown.refused, REFUSE_SCOPE);
    end();
}

static void garbage_ends_the_session_and_stores_nothing(void **state)
{
    (void)state;
    begin(5);
    connect_nodes();
    sync_to_rest();
    pipe_inject(scene.pipe, slice_of_text("\x9a\x02garbage"));
    turns(4);
    assert_non_null(strstr(scene.hub.log, "refused"));
    struct hash digest;
    assert_int_equal(events_of(&scene.hub, CODE0, &digest), 5);
    end();
}

static void an_order_comes_down_while_the_session_lasts(void **state)
{
    (void)state;
    begin(1);
    connect_nodes();
    sync_to_rest();
    const struct event *request = scene.township.events[scene.township.event_count - 1];
    township_record(&scene.township, &scene.township.hub,
                    &(struct township_act){.kind = "request.accept",
                                           .scope = CODE0,
                                           .subject = &request->subject,
                                           .depth = 1,
                                           .seen = 1,
                                           .body = "{\"official_no\":\"2026-0001\","
                                                   "\"category\":\"0101\"}"});
    township_node_take_all(&scene.hub.store, &scene.township);
    struct exchange_time time = time_now();
    assert_int_equal(exchange_refresh(scene.hub.exchange, &time), OK);
    turns(3);
    sync_to_rest();
    assert_agree(CODE0, 2);
    end();
}

static void a_hub_that_lost_its_store_is_filled_again(void **state)
{
    (void)state;
    begin(120);
    connect_nodes();
    sync_to_rest();
    turns(2);
    disconnect_nodes();
    node_stop(&scene.hub);
    township_node_close(&scene.hub.store);
    node_open(&scene.hub, &scene.township.hub);
    township_node_take(&scene.hub.store, scene.township.events, scene.township.roster_count);
    node_start(&scene.hub);
    connect_nodes();
    sync_to_rest();
    assert_agree(CODE0, 120);
    assert_non_null(strstr(scene.village.log, "sending it again"));
    end();
}

static void two_laptops_of_one_village_sync_with_each_other(void **state)
{
    (void)state;
    begin(10);
    /* The second laptop of village 1 plays the hub's part on a village LAN. */
    struct township_device *second =
        township_join(&scene.township, scene.township.devices[0].village, ROLE_VILLAGE, 'B');
    township_register(&scene.township, second, "01B-0001");
    node_stop(&scene.hub);
    township_node_close(&scene.hub.store);
    node_open(&scene.hub, second);
    for (size_t i = 0; i < scene.township.event_count; i++) {
        struct event *e = scene.township.events[i];
        bool first_laptops = sign_key_equal(&e->feed.author, &scene.village.keys.signer.key);
        if (!first_laptops) township_node_take(&scene.hub.store, &scene.township.events[i], 1);
        if (scope_class(&e->feed.scope) == SCOPE_TOWN)
            township_node_take(&scene.village.store, &scene.township.events[i], 1);
    }
    node_start(&scene.hub);
    struct exchange_time time = time_now();
    assert_int_equal(exchange_refresh(scene.village.exchange, &time), OK);
    connect_nodes();
    sync_to_rest();
    assert_agree(CODE0, 11);
    end();
}

/* --- joining --- */

static void invite_for(struct signer *one_time, struct invite *invite)
{
    memset(invite, 0, sizeof *invite);
    memset(invite->seed.bytes, 77, sizeof invite->seed.bytes);
    signer_from_seed(one_time, &invite->seed);
    invite->authority = scene.township.authority.signer.key;
    invite->acceptor = scene.township.hub.signer.key;
    snprintf(invite->device_name, sizeof invite->device_name, "laptop");
}

static enum join_state try_join(const struct invite *invite, const struct device_keys *keys,
                                struct join_progress *progress)
{
    struct pipe *pipe;
    struct link *dialled, *listening;
    struct box_key one_time = {{9}};
    pipe_open(&pipe, &dialled, &one_time, &listening, &scene.hub.keys.transport);
    pipe_set_invite(pipe, true);
    assert_int_equal(exchange_add_link(scene.hub.exchange, listening, false), OK);
    *progress = (struct join_progress){0};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(join_turn(dialled, invite, keys, scene.township.time_ms, progress), OK);
        turn(&scene.hub);
    }
    exchange_remove_link(scene.hub.exchange, listening);
    pipe_close(pipe);
    return progress->state;
}

static void an_invite_admits_one_device_once(void **state)
{
    (void)state;
    begin(0);
    struct signer one_time;
    struct invite invite;
    struct device_keys first = {0}, second = {0};
    struct join_progress progress;
    invite_for(&one_time, &invite);
    township_invite(&scene.township, &one_time, &scene.township.hub.signer.key,
                    scene.township.devices[0].village, ROLE_VILLAGE, 'B');
    township_node_take_all(&scene.hub.store, &scene.township);
    township_signer(&first.signer, 501);
    township_signer(&second.signer, 502);
    first.transport.bytes[0] = 1;
    second.transport.bytes[0] = 2;
    assert_int_equal(try_join(&invite, &first, &progress), JOIN_ADMITTED);
    assert_int_equal(try_join(&invite, &first, &progress), JOIN_ADMITTED);
    assert_int_equal(try_join(&invite, &second, &progress), JOIN_REFUSED);
    assert_int_equal(progress.refused, REFUSE_INVITE);
    assert_string_equal(progress.text, "invite already used");
    assert_int_equal(exchange_admit(scene.hub.exchange, &first.transport, 0), EXCHANGE_DEVICE);
    assert_int_equal(exchange_admit(scene.hub.exchange, &second.transport, 0), EXCHANGE_DENY);
    connect_nodes();
    end();
}

static void an_unknown_invite_is_refused(void **state)
{
    (void)state;
    begin(0);
    struct signer one_time;
    struct invite invite;
    struct device_keys keys = {0};
    struct join_progress progress;
    invite_for(&one_time, &invite);
    township_signer(&keys.signer, 501);
    assert_int_equal(try_join(&invite, &keys, &progress), JOIN_REFUSED);
    assert_string_equal(progress.text, "unknown invite");
    connect_nodes();
    end();
}

static void a_new_laptop_gets_everything_in_one_contact(void **state)
{
    (void)state;
    begin(40);
    township_node_take_all(&scene.hub.store, &scene.township);
    /* The laptop of village 1 again, with an empty store: it knows the hub from its invite. */
    node_stop(&scene.village);
    township_node_close(&scene.village.store);
    node_open(&scene.village, &scene.township.devices[0]);
    struct txn *t;
    assert_int_equal(txn_begin(scene.village.store.store, true, &t), OK);
    meta_put(t, "hub_device", slice_of(scene.hub.keys.signer.key.bytes, 32));
    assert_int_equal(txn_commit(t), OK);
    node_start(&scene.village);
    struct exchange_time time = time_now();
    assert_int_equal(exchange_refresh(scene.hub.exchange, &time), OK);
    connect_nodes();
    sync_to_rest();
    assert_agree("town", scene.township.roster_count);
    assert_agree(CODE0, 40);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_village_hands_its_requests_to_the_hub),
        cmocka_unit_test(what_arrived_is_remembered_and_not_sent_again),
        cmocka_unit_test(receipts_are_kept_as_proof),
        cmocka_unit_test(a_cut_loses_nothing_and_doubles_nothing),
        cmocka_unit_test(a_full_queue_delays_and_drops_nothing),
        cmocka_unit_test(a_village_is_never_given_another_villages_records),
        cmocka_unit_test(a_feed_outside_the_peers_scopes_is_refused),
        cmocka_unit_test(garbage_ends_the_session_and_stores_nothing),
        cmocka_unit_test(an_order_comes_down_while_the_session_lasts),
        cmocka_unit_test(a_hub_that_lost_its_store_is_filled_again),
        cmocka_unit_test(two_laptops_of_one_village_sync_with_each_other),
        cmocka_unit_test(an_invite_admits_one_device_once),
        cmocka_unit_test(an_unknown_invite_is_refused),
        cmocka_unit_test(a_new_laptop_gets_everything_in_one_contact),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
