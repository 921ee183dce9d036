#pragma once
/*
 * The folder of a courier, <home>/courier: sealed bundles for others, each a file named by its id,
 * within a limit of the configuration. They are of no use to who carries them: he has no key.
 *
 *   ID.sidan   a bundle, whole
 *   ID.tmp     one that is being taken; without meaning after a crash
 *   ID.part    one that comes by a link, so far (courier_parts.h)
 */
#include "proto/bundle.h"

#include <limits.h>

#define COURIER_FILES_MAX 1024u
#define COURIER_NAME_SIZE 48

struct courier_file {
    char name[COURIER_NAME_SIZE]; /* in the folder */
    struct bundle_id id;
    uint64_t bytes;
    bool damaged; /* no bundle, or not the one that its name says */
};
struct courier_files {
    struct courier_file *files; /* owned; by name */
    size_t count;
    uint64_t bytes;
};
/* What lies there; nothing where there is no folder. Of more than COURIER_FILES_MAX the first that
 * the system names. Errors: ERR_NOMEM, the system's. */
MUST_CHECK enum err courier_list(struct courier_files *out, const char *home);
void courier_files_clear(struct courier_files *f);

/* Copies the bundle at `fd`, a file, into the folder, durably; `out` is filled also for ERR_EXISTS.
 * Errors: ERR_EXISTS (it lies there already), ERR_LIMIT (the folder would hold more than
 * `bytes_max`, or it is longer than a bundle can be), ERR_MALFORMED (no bundle, or its beginning is
 * damaged), ERR_VERSION, ERR_NOSPACE, the system's. */
MUST_CHECK enum err courier_keep(struct courier_file *out, const char *home, int fd,
                                 uint64_t bytes_max);
/* Opens one for reading. Errors: ERR_NOT_FOUND, ERR_CORRUPT (damaged), the system's. */
MUST_CHECK enum err courier_open(int *fd, const char *home, const struct bundle_id *id);
/* Removes it durably; one that is not there is no error. */
MUST_CHECK enum err courier_drop(const char *home, const struct bundle_id *id);

/* Where a bundle's file lies, with another ending than its own: ".part". Errors: ERR_LIMIT (too
 * long). */
MUST_CHECK enum err courier_path(char out[PATH_MAX], const char *home, const struct bundle_id *id,
                                 const char *ending);
/* Makes the folder where it is not there, and gives its path. Errors: the system's, ERR_LIMIT. */
MUST_CHECK enum err courier_make_folder(const char *home, char path[PATH_MAX]);

/* Copies all of `from`, from its beginning, to `to`. Errors: ERR_LIMIT (over `bytes_max`), the
 * system's. */
MUST_CHECK enum err courier_copy(int to, int from, uint64_t bytes_max, uint64_t *bytes);
/* Do both files hold the same bytes? From their beginning, `b` from the medium. Errors: ERR_CORRUPT
 * (no), the system's. */
MUST_CHECK enum err courier_compare(int a, int b);
