/* What is no fault of the peer is not held against it, and what it lacks it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sides.h"

#include <stdlib.h>
#include <string.h>

#define RUN_PAYLOAD KIB(60)

/* What the session under test said. */
struct said {
    unsigned sends[FRAME_HOLD + 1]; /* by type */
    unsigned stores;
    uint32_t ticket; /* of the last STORE */
    uint64_t want_flags, credit;
    bool ended;
    uint64_t refused;
};

static struct said said;

static void listen_to(struct side *s)
{
    struct session_action a;
    while (session_next(s->session, &a)) {
        uint64_t type = 0;
        struct frame_want want;
        if (a.type == SESSION_SEND) {
            assert_int_equal(frame_type_of(a.frame, &type), OK);
            said.sends[type]++;
            if (type == FRAME_WANT) {
                assert_int_equal(frame_want_read(&want, a.frame), OK);
                said.want_flags = want.flags;
            }
        }
        if (a.type == SESSION_BUILD) side_answer_build(s, &a);
        if (a.type == SESSION_CONFIRM) said.credit = a.credit;
        if (a.type == SESSION_STORE) {
            said.stores++;
            said.ticket = a.ticket;
        }
        if (a.type == SESSION_END) {
            said.ended = true;
            said.refused = a.refused;
        }
    }
}

static void hear(struct side *s, struct buf *frame, uint64_t now_ms)
{
    assert_int_equal(frame->err, OK);
    session_frame(s->session, buf_slice(frame), now_ms);
    buf_clear(frame);
    listen_to(s);
}

/* A complete HELLO of a peer that holds feed 0 up to `top`. */
static void hear_hello(struct side *s, uint64_t top, uint64_t now_ms)
{
    struct have_entry have = {.seq = top};
    struct feed feed = side_feed(0);
    struct event_id head = side_event_id(0, 0, 0, top);
    struct feed_id id;
    feed_id_of(&id, &feed);
    memcpy(have.feed.id8, id.bytes, sizeof have.feed.id8);
    memcpy(have.id8, head.bytes, sizeof have.id8);
    struct frame_hello hello = {.protocol_min = PROTOCOL_MIN,
                                .protocol_max = PROTOCOL_MAX,
                                .credit = CREDIT_DEFAULT,
                                .complete = true,
                                .have_count = top != 0};
    struct buf frame = {0};
    have_digest(hello.have8, &have, hello.have_count);
    frame_hello_write(&frame, &hello, &have);
    hear(s, &frame, now_ms);
}

static void hear_run(struct side *s, uint64_t now_ms)
{
    static uint8_t payload[RUN_PAYLOAD];
    struct frame_run run = {
        .feed = {.whole = true, .feed = side_feed(1)},
        .run = {.count = 1, .raw_size = 8, .payload = slice_of(payload, sizeof payload)}};
    struct buf frame = {0};
    frame_run_write(&frame, &run);
    hear(s, &frame, now_ms);
}

static void hear_receipt(struct side *s, uint64_t counter, uint64_t now_ms)
{
    struct frame_receipt f = {.counter = counter};
    struct receipt_parties parties = {0};
    struct sign_seed seed = {{7}};
    struct signer signer;
    struct buf frame = {0};
    signer_from_seed(&signer, &seed);
    frame_receipt_write(&frame, &f, NULL, &parties, &signer);
    hear(s, &frame, now_ms);
}

static void hear_want(struct side *s, uint64_t flags)
{
    struct frame_want want = {.flags = flags};
    struct buf frame = {0};
    frame_want_write(&frame, &want);
    hear(s, &frame, 1);
}

static void answer_store(struct side *s, enum err err, uint64_t now_ms)
{
    session_stored(s->session, said.ticket, err, NULL, (struct session_points){0}, now_ms);
    listen_to(s);
}

static int set_up(void **state)
{
    struct side *s = side_new("hub");
    memset(&said, 0, sizeof said);
    s->window = MIB(1);
    side_hold(s, 0, 5);
    side_start(s, false, NULL);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    side_stop(*state);
    free(*state);
    return 0;
}

/* A hub shares a total among its peers, so a peer's window shrinks when others come. */
static void what_was_granted_once_may_be_sent(void **state)
{
    struct side *s = *state;
    hear_hello(s, 0, 1);
    session_grant(s->session, CREDIT_PEER_MIN);
    for (unsigned i = 0; i < MIB(1) / RUN_PAYLOAD; i++) {
        hear_run(s, 1);
        if (i == 0) answer_store(s, OK, 1);
    }
    assert_false(said.ended);
    assert_int_equal(said.stores, MIB(1) / RUN_PAYLOAD);
    assert_true(said.credit >= MIB(1));
}

static void a_receipt_that_cannot_be_looked_at_is_no_fault_of_the_peer(void **state)
{
    struct side *s = *state;
    hear_hello(s, 0, 1);
    hear_receipt(s, 1, 1);
    session_receipt_verified(s->session, ERR_IO, 1);
    listen_to(s);
    assert_true(said.ended);
    assert_int_equal(said.refused, 0);
    assert_int_equal(said.sends[FRAME_REFUSE], 0);
}

/* The answer to a first WANT may come within the second in which no second one is sent for what
 * fails for the same reason; it may fail for another. */
static void a_run_that_fails_for_another_reason_is_asked_for_at_once(void **state)
{
    struct side *s = *state;
    hear_hello(s, 0, 1);
    hear_run(s, 1);
    answer_store(s, ERR_BASE, 1);
    hear_run(s, 2);
    answer_store(s, ERR_BASE, 2);
    assert_int_equal(said.sends[FRAME_WANT], 1);
    hear_run(s, 3);
    answer_store(s, ERR_DICTIONARY, 3);
    assert_int_equal(said.sends[FRAME_WANT], 2);
    assert_int_equal(said.want_flags, WANT_NO_DICTIONARY);
    hear_run(s, 4);
    answer_store(s, ERR_DICTIONARY, 4);
    assert_int_equal(said.sends[FRAME_WANT], 2);
}

static uint64_t passed(const struct side *s)
{
    struct session_status status;
    session_status(s->session, &status);
    return status.passed_bytes;
}

/* Else it would count as on its way for ten minutes, and nothing go beside it. */
static void a_complete_hello_answers_for_what_a_receipt_left_open(void **state)
{
    struct side *s = *state;
    hear_hello(s, 0, 1);
    assert_int_equal(said.sends[FRAME_RUN], 1);
    hear_receipt(s, 1, 2);
    session_receipt_verified(s->session, ERR_NOT_FOUND, 2);
    listen_to(s);
    assert_int_equal(said.want_flags, WANT_HELLO);
    assert_int_equal(passed(s), 0);
    hear_hello(s, 5, 3);
    assert_true(passed(s) > 0);
    assert_true(side_idle(s));
    assert_int_equal(said.sends[FRAME_RUN], 1);
}

static void a_hello_is_asked_for_once_and_not_for_ever(void **state)
{
    struct side *s = *state;
    hear_hello(s, 0, 1);
    unsigned answered = 0;
    for (uint64_t i = 1; i <= 900; i++) {
        hear_receipt(s, i, i);
        session_receipt_verified(s->session, ERR_NOT_FOUND, i);
        listen_to(s);
        assert_true(said.sends[FRAME_WANT] <= answered + 1);
        if (i % 3 || said.sends[FRAME_WANT] == answered) continue;
        hear_hello(s, 0, i);
        answered++;
    }
    assert_true(answered > 1);
    assert_false(said.ended);
}

/* A WANT of a few bytes brings a HELLO of up to 80 KiB. */
static void a_peer_is_sent_no_more_hellos_than_one_takes(void **state)
{
    struct side *s = *state;
    hear_hello(s, 0, 1);
    for (unsigned i = 0; i < 1000 && !said.ended; i++) hear_want(s, WANT_HELLO);
    assert_true(said.sends[FRAME_HELLO] <= 100);
    assert_int_equal(said.refused, REFUSE_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_granted_once_may_be_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_receipt_that_cannot_be_looked_at_is_no_fault_of_the_peer,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_fails_for_another_reason_is_asked_for_at_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_complete_hello_answers_for_what_a_receipt_left_open,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hello_is_asked_for_once_and_not_for_ever, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_peer_is_sent_no_more_hellos_than_one_takes, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
