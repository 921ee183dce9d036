#include "tests/support/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_TIME HLC_MAKE(UINT64_C(1795000000000), 0, false)

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "tests/support/events: %s\n", what);
    abort();
}

void test_signer(struct signer *out, unsigned number)
{
    struct sign_seed seed = {{0}};
    be32_put(seed.bytes, number);
    signer_from_seed(out, &seed);
}

struct thing_id test_thing(unsigned number)
{
    struct thing_id id;
    memset(&id, 0x5a, sizeof id);
    be32_put(id.bytes + 12, number);
    return id;
}

void test_map(struct buf *out, const char *const *pairs)
{
    struct mp_map map = {0};
    for (; pairs[0]; pairs += 2) {
        struct mp_writer w = mp_map_put(&map, pairs[0]);
        mp_write_text(&w, pairs[1]);
    }
    must(mp_map_end(&map, out) == OK, "a map");
    mp_map_clear(&map);
}

void test_chain_begin(struct test_chain *c, unsigned author, const char *scope)
{
    *c = (struct test_chain){.events = calloc(TEST_CHAIN_EVENTS_MAX, sizeof *c->events)};
    must(c->events, "out of memory");
    test_signer(&c->signer, author);
    c->feed.author = c->signer.key;
    c->feed.lane = LANE_NORMAL;
    must(scope_parse(&c->feed.scope, slice_of_text(scope)) == OK, "a scope");
}

/* Each event's header, body and box are in memory of their own, freed in test_chain_end. */
struct event *test_chain_add(struct test_chain *c, const struct test_event *t)
{
    must(c->count < TEST_CHAIN_EVENTS_MAX, "a chain of TEST_CHAIN_EVENTS_MAX at most");
    const struct event *before = c->count ? &c->events[c->count - 1] : NULL;
    struct event *e = &c->events[c->count++];
    struct buf body = {0}, box = {0}, header = {0};
    test_map(&body, t->body);
    *e = (struct event){.feed = c->feed, .seq = c->count, .body = buf_slice(&body)};
    if (before) e->prev = before->id;
    e->time = before ? before->time + HLC_MAKE(1000, 0, false) : TEST_TIME;
    if (t->time) e->time = t->time;
    e->kind = slice_of_text(t->kind ? t->kind : "request.register");
    e->founding = !t->subject;
    if (t->subject) e->subject = *t->subject;
    e->has_by = t->by;
    if (t->by) e->by = *t->by;
    e->depth = t->depth;
    e->seen = t->seen;
    if (t->box[0]) {
        test_map(&box, t->box);
        e->box_state = BOX_HERE;
        e->box = buf_slice(&box);
        be64_put(e->salt, c->count);
    }
    must(event_encode(e, &header) == OK, "an event");
    event_sign(e, &c->signer);
    struct event decoded;
    must(event_decode(&decoded, e->header) == OK, "an event's header");
    e->kind = decoded.kind;
    e->body = decoded.body;
    if (t->box_gone) {
        e->box_state = BOX_GONE;
        e->box = SLICE_EMPTY;
        buf_clear(&box);
    }
    buf_clear(&body);
    return e;
}

void test_chain_fill(struct test_chain *c, size_t count)
{
    char content[160], phone[16];
    struct thing_id by = test_thing(1);
    size_t founded = 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(content, sizeof content, "%zu组路灯不亮，晚上老人出行不方便，请尽快派人来看",
                 i % 17);
        snprintf(phone, sizeof phone, "138%08zu", (i * 7919) % 100000000);
        struct test_event register_ = {
            .by = &by,
            .body = {"category", "roads", "channel", "phone", "nature", "help", "urgency", "2"},
            .box = {"name", "某某某", "phone", phone, "place", "村委会旁", "content", content},
        };
        struct test_event report = {
            .kind = "request.report",
            .subject = &c->events[founded].subject,
            .by = &by,
            .depth = 1,
            .seen = 1,
            .body = {"result", "done"},
            .box = {"text", content},
        };
        bool act = c->count > 0 && i % 3 == 2;
        test_chain_add(c, act ? &report : &register_);
        if (!act) founded = c->count - 1;
    }
}

void test_chain_end(struct test_chain *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free((void *)(uintptr_t)c->events[i].header.data);
        free((void *)(uintptr_t)c->events[i].box.data);
    }
    free(c->events);
    signer_clear(&c->signer);
    *c = (struct test_chain){0};
}
