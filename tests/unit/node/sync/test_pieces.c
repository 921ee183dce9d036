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

static struct buf greeting(struct slice run)
{
    struct frame_hello hello = {.protocol_min = PROTOCOL_MIN,
                                .protocol_max = PROTOCOL_MAX,
                                .credit = CREDIT_DEFAULT,
                                .complete = true,
                                .has_unfinished = true,
                                .unfinished_size = CAME};
    struct buf frame = {0};
    have_digest(hello.have8, NULL, 0);
    frame_piece_name(hello.unfinished8, run);
    frame_hello_write(&frame, &hello, NULL);
    assert_int_equal(frame.err, OK);
    return frame;
}

/* A peer that asks twice is sent the same run twice, and a cut may leave both on their way. It
 * holds the beginning of one: the end of the other would begin after what it keeps, which is
 * malformed. */
static void a_run_on_its_way_twice_goes_on_once(void **state)
{
    (void)state;
    static uint8_t bytes[RUN_SIZE];
    const struct slice run = slice_of(bytes, sizeof bytes);
    struct side *a = side_new("a");
    struct session_feed feed;
    side_hold(a, 0, 5);
    side_describe(a, 0, &feed);
    struct session_outgoing outgoing[2] = {{.last = {.seq = 5}, .count = 5, .frame = run}};
    memcpy(outgoing[0].id8, feed.id.bytes, sizeof outgoing[0].id8);
    memcpy(outgoing[0].last.id8, feed.heads[0].id.bytes, sizeof outgoing[0].last.id8);
    outgoing[1] = outgoing[0];
    const struct session_memory memory = {
        .known = true, .cut = true, .outgoing = outgoing, .outgoing_count = 2};
    side_start(a, false, &memory);
    struct buf hello = greeting(run);
    session_frame(a->session, buf_slice(&hello), 1);
    size_t next = CAME;
    for (struct session_action action; session_next(a->session, &action);) {
        uint64_t type = 0;
        struct frame_piece piece;
        if (action.type == SESSION_SEND) assert_int_equal(frame_type_of(action.frame, &type), OK);
        if (type != FRAME_PIECE) continue;
        assert_int_equal(frame_piece_read(&piece, action.frame), OK);
        assert_int_equal(piece.offset, next);
        next += piece.bytes.size;
    }
    assert_int_equal(next, RUN_SIZE);
    buf_clear(&hello);
    side_stop(a);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_on_its_way_twice_goes_on_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
