#pragma once
/*
 * A listener's connections, by descriptor, as libzmq's monitor tells of them. libzmq holds the
 * parts of a message without an end in memory without a bound of its own, and it accepts until no
 * descriptor is left; the kernel's count of bytes received and shutdown(2) bound both.
 *
 * The descriptors are libzmq's. One may be closed and used anew before we hear of it: then a
 * stranger's connection is cut, and made again.
 */
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connections {
    struct connection *at; /* by descriptor */
    size_t size, open, open_max;
};

void connections_clear(struct connections *c);
/* False: too many, or no memory; the connection was cut. */
bool connections_add(struct connections *c, int fd);
void connections_remove(struct connections *c, int fd);
bool connections_has(const struct connections *c, int fd);
/* A whole message came from it. */
void connections_delivered(struct connections *c, int fd);
void connections_cut(int fd);
/* Cuts those that sent more than the bound since their last whole message; call about once a
 * second. Returns how many. */
size_t connections_cut_floods(struct connections *c);
