#pragma once
/*
 * A listener's connections, by descriptor, as libzmq's monitor tells of them, and what each
 * carried. libzmq holds the parts of a message without an end in memory without a bound of its own,
 * and it accepts until no descriptor is left; the kernel's count of bytes received and shutdown(2)
 * bound both.
 *
 * The descriptors are libzmq's. One may be closed and used anew before we hear of it: then a
 * stranger's connection is cut, and made again.
 */
#include "node/link/link.h"

struct connections {
    struct connection *at; /* by descriptor */
    size_t size, open, open_max;
    struct link_traffic *over; /* of connections that are no more, one entry a peer */
    size_t over_count, over_capacity;
    size_t told; /* descriptors that this round of connections_traffic went through */
};

void connections_clear(struct connections *c);
/* False: too many, or no memory; the connection was cut. */
bool connections_add(struct connections *c, int fd);
void connections_remove(struct connections *c, int fd);
bool connections_has(const struct connections *c, int fd);
/* A whole message of so many bytes came from it, or was handed over to it. */
void connections_delivered(struct connections *c, int fd, size_t size);
void connections_sent(struct connections *c, int fd, size_t size);
/* Its peer spoke for the first time: what it carried is this peer's. */
void connections_known(struct connections *c, int fd, const struct box_key *key);
/* As link_ops.partial. */
uint64_t connections_partial(struct connections *c, int fd);
void connections_cut(int fd);
/* As link_ops.traffic. */
bool connections_traffic(struct connections *c, bool last, struct link_traffic *out);
uint64_t connections_waiting(const struct connections *c);
/* Not a byte came for so long: whoever lives says more (SPEC 9.14). */
#define CONNECTIONS_SILENCE_MS 600000u
/* Looks at what all carried, and cuts those that sent more than the bound since their last whole
 * message, and those that are silent; call about once a second. Returns how many. */
size_t connections_check(struct connections *c, uint64_t now_ms);
