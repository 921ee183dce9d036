/* How much a session sends: a peer played by hand, frame by frame, and runs of a stated size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/sync/state.h"

#include <stdlib.h>
#include <string.h>

#define FEEDS_MAX 320

struct play {
    struct session *session;
    size_t feed_count;
    struct session_feed feeds[FEEDS_MAX];
    uint64_t now_ms;
    size_t payload;     /* bytes a run */
    uint64_t run_bytes; /* of RUN frames since the start */
    unsigned runs, wants, alarms, refused;
    uint64_t last_seq[FEEDS_MAX]; /* of the last run of each feed */
    uint64_t counter;
    bool ended;
};

static struct play *play; /* large */

static struct event_id id_at(size_t feed, uint64_t seq)
{
    struct event_id id = {{0}};
    be64_put(id.bytes, feed << 32 | seq);
    return id;
}

static void stand_at(size_t feed, uint64_t seq)
{
    struct session_feed *f = &play->feeds[feed];
    f->feed = (struct feed){.scope = scope_town(), .lane = LANE_NORMAL};
    be32_put(f->feed.author.bytes, (uint32_t)feed + 1);
    feed_id_of(&f->id, &f->feed);
    f->head_count = 1;
    f->heads[0] = (struct session_head){.seq = seq, .id = id_at(feed, seq)};
}

static size_t feed_of(const uint8_t id8[8])
{
    for (size_t i = 0; i < play->feed_count; i++)
        if (memcmp(play->feeds[i].id.bytes, id8, 8) == 0) return i;
    fail_msg("unknown feed");
    return 0;
}

/* One event a run, after the highest point. */
static void build(const struct session_action *a)
{
    static uint8_t payload[RUN_PAYLOAD_SIZE_MAX];
    size_t feed = feed_of(a->feed.id8);
    uint64_t base = a->point_count ? a->points[0].seq : 0;
    struct session_run built = {.run = {.base_seq = base, .count = 1, .raw_size = 1},
                                .last_seq = base + 1,
                                .last_id = id_at(feed, base + 1)};
    struct event_id before = id_at(feed, base);
    if (base) memcpy(built.run.base_id8, before.bytes, 8);
    built.run.payload = slice_of(payload, play->payload);
    play->last_seq[feed] = base + 1;
    session_built(play->session, a->ticket, OK, &built, (struct session_points){0}, play->now_ms);
}

static bool begins_run(uint64_t type, struct slice frame)
{
    struct frame_piece piece;
    if (type != FRAME_PIECE) return type == FRAME_RUN;
    assert_int_equal(frame_piece_read(&piece, frame), OK);
    return piece.offset == 0;
}

/* Builds are answered in pairs, as an exchange does that takes all actions before it builds. */
static void act(void)
{
    struct session_action a, builds[BUILDS_MAX];
    size_t open;
    do {
        open = 0;
        while (session_next(play->session, &a)) {
            uint64_t type = 0;
            if (a.type == SESSION_SEND) assert_int_equal(frame_type_of(a.frame, &type), OK);
            if (begins_run(type, a.frame)) play->runs++;
            if (type == FRAME_RUN || type == FRAME_PIECE) play->run_bytes += a.frame.size;
            if (type == FRAME_WANT) play->wants++;
            if (a.type == SESSION_ALARM) play->alarms++;
            if (a.type == SESSION_BUILD) builds[open++] = a;
            if (a.type == SESSION_RECEIPT)
                session_receipt_verified(play->session, OK, play->now_ms);
            if (a.type == SESSION_END) play->ended = true;
            if (a.type == SESSION_END) play->refused = (unsigned)a.refused;
        }
        for (size_t i = 0; i < open; i++) build(&builds[i]);
    } while (open);
}

static void take(struct buf *frame)
{
    assert_int_equal(frame->err, OK);
    session_frame(play->session, buf_slice(frame), play->now_ms);
    buf_clear(frame);
    act();
}

/* The peer stands at these numbers of the first `count` feeds. */
static void hello(uint64_t credit, const uint64_t *seqs, size_t count)
{
    struct buf frame = {0};
    struct have_entry have[FEEDS_MAX];
    struct frame_hello h = {.protocol_min = 1,
                            .protocol_max = 1,
                            .software = slice_of_text("x"),
                            .credit = credit,
                            .complete = true,
                            .have_count = count};
    for (size_t i = 0; i < count; i++) {
        struct event_id id = id_at(i, seqs[i]);
        have[i] = (struct have_entry){.seq = seqs[i]};
        memcpy(have[i].feed.id8, play->feeds[i].id.bytes, 8);
        memcpy(have[i].id8, id.bytes, 8);
    }
    have_digest(h.have8, have, count);
    frame_hello_write(&frame, &h, have);
    take(&frame);
}

static void receipt(size_t feed, uint64_t seq, uint64_t credit)
{
    struct buf frame = {0};
    struct frame_receipt f = {.counter = ++play->counter, .credit = credit, .entry_count = 1};
    struct receipt_entry e = {.seq = seq, .id = id_at(feed, seq)};
    struct receipt_parties parties = {0};
    struct signer signer;
    signer_from_seed(&signer, &(struct sign_seed){{7}});
    memcpy(e.feed8, play->feeds[feed].id.bytes, 8);
    frame_receipt_write(&frame, &f, &e, &parties, &signer);
    take(&frame);
}

static void want(size_t feed, uint64_t seq, uint64_t to)
{
    struct buf frame = {0};
    struct frame_want f = {.has_feed = true, .to = to};
    struct event_id id = id_at(feed, seq);
    memcpy(f.feed.id8, play->feeds[feed].id.bytes, 8);
    if (seq) {
        f.point_count = 1;
        f.points[0].seq = seq;
        memcpy(f.points[0].id8, id.bytes, 8);
    }
    frame_want_write(&frame, &f);
    take(&frame);
}

static void start(const struct session_memory *memory)
{
    struct session_options options = {
        .connecting = true, .software = "test", .window = MIB(1), .memory = *memory};
    play->now_ms = 1;
    assert_int_equal(session_open(&play->session, &options, play->feeds, play->feed_count, 1), OK);
    act();
}

static int begin(void **state)
{
    (void)state;
    play = calloc(1, sizeof *play);
    return play ? 0 : 1;
}

static int end(void **state)
{
    (void)state;
    session_close(play->session);
    free(play);
    return 0;
}

static const struct session_memory stranger = {0};

/* --- the stories --- */

static void two_runs_at_once_pass_the_grant_by_one_frame_at_most(void **state)
{
    (void)state;
    play->feed_count = 4;
    for (size_t i = 0; i < 4; i++) stand_at(i, 1000);
    play->payload = 60000;
    start(&(struct session_memory){.rate_bps = 1000000000});
    play->session->answered = true; /* the rate is proven */
    hello(KIB(600), NULL, 0);
    assert_true(play->run_bytes >= KIB(600));
    assert_true(play->run_bytes < KIB(600) + FRAME_SIZE_MAX);
    assert_true(play->run_bytes - play->payload < KIB(600));
}

static void what_is_in_flight_is_bounded_however_fast_answers_come(void **state)
{
    (void)state;
    play->feed_count = 1;
    stand_at(0, 100000);
    play->payload = 60000;
    start(&(struct session_memory){.rate_bps = UINT64_C(1) << 60, .rtt_ms = 60000});
    hello(FRAME_UINT_MAX, NULL, 0);
    assert_true(play->run_bytes <= FLIGHT_BYTES_MAX + BUILDS_MAX * FRAME_SIZE_MAX);
}

/* The peer went back to an old backup while much was on its way that builds on what it lost. */
static void a_lower_hello_frees_what_was_in_flight(void **state)
{
    (void)state;
    struct have_entry have = {.seq = 900};
    struct event_id id = id_at(0, 900);
    play->feed_count = 1;
    stand_at(0, 2000);
    play->payload = 16000;
    memcpy(have.feed.id8, play->feeds[0].id.bytes, 8);
    memcpy(have.id8, id.bytes, 8);
    start(&(struct session_memory){.known = true, .have = &have, .have_count = 1});
    unsigned first_flight = play->runs;
    assert_true(first_flight >= 2);
    hello(MIB(1), (uint64_t[]){500}, 1);
    assert_true(play->runs > first_flight);
    assert_true(play->last_seq[0] > 500 && play->last_seq[0] < 510);
}

static void a_want_frees_what_was_in_flight(void **state)
{
    (void)state;
    play->feed_count = 1;
    stand_at(0, 2000);
    play->payload = 16000;
    start(&stranger);
    hello(MIB(1), (uint64_t[]){900}, 1);
    unsigned sent = play->runs;
    assert_true(play->last_seq[0] > 900);
    want(0, 500, 0);
    assert_true(play->runs > sent);
    assert_true(play->last_seq[0] > 500 && play->last_seq[0] < 510);
}

static void hundreds_of_small_runs_lose_no_room_in_flight(void **state)
{
    (void)state;
    play->feed_count = FEEDS_MAX;
    for (size_t i = 0; i < FEEDS_MAX; i++) stand_at(i, 1);
    play->payload = 1;
    start(&stranger);
    hello(MIB(1), NULL, 0);
    assert_int_equal(play->runs, FLIGHT_MAX);
    for (size_t at = 0; play->session->flight_count && at < FEEDS_MAX; at++)
        receipt(feed_of(play->session->flights[0].id8), 1, MIB(1));
    assert_int_equal(play->runs, FEEDS_MAX);
    assert_int_equal(play->session->flight_count, 0);
    assert_int_equal(play->session->unanswered_bytes, 0);
}

static void a_want_up_to_a_number_stops_nothing_after_it(void **state)
{
    (void)state;
    play->feed_count = 1;
    stand_at(0, 20);
    play->payload = 100;
    start(&stranger);
    hello(MIB(1), (uint64_t[]){20}, 1);
    want(0, 5, 7);
    assert_int_equal(play->last_seq[0], 7);
    assert_int_equal(play->runs, 2);
    stand_at(0, 21);
    session_heads(play->session, &play->feeds[0], play->now_ms);
    act();
    assert_int_equal(play->last_seq[0], 21);
    assert_int_equal(play->runs, 3);
}

/* 1,200 feeds in one turn: more heads than one receipt may name. */
static void a_receipt_names_no_more_than_a_receipt_may(void **state)
{
    (void)state;
    enum { MANY = 1200 };
    struct session_action a;
    size_t entries = 0, receipts = 0;
    uint32_t tickets[MANY], count = 0;
    start(&stranger);
    hello(MIB(1), NULL, 0);
    for (uint32_t i = 0; i < MANY; i++) {
        struct buf frame = {0};
        struct frame_run f = {.feed = {.whole = true, .feed = {.scope = scope_town(), .lane = 1}},
                              .run = {.count = 1, .raw_size = 8, .payload = slice_of("x", 1)}};
        be32_put(f.feed.feed.author.bytes, i);
        frame_run_write(&frame, &f);
        session_frame(play->session, buf_slice(&frame), 1);
        while (session_next(play->session, &a))
            if (a.type == SESSION_STORE) tickets[count++] = a.ticket;
        buf_clear(&frame);
    }
    assert_int_equal(count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        struct session_feed held = {.head_count = 1, .heads = {{.seq = 1}}};
        held.feed = (struct feed){.scope = scope_town(), .lane = 1};
        be32_put(held.feed.author.bytes, i);
        feed_id_of(&held.id, &held.feed);
        session_stored(play->session, tickets[i], OK, &held, (struct session_points){0}, 1);
    }
    while (session_next(play->session, &a)) {
        if (a.type != SESSION_CONFIRM) continue;
        assert_true(a.entry_count <= RECEIPT_ENTRIES_MAX);
        entries += a.entry_count;
        receipts++;
    }
    assert_int_equal(entries, MANY);
    assert_int_equal(receipts, 2);
}

/* The peer is there all the while. */
static void later(uint64_t ms)
{
    struct buf ping = {0};
    frame_ping_write(&ping, BEAT_IDLE_S);
    play->now_ms += ms;
    session_frame(play->session, buf_slice(&ping), play->now_ms);
    buf_clear(&ping);
    session_tick(play->session, play->now_ms);
    act();
}

static void runs_without_an_answer_are_sent_again_and_then_left(void **state)
{
    (void)state;
    play->feed_count = 2;
    stand_at(0, 1);
    play->payload = 40000; /* one fills what may be in flight */
    stand_at(1, 1);
    start(&stranger);
    hello(MIB(1), NULL, 0);
    assert_true(session_deadline_ms(play->session) < UINT64_MAX);
    unsigned sent = play->runs;
    assert_int_equal(sent, 2);
    later(ANSWER_TIMEOUT_MS - 1);
    assert_int_equal(play->runs, sent);
    for (unsigned i = 1; i <= RESENDS_MAX; i++) {
        later(ANSWER_TIMEOUT_MS);
        assert_int_equal(play->runs, sent + 2 * i);
    }
    later(ANSWER_TIMEOUT_MS);
    assert_int_equal(play->runs, sent + 2 * RESENDS_MAX);
    assert_int_equal(play->session->unanswered_bytes, 0);
    assert_int_equal(play->session->flight_count, 0);
    assert_false(play->ended);
}

/* A village's sealed records go up and are receipted, and no figure tells. */
static void a_hidden_feed_is_sent_and_counted_nowhere(void **state)
{
    (void)state;
    struct session_status before, after;
    play->feed_count = 2;
    stand_at(0, 3);
    stand_at(1, 1);
    play->feeds[1].hidden = true;
    play->payload = 1000;
    start(&stranger);
    hello(MIB(1), (uint64_t[]){3}, 1);
    session_status(play->session, &before);
    assert_int_equal(before.unsent, 0);
    assert_false(before.idle); /* it is waited for all the same */
    unsigned runs = play->runs;
    assert_true(runs >= 1);
    assert_int_equal(play->last_seq[1], 1);
    receipt(1, 1, MIB(2));
    session_status(play->session, &after);
    assert_true(after.idle);
    assert_int_equal(after.sent_events, before.sent_events);
    assert_int_equal(after.received_bytes, before.received_bytes);
    assert_true(after.sent_bytes < 1000);
}

/* That the township lost such a record is told to nobody here. */
static void the_loss_of_a_hidden_feed_raises_no_alarm(void **state)
{
    (void)state;
    for (int hidden = 0; hidden < 2; hidden++) {
        struct have_entry have = {.seq = 2};
        struct event_id id = id_at(0, 2);
        play->feed_count = 1;
        stand_at(0, 2);
        play->feeds[0].hidden = hidden == 1;
        play->payload = 100;
        play->alarms = 0;
        memcpy(have.feed.id8, play->feeds[0].id.bytes, 8);
        memcpy(have.id8, id.bytes, 8);
        start(&(struct session_memory){.known = true, .have = &have, .have_count = 1});
        hello(MIB(1), (uint64_t[]){1}, 1);
        assert_int_equal(play->alarms, hidden ? 0 : 1);
        assert_int_equal(play->last_seq[0], 2);
        session_close(play->session);
        play->session = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(two_runs_at_once_pass_the_grant_by_one_frame_at_most),
        TEST(what_is_in_flight_is_bounded_however_fast_answers_come),
        TEST(a_lower_hello_frees_what_was_in_flight),
        TEST(a_want_frees_what_was_in_flight),
        TEST(hundreds_of_small_runs_lose_no_room_in_flight),
        TEST(a_want_up_to_a_number_stops_nothing_after_it),
        TEST(a_receipt_names_no_more_than_a_receipt_may),
        TEST(runs_without_an_answer_are_sent_again_and_then_left),
        TEST(a_hidden_feed_is_sent_and_counted_nowhere),
        TEST(the_loss_of_a_hidden_feed_raises_no_alarm),
    };
    return crypto_init() != OK || cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
