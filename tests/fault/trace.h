#pragma once
/*
 * What the processes of a scenario asked of the disk, in the order in which it happened, and what
 * they told people: written by the preload library record.c, read by images.c.
 *
 * A record is a head, then `name_size` bytes of a name, `name2_size` of another, `data_size` of
 * content. Inodes stand for files and folders; a number that is created again is another file.
 */
#include <stdint.h>

enum trace_op {
    TRACE_START = 1, /* a process begins: name is its home, data its words, ended by zeros */
    TRACE_OUT,       /* it wrote to its standard output: data */
    TRACE_WRITE,     /* ino, offset, data; synced: it was durable when the call returned */
    TRACE_SYNC,      /* ino, a file or a folder */
    TRACE_SIZE,      /* ino, offset is the new size */
    TRACE_GROW,      /* ino, offset is the size it has at least */
    TRACE_CREATE,    /* name in folder dir is a new file ino */
    TRACE_MKDIR,     /* name in folder dir is a new folder ino */
    TRACE_REMOVE,    /* name in folder dir is gone, of a file or a folder */
    TRACE_RENAME,    /* ino: name in dir becomes name2 in dir2 */
    TRACE_EXCHANGE,  /* name in dir and name2 in dir2 change places: ino and ino2 */
    TRACE_LINK,      /* ino is name2 in dir2 as well */
    TRACE_OPS
};

struct trace_head {
    uint32_t pid;
    uint8_t op;
    uint8_t synced;
    uint16_t name_size, name2_size;
    uint16_t mode;
    uint32_t data_size;
    uint64_t ino, ino2, dir, dir2, offset;
};
