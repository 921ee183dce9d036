#include "tools/stick.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool stick_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The folder of a path, in `out`. */
static void folder_of(char out[PATH_MAX], const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(out, PATH_MAX, ".");
    else
        snprintf(out, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

enum err stick_room(const char *path, uint64_t *room)
{
    char folder[PATH_MAX];
    struct statvfs v;
    folder_of(folder, path);
    if (statvfs(stick_is_folder(path) ? path : folder, &v)) return err_from_errno(errno);
    *room = (uint64_t)v.f_bavail * v.f_frsize;
    return OK;
}

enum err stick_create(struct stick_file *f, const char *path, const char *name, uint64_t room)
{
    f->fd = -1;
    if (!path[0]) return ERR_NOT_FOUND; /* else a file beside it would be made here */
    bool folder = stick_is_folder(path);
    int length = folder ? snprintf(f->path, sizeof f->path, "%s/%s", path, name)
                        : snprintf(f->path, sizeof f->path, "%s", path);
    if (length < 0 || (size_t)length >= sizeof f->path) return ERR_LIMIT;
    length = snprintf(f->beside, sizeof f->beside, "%s.new", f->path);
    if (length < 0 || (size_t)length >= sizeof f->beside) return ERR_LIMIT;
    struct stat st;
    if (lstat(f->path, &st) == 0) return ERR_EXISTS;
    uint64_t free_room;
    enum err err = stick_room(f->path, &free_room);
    if (!err && free_room < room) err = ERR_NOSPACE;
    if (err) return err;
    /* What a pulled stick left of an earlier one has this name; nobody else's has. */
    const int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
    f->fd = open(f->beside, flags, 0600);
    return f->fd < 0 ? err_from_errno(errno) : OK;
}

void stick_abandon(struct stick_file *f)
{
    if (f->fd >= 0) close(f->fd);
    if (f->fd >= 0) unlink(f->beside);
    f->fd = -1;
}

enum err stick_keep(struct stick_file *f)
{
    enum err err = fsync(f->fd) ? err_from_errno(errno) : OK;
    if (!err) err = file_rename(f->beside, f->path);
    if (err)
        stick_abandon(f);
    else if (close(f->fd))
        err = err_from_errno(errno);
    f->fd = -1;
    return err;
}

enum err stick_open(int *fd, const char *path, uint64_t size_max)
{
    struct stat st;
    /* Without waiting: a pipe that nobody writes to would hold it up. */
    int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (opened < 0) return errno == ELOOP ? ERR_MALFORMED : err_from_errno(errno);
    enum err err = fstat(opened, &st) ? err_from_errno(errno) : OK;
    if (!err && !S_ISREG(st.st_mode)) err = ERR_MALFORMED;
    if (!err && (uint64_t)st.st_size > size_max) err = ERR_LIMIT;
    if (err)
        close(opened);
    else
        *fd = opened;
    return err;
}
