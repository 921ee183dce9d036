#pragma once
/*
 * Scenes: a small township on lines that are given, not drawn, and one thing that must hold of
 * them. A scene has cases by number; each is played in a process of its own.
 */
#include "tests/sim/sim.h"

struct scene {
    const char *name;
    size_t villages;
    uint64_t first, last, step; /* the numbers that `make check` plays; first is played first */
    void (*play)(struct sim *s, uint64_t number);
};
extern const struct scene scenes[];
extern const size_t scene_count;

/* --- what scenes are made of --- */
struct net_line scene_line(uint32_t rate_bps, uint32_t delay_ms);
/* Founds the township on fast lines; then all lines are `line` (borrowed), and no village is in
 * contact. */
void scene_begin(struct sim *s, const struct net_line *line);
void scene_contact(struct sim_node *n);
void scene_apart(struct sim_node *n); /* the line goes, both ends are told */
/* Registers a request of the first village with about `noise` bytes that cannot be compressed. */
void scene_register(struct sim_node *n, enum lane lane, size_t noise, struct recorded *out);
bool scene_holds(struct sim_node *n, const struct recorded *r);
/* Plays on until the hub and the villages agree; fails after `limit_ms`. */
void scene_settle(struct sim *s, uint64_t limit_ms);
/* Bytes both of connections that are over and of those that live. */
struct link_counts scene_bytes(const struct sim *s, int way);
