#pragma once
/*
 * One way of a connection: whole frames in order through a model of the link, as ZeroMQ over TCP
 * sends them. Sizes are bytes as the socket sees them.
 */
#include "common/bytes.h"
#include "tests/support/link_model.h"

struct wire_frame;
struct wire {
    struct link_model link;
    struct wire_frame *first, *last; /* that have not arrived */
    struct wire_frame *pushing;      /* the first that the link has not taken whole; or NULL */
    size_t waiting;                  /* frames from `pushing` on */
    size_t pushed, arrived;          /* bytes: of `pushing`, of `first` */
};

void wire_init(struct wire *w, const struct link_options *options, uint64_t seed);
/* What has not arrived is lost. */
void wire_clear(struct wire *w);

/* What a frame takes on a CURVE connection. */
size_t wire_size(size_t frame_size);
/* Takes `bytes` over. */
void wire_send(struct wire *w, uint64_t now_us, size_t size, struct buf *bytes);
/* The next frame that has arrived whole; the caller owns it. */
bool wire_next(struct wire *w, uint64_t now_us, struct buf *bytes);
