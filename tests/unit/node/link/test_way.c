#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/link/way.h"

#include <stdio.h>

static void tells_from_where_packets_go(void **state)
{
    (void)state;
    struct way w;
    way_begin(&w, "tcp://127.0.0.1:7300");
    assert_true(way_exists(&w));
    assert_string_equal(w.source, "127.0.0.1");
    assert_true(way_stands(&w));
    assert_false(way_is_new(&w));
}

static void a_way_from_another_address_is_new(void **state)
{
    (void)state;
    struct way w;
    way_begin(&w, "tcp://127.0.0.1:7300");
    snprintf(w.source, sizeof w.source, "192.0.2.7"); /* for documentation: nobody has it */
    assert_false(way_stands(&w));
    assert_true(way_is_new(&w));
    assert_string_equal(w.source, "127.0.0.1");
    w.source[0] = '\0'; /* there was none */
    assert_true(way_is_new(&w));
}

static void without_a_route_there_is_no_way(void **state)
{
    (void)state;
    struct way w;
    way_begin(&w, "tcp://255.255.255.255:7300"); /* a broadcast is refused */
    assert_false(way_exists(&w));
    assert_false(way_stands(&w));
    assert_false(way_is_new(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_from_where_packets_go),
        cmocka_unit_test(a_way_from_another_address_is_new),
        cmocka_unit_test(without_a_route_there_is_no_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
