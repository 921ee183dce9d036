#pragma once
/* Small steps on files and folders that creation, copies and compaction are made of. */
#include "common/err.h"

/* `dir`/`name`, owned by the caller; NULL without memory. */
char *files_join(const char *dir, const char *name);
/* fsync. Errors: as errno says. */
MUST_CHECK enum err files_sync(const char *dir, const char *name);
MUST_CHECK enum err files_sync_dir(const char *dir);
MUST_CHECK enum err files_sync_parent(const char *path);
void files_remove(const char *dir, const char *name); /* absent is fine */
