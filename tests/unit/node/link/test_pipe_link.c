#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/limits.h"
#include "node/link/packet.h"
#include "tests/support/line.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int set_up_all(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as whoever uses a pipe does */
    return crypto_init() ? -1 : 0;
}

/* --- in order --- */

static void frames_of_all_sizes_pass_both_ways(void **state)
{
    (void)state;
    struct line l;
    uint8_t *frame = malloc(FRAME_SIZE_MAX + 1);
    static const size_t sizes[] = {1, 2, 1023, 1024, 1025, 2048, 2049, 5000, FRAME_SIZE_MAX};
    for (size_t i = 0; i <= FRAME_SIZE_MAX; i++) frame[i] = (uint8_t)(i * 31 + i / 251);
    line_prepare(&l);
    line_open(&l);
    line_meet(&l);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int from = 0; from < ENDS; from++) {
            struct end *to = &l.ends[ENDS - 1 - from];
            assert_int_equal(line_say(&l, from, frame, sizes[i]), OK);
            line_settle(&l);
            assert_true(slice_equal(buf_slice(&to->last), slice_of(frame, sizes[i])));
        }
    assert_int_equal(line_say(&l, CALLER, frame, 0), ERR_LIMIT);
    assert_int_equal(line_say(&l, CALLER, frame, FRAME_SIZE_MAX + 1), ERR_LIMIT);
    assert_int_equal(l.ends[CALLER].ups, 1);
    assert_int_equal(l.ends[CALLED].ups, 1);
    assert_int_equal(l.ends[CALLER].downs + l.ends[CALLED].downs, 0);
    line_close(&l);
    free(frame);
}

static void whoever_answers_meets_nobody_before_the_first_frame(void **state)
{
    (void)state;
    struct line l;
    line_prepare(&l);
    line_open(&l);
    line_settle(&l);
    assert_int_equal(l.ends[CALLER].ups, 1);
    assert_int_equal(l.ends[CALLED].ups, 0);
    assert_int_equal(line_say(&l, CALLED, "early", 5), ERR_NOT_FOUND);
    line_close(&l);
}

static void a_banner_before_the_session_is_skipped(void **state)
{
    (void)state;
    struct line l;
    char text[3000];
    memset(text, 'M', sizeof text);
    line_prepare(&l);
    line_open(&l);
    for (int i = 0; i < ENDS; i++) line_put(l.far[i], text, sizeof text);
    line_meet(&l);
    assert_int_equal(pipe_link_counts(l.ends[CALLER].link).damaged, 0);
    line_close(&l);
}

static void a_full_line_makes_the_sender_wait_with_bounded_memory(void **state)
{
    (void)state;
    struct line l;
    static uint8_t frame[FRAME_SIZE_MAX];
    enum err err = OK;
    unsigned sent = 0;
    line_prepare(&l);
    line_open(&l);
    line_meet(&l);
    while (!err && sent < 1000) err = line_say(&l, CALLER, frame, sizeof frame), sent += !err;
    assert_int_equal(err, ERR_AGAIN);
    assert_true(l.ends[CALLER].link->ops->waiting(l.ends[CALLER].link) <
                PIPE_QUEUE_MAX + FRAME_SIZE_MAX + KIB(8));
    line_settle(&l);
    assert_int_equal(l.ends[CALLED].frames, 1 + sent);
    assert_int_equal(line_say(&l, CALLER, frame, sizeof frame), OK);
    line_close(&l);
}

/* --- damage --- */

static void any_lost_byte_is_noticed_and_the_line_goes_on(void **state)
{
    (void)state;
    struct line probe;
    line_prepare(&probe);
    line_open(&probe);
    assert_int_equal(line_talk(&probe, 1), 2);
    uint64_t sizes[ENDS] = {probe.passed[CALLER], probe.passed[CALLED]};
    line_close(&probe);
    for (int from = 0; from < ENDS; from++)
        for (uint64_t at = 0; at < sizes[from]; at++) {
            struct line l;
            line_prepare(&l);
            l.cut_at[from] = at;
            line_open(&l);
            if (line_talk(&l, 40) != 2) fail_msg("byte %u from end %d", (unsigned)at, from);
            line_close(&l);
        }
}

static void goes_on_through_noise(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct line l;
        struct rng rng = {.state = seed};
        line_prepare(&l);
        l.noise = &rng;
        l.noise_each = 700;
        line_open(&l);
        if (line_talk(&l, 500) != 2) fail_msg("seed %u", (unsigned)seed);
        line_close(&l);
    }
}

static void lose_all(struct line *l, int from)
{
    uint8_t bytes[1000];
    do line_take(l, &l->ends[from]);
    while (read(l->far[from], bytes, sizeof bytes) > 0);
}

/* A session says its first words once; that they were lost only the other end can know. */
static void whose_first_words_were_lost_is_asked_to_call_again(void **state)
{
    (void)state;
    struct line l;
    line_prepare(&l);
    line_open(&l);
    line_settle(&l);
    assert_int_equal(line_say(&l, CALLER, "hello", 5), OK);
    lose_all(&l, CALLER);
    for (int question = 0; question < 3; question++) { /* it is lost twice */
        assert_int_equal(l.ends[CALLER].downs, 0);
        l.now_ms += 5000;
        if (question < 2)
            lose_all(&l, CALLED);
        else
            line_settle(&l);
    }
    assert_int_equal(l.ends[CALLER].downs, 1);
    assert_int_equal(line_talk(&l, 1), 2);
    line_close(&l);
}

static void nothing_but_noise_opens_nothing(void **state)
{
    (void)state;
    struct line l;
    struct rng rng = {.state = 11};
    uint8_t bytes[512];
    line_prepare(&l);
    line_open(&l);
    for (int round = 0; round < 2000; round++) {
        rng_crypto_source(&rng, bytes, sizeof bytes);
        if (round % 2) { /* well-formed packets of all types, of nonsense */
            struct buf out = {0};
            packet_write(&out, (enum packet_type)(round / 2 % 6),
                         slice_of(bytes, rng_below(&rng, 200)));
            memcpy(bytes, out.data, out.size);
            line_put(l.far[CALLER], bytes, out.size);
            line_put(l.far[CALLED], bytes, out.size);
            buf_clear(&out);
        } else {
            line_put(l.far[CALLER], bytes, sizeof bytes);
            line_put(l.far[CALLED], bytes, sizeof bytes);
        }
        for (int i = 0; i < ENDS; i++) {
            line_take(&l, &l.ends[i]);
            while (read(l.far[i], bytes, sizeof bytes) > 0) continue;
        }
        l.now_ms += 100;
    }
    for (int i = 0; i < ENDS; i++) assert_int_equal(l.ends[i].ups + l.ends[i].frames, 0);
    line_close(&l);
}

/* --- who --- */

static void a_stranger_is_told_so_by_the_one_he_called(void **state)
{
    (void)state;
    struct line l;
    enum err why;
    const char *text;
    line_prepare(&l);
    l.stranger = true;
    line_open(&l);
    line_settle(&l);
    assert_true(pipe_link_over(l.ends[CALLER].link, &why, &text));
    assert_int_equal(why, ERR_FORBIDDEN);
    assert_non_null(strstr(text, "let this device in"));
    assert_int_equal(l.ends[CALLED].ups, 0);
    assert_int_equal(pipe_link_counts(l.ends[CALLED].link).denied, 1);
    line_close(&l);
}

static void a_call_for_another_device_or_township_is_not_answered(void **state)
{
    (void)state;
    for (int other_township = 0; other_township < 2; other_township++) {
        struct line l;
        enum err why;
        const char *text;
        line_prepare(&l);
        if (other_township) l.township[CALLED].bytes[0] = 4;
        line_open(&l);
        if (!other_township) {
            struct box_key key;
            box_pair_make(&key, &l.ends[CALLED].secret);
            l.ends[CALLED].link->ops->close(l.ends[CALLED].link);
            const struct pipe_keys keys = {.own = key, .secret = l.ends[CALLED].secret};
            const struct pipe_link_options options = {.in = l.ends[CALLED].fd,
                                                      .out = l.ends[CALLED].fd,
                                                      .township = l.township[CALLED],
                                                      .keys = &keys,
                                                      .key_count = 1,
                                                      .admit = line_admit,
                                                      .state = &l};
            assert_int_equal(pipe_link_open(&l.ends[CALLED].link, &options), OK);
        }
        line_settle(&l);
        assert_true(pipe_link_over(l.ends[CALLER].link, &why, &text));
        assert_int_equal(why, ERR_FORBIDDEN);
        assert_non_null(strstr(text, "another device"));
        assert_int_equal(pipe_link_counts(l.ends[CALLED].link).for_others, 1);
        line_close(&l);
    }
}

static void tries_the_next_pair_of_keys(void **state)
{
    (void)state;
    struct line l;
    struct box_secret unused;
    line_prepare(&l);
    box_pair_make(&l.more.peer, &unused);
    box_pair_make(&l.more.own, &l.more.secret);
    l.has_more = true;
    line_open(&l);
    line_meet(&l);
    line_close(&l);
    line_prepare(&l); /* a key of ours that the other end does not know yet */
    box_pair_make(&l.more.own, &l.more.secret);
    l.more.peer = l.ends[CALLED].key;
    l.has_more = true;
    line_open(&l);
    line_meet(&l);
    line_close(&l);
}

static void a_call_played_back_ends_nothing_and_opens_nothing(void **state)
{
    (void)state;
    struct line l;
    uint8_t call[512];
    line_prepare(&l);
    line_open(&l);
    line_take(&l, &l.ends[CALLER]);
    ssize_t size = read(l.far[CALLER], call, sizeof call);
    assert_true(size > 0);
    line_put(l.far[CALLED], call, (size_t)size);
    line_meet(&l);
    line_put(l.far[CALLED], call, (size_t)size);
    line_settle(&l);
    assert_int_equal(l.ends[CALLED].downs, 0);
    line_close(&l);
    /* to a later process, which never saw it: it is answered, and nobody came */
    struct box_key key = l.ends[CALLED].key, caller = l.ends[CALLER].key;
    struct box_secret secret = l.ends[CALLED].secret;
    line_prepare(&l);
    l.ends[CALLED].key = key;
    l.ends[CALLED].secret = secret;
    l.ends[CALLER].key = caller;
    line_open(&l);
    line_put(l.far[CALLED], call, (size_t)size);
    line_take(&l, &l.ends[CALLED]);
    assert_true(read(l.far[CALLED], call, sizeof call) > 0);
    assert_int_equal(l.ends[CALLED].ups, 0);
    line_close(&l);
}

/* --- the end of the line --- */

static void what_was_said_before_the_line_closed_is_heard(void **state)
{
    (void)state;
    struct line l;
    enum err why;
    const char *text;
    line_prepare(&l);
    line_open(&l);
    line_meet(&l);
    assert_int_equal(line_say(&l, CALLER, "goodbye", 7), OK);
    line_take(&l, &l.ends[CALLER]);
    line_pass(&l, CALLER);
    close(l.far[CALLED]);
    l.far[CALLED] = -1;
    assert_int_equal(line_say(&l, CALLED, "unheard", 7), OK);
    line_take(&l, &l.ends[CALLED]);
    assert_true(slice_is_text(buf_slice(&l.ends[CALLED].last), "goodbye"));
    assert_int_equal(l.ends[CALLED].downs, 1);
    assert_int_equal(l.ends[CALLED].why, ERR_UNREACHABLE);
    assert_true(pipe_link_over(l.ends[CALLED].link, &why, &text));
    assert_int_equal(why, ERR_UNREACHABLE);
    line_close(&l);
}

static void who_is_dropped_comes_back_as_another_peer(void **state)
{
    (void)state;
    struct line l;
    line_prepare(&l);
    line_open(&l);
    line_meet(&l);
    struct end *called = &l.ends[CALLED];
    uint64_t before = called->peer;
    called->link->ops->drop(called->link, before);
    called->downs++; /* by us */
    assert_int_equal(line_talk(&l, 10), 2);
    assert_int_not_equal(called->peer, before);
    line_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_all_sizes_pass_both_ways),
        cmocka_unit_test(whoever_answers_meets_nobody_before_the_first_frame),
        cmocka_unit_test(a_banner_before_the_session_is_skipped),
        cmocka_unit_test(a_full_line_makes_the_sender_wait_with_bounded_memory),
        cmocka_unit_test(any_lost_byte_is_noticed_and_the_line_goes_on),
        cmocka_unit_test(goes_on_through_noise),
        cmocka_unit_test(whose_first_words_were_lost_is_asked_to_call_again),
        cmocka_unit_test(nothing_but_noise_opens_nothing),
        cmocka_unit_test(a_stranger_is_told_so_by_the_one_he_called),
        cmocka_unit_test(a_call_for_another_device_or_township_is_not_answered),
        cmocka_unit_test(tries_the_next_pair_of_keys),
        cmocka_unit_test(a_call_played_back_ends_nothing_and_opens_nothing),
        cmocka_unit_test(what_was_said_before_the_line_closed_is_heard),
        cmocka_unit_test(who_is_dropped_comes_back_as_another_peer),
    };
    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
