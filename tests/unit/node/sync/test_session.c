/*
 * Two sessions talk over an in-memory link; each side holds its feeds as plain numbers. A side
 * answers BUILD and STORE as the exchange would, with runs whose payload names what they carry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/sync/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEEDS 4
#define BRANCHES 2

/* Branch 1 leaves branch 0 after event `fork`. */
struct fake_feed {
    bool held;
    struct feed feed;
    uint64_t top[BRANCHES]; /* 0: branch not held */
    uint64_t fork;
    bool roster;
    bool damaged; /* BUILD fails */
};

struct side {
    const char *name;
    struct session *session;
    struct fake_feed feeds[FEEDS];
    enum err store_err;  /* what STORE answers instead of looking */
    unsigned run_events; /* events a run, 0: all */
    uint64_t window;
    bool cut; /* frames of this side are lost */
    struct buf inbox[4096];
    size_t inbox_at, inbox_count;
    unsigned hellos, runs, wants, receipts, refuses, alarms, confirms;
    struct session_action end;
    bool ended;
    char trace[8192];
    bool confirmed_early; /* a CONFIRM over what was not stored */
};

static void trace(struct side *s, const char *what)
{
    size_t used = strlen(s->trace);
    snprintf(s->trace + used, sizeof s->trace - used, "%s%s", used ? " " : "", what);
}

static struct event_id id_of(size_t feed, uint64_t branch, uint64_t fork, uint64_t seq)
{
    struct event_id id = {{0}};
    if (seq <= fork) branch = 0;
    be64_put(id.bytes, seq * 1000 + feed * 10 + branch + 1);
    be64_put(id.bytes + 24, seq);
    return id;
}

static struct feed feed_numbered(size_t number)
{
    struct feed f = {.scope = scope_of_village("431322111201"), .lane = LANE_NORMAL};
    f.author.bytes[0] = (uint8_t)(number + 1);
    return f;
}

static void describe(const struct side *s, size_t number, struct session_feed *out)
{
    const struct fake_feed *f = &s->feeds[number];
    *out = (struct session_feed){.feed = f->feed, .own = true, .roster = f->roster};
    feed_id_of(&out->id, &f->feed);
    for (uint64_t b = 0; b < BRANCHES; b++) {
        if (!f->top[b]) continue;
        out->heads[out->head_count].seq = f->top[b];
        out->heads[out->head_count++].id = id_of(number, b, f->fork, f->top[b]);
    }
}

static size_t number_of(const struct feed_ref *ref)
{
    for (size_t i = 0; i < FEEDS; i++) {
        struct feed f = feed_numbered(i);
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
    for (uint64_t b = 0; f->held && b < BRANCHES; b++) {
        struct event_id id = id_of(number, b, f->fork, seq);
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
    for (uint64_t b = 0; f->held && b < BRANCHES; b++)
        for (uint64_t step = 1, seq = f->top[b]; seq > 0 && out.count < WANT_POINTS_MAX;) {
            struct event_id id = id_of(number, b, f->fork, seq);
            points[out.count].seq = seq;
            memcpy(points[out.count++].id8, id.bytes, 8);
            seq = seq > step ? seq - step : 0;
            step *= 2;
        }
    return out;
}

static void answer_build(struct side *s, const struct session_action *a)
{
    size_t number = number_of(&a->feed);
    const struct fake_feed *f = &s->feeds[number];
    struct want_point points[WANT_POINTS_MAX];
    uint64_t branch = 0, base = 0;
    bool found = false;
    for (uint64_t b = 0; b < BRANCHES; b++) {
        struct event_id id = id_of(number, b, f->fork, f->top[b]);
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
    struct event_id base_id = id_of(number, branch, f->fork, base);
    struct event_id last_id = id_of(number, branch, f->fork, last);
    uint8_t payload[8];
    be64_put(payload, branch);
    struct session_run built = {.run = {.base_seq = base,
                                        .count = (uint32_t)(last - base),
                                        .raw_size = 8,
                                        .payload = slice_of(payload, sizeof payload)},
                                .last_seq = last,
                                .last_id = last_id};
    if (base) memcpy(built.run.base_id8, base_id.bytes, 8);
    session_built(s->session, a->ticket, err, err ? NULL : &built,
                  err == ERR_BASE ? points_of(s, number, points) : (struct session_points){0}, 1);
}

static void answer_store(struct side *s, const struct session_action *a)
{
    size_t number = number_of(&a->feed);
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
    describe(s, number, &shown);
    session_stored(s->session, a->ticket, err, f->held ? &shown : NULL,
                   err ? points_of(s, number, points) : (struct session_points){0}, 1);
}

static void confirm(struct side *s, const struct session_action *a)
{
    struct frame_receipt f = {
        .counter = ++s->confirms, .credit = a->credit, .entry_count = a->entry_count};
    for (size_t i = 0; i < a->entry_count; i++) {
        struct feed_ref ref = {0};
        uint64_t branch;
        memcpy(ref.id8, a->entries[i].feed8, 8);
        if (!holds(s, number_of(&ref), a->entries[i].seq, a->entries[i].id.bytes, &branch))
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
    const char *names[] = {"?", "hello", "run", "want", "receipt", "refuse", "bye"};
    trace(s, names[type < 7 ? type : 0]);
    if (type == FRAME_HELLO) s->hellos++;
    if (type == FRAME_RUN) s->runs++;
    if (type == FRAME_WANT) s->wants++;
    if (type == FRAME_REFUSE) s->refuses++;
}

/* Takes all actions; frames to the peer wait in s->inbox (the peer reads them from there). */
static void act(struct side *s)
{
    struct session_action a;
    while (session_next(s->session, &a)) {
        struct buf copy = {0};
        switch (a.type) {
        case SESSION_SEND:
            count_frame(s, a.frame);
            buf_append_slice(&copy, a.frame);
            assert_true(s->inbox_count < 4096);
            s->inbox[s->inbox_count++] = copy;
            break;
        case SESSION_BUILD:
            answer_build(s, &a);
            break;
        case SESSION_STORE:
            answer_store(s, &a);
            break;
        case SESSION_CONFIRM:
            confirm(s, &a);
            break;
        case SESSION_RECEIPT:
            s->receipts++;
            session_receipt_verified(s->session, true, 1);
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
        session_frame(to->session, buf_slice(frame), 1);
        act(to);
    }
    buf_clear(frame);
    return true;
}

static void talk(struct side *a, struct side *b)
{
    act(a);
    act(b);
    for (unsigned steps = 0; steps < 10000; steps++) {
        bool more = deliver(a, b);
        if (deliver(b, a)) more = true;
        if (!more) return;
    }
    fail_msg("the sessions do not come to rest");
}

static void start(struct side *s, bool connecting, const struct session_memory *memory)
{
    struct session_feed feeds[FEEDS];
    size_t count = 0;
    for (size_t i = 0; i < FEEDS; i++)
        if (s->feeds[i].held) describe(s, i, &feeds[count++]);
    struct session_options options = {.connecting = connecting,
                                      .software = "test",
                                      .window = s->window ? s->window : CREDIT_DEFAULT};
    if (memory) options.memory = *memory;
    assert_int_equal(session_open(&s->session, &options, feeds, count, 1), OK);
}

static void stop(struct side *s)
{
    session_close(s->session);
    s->session = NULL;
    for (; s->inbox_at < s->inbox_count; s->inbox_at++) buf_clear(&s->inbox[s->inbox_at]);
}

static struct side *side_new(const char *name)
{
    struct side *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->name = name;
    for (size_t i = 0; i < FEEDS; i++) s->feeds[i].feed = feed_numbered(i);
    return s;
}

static void hold(struct side *s, size_t number, uint64_t top)
{
    s->feeds[number].held = true;
    s->feeds[number].top[0] = top;
}

struct pair {
    struct side *village, *hub;
};

static int set_up(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    p->village = side_new("village");
    p->hub = side_new("hub");
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *p = *state;
    assert_false(p->village->confirmed_early);
    assert_false(p->hub->confirmed_early);
    stop(p->village);
    stop(p->hub);
    free(p->village);
    free(p->hub);
    free(p);
    return 0;
}

static void run_to_rest(struct pair *p, const struct session_memory *village_memory)
{
    start(p->village, true, village_memory);
    start(p->hub, false, NULL);
    talk(p->village, p->hub);
}

static bool idle(const struct side *s)
{
    struct session_status status;
    session_status(s->session, &status);
    return status.idle;
}

/* --- the stories --- */

static void a_first_contact_moves_both_ways(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 40);
    hold(p->hub, 1, 7);
    run_to_rest(p, NULL);
    assert_int_equal(p->hub->feeds[0].top[0], 40);
    assert_int_equal(p->village->feeds[1].top[0], 7);
    assert_true(idle(p->village));
    assert_true(idle(p->hub));
    assert_string_equal(p->village->trace, "hello run receipt");
    assert_string_equal(p->hub->trace, "hello run receipt");
}

static void nothing_new_costs_one_hello_each(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 40);
    hold(p->hub, 0, 40);
    struct event_id head = id_of(0, 0, 0, 40);
    struct have_entry have = {.seq = 40};
    struct feed_id id;
    feed_id_of(&id, &p->hub->feeds[0].feed);
    memcpy(have.feed.id8, id.bytes, 8);
    memcpy(have.id8, head.bytes, 8);
    struct session_memory memory = {.known = true, .have = &have, .have_count = 1};
    run_to_rest(p, &memory);
    assert_string_equal(p->village->trace, "hello");
    assert_string_equal(p->hub->trace, "hello");
    assert_true(idle(p->village));
    assert_true(idle(p->hub));
}

static void memory_lets_the_first_run_ride_with_hello(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 50);
    hold(p->hub, 0, 40);
    struct event_id head = id_of(0, 0, 0, 40);
    struct have_entry have = {.seq = 40};
    struct feed_id id;
    feed_id_of(&id, &p->hub->feeds[0].feed);
    memcpy(have.feed.id8, id.bytes, 8);
    memcpy(have.id8, head.bytes, 8);
    struct session_memory memory = {.known = true, .have = &have, .have_count = 1};
    start(p->village, true, &memory);
    act(p->village);
    assert_string_equal(p->village->trace, "hello run");
    start(p->hub, false, NULL);
    talk(p->village, p->hub);
    assert_int_equal(p->hub->feeds[0].top[0], 50);
    assert_int_equal(p->village->runs, 1);
}

static void a_wrong_memory_is_mended_by_hello(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 50);
    hold(p->hub, 0, 10); /* restored from an old backup */
    struct event_id head = id_of(0, 0, 0, 40);
    struct have_entry have = {.seq = 40};
    struct feed_id id;
    feed_id_of(&id, &p->hub->feeds[0].feed);
    memcpy(have.feed.id8, id.bytes, 8);
    memcpy(have.id8, head.bytes, 8);
    struct session_memory memory = {.known = true, .have = &have, .have_count = 1};
    run_to_rest(p, &memory);
    assert_int_equal(p->hub->feeds[0].top[0], 50);
    assert_int_equal(p->village->alarms, 1);
    assert_true(idle(p->village));
}

static void the_roster_goes_first(void **state)
{
    struct pair *p = *state;
    hold(p->hub, 0, 3);
    hold(p->hub, 1, 900);
    hold(p->hub, 2, 5);
    p->hub->feeds[1].roster = true;
    p->hub->run_events = 500;
    start(p->hub, true, &(struct session_memory){.known = true});
    struct session_action a;
    size_t order[8], count = 0;
    while (session_next(p->hub->session, &a))
        if (a.type == SESSION_BUILD) {
            order[count++] = number_of(&a.feed);
            answer_build(p->hub, &a);
        }
    assert_true(count >= 4);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 0); /* the shortest backlog of the others */
    start(p->village, false, NULL);
}

static void urgent_goes_before_a_shorter_backlog(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 2);
    hold(p->village, 1, 100);
    p->village->feeds[1].feed.lane = LANE_URGENT;
    start(p->village, true, &(struct session_memory){.known = true});
    struct session_action a;
    size_t first = FEEDS;
    while (session_next(p->village->session, &a))
        if (a.type == SESSION_BUILD && first == FEEDS) first = number_of(&a.feed);
    assert_int_equal(first, 1);
    start(p->hub, false, NULL);
}

static void a_missing_base_is_asked_for_once(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 100);
    p->village->run_events = 10;
    hold(p->hub, 0, 30);
    struct event_id head = id_of(0, 0, 0, 60);
    struct have_entry have = {.seq = 60};
    struct feed_id id;
    feed_id_of(&id, &p->hub->feeds[0].feed);
    memcpy(have.feed.id8, id.bytes, 8);
    memcpy(have.id8, head.bytes, 8);
    struct session_memory memory = {.known = true, .have = &have, .have_count = 1};
    run_to_rest(p, &memory);
    assert_int_equal(p->hub->feeds[0].top[0], 100);
    assert_true(p->hub->wants <= 1);
    assert_true(idle(p->village));
    assert_true(idle(p->hub));
}

static void both_branches_of_a_fork_reach_both_sides(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 0);
    p->village->feeds[0].held = true;
    p->village->feeds[0].fork = p->hub->feeds[0].fork = 20;
    p->village->feeds[0].top[1] = 33; /* the copy that went on from event 20 */
    p->village->feeds[0].top[0] = 0;
    hold(p->hub, 0, 41);
    run_to_rest(p, NULL);
    assert_int_equal(p->hub->feeds[0].top[0], 41);
    assert_int_equal(p->hub->feeds[0].top[1], 33);
    assert_int_equal(p->village->feeds[0].top[0], 41);
    assert_int_equal(p->village->feeds[0].top[1], 33);
}

static void a_fork_of_equal_length_is_noticed(void **state)
{
    struct pair *p = *state;
    p->village->feeds[0] = (struct fake_feed){.held = true, .feed = feed_numbered(0), .fork = 5};
    p->village->feeds[0].top[1] = 9;
    p->hub->feeds[0].fork = 5;
    hold(p->hub, 0, 9);
    run_to_rest(p, NULL);
    assert_int_equal(p->hub->feeds[0].top[1], 9);
    assert_int_equal(p->village->feeds[0].top[0], 9);
}

static void credit_bounds_what_is_sent(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 100000);
    p->village->run_events = 1;
    p->hub->window = 4096;
    start(p->village, true,
          &(struct session_memory){.known = true, .credit = 2000, .rate_bps = 1000000000});
    act(p->village);
    struct session_status status;
    session_status(p->village->session, &status);
    assert_true(status.sent_bytes <= 2000 + FRAME_SIZE_MAX);
    assert_true(p->village->runs < 100);
    start(p->hub, false, NULL);
}

static void a_peer_that_oversteps_its_credit_is_refused(void **state)
{
    struct pair *p = *state;
    p->hub->window = 1000;
    start(p->village, true, NULL);
    start(p->hub, false, NULL);
    talk(p->village, p->hub);
    /* Runs that the hub has to keep waiting: nothing answers them. */
    struct frame_run f = {.feed = {.whole = true, .feed = feed_numbered(3)},
                          .run = {.count = 1, .raw_size = 8}};
    static uint8_t payload[60000];
    f.run.payload = slice_of(payload, sizeof payload);
    struct buf frame = {0};
    frame_run_write(&frame, &f);
    struct session_action a;
    bool refused = false;
    for (int i = 0; i < 10 && !refused; i++) {
        session_frame(p->hub->session, buf_slice(&frame), 1);
        while (session_next(p->hub->session, &a))
            if (a.type == SESSION_END) refused = a.refused == REFUSE_CREDIT;
    }
    assert_true(refused);
    buf_clear(&frame);
}

static void another_township_is_refused(void **state)
{
    struct pair *p = *state;
    start(p->hub, false, NULL);
    struct session_options options = {
        .connecting = true, .software = "x", .township8 = {9}, .window = 1000};
    assert_int_equal(session_open(&p->village->session, &options, NULL, 0, 1), OK);
    talk(p->village, p->hub);
    assert_true(p->hub->ended);
    assert_int_equal(p->hub->end.refused, REFUSE_TOWNSHIP);
    assert_true(p->village->ended);
    assert_true(p->village->end.by_peer);
}

static void a_run_before_hello_is_refused(void **state)
{
    struct pair *p = *state;
    start(p->hub, false, NULL);
    start(p->village, true, NULL);
    struct buf frame = {0};
    frame_bye_write(&frame);
    buf_reset(&frame);
    struct frame_want want = {.flags = WANT_HELLO};
    frame_want_write(&frame, &want);
    session_frame(p->hub->session, buf_slice(&frame), 1);
    act(p->hub);
    assert_int_equal(p->hub->end.refused, REFUSE_ORDER);
    buf_clear(&frame);
}

static void garbage_is_refused(void **state)
{
    struct pair *p = *state;
    start(p->hub, false, NULL);
    start(p->village, true, NULL);
    session_frame(p->hub->session, slice_of_text("\xc1garbage"), 1);
    act(p->hub);
    assert_int_equal(p->hub->end.refused, REFUSE_MALFORMED);
}

static void a_bad_signature_ends_the_session_and_confirms_nothing(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 5);
    p->hub->store_err = ERR_SIGNATURE;
    run_to_rest(p, NULL);
    assert_int_equal(p->hub->end.refused, REFUSE_SIGNATURE);
    assert_int_equal(p->hub->confirms, 0);
    assert_true(p->village->ended);
}

static void a_full_disk_ends_without_blame(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 5);
    p->hub->store_err = ERR_NOSPACE;
    run_to_rest(p, NULL);
    assert_true(p->hub->ended);
    assert_int_equal(p->hub->end.refused, 0);
    assert_int_equal(p->hub->confirms, 0);
}

static void an_unknown_author_asks_for_the_roster(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 5);
    p->hub->store_err = ERR_UNKNOWN_AUTHOR;
    run_to_rest(p, NULL);
    assert_true(p->hub->wants >= 2);
    assert_false(p->hub->ended);
    assert_int_equal(p->hub->confirms, 0);
}

static void a_damaged_feed_does_not_hold_up_the_others(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 5);
    hold(p->village, 1, 6);
    p->village->feeds[0].damaged = true;
    run_to_rest(p, NULL);
    assert_int_equal(p->hub->feeds[0].top[0], 0);
    assert_int_equal(p->hub->feeds[1].top[0], 6);
}

static void new_events_go_out_while_the_session_lasts(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 5);
    run_to_rest(p, NULL);
    p->village->feeds[0].top[0] = 8;
    struct session_feed shown;
    describe(p->village, 0, &shown);
    session_heads(p->village->session, &shown);
    talk(p->village, p->hub);
    assert_int_equal(p->hub->feeds[0].top[0], 8);
    assert_int_equal(p->village->runs, 2);
    assert_true(idle(p->village));
}

static void finishing_says_goodbye(void **state)
{
    struct pair *p = *state;
    hold(p->village, 0, 5);
    run_to_rest(p, NULL);
    session_finish(p->village->session);
    talk(p->village, p->hub);
    assert_true(p->village->ended);
    assert_true(p->hub->ended);
    assert_int_equal(p->hub->end.refused, 0);
}

static void a_silent_peer_is_given_up(void **state)
{
    struct pair *p = *state;
    start(p->village, true, NULL);
    start(p->hub, false, NULL);
    act(p->village);
    session_tick(p->village->session, session_deadline_ms(p->village->session));
    act(p->village);
    assert_true(p->village->ended);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_first_contact_moves_both_ways),
        STORY(nothing_new_costs_one_hello_each),
        STORY(memory_lets_the_first_run_ride_with_hello),
        STORY(a_wrong_memory_is_mended_by_hello),
        STORY(the_roster_goes_first),
        STORY(urgent_goes_before_a_shorter_backlog),
        STORY(a_missing_base_is_asked_for_once),
        STORY(both_branches_of_a_fork_reach_both_sides),
        STORY(a_fork_of_equal_length_is_noticed),
        STORY(credit_bounds_what_is_sent),
        STORY(a_peer_that_oversteps_its_credit_is_refused),
        STORY(another_township_is_refused),
        STORY(a_run_before_hello_is_refused),
        STORY(garbage_is_refused),
        STORY(a_bad_signature_ends_the_session_and_confirms_nothing),
        STORY(a_full_disk_ends_without_blame),
        STORY(an_unknown_author_asks_for_the_roster),
        STORY(a_damaged_feed_does_not_hold_up_the_others),
        STORY(new_events_go_out_while_the_session_lasts),
        STORY(finishing_says_goodbye),
        STORY(a_silent_peer_is_given_up),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
