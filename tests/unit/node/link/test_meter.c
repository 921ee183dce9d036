/* What links count, against what a wire between them saw. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/limits.h"
#include "node/link/meter.h"
#include "node/link/zmq_link.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- a wire: one connection, carried by the test's own turns --- */

struct wire {
    int listener, near, far; /* near: of the one that dials */
    uint16_t to;
    uint64_t up, down;
};

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in a = loopback(0);
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&p, 1, 0) == 1;
}

static void carry(int *from, int *to, uint64_t *count)
{
    uint8_t data[4096];
    while (readable(*from)) {
        ssize_t n = read(*from, data, sizeof data);
        if (n <= 0) {
            close(*from);
            *from = -1;
            if (*to >= 0) shutdown(*to, SHUT_WR);
            return;
        }
        *count += (uint64_t)n;
        for (ssize_t at = 0, put; at < n && *to >= 0; at += put) {
            put = send(*to, data + at, (size_t)(n - at), MSG_NOSIGNAL);
            if (put <= 0) break;
        }
    }
}

static void wire_turn(struct wire *w)
{
    if (w->near < 0 && readable(w->listener)) {
        w->near = accept(w->listener, NULL, NULL);
        w->far = connect_to(w->to);
    }
    carry(&w->near, &w->far, &w->up);
    carry(&w->far, &w->near, &w->down);
}

/* --- two links on it --- */

struct fixture {
    struct zmq_link_context *context;
    struct link *hub, *village;
    struct box_key hub_key, village_key;
    struct box_secret hub_secret, village_secret;
    enum link_admission village_is;
    struct wire wire;
    uint64_t at_village, at_hub; /* handles */
    size_t hub_frames, village_frames;
    bool hub_up, village_up, hub_down, village_down;
};

static enum link_admission admit(void *state, const struct box_key *key)
{
    (void)key;
    return ((struct fixture *)state)->village_is;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    uint16_t port;
    char address[64];
    if (!f || crypto_init()) return -1;
    f->village_is = LINK_DEVICE;
    box_pair_make(&f->hub_key, &f->hub_secret);
    box_pair_make(&f->village_key, &f->village_secret);
    if (zmq_link_context_open(&f->context)) return -1;
    if (zmq_link_listen(&f->hub, f->context, "tcp://127.0.0.1:0", &f->hub_secret, admit, f))
        return -1;
    f->wire = (struct wire){.near = -1, .far = -1};
    f->wire.listener = listen_anywhere(&port);
    f->wire.to = (uint16_t)atoi(strrchr(zmq_link_address(f->hub), ':') + 1);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%u", (unsigned)port);
    struct zmq_link_dial options = {
        .address = address, .peer = f->hub_key, .key = f->village_key, .secret = f->village_secret};
    if (zmq_link_dial(&f->village, f->context, &options)) return -1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->village) f->village->ops->close(f->village);
    f->hub->ops->close(f->hub);
    zmq_link_context_close(f->context);
    close(f->wire.listener);
    if (f->wire.near >= 0) close(f->wire.near);
    if (f->wire.far >= 0) close(f->wire.far);
    free(f);
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void turn_link(struct link *l, uint64_t *handle, size_t *frames, bool *up, bool *down)
{
    struct link_event e;
    zmq_link_tick(l, now_ms());
    while (l->ops->next(l, &e)) {
        if (e.type == LINK_UP) *handle = e.peer, *up = true;
        if (e.type == LINK_FRAME) ++*frames;
        if (e.type == LINK_DOWN) *down = true;
    }
}

static void turn(struct fixture *f)
{
    wire_turn(&f->wire);
    turn_link(f->hub, &f->at_hub, &f->hub_frames, &f->hub_up, &f->hub_down);
    if (f->village)
        turn_link(f->village, &f->at_village, &f->village_frames, &f->village_up, &f->village_down);
    usleep(200);
}

#define turn_until(f, condition)                                                                   \
    do {                                                                                           \
        uint64_t end_ms = now_ms() + 10000;                                                        \
        while (!(condition) && now_ms() < end_ms) turn(f);                                         \
        assert_true(condition);                                                                    \
    } while (0)

static void say(struct link *l, uint64_t to, size_t size)
{
    static const uint8_t data[FRAME_SIZE_MAX];
    assert_int_equal(l->ops->send(l, to, slice_of(data, size)), OK);
}

/* Adds up all that a link has to tell; fails when it is not of this peer. */
static struct meter_bytes told(struct link *l, bool last, const struct box_key *peer)
{
    struct link_traffic t;
    struct meter_bytes sum = {0};
    while (l->ops->traffic(l, last, &t)) {
        assert_int_equal(t.known, peer != NULL);
        if (peer) assert_true(box_key_equal(&t.key, peer));
        sum.sent += t.sent;
        sum.received += t.received;
    }
    return sum;
}

/* --- tests --- */

/* Without the kernel's word the frames alone tell the same. */
static void assert_frames_tell(const struct wire *w, const size_t *sizes, size_t count)
{
    struct meter m;
    meter_begin(&m, -1);
    meter_greeted(&m, true);
    for (size_t i = 0; i < count; i++) {
        meter_sent(&m, sizes[i]);
        meter_received(&m, sizes[i]);
    }
    meter_sent(&m, 1);
    struct meter_bytes all = meter_take(&m, true);
    assert_int_equal(all.sent, w->up);
    assert_int_equal(all.received, w->down);
}

static void every_byte_of_a_contact_is_counted_at_both_ends(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {1, 221, 222, 223, 300, 5000, FRAME_SIZE_MAX};
    const size_t count = sizeof sizes / sizeof sizes[0];
    struct meter_bytes village = {0};
    turn_until(f, f->village_up);
    for (size_t i = 0; i < count; i++) say(f->village, f->at_village, sizes[i]);
    turn_until(f, f->hub_frames == count);
    for (size_t i = 0; i < count; i++) {
        say(f->hub, f->at_hub, sizes[i]);
        struct meter_bytes some = told(f->village, false, &f->hub_key); /* in between as well */
        village.sent += some.sent;
        village.received += some.received;
    }
    turn_until(f, f->village_frames == count);
    say(f->village, f->at_village, 1); /* as BYE: closed behind it at once */
    struct meter_bytes rest = told(f->village, true, &f->hub_key);
    f->village->ops->close(f->village);
    f->village = NULL;
    turn_until(f, f->hub_down && f->hub_frames == count + 1);
    assert_int_equal(village.sent + rest.sent, f->wire.up);
    assert_int_equal(village.received + rest.received, f->wire.down);
    struct meter_bytes hub = told(f->hub, false, &f->village_key);
    assert_int_equal(hub.sent, f->wire.down);
    assert_int_equal(hub.received, f->wire.up);
    assert_frames_tell(&f->wire, sizes, count);
}

static void the_handshake_is_as_long_as_the_specification_says(void **state)
{
    struct fixture *f = *state;
    turn_until(f, f->village_up);
    assert_int_equal(f->wire.up, METER_DIALLER_HANDSHAKE);
    assert_int_equal(f->wire.down, METER_LISTENER_HANDSHAKE);
}

static void a_handshake_that_fails_is_counted(void **state)
{
    struct fixture *f = *state;
    f->village_is = LINK_DENY;
    turn_until(f, f->village_down);
    struct meter_bytes village = told(f->village, true, &f->hub_key);
    assert_int_equal(village.sent, f->wire.up);
    assert_true(village.sent >= METER_DIALLER_HANDSHAKE);
    /* how the refusal reads is lost with the socket when it came right before the end */
    assert_true(village.received <= f->wire.down && village.received >= 64 + 170);
}

static void what_a_cut_left_in_queues_was_not_sent(void **state)
{
    struct fixture *f = *state;
    turn_until(f, f->village_up);
    uint64_t handed = 0;
    for (size_t i = 0; i < 30; i++) { /* to one that does not read: it fills */
        say(f->village, f->at_village, FRAME_SIZE_MAX);
        handed += FRAME_SIZE_MAX;
    }
    struct wire *w = &f->wire;
    for (int i = 0; i < 100; i++) {
        turn_link(f->village, &f->at_village, &f->village_frames, &f->village_up, &f->village_down);
        usleep(1000);
    }
    struct meter far; /* the kernel's word at the other end of the wire */
    meter_begin(&far, w->near);
    struct meter_bytes arrived = meter_take(&far, false);
    struct linger hard = {.l_onoff = 1};
    assert_int_equal(setsockopt(w->near, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(w->near);
    w->near = -1;
    turn_until(f, f->village_down);
    struct meter_bytes village = told(f->village, true, &f->hub_key);
    assert_int_equal(village.sent, arrived.received);
    assert_true(village.sent < handed);
}

static void a_descriptor_used_anew_is_not_the_same_connection(void **state)
{
    (void)state;
    uint16_t port;
    int listener = listen_anywhere(&port), first = connect_to(port), second = connect_to(port);
    struct meter m;
    meter_begin(&m, first);
    assert_int_equal(send(first, "four", 4, 0), 4);
    meter_look(&m);
    assert_int_equal(meter_take(&m, false).sent, 4);
    assert_int_equal(send(second, "somebody else's", 15, 0), 15);
    assert_int_equal(dup2(second, first), first);
    meter_look(&m);
    assert_int_equal(meter_take(&m, true).sent, 0);
    close(first);
    close(second);
    close(listener);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(every_byte_of_a_contact_is_counted_at_both_ends),
        CASE(the_handshake_is_as_long_as_the_specification_says),
        CASE(a_handshake_that_fails_is_counted),
        CASE(what_a_cut_left_in_queues_was_not_sent),
        cmocka_unit_test(a_descriptor_used_anew_is_not_the_same_connection),
    };
    alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
