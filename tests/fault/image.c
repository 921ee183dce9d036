#define _GNU_SOURCE /* nftw */
#include "tests/fault/disk_state.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t sectors_of(const struct trace_head *h)
{
    return (h->offset + h->data_size - 1) / SECTOR - h->offset / SECTOR + 1;
}

struct builder {
    const struct disk *disk;
    enum image_kind kind;
    bool flying; /* the last record is not synced */
    unsigned keep, keep_names;
    bool tear;
    struct rng *rng;
    struct image_counts *counts;
};

/* A sector of a file holds what it held at one moment: whoever kept a later write of it has the
 * earlier ones too. So the last are asked first. `after`: sectors that a later write kept. */
static void choose(struct builder *b, const struct pending *p, uint8_t *after, uint8_t *chosen)
{
    const struct trace_head *h = &p->record->head;
    bool durable = p->durable && !(b->flying && p->record == b->disk->last);
    bool all = b->kind == IMAGE_CLEAN || durable;
    bool whole = rng_chance(b->rng, b->keep); /* where nothing is torn */
    uint64_t first = h->offset / SECTOR, kept = 0, count = sectors_of(h);
    for (uint64_t i = 0; i < count; i++) {
        bool keeps = all || after[first + i] || (b->tear ? rng_chance(b->rng, b->keep) : whole);
        chosen[i] = keeps;
        after[first + i] = keeps;
        kept += keeps;
    }
    if (durable) { /* the kernel writes pages */
        uint64_t from = h->offset / BLOCK, to = (h->offset + h->data_size - 1) / BLOCK;
        memset(after + from * (BLOCK / SECTOR), 1, (size_t)((to - from + 1) * (BLOCK / SECTOR)));
        return;
    }
    if (kept && kept < count)
        b->counts->torn++;
    else if (kept)
        b->counts->kept++;
    else
        b->counts->dropped++;
}

static void put_chosen(struct buf *data, uint64_t *size, const struct record *r,
                       const uint8_t *chosen)
{
    uint64_t end = r->head.offset + r->head.data_size, next;
    for (uint64_t at = r->head.offset; at < end; at = next, chosen++) {
        next = (at / SECTOR + 1) * SECTOR;
        if (next > end) next = end;
        if (*chosen) data_put(data, size, at, r->data + (at - r->head.offset), (size_t)(next - at));
    }
}

static void put_pending(struct builder *b, const struct file *f, struct buf *data, uint64_t *size)
{
    uint64_t end = 0, total = 0, at = 0;
    for (size_t i = 0; i < f->pending_count; i++) {
        const struct trace_head *h = &f->pending[i].record->head;
        if (h->op != TRACE_WRITE) continue;
        total += sectors_of(h);
        if (end < h->offset + h->data_size) end = h->offset + h->data_size;
    }
    uint8_t *after = calloc((size_t)(end / BLOCK + 2), BLOCK / SECTOR);
    uint8_t *chosen = malloc((size_t)total + 1);
    if (!after || !chosen) disk_fail("no memory", "");
    at = total;
    for (size_t i = f->pending_count; i-- > 0;)
        if (f->pending[i].record->head.op == TRACE_WRITE) {
            at -= sectors_of(&f->pending[i].record->head);
            choose(b, &f->pending[i], after, chosen + at);
        }
    for (size_t i = 0; i < f->pending_count; i++) {
        const struct record *r = f->pending[i].record;
        if (r->head.op != TRACE_WRITE) {
            if (b->kind == IMAGE_CLEAN || rng_chance(b->rng, b->keep)) data_apply(data, size, r);
            continue;
        }
        put_chosen(data, size, r, chosen + at);
        at += sectors_of(&r->head);
        /* The length may have grown, and zeros stand where nothing was written. */
        if (r->head.offset + r->head.data_size > *size && rng_chance(b->rng, 50))
            *size = r->head.offset + r->head.data_size;
    }
    free(after);
    free(chosen);
}

static void file_write(struct builder *b, const struct file *f, const char *path)
{
    static const uint8_t zeros[BLOCK];
    struct buf data = {0};
    uint64_t size = f->size;
    buf_append(&data, f->data.data, f->data.size);
    put_pending(b, f, &data, &size);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, f->mode);
    if (fd < 0) disk_fail("cannot make", path);
    for (size_t at = 0; at < data.size; at += BLOCK) {
        size_t n = data.size - at < BLOCK ? data.size - at : BLOCK;
        if (memcmp(data.data + at, zeros, n) == 0) continue;
        if (pwrite(fd, data.data + at, n, (off_t)at) != (ssize_t)n) disk_fail("cannot write", path);
    }
    if (ftruncate(fd, (off_t)size)) disk_fail("cannot write", path);
    close(fd);
    buf_clear(&data);
}

static void folder_write(struct builder *b, const struct tree *t, int folder, const char *path)
{
    char child[1024];
    if (mkdir(path, 0700)) disk_fail("cannot make", path);
    for (size_t i = 0; i < t->count; i++) {
        const struct entry *e = &t->entries[i];
        if (e->dir != folder) continue;
        (void)snprintf(child, sizeof child, "%s/%s", path, e->name);
        const struct file *f = &b->disk->files[e->file];
        if (f->folder)
            folder_write(b, t, e->file, child);
        else
            file_write(b, f, child);
    }
}

static void names_some(struct builder *b, struct tree *t)
{
    const struct disk *d = b->disk;
    bool in_order = b->kind == IMAGE_RANDOM && rng_chance(b->rng, 50);
    size_t first_lost = in_order ? (size_t)rng_below(b->rng, d->change_count + 1) : 0;
    for (size_t i = 0; i < d->change_count; i++) {
        bool keeps = b->kind == IMAGE_CLEAN ||
                     (in_order ? i < first_lost : rng_chance(b->rng, b->keep_names));
        if (keeps) tree_apply(t, &d->changes[i]);
        if (keeps)
            b->counts->names_kept++;
        else
            b->counts->names_dropped++;
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

void remove_image(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool disk_image(const struct disk *d, int node, enum image_kind kind, bool flying, struct rng *rng,
                const char *path, struct image_counts *counts)
{
    static const unsigned keeps[] = {0, 10, 50, 90, 100};
    static struct tree tree;
    struct builder b = {
        .disk = d, .kind = kind, .flying = flying, .rng = rng, .counts = counts, .keep = 100};
    if (kind == IMAGE_RANDOM) {
        b.keep = keeps[rng_below(rng, 5)];
        b.keep_names = keeps[rng_below(rng, 5)];
        b.tear = rng_chance(rng, 60);
    }
    tree = d->durable;
    names_some(&b, &tree);
    remove_image(path);
    counts->images++;
    for (size_t i = 0; i < tree.count; i++) {
        const struct entry *e = &tree.entries[i];
        if (e->dir != 0 || !d->files[e->file].folder || strcmp(e->name, d->nodes[node]) != 0)
            continue;
        folder_write(&b, &tree, e->file, path);
        return true;
    }
    return false;
}
