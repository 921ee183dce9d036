#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "node/link/address.h"
#include "node/link/resolve.h"

#include <string.h>
#include <unistd.h>

static void reads_numeric_addresses_and_names(void **state)
{
    (void)state;
    struct address a;
    assert_int_equal(address_parse(&a, "tcp://10.8.0.1:7300", ADDRESS_DIAL), OK);
    assert_string_equal(a.host, "10.8.0.1");
    assert_int_equal(a.port, 7300);
    assert_true(a.numeric);
    assert_int_equal(address_parse(&a, "tcp://[fe80::1]:1", ADDRESS_DIAL), OK);
    assert_string_equal(a.host, "fe80::1");
    assert_true(a.numeric);
    assert_int_equal(address_parse(&a, "tcp://hub.langtang.cn:65535", ADDRESS_DIAL), OK);
    assert_false(a.numeric);
    assert_int_equal(address_parse(&a, "tcp://*:0", ADDRESS_LISTEN), OK);
}

static void refuses_what_is_no_address(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "10.8.0.1:7300",
        "udp://10.8.0.1:7300",
        "tcp://",
        "tcp://:7300",
        "tcp://10.8.0.1",
        "tcp://10.8.0.1:",
        "tcp://10.8.0.1:7x",
        "tcp://10.8.0.1:-1",
        "tcp://::1:7300",
        "tcp://[::1]7300",
        "tcp://[::1",
        "tcp://[]:1",
        "tcp://a b:1",
        "tcp://-x:1",
        "tcp://*:7300",
        "tcp://eth0;1.2.3.4:80",
    };
    struct address a;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(address_parse(&a, bad[i], ADDRESS_DIAL), ERR_MALFORMED);
    char longer[300] = "tcp://";
    memset(longer + 6, 'a', 200);
    strcpy(longer + 206, ":1");
    assert_int_equal(address_parse(&a, longer, ADDRESS_DIAL), ERR_MALFORMED);
}

static void refuses_ports_and_hosts_out_of_range(void **state)
{
    (void)state;
    struct address a;
    assert_int_equal(address_parse(&a, "tcp://1.2.3.4:0", ADDRESS_DIAL), ERR_RANGE);
    assert_int_equal(address_parse(&a, "tcp://1.2.3.4:65536", ADDRESS_DIAL), ERR_RANGE);
    assert_int_equal(address_parse(&a, "tcp://1.2.3.4:99999999999999999999", ADDRESS_DIAL),
                     ERR_RANGE);
    assert_int_equal(address_parse(&a, "tcp://localhost:7300", ADDRESS_LISTEN), ERR_RANGE);
}

static void looks_up_names_in_the_background(void **state)
{
    (void)state;
    struct address a;
    struct resolve *r;
    char endpoint[ADDRESS_HOST_SIZE + 16];
    assert_int_equal(address_parse(&a, "tcp://localhost:7300", ADDRESS_DIAL), OK);
    assert_int_equal(resolve_begin(&r, &a), OK);
    enum err err;
    int tries = 0;
    while ((err = resolve_poll(r, endpoint, sizeof endpoint)) == ERR_AGAIN && tries++ < 500)
        usleep(10000);
    assert_int_equal(err, OK);
    assert_non_null(strstr(endpoint, ":7300"));
    assert_int_equal(address_parse(&a, endpoint, ADDRESS_DIAL), OK);
    assert_true(a.numeric);
    resolve_free(r);
}

static void a_lookup_can_be_given_up(void **state)
{
    (void)state;
    struct address a;
    struct resolve *r;
    assert_int_equal(address_parse(&a, "tcp://no-such-host.invalid:1", ADDRESS_DIAL), OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(resolve_begin(&r, &a), OK);
        resolve_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numeric_addresses_and_names),
        cmocka_unit_test(refuses_what_is_no_address),
        cmocka_unit_test(refuses_ports_and_hosts_out_of_range),
        cmocka_unit_test(looks_up_names_in_the_background),
        cmocka_unit_test(a_lookup_can_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
