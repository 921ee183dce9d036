/* PIECE frames, and the padding of RUN frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/frame.h"

#include <string.h>

static void a_piece_is_read_as_written(void **state)
{
    (void)state;
    const struct frame_piece piece = {.run8 = {1, 2, 3, 4, 5, 6, 7, 8},
                                      .run_size = 5000,
                                      .offset = 4096,
                                      .bytes = slice_of_text("rest")};
    struct frame_piece out;
    struct buf frame = {0};
    uint64_t type;
    frame_piece_write(&frame, &piece);
    assert_int_equal(frame_type_of(buf_slice(&frame), &type), OK);
    assert_int_equal(type, FRAME_PIECE);
    assert_int_equal(frame_piece_read(&out, buf_slice(&frame)), OK);
    assert_memory_equal(out.run8, piece.run8, sizeof out.run8);
    assert_int_equal(out.run_size, 5000);
    assert_int_equal(out.offset, 4096);
    assert_int_equal(out.bytes.size, 4);
    buf_clear(&frame);
}

static enum err read_back(uint64_t run_size, uint64_t offset, const char *bytes)
{
    struct frame_piece out;
    struct buf frame = {0};
    frame_piece_write(&frame, &(struct frame_piece){.run_size = run_size,
                                                    .offset = offset,
                                                    .bytes = slice_of_text(bytes)});
    enum err err = frame_piece_read(&out, buf_slice(&frame));
    buf_clear(&frame);
    return err;
}

static void refuses_a_piece_that_its_run_cannot_have(void **state)
{
    (void)state;
    assert_int_equal(read_back(4, 0, "rest"), OK);
    assert_int_equal(read_back(4, 1, "rest"), ERR_MALFORMED);
    assert_int_equal(read_back(4, 0, ""), ERR_MALFORMED);
    assert_int_equal(read_back(FRAME_SIZE_MAX, FRAME_SIZE_MAX - 4, "rest"), OK);
    assert_int_equal(read_back(FRAME_SIZE_MAX + 1, 0, "rest"), ERR_LIMIT);
}

static size_t run_size(size_t payload, struct buf *frame)
{
    static uint8_t bytes[2000];
    struct frame_run run = {
        .run = {.base_seq = 7, .count = 1, .raw_size = 9, .payload = slice_of(bytes, payload)}};
    buf_reset(frame);
    frame_run_write(frame, &run);
    assert_int_equal(frame->err, OK);
    return frame->size;
}

static void a_short_run_shows_its_size_in_steps(void **state)
{
    (void)state;
    struct buf frame = {0};
    struct frame_run out;
    size_t sizes = 0, last = 0;
    for (size_t payload = 1; payload < 900; payload++) {
        size_t size = run_size(payload, &frame);
        assert_int_equal(size % RUN_PADDING_STEP, 0);
        assert_int_equal(frame_run_read(&out, buf_slice(&frame)), OK);
        if (size != last) sizes++;
        last = size;
    }
    assert_in_range(sizes, 900 / RUN_PADDING_STEP, 900 / RUN_PADDING_STEP + 2);
    assert_int_equal(run_size(1500, &frame) + 1, run_size(1501, &frame));
    buf_clear(&frame);
}

static void refuses_padding_that_carries_something(void **state)
{
    (void)state;
    struct buf frame = {0};
    struct frame_run out;
    run_size(10, &frame);
    assert_int_equal(frame.data[frame.size - 1], 0);
    frame.data[frame.size - 1] = 1;
    assert_int_equal(frame_run_read(&out, buf_slice(&frame)), ERR_MALFORMED);
    buf_clear(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_is_read_as_written),
        cmocka_unit_test(refuses_a_piece_that_its_run_cannot_have),
        cmocka_unit_test(a_short_run_shows_its_size_in_steps),
        cmocka_unit_test(refuses_padding_that_carries_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
