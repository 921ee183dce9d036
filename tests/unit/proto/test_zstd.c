#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/zstd.h"

struct fixture {
    struct zstd *zstd;
    struct buf frame, content;
};

static int begin(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    *state = &f;
    return zstd_open(&f.zstd) != OK;
}

static int end(void **state)
{
    struct fixture *f = *state;
    zstd_close(f->zstd);
    buf_clear(&f->frame);
    buf_clear(&f->content);
    return 0;
}

/* Text that compresses a little: 16 letters by a small generator. */
static void fill(struct buf *out, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        buf_append_byte(out, (uint8_t)('a' + (seed >> 28)));
    }
}

static void gives_back_what_it_took(void **state)
{
    struct fixture *f = *state;
    static const int levels[] = {1, 3, 19};
    static const size_t sizes[] = {1, 100, 5000, 60000};
    struct buf dictionary = {0}, raw = {0};
    fill(&dictionary, 20000, 1);
    for (size_t i = 0; i < 3 * 4 * 2; i++) {
        struct slice dict = i % 2 ? buf_slice(&dictionary) : SLICE_EMPTY;
        buf_reset(&raw);
        buf_reset(&f->frame);
        buf_reset(&f->content);
        fill(&raw, sizes[i / 6], (uint32_t)i);
        assert_int_equal(
            zstd_compress(f->zstd, &f->frame, buf_slice(&raw), dict, levels[i / 2 % 3]), OK);
        assert_int_equal(
            zstd_decompress(f->zstd, &f->content, buf_slice(&f->frame), dict, raw.size), OK);
        assert_true(slice_equal(buf_slice(&f->content), buf_slice(&raw)));
    }
    buf_clear(&dictionary);
    buf_clear(&raw);
}

static void writes_frames_of_one_form(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(zstd_compress(f->zstd, &f->frame, slice_of_text("琅塘镇"), SLICE_EMPTY, 3),
                     OK);
    assert_int_equal(f->frame.data[0], 0); /* no magic; no flags */
    assert_in_range(f->frame.data[1], 0, 80);
    assert_true(f->frame.size < 9 + 8);
}

static void uses_a_dictionary(void **state)
{
    struct fixture *f = *state;
    struct buf text = {0}, raw = {0}; /* libzstd ignores a dictionary that overlaps the input */
    fill(&text, 2000, 5);
    fill(&raw, 2000, 5);
    assert_int_equal(zstd_compress(f->zstd, &f->frame, buf_slice(&raw), buf_slice(&text), 3), OK);
    assert_true(f->frame.size < 40);
    assert_int_equal(zstd_decompress(f->zstd, &f->content, buf_slice(&f->frame), SLICE_EMPTY, 2000),
                     ERR_MALFORMED);
    assert_int_equal(f->content.size, 0);
    /* the failure leaves nothing behind in the context */
    assert_int_equal(
        zstd_decompress(f->zstd, &f->content, buf_slice(&f->frame), buf_slice(&text), 2000), OK);
    buf_clear(&text);
    buf_clear(&raw);
}

static void refuses_another_size_than_stated(void **state)
{
    struct fixture *f = *state;
    struct buf raw = {0};
    fill(&raw, 1000, 3);
    assert_int_equal(zstd_compress(f->zstd, &f->frame, buf_slice(&raw), SLICE_EMPTY, 3), OK);
    static const size_t wrong[] = {0, 1, 999, 1001, 100000};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(
            zstd_decompress(f->zstd, &f->content, buf_slice(&f->frame), SLICE_EMPTY, wrong[i]),
            ERR_MALFORMED);
        assert_int_equal(f->content.size, 0);
    }
    buf_clear(&raw);
}

static void refuses_a_bomb_within_the_stated_size(void **state)
{
    struct fixture *f = *state;
    static const uint8_t zeros[RUN_RAW_SIZE_MAX];
    assert_int_equal(
        zstd_compress(f->zstd, &f->frame, slice_of(zeros, sizeof zeros), SLICE_EMPTY, 3), OK);
    assert_true(f->frame.size < 200);
    f->content.size_max = 4096; /* no more is asked for */
    assert_int_equal(zstd_decompress(f->zstd, &f->content, buf_slice(&f->frame), SLICE_EMPTY, 4096),
                     ERR_MALFORMED);
}

static void refuses_other_frames(void **state)
{
    struct fixture *f = *state;
    struct buf raw = {0};
    fill(&raw, 300, 9);
    assert_int_equal(zstd_compress(f->zstd, &f->frame, buf_slice(&raw), SLICE_EMPTY, 3), OK);
    struct slice good = buf_slice(&f->frame);
    static const struct {
        size_t at;
        uint8_t value;
        enum err err;
    } bent[] = {
        {0, 0x04, ERR_MALFORMED},                           /* a checksum */
        {0, 0x20, ERR_MALFORMED},                           /* single segment */
        {0, 0x40, ERR_MALFORMED},                           /* a content size */
        {0, 0x01, ERR_MALFORMED},                           /* a dictionary id */
        {0, 0x08, ERR_MALFORMED},                           /* reserved */
        {1, 81, ERR_LIMIT},                                 /* a window of 1 MiB and an eighth */
        {1, 0xff, ERR_LIMIT},     {2, 0x07, ERR_MALFORMED}, /* reserved block type */
    };
    uint8_t copy[512];
    assert_true(good.size < sizeof copy);
    for (size_t i = 0; i < sizeof bent / sizeof *bent; i++) {
        memcpy(copy, good.data, good.size);
        copy[bent[i].at] = bent[i].value;
        assert_int_equal(
            zstd_decompress(f->zstd, &f->content, slice_of(copy, good.size), SLICE_EMPTY, 300),
            bent[i].err);
    }
    memcpy(copy, good.data, good.size);
    copy[good.size] = 0; /* a byte after it */
    assert_int_equal(
        zstd_decompress(f->zstd, &f->content, slice_of(copy, good.size + 1), SLICE_EMPTY, 300),
        ERR_MALFORMED);
    for (size_t size = 0; size < good.size; size++)
        assert_int_equal(
            zstd_decompress(f->zstd, &f->content, slice_of(good.data, size), SLICE_EMPTY, 300),
            ERR_MALFORMED);
    assert_int_equal(f->content.size, 0);
    buf_clear(&raw);
}

static void refuses_a_second_frame(void **state)
{
    struct fixture *f = *state;
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};
    assert_int_equal(zstd_compress(f->zstd, &f->frame, slice_of_text("abc"), SLICE_EMPTY, 3), OK);
    size_t size = f->frame.size;
    buf_append(&f->frame, skippable, sizeof skippable);
    assert_int_equal(zstd_decompress(f->zstd, &f->content, buf_slice(&f->frame), SLICE_EMPTY, 3),
                     ERR_MALFORMED);
    f->frame.size = size;
    assert_int_equal(zstd_decompress(f->zstd, &f->content, buf_slice(&f->frame), SLICE_EMPTY, 3),
                     OK);
}

static void refuses_to_grow_past_a_payload(void **state)
{
    struct fixture *f = *state;
    uint8_t *noise = malloc(RUN_PAYLOAD_SIZE_MAX + 1);
    assert_non_null(noise);
    uint32_t seed = 1;
    for (size_t i = 0; i <= RUN_PAYLOAD_SIZE_MAX; i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (uint8_t)(seed >> 24);
    }
    assert_int_equal(zstd_compress(f->zstd, &f->frame, slice_of(noise, RUN_PAYLOAD_SIZE_MAX + 1),
                                   SLICE_EMPTY, 3),
                     ERR_LIMIT);
    assert_int_equal(f->frame.size, 0);
    assert_int_equal(zstd_compress(f->zstd, &f->frame, slice_of(noise, 60000), SLICE_EMPTY, 3), OK);
    assert_int_equal(zstd_decompress(f->zstd, &f->content,
                                     slice_of(noise, RUN_PAYLOAD_SIZE_MAX + 1), SLICE_EMPTY, 10),
                     ERR_LIMIT);
    free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_it_took, begin, end),
        cmocka_unit_test_setup_teardown(writes_frames_of_one_form, begin, end),
        cmocka_unit_test_setup_teardown(uses_a_dictionary, begin, end),
        cmocka_unit_test_setup_teardown(refuses_another_size_than_stated, begin, end),
        cmocka_unit_test_setup_teardown(refuses_a_bomb_within_the_stated_size, begin, end),
        cmocka_unit_test_setup_teardown(refuses_other_frames, begin, end),
        cmocka_unit_test_setup_teardown(refuses_a_second_frame, begin, end),
        cmocka_unit_test_setup_teardown(refuses_to_grow_past_a_payload, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
