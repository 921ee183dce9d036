#pragma once
/* Names of files that creation, copies and compaction are made of. */

/* `dir`/`name`, owned by the caller; NULL without memory. */
char *files_join(const char *dir, const char *name);
void files_remove(const char *dir, const char *name); /* absent is fine */
