/* A run that was cut in pieces, taken up again by the next session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sides.h"

#include <stdlib.h>
#include <string.h>

#define RUN_SIZE 3000u
#define CAME 1024u

/* A complete HELLO of a peer that holds the run's beginning, and of its feed events up to `top`. */
static struct buf greeting(const struct session_outgoing *run, uint64_t top)
{
    struct have_entry have = {.seq = top};
    struct event_id head = side_event_id(0, 0, 0, top);
    memcpy(have.feed.id8, run->id8, sizeof have.feed.id8);
    memcpy(have.id8, head.bytes, sizeof have.id8);
    struct frame_hello hello = {.protocol_min = PROTOCOL_MIN,
                                .protocol_max = PROTOCOL_MAX,
                                .credit = CREDIT_DEFAULT,
                                .complete = true,
                                .have_count = top != 0,
                                .has_unfinished = true,
                                .unfinished_size = CAME};
    struct buf frame = {0};
    have_digest(hello.have8, &have, hello.have_count);
    frame_piece_name(hello.unfinished8, run->frame);
    frame_hello_write(&frame, &hello, &have);
    assert_int_equal(frame.err, OK);
    return frame;
}

static void take_hello(struct side *s, const struct session_outgoing *run, uint64_t top)
{
    struct buf hello = greeting(run, top);
    session_frame(s->session, buf_slice(&hello), 1);
    buf_clear(&hello);
}

/* Takes all actions; gives the bytes in the pieces among them, which follow each other from CAME.
 */
static size_t piece_bytes(struct side *s)
{
    size_t next = CAME;
    for (struct session_action action; session_next(s->session, &action);) {
        uint64_t type = 0;
        struct frame_piece piece;
        if (action.type == SESSION_SEND) assert_int_equal(frame_type_of(action.frame, &type), OK);
        if (type != FRAME_PIECE) continue;
        assert_int_equal(frame_piece_read(&piece, action.frame), OK);
        assert_int_equal(piece.offset, next);
        next += piece.bytes.size;
    }
    return next - CAME;
}

static uint8_t run_bytes[RUN_SIZE];
static struct session_outgoing cut_run;

/* Feed 0 is held up to 5, and the run that brings it was cut. */
static struct side *begin_cut(size_t copies, bool hidden)
{
    struct side *s = side_new("a");
    struct session_feed feed;
    side_hold(s, 0, 5);
    side_describe(s, 0, &feed);
    feed.hidden = hidden;
    cut_run = (struct session_outgoing){
        .last = {.seq = 5}, .count = 5, .frame = slice_of(run_bytes, sizeof run_bytes)};
    memcpy(cut_run.id8, feed.id.bytes, sizeof cut_run.id8);
    memcpy(cut_run.last.id8, feed.heads[0].id.bytes, sizeof cut_run.last.id8);
    const struct session_outgoing outgoing[2] = {cut_run, cut_run};
    const struct session_options options = {
        .software = "test",
        .window = CREDIT_DEFAULT,
        .memory = {.known = true, .cut = true, .outgoing = outgoing, .outgoing_count = copies}};
    assert_int_equal(session_open(&s->session, &options, &feed, 1, 1), OK);
    return s;
}

static void end(struct side *s)
{
    side_stop(s);
    free(s);
}

/* A peer that asks twice is sent the same run twice, and a cut may leave both on their way. It
 * holds the beginning of one: the end of the other would begin after what it keeps, which is
 * malformed. */
static void a_run_on_its_way_twice_goes_on_once(void **state)
{
    (void)state;
    struct side *s = begin_cut(2, false);
    take_hello(s, &cut_run, 0);
    assert_int_equal(piece_bytes(s), RUN_SIZE - CAME);
    end(s);
}

/* It came there by another way meanwhile, and more with it. */
static void a_run_that_the_peer_lacks_no_more_does_not_go_on(void **state)
{
    (void)state;
    struct side *s = begin_cut(1, false);
    take_hello(s, &cut_run, 9);
    assert_int_equal(piece_bytes(s), 0);
    end(s);
}

static struct session_status status_of(const struct side *s)
{
    struct session_status status;
    session_status(s->session, &status);
    return status;
}

static void a_hidden_run_that_goes_on_is_counted_nowhere(void **state)
{
    (void)state;
    struct side *s = begin_cut(1, true);
    take_hello(s, &cut_run, 0);
    assert_int_equal(piece_bytes(s), RUN_SIZE - CAME);
    assert_int_equal(status_of(s).sent_frames, 1); /* HELLO */
    assert_true(status_of(s).sent_bytes < 200);
    end(s);
}

static uint32_t stored_ticket(struct side *s)
{
    uint32_t ticket = 0;
    for (struct session_action action; session_next(s->session, &action);)
        if (action.type == SESSION_STORE) ticket = action.ticket;
    assert_true(ticket != 0);
    return ticket;
}

static void a_hidden_run_that_comes_in_pieces_is_counted_nowhere(void **state)
{
    (void)state;
    struct side *s = begin_cut(0, true);
    struct session_feed hidden;
    side_describe(s, 0, &hidden);
    hidden.hidden = true;
    take_hello(s, &cut_run, 5);
    const struct session_status before = status_of(s);
    struct frame_run f = {
        .feed = {.whole = true, .feed = side_feed(0)},
        .run = {.count = 5, .raw_size = 8, .payload = slice_of(run_bytes, sizeof run_bytes)}};
    struct buf run = {0};
    frame_run_write(&run, &f);
    struct frame_piece piece = {.run_size = run.size};
    frame_piece_name(piece.run8, buf_slice(&run));
    for (; piece.offset < run.size; piece.offset += piece.bytes.size) {
        size_t left = run.size - piece.offset;
        struct buf frame = {0};
        piece.bytes = slice_of(run.data + piece.offset, left < CAME ? left : CAME);
        frame_piece_write(&frame, &piece);
        session_frame(s->session, buf_slice(&frame), 1);
        buf_clear(&frame);
    }
    session_stored(s->session, stored_ticket(s), OK, &hidden, (struct session_points){0}, 1);
    assert_int_equal(status_of(s).received_frames, before.received_frames);
    assert_int_equal(status_of(s).received_bytes, before.received_bytes);
    buf_clear(&run);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_on_its_way_twice_goes_on_once),
        cmocka_unit_test(a_run_that_the_peer_lacks_no_more_does_not_go_on),
        cmocka_unit_test(a_hidden_run_that_goes_on_is_counted_nowhere),
        cmocka_unit_test(a_hidden_run_that_comes_in_pieces_is_counted_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
