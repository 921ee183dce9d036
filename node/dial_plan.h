#pragma once
/*
 * Whom this node dials, and where, one after the other (SPEC 10.15): the addresses of its
 * configuration, then those that the roster has of the township's hubs. A hub dials the hubs that
 * were there before it, so no two dial each other.
 */
#include "node/store/store.h"
#include "node/views/roster.h"
#include "proto/join.h"

#define DIAL_PLACES_MAX 16

struct dial_place {
    char address[ADDRESS_SIZE_MAX];
    struct sign_key device; /* the hub that is expected there, */
    struct box_key transport; /* and its newest key */
};
struct dial_plan {
    struct dial_place places[DIAL_PLACES_MAX]; /* no address twice; beyond, they are left out */
    size_t count;                              /* 0: nobody to dial, or nowhere */
    bool nobody; /* there is no hub to dial: this is the only one, or no roster yet */
};
/* `given`: the addresses of the configuration, in order. txn_error may explain an empty plan. */
void dial_plan_make(struct dial_plan *out, struct txn *t, const struct roster *roster,
                    const char *const *given, size_t given_count);
