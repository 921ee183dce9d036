/* One contact of an image with another home, by the real exchange over a link in memory. */
#include "node/exchange.h"
#include "node/lives.h"
#include "node/views/views.h"
#include "tests/fault/check.h"
#include "tests/support/pipe.h"

#include <stdio.h>
#include <time.h>

enum { TURNS = 20000, TURN_MS = 20, LOOK_EACH = 100 };

struct side {
    struct store *store;
    struct views *views;
    struct device_keys keys;
    struct exchange *exchange;
    struct link *link;
};

static enum err side_open(struct side *s, const char *home)
{
    bool behind;
    *s = (struct side){.store = NULL};
    enum err err = home_load_keys(home, &s->keys);
    if (!err) err = store_open(&s->store, home, NULL);
    if (!err) err = lives_open(s->store, &behind);
    if (!err) err = views_open(&s->views, s->store);
    if (!err) err = views_rebuild_finish(s->views, s->store);
    const struct exchange_options options = {
        .store = s->store, .views = s->views, .keys = &s->keys};
    return err ? err : exchange_open(&s->exchange, &options);
}

static void side_close(struct side *s)
{
    exchange_close(s->exchange);
    views_close(s->views);
    store_close(s->store);
    device_keys_wipe(&s->keys);
}

/* Of what the other holds, what the image lacks; and forks in its own feeds. */
struct found {
    uint64_t missing, forks;
};
static void look(struct store *image, struct store *other, struct found *out)
{
    struct txn *t = NULL, *o = NULL;
    struct scope_row scope;
    struct feed_row feed, mine;
    struct event e;
    *out = (struct found){0, 0};
    if (txn_begin(image, false, &t) || txn_begin(other, false, &o)) {
        out->missing = UINT64_MAX;
        txn_abort(t);
        return;
    }
    for (uint64_t arrival = 1, count = log_count(o); arrival <= count; arrival++) {
        if (log_read_any(o, arrival, &e)) continue;
        /* What this home may not hold at all is not its loss. */
        if (!scope_find(t, &e.feed.scope, &scope)) continue;
        bool held = feed_find(t, &e.feed, &mine) && log_find(t, mine.number, e.seq, e.id.bytes);
        out->missing += !held;
    }
    for (uint32_t number = 1; number <= feed_count(t) && feed_get(t, number, &feed); number++)
        out->forks += feed.head_count > 1;
    txn_abort(t);
    txn_abort(o);
}

/* Until nothing is missing, for a few minutes of their time at most. */
static enum err meet(struct side *caller, struct side *called, struct store *image,
                     struct store *other, struct found *found)
{
    struct pipe *pipe;
    uint64_t wall_ms = (uint64_t)time(NULL) * 1000;
    bool more;
    pipe_open(&pipe, &caller->link, &caller->keys.transport, &called->link,
              &called->keys.transport);
    enum err err = exchange_add_link(caller->exchange, caller->link, true);
    if (!err) err = exchange_add_link(called->exchange, called->link, false);
    for (unsigned i = 1; !err && i < TURNS; i++) {
        struct exchange_time now = {.now_ms = 1000 + i * TURN_MS,
                                    .clock = {.wall_ms = wall_ms + i * TURN_MS, .trusted = true}};
        err = exchange_turn(caller->exchange, &now, &more);
        if (!err) err = exchange_turn(called->exchange, &now, &more);
        if (err || i % LOOK_EACH) continue;
        look(image, other, found);
        if (!found->missing) break;
    }
    exchange_remove_link(caller->exchange, caller->link);
    exchange_remove_link(called->exchange, called->link);
    pipe_close(pipe);
    return err;
}

bool check_contact(struct judged *out, bool image_calls, const char *path, const char *other)
{
    struct side image, peer = {.store = NULL};
    struct found f = {UINT64_MAX, 0};
    enum err err = side_open(&image, path);
    if (!err) err = side_open(&peer, other);
    if (!err)
        err = image_calls ? meet(&image, &peer, image.store, peer.store, &f)
                          : meet(&peer, &image, image.store, peer.store, &f);
    side_close(&image);
    side_close(&peer);
    out->told = err != OK;
    if (err || f.missing || f.forks)
        (void)snprintf(out->why, sizeof out->why, "after a contact: %s, %u missing, %u forks",
                       err_name(err), (unsigned)f.missing, (unsigned)f.forks);
    return !err && !f.missing && !f.forks;
}
