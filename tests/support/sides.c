#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void trace(struct side *s, const char *what)
{
    size_t used = strlen(s->trace);
    snprintf(s->trace + used, sizeof s->trace - used, "%s%s", used ? " " : "", what);
}

struct event_id side_event_id(size_t feed, uint64_t branch, uint64_t fork, uint64_t seq)
{
    struct event_id id = {{0}};
    if (seq <= fork) branch = 0;
    be64_put(id.bytes, seq * 1000 + feed * 10 + branch + 1);
    be64_put(id.bytes + 24, seq);
    return id;
}

struct feed side_feed(size_t number)
{
    struct feed f = {.scope = scope_of_village("431322111201"), .lane = LANE_NORMAL};
    f.author.bytes[0] = (uint8_t)(number + 1);
    return f;
}

void side_describe(const struct side *s, size_t number, struct session_feed *out)
{
    const struct fake_feed *f = &s->feeds[number];
    *out = (struct session_feed){.feed = f->feed, .own = true, .roster = f->roster};
    feed_id_of(&out->id, &f->feed);
    for (uint64_t b = 0; b < SIDE_BRANCHES; b++) {
        if (!f->top[b]) continue;
        out->heads[out->head_count].seq = f->top[b];
        out->heads[out->head_count++].id = side_event_id(number, b, f->fork, f->top[b]);
    }
}

size_t side_number_of(const struct feed_ref *ref)
{
    for (size_t i = 0; i < SIDE_FEEDS; i++) {
        struct feed f = side_feed(i);
        struct feed_id id;
        feed_id_of(&id, &f);
        if (ref->whole ? feed_equal(&f, &ref->feed) : !memcmp(id.bytes, ref->id8, 8)) return i;
        f.lane = LANE_URGENT;
        feed_id_of(&id, &f);
        if (ref->whole ? feed_equal(&f, &ref->feed) : !memcmp(id.bytes, ref->id8, 8)) return i;
    }
    fail_msg("unknown feed");
    return 0;
}

/* Does this side hold event (seq, id8)? On which branch? */
static bool holds(const struct side *s, size_t number, uint64_t seq, const uint8_t id8[8],
                  uint64_t *branch)
{
    const struct fake_feed *f = &s->feeds[number];
    for (uint64_t b = 0; f->held && b < SIDE_BRANCHES; b++) {
        struct event_id id = side_event_id(number, b, f->fork, seq);
        if (seq <= f->top[b] && !memcmp(id.bytes, id8, 8)) {
            *branch = b;
            return true;
        }
    }
    return false;
}

static struct session_points points_of(const struct side *s, size_t number,
                                       struct want_point points[WANT_POINTS_MAX])
{
    struct session_points out = {.points = points};
    const struct fake_feed *f = &s->feeds[number];
    for (uint64_t b = 0; f->held && b < SIDE_BRANCHES; b++)
        for (uint64_t step = 1, seq = f->top[b]; seq > 0 && out.count < WANT_POINTS_MAX;) {
            struct event_id id = side_event_id(number, b, f->fork, seq);
            points[out.count].seq = seq;
            memcpy(points[out.count++].id8, id.bytes, 8);
            seq = seq > step ? seq - step : 0;
            step *= 2;
        }
    return out;
}

void side_answer_build(struct side *s, const struct session_action *a)
{
    size_t number = side_number_of(&a->feed);
    const struct fake_feed *f = &s->feeds[number];
    struct want_point points[WANT_POINTS_MAX];
    uint64_t branch = 0, base = 0;
    bool found = false;
    for (uint64_t b = 0; b < SIDE_BRANCHES; b++) {
        struct event_id id = side_event_id(number, b, f->fork, f->top[b]);
        if (f->top[b] && event_id_equal(&id, &a->head)) branch = b;
    }
    for (size_t i = 0; i < a->point_count; i++) {
        uint64_t b = 0, seq = a->points[i].seq;
        if (!holds(s, number, seq, a->points[i].id8, &b)) continue;
        if (b != branch && seq > f->fork) seq = f->fork;
        if (seq > base) base = seq;
        found = true;
    }
    enum err err = f->damaged ? ERR_CORRUPT : !found && !a->from_start ? ERR_BASE : OK;
    if (!err && base >= f->top[branch]) err = ERR_NOT_FOUND;
    uint64_t last = f->top[branch];
    if (s->run_events && last > base + s->run_events) last = base + s->run_events;
    uint64_t most = s->event_bytes ? a->payload_max / s->event_bytes + 1 : last;
    if (last > base + most) last = base + most;
    struct event_id base_id = side_event_id(number, branch, f->fork, base);
    struct event_id last_id = side_event_id(number, branch, f->fork, last);
    static uint8_t payload[RUN_PAYLOAD_SIZE_MAX];
    be64_put(payload, branch);
    size_t size = sizeof(uint64_t) + s->event_bytes * (size_t)(last - base);
    assert_true(size <= sizeof payload || err);
    struct session_run built = {.run = {.base_seq = base,
                                        .count = (uint32_t)(last - base),
                                        .raw_size = 8,
                                        .payload = slice_of(payload, size)},
                                .last_seq = last,
                                .last_id = last_id};
    if (base) memcpy(built.run.base_id8, base_id.bytes, 8);
    session_built(s->session, a->ticket, err, err ? NULL : &built,
                  err == ERR_BASE ? points_of(s, number, points) : (struct session_points){0},
                  s->now_ms);
}

static void answer_store(struct side *s, const struct session_action *a)
{
    size_t number = side_number_of(&a->feed);
    struct fake_feed *f = &s->feeds[number];
    struct want_point points[WANT_POINTS_MAX];
    uint64_t b, branch = be64_get(a->run.payload.data), last = a->run.base_seq + a->run.count;
    enum err err = s->store_err;
    if (!err && a->run.base_seq && !holds(s, number, a->run.base_seq, a->run.base_id8, &b))
        err = ERR_BASE;
    if (!err) {
        f->held = true;
        f->feed = a->feed.whole ? a->feed.feed : f->feed;
        if (branch && !f->top[branch]) f->top[branch] = a->run.base_seq;
        if (last > f->top[branch]) f->top[branch] = last;
    }
    struct session_feed shown;
    side_describe(s, number, &shown);
    session_stored(s->session, a->ticket, err, f->held ? &shown : NULL,
                   err ? points_of(s, number, points) : (struct session_points){0}, s->now_ms);
}

static void confirm(struct side *s, const struct session_action *a)
{
    struct frame_receipt f = {
        .counter = ++s->confirms, .credit = a->credit, .entry_count = a->entry_count};
    for (size_t i = 0; i < a->entry_count; i++) {
        struct feed_ref ref = {0};
        uint64_t branch;
        memcpy(ref.id8, a->entries[i].feed8, 8);
        if (!holds(s, side_number_of(&ref), a->entries[i].seq, a->entries[i].id.bytes, &branch))
            s->confirmed_early = true;
    }
    struct signer signer;
    struct sign_seed seed = {{7}};
    signer_from_seed(&signer, &seed);
    struct receipt_parties parties = {0};
    struct buf out = {0};
    frame_receipt_write(&out, &f, a->entries, &parties, &signer);
    assert_int_equal(out.err, OK);
    s->inbox[s->inbox_count++] = out;
    trace(s, "receipt");
}

static void count_frame(struct side *s, struct slice frame)
{
    uint64_t type = 0;
    assert_int_equal(frame_type_of(frame, &type), OK);
    const char *names[] = {"?", "hello", "run", "want", "receipt", "refuse", "bye", "piece"};
    trace(s, names[type <= FRAME_PIECE ? type : 0]);
    if (type == FRAME_HELLO) s->hellos++;
    if (type == FRAME_RUN) s->runs++;
    if (type == FRAME_WANT) s->wants++;
    if (type == FRAME_REFUSE) s->refuses++;
}

/* Takes all actions; frames to the peer wait in s->inbox (the peer reads them from there). */
void side_act(struct side *s)
{
    struct session_action a;
    while (session_next(s->session, &a)) {
        struct buf copy = {0};
        if (s->acted) s->acted(s, &a);
        switch (a.type) {
        case SESSION_SEND:
            count_frame(s, a.frame);
            buf_append_slice(&copy, a.frame);
            assert_true(s->inbox_count < 4096);
            s->inbox[s->inbox_count++] = copy;
            break;
        case SESSION_BUILD:
            side_answer_build(s, &a);
            break;
        case SESSION_STORE:
            answer_store(s, &a);
            break;
        case SESSION_CONFIRM:
            confirm(s, &a);
            break;
        case SESSION_RECEIPT:
            s->receipts++;
            session_receipt_verified(s->session, s->receipt_err, s->now_ms);
            break;
        case SESSION_ALARM:
            s->alarms++;
            break;
        case SESSION_END:
            s->end = a;
            s->ended = true;
            break;
        default:
            break;
        }
    }
}

static bool deliver(struct side *from, struct side *to)
{
    if (from->inbox_at == from->inbox_count) return false;
    struct buf *frame = &from->inbox[from->inbox_at++];
    if (!from->cut && !to->ended) {
        session_frame(to->session, buf_slice(frame), to->now_ms);
        side_act(to);
    }
    buf_clear(frame);
    return true;
}

void sides_talk(struct side *a, struct side *b)
{
    side_act(a);
    side_act(b);
    for (unsigned steps = 0; steps < 10000; steps++) {
        bool more = deliver(a, b);
        if (deliver(b, a)) more = true;
        if (!more) return;
    }
    fail_msg("the sessions do not come to rest");
}

void side_start(struct side *s, bool connecting, const struct session_memory *memory)
{
    struct session_feed feeds[SIDE_FEEDS];
    size_t count = 0;
    for (size_t i = 0; i < SIDE_FEEDS; i++)
        if (s->feeds[i].held) side_describe(s, i, &feeds[count++]);
    struct session_options options = {.connecting = connecting,
                                      .software = "test",
                                      .window = s->window ? s->window : CREDIT_DEFAULT};
    if (memory) options.memory = *memory;
    assert_int_equal(session_open(&s->session, &options, feeds, count, s->now_ms), OK);
}

void side_stop(struct side *s)
{
    session_close(s->session);
    s->session = NULL;
    for (; s->inbox_at < s->inbox_count; s->inbox_at++) buf_clear(&s->inbox[s->inbox_at]);
}

struct side *side_new(const char *name)
{
    struct side *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->name = name;
    s->now_ms = 1;
    for (size_t i = 0; i < SIDE_FEEDS; i++) s->feeds[i].feed = side_feed(i);
    return s;
}

void side_hold(struct side *s, size_t number, uint64_t top)
{
    s->feeds[number].held = true;
    s->feeds[number].top[0] = top;
}

bool side_idle(const struct side *s)
{
    struct session_status status;
    session_status(s->session, &status);
    return status.idle;
}

struct session_memory side_remembered(struct have_entry *have, uint64_t seq)
{
    struct feed feed = side_feed(0);
    struct event_id head = side_event_id(0, 0, 0, seq);
    struct feed_id id;
    feed_id_of(&id, &feed);
    *have = (struct have_entry){.seq = seq};
    memcpy(have->feed.id8, id.bytes, sizeof have->feed.id8);
    memcpy(have->id8, head.bytes, sizeof have->id8);
    return (struct session_memory){.known = true, .have = have, .have_count = 1};
}

/* --- two of them --- */

int sides_begin(void **state)
{
    struct sides *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->village = side_new("village");
    p->hub = side_new("hub");
    *state = p;
    return 0;
}

int sides_end(void **state)
{
    struct sides *p = *state;
    assert_false(p->village->confirmed_early);
    assert_false(p->hub->confirmed_early);
    side_stop(p->village);
    side_stop(p->hub);
    free(p->village);
    free(p->hub);
    free(p);
    return 0;
}

void sides_run(struct sides *p, const struct session_memory *memory)
{
    side_start(p->village, true, memory);
    side_start(p->hub, false, NULL);
    sides_talk(p->village, p->hub);
}
