#include "node/link/peers.h"

#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

void peers_clear(struct peers *p)
{
    free(p->at);
    *p = (struct peers){0};
}

/* Where the route is or would be. */
static size_t place_of(const struct peers *p, uint32_t route)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (PEERS_ROUTE(p->at[middle].handle) < route)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct link_peer *peers_by_route(const struct peers *p, uint32_t route)
{
    size_t i = place_of(p, route);
    return i < p->count && PEERS_ROUTE(p->at[i].handle) == route ? &p->at[i] : NULL;
}

struct link_peer *peers_by_handle(const struct peers *p, uint64_t handle)
{
    struct link_peer *peer = peers_by_route(p, PEERS_ROUTE(handle));
    return peer && peer->handle == handle ? peer : NULL;
}

struct link_peer *peers_by_key(const struct peers *p, const struct box_key *key)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->at[i].superseded && !p->at[i].gone && box_key_equal(&p->at[i].key, key))
            return &p->at[i];
    return NULL;
}

enum err peers_add(struct peers *p, const struct link_peer *peer)
{
    size_t place = place_of(p, PEERS_ROUTE(peer->handle));
    if (peers_by_route(p, PEERS_ROUTE(peer->handle))) return ERR_EXISTS;
    if (p->count >= PEERS_MAX) return ERR_LIMIT;
    if (p->count == p->capacity) {
        size_t capacity = p->capacity ? p->capacity * 2 : 32;
        struct link_peer *at = realloc(p->at, capacity * sizeof *at);
        if (!at) return ERR_NOMEM;
        p->at = at;
        p->capacity = capacity;
    }
    memmove(&p->at[place + 1], &p->at[place], (p->count - place) * sizeof *p->at);
    p->at[place] = *peer;
    p->count++;
    return OK;
}

void peers_remove(struct peers *p, struct link_peer *peer)
{
    size_t place = (size_t)(peer - p->at);
    if (peer->gone) p->gone--;
    p->count--;
    memmove(peer, peer + 1, (p->count - place) * sizeof *p->at);
}

void peers_lose(struct peers *p, struct link_peer *peer)
{
    if (peer->gone) return;
    peer->gone = true;
    p->gone++;
}

void peers_lose_fd(struct peers *p, int fd)
{
    for (size_t i = 0; fd >= 0 && i < p->count; i++)
        if (p->at[i].fd == fd) peers_lose(p, &p->at[i]);
}

bool peers_outlived(const struct peers *p, uint32_t route, int fd)
{
    for (size_t i = 0; fd >= 0 && i < p->count; i++) {
        uint32_t younger_by = PEERS_ROUTE(p->at[i].handle) - route;
        if (p->at[i].fd == fd && younger_by != 0 && younger_by <= INT32_MAX) return true;
    }
    return false;
}

struct link_peer *peers_gone(const struct peers *p)
{
    if (p->gone == 0) return NULL;
    size_t i = p->count; /* from the end, where taking one out is cheap */
    while (i-- > 0)
        if (p->at[i].gone) return &p->at[i];
    return NULL;
}
