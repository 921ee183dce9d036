#pragma once
/*
 * Links in memory between nodes of tests/support/meeting.h, of which a node may have several.
 * Helpers fail the test in which something goes wrong.
 */
#include "tests/support/meeting.h"

struct wire {
    struct pipe *pipe;
    struct meeting_node *from, *to; /* who dialled whom */
    struct link *dialled, *listening;
};
struct wire wire_up(struct meeting_node *from, struct meeting_node *to);
/* Turns of both ends until all their sessions are idle. */
void wire_rest(struct wire *w);
void wire_down(struct wire *w);
/* All three. */
void wire_meet(struct meeting_node *from, struct meeting_node *to);

/* A node of this device, which holds its own events and the first `count` of the township's. */
void wire_node_begin(struct meeting_node *n, const struct township_device *d, size_t count);
void wire_node_end(struct meeting_node *n);
/* Another process committed. */
void wire_node_refresh(struct meeting_node *n);
/* It takes one event of the township's, as if recorded there. */
void wire_node_take(struct meeting_node *n, const struct event *e);
