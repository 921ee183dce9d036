/* PIECE and RUN as floods: parts without end, runs that bring nothing, more than was granted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/attacks.h"

#include "node/sync/state.h"

#include <string.h>

static uint8_t noise[FRAME_SIZE_MAX];

static void piece(uint64_t name, uint64_t run_size, uint64_t offset, size_t size)
{
    struct buf frame = {0};
    struct frame_piece p = {.run_size = run_size, .offset = offset, .bytes = slice_of(noise, size)};
    be64_put(p.run8, name);
    frame_piece_write(&frame, &p);
    enemy_sends(&frame);
}

/* Each the beginning of another run. */
void pieces_without_end(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    for (unsigned i = 1; i < 200 && !scene.refused; i++) {
        piece(i, FRAME_SIZE_MAX, 0, KIB(60));
        turns(1);
    }
}

/* Of what is known, for ever. */
void piece_again_and_again(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    piece(1, FRAME_SIZE_MAX, 0, KIB(40));
    for (unsigned i = 0; i < RUNS_WASTED_MAX + 2 && !scene.refused; i++) {
        piece(1, FRAME_SIZE_MAX, KIB(20), 100);
        if (i % 100 == 99) turns(1);
    }
}

void piece_with_a_gap(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    piece(1, KIB(60), 0, KIB(1));
    piece(1, KIB(60), KIB(2), KIB(1));
}

void piece_of_another_size(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    piece(1, KIB(60), 0, KIB(1));
    piece(1, KIB(70), KIB(1), KIB(1));
}

void piece_over_limit(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    piece(1, FRAME_SIZE_MAX + 1, 0, KIB(1));
}

void piece_beyond_its_run(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    piece(1, KIB(1), 1, KIB(1));
}

static void in_pieces(struct slice frame, size_t size, uint8_t name_bit)
{
    struct frame_piece p = {.run_size = frame.size};
    frame_piece_name(p.run8, frame);
    p.run8[0] ^= name_bit;
    for (; p.offset < frame.size; p.offset += size) {
        struct buf out = {0};
        size_t left = frame.size - p.offset;
        p.bytes = slice_of(frame.data + p.offset, left < size ? left : size);
        frame_piece_write(&out, &p);
        enemy_sends(&out);
    }
}

void pieces_of_no_run(const struct attack *a)
{
    struct buf frame = {0};
    (void)a;
    enemy_says_hello();
    frame_ping_write(&frame, 60);
    in_pieces(buf_slice(&frame), 1, 0);
    buf_clear(&frame);
}

static void run_in_pieces(size_t size, uint8_t name_bit)
{
    struct buf frame = {0};
    struct event e = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    struct bad_run r;
    run_begin(&r, &e, 1);
    frame_run_write(&frame, &r.frame);
    buf_clear(&r.raw);
    buf_clear(&r.payload);
    enemy_says_hello();
    in_pieces(buf_slice(&frame), size, name_bit);
    buf_clear(&frame);
}

void pieces_of_another_name(const struct attack *a)
{
    (void)a;
    run_in_pieces(64, 1);
}

void pieces_of_a_byte(const struct attack *a)
{
    (void)a;
    run_in_pieces(1, 0);
}

/* --- runs ----------------------------------------------------------------------------------- */

void runs_that_bring_nothing(const struct attack *a)
{
    struct event e = odd_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
    (void)a;
    enemy_says_hello();
    for (unsigned i = 0; i <= RUNS_WASTED_MAX + 1 && !scene.refused; i++) {
        enemy_sends_events(&e, 1);
        if (i % 200 == 199) turns(1);
    }
}

/* What was granted is used up by beginnings that nobody answers. */
void run_beyond_credit(const struct attack *a)
{
    (void)a;
    enemy_says_hello();
    for (unsigned i = 1; i <= 18; i++) piece(i, FRAME_SIZE_MAX, 0, KIB(60));
    turns(3);
    assert_int_equal(scene.refused, 0);
    enemy_sends_event(&(struct odd){.feed = feed_in(scene.enemy, ENEMY_SCOPE)});
}
