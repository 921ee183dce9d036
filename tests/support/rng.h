#pragma once
/* Seeded random numbers: the same seed gives the same numbers everywhere. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state; /* the seed */
};
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound);                /* 0..bound-1 */
uint64_t rng_between(struct rng *r, uint64_t low, uint64_t high); /* both included */
bool rng_chance(struct rng *r, unsigned percent);
/* Fills bytes; the shape of crypto_set_random's source. */
void rng_crypto_source(void *rng, void *out, size_t size);
