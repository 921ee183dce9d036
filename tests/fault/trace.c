#include "common/file.h"
#include "common/limits.h"
#include "tests/fault/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool take(struct slice *from, void *out, size_t size)
{
    if (from->size < size) return false;
    memcpy(out, from->data, size);
    from->data += size;
    from->size -= size;
    return true;
}

static bool next(struct slice *from, struct record *r)
{
    *r = (struct record){.data = NULL};
    if (!take(from, &r->head, sizeof r->head)) return false;
    if (r->head.op == 0 || r->head.op >= TRACE_OPS || r->head.name_size >= sizeof r->name ||
        r->head.name2_size >= sizeof r->name2)
        return false;
    if (!take(from, r->name, r->head.name_size) || !take(from, r->name2, r->head.name2_size))
        return false;
    if (from->size < r->head.data_size) return false;
    r->data = from->data;
    from->data += r->head.data_size;
    from->size -= r->head.data_size;
    return true;
}

void trace_read(struct trace *t, const char *path, const char *root)
{
    struct stat st = {0};
    struct buf bytes = {0};
    size_t room = 1024;
    enum err err = file_read(&bytes, path, MIB(512));
    *t = (struct trace){.records = malloc(room * sizeof *t->records), .bytes = buf_slice(&bytes)};
    struct slice left = t->bytes;
    while (!err && t->records && left.size > 0) {
        if (t->count == room) {
            room *= 2;
            struct record *more = realloc(t->records, room * sizeof *more);
            if (!more) break;
            t->records = more;
        }
        if (!next(&left, &t->records[t->count])) err = ERR_CORRUPT;
        if (!err) t->count++;
    }
    if (!err && stat(root, &st)) err = ERR_NOT_FOUND;
    t->root_ino = st.st_ino;
    if (err || !t->records || left.size > 0 || t->count == 0) {
        fprintf(stderr, "fault: %s: %s\n", path, err ? err_text(err) : "no trace");
        exit(2);
    }
}
