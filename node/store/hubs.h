#pragma once
/*
 * Local rows about the township's hubs: through whom the records of a village came, and where the
 * records ended of a hub that gave official numbers before this one. Not replicated.
 */
#include "node/store/local.h"

/* The newest records of a device that came by another one. */
struct via {
    struct sign_key from; /* who brought them */
    uint64_t wall_ms;     /* when */
};
bool via_get(struct txn *t, const struct sign_key *device, struct via *out);
void via_put(struct txn *t, const struct sign_key *device, const struct via *via);

/* What `hub` held of its own feeds when it told that it gives no official numbers any more:
 * `move` is how often they had been moved by then. */
void handover_put(struct txn *t, const struct sign_key *hub, uint64_t move,
                  const struct peer_have *points, size_t count);
/* False: it did not tell so of this move. Borrowed from the transaction. */
bool handover_get(struct txn *t, const struct sign_key *hub, uint64_t move, struct slice *points);
/* Takes the next one off; false at the end. */
bool handover_next(struct slice *points, struct peer_have *out);
