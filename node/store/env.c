/* The environment: opening with its checks, the reserve, space. */
#define _GNU_SOURCE /* fallocate */
#include "node/store/files.h"
#include "node/store/locking.h"
#include "node/store/txn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { OPEN_TRIES = 50, OPEN_WAIT_NS = 10 * 1000 * 1000, META_PAGES_SIZE = 8192 };

static struct store *open_stores;

enum err env_err(int rc)
{
    switch (rc) {
    case 0:
        return OK;
    case MDB_MAP_FULL:
        return ERR_MAP_FULL;
    case MDB_NOTFOUND:
        return ERR_NOT_FOUND;
    case MDB_TXN_FULL:
    case MDB_CURSOR_FULL:
        return ERR_LIMIT;
    case MDB_READERS_FULL:
    case MDB_MAP_RESIZED:
        return ERR_BUSY;
    case MDB_PANIC:
        return ERR_AMBIGUOUS_COMMIT;
    case MDB_VERSION_MISMATCH:
        return ERR_VERSION;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PAGE_FULL:
    case MDB_KEYEXIST: /* an append that does not append: the index is not what it should be */
    case MDB_INCOMPATIBLE:
        return ERR_CORRUPT;
    case MDB_BAD_VALSIZE:
        return ERR_RANGE;
    default:
        return rc > 0 ? err_from_errno(rc) : ERR_STATE;
    }
}

/* --- the reserve: given back when the disk is full, so that a person can still record (L3) --- */

void env_make_reserve(const char *dir)
{
    char *path = files_join(dir, "reserve");
    if (!path) return;
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        /* Without its blocks it would be of no use. */
        if (posix_fallocate(fd, 0, (off_t)STORE_RESERVE_SIZE)) unlink(path);
        close(fd);
    }
    free(path);
}

static bool reserve_exists(const char *dir)
{
    char *path = files_join(dir, "reserve");
    bool exists = path && access(path, F_OK) == 0;
    free(path);
    return exists;
}

enum err store_room(struct store *s, bool person)
{
    struct statvfs fs;
    if (statvfs(s->path, &fs)) return err_from_errno(errno);
    uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    uint64_t min = s->options.disk_free_min ? s->options.disk_free_min : STORE_DISK_FREE_MIN;
    if (free_bytes >= min) {
        if (!s->reserve && free_bytes - min > STORE_RESERVE_SIZE) {
            env_make_reserve(s->path);
            s->reserve = true;
        }
        return OK;
    }
    if (!person) return ERR_NOSPACE;
    if (free_bytes < STORE_RESERVE_SIZE || s->options.disk_free_min) {
        files_remove(s->path, "reserve");
        s->reserve = false;
    }
    return OK;
}

/* --- opening --- */

enum err env_make(MDB_env **out, const char *path, size_t map_size, unsigned flags)
{
    MDB_env *env = NULL;
    if (!map_size) map_size = sizeof(void *) < 8 ? STORE_MAP_SIZE_32BIT : STORE_MAP_SIZE;
    int rc = mdb_env_create(&env);
    if (rc) return env_err(rc);
    rc = mdb_env_set_maxdbs(env, DB_COUNT);
    if (rc == 0) rc = mdb_env_set_mapsize(env, map_size);
    if (rc == 0) rc = mdb_env_open(env, path, MDB_NOTLS | flags, 0600);
    int fd;
    if (rc == 0) rc = mdb_env_get_fd(env, &fd);
    if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) rc = errno; /* L9 */
    if (rc) {
        mdb_env_close(env);
        return env_err(rc);
    }
    *out = env;
    return OK;
}

/* LMDB divides by the size of a page that a meta page tells, looks behind it, and aborts at a root
 * that cannot be one: a bit of theirs ended the process. A meta page is a head of 16 bytes, magic,
 * version, address, map size, then two databases of 48 bytes, of which the first begins with the
 * size of a page and both end with the root. */
static bool meta_is_sane(int fd, off_t at, uint32_t *page_size)
{
    enum { DATABASES = 16 + 2 * 4 + 2 * sizeof(size_t), DATABASE = 8 + 5 * sizeof(size_t) };
    uint8_t meta[DATABASES + 2 * DATABASE];
    if (pread(fd, meta, sizeof meta, at) != (ssize_t)sizeof meta) return false;
    memcpy(page_size, meta + DATABASES, sizeof *page_size);
    for (size_t end = DATABASES + DATABASE; end <= sizeof meta; end += DATABASE) {
        size_t root;
        memcpy(&root, meta + end - sizeof root, sizeof root);
        if (root < 2) return false; /* a meta page; none at all is the greatest number */
    }
    return *page_size >= 512 && *page_size <= 65536 && (*page_size & (*page_size - 1)) == 0;
}

static enum err check_metas(const char *path)
{
    uint32_t first, second;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return err_from_errno(errno);
    bool sane =
        meta_is_sane(fd, 0, &first) && meta_is_sane(fd, (off_t)first, &second) && first == second;
    close(fd);
    return sane ? OK : ERR_CORRUPT;
}

/* An empty file would open as a new store, a truncated one would give SIGBUS (L5, L6). */
static enum err check_file(const char *dir)
{
    struct stat st;
    if (stat(dir, &st)) return err_from_errno(errno);
    if (!S_ISDIR(st.st_mode)) return ERR_CORRUPT;
    char *path = files_join(dir, "data.mdb");
    if (!path) return ERR_NOMEM;
    enum err err = OK;
    if (lstat(path, &st))
        err = errno == ENOENT ? ERR_CORRUPT : err_from_errno(errno);
    else if (!S_ISREG(st.st_mode) || st.st_size < META_PAGES_SIZE)
        err = ERR_CORRUPT;
    else if (access(path, R_OK | W_OK))
        err = err_from_errno(errno);
    if (!err) err = check_metas(path);
    free(path);
    return err;
}

static enum err file_sizes(MDB_env *env, uint64_t *needed, uint64_t *actual, int *fd)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat st;
    int rc = mdb_env_info(env, &info);
    if (rc == 0) rc = mdb_env_stat(env, &stat);
    if (rc == 0) rc = mdb_env_get_fd(env, fd);
    if (rc) return env_err(rc);
    if (fstat(*fd, &st)) return err_from_errno(errno);
    *needed = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    *actual = (uint64_t)st.st_size;
    return OK;
}

/* LMDB does not write the last pages of a commit when it took and freed them in it. The file is
 * made as long as it says, so that one which is shorter is known to be cut. */
void env_cover_file(const struct store *s)
{
    uint64_t needed, actual;
    int fd;
    if (file_sizes(s->env, &needed, &actual, &fd) || actual >= needed) return;
    /* fallocate never shrinks, whatever another process does meanwhile. */
    if (fallocate(fd, 0, (off_t)actual, (off_t)(needed - actual))) return;
}

/* Are all pages from `first` to `last` in the list of free ones? Reads LMDB's own database 0: key a
 * transaction id, value a count and that many page numbers, in the machine's size_t. */
static bool pages_are_free(MDB_env *env, size_t first, size_t last)
{
    MDB_txn *mdb;
    MDB_cursor *cursor;
    MDB_val k, v;
    size_t found = 0;
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &mdb)) return false;
    if (mdb_cursor_open(mdb, 0, &cursor)) {
        mdb_txn_abort(mdb);
        return false;
    }
    while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
        size_t count = 0, room = v.mv_size / sizeof(size_t);
        if (room) memcpy(&count, v.mv_data, sizeof count);
        for (size_t i = 1; i <= count && i < room; i++) {
            size_t page;
            memcpy(&page, (const uint8_t *)v.mv_data + i * sizeof page, sizeof page);
            if (page >= first && page <= last) found++;
        }
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(mdb);
    return found == last - first + 1;
}

/* A file shorter than LMDB says was cut, and is refused unchanged; or a process ended between its
 * commit and env_cover_file, and what is missing is free: then it is made whole. It is lengthened
 * before it is looked into, for a page that is not there is a SIGBUS. */
static enum err check_length(MDB_env *env)
{
    uint64_t needed, actual;
    int fd;
    MDB_txn *mdb;
    enum err err = file_sizes(env, &needed, &actual, &fd);
    if (err || actual >= needed) return err;
    if (mdb_txn_begin(env, NULL, 0, &mdb)) return ERR_CORRUPT; /* keeps other writers out */
    err = file_sizes(env, &needed, &actual, &fd);
    if (!err && actual < needed) {
        MDB_stat stat;
        bool whole = mdb_env_stat(env, &stat) == 0 && ftruncate(fd, (off_t)needed) == 0 &&
                     pages_are_free(env, actual / stat.ms_psize, needed / stat.ms_psize - 1);
        if (!whole) err = ftruncate(fd, (off_t)actual) ? err_from_errno(errno) : ERR_CORRUPT;
    }
    mdb_txn_abort(mdb);
    return err;
}

static enum err read_identity(struct store_identity *out, MDB_txn *mdb, MDB_dbi meta)
{
    MDB_val k = {strlen(META_IDENTITY), (void *)(uintptr_t)META_IDENTITY}, v;
    int rc = mdb_get(mdb, meta, &k, &v);
    if (rc) return rc == MDB_NOTFOUND ? ERR_FOREIGN : env_err(rc);
    return identity_read(out, slice_of(v.mv_data, v.mv_size));
}

/* Opens every handle once; identity first, so a newer store may have other databases. */
static enum err open_databases(struct store *s, MDB_env *env)
{
    MDB_txn *mdb;
    int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &mdb);
    if (rc) return env_err(rc);
    enum err err = OK;
    for (size_t i = 0; i < DB_COUNT && !err; i++) {
        rc = mdb_dbi_open(mdb, layout_db_names[i], 0, &s->dbi[i]);
        if (rc)
            err = rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE ? ERR_FOREIGN : env_err(rc);
        else if (i == DB_META)
            err = read_identity(&s->identity, mdb, s->dbi[i]);
    }
    if (err) {
        mdb_txn_abort(mdb);
        return err;
    }
    return env_err(mdb_txn_commit(mdb)); /* keeps the handles */
}

static enum err env_open_once(struct store *s)
{
    MDB_env *env = NULL;
    enum err err = check_file(s->path);
    if (err) return err;
    err = env_make(&env, s->path, s->options.map_size, 0);
    if (err) return err;
    err = check_length(env);
    if (!err) err = env_err(mdb_reader_check(env, NULL));
    if (!err) err = open_databases(s, env);
    if (err)
        mdb_env_close(env);
    else
        s->env = env;
    return err;
}

/* Another process that opens or closes at this moment may be in the way (L8b). */
enum err env_open(struct store *s)
{
    enum err err = env_open_once(s);
    for (int i = 0; i < OPEN_TRIES && err == ERR_BUSY; i++) {
        nanosleep(&(struct timespec){0, OPEN_WAIT_NS}, NULL);
        err = env_open_once(s);
    }
    return err;
}

void env_shut(struct store *s)
{
    if (s->env) mdb_env_close(s->env);
    s->env = NULL;
    if (s->lock_fd >= 0) close(s->lock_fd);
    s->lock_fd = -1;
}

enum err env_reopen(struct store *s)
{
    env_shut(s);
    enum err err = env_open(s);
    if (!err) s->broken = false;
    return err;
}

static bool is_open_here(const struct store *s)
{
    for (const struct store *o = open_stores; o; o = o->next_open)
        if (o->dev == s->dev && o->ino == s->ino) return true;
    return false;
}

static void store_free(struct store *s)
{
    crypto_wipe(&s->key, sizeof s->key);
    crypto_buf_wipe(&s->opened);
    free(s->home);
    free(s->path);
    free(s->hot);
    free(s);
}

enum err store_open(struct store **out, const char *home, const struct store_options *options)
{
    struct stat st;
    struct store *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->lock_fd = -1;
    if (options) s->options = *options;
    s->options.key = NULL; /* the caller's */
    store_use_key(s, options ? options->key : NULL);
    s->home = strdup(home);
    s->path = files_join(home, "store");
    enum err err = s->home && s->path ? OK : ERR_NOMEM;
    if (!err && stat(s->path, &st)) err = err_from_errno(errno);
    if (err) goto out;
    s->dev = st.st_dev;
    s->ino = st.st_ino;
    s->reserve = reserve_exists(s->path);
    err = is_open_here(s) ? ERR_BUSY : env_open(s);
out:
    if (err) {
        store_free(s);
        return err;
    }
    s->next_open = open_stores;
    open_stores = s;
    *out = s;
    return OK;
}

void store_close(struct store *s)
{
    if (!s) return;
    for (struct store **at = &open_stores; *at; at = &(*at)->next_open)
        if (*at == s) {
            *at = s->next_open;
            break;
        }
    env_shut(s);
    store_free(s);
}

/* --- what can be asked --- */

const struct store_identity *store_identity(const struct store *s)
{
    return &s->identity;
}

const char *store_home(const struct store *s)
{
    return s->home;
}

/* The newest commit that a reader sees who begins now. */
static bool readers_txn(MDB_env *env, uint64_t *id)
{
    MDB_txn *reader;
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &reader) != 0) return false;
    *id = mdb_txn_id(reader);
    mdb_txn_abort(reader);
    return true;
}

/* A commit's meta page is written a moment before new readers are told to use it. Who was woken by
 * that write and looked in between would see the old state under the new number, and never look
 * again. So the number is a reader's own, and that moment is waited for. On a busy machine the
 * writer may sleep there for long: it has the writers' lock until then, or died with it, which the
 * next to take it mends. */
uint64_t store_last_txn(const struct store *s)
{
    enum { TRIES = 100 };
    MDB_envinfo info;
    MDB_txn *writer;
    uint64_t id;
    if (!s->env || mdb_env_info(s->env, &info) != 0) return 0;
    for (int i = 0; i < TRIES; i++) {
        if (!readers_txn(s->env, &id)) return info.me_last_txnid;
        if (id >= info.me_last_txnid) return id;
        sched_yield();
    }
    if (mdb_txn_begin(s->env, NULL, 0, &writer) == 0) mdb_txn_abort(writer);
    return readers_txn(s->env, &id) ? id : info.me_last_txnid;
}

enum err store_space(const struct store *s, struct store_space *out)
{
    struct statvfs fs;
    MDB_envinfo info;
    uint64_t needed, actual;
    int fd;
    if (!s->env) return ERR_AMBIGUOUS_COMMIT;
    enum err err = file_sizes(s->env, &needed, &actual, &fd);
    if (!err) err = env_err(mdb_env_info(s->env, &info));
    if (err) return err;
    if (statvfs(s->path, &fs)) return err_from_errno(errno);
    out->used = needed > actual ? needed : actual;
    out->disk_free = (uint64_t)fs.f_bavail * fs.f_frsize;
    out->map_size = info.me_mapsize;
    return OK;
}
