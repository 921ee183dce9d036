#include "tests/sim/scene.h"

#include "proto/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The honest village has a line of a village, the enemy one that carries all it can make; the hub's
 * core takes the time that it takes here. So what the flood costs the village is what its sync
 * takes longer.
 */
enum {
    HONEST = 1,
    ENEMY = 2,
    UP = 80,
    DOWN = 40, /* records of the village, of the hub for it */
    ENEMY_BPS = 10000000,
    SLOWER_MAX_PERCENT = 20,
    BODY_SIZE = 14000,
    LARGE_EVENTS = 60,
};

struct flood {
    struct sim_node *enemy;
    size_t kind; /* of floods[] */
    struct link *link;
    uint64_t peer; /* 0: not connected */
    struct zstd *zstd;
    struct rng rng;
    uint64_t frames, contacts, number, counter;
    bool full;
    struct event event; /* the newest of its chain */
    struct buf header, raw, payload, frame;
};
static struct flood flood;
static uint8_t noise[FRAME_SIZE_MAX];

/* --- what it sends --- */

static void send_frame(struct flood *f)
{
    if (f->frame.err) abort();
    enum err err = f->link->ops->send(f->link, f->peer, buf_slice(&f->frame));
    if (err == OK) f->frames++;
    f->full = err != OK;
    buf_reset(&f->frame);
}

static void greet(struct flood *f, size_t feeds)
{
    static struct have_entry have[HAVE_ENTRIES_MAX];
    struct frame_hello h = {.protocol_min = PROTOCOL_MIN,
                            .protocol_max = PROTOCOL_MAX,
                            .time_ms = SIM_EPOCH_MS,
                            .generation = {7},
                            .software = slice_of_text("enemy"),
                            .credit = MIB(1),
                            .complete = true,
                            .have_count = feeds};
    memcpy(h.township8, f->enemy->sim->authority.key.bytes, sizeof h.township8);
    for (size_t i = 0; i < feeds; i++) {
        have[i] = (struct have_entry){.seq = 9};
        be64_put(have[i].feed.id8, (++f->number << 20) + i);
    }
    have_digest(h.have8, have, feeds);
    frame_hello_write(&f->frame, &h, have);
    send_frame(f);
}

static void send_hello(struct flood *f)
{
    greet(f, HAVE_ENTRIES_MAX);
}

static void send_ping(struct flood *f)
{
    frame_ping_write(&f->frame, 0);
    send_frame(f);
}

static void send_want(struct flood *f)
{
    struct frame_want want = {
        .has_feed = true, .flags = WANT_NO_DICTIONARY | WANT_BOXES, .feed = {.whole = true}};
    want.feed.feed = (struct feed){
        .author = f->enemy->sim->authority.key, .scope = scope_town(), .lane = LANE_NORMAL};
    frame_want_write(&f->frame, &want);
    send_frame(f);
}

static void send_unknown(struct flood *f)
{
    static const uint8_t head[] = {0x92, 99, 0xc5, 0xf0, 0x00};
    buf_append(&f->frame, head, sizeof head);
    buf_append(&f->frame, noise, 0xf000);
    send_frame(f);
}

static void send_receipt(struct flood *f)
{
    struct receipt_entry entry = {.seq = 1 + f->number++ % 2};
    struct frame_receipt r = {.counter = ++f->counter, .credit = MIB(1), .entry_count = 1};
    const struct receipt_parties parties = {.township = f->enemy->sim->authority.key,
                                            .receiver = f->enemy->keys.signer.key,
                                            .addressee = f->enemy->sim->nodes[0].keys.signer.key,
                                            .generation = {7}};
    frame_receipt_write(&f->frame, &r, &entry, &parties, &f->enemy->keys.signer);
    send_frame(f);
}

static void send_piece(struct flood *f)
{
    struct frame_piece p = {.run_size = FRAME_SIZE_MAX, .bytes = slice_of(noise, KIB(60))};
    be64_put(p.run8, ++f->number);
    frame_piece_write(&f->frame, &p);
    send_frame(f);
}

/* --- runs --- */

static void event_make(struct flood *f, struct event *e)
{
    e->time = HLC_MAKE(SIM_EPOCH_MS + ++f->number, 0, false);
    buf_reset(&f->header);
    if (event_encode(e, &f->header) != OK) abort();
    event_sign(e, &f->enemy->keys.signer);
}

static struct event event_of(const struct flood *f, struct slice body)
{
    struct event e = {.feed = {.author = f->enemy->keys.signer.key,
                               .scope = scope_of_village(f->enemy->village),
                               .lane = LANE_NORMAL},
                      .seq = 1,
                      .kind = slice_of_text("request.register"),
                      .founding = true,
                      .body = body};
    return e;
}

static const uint8_t empty_map = 0x80;

static void run_write(struct flood *f, const struct event *before, const struct event *events,
                      size_t count)
{
    struct run_context context = {.time = before != NULL ? before->time : 0};
    struct frame_run r = {.feed = {.whole = true, .feed = events[0].feed}};
    buf_reset(&f->raw);
    buf_reset(&f->payload);
    for (size_t i = 0; i < count; i++)
        if (run_record_write(&context, &f->raw, &events[i]) != OK) abort();
    run_context_clear(&context);
    if (run_build(&r.run, f->zstd, buf_slice(&f->raw), (uint32_t)count, SLICE_EMPTY, 1,
                  &f->payload) != OK)
        abort();
    r.run.signature = events[count - 1].signature;
    if (before != NULL) {
        r.run.base_seq = before->seq;
        memcpy(r.run.base_id8, before->id.bytes, sizeof r.run.base_id8);
    }
    frame_run_write(&f->frame, &r);
}

/* Behind an event that nobody has. */
static void send_without_base(struct flood *f)
{
    struct frame_run r = {
        .feed = {.whole = true, .feed = event_of(f, SLICE_EMPTY).feed},
        .run = {
            .base_seq = 7, .count = 3, .raw_size = KIB(100), .payload = slice_of(noise, KIB(60))}};
    frame_run_write(&f->frame, &r);
    send_frame(f);
}

static void send_again(struct flood *f)
{
    if (f->event.seq == 0) {
        f->event = event_of(f, slice_of(&empty_map, 1));
        event_make(f, &f->event);
    }
    run_write(f, NULL, &f->event, 1);
    send_frame(f);
}

/* Each in an epoch of its own, until that is over the limit and after. */
static void send_epoch(struct flood *f)
{
    struct event e = event_of(f, slice_of(&empty_map, 1));
    e.feed.has_epoch = true;
    be64_put(e.feed.epoch, f->number + 1);
    event_make(f, &e);
    run_write(f, NULL, &e, 1);
    send_frame(f);
}

/* One thing, deeper and deeper: it is folded again for each. */
static void send_act(struct flood *f)
{
    const struct event before = f->event;
    struct event e = event_of(f, slice_of(&empty_map, 1));
    if (before.seq > 0) {
        e.seq = before.seq + 1;
        e.prev = before.id;
        e.kind = slice_of_text("contact.log");
        e.founding = false;
        e.subject = before.subject;
        e.depth = e.seen = (uint32_t)before.seq;
    }
    event_make(f, &e);
    run_write(f, before.seq > 0 ? &before : NULL, &e, 1);
    send_frame(f);
    if (!f->full) f->event = e;
}

/* A mebibyte of zeros in a few bytes. */
static void send_bomb(struct flood *f)
{
    static uint8_t zeros[RUN_RAW_SIZE_MAX];
    struct frame_run r = {.feed = {.whole = true, .feed = event_of(f, SLICE_EMPTY).feed}};
    buf_reset(&f->payload);
    if (run_build(&r.run, f->zstd, slice_of(zeros, sizeof zeros), 3, SLICE_EMPTY, 1, &f->payload) !=
        OK)
        abort();
    frame_run_write(&f->frame, &r);
    send_frame(f);
}

/* Some 800 KB of one letter in a KB, good and new: they are stored. */
static void send_large(struct flood *f)
{
    static uint8_t body[6 + BODY_SIZE] = {0x81, 0xa1, 'x', 0xda, BODY_SIZE >> 8, BODY_SIZE & 0xff};
    static struct event events[1 + LARGE_EVENTS]; /* behind the one before */
    memset(body + 6, 'a', BODY_SIZE);
    events[0] = f->event;
    for (size_t i = 1; i <= LARGE_EVENTS; i++) {
        struct event *e = &events[i];
        *e = event_of(f, slice_of(body, sizeof body));
        e->seq = events[i - 1].seq + 1;
        e->prev = events[i - 1].id;
        event_make(f, e);
    }
    run_write(f, f->event.seq > 0 ? &events[0] : NULL, events + 1, LARGE_EVENTS);
    send_frame(f);
    if (!f->full) f->event = events[LARGE_EVENTS];
}

static void send_goodbye(struct flood *f)
{
    frame_bye_write(&f->frame);
    send_frame(f);
}

/* What the enemy has to compute itself it sends more slowly, and still more than a core can take.
 */
enum { TICK_MS = 10, OFTEN = 50, SELDOM = 10, LARGE = 2 /* frames a tick */ };
static const struct {
    const char *name;
    void (*send)(struct flood *f);
    unsigned a_tick;
} floods[] = {
    {"nobody floods", NULL, 0},
    {"HELLOs of 2,048 feeds", send_hello, SELDOM},
    {"WANTs of the roster", send_want, OFTEN},
    {"PINGs", send_ping, OFTEN},
    {"frames that nobody knows", send_unknown, OFTEN},
    {"receipts", send_receipt, SELDOM},
    {"pieces of runs without end", send_piece, OFTEN},
    {"runs without a base", send_without_base, OFTEN},
    {"the same run", send_again, OFTEN},
    {"epochs", send_epoch, OFTEN},
    {"acts on one thing", send_act, SELDOM},
    {"bombs", send_bomb, SELDOM},
    {"records of 14 KB", send_large, LARGE},
    {"connections", send_goodbye, OFTEN},
};
_Static_assert(sizeof floods / sizeof floods[0] == FLOODS + 1, "as scene.h says");

/* --- the play ------------------------------------------------------------------------------- */

static struct net_line enemy_line(void)
{
    struct net_line line = scene_line(ENEMY_BPS, 5);
    line.queue_max = OFTEN;
    for (int way = 0; way < 2; way++) line.way[way].queue_max = MIB(1);
    return line;
}

/* A connection that is over is made again at once. */
static void enemy_listens(struct flood *f)
{
    struct link_event event;
    bool over = false;
    while (f->link != NULL && f->link->ops->next(f->link, &event)) {
        if (event.type == LINK_UP) {
            f->peer = event.peer;
            f->contacts++;
            greet(f, 0);
        }
        if (event.type == LINK_DOWN) over = true;
    }
    if (!over) return;
    f->link->ops->close(f->link);
    f->link = NULL;
    f->peer = 0;
}

static void enemy_dials(struct flood *f)
{
    static struct net_line line;
    struct sim *s = f->enemy->sim;
    const struct net_line *others = s->net.line;
    line = enemy_line();
    s->net.line = &line;
    f->link = net_dial(s, f->enemy, &s->nodes[SIM_HUB].keys.transport, &f->enemy->keys.transport);
    s->net.line = others;
}

static void enemy_ticks(struct sim *s, size_t a)
{
    struct flood *f = &flood;
    enemy_listens(f);
    if (f->link == NULL) enemy_dials(f);
    f->full = false;
    for (unsigned i = 0; f->peer != 0 && !f->full && i < floods[f->kind].a_tick; i++)
        floods[f->kind].send(f);
    story_schedule(s, TICK_MS, (struct step){.type = STEP_CALL, .a = a, .call = enemy_ticks});
}

static void enemy_begins(struct sim *s, uint64_t number)
{
    flood = (struct flood){.enemy = &s->nodes[ENEMY], .kind = number, .rng = {.state = number}};
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)rng_next(&flood.rng);
    if (zstd_open(&flood.zstd) != OK) abort();
    flood.enemy->hostile = true;
    s->cores = true;
    enemy_ticks(s, 0);
    story_run(s, s->now_ms + SECONDS(1));
}

static void enemy_ends(void)
{
    struct buf *bufs[] = {&flood.header, &flood.raw, &flood.payload, &flood.frame};
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) buf_clear(bufs[i]);
    zstd_close(flood.zstd);
    if (flood.link != NULL) flood.link->ops->close(flood.link);
}

void flood_play(struct sim *s, uint64_t number)
{
    const struct net_line line = scene_line(64000, 300);
    struct sim_node *village = &s->nodes[HONEST], *hub = &s->nodes[SIM_HUB];
    struct recorded up, down;
    scene_begin(s, &line);
    for (int i = 0; i < UP; i++) scene_register(village, LANE_NORMAL, 200, &up);
    for (int i = 0; i < DOWN; i++) scene_register(hub, LANE_NORMAL, 200, &down);
    if (number > 0) enemy_begins(s, number);
    const uint64_t begun_ms = s->now_ms, used_us = hub->used_us;
    scene_contact(village);
    while (!scene_holds(hub, &up) || !scene_holds(village, &down)) {
        if (s->now_ms - begun_ms > MINUTES(5)) sim_fail(s, "the village never got through");
        story_run(s, s->now_ms + 20);
    }
    const uint64_t took_ms = s->now_ms - begun_ms;
    if (number == 0) {
        s->kept[0] = took_ms;
        return;
    }
    const double slower = 100 * ((double)took_ms / (double)s->kept[0] - 1);
    printf("  %-28s %5.1f s, %+5.1f %%; %llu frames in %llu connections, the hub's core %.0f %%\n",
           floods[number].name, (double)took_ms / 1000, slower, (unsigned long long)flood.frames,
           (unsigned long long)flood.contacts,
           (double)(hub->used_us - used_us) / 10.0 / (double)took_ms);
    enemy_ends();
    if (slower > SLOWER_MAX_PERCENT)
        sim_fail(s, "%s made the village's sync %.0f %% slower", floods[number].name, slower);
}
