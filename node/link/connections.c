#include "node/link/connections.h"

#include "common/limits.h"
#include "node/link/meter.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <linux/tcp.h>

/* Full queues (32 frames each) and the largest kernel buffer are well below this. */
#define FLOOD_SIZE MIB(16)

struct connection {
    bool open, delivered;
    uint64_t received; /* at the last check that found a delivery */
    uint64_t seen;     /* at the last check */
    uint64_t heard_ms; /* when that last changed; 0: not checked yet */
    struct meter meter;
    bool known;
    struct box_key key;
};

void connections_clear(struct connections *c)
{
    free(c->at);
    free(c->over);
    *c = (struct connections){0};
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
    connections_remove(c, fd);
    c->open++;
    c->at[fd] = (struct connection){.open = true};
    meter_begin(&c->at[fd].meter, fd);
    return true;
}

bool connections_has(const struct connections *c, int fd)
{
    return fd >= 0 && (size_t)fd < c->size && c->at[fd].open;
}

static struct link_traffic take(struct connection *one, bool last)
{
    struct meter_bytes bytes = meter_take(&one->meter, last);
    return (struct link_traffic){
        .known = one->known, .key = one->key, .sent = bytes.sent, .received = bytes.received};
}

/* Without memory it is not counted. */
static void keep(struct connections *c, const struct link_traffic *bytes)
{
    for (size_t i = 0; i < c->over_count; i++) {
        struct link_traffic *had = &c->over[i];
        if (had->known != bytes->known || !box_key_equal(&had->key, &bytes->key)) continue;
        had->sent += bytes->sent;
        had->received += bytes->received;
        return;
    }
    if (c->over_count == c->over_capacity) {
        size_t capacity = c->over_capacity ? 2 * c->over_capacity : 8;
        struct link_traffic *over = realloc(c->over, capacity * sizeof *over);
        if (!over) return;
        c->over = over;
        c->over_capacity = capacity;
    }
    c->over[c->over_count++] = *bytes;
}

void connections_remove(struct connections *c, int fd)
{
    if (!connections_has(c, fd)) return;
    struct link_traffic bytes = take(&c->at[fd], true);
    if (bytes.sent || bytes.received) keep(c, &bytes);
    c->at[fd].open = false;
    c->open--;
}

bool connections_traffic(struct connections *c, bool last, struct link_traffic *out)
{
    if (c->over_count) {
        *out = c->over[--c->over_count];
        return true;
    }
    while (c->told < c->size) {
        struct connection *one = &c->at[c->told++];
        if (!one->open) continue;
        *out = take(one, last);
        if (out->sent || out->received) return true;
    }
    c->told = 0;
    return false;
}

uint64_t connections_waiting(const struct connections *c)
{
    uint64_t sum = 0;
    for (size_t fd = 0; fd < c->size; fd++)
        if (c->at[fd].open) sum += meter_waiting(&c->at[fd].meter);
    return sum;
}

void connections_delivered(struct connections *c, int fd, size_t size)
{
    if (!connections_has(c, fd)) return;
    c->at[fd].delivered = true;
    meter_received(&c->at[fd].meter, size);
    meter_look(&c->at[fd].meter);
}

void connections_sent(struct connections *c, int fd, size_t size)
{
    if (connections_has(c, fd)) meter_sent(&c->at[fd].meter, size);
}

void connections_known(struct connections *c, int fd, const struct box_key *key)
{
    if (!connections_has(c, fd)) return;
    c->at[fd].known = true;
    c->at[fd].key = *key;
    meter_greeted(&c->at[fd].meter, false);
}

uint64_t connections_partial(struct connections *c, int fd)
{
    return connections_has(c, fd) ? meter_partial(&c->at[fd].meter) : UINT64_MAX;
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

static bool is_flood(struct connection *one, uint64_t received)
{
    bool flood =
        !one->delivered && received >= one->received && received - one->received > FLOOD_SIZE;
    if (flood || one->delivered || received < one->received) one->received = received;
    one->delivered = false;
    return flood;
}

static bool is_silent(struct connection *one, uint64_t received, uint64_t now_ms)
{
    bool heard = !one->heard_ms || received != one->seen;
    one->seen = received;
    if (heard) one->heard_ms = now_ms;
    return now_ms - one->heard_ms >= CONNECTIONS_SILENCE_MS;
}

size_t connections_check(struct connections *c, uint64_t now_ms)
{
    size_t cut = 0;
    for (size_t fd = 0; fd < c->size; fd++) {
        struct connection *one = &c->at[fd];
        uint64_t received;
        if (one->open) meter_look(&one->meter);
        if (!one->open || !received_bytes((int)fd, &received)) continue;
        bool flood = is_flood(one, received), silent = is_silent(one, received, now_ms);
        if (!flood && !silent) continue;
        connections_cut((int)fd);
        cut++;
    }
    return cut;
}
