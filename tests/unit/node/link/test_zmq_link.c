#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/limits.h"
#include "node/link/zmq_link.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define WAIT_MS 5000

struct pair {
    struct box_key key;
    struct box_secret secret;
};

struct fixture {
    struct zmq_link_context *context;
    struct link *listener;
    struct pair hub, village, other;
    enum link_admission village_is, other_is;
    char address[128];
    struct link *open[2]; /* dialled and not closed yet: a failed test must not hang the context */
};

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static enum link_admission admit(void *state, const struct box_key *key)
{
    struct fixture *f = state;
    if (box_key_equal(key, &f->village.key)) return f->village_is;
    if (box_key_equal(key, &f->other.key)) return f->other_is;
    return LINK_DENY;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || crypto_init()) return -1;
    box_pair_make(&f->hub.key, &f->hub.secret);
    box_pair_make(&f->village.key, &f->village.secret);
    box_pair_make(&f->other.key, &f->other.secret);
    f->village_is = LINK_DEVICE;
    if (zmq_link_context_open(&f->context)) return -1;
    if (zmq_link_listen(&f->listener, f->context, "tcp://127.0.0.1:0", &f->hub.secret, admit, f))
        return -1;
    strcpy(f->address, zmq_link_address(f->listener));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < 2; i++)
        if (f->open[i]) f->open[i]->ops->close(f->open[i]);
    f->listener->ops->close(f->listener);
    zmq_link_context_close(f->context);
    free(f);
    return 0;
}

static struct link *dial(struct fixture *f, const struct pair *who)
{
    struct link *l;
    struct zmq_link_dial options = {
        .address = f->address, .peer = f->hub.key, .key = who->key, .secret = who->secret};
    assert_int_equal(zmq_link_dial(&l, f->context, &options), OK);
    f->open[f->open[0] ? 1 : 0] = l;
    return l;
}

/* The next event of `l` while both sides of the fixture are driven as the loop does it; events of
 * the listener that nobody waits for fail the test unless `ignored` counts them. */
static bool wait_event(struct fixture *f, struct link *l, struct link *other, int timeout_ms,
                       struct link_event *out)
{
    uint64_t end = now_ms() + (uint64_t)timeout_ms;
    struct link *links[3] = {l, other, f->listener};
    size_t count = l == f->listener ? (other ? 2 : 1) : 3;
    while (now_ms() < end) {
        int wait_ms = 50;
        struct pollfd fds[3];
        for (size_t i = 0; i < count; i++) {
            fds[i] = (struct pollfd){.fd = -1};
            if (!links[i]) continue;
            zmq_link_tick(links[i], now_ms());
            fds[i] = (struct pollfd){.fd = zmq_link_fd(links[i]), .events = POLLIN};
        }
        if (l->ops->next(l, out)) return true;
        if (zmq_link_wait_ms(l) < wait_ms) wait_ms = zmq_link_wait_ms(l);
        poll(fds, count, wait_ms < 10 ? wait_ms : 10);
    }
    return false;
}

static void expect(struct fixture *f, struct link *l, enum link_event_type type,
                   struct link_event *out)
{
    assert_true(wait_event(f, l, NULL, WAIT_MS, out));
    assert_int_equal(out->type, type);
}

/* Dials and says one word, so both sides know each other. */
static struct link *connect_up(struct fixture *f, const struct pair *who, uint64_t *at_hub)
{
    struct link_event e;
    struct link *l = dial(f, who);
    expect(f, l, LINK_UP, &e);
    assert_int_equal(l->ops->send(l, e.peer, slice_of_text("hello")), OK);
    expect(f, f->listener, LINK_UP, &e);
    assert_true(box_key_equal(&e.key, &who->key));
    *at_hub = e.peer;
    expect(f, f->listener, LINK_FRAME, &e);
    assert_true(slice_is_text(e.frame, "hello"));
    assert_int_equal(e.peer, *at_hub);
    return l;
}

static void close_link(struct fixture *f, struct link *l)
{
    for (size_t i = 0; i < 2; i++)
        if (f->open[i] == l) f->open[i] = NULL;
    l->ops->close(l);
}

/* --- a client that is not ours --- */

struct raw {
    void *context, *socket;
};

static struct raw raw_open(struct fixture *f, const struct pair *who)
{
    struct raw r = {.context = zmq_ctx_new()};
    int zero = 0;
    zmq_ctx_set(r.context, ZMQ_BLOCKY, 0);
    r.socket = zmq_socket(r.context, ZMQ_DEALER);
    zmq_setsockopt(r.socket, ZMQ_LINGER, &zero, sizeof zero);
    if (who) {
        zmq_setsockopt(r.socket, ZMQ_CURVE_SERVERKEY, f->hub.key.bytes, 32);
        zmq_setsockopt(r.socket, ZMQ_CURVE_PUBLICKEY, who->key.bytes, 32);
        zmq_setsockopt(r.socket, ZMQ_CURVE_SECRETKEY, who->secret.bytes, 32);
    }
    return r;
}

static void raw_close(struct raw *r)
{
    zmq_close(r->socket);
    zmq_ctx_term(r->context);
}

/* --- tests --- */

static void passes_frames_both_ways(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    uint64_t at_hub;
    struct link *l = connect_up(f, &f->village, &at_hub);
    assert_int_equal(f->listener->ops->send(f->listener, at_hub, slice_of_text("back")), OK);
    expect(f, l, LINK_FRAME, &e);
    assert_true(slice_is_text(e.frame, "back"));
    assert_true(box_key_equal(&e.key, &f->hub.key));
    close_link(f, l);
    expect(f, f->listener, LINK_DOWN, &e);
    assert_int_equal(e.peer, at_hub);
    assert_int_equal(e.err, ERR_UNREACHABLE);
    assert_int_equal(f->listener->ops->send(f->listener, at_hub, slice_of_text("?")),
                     ERR_NOT_FOUND);
}

static void a_whole_flight_of_full_frames_fits(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    uint64_t at_hub;
    struct link *l = connect_up(f, &f->village, &at_hub);
    uint8_t *frame = calloc(1, FRAME_SIZE_MAX);
    const size_t count = CREDIT_PEER_MAX / RUN_PAYLOAD_SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        frame[0] = (uint8_t)i;
        assert_int_equal(
            f->listener->ops->send(f->listener, at_hub, slice_of(frame, FRAME_SIZE_MAX)), OK);
    }
    for (size_t i = 0; i < count; i++) {
        expect(f, l, LINK_FRAME, &e);
        assert_int_equal(e.frame.size, FRAME_SIZE_MAX);
        assert_int_equal(e.frame.data[0], i);
    }
    free(frame);
    close_link(f, l);
}

static void a_peer_that_does_not_read_fills_its_queue_and_no_more(void **state)
{
    struct fixture *f = *state;
    uint64_t at_hub;
    struct link *l = connect_up(f, &f->village, &at_hub);
    uint8_t *frame = calloc(1, FRAME_SIZE_MAX);
    enum err err = OK;
    size_t sent = 0;
    for (int idle = 0; idle < 20; idle++) {
        while (
            !(err = f->listener->ops->send(f->listener, at_hub, slice_of(frame, FRAME_SIZE_MAX)))) {
            sent++;
            idle = 0;
            assert_true(sent < 1000);
        }
        assert_int_equal(err, ERR_AGAIN);
        usleep(5000);
    }
    assert_int_equal(
        f->listener->ops->send(f->listener, at_hub, slice_of(frame, FRAME_SIZE_MAX + 1)),
        ERR_LIMIT);
    assert_int_equal(f->listener->ops->send(f->listener, at_hub, SLICE_EMPTY), ERR_LIMIT);
    free(frame);
    close_link(f, l);
}

static void denies_a_key_that_is_not_admitted(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    struct link *l = dial(f, &f->other);
    expect(f, l, LINK_DOWN, &e);
    assert_int_equal(e.err, ERR_FORBIDDEN);
    assert_non_null(strstr(e.text, "admitted"));
    enum err err;
    const char *text;
    assert_true(zmq_link_ended(l, &err, &text));
    assert_int_equal(err, ERR_FORBIDDEN);
    assert_false(l->ops->next(l, &e));
    assert_false(wait_event(f, f->listener, NULL, 100, &e));
    assert_true(zmq_link_counts(f->listener).refused >= 1);
    close_link(f, l);
}

static void tells_an_invite_from_a_device(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    f->other_is = LINK_INVITE;
    struct link *l = dial(f, &f->other);
    expect(f, l, LINK_UP, &e);
    assert_int_equal(l->ops->send(l, e.peer, slice_of_text("join")), OK);
    expect(f, f->listener, LINK_UP, &e);
    assert_true(e.invite);
    expect(f, f->listener, LINK_FRAME, &e);
    assert_true(e.invite);
    close_link(f, l);
}

static void a_key_revoked_after_its_handshake_does_not_get_in(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    struct link *l = dial(f, &f->village);
    expect(f, l, LINK_UP, &e);
    f->village_is = LINK_DENY;
    assert_int_equal(l->ops->send(l, e.peer, slice_of_text("hello")), OK);
    assert_false(wait_event(f, f->listener, NULL, 200, &e));
    assert_int_equal(zmq_link_counts(f->listener).dropped, 1);
    expect(f, l, LINK_DOWN, &e);
    close_link(f, l);
}

static void gets_nothing_from_a_client_without_curve(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    struct raw r = raw_open(f, NULL);
    assert_int_equal(zmq_connect(r.socket, f->address), 0);
    for (int i = 0; i < 5; i++) zmq_send(r.socket, "hello", 5, ZMQ_DONTWAIT);
    assert_false(wait_event(f, f->listener, NULL, 300, &e));
    assert_true(zmq_link_counts(f->listener).refused >= 1);
    raw_close(&r);
}

static void tells_a_wrong_server_key(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    struct link *l;
    struct zmq_link_dial options = {.address = f->address,
                                    .peer = f->other.key,
                                    .key = f->village.key,
                                    .secret = f->village.secret};
    assert_int_equal(zmq_link_dial(&l, f->context, &options), OK);
    expect(f, l, LINK_DOWN, &e);
    assert_int_equal(e.err, ERR_UNREACHABLE);
    assert_non_null(strstr(e.text, "another key"));
    close_link(f, l);
}

static void tells_that_nothing_listens(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    strcpy(f->address, "tcp://127.0.0.1:1");
    struct link *l = dial(f, &f->village);
    expect(f, l, LINK_DOWN, &e);
    assert_int_equal(e.err, ERR_UNREACHABLE);
    assert_non_null(strstr(e.text, "refused"));
    close_link(f, l);
}

static void tells_a_name_that_nobody_knows(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    strcpy(f->address, "tcp://no-such-host.invalid:7300");
    struct link *l = dial(f, &f->village);
    if (wait_event(f, l, NULL, WAIT_MS, &e)) { /* a name server that is silent takes longer */
        assert_int_equal(e.type, LINK_DOWN);
        assert_int_equal(e.err, ERR_UNREACHABLE);
    }
    close_link(f, l);
}

static void refuses_bad_addresses(void **state)
{
    struct fixture *f = *state;
    struct link *l;
    struct zmq_link_dial options = {.address = "127.0.0.1:7300", .peer = f->hub.key};
    assert_int_equal(zmq_link_dial(&l, f->context, &options), ERR_RANGE);
    assert_int_equal(zmq_link_listen(&l, f->context, "tcp://nowhere:1", &f->hub.secret, admit, f),
                     ERR_RANGE);
}

/* The handler's address is taken, so this listener could not have its own; libzmq would let every
 * key in. It must not come to be. */
static void does_not_listen_without_its_own_handler(void **state)
{
    struct fixture *f = *state;
    struct link *l;
    assert_int_equal(zmq_link_listen(&l, f->context, "tcp://127.0.0.1:0", &f->hub.secret, admit, f),
                     ERR_EXISTS);
}

static void tells_that_an_address_is_taken(void **state)
{
    struct fixture *f = *state;
    struct zmq_link_context *second;
    struct link *l;
    assert_int_equal(zmq_link_context_open(&second), OK);
    assert_int_equal(zmq_link_listen(&l, second, f->address, &f->hub.secret, admit, f), ERR_BUSY);
    zmq_link_context_close(second);
}

static void the_newest_connection_of_a_key_wins(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    uint64_t first, second;
    struct link *old = connect_up(f, &f->village, &first);
    struct link *new = dial(f, &f->village);
    expect(f, new, LINK_UP, &e);
    assert_int_equal(new->ops->send(new, e.peer, slice_of_text("hello")), OK);
    expect(f, f->listener, LINK_DOWN, &e);
    assert_int_equal(e.peer, first);
    expect(f, f->listener, LINK_UP, &e);
    second = e.peer;
    assert_true(second != first);
    expect(f, f->listener, LINK_FRAME, &e);
    assert_int_equal(e.peer, second);
    /* the older one is still connected, but nothing of it counts any more */
    assert_int_equal(f->listener->ops->send(f->listener, first, slice_of_text("?")), ERR_NOT_FOUND);
    close_link(f, old);
    assert_false(wait_event(f, f->listener, new, 100, &e));
    assert_int_equal(f->listener->ops->send(f->listener, second, slice_of_text("back")), OK);
    expect(f, new, LINK_FRAME, &e);
    close_link(f, new);
}

static void a_dropped_peer_is_a_new_one_when_it_speaks_again(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    uint64_t first;
    struct link *l = connect_up(f, &f->village, &first);
    f->listener->ops->drop(f->listener, first);
    assert_int_equal(f->listener->ops->send(f->listener, first, slice_of_text("?")), ERR_NOT_FOUND);
    assert_false(l->ops->next(l, &e));
    assert_int_equal(l->ops->send(l, e.peer, slice_of_text("again")), OK);
    expect(f, f->listener, LINK_UP, &e);
    assert_true(e.peer != first);
    f->listener->ops->drop(f->listener, e.peer); /* its frame goes with it */
    assert_false(wait_event(f, f->listener, NULL, 50, &e));
    close_link(f, l);
}

static void an_oversized_frame_costs_its_sender_the_connection(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    uint64_t at_hub;
    struct link *good = connect_up(f, &f->village, &at_hub);
    f->other_is = LINK_DEVICE;
    struct raw r = raw_open(f, &f->other);
    assert_int_equal(zmq_connect(r.socket, f->address), 0);
    uint8_t *frame = calloc(1, FRAME_SIZE_MAX + 200);
    zmq_send(r.socket, "hello", 5, 0);
    expect(f, f->listener, LINK_UP, &e);
    uint64_t bad = e.peer;
    expect(f, f->listener, LINK_FRAME, &e);
    zmq_send(r.socket, frame, FRAME_SIZE_MAX + 200, 0);
    expect(f, f->listener, LINK_DOWN, &e);
    assert_int_equal(e.peer, bad);
    assert_int_equal(f->listener->ops->send(f->listener, at_hub, slice_of_text("still here")), OK);
    expect(f, good, LINK_FRAME, &e);
    free(frame);
    raw_close(&r);
    close_link(f, good);
}

static void a_message_of_several_parts_is_dropped_and_its_sender_cut(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    f->other_is = LINK_DEVICE;
    struct raw r = raw_open(f, &f->other);
    assert_int_equal(zmq_connect(r.socket, f->address), 0);
    zmq_send(r.socket, "one", 3, ZMQ_SNDMORE);
    zmq_send(r.socket, "two", 3, 0);
    assert_false(wait_event(f, f->listener, NULL, 200, &e));
    assert_true(zmq_link_counts(f->listener).dropped >= 1);
    raw_close(&r);
}

static void an_empty_message_means_nothing(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    int one = 1;
    f->other_is = LINK_DEVICE;
    struct raw r = raw_open(f, &f->other);
    zmq_setsockopt(r.socket, ZMQ_PROBE_ROUTER, &one, sizeof one);
    assert_int_equal(zmq_connect(r.socket, f->address), 0);
    assert_false(wait_event(f, f->listener, NULL, 200, &e));
    assert_int_equal(zmq_link_counts(f->listener).dropped, 0);
    zmq_send(r.socket, "hello", 5, 0);
    expect(f, f->listener, LINK_UP, &e);
    raw_close(&r);
}

static void a_name_that_a_peer_chose_for_itself_is_not_taken(void **state)
{
    struct fixture *f = *state;
    struct link_event e;
    f->other_is = LINK_DEVICE;
    struct raw r = raw_open(f, &f->other);
    zmq_setsockopt(r.socket, ZMQ_ROUTING_ID, "hub", 3);
    assert_int_equal(zmq_connect(r.socket, f->address), 0);
    zmq_send(r.socket, "hello", 5, 0);
    assert_false(wait_event(f, f->listener, NULL, 200, &e));
    assert_true(zmq_link_counts(f->listener).dropped >= 1);
    raw_close(&r);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(passes_frames_both_ways),
        CASE(a_whole_flight_of_full_frames_fits),
        CASE(a_peer_that_does_not_read_fills_its_queue_and_no_more),
        CASE(denies_a_key_that_is_not_admitted),
        CASE(tells_an_invite_from_a_device),
        CASE(a_key_revoked_after_its_handshake_does_not_get_in),
        CASE(gets_nothing_from_a_client_without_curve),
        CASE(tells_a_wrong_server_key),
        CASE(tells_that_nothing_listens),
        CASE(tells_a_name_that_nobody_knows),
        CASE(refuses_bad_addresses),
        CASE(does_not_listen_without_its_own_handler),
        CASE(tells_that_an_address_is_taken),
        CASE(the_newest_connection_of_a_key_wins),
        CASE(a_dropped_peer_is_a_new_one_when_it_speaks_again),
        CASE(an_oversized_frame_costs_its_sender_the_connection),
        CASE(a_message_of_several_parts_is_dropped_and_its_sender_cut),
        CASE(an_empty_message_means_nothing),
        CASE(a_name_that_a_peer_chose_for_itself_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
