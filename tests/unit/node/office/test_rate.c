#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "node/office/rate.h"

static void rate_is(uint64_t num, uint64_t den, const char *shown)
{
    char text[RATE_TEXT_SIZE];
    rate_format(text, num, den);
    assert_string_equal(text, shown);
}

static void shows_one_decimal_half_up(void **state)
{
    (void)state;
    rate_is(72, 81, "88.9%");
    rate_is(1, 3, "33.3%");
    rate_is(2, 3, "66.7%");
    rate_is(1, 2000, "0.1%"); /* 0.05 */
    rate_is(1, 2001, "0.0%");
    rate_is(889, 2000, "44.5%"); /* 44.45 */
    rate_is(0, 7, "0.0%");
    rate_is(3, 2, "150.0%");
}

static void shows_a_dash_for_nothing(void **state)
{
    (void)state;
    rate_is(0, 0, "—");
}

static void shows_a_hundred_only_for_all(void **state)
{
    (void)state;
    rate_is(81, 81, "100.0%");
    rate_is(9999, 10000, "99.9%");
    rate_is(UINT64_MAX - 1, UINT64_MAX, "99.9%");
    rate_is(10001, 10000, "100.1%");
    for (uint64_t den = 1; den < 5000; den++) {
        char text[RATE_TEXT_SIZE];
        rate_format(text, den - 1, den);
        assert_string_not_equal(text, "100.0%");
        rate_is(den, den, "100.0%");
    }
}

static void does_not_overflow(void **state)
{
    (void)state;
    rate_is(UINT64_MAX / 2, UINT64_MAX, "50.0%");
    rate_is(UINT64_MAX, UINT64_MAX, "100.0%");
    rate_is(UINT64_MAX, 1, "1844674407370955161.5%");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_one_decimal_half_up),
        cmocka_unit_test(shows_a_dash_for_nothing),
        cmocka_unit_test(shows_a_hundred_only_for_all),
        cmocka_unit_test(does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
