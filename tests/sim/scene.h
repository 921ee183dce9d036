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
    void (*print)(const uint64_t kept[KEPT_MAX]); /* what all cases counted; NULL: nothing */
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
struct scene_request {                /* texts may be NULL */
    const char *channel, *channel_ref, *nature, *category, *place, *content, *noise;
    uint64_t urgency;
    enum lane lane;
};
/* Registers a request: a village its own, the hub one of the first village. */
void scene_record(struct sim_node *n, const struct scene_request *r, struct recorded *out);
/* The same with about `noise` bytes that cannot be compressed. */
void scene_register(struct sim_node *n, enum lane lane, size_t noise, struct recorded *out);
bool scene_holds(struct sim_node *n, const struct recorded *r);
/* Plays on until the hub and the villages agree; fails after `limit_ms`. */
void scene_settle(struct sim *s, uint64_t limit_ms);
/* Bytes both of connections that are over and of those that live. */
struct link_counts scene_bytes(const struct sim *s, int way);

/* --- floods.c: an enrolled enemy floods the hub while an honest village syncs with it --- */
#define FLOODS 13 /* numbers from 1; 0: nobody does */
void flood_play(struct sim *s, uint64_t number);

/* --- copies.c: stores put back, disks used twice, hubs lost at random points --- */
#define COPIES_CASES 1000 /* of one to three faults: 2,000 in all */
void copies_play(struct sim *s, uint64_t number);
void copies_print(const uint64_t kept[KEPT_MAX]);

/* --- rounds.c: links to three of 27 villages, a courier for the others --- */
void rounds_play(struct sim *s, uint64_t number);
void rounds_print(const uint64_t kept[KEPT_MAX]);

/* --- fleet.c: many villages for days, each in reach of the hub now and then --- */
struct fleet_options {
    const char *contacts; /* CSV start_s,end_s,village,...; NULL: drawn */
    const char *rows;     /* NDJSON as `import --as requests` takes it; NULL: drawn */
    unsigned days;        /* of drawn contacts */
    unsigned records_a_day;
    bool print; /* the figures */
};
void fleet_play(struct sim *s, const struct fleet_options *options);

/* --- fleet_floor.c --- */
/* What the events after `base` of the feed are as one run at least: zstd -19 of their records
 * behind the dictionary, 8 bytes of salt an event, a signature. */
size_t fleet_floor(struct sim_node *n, const struct feed *feed, uint64_t base);
