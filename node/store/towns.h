#pragma once
/*
 * Local rows of what hubs signed of the feeds in `town` (proto/town.h): the newest of each
 * store of a hub with the heads it was signed over, and two that cannot both be true, as proof.
 */
#include "node/store/log.h"
#include "proto/town.h"

struct town_kept {
    struct town_state state;
    bool has_heads;          /* else they are not known yet; never so in a row */
    struct town_head *heads; /* owned; sorted */
    size_t count;
};
void town_kept_clear(struct town_kept *k);

/* *out is filled and owned; false: none of this hub's store, or the transaction's error. */
bool towns_get(struct txn *t, const struct sign_key *hub, const uint8_t generation[8],
               struct town_kept *out);
void towns_put(struct txn *t, const struct town_kept *k);
void towns_delete(struct txn *t, const struct sign_key *hub, const uint8_t generation[8]);

/* All, by hub and generation: start with zeros; false at the end. */
struct town_at {
    struct sign_key hub;
    uint8_t generation[8];
};
bool towns_next(struct txn *t, struct town_at *after, struct town_kept *out);
/* Those of one hub: start with zeros. */
bool towns_next_of(struct txn *t, const struct sign_key *hub, uint8_t after[8],
                   struct town_kept *out);

/* In which generation this hub signs: that of its store, or another instead of it, once it learned
 * that it had ended that one itself (the image of its disk was put back). */
void towns_generation(struct txn *t, uint8_t out[8]);
void towns_generation_put(struct txn *t, const uint8_t generation[8]);

/* The first two of a hub that were seen to differ stay; false: there is none. */
bool towns_split_get(struct txn *t, const struct sign_key *hub, struct town_kept *a,
                     struct town_kept *b);
void towns_split_put(struct txn *t, const struct town_kept *a, const struct town_kept *b);
