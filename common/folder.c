#include "common/folder.h"

#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool folder_taken(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno != ENOENT;
    }
    bool taken = false;
    for (struct dirent *d; !taken && (d = readdir(dir)) != NULL;) {
        taken = strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
    }
    closedir(dir);
    return taken;
}

/* A folder is there after a power cut only when its name is durable. */
static enum err make_one(const char *path)
{
    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST ? OK : err_from_errno(errno);
    }
    return file_sync_parent(path);
}

static enum err make_parents(const char *place)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s", place);
    if (size < 0 || (size_t)size >= sizeof path) {
        return ERR_LIMIT;
    }
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        enum err e = make_one(path);
        if (e != OK) {
            return e;
        }
        *slash = '/';
    }
    return OK;
}

enum err folder_make(const char *path)
{
    enum err e = make_parents(path);
    if (e != OK) {
        return e;
    }
    return make_one(path);
}

#define NEW ".new-XXXXXX"
/* A person's own folder, whatever he called it, has no such file. */
#define MARK ".sidan-unfinished"

static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
    int size = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return size >= 0 && size < PATH_MAX;
}

/* Without slashes behind it. */
static int place_size(const char *place)
{
    size_t size = strlen(place);
    while (size > 1 && place[size - 1] == '/') {
        size--;
    }
    return size < PATH_MAX ? (int)size : PATH_MAX;
}

/* -1: there is none, or somebody is at work there. */
static int lock_mark(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* It has its name once it is locked, so nobody finds it before. */
static enum err mark(struct folder *f)
{
    char unnamed[PATH_MAX], path[PATH_MAX];
    if (!join(unnamed, f->path, MARK "-") || !join(path, f->path, MARK)) {
        return ERR_LIMIT;
    }
    int fd = open(unnamed, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        f->lock = lock_mark(unnamed);
    }
    return f->lock >= 0 && rename(unnamed, path) == 0 ? OK : err_from_errno(errno);
}

enum err folder_begin(struct folder *f, const char *place)
{
    f->path[0] = '\0';
    f->lock = -1;
    enum err e = make_parents(place);
    if (e != OK) {
        return e;
    }
    folder_sweep(place);
    int size = place_size(place);
    if ((size_t)size + sizeof NEW > sizeof f->path) {
        return ERR_LIMIT;
    }
    snprintf(f->path, sizeof f->path, "%.*s" NEW, size, place);
    if (mkdtemp(f->path) == NULL) {
        f->path[0] = '\0';
        return err_from_errno(errno);
    }
    e = mark(f);
    if (e != OK) {
        folder_abandon(f);
    }
    return e;
}

static void unlock(struct folder *f)
{
    f->path[0] = '\0';
    if (f->lock >= 0) {
        close(f->lock);
    }
    f->lock = -1;
}

enum err folder_finish(struct folder *f, const char *place)
{
    char left[PATH_MAX];
    enum err e = file_sync_folder(f->path);
    if (e != OK) {
        return e;
    }
    if (rename(f->path, place) != 0) {
        return errno == ENOTEMPTY || errno == EEXIST ? ERR_EXISTS : err_from_errno(errno);
    }
    e = file_sync_parent(f->path);
    unlock(f);
    if (join(left, place, MARK)) {
        unlink(left); /* one that comes back is harmless where it is now */
    }
    return e;
}

/* --- taking away --- */

/* What is tried out holds keys, or residents' data as they are. */
static void destroy(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    unlink(path);
    if (fd >= 0) {
        file_overwrite(fd);
        close(fd);
    }
}

bool folder_remove(const char *path)
{
    char copy[PATH_MAX];
    struct stat st;
    snprintf(copy, sizeof copy, "%s", path);
    char *paths[] = {copy, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    for (FTSENT *e; tree != NULL && (e = fts_read(tree)) != NULL;) {
        if (e->fts_info == FTS_DP) {
            rmdir(e->fts_accpath);
        } else if (e->fts_info != FTS_D) {
            destroy(e->fts_accpath);
        }
    }
    if (tree != NULL) {
        fts_close(tree);
    }
    return lstat(path, &st) != 0;
}

void folder_abandon(struct folder *f)
{
    if (f->path[0] == '\0') {
        return;
    }
    folder_remove(f->path);
    unlock(f);
}

/* Of `name` in `parent`, whose place is called `base`: one that nobody fills any more. */
static int lock_left(const char *parent, const char *base, const char *name, char path[PATH_MAX])
{
    char file[PATH_MAX];
    size_t size = strlen(base);
    if (strncmp(name, base, size) != 0 || strlen(name + size) != sizeof NEW - 1 ||
        strncmp(name + size, NEW, strlen(NEW) - strlen("XXXXXX")) != 0) {
        return -1;
    }
    return join(path, parent, name) && join(file, path, MARK) ? lock_mark(file) : -1;
}

/* Goes through what is left beside `place`; `take` false: to the first. How many. */
static unsigned look(const char *place, bool take, char path[PATH_MAX])
{
    char parent[PATH_MAX], base[PATH_MAX];
    unsigned count = 0;
    snprintf(parent, sizeof parent, "%s", place);
    snprintf(base, sizeof base, "%.*s", place_size(place), place);
    const char *name = strrchr(base, '/');
    name = name != NULL ? name + 1 : base;
    DIR *dir = opendir(dirname(parent));
    for (struct dirent *d; dir != NULL && (take || count == 0) && (d = readdir(dir)) != NULL;) {
        int lock = lock_left(parent, name, d->d_name, path);
        if (lock < 0) {
            continue;
        }
        count += take ? folder_remove(path) : 1;
        close(lock);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

bool folder_left(const char *place, char path[PATH_MAX])
{
    return look(place, false, path) > 0;
}

unsigned folder_sweep(const char *place)
{
    char path[PATH_MAX];
    return look(place, true, path);
}
