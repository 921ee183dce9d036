#include "tools/folder.h"

#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static enum err make_parents(const char *place)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s", place);
    if (size < 0 || (size_t)size >= sizeof path) {
        return ERR_LIMIT;
    }
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            return err_from_errno(errno);
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
    return mkdir(path, 0700) == 0 || errno == EEXIST ? OK : err_from_errno(errno);
}

enum err folder_begin(struct folder *f, const char *place)
{
    f->path[0] = '\0';
    size_t size = strlen(place);
    while (size > 1 && place[size - 1] == '/') {
        size--;
    }
    enum err e = make_parents(place);
    if (e != OK) {
        return e;
    }
    if (size + sizeof ".new-XXXXXX" > sizeof f->path) {
        return ERR_LIMIT;
    }
    snprintf(f->path, sizeof f->path, "%.*s.new-XXXXXX", (int)size, place);
    if (mkdtemp(f->path) == NULL) {
        f->path[0] = '\0';
        return err_from_errno(errno);
    }
    return OK;
}

enum err folder_finish(struct folder *f, const char *place)
{
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", f->path);
    enum err e = file_sync_folder(f->path);
    if (e != OK) {
        return e;
    }
    if (rename(f->path, place) != 0) {
        return errno == ENOTEMPTY || errno == EEXIST ? ERR_EXISTS : err_from_errno(errno);
    }
    f->path[0] = '\0';
    return file_sync_folder(dirname(parent));
}

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

void folder_abandon(struct folder *f)
{
    if (f->path[0] == '\0') {
        return;
    }
    char *paths[] = {f->path, NULL};
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
    f->path[0] = '\0';
}
