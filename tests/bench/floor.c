#include "tests/bench/bench.h"
#include "tests/bench/lab.h"

#include <stdlib.h>
#include <zmq.h>

enum { LIMIT_MS = 120000, KEY_TEXT = 41 };

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

static void set(void *socket, int option, int value)
{
    must(zmq_setsockopt(socket, option, &value, sizeof value) == 0, "option");
}

struct pair {
    void *context, *router, *dealer;
};

static void pair_open(struct pair *p, int target)
{
    char key[KEY_TEXT], secret[KEY_TEXT], server[KEY_TEXT], server_secret[KEY_TEXT], address[64];
    must(zmq_curve_keypair(key, secret) == 0 && zmq_curve_keypair(server, server_secret) == 0,
         "keys");
    p->context = zmq_ctx_new();
    p->router = zmq_socket(p->context, ZMQ_ROUTER);
    p->dealer = zmq_socket(p->context, ZMQ_DEALER);
    must(p->router != NULL && p->dealer != NULL, "socket");
    set(p->router, ZMQ_LINGER, 0);
    set(p->dealer, ZMQ_LINGER, 0);
    set(p->router, ZMQ_CURVE_SERVER, 1);
    must(zmq_setsockopt(p->router, ZMQ_CURVE_SECRETKEY, server_secret, KEY_TEXT) == 0, "key");
    must(zmq_setsockopt(p->dealer, ZMQ_CURVE_SERVERKEY, server, KEY_TEXT) == 0, "key");
    must(zmq_setsockopt(p->dealer, ZMQ_CURVE_PUBLICKEY, key, KEY_TEXT) == 0, "key");
    must(zmq_setsockopt(p->dealer, ZMQ_CURVE_SECRETKEY, secret, KEY_TEXT) == 0, "key");
    (void)snprintf(address, sizeof address, "tcp://127.0.0.1:%d", target);
    must(zmq_bind(p->router, address) == 0, address);
}

static void pair_close(struct pair *p)
{
    (void)zmq_close(p->dealer);
    (void)zmq_close(p->router);
    (void)zmq_ctx_term(p->context);
}

/* One message there, one byte back. */
static void exchange(struct pair *p, size_t n)
{
    char route[256], answer[8];
    char *message = calloc(1, n);
    must(message != NULL, "memory");
    crypto_random(message, n);
    must(zmq_send(p->dealer, message, n, 0) == (int)n, "send");
    set(p->router, ZMQ_RCVTIMEO, LIMIT_MS);
    set(p->dealer, ZMQ_RCVTIMEO, LIMIT_MS);
    int size = zmq_recv(p->router, route, sizeof route, 0);
    must(size > 0 && zmq_recv(p->router, message, n, 0) == (int)n, "message");
    must(zmq_send(p->router, route, (size_t)size, ZMQ_SNDMORE) == size, "route");
    must(zmq_send(p->router, "", 1, 0) == 1, "answer");
    must(zmq_recv(p->dealer, answer, sizeof answer, 0) == 1, "answer");
    free(message);
}

struct lab_floor lab_floor(struct lab *l, int target, size_t n)
{
    struct pair p;
    char address[64];
    struct lab_floor f;
    pair_open(&p, target);
    lab_mark(l);
    (void)snprintf(address, sizeof address, "tcp://127.0.0.1:%d", l->port);
    must(zmq_connect(p.dealer, address) == 0, address);
    exchange(&p, n);
    struct lab_stats s = lab_stats(l);
    f.cold_bytes = lab_bytes(&s);
    f.cold_ms = s.down.last_ms;
    lab_mark(l);
    exchange(&p, n);
    s = lab_stats(l);
    f.warm_bytes = lab_bytes(&s);
    f.warm_ms = s.down.last_ms;
    pair_close(&p);
    return f;
}
