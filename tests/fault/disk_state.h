#pragma once
/* What disk.c and image.c share: the state of a disk between two records. */
#include "tests/fault/disk.h"

enum { SECTOR = 512, BLOCK = 4096, FILES_MAX = 4096, NAMES_MAX = 256, META_END = 8192 };

struct file {
    uint64_t ino;
    bool folder;
    uint16_t mode;
    int node; /* -1: the root, or a file in it */
    struct buf data;
    uint64_t size;
    struct pending {
        const struct record *record;
        bool durable; /* was synced by itself, with the pages that it lies in */
    } * pending;
    size_t pending_count, pending_room;
};
struct entry { /* a durable name */
    int dir, file;
    char name[256];
};
struct tree {
    struct entry entries[NAMES_MAX];
    size_t count;
};
struct change { /* of names, not durable yet */
    const struct record *record;
    int dir, dir2, file, file2;
};
struct disk {
    struct file files[FILES_MAX]; /* 0: the root */
    int file_count;
    struct tree durable, now;
    struct change *changes;
    size_t change_count, change_room;
    char nodes[NODES_MAX][64];
    int node_count;
    const struct record *last;
};

void disk_fail(const char *what, const char *more); /* ends the program */
/* Applies one write or length to the bytes of a file. */
void data_apply(struct buf *data, uint64_t *size, const struct record *r);
void data_put(struct buf *data, uint64_t *size, uint64_t at, const uint8_t *from, size_t n);
void tree_apply(struct tree *t, const struct change *c);
