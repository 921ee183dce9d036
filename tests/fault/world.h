#pragma once
/*
 * What everybody knew at each moment of a trace, taken from the stores as they are without a cut:
 * which events a home held, which of them were told to a person, what other homes hold of it, and
 * what they were told that it holds. An image of that moment must hold all of that.
 */
#include "node/store/local.h"
#include "tests/fault/disk.h"

#define NEVER SIZE_MAX

struct known {
    struct event_id id;
    uint8_t feed8[8];
    uint64_t seq;
    int origin; /* the home that held it first: it was signed there */
    struct {
        size_t held, told, until; /* records of the trace; until: put back to before it */
    } at[NODES_MAX];
};
struct claim { /* another home believes by a receipt that `node` holds this */
    int node;
    uint8_t feed8[8], id8[8];
    uint64_t seq;
    size_t from, until;
};
struct process {
    uint32_t pid;
    int node;
    size_t start;
    char verb[16];
};
struct world {
    struct known *events;
    size_t event_count, event_room;
    struct claim *claims;
    size_t claim_count, claim_room;
    struct process *processes;
    size_t process_count, process_room;
    struct sign_key devices[NODES_MAX];
    bool has_device[NODES_MAX];
    bool is_home[NODES_MAX]; /* a process was given it */
    size_t begun[NODES_MAX]; /* from here on a person was told something of this home */
    unsigned commits;
};
/* Walks the whole trace; `path` is a folder that may be made and removed. */
void world_read(struct world *w, const struct trace *t, const char *path);
const struct process *world_process(const struct world *w, uint32_t pid, size_t position);
