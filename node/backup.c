#define _GNU_SOURCE /* mkostemp */
#include "node/backup.h"

#include "common/file.h"
#include "node/lives.h"
#include "node/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "sidan-backup-1\n"
#define STORE_FILE "store/data.mdb"
#define SMALL_FILE_MAX MIB(1) /* of those beside the store */
#define HEAD_SIZE (8 + 32 + 32)

/* --- making --- */

/* What belongs to the place and not to the device. */
static bool stays(const char *name)
{
    static const char *const names[] = {"side", "node.lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return name[0] == '.' || strlen(name) >= BACKUP_NAME_SIZE;
}

static enum err put_file(struct stream *to, const char *name, int fd, uint64_t size)
{
    static uint8_t block[STREAM_CHUNK_SIZE];
    uint8_t bytes[8], name_size = (uint8_t)strlen(name);
    enum err err = stream_put(to, slice_of(&name_size, 1));
    if (!err) err = stream_put(to, slice_of_text(name));
    be64_put(bytes, size);
    if (!err) err = stream_put(to, slice_of(bytes, sizeof bytes));
    while (!err && size > 0) {
        ssize_t got = read(fd, block, size < sizeof block ? (size_t)size : sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0 ? err_from_errno(errno) : ERR_IO; /* it shrank */
        err = stream_put(to, slice_of(block, (size_t)got));
        size -= (uint64_t)got;
    }
    crypto_wipe(block, sizeof block);
    return err;
}

static enum err put_path(struct stream *to, const char *name, const char *path, uint64_t size_max)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ELOOP ? OK : err_from_errno(errno);
    enum err err = fstat(fd, &st) ? err_from_errno(errno) : OK;
    bool taken = !err && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= size_max;
    if (taken) err = put_file(to, name, fd, (uint64_t)st.st_size);
    close(fd);
    return err;
}

/* Keys, configuration, marks: all small files of the home, whatever they are called. */
static enum err put_small(struct stream *to, const char *home)
{
    char path[PATH_MAX];
    enum err err = OK;
    DIR *dir = opendir(home);
    if (!dir) return err_from_errno(errno);
    for (struct dirent *d; !err && (d = readdir(dir));) {
        if (stays(d->d_name)) continue;
        int size = snprintf(path, sizeof path, "%s/%s", home, d->d_name);
        if (size < 0 || (size_t)size >= sizeof path) continue;
        err = put_path(to, d->d_name, path, SMALL_FILE_MAX);
    }
    closedir(dir);
    return err;
}

/* LMDB copies as of one commit into a file, which has no name: whatever ends this process, nothing
 * of it is left. */
static enum err put_store(struct stream *to, const struct store *s)
{
    struct stat st;
    char *copy = files_join(store_home(s), ".store.copy-XXXXXX");
    if (!copy) return ERR_NOMEM;
    int fd = mkostemp(copy, O_CLOEXEC);
    enum err err = fd < 0 || unlink(copy) ? err_from_errno(errno) : OK;
    if (!err) err = store_copy_to(s, fd, true);
    if (!err && (fstat(fd, &st) || lseek(fd, 0, SEEK_SET))) err = err_from_errno(errno);
    if (!err) err = put_file(to, STORE_FILE, fd, (uint64_t)st.st_size);
    if (fd >= 0) close(fd);
    free(copy);
    return err;
}

static enum err put_all(struct stream *to, const struct store *s, uint64_t now_ms)
{
    uint8_t head[HEAD_SIZE], end = 0;
    const struct store_identity *identity = store_identity(s);
    be64_put(head, now_ms);
    memcpy(head + 8, identity->township.bytes, 32);
    memcpy(head + 40, identity->device.bytes, 32);
    enum err err = stream_put(to, slice_of(head, sizeof head));
    if (!err) err = put_small(to, store_home(s));
    if (!err) err = put_store(to, s);
    if (!err) err = stream_put(to, slice_of(&end, 1));
    return err ? err : stream_finish(to);
}

enum err backup_make(const struct store *s, const char *path, const char *passphrase,
                     uint64_t now_ms)
{
    struct stream *to = NULL;
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return err_from_errno(errno);
    enum err err = stream_begin(&to, fd, MAGIC, passphrase);
    if (!err) err = put_all(to, s, now_ms);
    if (!err && fsync(fd)) err = err_from_errno(errno);
    if (close(fd) && !err) err = err_from_errno(errno);
    stream_close(to);
    if (!err) err = file_sync_parent(path);
    if (err) unlink(path);
    return err;
}

/* --- putting back --- */

struct backup {
    int fd;
    struct stream *from;
    struct backup_head head;
};

void backup_close(struct backup *b)
{
    if (!b) return;
    stream_close(b->from);
    if (b->fd >= 0) close(b->fd);
    free(b);
}

enum err backup_open(struct backup **out, const char *path, const char *passphrase)
{
    uint8_t head[HEAD_SIZE];
    struct backup *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    b->fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err err = b->fd < 0 ? err_from_errno(errno) : OK;
    if (!err) err = stream_open(&b->from, b->fd, MAGIC, passphrase);
    if (!err) err = stream_get(b->from, head, sizeof head);
    if (err) {
        backup_close(b);
        return err;
    }
    b->head.made_ms = be64_get(head);
    memcpy(b->head.township.bytes, head + 8, 32);
    memcpy(b->head.device.bytes, head + 40, 32);
    *out = b;
    return OK;
}

const struct backup_head *backup_head(const struct backup *b)
{
    return &b->head;
}

static bool name_is_good(const char *name)
{
    return strcmp(name, STORE_FILE) == 0 || (!strchr(name, '/') && !stays(name) && name[0]);
}

static enum err get_name(struct backup *b, char name[BACKUP_NAME_SIZE])
{
    uint8_t size;
    enum err err = stream_get(b->from, &size, 1);
    if (!err && size >= BACKUP_NAME_SIZE) err = ERR_CORRUPT;
    if (!err) err = stream_get(b->from, name, size);
    if (err) return err;
    name[size] = 0;
    return size == 0 || name_is_good(name) ? OK : ERR_CORRUPT;
}

static enum err get_file(struct backup *b, int fd, uint64_t size)
{
    static uint8_t block[STREAM_CHUNK_SIZE];
    enum err err = OK;
    while (!err && size > 0) {
        size_t part = size < sizeof block ? (size_t)size : sizeof block;
        err = stream_get(b->from, block, part);
        for (size_t at = 0; !err && at < part;) {
            ssize_t put = write(fd, block + at, part - at);
            if (put < 0 && errno != EINTR) err = err_from_errno(errno);
            if (put > 0) at += (size_t)put;
        }
        size -= part;
    }
    crypto_wipe(block, sizeof block);
    if (!err && fsync(fd)) err = err_from_errno(errno);
    return err;
}

static enum err unpack_one(struct backup *b, const char *folder, const char *name)
{
    uint8_t size[8];
    enum err err = stream_get(b->from, size, sizeof size);
    char *path = files_join(folder, name);
    if (!path) return ERR_NOMEM;
    int fd = err ? -1 : open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (!err && fd < 0) err = err_from_errno(errno);
    if (!err) err = get_file(b, fd, be64_get(size));
    if (fd >= 0 && close(fd) && !err) err = err_from_errno(errno);
    free(path);
    return err;
}

static enum err unpack_all(struct backup *b, const char *folder)
{
    char name[BACKUP_NAME_SIZE];
    bool stored = false;
    char *store = files_join(folder, "store");
    if (!store) return ERR_NOMEM;
    enum err err = mkdir(store, 0700) ? err_from_errno(errno) : OK;
    if (!err) err = get_name(b, name);
    while (!err && name[0]) {
        if (strcmp(name, STORE_FILE) == 0) stored = true;
        err = unpack_one(b, folder, name);
        if (!err) err = get_name(b, name);
    }
    if (!err) err = stream_end(b->from);
    if (!err && !stored) err = ERR_CORRUPT;
    if (!err) err = file_sync_folder(store);
    free(store);
    return err ? err : file_sync_folder(folder);
}

enum err backup_unpack(struct backup *b, const char *folder, uint64_t life_least)
{
    struct store *s = NULL;
    enum err err = unpack_all(b, folder);
    if (!err) err = store_open(&s, folder, &(struct store_options){.boxless = true});
    if (!err && !sign_key_equal(&store_identity(s)->device, &b->head.device)) err = ERR_CORRUPT;
    if (!err) err = lives_restored(s, life_least);
    store_close(s);
    return err;
}
