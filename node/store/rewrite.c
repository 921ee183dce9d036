#include "node/store/rewrite.h"

#include "common/file.h"
#include "node/store/txn.h"

#include <unistd.h>

#define COMMIT_EVERY_BYTES MIB(64) /* what LMDB holds in memory until a commit */

struct rewriting {
    MDB_env *from, *to;
    MDB_txn *read, *write;
    MDB_dbi dbi; /* in `to` */
    MDB_cursor *out;
    size_t bytes; /* since the last commit */
};

static int begin_write(struct rewriting *r)
{
    r->bytes = 0;
    int rc = mdb_txn_begin(r->to, NULL, 0, &r->write);
    return rc ? rc : mdb_cursor_open(r->write, r->dbi, &r->out);
}

static int end_write(struct rewriting *r)
{
    if (r->out) mdb_cursor_close(r->out);
    r->out = NULL;
    int rc = mdb_txn_commit(r->write);
    r->write = NULL;
    return rc;
}

static int open_databases(struct rewriting *r, const char *name, MDB_dbi *from)
{
    int rc = mdb_dbi_open(r->read, name, 0, from);
    if (rc == 0) rc = mdb_txn_begin(r->to, NULL, 0, &r->write);
    if (rc == 0) rc = mdb_dbi_open(r->write, name, MDB_CREATE, &r->dbi);
    return rc ? rc : end_write(r);
}

/* In key order, so every page is filled and none is gone back to. */
static int copy_database(struct rewriting *r, const char *name)
{
    MDB_dbi from;
    MDB_cursor *in;
    MDB_val k, v;
    int rc = open_databases(r, name, &from);
    if (rc == 0) rc = mdb_cursor_open(r->read, from, &in);
    if (rc) return rc;
    rc = begin_write(r);
    int got = rc ? rc : mdb_cursor_get(in, &k, &v, MDB_FIRST);
    for (; rc == 0 && got == 0; got = mdb_cursor_get(in, &k, &v, MDB_NEXT)) {
        rc = mdb_cursor_put(r->out, &k, &v, MDB_APPEND);
        r->bytes += k.mv_size + v.mv_size;
        if (rc == 0 && r->bytes >= COMMIT_EVERY_BYTES) {
            rc = end_write(r);
            if (rc == 0) rc = begin_write(r);
        }
    }
    mdb_cursor_close(in);
    if (rc == 0 && got != MDB_NOTFOUND) rc = got;
    return rc ? rc : end_write(r);
}

static int copy_all(struct rewriting *r)
{
    int rc = mdb_txn_begin(r->from, NULL, MDB_RDONLY, &r->read);
    for (size_t i = 0; rc == 0 && i < DB_COUNT; i++) rc = copy_database(r, layout_db_names[i]);
    if (r->out) mdb_cursor_close(r->out);
    if (r->write) mdb_txn_abort(r->write);
    if (r->read) mdb_txn_abort(r->read);
    return rc ? rc : mdb_env_sync(r->to, 1);
}

enum err rewrite_into(const struct store *s, const char *path)
{
    struct rewriting r = {.from = NULL};
    size_t map_size = s->options.map_size;
    unlink(path); /* of a run that was killed */
    enum err err = env_make(&r.from, s->path, map_size, MDB_NOLOCK | MDB_RDONLY);
    /* Nothing of it counts before it is synced as a whole and renamed. */
    if (!err) err = env_make(&r.to, path, map_size, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC);
    if (!err) err = env_err(copy_all(&r));
    if (r.to) mdb_env_close(r.to);
    if (r.from) mdb_env_close(r.from);
    return err ? err : file_sync(path);
}
