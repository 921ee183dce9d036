#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/office/money.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void writes_yuan_with_two_decimals(void **state)
{
    (void)state;
    static const struct {
        int64_t fen;
        const char *text;
    } cases[] = {
        {319000, "3190.00"},
        {0, "0.00"},
        {5, "0.05"},
        {-5, "-0.05"},
        {20000000, "200000.00"},
        {INT64_MIN, "-92233720368547758.08"},
    };
    char text[MONEY_TEXT_SIZE];
    for (size_t i = 0; i < COUNT(cases); i++) {
        money_format(text, cases[i].fen);
        assert_string_equal(text, cases[i].text);
    }
}

/* The People's Bank's own examples, and the edges. */
static void writes_amounts_in_capitals(void **state)
{
    (void)state;
    static const struct {
        int64_t fen;
        const char *text;
    } cases[] = {
        {319000, "叁仟壹佰玖拾元整"},
        {20000000, "贰拾万元整"},
        {140950, "壹仟肆佰零玖元伍角"},
        {600714, "陆仟零柒元壹角肆分"},
        {168032, "壹仟陆佰捌拾元叁角贰分"},
        {10700053, "壹拾万柒仟元伍角叁分"},
        {1640902, "壹万陆仟肆佰零玖元零贰分"},
        {32504, "叁佰贰拾伍元零肆分"},
        {1000, "壹拾元整"},
        {101000, "壹仟零壹拾元整"},
        {0, "零元整"},
        {5, "伍分"},
        {50, "伍角"},
        {55, "伍角伍分"},
        {105, "壹元零伍分"},
        {1000500, "壹万零伍元整"},
        {10005000, "壹拾万零伍拾元整"},
        {INT64_C(10000000000), "壹亿元整"},
        {INT64_C(10000500000), "壹亿零伍仟元整"},
        {INT64_C(10000000100), "壹亿零壹元整"},
        {INT64_C(1000000000000), "壹佰亿元整"},
        {INT64_C(123456789012), "壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元壹角贰分"},
        {MONEY_FEN_MAX, "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"},
    };
    struct buf out = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf_reset(&out);
        money_capitals(&out, cases[i].fen);
        assert_string_equal(buf_text(&out), cases[i].text);
    }
    buf_clear(&out);
}

static void reads_what_people_type_for_an_amount(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t fen;
    } cases[] = {
        {"200000", 20000000},
        {"20万", 20000000},
        {"20万元", 20000000},
        {"20.5万", 20500000},
        {"3190.5", 319050},
        {"3,190.00元", 319000},
        {"3190yuan", 319000},
        {"319000分", 319000},
        {"319000fen", 319000},
        {"0.05", 5},
        {"0", 0},
        {"3190.000", 319000},
        {"999999999999.99", MONEY_FEN_MAX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t fen = -1;
        assert_int_equal(money_parse(&fen, slice_of_text(cases[i].text)), OK);
        assert_int_equal(fen, cases[i].fen);
    }
}

static void refuses_what_is_no_amount(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
    } cases[] = {
        {"", ERR_MALFORMED},
        {"元", ERR_MALFORMED},
        {"3190.005", ERR_MALFORMED},
        {"0.5分", ERR_MALFORMED},
        {"3190.", ERR_MALFORMED},
        {".5", ERR_MALFORMED},
        {"1.2.3", ERR_MALFORMED},
        {"三千", ERR_MALFORMED},
        {"1e5", ERR_MALFORMED},
        {"-5", ERR_RANGE},
        {"1000000000000", ERR_RANGE},
        {"100000000万", ERR_RANGE},
        {"99999999999999999999999999", ERR_RANGE},
        {"+5", ERR_MALFORMED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t fen = -1;
        assert_int_equal(money_parse(&fen, slice_of_text(cases[i].text)), cases[i].err);
        assert_int_equal(fen, -1);
    }
}

static void reads_back_every_amount_it_writes(void **state)
{
    (void)state;
    char text[MONEY_TEXT_SIZE];
    for (int64_t fen = 0; fen < MONEY_FEN_MAX / 8; fen = fen * 7 + 3) {
        int64_t read = -1;
        money_format(text, fen);
        assert_int_equal(money_parse(&read, slice_of_text(text)), OK);
        assert_int_equal(read, fen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_yuan_with_two_decimals),
        cmocka_unit_test(writes_amounts_in_capitals),
        cmocka_unit_test(reads_what_people_type_for_an_amount),
        cmocka_unit_test(refuses_what_is_no_amount),
        cmocka_unit_test(reads_back_every_amount_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
