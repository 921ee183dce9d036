/* A listener's connections by what the kernel counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/link/connections.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two ends of one TCP connection. */
static void connect_pair(int *ours, int *theirs)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    *theirs = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*theirs, (struct sockaddr *)&at, size), 0);
    *ours = accept(listener, NULL, NULL);
    assert_true(*ours >= 0);
    close(listener);
}

static bool was_cut(int theirs)
{
    char byte;
    return recv(theirs, &byte, 1, MSG_DONTWAIT) == 0;
}

static void send_byte(int theirs, int ours)
{
    struct pollfd arrival = {.fd = ours, .events = POLLIN};
    char byte = 'x';
    assert_int_equal(send(theirs, &byte, 1, 0), 1);
    assert_int_equal(poll(&arrival, 1, 5000), 1);
    assert_int_equal(recv(ours, &byte, 1, 0), 1);
}

static void a_connection_from_which_nothing_comes_is_cut(void **state)
{
    (void)state;
    struct connections c = {0};
    int ours, theirs;
    uint64_t now_ms = 5000;
    connect_pair(&ours, &theirs);
    assert_true(connections_add(&c, ours));
    assert_int_equal(connections_check(&c, now_ms), 0);
    assert_int_equal(connections_check(&c, now_ms + CONNECTIONS_SILENCE_MS - 1), 0);
    assert_false(was_cut(theirs));
    assert_int_equal(connections_check(&c, now_ms + CONNECTIONS_SILENCE_MS), 1);
    assert_true(was_cut(theirs));
    connections_clear(&c);
    close(ours);
    close(theirs);
}

/* A frame that takes long to pass is life too, before it is whole. */
static void every_byte_is_a_sign_of_life(void **state)
{
    (void)state;
    struct connections c = {0};
    int ours, theirs;
    uint64_t now_ms = 5000;
    connect_pair(&ours, &theirs);
    assert_true(connections_add(&c, ours));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(connections_check(&c, now_ms), 0);
        send_byte(theirs, ours);
        now_ms += CONNECTIONS_SILENCE_MS;
    }
    assert_false(was_cut(theirs));
    connections_clear(&c);
    close(ours);
    close(theirs);
}

static void bytes_that_no_frame_brought_yet_are_seen(void **state)
{
    (void)state;
    struct connections c = {0};
    int ours, theirs;
    connect_pair(&ours, &theirs);
    assert_int_equal(connections_partial(&c, ours), UINT64_MAX);
    assert_true(connections_add(&c, ours));
    assert_int_equal(connections_partial(&c, ours), 0);
    for (uint64_t i = 1; i <= 40; i++) {
        send_byte(theirs, ours);
        assert_int_equal(connections_partial(&c, ours), i);
    }
    connections_delivered(&c, ours, 4); /* 39 with what is around it */
    assert_int_equal(connections_partial(&c, ours), 1);
    connections_clear(&c);
    close(ours);
    close(theirs);
}

/* The kernel gives a descriptor again, and its new connection begins anew. */
static void a_descriptor_used_again_inherits_no_silence(void **state)
{
    (void)state;
    struct connections c = {0};
    int ours, theirs;
    connect_pair(&ours, &theirs);
    assert_true(connections_add(&c, ours));
    assert_int_equal(connections_check(&c, 5000), 0);
    assert_true(connections_add(&c, ours));
    assert_int_equal(connections_check(&c, 5000 + CONNECTIONS_SILENCE_MS), 0);
    assert_false(was_cut(theirs));
    connections_clear(&c);
    close(ours);
    close(theirs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_from_which_nothing_comes_is_cut),
        cmocka_unit_test(every_byte_is_a_sign_of_life),
        cmocka_unit_test(bytes_that_no_frame_brought_yet_are_seen),
        cmocka_unit_test(a_descriptor_used_again_inherits_no_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
