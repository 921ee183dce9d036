/* Creation, copies and compaction: what makes data files. */
#include "common/file.h"
#include "node/store/files.h"
#include "node/store/rewrite.h"
#include "node/store/txn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* --- creation (L5): a temporary directory, one commit, syncs, a rename --- */

static enum err commit_first_record(MDB_env *env, const struct store_identity *identity)
{
    MDB_txn *mdb;
    MDB_dbi dbi, meta = 0;
    int rc = mdb_txn_begin(env, NULL, 0, &mdb);
    if (rc) return env_err(rc);
    for (size_t i = 0; i < DB_COUNT && rc == 0; i++) {
        rc = mdb_dbi_open(mdb, layout_db_names[i], MDB_CREATE, &dbi);
        if (i == DB_META) meta = dbi;
    }
    uint8_t bytes[IDENTITY_SIZE];
    identity_write(bytes, identity);
    MDB_val k = {strlen(META_IDENTITY), (void *)(uintptr_t)META_IDENTITY};
    MDB_val v = {sizeof bytes, bytes};
    if (rc == 0) rc = mdb_put(mdb, meta, &k, &v, 0);
    if (rc) {
        mdb_txn_abort(mdb);
        return env_err(rc);
    }
    return env_err(mdb_txn_commit(mdb));
}

static enum err create_in(const char *dir, const struct store_identity *identity)
{
    MDB_env *env;
    enum err err = env_make(&env, dir, 0, 0);
    if (err) return err;
    err = commit_first_record(env, identity);
    mdb_env_close(env);
    if (err) return err;
    env_make_reserve(dir);
    char *data = files_join(dir, "data.mdb");
    err = data ? file_sync(data) : ERR_NOMEM;
    free(data);
    return err ? err : file_sync_folder(dir);
}

static void remove_store(const char *dir)
{
    files_remove(dir, "data.mdb");
    files_remove(dir, "lock.mdb");
    files_remove(dir, "reserve");
    rmdir(dir);
}

static enum err create_and_rename(const char *home, const char *fresh, const char *final,
                                  const struct store_identity *identity)
{
    struct stat st;
    if (lstat(final, &st) == 0) return ERR_EXISTS;
    remove_store(fresh); /* what a killed creation left */
    if (mkdir(fresh, 0700)) return err_from_errno(errno);
    enum err err = create_in(fresh, identity);
    if (!err && rename(fresh, final)) err = err_from_errno(errno);
    if (err) {
        remove_store(fresh);
        return err;
    }
    return file_sync_folder(home);
}

enum err store_create(const char *home, const struct store_identity *identity)
{
    char *fresh = files_join(home, "store.new"), *final = files_join(home, "store");
    int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err err = OK;
    if (!fresh || !final)
        err = ERR_NOMEM;
    else if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)) /* one creator at a time */
        err = err_from_errno(errno);
    else
        err = create_and_rename(home, fresh, final, identity);
    if (fd >= 0) close(fd);
    free(fresh);
    free(final);
    return err;
}

/* --- copies and compaction (L16) --- */

static enum err copy_to(MDB_env *env, const char *path, bool compact)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return err_from_errno(errno);
    enum err err = env_err(mdb_env_copyfd2(env, fd, compact ? MDB_CP_COMPACT : 0));
    if (!err && fsync(fd)) err = err_from_errno(errno);
    if (close(fd) && !err) err = err_from_errno(errno);
    if (err) unlink(path);
    return err;
}

enum err store_copy(const struct store *s, const char *path, bool compact)
{
    if (!s->env) return ERR_AMBIGUOUS_COMMIT;
    enum err err = copy_to(s->env, path, compact);
    return err ? err : file_sync_parent(path);
}

enum err store_copy_to(const struct store *s, int fd, bool compact)
{
    if (!s->env) return ERR_AMBIGUOUS_COMMIT;
    return env_err(mdb_env_copyfd2(s->env, fd, compact ? MDB_CP_COMPACT : 0));
}

/* Takes LMDB's own lock on lock.mdb exclusively: nobody else has the store open while it is held,
 * and who opens it meanwhile waits there before it touches the data file. */
static enum err lock_alone(const struct store *s, int *out)
{
    char *path = files_join(s->path, "lock.mdb");
    if (!path) return ERR_NOMEM;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    enum err err = fd < 0 ? err_from_errno(errno) : OK;
    free(path);
    if (err) return err;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    if (fcntl(fd, F_SETLK, &lock)) {
        err = err_from_errno(errno);
        close(fd);
        return err == ERR_PERMISSION ? ERR_BUSY : err; /* EACCES is one of its two answers */
    }
    *out = fd;
    return OK;
}

/* A copy needs as much room as the file has now, at most, and a person may still record after it.
 */
static enum err room_for_copy(const struct store *s, const char *data)
{
    struct statvfs fs;
    struct stat st;
    uint64_t min = s->options.disk_free_min ? s->options.disk_free_min : STORE_DISK_FREE_MIN;
    if (statvfs(s->path, &fs) || stat(data, &st)) return err_from_errno(errno);
    return (uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)st.st_size + min ? ERR_NOSPACE : OK;
}

/* What was erased, or is locked now, stood in the old file: it is overwritten where it lies. */
static enum err compact_files(const struct store *s, const char *fresh, const char *data)
{
    int old = -1;
    enum err err = room_for_copy(s, data);
    if (!err) err = rewrite_into(s, fresh);
    if (!err) old = open(data, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (!err && rename(fresh, data)) err = err_from_errno(errno);
    if (err) unlink(fresh);
    if (!err) err = file_sync_folder(s->path);
    if (!err && old >= 0) file_overwrite(old);
    if (old >= 0) close(old);
    return err;
}

enum err store_compact(struct store *s)
{
    if (s->open_txns > 0) return ERR_BUSY;
    char *fresh = files_join(s->path, "data.new"), *data = files_join(s->path, "data.mdb");
    int lock_fd = -1;
    enum err err = fresh && data ? OK : ERR_NOMEM;
    if (err) goto out;
    env_shut(s);
    err = lock_alone(s, &lock_fd);
    if (!err) err = compact_files(s, fresh, data);
    /* Opened under the lock, so LMDB makes its lock file anew for the new data. The lock's
     * descriptor must outlive the environment: closing it would drop LMDB's lock on the same file
     * (L8). */
    enum err reopened = env_open(s);
    s->lock_fd = lock_fd;
    if (!err) err = reopened;
out:
    free(fresh);
    free(data);
    return err;
}
