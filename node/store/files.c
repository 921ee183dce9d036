#include "node/store/files.h"

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

void files_remove(const char *dir, const char *name)
{
    char *path = files_join(dir, name);
    if (path) unlink(path);
    free(path);
}
