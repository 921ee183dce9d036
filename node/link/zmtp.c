#include "node/link/zmtp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_DOMAIN "sidan"
#define ZAP_PARTS 7 /* version, request, domain, address, identity, mechanism, key */
#define ZAP_PART_SIZE_MAX 64
#define CURVE_OVERHEAD 33
#define MESSAGE_SIZE_MAX (FRAME_SIZE_MAX + CURVE_OVERHEAD + 64) /* Z3: counted encrypted */
#define ROUTE_SIZE 5 /* a zero byte and a number, where libzmq chose it */
#define ENDPOINT_SIZE 160

struct zmtp {
    void *zmq;
    uint32_t monitors; /* names for their inproc addresses */
};

struct zmtp_socket {
    void *socket, *monitor, *zap; /* zap: a router's only */
    bool router;
    int poll_fd;
    zmq_msg_t body;
    char endpoint[ENDPOINT_SIZE];
    uint8_t zap_request[ZAP_PART_SIZE_MAX];
    size_t zap_request_size;
};

/* A setting of a kind and the sockets it is for. */
struct setting_row {
    int option, value;
    enum { BOTH, DEALER, ROUTER } who;
};
static const struct setting_row settings[] = {
    {ZMQ_LINGER, 0, BOTH},                                /* Z14 */
    {ZMQ_HEARTBEAT_IVL, 0, BOTH},                         /* Z7: the session has its own */
    {ZMQ_HANDSHAKE_IVL, ZMTP_HANDSHAKE_TIMEOUT_MS, BOTH}, /* Z11: satellite links */
    {ZMQ_SNDHWM, 32, BOTH},
    {ZMQ_RCVHWM, 32, BOTH},
    {ZMQ_ROUTER_MANDATORY, 1, ROUTER}, /* Z5 */
    {ZMQ_ROUTER_HANDOVER, 0, ROUTER},  /* Z8 */
    {ZMQ_BACKLOG, 512, ROUTER},
    {ZMQ_CURVE_SERVER, 1, ROUTER},
    {ZMQ_IMMEDIATE, 1, DEALER},      /* Z6: nothing queues for a peer that is not there */
    {ZMQ_RECONNECT_IVL, -1, DEALER}, /* Z10: a link lives once, its owner has the backoff */
    {ZMQ_CONNECT_TIMEOUT, ZMTP_CONNECT_TIMEOUT_MS, DEALER},
};

static enum err err_of_zmq(void)
{
    switch (errno) {
    case EADDRINUSE:
        return ERR_BUSY;
    case EINVAL:
    case ENODEV:
    case EADDRNOTAVAIL:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT:
        return ERR_RANGE;
    case EMFILE:
        return ERR_LIMIT;
    default:
        return err_from_errno(errno);
    }
}

enum err zmtp_open(struct zmtp **out)
{
    struct zmtp *z = calloc(1, sizeof *z);
    if (!z) return ERR_NOMEM;
    z->zmq = zmq_ctx_new();
    if (!z->zmq) {
        free(z);
        return ERR_NOMEM;
    }
    zmq_ctx_set(z->zmq, ZMQ_BLOCKY, 0); /* Z14 */
    *out = z;
    return OK;
}

void zmtp_close(struct zmtp *z)
{
    if (!z) return;
    while (zmq_ctx_term(z->zmq) && errno == EINTR) {
    }
    free(z);
}

/* --- making sockets --- */

static bool apply_settings(struct zmtp_socket *s, const struct zmtp_identity *identity)
{
    const int64_t size_max = (int64_t)MESSAGE_SIZE_MAX;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        const struct setting_row *row = &settings[i];
        if (row->who == (s->router ? DEALER : ROUTER)) continue;
        if (zmq_setsockopt(s->socket, row->option, &row->value, sizeof row->value)) return false;
    }
    if (zmq_setsockopt(s->socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max)) return false;
    if (zmq_setsockopt(s->socket, ZMQ_CURVE_SECRETKEY, identity->secret.bytes, 32)) return false;
    if (s->router)
        return !zmq_setsockopt(s->socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, sizeof ZAP_DOMAIN - 1);
    return !zmq_setsockopt(s->socket, ZMQ_CURVE_PUBLICKEY, identity->key.bytes, 32) &&
           !zmq_setsockopt(s->socket, ZMQ_CURVE_SERVERKEY, identity->server.bytes, 32);
}

static bool watch(struct zmtp_socket *s, void *socket)
{
    int fd;
    size_t size = sizeof fd;
    struct epoll_event event = {.events = EPOLLIN};
    return !zmq_getsockopt(socket, ZMQ_FD, &fd, &size) &&
           !epoll_ctl(s->poll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* The monitor's queue has no bound of its own: a full one would stop libzmq's thread. It grows by
 * connections and shrinks every turn. */
static bool open_monitor(struct zmtp_socket *s, struct zmtp *z)
{
    const int events = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_ACCEPTED |
                       ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    const int zero = 0;
    char name[48];
    snprintf(name, sizeof name, "inproc://sidan.monitor.%u", (unsigned)z->monitors++);
    if (zmq_socket_monitor(s->socket, name, events)) return false;
    s->monitor = zmq_socket(z->zmq, ZMQ_PAIR);
    return s->monitor && !zmq_setsockopt(s->monitor, ZMQ_LINGER, &zero, sizeof zero) &&
           !zmq_setsockopt(s->monitor, ZMQ_RCVHWM, &zero, sizeof zero) &&
           !zmq_connect(s->monitor, name);
}

static enum err open_socket(struct zmtp_socket **out, struct zmtp *z,
                            const struct zmtp_identity *identity, bool router)
{
    struct zmtp_socket *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->router = router;
    zmq_msg_init(&s->body);
    s->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (s->poll_fd >= 0) s->socket = zmq_socket(z->zmq, router ? ZMQ_ROUTER : ZMQ_DEALER);
    if (!s->socket || !apply_settings(s, identity) || !open_monitor(s, z) || !watch(s, s->socket) ||
        !watch(s, s->monitor)) {
        enum err err = err_of_zmq();
        zmtp_socket_close(s);
        return err == ERR_RANGE ? ERR_IO : err;
    }
    *out = s;
    return OK;
}

enum err zmtp_dealer(struct zmtp_socket **out, struct zmtp *z, const struct zmtp_identity *identity)
{
    return open_socket(out, z, identity, false);
}

/* Only where it is meant: an IPv6 socket shows IPv4 peers and itself as ::ffff:1.2.3.4. */
static bool choose_family(struct zmtp_socket *s, const char *endpoint)
{
    const int six = strchr(endpoint, '[') != NULL;
    return !zmq_setsockopt(s->socket, ZMQ_IPV6, &six, sizeof six);
}

enum err zmtp_connect(struct zmtp_socket *s, const char *endpoint)
{
    return choose_family(s, endpoint) && !zmq_connect(s->socket, endpoint) ? OK : err_of_zmq();
}

static enum err open_zap(struct zmtp_socket *s, struct zmtp *z)
{
    const int zero = 0;
    s->zap = zmq_socket(z->zmq, ZMQ_REP);
    if (!s->zap || zmq_setsockopt(s->zap, ZMQ_LINGER, &zero, sizeof zero)) return err_of_zmq();
    if (zmq_bind(s->zap, ZAP_ENDPOINT)) return errno == EADDRINUSE ? ERR_EXISTS : err_of_zmq();
    return watch(s, s->zap) ? OK : ERR_IO;
}

enum err zmtp_router(struct zmtp_socket **out, struct zmtp *z, const struct zmtp_identity *identity,
                     const char *endpoint)
{
    struct zmtp_socket *s;
    size_t size = ENDPOINT_SIZE;
    enum err err = open_socket(&s, z, identity, true);
    if (err) return err;
    err = open_zap(s, z); /* Z1: before the bind, or every key is let in */
    if (!err && (!choose_family(s, endpoint) || zmq_bind(s->socket, endpoint))) err = err_of_zmq();
    if (!err && zmq_getsockopt(s->socket, ZMQ_LAST_ENDPOINT, s->endpoint, &size)) err = ERR_IO;
    if (err) {
        zmtp_socket_close(s);
        return err;
    }
    *out = s;
    return OK;
}

void zmtp_socket_close(struct zmtp_socket *s)
{
    if (!s) return;
    zmq_msg_close(&s->body);
    /* While it is taken apart libzmq's thread still has events to tell, and where nobody reads them
     * any more it waits for ever, and with it every other connection. */
    if (s->socket) zmq_socket_monitor(s->socket, NULL, 0);
    if (s->socket) zmq_close(s->socket); /* before its handler: Z1 */
    if (s->monitor) zmq_close(s->monitor);
    if (s->zap) zmq_close(s->zap);
    if (s->poll_fd >= 0) close(s->poll_fd);
    free(s);
}

const char *zmtp_endpoint(struct zmtp_socket *s)
{
    return s->endpoint;
}

/* --- waiting --- */

int zmtp_fd(const struct zmtp_socket *s)
{
    return s->poll_fd;
}

static bool readable(void *socket)
{
    int events;
    size_t size = sizeof events;
    if (!socket) return false;
    int rc;
    do rc = zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
    while (rc && errno == EINTR);
    return rc || (events & ZMQ_POLLIN); /* an error is for the next receive to find */
}

bool zmtp_ready(struct zmtp_socket *s)
{
    bool socket = readable(s->socket), monitor = readable(s->monitor), zap = readable(s->zap);
    return socket || monitor || zap;
}

/* --- messages --- */

static int receive_part(void *socket, zmq_msg_t *part)
{
    int size;
    do size = zmq_msg_recv(part, socket, ZMQ_DONTWAIT);
    while (size < 0 && errno == EINTR);
    return size;
}

/* The parts that nobody asked for; all are in memory already, so this ends. */
static bool discard_rest(void *socket, bool more)
{
    bool any = false;
    zmq_msg_t part;
    zmq_msg_init(&part);
    while (more && receive_part(socket, &part) >= 0) {
        any = true;
        more = zmq_msg_more(&part);
    }
    zmq_msg_close(&part);
    return any;
}

static void read_route(struct zmtp_message *out, zmq_msg_t *part)
{
    const uint8_t *bytes = zmq_msg_data(part);
    out->routed = zmq_msg_size(part) == ROUTE_SIZE && bytes[0] == 0;
    if (out->routed) out->route = be32_get(bytes + 1);
}

bool zmtp_receive(struct zmtp_socket *s, struct zmtp_message *out)
{
    *out = (struct zmtp_message){.routed = !s->router, .fd = -1};
    if (receive_part(s->socket, &s->body) < 0) return false;
    if (s->router) {
        read_route(out, &s->body);
        if (!zmq_msg_more(&s->body)) return true; /* empty: nothing follows the route */
        if (receive_part(s->socket, &s->body) < 0) return false;
    }
    out->single = !discard_rest(s->socket, zmq_msg_more(&s->body));
    out->user_id = zmq_msg_gets(&s->body, "User-Id"); /* Z9: of the body */
    out->fd = zmq_msg_get(&s->body, ZMQ_SRCFD);
    out->body = slice_of(zmq_msg_data(&s->body), zmq_msg_size(&s->body));
    return true;
}

static int send_part(void *socket, const void *data, size_t size, int flags)
{
    int rc;
    do rc = zmq_send(socket, data, size, flags | ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    return rc;
}

enum err zmtp_send(struct zmtp_socket *s, uint32_t route, struct slice body)
{
    uint8_t id[ROUTE_SIZE] = {0};
    be32_put(id + 1, route);
    if ((!s->router || send_part(s->socket, id, sizeof id, ZMQ_SNDMORE) >= 0) &&
        send_part(s->socket, body.data, body.size, 0) >= 0)
        return OK;
    if (errno == EAGAIN) return ERR_AGAIN;
    return errno == EHOSTUNREACH ? ERR_NOT_FOUND : ERR_IO;
}

/* --- the monitor --- */

static bool event_of(uint16_t code, enum zmtp_event *out)
{
    static const struct {
        uint16_t code;
        enum zmtp_event event;
    } table[] = {
        {ZMQ_EVENT_CONNECTED, ZMTP_CONNECTED},
        {ZMQ_EVENT_CLOSED, ZMTP_CONNECT_FAILED},
        {ZMQ_EVENT_ACCEPTED, ZMTP_ACCEPTED},
        {ZMQ_EVENT_DISCONNECTED, ZMTP_DISCONNECTED},
        {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, ZMTP_READY},
        {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMTP_HANDSHAKE_FAILED},
        {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMTP_HANDSHAKE_FOREIGN},
        {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, ZMTP_HANDSHAKE_DENIED},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].code == code) {
            *out = table[i].event;
            return true;
        }
    return false;
}

bool zmtp_event(struct zmtp_socket *s, enum zmtp_event *out, int *fd)
{
    zmq_msg_t part;
    bool found = false;
    zmq_msg_init(&part);
    while (!found && receive_part(s->monitor, &part) >= 0) {
        uint16_t code;
        int32_t value;
        bool more = zmq_msg_more(&part);
        if (zmq_msg_size(&part) == sizeof code + sizeof value) { /* Z18: packed */
            memcpy(&code, zmq_msg_data(&part), sizeof code);
            memcpy(&value, (const uint8_t *)zmq_msg_data(&part) + sizeof code, sizeof value);
            found = event_of(code, out);
            *fd = found && (*out == ZMTP_ACCEPTED || *out == ZMTP_CONNECTED ||
                            *out == ZMTP_DISCONNECTED)
                      ? value
                      : -1;
        }
        discard_rest(s->monitor, more);
    }
    zmq_msg_close(&part);
    return found;
}

/* --- the ZAP handler --- */

struct zap_part {
    uint8_t data[ZAP_PART_SIZE_MAX];
    size_t size; /* as it came; more than fits is refused */
};

/* Reads one request into parts[]; *count is how many came. Errors: ERR_AGAIN, ERR_IO. */
static enum err zap_receive(struct zmtp_socket *s, struct zap_part parts[ZAP_PARTS], size_t *count)
{
    zmq_msg_t part;
    bool more = true;
    enum err err = OK;
    zmq_msg_init(&part);
    for (*count = 0; more && !err; ++*count) {
        if (receive_part(s->zap, &part) < 0) {
            err = errno == EAGAIN ? ERR_AGAIN : ERR_IO;
            break;
        }
        more = zmq_msg_more(&part);
        if (*count >= ZAP_PARTS) continue;
        struct zap_part *to = &parts[*count];
        to->size = zmq_msg_size(&part);
        memcpy(to->data, zmq_msg_data(&part),
               to->size < sizeof to->data ? to->size : sizeof to->data);
    }
    zmq_msg_close(&part);
    return err;
}

static bool zap_part_is(const struct zap_part *part, const char *text)
{
    return part->size <= sizeof part->data && slice_is_text(slice_of(part->data, part->size), text);
}

enum err zmtp_zap_next(struct zmtp_socket *s, struct box_key *key)
{
    struct zap_part parts[ZAP_PARTS];
    size_t count;
    for (;;) {
        enum err err = zap_receive(s, parts, &count);
        if (err) return err;
        s->zap_request_size = 0;
        if (count >= 2 && parts[1].size <= sizeof s->zap_request) {
            memcpy(s->zap_request, parts[1].data, parts[1].size);
            s->zap_request_size = parts[1].size;
        }
        if (count == ZAP_PARTS && zap_part_is(&parts[0], "1.0") &&
            zap_part_is(&parts[2], ZAP_DOMAIN) && zap_part_is(&parts[5], "CURVE") &&
            parts[6].size == sizeof key->bytes) {
            memcpy(key->bytes, parts[6].data, sizeof key->bytes);
            return OK;
        }
        err = zmtp_zap_answer(s, NULL);
        if (err) return err;
    }
}

enum err zmtp_zap_answer(struct zmtp_socket *s, const char *user_id)
{
    const struct slice reply[] = {
        slice_of_text("1.0"),
        slice_of(s->zap_request, s->zap_request_size),
        slice_of_text(user_id ? "200" : "400"),
        slice_of_text(user_id ? "OK" : "not admitted"),
        slice_of_text(user_id ? user_id : ""),
        SLICE_EMPTY, /* metadata */
    };
    const size_t count = sizeof reply / sizeof reply[0];
    for (size_t i = 0; i < count; i++)
        if (send_part(s->zap, reply[i].data, reply[i].size, i + 1 < count ? ZMQ_SNDMORE : 0) < 0)
            return ERR_IO;
    return OK;
}
