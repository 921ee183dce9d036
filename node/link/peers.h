#pragma once
/*
 * The peers of a listener: one entry a connection that spoke, found by its route. A peer's handle
 * is a process-wide counter over its route, so a handle finds its entry and is never used twice.
 * Pointers are valid until the next add or remove.
 */
#include "proto/crypto.h"

struct link_peer {
    uint64_t handle;
    struct box_key key;
    bool invite;
    bool gone;       /* its connection is closed: to be told down */
    bool superseded; /* a newer connection of its key is there: told down, frames ignored */
    int fd;
    uint64_t last_frame_ms;
};

struct peers {
    struct link_peer *at; /* ascending by route */
    size_t count, capacity;
    size_t gone; /* entries with `gone` set */
};

#define PEERS_ROUTE(handle) ((uint32_t)(handle))

void peers_clear(struct peers *p);
struct link_peer *peers_by_route(const struct peers *p, uint32_t route);
struct link_peer *peers_by_handle(const struct peers *p, uint64_t handle);
/* The one of this key that is neither superseded nor gone; NULL. */
struct link_peer *peers_by_key(const struct peers *p, const struct box_key *key);
/* Room for one more? Errors: ERR_LIMIT (PEERS_MAX), ERR_NOMEM, ERR_EXISTS (the route is there). */
MUST_CHECK enum err peers_add(struct peers *p, const struct link_peer *peer);
void peers_remove(struct peers *p, struct link_peer *peer);
/* Marks all of a closed descriptor. */
void peers_lose_fd(struct peers *p, int fd);
void peers_lose(struct peers *p, struct link_peer *peer);
/* Has a connection younger than that of `route` the descriptor by now? Routes are counted up, round
 * and round, as connections come. */
bool peers_outlived(const struct peers *p, uint32_t route, int fd);
/* One that is gone, superseded ones too; NULL. */
struct link_peer *peers_gone(const struct peers *p);
