#include "tests/fault/disk_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void disk_fail(const char *what, const char *more)
{
    fprintf(stderr, "fault: %s %s\n", what, more);
    exit(2);
}

static void *grown(void *p, size_t *room, size_t count, size_t item)
{
    if (count < *room) return p;
    *room = *room ? *room * 2 : 64;
    p = realloc(p, *room * item);
    if (!p) disk_fail("no memory", "");
    return p;
}

/* --- files --- */

static int file_of(const struct disk *d, uint64_t ino)
{
    for (int i = d->file_count - 1; i >= 0; i--) /* the newest of that number */
        if (d->files[i].ino == ino) return i;
    return -1;
}

static int file_new(struct disk *d, const struct record *r, int dir)
{
    if (d->file_count == FILES_MAX) disk_fail("too many files", r->name);
    struct file *f = &d->files[d->file_count];
    f->ino = r->head.ino;
    f->folder = r->head.op == TRACE_MKDIR;
    f->mode = r->head.mode;
    f->node = dir == 0 ? (f->folder ? disk_node(d, r->name) : -1) : d->files[dir].node;
    return d->file_count++;
}

struct disk *disk_new(const struct trace *t)
{
    struct disk *d = calloc(1, sizeof *d);
    if (!d) disk_fail("no memory", "");
    d->files[0] = (struct file){.folder = true, .node = -1};
    d->file_count = 1;
    d->files[0].ino = t->root_ino;
    return d;
}

void disk_free(struct disk *d)
{
    for (int i = 0; i < d->file_count; i++) {
        buf_clear(&d->files[i].data);
        free(d->files[i].pending);
    }
    free(d->changes);
    free(d);
}

void data_put(struct buf *data, uint64_t *size, uint64_t at, const uint8_t *from, size_t n)
{
    if (at + n > data->size) {
        size_t more = (size_t)(at + n) - data->size;
        uint8_t *room = buf_reserve(data, more);
        if (!room) disk_fail("no memory", "");
        memset(room, 0, more);
        buf_advance(data, more);
    }
    memcpy(data->data + at, from, n);
    if (*size < at + n) *size = at + n;
}

static void size_set(struct buf *data, uint64_t *size, uint64_t to)
{
    if (to < data->size) data->size = (size_t)to;
    *size = to;
}

void data_apply(struct buf *data, uint64_t *size, const struct record *r)
{
    if (r->head.op == TRACE_WRITE)
        data_put(data, size, r->head.offset, r->data, r->head.data_size);
    else if (r->head.op == TRACE_SIZE || r->head.offset > *size)
        size_set(data, size, r->head.offset);
}

static void file_sync(struct file *f)
{
    for (size_t i = 0; i < f->pending_count; i++)
        data_apply(&f->data, &f->size, f->pending[i].record);
    f->pending_count = 0;
}

static void file_take(struct disk *d, const struct record *r, bool lies)
{
    int number = file_of(d, r->head.ino);
    if (number < 0) return; /* made outside: the shell's */
    struct file *f = &d->files[number];
    f->pending = grown(f->pending, &f->pending_room, f->pending_count, sizeof *f->pending);
    f->pending[f->pending_count++] = (struct pending){r, r->head.synced && !lies};
}

/* --- names --- */

static void tree_remove(struct tree *t, int dir, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->entries[i].dir == dir && strcmp(t->entries[i].name, name) == 0) {
            t->entries[i] = t->entries[--t->count];
            return;
        }
}

static void tree_put(struct tree *t, int dir, const char *name, int file)
{
    tree_remove(t, dir, name);
    if (file < 0) return;
    if (t->count == NAMES_MAX) disk_fail("too many names", name);
    struct entry *e = &t->entries[t->count++];
    e->dir = dir;
    e->file = file;
    (void)snprintf(e->name, sizeof e->name, "%s", name);
}

void tree_apply(struct tree *t, const struct change *c)
{
    const struct record *r = c->record;
    switch (r->head.op) {
    case TRACE_CREATE:
    case TRACE_MKDIR:
        tree_put(t, c->dir, r->name, c->file);
        break;
    case TRACE_REMOVE:
        tree_remove(t, c->dir, r->name);
        break;
    case TRACE_RENAME:
        tree_remove(t, c->dir, r->name);
        tree_put(t, c->dir2, r->name2, c->file);
        break;
    case TRACE_EXCHANGE:
        tree_put(t, c->dir, r->name, c->file2);
        tree_put(t, c->dir2, r->name2, c->file);
        break;
    case TRACE_LINK:
        tree_put(t, c->dir2, r->name2, c->file);
        break;
    default:
        break;
    }
}

/* Whose a file is follows from where it stands: a home is made under another name, and a store
 * that is put back comes from another folder. What has no name any more keeps its node. */
static void nodes_below(struct disk *d, int folder, int node)
{
    for (size_t i = 0; i < d->now.count; i++) {
        const struct entry *e = &d->now.entries[i];
        if (e->dir != folder) continue;
        struct file *f = &d->files[e->file];
        f->node = folder == 0 ? (f->folder ? disk_node(d, e->name) : -1) : node;
        if (f->folder) nodes_below(d, e->file, f->node);
    }
}

static void name_take(struct disk *d, const struct record *r)
{
    if (file_of(d, r->head.dir ? r->head.dir : r->head.dir2) < 0) return; /* made by the shell */
    struct change c = {.record = r, .dir = -1, .dir2 = -1, .file2 = -1};
    if (r->head.dir) c.dir = file_of(d, r->head.dir);
    if (r->head.dir2) c.dir2 = file_of(d, r->head.dir2);
    if (r->head.ino2) c.file2 = file_of(d, r->head.ino2);
    bool fresh = r->head.op == TRACE_CREATE || r->head.op == TRACE_MKDIR;
    c.file = fresh ? file_new(d, r, c.dir) : file_of(d, r->head.ino);
    d->changes = grown(d->changes, &d->change_room, d->change_count, sizeof *d->changes);
    d->changes[d->change_count++] = c;
    tree_apply(&d->now, &c);
    if (r->head.op == TRACE_RENAME || r->head.op == TRACE_EXCHANGE) nodes_below(d, 0, -1);
}

static void folder_sync(struct disk *d, int folder)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->change_count; i++) {
        struct change *c = &d->changes[i];
        if (c->dir == folder || c->dir2 == folder)
            tree_apply(&d->durable, c);
        else
            d->changes[kept++] = *c;
    }
    d->change_count = kept;
}

void disk_apply(struct disk *d, const struct record *r, bool lies)
{
    d->last = r;
    switch (r->head.op) {
    case TRACE_WRITE:
    case TRACE_SIZE:
    case TRACE_GROW:
        file_take(d, r, lies);
        break;
    case TRACE_SYNC: {
        int number = file_of(d, r->head.ino);
        if (number < 0 || lies) break;
        if (d->files[number].folder)
            folder_sync(d, number);
        else
            file_sync(&d->files[number]);
        break;
    }
    case TRACE_START: /* homes have the same numbers in each walk */
        if (r->head.name_size > 0) (void)disk_node(d, r->name);
        break;
    case TRACE_OUT:
        break;
    default:
        name_take(d, r);
    }
}

/* --- whose --- */

int disk_node(struct disk *d, const char *name)
{
    for (int i = 0; i < d->node_count; i++)
        if (strcmp(d->nodes[i], name) == 0) return i;
    if (d->node_count == NODES_MAX) disk_fail("too many homes", name);
    (void)snprintf(d->nodes[d->node_count], sizeof d->nodes[0], "%s", name);
    return d->node_count++;
}

const char *disk_node_name(const struct disk *d, int node)
{
    return d->nodes[node];
}

int disk_homes(const struct disk *d)
{
    return d->node_count;
}

int disk_node_of(const struct disk *d, const struct record *r)
{
    if (r->head.op == TRACE_START || r->head.op == TRACE_OUT) return -1;
    int number = file_of(d, r->head.ino);
    if (number < 0) number = file_of(d, r->head.dir);
    return number < 0 ? -1 : d->files[number].node;
}

bool disk_is_commit(const struct disk *d, const struct record *r)
{
    (void)d;
    return r->head.op == TRACE_WRITE && r->head.synced && r->head.offset < META_END;
}

/* --- the end of a trace, and the folder as it is --- */

static bool same_content(const char *path, const struct buf *want, uint64_t size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || (uint64_t)st.st_size != size) {
        if (fd >= 0) close(fd);
        return false;
    }
    uint8_t *got = malloc(want->size + 1);
    bool same = got && pread(fd, got, want->size, 0) == (ssize_t)want->size &&
                memcmp(got, want->data, want->size) == 0;
    free(got);
    close(fd);
    return same;
}

static unsigned files_in(const char *path)
{
    unsigned count = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (dir) closedir(dir);
    return count;
}

static unsigned folder_differs(const struct disk *d, const struct tree *t, int folder,
                               const char *path)
{
    char child[1024];
    unsigned differs = 0, names = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct entry *e = &t->entries[i];
        if (e->dir != folder) continue;
        names++;
        (void)snprintf(child, sizeof child, "%s/%s", path, e->name);
        const struct file *f = &d->files[e->file];
        if (f->folder) {
            differs += folder_differs(d, t, e->file, child);
            continue;
        }
        if (strcmp(e->name, "lock.mdb") == 0) continue; /* written through a map, means nothing */
        struct buf data = {0};
        uint64_t size = f->size;
        buf_append(&data, f->data.data, f->data.size);
        for (size_t k = 0; k < f->pending_count; k++)
            data_apply(&data, &size, f->pending[k].record);
        if (!same_content(child, &data, size)) {
            fprintf(stderr, "fault: the trace does not tell of all that was written: %s\n", child);
            differs++;
        }
        buf_clear(&data);
    }
    if (folder != 0 && names != files_in(path)) {
        fprintf(stderr, "fault: the trace does not tell of all names: %s\n", path);
        differs++;
    }
    return differs;
}

unsigned disk_differs(const struct disk *d, const char *root)
{
    static struct tree tree;
    tree = d->durable;
    for (size_t i = 0; i < d->change_count; i++) tree_apply(&tree, &d->changes[i]);
    return folder_differs(d, &tree, 0, root);
}
