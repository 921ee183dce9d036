#pragma once
/*
 * The loop's side of the link to a hub: makes it, hands it to the exchange, throws it away when it
 * ended and makes it again after the backoff; keeps the hub's peer row where no session did,
 * answers a person's "sync now", and learns the time from a hub whose clock is trusted.
 */
#include "node/dialing.h"
#include "node/exchange.h"
#include "node/key_change.h"

struct hub_contact {
    struct dial_context options;
    struct dialing dialing;
    struct dial_plan plan;                /* whose addresses `dialing` has */
    struct dial_plan fresh;               /* as the store has it now: taken between two links */
    struct dial_keys keys[DIAL_KEYS_MAX]; /* to dial the hub with */
    size_t key_count, key_at;
    unsigned barred;        /* attempts in a row whose keys did not fit */
    struct sign_key device; /* the hub that is dialled, or was last */
    bool live;              /* its session began, so the exchange keeps the peer row */
    bool good;              /* something came of this link */
    bool again;             /* when it ends it is made anew at once */
    bool learned;           /* its time was looked at */
    uint64_t moved;         /* events sent and received on it */
    uint64_t moved_ms;      /* when that last changed */
    uint64_t idle_ms;       /* since when it has nothing to do; 0: it has */
    bool asked;             /* a person waits */
    bool answer_due;        /* what there is to tell is in the store after the next turn */
};

void hub_contact_init(struct hub_contact *h, const struct dial_context *options);
/* The store changed: the hubs, a person's ask. */
void hub_contact_look(struct hub_contact *h, struct txn *t, const struct exchange_time *time);
/* The network changed somehow; `again`: an interface or the machine was away for a while. */
void hub_contact_network(struct hub_contact *h, bool again, const struct exchange_time *time);
void hub_contact_before_turn(struct hub_contact *h, const struct exchange_time *time);
void hub_contact_after_turn(struct hub_contact *h, const struct exchange_time *time);
int hub_contact_fd(const struct hub_contact *h); /* -1: no link */
uint64_t hub_contact_wait_ms(const struct hub_contact *h, uint64_t now_ms);
/* Says BYE; one turn of the exchange sends it. */
void hub_contact_finish(struct hub_contact *h);
void hub_contact_close(struct hub_contact *h);
