#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/enemy.h"

#include "node/store/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct enemy_scene scene; /* large */

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
    if (d == &scene.township.hub) {
        struct device_pair *former = &n->keys.held[n->keys.held_count++];
        former->signer = d->signer;
        box_pair_make(&former->transport, &former->transport_secret);
        scene.hub_key = former->transport;
    }
    township_node_take(&n->store, scene.township.events, events);
    const struct exchange_options options = {.store = n->store.store,
                                             .views = n->store.views,
                                             .keys = &n->keys,
                                             .courier_home = n->store.home,
                                             .log = keep_log,
                                             .log_state = n};
    n->log[0] = 0;
    assert_int_equal(exchange_open(&n->exchange, &options), OK);
}

static void turn(struct node *n)
{
    bool more;
    scene.now_ms += 20;
    struct exchange_time time = {
        .now_ms = scene.now_ms,
        .clock = {.wall_ms = scene.township.time_ms + scene.now_ms, .trusted = true}};
    assert_int_equal(exchange_turn(n->exchange, &time, &more), OK);
}

/* A run of a feed that the enemy may not see, whichever way it is named. */
static bool is_foreign(struct slice frame)
{
    struct frame_run f;
    struct txn *t;
    struct feed_row row;
    assert_int_equal(frame_run_read(&f, frame), OK);
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    bool held = feed_find_id8(t, f.feed.id8, &row) == OK;
    txn_abort(t);
    if (!held || scope_class(&row.feed.scope) == SCOPE_TOWN) return false;
    return strcmp(row.feed.scope.text, ENEMY_SCOPE) != 0;
}

static void reads_of_courier(struct slice frame, uint64_t type)
{
    struct frame_ask ask;
    struct frame_part part;
    if (type == FRAME_PART && frame_part_read(&part, frame) == OK) scene.parts += part.bytes.size;
    if (type != FRAME_ASK || frame_ask_read(&ask, frame) != OK) return;
    assert_true(ask.state <= ASK_LATER);
    scene.asked[ask.state]++;
    if (ask.state == ASK_PART) scene.ask = ask;
}

static void enemy_reads(void)
{
    struct link_event event;
    while (scene.enemy_link->ops->next(scene.enemy_link, &event)) {
        uint64_t type;
        struct frame_refuse refuse;
        if (event.type != LINK_FRAME) continue;
        assert_int_equal(frame_type_of(event.frame, &type), OK);
        scene.got[type <= FRAME_PING ? type : 0]++;
        reads_of_courier(event.frame, type);
        if (type == FRAME_REFUSE && frame_refuse_read(&refuse, event.frame) == OK)
            scene.refused = refuse.code;
        if (type == FRAME_RUN && is_foreign(event.frame)) scene.foreign = true;
    }
}

void turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        turn(&scene.hub);
        turn(&scene.honest);
        enemy_reads();
    }
}

uint64_t hub_holds(const char *scope)
{
    uint64_t events = 0;
    struct hash digest;
    uint32_t number = township_node_scope(&scene.hub.store, scope);
    if (number)
        assert_int_equal(audit_events_digest(scene.hub.store.store, number, &digest, &events), OK);
    return events;
}

void enemy_row(struct peer_row *row)
{
    struct txn *t;
    assert_int_equal(txn_begin(scene.hub.store.store, false, &t), OK);
    assert_true(peer_get(t, &scene.enemy->signer.key, row));
    txn_abort(t);
}

void enemy_connects(void)
{
    pipe_open(&scene.enemy_pipe, &scene.enemy_link, &scene.enemy->transport, &scene.to_enemy,
              &scene.hub.keys.transport);
    assert_int_equal(exchange_add_link(scene.hub.exchange, scene.to_enemy, false), OK);
    memset(scene.got, 0, sizeof scene.got);
    scene.refused = 0;
    scene.foreign = false;
}

void enemy_leaves(void)
{
    exchange_remove_link(scene.hub.exchange, scene.to_enemy);
    pipe_close(scene.enemy_pipe);
}

int enemy_begin(void **state)
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

int enemy_end(void **state)
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
    enemy_stick_clear();
    township_end(&scene.township);
    return 0;
}

/* --- what must hold whatever the enemy did --- */

void assert_the_honest_village_is_served(void)
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

void assert_refused(enum refuse_code code)
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

/* --- what the enemy sends, by its link or on a stick --- */

static void stick_put(struct slice frame)
{
    struct enemy_stick *s = &scene.stick;
    uint64_t type = 0;
    struct buf *to = &s->hello;
    if (frame_type_of(frame, &type) != OK || type != FRAME_HELLO || s->hello.size) {
        assert_true(s->count < STICK_FRAMES_MAX);
        to = &s->frames[s->count++];
    }
    buf_append_slice(to, frame);
    assert_int_equal(to->err, OK);
}

void enemy_sends(struct buf *frame)
{
    assert_int_equal(frame->err, OK);
    if (scene.stick.used)
        stick_put(buf_slice(frame));
    else
        pipe_inject(scene.enemy_pipe, buf_slice(frame));
    buf_clear(frame);
}

struct frame_hello hello_of_enemy(void)
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

void enemy_greets(size_t first, size_t count, bool complete)
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

void enemy_says_hello(void)
{
    enemy_greets(0, 0, true);
    turns(1);
}

struct feed feed_in(const struct township_device *author, const char *scope)
{
    struct feed f = {.author = author->signer.key, .lane = LANE_NORMAL};
    assert_int_equal(scope_parse(&f.scope, slice_of_text(scope)), OK);
    return f;
}

struct event odd_event(const struct odd *o)
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

void run_after(struct bad_run *r, const struct event *before, const struct event *events,
               size_t count)
{
    struct run_context context = {.time = before ? before->time : 0};
    *r = (struct bad_run){.frame = {.feed = {.whole = true, .feed = events[0].feed}}};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(run_record_write(&context, &r->raw, &events[i]), OK);
    run_context_clear(&context);
    r->frame.run.count = (uint32_t)count;
    run_packed(r);
    r->frame.run.signature = events[count - 1].signature;
    if (!before) return;
    r->frame.run.base_seq = before->seq;
    memcpy(r->frame.run.base_id8, before->id.bytes, sizeof r->frame.run.base_id8);
}

void run_begin(struct bad_run *r, const struct event *events, size_t count)
{
    run_after(r, NULL, events, count);
}

void run_packed(struct bad_run *r)
{
    buf_reset(&r->payload);
    assert_int_equal(run_build(&r->frame.run, scene.zstd, buf_slice(&r->raw), r->frame.run.count,
                               SLICE_EMPTY, 1, &r->payload),
                     OK);
}

void run_sent(struct bad_run *r)
{
    struct buf frame = {0};
    frame_run_write(&frame, &r->frame);
    buf_clear(&r->raw);
    buf_clear(&r->payload);
    enemy_sends(&frame);
}

void enemy_sends_events(const struct event *events, size_t count)
{
    struct bad_run r;
    run_begin(&r, events, count);
    run_sent(&r);
}

void enemy_sends_event(const struct odd *o)
{
    struct event e = odd_event(o);
    enemy_sends_events(&e, 1);
}

/* The event that it follows, among all that the township recorded. */
static const struct event *event_before(const struct event *e)
{
    for (size_t i = scene.township.event_count; e->seq > 1 && i > 0; i--)
        if (event_id_equal(&scene.township.events[i - 1]->id, &e->prev))
            return scene.township.events[i - 1];
    return NULL;
}

const struct event *enemy_passes_on(struct township_device *author, const struct township_act *act)
{
    const struct event *e = township_record(&scene.township, author, act);
    struct bad_run r;
    run_after(&r, event_before(e), e, 1);
    run_sent(&r);
    return e;
}

const struct event *enemy_says(const struct township_act *act)
{
    return enemy_passes_on(scene.enemy, act);
}

const struct event *hub_learns(struct township_device *author, const struct township_act *act)
{
    const struct event *e = township_record(&scene.township, author, act);
    struct event *one = scene.township.events[scene.township.event_count - 1];
    township_node_take(&scene.hub.store, &one, 1);
    struct exchange_time time = {.now_ms = ++scene.now_ms};
    assert_int_equal(exchange_refresh(scene.hub.exchange, &time), OK);
    return e;
}

void enemy_wants(const struct feed *feed, uint64_t flags)
{
    struct buf frame = {0};
    struct frame_want want = {.has_feed = feed, .flags = flags, .feed = {.whole = true}};
    if (feed) want.feed.feed = *feed;
    frame_want_write(&frame, &want);
    enemy_sends(&frame);
}
