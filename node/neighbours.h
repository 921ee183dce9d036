#pragma once
/*
 * The loop's side of the links to neighbours: each address of `peers` is dialled for itself, beside
 * the hub's link and never instead of it (DESIGN W5 to W9). Who is dialled is who may be there
 * (node/neighbour_plan.h); what became of it is kept by address (node/store/neighbours.h).
 */
#include "node/dialing.h"
#include "node/exchange.h"
#include "node/key_change.h"
#include "node/store/neighbours.h"

struct neighbour {
    const struct settings_peer *given;
    struct dialing dialing;   /* to its one address */
    struct neighbour_row row; /* as the store has it */
    size_t at, key_at;        /* whom the next attempt expects, and by which of the keys */
    struct sign_key device;   /* whom this one expects, or the last one did */
    bool live;                /* the session began */
    bool good;                /* something came of it */
    bool twice;               /* it was seen that the same device dialled us as well */
    uint64_t moved, moved_ms; /* events sent and received on it, and when that last changed */
};

struct neighbours {
    struct dial_context options;
    struct neighbour at[SETTINGS_PEERS_MAX];
    size_t count;
    bool asked; /* a person waits: "sync now" */
};

void neighbours_init(struct neighbours *n, const struct dial_context *options);
/* The store changed: a person's ask, say. */
void neighbours_look(struct neighbours *n, struct txn *t, const struct exchange_time *time);
/* As hub_contact_network. */
void neighbours_network(struct neighbours *n, bool again, const struct exchange_time *time);
void neighbours_before_turn(struct neighbours *n, const struct exchange_time *time);
void neighbours_after_turn(struct neighbours *n, const struct exchange_time *time);
/* One a configured address, -1: no link now. Returns how many. */
size_t neighbours_fds(const struct neighbours *n, int fds[SETTINGS_PEERS_MAX]);
uint64_t neighbours_wait_ms(const struct neighbours *n, uint64_t now_ms);
/* Says BYE on each link; one turn of the exchange sends it. */
void neighbours_finish(struct neighbours *n);
void neighbours_close(struct neighbours *n);
