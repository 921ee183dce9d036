#pragma once
/*
 * Kinds of what a seed's story may bring: each has them all but a fourth, drawn anew, so what one
 * kind hides shows where it is left out.
 */
#include <stdbool.h>

#define SIM_KINDS(X)                                                                               \
    X(KIND_CUTS, "cuts")                                                                           \
    X(KIND_CUTS_BY_BYTES, "cuts-by-bytes")                                                         \
    X(KIND_HALF_OPEN, "half-open")                                                                 \
    X(KIND_ONE_WAY, "one-way")                                                                     \
    X(KIND_SWIZZLE, "swizzle")                                                                     \
    X(KIND_CRASHES, "crashes")                                                                     \
    X(KIND_HUB_CRASHES, "hub-crashes")                                                             \
    X(KIND_WRONG_CLOCKS, "wrong-clocks")                                                           \
    X(KIND_CLOCK_JUMPS, "clock-jumps")                                                             \
    X(KIND_THEFT, "theft")                                                                         \
    X(KIND_ROTATION, "rotation")                                                                   \
    X(KIND_REPLACEMENT, "replacement")                                                             \
    X(KIND_CLONES, "clones")                                                                       \
    X(KIND_ROLL_BACK, "roll-back")                                                                 \
    X(KIND_ERASURE, "erasure")                                                                     \
    X(KIND_STICKS, "sticks")

enum sim_kind {
#define SIM_KIND_ENUM(code, text) code,
    SIM_KINDS(SIM_KIND_ENUM)
#undef SIM_KIND_ENUM
        KIND_COUNT
};

struct sim;
void kinds_draw(struct sim *s);
bool kinds_has(const struct sim *s, enum sim_kind kind);
void kinds_schedule(struct sim *s);
