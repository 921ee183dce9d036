#include "node/link/connections.h"

#include "common/limits.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <linux/tcp.h>

/* Full queues (32 frames each) and the largest kernel buffer are well below this. */
#define FLOOD_SIZE MIB(16)

struct connection {
    bool open, delivered;
    uint64_t received; /* at the last check that found a delivery */
};

void connections_clear(struct connections *c)
{
    free(c->at);
    c->at = NULL;
    c->size = c->open = 0;
}

static bool make_room(struct connections *c, int fd)
{
    if ((size_t)fd < c->size) return true;
    size_t size = ((size_t)fd + 64) & ~(size_t)63;
    struct connection *at = realloc(c->at, size * sizeof *at);
    if (!at) return false;
    for (size_t i = c->size; i < size; i++) at[i] = (struct connection){0};
    c->at = at;
    c->size = size;
    return true;
}

bool connections_add(struct connections *c, int fd)
{
    if (fd < 0) return false;
    if ((c->open_max && c->open >= c->open_max) || !make_room(c, fd)) {
        connections_cut(fd);
        return false;
    }
    if (!c->at[fd].open) c->open++;
    c->at[fd] = (struct connection){.open = true};
    return true;
}

bool connections_has(const struct connections *c, int fd)
{
    return fd >= 0 && (size_t)fd < c->size && c->at[fd].open;
}

void connections_remove(struct connections *c, int fd)
{
    if (!connections_has(c, fd)) return;
    c->at[fd].open = false;
    c->open--;
}

void connections_delivered(struct connections *c, int fd)
{
    if (connections_has(c, fd)) c->at[fd].delivered = true;
}

void connections_cut(int fd)
{
    if (fd >= 0) shutdown(fd, SHUT_RDWR);
}

static bool received_bytes(int fd, uint64_t *out)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size)) return false;
    if (size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return false;
    *out = info.tcpi_bytes_received;
    return true;
}

size_t connections_cut_floods(struct connections *c)
{
    size_t cut = 0;
    for (size_t fd = 0; fd < c->size; fd++) {
        struct connection *one = &c->at[fd];
        uint64_t received;
        if (!one->open || !received_bytes((int)fd, &received)) continue;
        if (one->delivered || received < one->received) {
            one->delivered = false;
            one->received = received;
        } else if (received - one->received > FLOOD_SIZE) {
            connections_cut((int)fd);
            one->received = received;
            cut++;
        }
    }
    return cut;
}
