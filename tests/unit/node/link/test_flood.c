#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/limits.h"
#include "node/link/zmq_link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * An enrolled peer that does not keep to the rules. libzmq itself sends a message only when it is
 * whole, so this is a client of its own: CurveZMQ (rfc.zeromq.org/spec/26) by hand.
 */

#define FLAG_MORE 1
#define COMMAND 4
#define LONG 2
#define BOX crypto_box_MACBYTES

struct curve {
    int fd;
    struct box_key server, server_short, key, key_short;
    struct box_secret secret, secret_short;
    uint64_t nonce;
};

static void read_exact(int fd, void *out, size_t size)
{
    for (uint8_t *at = out; size;) {
        ssize_t got = read(fd, at, size);
        assert_true(got > 0);
        at += got;
        size -= (size_t)got;
    }
}

/* A frame; false when the peer has cut us off or takes no more for now. */
static bool write_frame(struct curve *c, uint8_t flags, struct slice body)
{
    struct buf out = {0};
    buf_append_byte(&out, (uint8_t)(flags | (body.size > 255 ? LONG : 0)));
    if (body.size > 255) {
        uint8_t size[8];
        be64_put(size, body.size);
        buf_append(&out, size, sizeof size);
    } else {
        buf_append_byte(&out, (uint8_t)body.size);
    }
    buf_append_slice(&out, body);
    ssize_t sent = send(c->fd, out.data, out.size, MSG_NOSIGNAL);
    bool whole = sent == (ssize_t)out.size;
    buf_clear(&out);
    return whole;
}

static void make_nonce(uint8_t out[24], const char prefix[16], uint64_t counter)
{
    memcpy(out, prefix, 16);
    be64_put(out + 16, counter);
}

/* Appends the short nonce and the box of `plain`. */
static void seal(struct curve *c, struct buf *out, const char prefix[16], struct slice plain,
                 const struct box_key *to, const struct box_secret *from)
{
    uint8_t nonce[24];
    make_nonce(nonce, prefix, ++c->nonce);
    buf_append(out, nonce + 16, 8);
    uint8_t *at = buf_reserve(out, plain.size + BOX);
    assert_int_equal(crypto_box_easy(at, plain.data, plain.size, nonce, to->bytes, from->bytes), 0);
    buf_advance(out, plain.size + BOX);
}

static void greet(struct curve *c)
{
    uint8_t greeting[64] = {0xff, [9] = 0x7f, [10] = 3, [12] = 'C', 'U', 'R', 'V', 'E'};
    uint8_t theirs[64];
    assert_int_equal(send(c->fd, greeting, sizeof greeting, 0), sizeof greeting);
    read_exact(c->fd, theirs, sizeof theirs);
    assert_memory_equal(theirs + 12, "CURVE", 6);
}

static void say_hello(struct curve *c)
{
    struct buf hello = {0};
    static const uint8_t zeros[1 + 72]; /* version 1.0, padding */
    buf_append_text(&hello, "\x05HELLO\x01");
    buf_append(&hello, zeros, sizeof zeros);
    buf_append(&hello, c->key_short.bytes, 32);
    seal(c, &hello, "CurveZMQHELLO---", slice_of(zeros, 64), &c->server, &c->secret_short);
    assert_true(write_frame(c, COMMAND, buf_slice(&hello)));
    buf_clear(&hello);
}

static void take_welcome(struct curve *c, uint8_t cookie[96])
{
    uint8_t welcome[2 + 8 + 16 + 144], nonce[24] = "WELCOME-", plain[128];
    read_exact(c->fd, welcome, sizeof welcome);
    assert_memory_equal(welcome + 2, "\x07WELCOME", 8);
    memcpy(nonce + 8, welcome + 10, 16);
    assert_int_equal(crypto_box_open_easy(plain, welcome + 26, 144, nonce, c->server.bytes,
                                          c->secret_short.bytes),
                     0);
    memcpy(c->server_short.bytes, plain, 32);
    memcpy(cookie, plain + 32, 96);
}

static void initiate(struct curve *c, const uint8_t cookie[96])
{
    static const uint8_t metadata[] = "\x0bSocket-Type\0\0\0\x06"
                                      "DEALER";
    uint8_t vouch_nonce[24] = "VOUCH---", vouch[64], boxed[64 + BOX];
    struct buf plain = {0}, command = {0};
    memcpy(vouch, c->key_short.bytes, 32);
    memcpy(vouch + 32, c->server.bytes, 32);
    randombytes_buf(vouch_nonce + 8, 16);
    assert_int_equal(crypto_box_easy(boxed, vouch, sizeof vouch, vouch_nonce, c->server_short.bytes,
                                     c->secret.bytes),
                     0);
    buf_append(&plain, c->key.bytes, 32);
    buf_append(&plain, vouch_nonce + 8, 16);
    buf_append(&plain, boxed, sizeof boxed);
    buf_append(&plain, metadata, sizeof metadata - 1);
    buf_append_text(&command, "\x08INITIATE");
    buf_append(&command, cookie, 96);
    seal(c, &command, "CurveZMQINITIATE", buf_slice(&plain), &c->server_short, &c->secret_short);
    assert_true(write_frame(c, COMMAND, buf_slice(&command)));
    buf_clear(&plain);
    buf_clear(&command);
}

static bool send_part(struct curve *c, uint8_t flags, struct slice part)
{
    struct buf plain = {0}, frame = {0};
    buf_append_byte(&plain, flags);
    buf_append_slice(&plain, part);
    buf_append_text(&frame, "\x07MESSAGE");
    seal(c, &frame, "CurveZMQMESSAGEC", buf_slice(&plain), &c->server_short, &c->secret_short);
    bool sent = write_frame(c, 0, buf_slice(&frame));
    buf_clear(&plain);
    buf_clear(&frame);
    return sent;
}

/* --- the hub --- */

struct hub {
    struct zmq_link_context *context;
    struct link *listener;
    struct box_key key;
    struct curve bad;
    uint16_t port;
};

static enum link_admission admit_all(void *state, const struct box_key *key)
{
    (void)state;
    (void)key;
    return LINK_DEVICE;
}

static int setup(void **state)
{
    struct hub *h = calloc(1, sizeof *h);
    struct box_secret secret;
    if (!h || crypto_init()) return -1;
    box_pair_make(&h->key, &secret);
    box_pair_make(&h->bad.key, &h->bad.secret);
    box_pair_make(&h->bad.key_short, &h->bad.secret_short);
    h->bad.server = h->key;
    if (zmq_link_context_open(&h->context) ||
        zmq_link_listen(&h->listener, h->context, "tcp://127.0.0.1:0", &secret, admit_all, h))
        return -1;
    h->port = (uint16_t)atoi(strrchr(zmq_link_address(h->listener), ':') + 1);
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct hub *h = *state;
    close(h->bad.fd);
    h->listener->ops->close(h->listener);
    zmq_link_context_close(h->context);
    free(h);
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* One turn as the loop does it; false when nothing came within the time. */
static bool turn(struct hub *h, int wait_ms, struct link_event *out)
{
    struct pollfd fd = {.fd = zmq_link_fd(h->listener), .events = POLLIN};
    zmq_link_tick(h->listener, now_ms());
    if (h->listener->ops->next(h->listener, out)) return true;
    int own_ms = zmq_link_wait_ms(h->listener);
    poll(&fd, 1, own_ms < wait_ms ? own_ms : wait_ms);
    return h->listener->ops->next(h->listener, out);
}

/* libzmq's thread answers up to WELCOME; READY needs the admission that a turn gives. */
static void shake_hands(struct hub *h)
{
    struct curve *c = &h->bad;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(h->port)};
    struct link_event e;
    uint8_t cookie[96], ready[2 + 6 + 8];
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof to), 0);
    greet(c);
    say_hello(c);
    take_welcome(c, cookie);
    initiate(c, cookie);
    for (int i = 0; i < 20; i++) assert_false(turn(h, 10, &e)); /* admission */
    read_exact(c->fd, ready, sizeof ready);
    assert_memory_equal(ready + 2, "\x05READY", 6);
}

static void expect(struct hub *h, enum link_event_type type, struct link_event *e)
{
    for (int i = 0; i < 200; i++)
        if (turn(h, 10, e)) {
            assert_int_equal(e->type, type);
            return;
        }
    fail();
}

static long rss_anon_kib(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    long kib = 0;
    while (file && fgets(line, sizeof line, file)) sscanf(line, "RssAnon: %ld", &kib);
    if (file) fclose(file);
    return kib;
}

/* --- tests --- */

static void this_client_can_speak(void **state)
{
    struct hub *h = *state;
    struct link_event e;
    shake_hands(h);
    assert_true(send_part(&h->bad, 0, slice_of_text("hello")));
    expect(h, LINK_UP, &e);
    assert_true(box_key_equal(&e.key, &h->bad.key));
    expect(h, LINK_FRAME, &e);
    assert_true(slice_is_text(e.frame, "hello"));
}

static void parts_without_an_end_are_cut_off_and_forgotten(void **state)
{
    struct hub *h = *state;
    struct link_event e;
    static const uint8_t part[32768];
    shake_hands(h);
    assert_true(send_part(&h->bad, 0, slice_of_text("hello")));
    expect(h, LINK_UP, &e);
    expect(h, LINK_FRAME, &e);
    assert_int_equal(fcntl(h->bad.fd, F_SETFL, O_NONBLOCK), 0);
    long before_kib = rss_anon_kib(), most_kib = 0;
    bool cut = false;
    for (int i = 0; i < 600 && !cut; i++) { /* a fast link: some 20 MiB a second */
        for (int n = 0; n < 4; n++)
            (void)send_part(&h->bad, FLAG_MORE, slice_of(part, sizeof part));
        if (turn(h, 5, &e)) cut = e.type == LINK_DOWN;
        if (rss_anon_kib() > most_kib) most_kib = rss_anon_kib();
    }
    assert_true(cut);
    assert_true(zmq_link_counts(h->listener).cut >= 1);
    assert_true(most_kib - before_kib <
                400 * 1024); /* a sanitizer keeps what is freed for a while */
}

/* The message is whole, so it reaches us: dropped, and its sender cut. */
static void a_message_of_many_parts_is_dropped(void **state)
{
    struct hub *h = *state;
    struct link_event e;
    shake_hands(h);
    for (int i = 0; i < 1000; i++)
        assert_true(send_part(&h->bad, FLAG_MORE, slice_of_text("part")));
    assert_true(send_part(&h->bad, 0, slice_of_text("end")));
    for (int i = 0; i < 30; i++) assert_false(turn(h, 10, &e));
    assert_int_equal(zmq_link_counts(h->listener).dropped, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(this_client_can_speak),
        CASE(parts_without_an_end_are_cut_off_and_forgotten),
        CASE(a_message_of_many_parts_is_dropped),
    };
    alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
