#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/office/rank.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static struct rank_row row(const char *id, int64_t value, int64_t minutes, uint32_t first_day)
{
    return (struct rank_row){value, minutes, first_day, slice_of_text(id), 0};
}

/* "1b 2a": rank and id, in order. */
static void order_is(const struct rank_row *rows, size_t count, const char *order)
{
    struct buf out = {0};
    for (size_t i = 0; i < count; i++) {
        buf_printf(&out, "%s%u", i ? " " : "", rows[i].rank);
        buf_append_slice(&out, rows[i].id);
    }
    assert_string_equal(buf_text(&out), order);
    buf_clear(&out);
}

static void equal_values_share_a_rank(void **state)
{
    (void)state;
    struct rank_row rows[] = {row("d", 10, 0, 0), row("c", 93, 0, 0), row("b", 120, 0, 0),
                              row("a", 93, 0, 0)};
    rank_share(rows, COUNT(rows));
    order_is(rows, COUNT(rows), "1b 2a 2c 4d");
}

static void ranks_all_of_one_value_first(void **state)
{
    (void)state;
    struct rank_row rows[] = {row("b", -1, 0, 0), row("a", -1, 9, 9), row("c", INT64_MIN, 0, 0),
                              row("d", INT64_MIN, 0, 0)};
    rank_share(rows, 2);
    order_is(rows, 2, "1a 1b");
    rank_share(rows, COUNT(rows));
    order_is(rows, COUNT(rows), "1a 1b 3c 3d");
    rank_share(rows, 1);
    order_is(rows, 1, "1a");
    rank_share(NULL, 0);
}

static void certificates_go_by_hours_then_the_earliest_day_then_id(void **state)
{
    (void)state;
    struct rank_row rows[] = {row("f", 10, 999, 1), row("e", 93, 60, 7), row("d", 93, 60, 7),
                              row("c", 93, 60, 5),  row("b", 93, 90, 9), row("a", 120, 0, 9)};
    rank_for_certificates(rows, COUNT(rows));
    order_is(rows, COUNT(rows), "1a 2b 3c 4d 5e 6f");
}

static void the_order_of_the_input_does_not_matter(void **state)
{
    (void)state;
    const struct rank_row three[] = {row("a", 5, 1, 1), row("b", 5, 1, 1), row("c", 5, 2, 1)};
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct rank_row rows[3];
        for (size_t k = 0; k < 3; k++) rows[k] = three[orders[i][k]];
        rank_share(rows, 3);
        order_is(rows, 3, "1a 1b 1c");
        rank_for_certificates(rows, 3);
        order_is(rows, 3, "1c 2a 3b");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_share_a_rank),
        cmocka_unit_test(ranks_all_of_one_value_first),
        cmocka_unit_test(certificates_go_by_hours_then_the_earliest_day_then_id),
        cmocka_unit_test(the_order_of_the_input_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
