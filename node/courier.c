#include "node/courier.h"

#include "common/file.h"
#include "common/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "courier"
#define WHOLE ".sidan"
#define COPY_SIZE KIB(64)

enum { ID_SIZE = sizeof(struct bundle_id), HEX_SIZE = 2 * ID_SIZE };

static enum err path_of(char out[PATH_MAX], const char *home, const char *name, const char *ending)
{
    int size = snprintf(out, PATH_MAX, "%s/" FOLDER "%s%s%s", home, *name ? "/" : "", name, ending);
    return size < 0 || size >= PATH_MAX ? ERR_LIMIT : OK;
}

enum err courier_path(char out[PATH_MAX], const char *home, const struct bundle_id *id,
                      const char *ending)
{
    char hex[HEX_SIZE + 1];
    hex_encode(hex, id->bytes, ID_SIZE);
    return path_of(out, home, hex, ending);
}

/* --- what lies there --- */

static enum err open_file(int *fd, const char *path)
{
    struct stat st;
    int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (opened < 0) return errno == ELOOP ? ERR_CORRUPT : err_from_errno(errno);
    enum err err = fstat(opened, &st) ? err_from_errno(errno) : OK;
    if (!err && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > BUNDLE_SIZE_MAX)) err = ERR_CORRUPT;
    if (err)
        close(opened);
    else
        *fd = opened;
    return err;
}

/* Is the file the bundle that its name says? What is sealed in it nobody can see here. */
static enum err check_file(int fd, const struct bundle_id *id)
{
    uint8_t outside[BUNDLE_OUTSIDE_SIZE];
    struct bundle_id found;
    enum err err = bundle_outside_read(outside, fd);
    if (err) return err == ERR_MALFORMED || err == ERR_VERSION ? ERR_CORRUPT : err;
    bundle_id_of(&found, outside);
    if (memcmp(found.bytes, id->bytes, ID_SIZE) != 0) return ERR_CORRUPT;
    return lseek(fd, 0, SEEK_SET) < 0 ? err_from_errno(errno) : OK;
}

enum err courier_open(int *fd, const char *home, const struct bundle_id *id)
{
    char path[PATH_MAX];
    int opened = -1;
    enum err err = courier_path(path, home, id, WHOLE);
    if (!err) err = open_file(&opened, path);
    if (!err) err = check_file(opened, id);
    if (!err)
        *fd = opened;
    else if (opened >= 0)
        close(opened);
    return err;
}

/* False: not one of ours, as what a crash left behind. */
static bool look_at(struct courier_file *out, const char *home, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    int fd = -1;
    size_t size = strlen(name);
    *out = (struct courier_file){.damaged = true};
    if (size != HEX_SIZE + sizeof WHOLE - 1 || strcmp(name + HEX_SIZE, WHOLE) != 0) return false;
    if (path_of(path, home, name, "") || lstat(path, &st)) return false;
    memcpy(out->name, name, size + 1);
    out->bytes = (uint64_t)st.st_size;
    if (hex_decode(out->id.bytes, ID_SIZE, name, HEX_SIZE)) return true;
    if (courier_open(&fd, home, &out->id) == OK) {
        out->damaged = false;
        close(fd);
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct courier_file *)a)->name, ((const struct courier_file *)b)->name);
}

enum err courier_list(struct courier_files *out, const char *home)
{
    char path[PATH_MAX];
    struct courier_files f = {.files = calloc(COURIER_FILES_MAX, sizeof *f.files)};
    enum err err = f.files ? path_of(path, home, "", "") : ERR_NOMEM;
    DIR *dir = err ? NULL : opendir(path);
    if (!err && !dir && errno != ENOENT) err = err_from_errno(errno);
    for (struct dirent *e; dir && f.count < COURIER_FILES_MAX && (e = readdir(dir));)
        if (look_at(&f.files[f.count], home, e->d_name)) f.bytes += f.files[f.count++].bytes;
    if (dir) closedir(dir);
    if (err) {
        courier_files_clear(&f);
        return err;
    }
    qsort(f.files, f.count, sizeof *f.files, by_name);
    *out = f;
    return OK;
}

void courier_files_clear(struct courier_files *f)
{
    free(f->files);
    *f = (struct courier_files){0};
}

/* --- copies --- */

static enum err write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_from_errno(errno);
        data += n;
        size -= (size_t)n;
    }
    return OK;
}

/* As much as there is, up to `size`. */
static enum err read_some(int fd, uint8_t *data, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = read(fd, data + *got, size - *got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_from_errno(errno);
        if (n == 0) break;
        *got += (size_t)n;
    }
    return OK;
}

enum err courier_copy(int to, int from, uint64_t bytes_max, uint64_t *bytes)
{
    uint8_t part[COPY_SIZE];
    enum err err = lseek(from, 0, SEEK_SET) < 0 ? err_from_errno(errno) : OK;
    uint64_t copied = 0;
    for (size_t got = 1; !err && got;) {
        err = read_some(from, part, sizeof part, &got);
        copied += got;
        if (!err && copied > bytes_max) err = ERR_LIMIT;
        if (!err) err = write_all(to, part, got);
    }
    if (!err) *bytes = copied;
    return err;
}

enum err courier_compare(int a, int b)
{
    uint8_t one[COPY_SIZE], other[COPY_SIZE];
    enum err err = lseek(a, 0, SEEK_SET) < 0 || lseek(b, 0, SEEK_SET) < 0 || fsync(b)
                       ? err_from_errno(errno)
                       : OK;
    (void)posix_fadvise(b, 0, 0, POSIX_FADV_DONTNEED);
    for (size_t got = 1, also; !err && got;) {
        err = read_some(a, one, sizeof one, &got);
        if (!err) err = read_some(b, other, sizeof other, &also);
        if (!err && (got != also || memcmp(one, other, got) != 0)) err = ERR_CORRUPT;
    }
    return err;
}

/* --- taking and dropping --- */

enum err courier_make_folder(const char *home, char path[PATH_MAX])
{
    enum err err = path_of(path, home, "", "");
    if (!err && mkdir(path, 0700) && errno != EEXIST) err = err_from_errno(errno);
    return err ? err : file_sync_folder(home);
}

/* Nobody else changes the folder while it is held, so the limit holds. */
static enum err lock_folder(int *lock, const char *home)
{
    char path[PATH_MAX];
    enum err err = courier_make_folder(home, path);
    if (err) return err;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
    if (fd < 0) return err_from_errno(errno);
    if (flock(fd, LOCK_EX)) {
        err = err_from_errno(errno);
        close(fd);
        return err;
    }
    *lock = fd;
    return OK;
}

static enum err room_left(const char *home, uint64_t bytes_max, uint64_t *left)
{
    struct courier_files f;
    enum err err = courier_list(&f, home);
    if (err) return err;
    *left = f.bytes < bytes_max ? bytes_max - f.bytes : 0;
    if (f.count >= COURIER_FILES_MAX) *left = 0;
    if (*left > BUNDLE_SIZE_MAX) *left = BUNDLE_SIZE_MAX;
    courier_files_clear(&f);
    return OK;
}

static enum err copy_into(struct courier_file *out, const char *home, int fd, uint64_t bytes_max)
{
    char beside[PATH_MAX], path[PATH_MAX];
    uint64_t left;
    enum err err = courier_path(beside, home, &out->id, ".tmp");
    if (!err) err = courier_path(path, home, &out->id, WHOLE);
    if (!err) err = room_left(home, bytes_max, &left);
    if (err) return err;
    int to = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0) return err_from_errno(errno);
    err = courier_copy(to, fd, left, &out->bytes);
    if (!err && fsync(to)) err = err_from_errno(errno);
    if (!err && lseek(to, 0, SEEK_SET) < 0) err = err_from_errno(errno);
    /* It may have been changed while it was read. */
    if (!err && check_file(to, &out->id) != OK) err = ERR_MALFORMED;
    if (close(to) && !err) err = err_from_errno(errno);
    if (!err) err = file_rename(beside, path);
    if (err) unlink(beside);
    return err;
}

enum err courier_keep(struct courier_file *out, const char *home, int fd, uint64_t bytes_max)
{
    uint8_t outside[BUNDLE_OUTSIDE_SIZE];
    struct courier_file f = {.damaged = false};
    char hex[HEX_SIZE + 1];
    struct stat st;
    int lock = -1, there = -1;
    enum err err = lseek(fd, 0, SEEK_SET) < 0 ? err_from_errno(errno) : OK;
    if (!err) err = bundle_outside_read(outside, fd);
    if (!err) err = lock_folder(&lock, home);
    if (err) return err;
    bundle_id_of(&f.id, outside);
    hex_encode(hex, f.id.bytes, ID_SIZE);
    snprintf(f.name, sizeof f.name, "%s" WHOLE, hex);
    if (courier_open(&there, home, &f.id) == OK) {
        f.bytes = fstat(there, &st) ? 0 : (uint64_t)st.st_size;
        close(there);
        err = ERR_EXISTS;
    } else {
        err = copy_into(&f, home, fd, bytes_max);
    }
    close(lock);
    if (!err || err == ERR_EXISTS) *out = f;
    return err;
}

enum err courier_drop(const char *home, const struct bundle_id *id)
{
    char path[PATH_MAX];
    enum err err = courier_path(path, home, id, WHOLE);
    return err ? err : file_remove(path);
}
