#pragma once
/*
 * Files for sticks: FAT has no links, permissions or journal, and a stick may be pulled out at any
 * write. A file is written beside its place, synced, renamed, and its folder synced; what is read
 * is a regular file alone, and no link is followed.
 */
#include "tools/cli.h"

#include <limits.h>

struct stick_file {
    int fd;
    char path[PATH_MAX], beside[PATH_MAX];
};
bool stick_is_folder(const char *path);
/* Bytes that are free where this file or folder is. Errors: the system's. */
MUST_CHECK enum err stick_room(const char *path, uint64_t *room);
/* Begins `path`; of a folder, a file `name` in it. Errors: ERR_EXISTS, ERR_NOT_FOUND (no such
 * folder, or no path), ERR_NOSPACE (less than `room` bytes are free), ERR_LIMIT (name too long),
 * the system's. */
MUST_CHECK enum err stick_create(struct stick_file *f, const char *path, const char *name,
                                 uint64_t room);
/* It is whole: puts it in its place. Errors: the system's; what is there then is not to be relied
 * on. */
MUST_CHECK enum err stick_keep(struct stick_file *f);
void stick_abandon(struct stick_file *f); /* as if it had not begun */
/* Errors: ERR_NOT_FOUND, ERR_MALFORMED (a link, or no regular file), ERR_LIMIT (longer than
 * `size_max`), the system's. */
MUST_CHECK enum err stick_open(int *fd, const char *path, uint64_t size_max);
