/* Dialling what does not answer as it should, stage by stage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/link/zmq_link.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAITING 4

static struct zmq_link_context *context;
static struct box_key key, hub_key;
static struct box_secret secret, hub_secret;
static int server;
static char address[64];
static uint64_t now_ms;

static int begin(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (crypto_init() || zmq_link_context_open(&context)) return -1;
    box_pair_make(&key, &secret);
    box_pair_make(&hub_key, &hub_secret);
    server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 0)) return -1;
    if (getsockname(server, (struct sockaddr *)&at, &size)) return -1;
    snprintf(address, sizeof address, "tcp://127.0.0.1:%u", ntohs(at.sin_port));
    now_ms = 1000;
    return 0;
}

static int end(void **state)
{
    (void)state;
    close(server);
    zmq_link_context_close(context);
    return 0;
}

static struct link *dial_for(const char *to, uint64_t patience_ms)
{
    struct link *l;
    struct zmq_link_dial options = {
        .address = to, .peer = hub_key, .key = key, .secret = secret, .patience_ms = patience_ms};
    assert_int_equal(zmq_link_dial(&l, context, &options), OK);
    return l;
}

static struct link *dial(const char *to)
{
    return dial_for(to, 0);
}

static uint64_t real_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Real time for libzmq; the link's own clock stands still meanwhile. */
static bool next_of_both(struct link *l, struct link *listener, uint64_t real_ms,
                         struct link_event *out)
{
    uint64_t until_ms = real_now_ms() + real_ms;
    while (real_now_ms() < until_ms) {
        if (listener) zmq_link_tick(listener, now_ms);
        zmq_link_tick(l, now_ms);
        if (l->ops->next(l, out)) return true;
        int wait_ms = zmq_link_wait_ms(l);
        poll(&(struct pollfd){.fd = zmq_link_fd(l), .events = POLLIN}, 1,
             wait_ms < 5 ? wait_ms : 5);
    }
    return false;
}

static bool next_within(struct link *l, uint64_t real_ms, struct link_event *out)
{
    return next_of_both(l, NULL, real_ms, out);
}

/* The server's queue of connections is full, so who dials it waits. */
static void fill_queue(int waiting[WAITING])
{
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &size), 0);
    for (size_t i = 0; i < WAITING; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(waiting[i], (struct sockaddr *)&at, size);
    }
}

static void empty_queue(const int waiting[WAITING])
{
    for (size_t i = 0; i < WAITING; i++) close(waiting[i]);
}

static enum link_admission admit_all(void *state, const struct box_key *asks)
{
    (void)state, (void)asks;
    return LINK_DEVICE;
}

/* libzmq's thread tells its monitor what becomes of the attempt, and waits for a reader as long as
 * it takes: one that was gone held it up for ever, and no later attempt began. */
static void an_attempt_that_is_given_up_does_not_hold_up_the_next(void **state)
{
    (void)state;
    struct link_event e;
    struct link *listener;
    int waiting[WAITING];
    fill_queue(waiting);
    struct link *l = dial(address);
    assert_false(next_within(l, 200, &e));
    l->ops->close(l);
    assert_int_equal(
        zmq_link_listen(&listener, context, "tcp://127.0.0.1:0", &hub_secret, admit_all, NULL), OK);
    l = dial(zmq_link_address(listener));
    bool up = next_of_both(l, listener, 5000, &e);
    l->ops->close(l);
    listener->ops->close(listener);
    empty_queue(waiting);
    assert_true(up);
    assert_int_equal(e.type, LINK_UP);
}

/* Also where libzmq says nothing: it does not when it cannot even make a socket. */
static void a_connection_that_does_not_come_is_given_up_after_20_seconds(void **state)
{
    (void)state;
    struct link_event e;
    int waiting[WAITING];
    fill_queue(waiting);
    struct link *l = dial(address);
    assert_false(next_within(l, 100, &e));
    now_ms += 20000;
    assert_false(next_within(l, 20, &e));
    now_ms += 2000;
    assert_true(next_within(l, 20, &e));
    assert_int_equal(e.type, LINK_DOWN);
    assert_int_equal(e.err, ERR_TIMEOUT);
    assert_string_equal(e.text, "no answer in time");
    l->ops->close(l);
    empty_queue(waiting);
}

static void a_caller_may_have_less_patience_with_the_connection(void **state)
{
    (void)state;
    struct link_event e;
    int waiting[WAITING];
    fill_queue(waiting);
    struct link *l = dial_for(address, 2000);
    assert_false(next_within(l, 100, &e));
    now_ms += 1700;
    assert_false(next_within(l, 20, &e));
    assert_in_range(zmq_link_wait_ms(l), 1, 300); /* not a whole second */
    now_ms += 300;
    assert_true(next_within(l, 20, &e));
    assert_int_equal(e.type, LINK_DOWN);
    assert_int_equal(e.err, ERR_TIMEOUT);
    l->ops->close(l);
    empty_queue(waiting);
}

static void a_caller_may_have_less_patience_with_the_handshake(void **state)
{
    (void)state;
    struct link_event e;
    struct link *l = dial_for(address, 2000);
    assert_false(next_within(l, 20, &e));
    int peer = accept(server, NULL, NULL);
    assert_true(peer >= 0);
    assert_false(next_within(l, 100, &e));
    now_ms += 7000;
    assert_false(next_within(l, 20, &e));
    now_ms += 1000;
    assert_true(next_within(l, 20, &e));
    assert_int_equal(e.err, ERR_TIMEOUT);
    l->ops->close(l);
    close(peer);
}

/* What a server may have said of the handshake before it fell silent: nothing, or a greeting that
 * is right up to some byte. */
static void a_handshake_that_stops_is_given_up_after_30_seconds(void **state)
{
    (void)state;
    static const uint8_t greeting[64] = {0xff, [9] = 0x7f, [10] = 3, [12] = 'C',
                                         'U',  'R',        'V',      'E'};
    static const size_t said[] = {0, 1, 10, 11, 12, 63, 64};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        struct link_event e;
        struct link *l = dial(address);
        assert_false(next_within(l, 20, &e));
        int peer = accept(server, NULL, NULL);
        assert_true(peer >= 0);
        assert_int_equal(send(peer, greeting, said[i], MSG_NOSIGNAL), said[i]);
        assert_false(next_within(l, 50, &e));
        now_ms += 32000;
        assert_true(next_within(l, 20, &e));
        assert_int_equal(e.type, LINK_DOWN);
        assert_int_equal(e.err, ERR_TIMEOUT);
        l->ops->close(l);
        close(peer);
    }
}

static void a_server_that_hangs_up_is_told_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct link_event e;
        struct linger hard = {.l_onoff = 1};
        struct link *l = dial(address);
        assert_false(next_within(l, 10, &e));
        int peer = accept(server, NULL, NULL);
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(peer);
        assert_true(next_within(l, 5000, &e));
        assert_int_equal(e.type, LINK_DOWN);
        assert_int_equal(e.err, ERR_UNREACHABLE);
        l->ops->close(l);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_attempt_that_is_given_up_does_not_hold_up_the_next),
        TEST(a_connection_that_does_not_come_is_given_up_after_20_seconds),
        TEST(a_caller_may_have_less_patience_with_the_connection),
        TEST(a_caller_may_have_less_patience_with_the_handshake),
        TEST(a_handshake_that_stops_is_given_up_after_30_seconds),
        TEST(a_server_that_hangs_up_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
