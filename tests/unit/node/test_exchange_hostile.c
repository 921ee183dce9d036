/*
 * An enrolled village that sends what it should not. It is played by hand, frame by frame, with
 * real keys; the hub is a real node with a real store, and an honest village syncs with it all the
 * while.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/exchange_state.h"
#include "node/store/audit.h"
#include "node/store/local.h"
#include "node/sync/state.h"
#include "tests/support/pipe.h"
#include "tests/support/township.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENEMY_SCOPE "village:431322111201"
#define HONEST_SCOPE "village:431322111202"
#define HONEST_REQUESTS 200
#define ODD_MAX 512

struct node {
    struct township_node store;
    struct device_keys keys;
    struct exchange *exchange;
    char log[16384];
};

static struct { /* large */
    struct township township;
    struct node hub, honest;
    struct township_device *enemy;
    struct pipe *enemy_pipe, *honest_pipe;
    struct link *enemy_link, *to_enemy, *honest_link, *to_honest;
    struct zstd *zstd;
    uint64_t now_ms;
    struct buf headers[ODD_MAX]; /* of events made by hand */
    size_t odd_count;
    unsigned got[8]; /* frames from the hub, by type */
    uint64_t refused;
    uint64_t receipts;
} scene;

/* --- the nodes --- */

static void keep_log(void *state, int level, const char *text)
{
    struct node *n = state;
    (void)level;
    size_t used = strlen(n->log);
    snprintf(n->log + used, sizeof n->log - used, "%s\n", text);
}

static void node_begin(struct node *n, const struct township_device *d, size_t events)
{
    township_node_open(&n->store, &scene.township, d);
    n->keys = (struct device_keys){.signer = d->signer, .transport = d->transport};
    township_node_take(&n->store, scene.township.events, events);
    const struct exchange_options options = {.store = n->store.store,
                                             .views = n->store.views,
                                             .keys = &n->keys,
                                             .log = keep_log,
                                             .log_state = n};
    n->log[0] = 0;
    assert_int_equal(exchange_open(&n->exchange, &options), OK);
}

static void turn(struct node *n)
{
    bool more;
    scene.now_ms++;
    struct exchange_time time = {
        .now_ms = scene.now_ms,
        .clock = {.wall_ms = scene.township.time_ms + scene.now_ms, .trusted = true}};
    assert_int_equal(exchange_turn(n->exchange, &time, &more), OK);
}

static void enemy_reads(void)
{
    struct link_event event;
    while (scene.enemy_link->ops->next(scene.enemy_link, &event)) {
        uint64_t type;
        struct frame_refuse refuse;
        if (event.type != LINK_FRAME) continue;
        assert_int_equal(frame_type_of(event.frame, &type), OK);
        scene.got[type < 8 ? type : 0]++;
        if (type == FRAME_REFUSE && frame_refuse_read(&refuse, event.frame) == OK)
            scene.refused = refuse.code;
    }
}

static void turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        turn(&scene.hub);
        turn(&scene.honest);
        enemy_reads();
    }
}

static uint64_t hub_holds(const char *scope)
{
    uint64_t events = 0;
    struct hash digest;
    uint32_t number = township_node_scope(&scene.hub.store, scope);
    if (number)
        assert_int_equal(audit_events_digest(scene.hub.store.store, number, &digest, &events), OK);
    return events;
}

static void enemy_row(struct peer_row *row)
{
    struct txn *t;
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    assert_true(peer_get(t, &scene.enemy->signer.key, row));
    txn_abort(t);
}

static void enemy_connects(void)
{
    pipe_open(&scene.enemy_pipe, &scene.enemy_link, &scene.enemy->transport, &scene.to_enemy,
              &scene.hub.keys.transport);
    assert_int_equal(exchange_add_link(scene.hub.exchange, scene.to_enemy, false), OK);
    memset(scene.got, 0, sizeof scene.got);
    scene.refused = 0;
}

static void enemy_leaves(void)
{
    exchange_remove_link(scene.hub.exchange, scene.to_enemy);
    pipe_close(scene.enemy_pipe);
}

static int begin(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof scene);
    township_begin(&scene.township, 2);
    scene.enemy = &scene.township.devices[0];
    for (unsigned i = 0; i < HONEST_REQUESTS; i++) {
        char number[16];
        snprintf(number, sizeof number, "02A-%04u", i + 1);
        township_register(&scene.township, &scene.township.devices[1], number);
    }
    assert_int_equal(zstd_open(&scene.zstd), OK);
    node_begin(&scene.hub, &scene.township.hub, scene.township.roster_count);
    node_begin(&scene.honest, &scene.township.devices[1], scene.township.event_count);
    pipe_open(&scene.honest_pipe, &scene.honest_link, &scene.honest.keys.transport,
              &scene.to_honest, &scene.hub.keys.transport);
    assert_int_equal(exchange_add_link(scene.honest.exchange, scene.honest_link, true), OK);
    assert_int_equal(exchange_add_link(scene.hub.exchange, scene.to_honest, false), OK);
    enemy_connects();
    return 0;
}

static int end(void **state)
{
    (void)state;
    enemy_leaves();
    exchange_remove_link(scene.honest.exchange, scene.honest_link);
    exchange_remove_link(scene.hub.exchange, scene.to_honest);
    pipe_close(scene.honest_pipe);
    exchange_close(scene.hub.exchange);
    exchange_close(scene.honest.exchange);
    township_node_close(&scene.hub.store);
    township_node_close(&scene.honest.store);
    zstd_close(scene.zstd);
    for (size_t i = 0; i < scene.odd_count; i++) buf_clear(&scene.headers[i]);
    township_end(&scene.township);
    return 0;
}

/* --- what must hold whatever the enemy did --- */

static void assert_the_honest_village_is_served(void)
{
    struct exchange_peer peer;
    for (unsigned i = 0; i < 400; i++) {
        turns(1);
        if (exchange_peers(scene.honest.exchange, &peer, 1) == 1 && peer.status.idle) break;
    }
    assert_int_equal(exchange_peers(scene.honest.exchange, &peer, 1), 1);
    assert_true(peer.status.idle);
    assert_int_equal(hub_holds(HONEST_SCOPE), HONEST_REQUESTS);
    struct peer_row row;
    struct txn *t;
    turns(3);
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    assert_true(peer_get(t, &scene.honest.keys.signer.key, &row));
    txn_abort(t);
    assert_int_equal(row.refusals, 0);
    peer_row_clear(&row);
}

static void assert_refused(enum refuse_code code)
{
    turns(4);
    assert_int_equal(scene.refused, code);
    assert_non_null(strstr(scene.hub.log, "refused: "));
    struct peer_row row;
    enemy_row(&row);
    assert_int_equal(row.refusals, 1);
    assert_int_equal(row.state, PEER_FAULT);
    peer_row_clear(&row);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 0);
    assert_int_equal(hub_holds("town"), scene.township.roster_count);
    assert_the_honest_village_is_served();
}

/* --- what the enemy sends --- */

static void enemy_sends(struct buf *frame)
{
    assert_int_equal(frame->err, OK);
    pipe_inject(scene.enemy_pipe, buf_slice(frame));
    buf_clear(frame);
}

static struct frame_hello hello_of_enemy(void)
{
    struct frame_hello h = {.protocol_min = PROTOCOL_MIN,
                            .protocol_max = PROTOCOL_MAX,
                            .time_ms = scene.township.time_ms,
                            .generation = {7},
                            .software = slice_of_text("enemy"),
                            .credit = MIB(1),
                            .complete = true};
    memcpy(h.township8, scene.township.authority.signer.key.bytes, sizeof h.township8);
    return h;
}

/* `count` feeds that nobody knows, numbered from `first`. */
static void enemy_greets(size_t first, size_t count, bool complete)
{
    struct buf frame = {0};
    struct frame_hello h = hello_of_enemy();
    struct have_entry *have = calloc(count + 1, sizeof *have);
    assert_non_null(have);
    for (size_t i = 0; i < count; i++) {
        have[i].seq = 9;
        be64_put(have[i].feed.id8, (first + i) << 32);
    }
    h.have_count = count;
    h.complete = complete;
    have_digest(h.have8, have, count);
    frame_hello_write(&frame, &h, have);
    free(have);
    enemy_sends(&frame);
}

static void enemy_says_hello(void)
{
    enemy_greets(0, 0, true);
    turns(1);
}

/* An event of the enemy, signed with its key, that need not make sense. */
struct odd {
    struct feed feed;
    uint64_t seq;
    struct event_id prev;
    uint64_t time_ms;
    const char *kind;
    const struct thing_id *subject;
    uint32_t depth, seen;
    struct slice body;
};

static struct feed feed_in(const struct township_device *author, const char *scope)
{
    struct feed f = {.author = author->signer.key, .lane = LANE_NORMAL};
    assert_int_equal(scope_parse(&f.scope, slice_of_text(scope)), OK);
    return f;
}

static struct event odd_event(const struct odd *o)
{
    static const uint8_t empty_map = 0x80;
    struct event e = {.feed = o->feed,
                      .seq = o->seq ? o->seq : 1,
                      .prev = o->prev,
                      .kind = slice_of_text(o->kind ? o->kind : "request.register"),
                      .founding = !o->subject,
                      .depth = o->depth,
                      .seen = o->seen,
                      .body = o->body.size ? o->body : slice_of(&empty_map, 1)};
    e.time = HLC_MAKE(o->time_ms ? o->time_ms : scene.township.time_ms + scene.odd_count, 0, false);
    if (o->subject) e.subject = *o->subject;
    assert_true(scene.odd_count < ODD_MAX);
    assert_int_equal(event_encode(&e, &scene.headers[scene.odd_count++]), OK);
    event_sign(&e, &scene.enemy->signer);
    return e;
}

/* A run made by hand, to be spoilt before it is sent. */
struct bad_run {
    struct frame_run frame;
    struct buf raw, payload;
};

static void run_begin(struct bad_run *r, const struct event *events, size_t count)
{
    struct run_context context = {0};
    *r = (struct bad_run){.frame = {.feed = {.whole = true, .feed = events[0].feed}}};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(run_record_write(&context, &r->raw, &events[i]), OK);
    assert_int_equal(run_build(&r->frame.run, scene.zstd, buf_slice(&r->raw), (uint32_t)count,
                               SLICE_EMPTY, 1, &r->payload),
                     OK);
    r->frame.run.signature = events[count - 1].signature;
    run_context_clear(&context);
}

static void run_sent(struct bad_run *r)
{
    struct buf frame = {0};
    frame_run_write(&frame, &r->frame);
    buf_clear(&r->raw);
    buf_clear(&r->payload);
    enemy_sends(&frame);
}

static void enemy_sends_events(const struct event *events, size_t count)
{
    struct bad_run r;
    run_begin(&r, events, count);
    run_sent(&r);
}

static void enemy_sends_event(const struct odd *o)
{
    struct event e = odd_event(o);
    enemy_sends_events(&e, 1);
}

static void enemy_wants(const struct feed *feed, uint64_t flags)
{
    struct buf frame = {0};
    struct frame_want want = {.has_feed = feed, .flags = flags, .feed = {.whole = true}};
    if (feed) want.feed.feed = *feed;
    frame_want_write(&frame, &want);
    enemy_sends(&frame);
}

/* --- runs that are not what they say --- */

static void spoil_signature(struct bad_run *r)
{
    r->frame.run.signature.bytes[3] ^= 1;
}

static void spoil_check(struct bad_run *r)
{
    r->frame.run.check4[0] ^= 1;
}

static void understate_size(struct bad_run *r)
{
    r->frame.run.raw_size--;
}

static void overstate_size(struct bad_run *r)
{
    r->frame.run.raw_size = RUN_RAW_SIZE_MAX;
}

static void understate_count(struct bad_run *r)
{
    r->frame.run.count--;
}

static void overstate_count(struct bad_run *r)
{
    r->frame.run.count = RUN_EVENTS_MAX;
}

static void garble_payload(struct bad_run *r)
{
    memset(r->payload.data + r->payload.size / 2, 0xff, r->payload.size / 2);
}

static void swap_feed(struct bad_run *r)
{
    r->frame.feed.feed.lane = LANE_URGENT;
}

/* A mebibyte of zeros in a few bytes, and the size of the honest records. */
static void hide_a_bomb(struct bad_run *r)
{
    static uint8_t zeros[RUN_RAW_SIZE_MAX];
    uint32_t raw_size = r->frame.run.raw_size;
    buf_reset(&r->payload);
    assert_int_equal(run_build(&r->frame.run, scene.zstd, slice_of(zeros, sizeof zeros), 3,
                               SLICE_EMPTY, 1, &r->payload),
                     OK);
    assert_true(r->payload.size < 1024);
    r->frame.run.raw_size = raw_size;
}

static void state_the_bomb(struct bad_run *r)
{
    hide_a_bomb(r);
    r->frame.run.raw_size = RUN_RAW_SIZE_MAX;
}

static void invent_a_dictionary(struct bad_run *r)
{
    r->frame.run.has_dictionary = true;
    r->frame.run.base_seq = 1;
}

static void a_run_that_lies_is_refused_and_not_stored(void **state)
{
    static const struct {
        void (*spoil)(struct bad_run *r);
        enum refuse_code code;
    } cases[] = {
        {spoil_signature, REFUSE_SIGNATURE},  {spoil_check, REFUSE_MALFORMED},
        {understate_size, REFUSE_MALFORMED},  {overstate_size, REFUSE_MALFORMED},
        {understate_count, REFUSE_MALFORMED}, {overstate_count, REFUSE_MALFORMED},
        {garble_payload, REFUSE_MALFORMED},   {swap_feed, REFUSE_SIGNATURE},
        {hide_a_bomb, REFUSE_MALFORMED},      {state_the_bomb, REFUSE_MALFORMED},
    };
    (void)state;
    struct event events[3];
    for (size_t i = 0; i < 3; i++)
        events[i] = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE),
                                            .seq = i + 1,
                                            .prev = i ? events[i - 1].id : (struct event_id){{0}}});
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bad_run r;
        enemy_says_hello();
        run_begin(&r, events, 3);
        cases[i].spoil(&r);
        run_sent(&r);
        turns(4);
        if (scene.refused != cases[i].code) fail_msg("case %zu: %d", i, (int)scene.refused);
        struct peer_row row;
        enemy_row(&row);
        assert_int_equal(row.refusals, i + 1);
        peer_row_clear(&row);
        enemy_leaves();
        enemy_connects();
    }
    assert_int_equal(hub_holds(ENEMY_SCOPE), 0);
    assert_the_honest_village_is_served();
}

static void a_run_whose_base_or_dictionary_is_not_held_is_asked_for(void **state)
{
    (void)state;
    struct bad_run r;
    struct event e = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    enemy_says_hello();
    run_begin(&r, &e, 1);
    invent_a_dictionary(&r);
    run_sent(&r);
    turns(3);
    assert_int_equal(scene.got[FRAME_WANT], 1);
    enemy_sends_events(&e, 1);
    turns(3);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 1);
    struct event next = odd_event(&(struct odd){.feed = e.feed, .seq = 2, .prev = e.id});
    run_begin(&r, &next, 1);
    invent_a_dictionary(&r);
    memcpy(r.frame.run.base_id8, e.id.bytes, sizeof r.frame.run.base_id8);
    run_sent(&r);
    turns(3);
    assert_int_equal(scene.got[FRAME_WANT], 2);
    assert_int_equal(scene.refused, 0);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 1);
    assert_the_honest_village_is_served();
}

static void the_middle_of_a_chain_is_not_its_beginning(void **state)
{
    (void)state;
    struct event first = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = first.feed, .seq = 2, .prev = first.id});
    assert_refused(REFUSE_SIGNATURE);
}

/* --- frames --- */

static void an_oversized_frame_is_refused(void **state)
{
    (void)state;
    struct buf frame = {0};
    enemy_says_hello();
    memset(buf_reserve(&frame, FRAME_SIZE_MAX + 1), 0xc0, FRAME_SIZE_MAX + 1);
    buf_advance(&frame, FRAME_SIZE_MAX + 1);
    enemy_sends(&frame);
    assert_refused(REFUSE_LIMIT);
}

static void a_garbled_frame_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    pipe_inject(scene.enemy_pipe, slice_of_text("\x9b\x02\xc4"));
    assert_refused(REFUSE_MALFORMED);
}

static void a_frame_before_hello_is_refused(void **state)
{
    (void)state;
    enemy_sends_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    assert_refused(REFUSE_ORDER);
}

/* --- feeds that it may not hold --- */

static void a_feed_of_another_village_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(scene.enemy, "village:431322111209")});
    assert_refused(REFUSE_SCOPE);
}

static void another_authors_feed_outside_its_scopes_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(&scene.township.devices[1], HONEST_SCOPE)});
    assert_refused(REFUSE_SCOPE);
}

static void another_villages_device_may_not_author_here(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(&scene.township.devices[1], ENEMY_SCOPE)});
    assert_refused(REFUSE_SCOPE);
}

static void another_authors_feed_needs_the_authors_signature(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(&scene.township.authority, "town")});
    assert_refused(REFUSE_SIGNATURE);
}

static void an_author_that_no_roster_names_is_asked_about(void **state)
{
    (void)state;
    struct township_device stranger = *scene.enemy;
    township_signer(&stranger.signer, 900);
    enemy_says_hello();
    enemy_sends_event(&(struct odd){.feed = feed_in(&stranger, ENEMY_SCOPE)});
    turns(3);
    assert_int_equal(scene.got[FRAME_WANT], 2); /* the roster, and the feed */
    assert_int_equal(scene.refused, 0);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 0);
    assert_the_honest_village_is_served();
}

/* The hub holds a record whose author its roster does not name any more. */
static void an_unknown_author_opens_no_other_villages_feed(void **state)
{
    (void)state;
    struct township_device stranger = *scene.enemy;
    struct bad_run r;
    struct feed_id id;
    township_signer(&stranger.signer, 900);
    stranger.feed_count = 0;
    struct event secret =
        odd_event(&(struct odd){.feed = feed_in(&stranger, "village:431322111209")});
    event_sign(&secret, &stranger.signer);
    township_node_take(&scene.hub.store, &(struct event *){&secret}, 1);
    enemy_says_hello();
    unsigned before = scene.got[FRAME_RUN];
    run_begin(&r, &secret, 1);
    feed_id_of(&id, &secret.feed);
    r.frame.feed.whole = false;
    memcpy(r.frame.feed.id8, id.bytes, sizeof r.frame.feed.id8);
    run_sent(&r);
    turns(4);
    assert_int_equal(scene.got[FRAME_WANT], 0);
    assert_int_equal(scene.got[FRAME_RUN], before);
    assert_refused(REFUSE_SCOPE);
}

/* --- HELLO --- */

/* What a peer claims of feeds that are not here is not kept: its row would outgrow the store's
 * limit and take the commits of all peers with it. */
static void claims_of_unknown_feeds_cost_nobody_a_commit(void **state)
{
    (void)state;
    enemy_greets(1, HAVE_ENTRIES_MAX, true);
    turns(1);
    enemy_greets(1 + HAVE_ENTRIES_MAX, HAVE_ENTRIES_MAX - 100, false);
    turns(2);
    assert_int_equal(scene.refused, 0);
    assert_the_honest_village_is_served();
    assert_null(strstr(scene.hub.log, "not stored"));
    enemy_leaves();
    enemy_connects();
    turns(2);
    struct peer_row row;
    enemy_row(&row);
    assert_int_equal(row.have_count, 0);
    peer_row_clear(&row);
}

/* --- floods of branches and epochs --- */

static void enemy_opens_epochs(unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        struct odd o = {.feed = feed_in(scene.enemy, ENEMY_SCOPE)};
        o.feed.has_epoch = true;
        be64_put(o.feed.epoch, i + 1);
        enemy_sends_event(&o);
        turns(1);
    }
}

static void the_65th_epoch_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_opens_epochs(0, DEVICE_EPOCHS_MAX);
    turns(2);
    assert_int_equal(scene.refused, 0);
    assert_int_equal(hub_holds(ENEMY_SCOPE), DEVICE_EPOCHS_MAX);
    enemy_opens_epochs(DEVICE_EPOCHS_MAX, DEVICE_EPOCHS_MAX + 1);
    turns(2);
    assert_int_equal(scene.refused, REFUSE_LIMIT);
    assert_int_equal(hub_holds(ENEMY_SCOPE), DEVICE_EPOCHS_MAX);
    assert_the_honest_village_is_served();
}

static void the_ninth_branch_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    for (unsigned i = 0; i <= FEED_BRANCHES_MAX; i++) {
        assert_int_equal(scene.refused, 0);
        enemy_sends_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
        turns(2);
    }
    assert_int_equal(scene.refused, REFUSE_LIMIT);
    assert_int_equal(hub_holds(ENEMY_SCOPE), FEED_BRANCHES_MAX);
    assert_the_honest_village_is_served();
}

/* --- receipts --- */

struct receipt {
    uint64_t counter, seq;
    const struct event *event;
    const struct signer *signer;      /* NULL: the enemy */
    const struct sign_key *addressee; /* NULL: the hub */
};

static void enemy_receipts(const struct receipt *r)
{
    struct buf frame = {0};
    struct feed_id id;
    struct frame_receipt f = {.counter = r->counter, .credit = MIB(1), .entry_count = 1};
    struct receipt_entry entry = {.seq = r->seq, .id = r->event->id};
    struct receipt_parties parties = {.township = scene.township.authority.signer.key,
                                      .receiver = scene.enemy->signer.key,
                                      .addressee =
                                          r->addressee ? *r->addressee : scene.hub.keys.signer.key,
                                      .generation = {7}};
    feed_id_of(&id, &r->event->feed);
    memcpy(entry.feed8, id.bytes, sizeof entry.feed8);
    frame_receipt_write(&frame, &f, &entry, &parties, r->signer ? r->signer : &scene.enemy->signer);
    enemy_sends(&frame);
}

static void a_receipt_by_another_key_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_receipts(&(struct receipt){.counter = 1,
                                     .seq = 1,
                                     .event = scene.township.events[0],
                                     .signer = &scene.township.devices[1].signer});
    assert_refused(REFUSE_SIGNATURE);
}

static void a_receipt_for_another_addressee_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    enemy_receipts(&(struct receipt){.counter = 1,
                                     .seq = 1,
                                     .event = scene.township.events[0],
                                     .addressee = &scene.township.devices[1].signer.key});
    assert_refused(REFUSE_SIGNATURE);
}

static void a_receipt_that_is_played_again_is_refused(void **state)
{
    (void)state;
    enemy_says_hello();
    const struct receipt r = {.counter = 5, .seq = 1, .event = scene.township.events[0]};
    enemy_receipts(&r);
    turns(2);
    assert_int_equal(scene.refused, 0);
    enemy_receipts(&r);
    assert_refused(REFUSE_ORDER);
}

/* What it says of itself is believed, but no row and no commit suffers from it. */
static void a_receipt_for_what_it_may_not_hold_means_nothing(void **state)
{
    (void)state;
    const struct event *foreign = scene.township.events[scene.township.event_count - 1];
    enemy_says_hello();
    enemy_receipts(&(struct receipt){.counter = 5, .seq = HONEST_REQUESTS, .event = foreign});
    turns(3);
    assert_int_equal(scene.refused, 0);
    assert_the_honest_village_is_served();
}

static void a_receipt_that_shrinks_is_sent_again_so_often(void **state)
{
    (void)state;
    const struct event *last = scene.township.events[0], *first = last;
    for (size_t i = 0; i < scene.township.roster_count; i++)
        if (feed_equal(&scene.township.events[i]->feed, &first->feed))
            last = scene.township.events[i];
    enemy_says_hello();
    turns(3);
    unsigned sent = scene.got[FRAME_RUN];
    enemy_receipts(&(struct receipt){.counter = 1, .seq = last->seq, .event = last});
    enemy_receipts(&(struct receipt){.counter = 2, .seq = first->seq, .event = first});
    turns(3);
    assert_int_equal(scene.got[FRAME_RUN], sent + 1);
    for (unsigned i = 2; i < 300; i++) {
        const struct event *e = i % 2 ? first : last;
        enemy_receipts(&(struct receipt){.counter = i + 1, .seq = e->seq, .event = e});
    }
    assert_refused(REFUSE_LIMIT);
}

/* --- floods --- */

static void a_flood_of_hellos_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 500; i++) enemy_greets(1, HAVE_ENTRIES_MAX, true);
    assert_refused(REFUSE_LIMIT);
}

static void a_hello_that_belies_its_digest_is_refused(void **state)
{
    (void)state;
    struct buf frame = {0};
    struct frame_hello h = hello_of_enemy();
    struct have_entry have = {.seq = 1};
    h.have_count = 1;
    frame_hello_write(&frame, &h, &have);
    enemy_sends(&frame);
    assert_refused(REFUSE_MALFORMED);
}

static void a_flood_of_wants_is_refused(void **state)
{
    (void)state;
    const struct feed office = feed_in(&scene.township.hub, "office");
    enemy_says_hello();
    for (unsigned i = 0; i < 1001; i++) enemy_wants(i % 2 ? &office : NULL, 0);
    assert_refused(REFUSE_LIMIT);
}

static void a_want_for_what_it_may_not_hold_is_ignored(void **state)
{
    (void)state;
    const struct feed honest = feed_in(&scene.township.devices[1], HONEST_SCOPE);
    assert_the_honest_village_is_served();
    enemy_says_hello();
    turns(3);
    unsigned sent = scene.got[FRAME_RUN];
    enemy_wants(&honest, WANT_NO_DICTIONARY | WANT_BOXES);
    turns(3);
    assert_int_equal(scene.got[FRAME_RUN], sent);
    assert_int_equal(scene.refused, 0);
}

static void a_flood_of_runs_that_bring_nothing_is_refused(void **state)
{
    (void)state;
    struct event e = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    enemy_says_hello();
    for (unsigned i = 0; i <= RUNS_WASTED_MAX + 1; i++) enemy_sends_events(&e, 1);
    turns(6);
    assert_int_equal(scene.refused, REFUSE_LIMIT);
    assert_int_equal(hub_holds(ENEMY_SCOPE), 1);
    assert_the_honest_village_is_served();
}

/* --- a peer that takes nothing --- */

static size_t frames_unsent_to_enemy(void)
{
    size_t count = 0;
    for (const struct peer *p = scene.hub.exchange->peers; p; p = p->next)
        for (const struct unsent *u = p->unsent; u && p->link == scene.to_enemy; u = u->next)
            count++;
    return count;
}

static void a_peer_that_reads_nothing_is_given_up(void **state)
{
    (void)state;
    struct exchange_peer peers[2];
    const struct feed town = feed_in(&scene.township.authority, "town");
    enemy_says_hello();
    pipe_fill(scene.enemy_pipe, UINT32_MAX);
    /* No more runs are made than one that waits, however often they are asked for. */
    for (unsigned i = 0; i < 50; i++) {
        enemy_wants(&town, 0);
        turns(1);
        assert_true(frames_unsent_to_enemy() <= 2);
    }
    enemy_opens_epochs(0, DEVICE_EPOCHS_MAX);
    assert_int_equal(exchange_peers(scene.hub.exchange, peers, 2), 2);
    for (unsigned i = 0; i < 500; i++) enemy_wants(NULL, WANT_HELLO);
    turns(2);
    assert_int_equal(exchange_peers(scene.hub.exchange, peers, 2), 1);
    assert_the_honest_village_is_served();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(a_run_that_lies_is_refused_and_not_stored),
        TEST(a_run_whose_base_or_dictionary_is_not_held_is_asked_for),
        TEST(the_middle_of_a_chain_is_not_its_beginning),
        TEST(an_oversized_frame_is_refused),
        TEST(a_garbled_frame_is_refused),
        TEST(a_frame_before_hello_is_refused),
        TEST(a_feed_of_another_village_is_refused),
        TEST(another_authors_feed_outside_its_scopes_is_refused),
        TEST(another_villages_device_may_not_author_here),
        TEST(another_authors_feed_needs_the_authors_signature),
        TEST(an_author_that_no_roster_names_is_asked_about),
        TEST(an_unknown_author_opens_no_other_villages_feed),
        TEST(claims_of_unknown_feeds_cost_nobody_a_commit),
        TEST(the_65th_epoch_is_refused),
        TEST(the_ninth_branch_is_refused),
        TEST(a_peer_that_reads_nothing_is_given_up),
        TEST(a_receipt_by_another_key_is_refused),
        TEST(a_receipt_for_another_addressee_is_refused),
        TEST(a_receipt_that_is_played_again_is_refused),
        TEST(a_receipt_for_what_it_may_not_hold_means_nothing),
        TEST(a_receipt_that_shrinks_is_sent_again_so_often),
        TEST(a_flood_of_hellos_is_refused),
        TEST(a_hello_that_belies_its_digest_is_refused),
        TEST(a_flood_of_wants_is_refused),
        TEST(a_want_for_what_it_may_not_hold_is_ignored),
        TEST(a_flood_of_runs_that_bring_nothing_is_refused),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
