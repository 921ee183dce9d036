#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_from_errno(errno);
    enum err err = fsync(fd) ? err_from_errno(errno) : OK;
    close(fd);
    return err;
}

enum err file_sync(const char *path)
{
    return sync_path(path, 0);
}

enum err file_sync_folder(const char *folder)
{
    return sync_path(folder, O_DIRECTORY);
}

enum err file_sync_parent(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int size = slash ? (int)(slash - path) : 1;
    if (slash == path) size = 1;
    if (size >= (int)sizeof folder) return ERR_LIMIT;
    snprintf(folder, sizeof folder, "%.*s", size, slash ? path : ".");
    return file_sync_folder(folder);
}

static enum err write_all(int fd, struct slice content)
{
    while (content.size) {
        ssize_t written = write(fd, content.data, content.size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return err_from_errno(errno);
        content.data += written;
        content.size -= (size_t)written;
    }
    return OK;
}

/* A temporary file beside `path`, whole and synced. What a crash left behind has our own name only
 * when the process id came round again, so it may be removed. */
static enum err write_beside(char *temporary, size_t size, const char *path, struct slice content,
                             unsigned mode)
{
    int length = snprintf(temporary, size, "%s.%ld.new", path, (long)getpid());
    if (length < 0 || (size_t)length >= size) return ERR_LIMIT;
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(temporary, flags, mode);
    if (fd < 0 && errno == EEXIST && !unlink(temporary)) fd = open(temporary, flags, mode);
    if (fd < 0) return err_from_errno(errno);
    enum err err = write_all(fd, content);
    if (!err && fsync(fd)) err = err_from_errno(errno);
    if (close(fd) && !err) err = err_from_errno(errno);
    if (err) unlink(temporary);
    return err;
}

enum err file_replace(const char *path, struct slice content, unsigned mode)
{
    char temporary[PATH_MAX];
    enum err err = write_beside(temporary, sizeof temporary, path, content, mode);
    if (err) return err;
    if (rename(temporary, path)) {
        err = err_from_errno(errno);
        unlink(temporary);
        return err;
    }
    return file_sync_parent(path);
}

/* --- secrets --- */

void file_overwrite(int fd)
{
    static const uint8_t zeros[65536];
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink > 0 || lseek(fd, 0, SEEK_SET)) return;
    for (off_t left = st.st_size; left > 0;) {
        size_t size = left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros;
        if (write_all(fd, slice_of(zeros, size))) return;
        left -= (off_t)size;
    }
    if (fsync(fd)) return; /* nothing more can be done */
}

enum err file_replace_secret(const char *path, struct slice content, unsigned mode)
{
    int old = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    enum err err = file_replace(path, content, mode);
    if (!err && old >= 0) file_overwrite(old);
    if (old >= 0) close(old);
    return err;
}

/* "NAME.PID.new" of a process that is no more. */
static bool left_behind(const char *entry, const char *name)
{
    size_t size = strlen(name);
    char *end;
    if (strncmp(entry, name, size) != 0 || entry[size] != '.') return false;
    long pid = strtol(entry + size + 1, &end, 10);
    if (pid <= 0 || strcmp(end, ".new") != 0) return false;
    return pid != (long)getpid() && kill((pid_t)pid, 0) && errno == ESRCH;
}

void file_sweep(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    if (!slash || (size_t)(slash - path) >= sizeof folder) return;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!left_behind(entry->d_name, slash + 1)) continue;
        int fd = openat(dirfd(dir), entry->d_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        unlinkat(dirfd(dir), entry->d_name, 0);
        if (fd >= 0) file_overwrite(fd);
        if (fd >= 0) close(fd);
    }
    if (dir) closedir(dir);
}

/* --- the rest --- */

enum err file_create(const char *path, struct slice content, unsigned mode)
{
    char temporary[PATH_MAX];
    enum err err = write_beside(temporary, sizeof temporary, path, content, mode);
    if (err) return err;
    /* link(2), unlike rename(2), refuses an existing name */
    if (link(temporary, path)) err = err_from_errno(errno);
    unlink(temporary);
    return err ? err : file_sync_parent(path);
}

static enum err read_all(struct buf *out, int fd, size_t size_max)
{
    /* one byte more is asked for, so a file that grows past its stat is noticed */
    for (size_t left = size_max + 1; left;) {
        size_t want = left < 4096 ? left : 4096;
        uint8_t *to = buf_reserve(out, want);
        if (!to) return out->err;
        ssize_t got = read(fd, to, want);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_from_errno(errno);
        if (got == 0) return OK;
        buf_advance(out, (size_t)got);
        left -= (size_t)got;
    }
    return ERR_LIMIT;
}

enum err file_read(struct buf *out, const char *path, size_t size_max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return errno == ELOOP ? ERR_MALFORMED : err_from_errno(errno);
    struct stat st;
    enum err err = OK;
    if (fstat(fd, &st))
        err = err_from_errno(errno);
    else if (!S_ISREG(st.st_mode))
        err = ERR_MALFORMED;
    else if ((uint64_t)st.st_size > size_max)
        err = ERR_LIMIT;
    else
        err = read_all(out, fd, size_max);
    close(fd);
    return err;
}

enum err file_remove(const char *path)
{
    if (unlink(path)) return errno == ENOENT ? OK : err_from_errno(errno);
    return file_sync_parent(path);
}

enum err file_rename(const char *from, const char *to)
{
    if (rename(from, to)) return err_from_errno(errno);
    return file_sync_parent(to);
}
