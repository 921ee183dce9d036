#include "node/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *files_join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path) snprintf(path, size, "%s/%s", dir, name);
    return path;
}

static enum err sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return err_from_errno(errno);
    enum err err = fsync(fd) ? err_from_errno(errno) : OK;
    if (close(fd) && !err) err = err_from_errno(errno);
    return err;
}

enum err files_sync(const char *dir, const char *name)
{
    char *path = files_join(dir, name);
    enum err err = path ? sync_path(path, O_RDONLY) : ERR_NOMEM;
    free(path);
    return err;
}

enum err files_sync_dir(const char *dir)
{
    return sync_path(dir, O_RDONLY | O_DIRECTORY);
}

enum err files_sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return files_sync_dir(".");
    if (slash == path) return files_sync_dir("/");
    char *dir = strndup(path, (size_t)(slash - path));
    enum err err = dir ? files_sync_dir(dir) : ERR_NOMEM;
    free(dir);
    return err;
}

void files_remove(const char *dir, const char *name)
{
    char *path = files_join(dir, name);
    if (path) unlink(path);
    free(path);
}
