#pragma once
/*
 * A disk that was cut off from its power: what a trace (trace.h) wrote down is applied record by
 * record, and at any point an image is built of what may be on the disk then.
 *
 * What was synced is there. Of the rest any part may be: each 512-byte sector of each write by
 * itself, each name that was made, moved or removed (a rename is whole or not there), the lengths.
 * So it is harsher than ext4, which keeps names in order.
 */
#include "common/bytes.h"
#include "tests/fault/trace.h"
#include "tests/support/rng.h"

enum { NODES_MAX = 8 };

struct record { /* borrowed from the trace */
    struct trace_head head;
    char name[256], name2[256];
    const uint8_t *data;
};
struct trace {
    struct record *records;
    size_t count;
    struct slice bytes;
    uint64_t root_ino; /* of the folder that it was taken of */
};
/* Ends the program where it is not a trace. */
void trace_read(struct trace *t, const char *path, const char *root);

struct disk;
struct disk *disk_new(const struct trace *t);
void disk_free(struct disk *d);
/* Applies the next record; `lies`: what asks for a sync does nothing. */
void disk_apply(struct disk *d, const struct record *r, bool lies);
/* The home that a record touches, -1: none; only after it was applied. */
int disk_node_of(const struct disk *d, const struct record *r);
int disk_node(struct disk *d, const char *name); /* by name; makes it known */
const char *disk_node_name(const struct disk *d, int node);
int disk_homes(const struct disk *d);                              /* how many are known */
bool disk_is_commit(const struct disk *d, const struct record *r); /* LMDB's last write of one */

enum image_kind {
    IMAGE_CLEAN,  /* all that was asked for: no cut */
    IMAGE_RANDOM, /* any part of what was not synced */
};
/* What was built, to count how much of each kind was tried. */
struct image_counts {
    uint64_t images, torn, dropped, kept, names_dropped, names_kept;
};
/* Makes `path` the home of `node`. False: the folder itself is not there. `flying`: the last
 * record was under way, so it was not synced even if it asked. */
bool disk_image(const struct disk *d, int node, enum image_kind kind, bool flying, struct rng *rng,
                const char *path, struct image_counts *counts);
void remove_image(const char *path);
/* How many files below the homes differ from those in `root`; told on stderr. */
unsigned disk_differs(const struct disk *d, const char *root);
