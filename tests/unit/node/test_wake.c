/* What the loop is told of the machine it runs on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/wake.h"

#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void a_machine_that_slept_is_noticed_once(void **state)
{
    (void)state;
    static const struct {
        uint64_t boottime_ms, monotonic_ms;
        bool slept;
    } turns[] = {
        {5000, 5000, false},     {65000, 65000, false},
        {65010, 65000, false},  /* read one after the other */
        {3665010, 66000, true}, /* an hour with the lid closed */
        {3666000, 67000, false}, {3667000, 68000, false},
        {3670000, 69000, true}, /* and two seconds */
    };
    struct wake w = WAKE_CLOSED;
    for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++)
        assert_int_equal(wake_slept(&w, turns[i].boottime_ms, turns[i].monotonic_ms),
                         turns[i].slept);
}

/* --- news of the kernel, told by hand --- */

static struct netwatch watch;
static int kernel;

static int open_watch(void **state)
{
    int ends[2];
    (void)state;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends)) return -1;
    watch = (struct netwatch){.fd = ends[0]};
    kernel = ends[1];
    return 0;
}

static int close_watch(void **state)
{
    (void)state;
    netwatch_close(&watch);
    close(kernel);
    return 0;
}

static void tell(uint16_t type, int interface, unsigned flags)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg info;
    } message = {.header = {.nlmsg_len = sizeof message, .nlmsg_type = type},
                 .info = {.ifi_index = interface, .ifi_flags = flags}};
    assert_int_equal(send(kernel, &message, sizeof message, 0), sizeof message);
}

static void tells_routes_and_addresses_that_come_and_go(void **state)
{
    (void)state;
    static const uint16_t types[] = {RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE};
    assert_int_equal(netwatch_read(&watch), NETWATCH_NOTHING);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        tell(types[i], 1, 0);
        assert_int_equal(netwatch_read(&watch), NETWATCH_CHANGED);
        assert_int_equal(netwatch_read(&watch), NETWATCH_NOTHING);
    }
    tell(RTM_NEWNEIGH, 1, 0);
    assert_int_equal(netwatch_read(&watch), NETWATCH_NOTHING);
}

static void an_interface_is_back_when_it_had_lost_its_carrier(void **state)
{
    (void)state;
    tell(RTM_NEWLINK, 2, IFF_UP | IFF_RUNNING);
    assert_int_equal(netwatch_read(&watch), NETWATCH_CHANGED);
    tell(RTM_NEWLINK, 2, IFF_UP);
    assert_int_equal(netwatch_read(&watch), NETWATCH_CHANGED);
    tell(RTM_NEWLINK, 3, IFF_UP | IFF_RUNNING); /* another one tells of itself */
    assert_int_equal(netwatch_read(&watch), NETWATCH_CHANGED);
    tell(RTM_NEWLINK, 2, IFF_UP | IFF_RUNNING);
    tell(RTM_NEWADDR, 2, 0); /* the weightiest of several counts */
    assert_int_equal(netwatch_read(&watch), NETWATCH_BACK);
    tell(RTM_NEWLINK, 2, IFF_UP | IFF_RUNNING);
    assert_int_equal(netwatch_read(&watch), NETWATCH_CHANGED);
}

static void a_message_cut_short_means_nothing(void **state)
{
    (void)state;
    struct nlmsghdr header = {.nlmsg_len = sizeof header, .nlmsg_type = RTM_NEWLINK};
    assert_int_equal(send(kernel, &header, sizeof header, 0), sizeof header);
    assert_int_equal(netwatch_read(&watch), NETWATCH_NOTHING);
    header.nlmsg_len = 4;
    assert_int_equal(send(kernel, &header, sizeof header, 0), sizeof header);
    assert_int_equal(netwatch_read(&watch), NETWATCH_NOTHING);
    header.nlmsg_len = 4000;
    assert_int_equal(send(kernel, &header, sizeof header, 0), sizeof header);
    assert_int_equal(netwatch_read(&watch), NETWATCH_NOTHING);
}

#define NEWS(name) cmocka_unit_test_setup_teardown(name, open_watch, close_watch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_that_slept_is_noticed_once),
        NEWS(tells_routes_and_addresses_that_come_and_go),
        NEWS(an_interface_is_back_when_it_had_lost_its_carrier),
        NEWS(a_message_cut_short_means_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
