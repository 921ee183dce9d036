#pragma once
/*
 * The one door to libzmq: CURVE sockets with their settings, their monitor, one-part messages and
 * the ZAP handler's requests. Numbers in brackets are those of the traps that a setting closes.
 */
#include "common/limits.h"
#include "proto/crypto.h"

#define ZMTP_CONNECT_TIMEOUT_MS 20000
#define ZMTP_HANDSHAKE_TIMEOUT_MS 30000

struct zmtp; /* a context */
MUST_CHECK enum err zmtp_open(struct zmtp **out);
void zmtp_close(struct zmtp *z); /* after its sockets; never hangs */

struct zmtp_socket;
struct zmtp_identity {
    struct box_key server; /* the peer; not used by a router */
    struct box_key key;
    struct box_secret secret;
};
/* Errors: ERR_NOMEM, ERR_IO. */
MUST_CHECK enum err zmtp_dealer(struct zmtp_socket **out, struct zmtp *z,
                                const struct zmtp_identity *identity);
/* Starts to connect, once: there is no second try. `endpoint` is numeric. Errors: ERR_RANGE. */
MUST_CHECK enum err zmtp_connect(struct zmtp_socket *s, const char *endpoint);
/* Binds the ZAP handler, then the router; so nobody is let in unasked. Errors: ERR_EXISTS (there is
 * a handler), ERR_BUSY (address in use), ERR_RANGE, ERR_PERMISSION, ERR_NOMEM, ERR_IO. */
MUST_CHECK enum err zmtp_router(struct zmtp_socket **out, struct zmtp *z,
                                const struct zmtp_identity *identity, const char *endpoint);
void zmtp_socket_close(struct zmtp_socket *s);    /* NULL is fine */
const char *zmtp_endpoint(struct zmtp_socket *s); /* as bound, with the real port; borrowed */

/* One descriptor for socket, monitor and handler; it tells of changes only, so ask zmtp_ready
 * before every sleep. */
int zmtp_fd(const struct zmtp_socket *s);
bool zmtp_ready(struct zmtp_socket *s);

struct zmtp_message {
    bool routed;         /* the sender has a route that libzmq gave it */
    uint32_t route;      /* of a router's peer: names its connection */
    int fd;              /* the connection's descriptor when it came in; -1 unknown */
    bool single;         /* one part; the others were thrown away */
    const char *user_id; /* as the ZAP handler gave it, NULL without; borrowed as body */
    struct slice body;   /* borrowed until the next receive */
};
bool zmtp_receive(struct zmtp_socket *s, struct zmtp_message *out);
/* Never waits. Errors: ERR_AGAIN (queue full, or not connected yet), ERR_NOT_FOUND (no such
 * route), ERR_IO. */
MUST_CHECK enum err zmtp_send(struct zmtp_socket *s, uint32_t route, struct slice body);

enum zmtp_event {
    ZMTP_CONNECTED,
    ZMTP_CONNECT_FAILED,
    ZMTP_ACCEPTED,
    ZMTP_READY,             /* handshake done */
    ZMTP_HANDSHAKE_FAILED,  /* no detail: wrong key, cut, or time ran out */
    ZMTP_HANDSHAKE_FOREIGN, /* not CURVE, not ZeroMQ */
    ZMTP_HANDSHAKE_DENIED,  /* by the peer's ZAP handler; at the listener: by ours */
    ZMTP_DISCONNECTED,
};
/* The next thing that befell a connection, with its descriptor (-1 unknown). */
bool zmtp_event(struct zmtp_socket *s, enum zmtp_event *out, int *fd);

/* The next key that asks to be let in; each must be answered before the next is asked for. Requests
 * of another form are refused here. Errors: ERR_AGAIN (none), everything else: the handler is
 * broken and the process must end. */
MUST_CHECK enum err zmtp_zap_next(struct zmtp_socket *s, struct box_key *key);
/* NULL denies. */
MUST_CHECK enum err zmtp_zap_answer(struct zmtp_socket *s, const char *user_id);
