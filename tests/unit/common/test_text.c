#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <locale.h>
#include <string.h>

#include "common/text.h"

static struct slice s(const char *text)
{
    return slice_of_text(text);
}

static void takes_utf8_of_every_length(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "村",
                                       "\xef\xbf\xbd",
                                       "\xf0\xa0\xae\xb7",
                                       "\xf4\x8f\xbf\xbf",
                                       "琅塘镇 03A-0127"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) assert_true(text_valid(s(good[i])));
}

static void refuses_what_is_not_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",             /* a continuation alone */
        "\xc0\xaf",         /* overlong */
        "\xe0\x80\xaf",     /* overlong */
        "\xf0\x80\x80\xaf", /* overlong */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* past U+10FFFF */
        "\xe6\x9d",         /* cut short */
        ("\xe6\x9d"
         "a"),
        "\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(text_valid(s(bad[i])));
}

static void counts_columns_of_chinese(void **state)
{
    (void)state;
    assert_int_equal(text_width(s("")), 0);
    assert_int_equal(text_width(s("云岭村")), 6);
    assert_int_equal(text_width(s("a云b")), 4);
    assert_int_equal(text_width(s("\x1b[31m")), 5); /* the escape counts as its `?` */
}

static const char *shown(struct buf *out, const char *text)
{
    buf_reset(out);
    text_append_shown(out, s(text));
    return buf_text(out);
}

static void shows_nothing_that_steers_a_terminal(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_string_equal(shown(&out, "a\x1b[2Jb"), "a?[2Jb");
    assert_string_equal(shown(&out, "a\nb\tc\rd"), "a b c d");
    assert_string_equal(shown(&out, "\xe2\x80\xae"
                                    "cod"),
                        "?cod"); /* right-to-left override */
    assert_string_equal(shown(&out, "\xc2\x9b"
                                    "31m"),
                        "?31m"); /* the 8-bit CSI */
    assert_string_equal(shown(&out, "\xff村"), "?村");
    buf_clear(&out);
}

static void pads_by_columns_not_bytes(void **state)
{
    (void)state;
    struct buf out = {0};
    text_append_padded(&out, s("云岭村"), 8, false);
    buf_append_byte(&out, '|');
    text_append_padded(&out, s("12"), 4, true);
    buf_append_byte(&out, '|');
    text_append_padded(&out, s("云岭村"), 4, false);
    assert_string_equal(buf_text(&out), "云岭村  |  12|云岭村");
    buf_clear(&out);
}

static void cuts_at_a_whole_character(void **state)
{
    (void)state;
    assert_true(slice_is_text(text_cut(s("云岭村"), 5), "云岭"));
    assert_true(slice_is_text(text_cut(s("云岭村"), 6), "云岭村"));
    assert_true(slice_is_text(text_cut(s("云岭村"), 1), ""));
}

static void breaks_a_line_before_a_blank_where_there_is_one(void **state)
{
    (void)state;
    assert_true(slice_is_text(text_line(s("云岭 | 下坝"), 80), "云岭 | 下坝"));
    assert_true(slice_is_text(text_line(s("云岭 | 下坝"), 9), "云岭 |"));
    assert_true(slice_is_text(text_line(s("云岭 下坝"), 4), "云岭"));
    assert_true(slice_is_text(text_line(s("云岭下坝"), 5), "云岭"));
    assert_true(slice_is_text(text_line(s("云岭"), 1), "云"));
    assert_true(slice_is_text(text_line(s("交办,回访,党政办"), 12), "交办,回访,"));
    assert_true(slice_is_text(text_line(s("空格分开，依次尝试"), 14), "空格分开，"));
    assert_true(slice_is_text(text_line(s(""), 1), ""));
}

static void measures_how_far_two_words_are_apart(void **state)
{
    (void)state;
    assert_int_equal(text_distance("status", "status"), 0);
    assert_int_equal(text_distance("stauts", "status"), 1); /* two neighbours swapped */
    assert_int_equal(text_distance("statu", "status"), 1);
    assert_int_equal(text_distance("sync", "show"), 3);
    assert_int_equal(text_distance("", "log"), 3);
    assert_int_equal(text_distance("状太", "状态"), 1); /* a character is one, not three bytes */
    assert_true(text_distance("a-word-that-is-far-too-long-for-any-verb", "log") == SIZE_MAX);
}

static void reads_gb18030(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_int_equal(text_from_gb18030(&out, s("\xc0\xc5\xcc\xc1")), OK);
    assert_string_equal(buf_text(&out), "琅塘");
    buf_reset(&out);
    assert_int_equal(text_from_gb18030(&out, s("a\xff\xff")), ERR_MALFORMED);
    buf_reset(&out);
    assert_int_equal(text_from_gb18030(&out, s("\xc0")), ERR_MALFORMED);
    buf_clear(&out);
}

static void converts_more_than_one_buffer_of_text(void **state)
{
    (void)state;
    struct buf in = {0}, out = {0};
    for (int i = 0; i < 5000; i++) buf_append_text(&in, "\xc0\xc5");
    assert_int_equal(text_from_gb18030(&out, buf_slice(&in)), OK);
    assert_int_equal(out.size, 15000);
    buf_clear(&in);
    buf_clear(&out);
}

static void masks_to(void (*mask)(struct buf *, struct slice), const char *text, const char *masked)
{
    struct buf out = {0};
    mask(&out, s(text));
    assert_string_equal(buf_text(&out), masked);
    buf_clear(&out);
}

static void hides_the_middle_of_a_phone_number(void **state)
{
    (void)state;
    masks_to(text_mask_phone, "13812341234", "138****1234");
    masks_to(text_mask_phone, "0738-3212345", "073*****2345");
    masks_to(text_mask_phone, "+8613812341234", "+86*******1234");
    masks_to(text_mask_phone, "0738321234", "07****1234");
    masks_to(text_mask_phone, "83212345", "****2345");
    masks_to(text_mask_phone, "3212345", "****345");
    masks_to(text_mask_phone, "12345", "****5");
    masks_to(text_mask_phone, "1234", "****");
    masks_to(text_mask_phone, "", "");
}

static void copies_what_fits_with_its_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *copied;
    } cases[] = {
        {"abc", 4, "abc"},   {"abc", 3, "ab"},  {"abc", 1, ""},    {"", 1, ""},
        {"甲乙", 7, "甲乙"}, {"甲乙", 6, "甲"}, {"甲乙", 4, "甲"}, {"甲乙", 3, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[8];
        memset(out, '#', sizeof out);
        text_copy(out, cases[i].size, slice_of_text(cases[i].text));
        assert_string_equal(out, cases[i].copied);
        for (size_t at = cases[i].size; at < sizeof out; at++) assert_int_equal(out[at], '#');
    }
}

static void keeps_the_surname_only(void **state)
{
    (void)state;
    masks_to(text_mask_name, "甲乙丙", "甲某");
    masks_to(text_mask_name, "甲", "甲某");
    masks_to(text_mask_name, "𠮷野", "𠮷某");
    masks_to(text_mask_name, "Ann", "A某");
    masks_to(text_mask_name, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_utf8_of_every_length),
        cmocka_unit_test(refuses_what_is_not_utf8),
        cmocka_unit_test(counts_columns_of_chinese),
        cmocka_unit_test(shows_nothing_that_steers_a_terminal),
        cmocka_unit_test(pads_by_columns_not_bytes),
        cmocka_unit_test(cuts_at_a_whole_character),
        cmocka_unit_test(copies_what_fits_with_its_end),
        cmocka_unit_test(breaks_a_line_before_a_blank_where_there_is_one),
        cmocka_unit_test(measures_how_far_two_words_are_apart),
        cmocka_unit_test(reads_gb18030),
        cmocka_unit_test(converts_more_than_one_buffer_of_text),
        cmocka_unit_test(hides_the_middle_of_a_phone_number),
        cmocka_unit_test(keeps_the_surname_only),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
