#pragma once
/*
 * A folder that appears whole or not at all: filled under a temporary name beside its place, then
 * renamed. Where the process is killed the temporary one stays, with keys in it: it holds a mark of
 * ours, locked while somebody fills it, so whoever comes next knows it and takes it away.
 */
#include "common/err.h"

#include <limits.h>
#include <stdbool.h>

struct folder {
    char path[PATH_MAX]; /* the temporary one; "" when there is none */
    int lock;            /* on its mark */
};
/* Is there anything at `path`? A missing or an empty folder is not. */
bool folder_taken(const char *path);
/* Makes the folder (0700) and its missing parents; one that is there is no error. Errors:
 * ERR_PERMISSION, ERR_NOSPACE, ERR_LIMIT (path too long), ERR_IO. */
MUST_CHECK enum err folder_make(const char *path);
/* Makes missing parents of `place` and a temporary folder (0700) beside it, once folder_sweep took
 * away earlier ones. Errors: ERR_PERMISSION, ERR_NOSPACE, ERR_LIMIT (path too long), ERR_IO. */
MUST_CHECK enum err folder_begin(struct folder *f, const char *place);
/* Renames it to `place`, durably. Errors: ERR_EXISTS (it is taken now), ERR_IO. */
MUST_CHECK enum err folder_finish(struct folder *f, const char *place);
/* Removes the temporary folder and overwrites what is in it; nothing after folder_finish. */
void folder_abandon(struct folder *f);

/* Those that processes that were killed left beside `place`: the first one; false: none. */
bool folder_left(const char *place, char path[PATH_MAX]);
/* Removes them all, what is in them overwritten. How many went. */
unsigned folder_sweep(const char *place);
/* Removes a folder, what is in it overwritten. False: something of it is left. */
bool folder_remove(const char *path);
