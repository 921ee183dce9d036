#pragma once
/*
 * What listener and dialer have in common; seen by the files of zmq_link.h only.
 */
#include "node/link/zmq_link.h"
#include "node/link/zmtp.h"

struct zmq_link_context {
    struct zmtp *zmtp;
    uint32_t handles; /* the last given */
};

struct zmq_link {
    struct link link; /* first: a `struct link *` is a `struct zmq_link *` */
    const struct zmq_link_ops {
        void (*tick)(struct zmq_link *l);
        int (*wait_ms)(struct zmq_link *l);
    } * ops;
    struct zmq_link_context *context;
    struct zmtp_socket *socket;
    uint64_t now_ms;
    enum err health;
    struct zmq_link_counts counts;
    bool ended; /* a dialled one */
    enum err end_err;
    const char *end_text;
};

#define ZMQ_LINK_IDLE_MS 60000 /* nothing to look after: the descriptor wakes */
#define ZMQ_LINK_CHECK_MS 1000
#define ZMQ_LINK_RESOLVE_MS 50

/* A new handle; `route` 0 for a dialled peer. */
uint64_t zmq_link_handle(struct zmq_link_context *c, uint32_t route);
