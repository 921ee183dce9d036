#pragma once
/*
 * Files that must be whole after a power cut: written beside, synced, renamed, folder synced (D1).
 * No link is followed, every descriptor is close-on-exec.
 */
#include "common/bytes.h"

/* Puts `content` in place of `path`, or makes it. Errors: ERR_NOSPACE, ERR_PERMISSION,
 * ERR_NOT_FOUND (no such folder), ERR_LIMIT (path too long), ERR_IO. */
MUST_CHECK enum err file_replace(const char *path, struct slice content, unsigned mode);
/* The same, and what stood in the old file is overwritten where it lay, as far as the disk writes
 * in place (an SSD may not). */
MUST_CHECK enum err file_replace_secret(const char *path, struct slice content, unsigned mode);
/* Zeros over all of an open file, synced; not where a name leads to it still, for a hard link is
 * somebody's copy. */
void file_overwrite(int fd);
/* Overwrites and removes what processes that were killed left beside `path`. */
void file_sweep(const char *path);
/* As file_replace, but never over an existing file. Errors: ERR_EXISTS. */
MUST_CHECK enum err file_create(const char *path, struct slice content, unsigned mode);
/* Appends a regular file of at most `size_max` bytes to `out`. Errors: ERR_NOT_FOUND, ERR_LIMIT,
 * ERR_PERMISSION, ERR_MALFORMED (not a regular file, or a link), ERR_IO. */
MUST_CHECK enum err file_read(struct buf *out, const char *path, size_t size_max);
/* Removes a file durably; one that is not there is no error. */
MUST_CHECK enum err file_remove(const char *path);
/* Takes the place of `to`, synced. Errors: ERR_NOT_FOUND, the system's. */
MUST_CHECK enum err file_rename(const char *from, const char *to);
/* What stands in a file is durable; the names that stand in a folder; those in the folder of
 * `path`. Errors: ERR_NOT_FOUND, the system's. */
MUST_CHECK enum err file_sync(const char *path);
MUST_CHECK enum err file_sync_folder(const char *folder);
MUST_CHECK enum err file_sync_parent(const char *path);
