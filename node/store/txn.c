#include "node/store/txn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* --- begin and end --- */

static enum err begin_mdb(struct store *s, bool write, MDB_txn **out)
{
    unsigned flags = write ? 0 : MDB_RDONLY;
    int rc = mdb_txn_begin(s->env, NULL, flags, out);
    if (rc == MDB_MAP_RESIZED && s->open_txns == 0) {
        rc = mdb_env_set_mapsize(s->env, 0);
        if (rc == 0) rc = mdb_txn_begin(s->env, NULL, flags, out);
    } else if (rc == MDB_READERS_FULL) {
        rc = mdb_reader_check(s->env, NULL); /* killed commands leave their slots */
        if (rc == 0) rc = mdb_txn_begin(s->env, NULL, flags, out);
    }
    if (rc == MDB_PANIC) s->broken = true;
    return env_err(rc);
}

static enum err begin_hot(struct store *s, struct hot **out)
{
    if (!s->hot) s->hot = calloc(1, sizeof *s->hot);
    if (!s->hot) return ERR_NOMEM;
    for (size_t i = 0; i < HOT_FEEDS; i++) s->hot->feeds[i].row.number = 0;
    for (size_t i = 0; i < HOT_SCOPES; i++) s->hot->scopes[i].row.number = 0;
    s->hot->last_feed = 0;
    s->hot->last_scope = 0;
    s->hot->counter = (struct hot_counter){.dirty = false};
    *out = s->hot;
    return OK;
}

enum err txn_begin(struct store *s, bool write, struct txn **out)
{
    if (write && s->options.read_only) return ERR_PERMISSION;
    assert(!write || s->open_txns == 0); /* LMDB: one thread, one transaction */
    if (s->broken || !s->env) {
        if (s->open_txns > 0) return ERR_AMBIGUOUS_COMMIT;
        enum err err = env_reopen(s);
        if (err) return err;
    }
    struct txn *t = calloc(1, sizeof *t);
    if (!t) return ERR_NOMEM;
    t->store = s;
    t->serial = ++s->txns_begun;
    enum err err = write ? begin_hot(s, &t->hot) : OK;
    if (!err) err = begin_mdb(s, write, &t->mdb);
    if (err) {
        free(t);
        return err;
    }
    s->open_txns++;
    if (write) err = locking_of_writer(t);
    if (err)
        txn_abort(t);
    else
        *out = t;
    return err;
}

/* Cursors of a read transaction are not closed by its end. */
static void close_cursors(struct txn *t)
{
    for (size_t i = 0; i < TXN_CURSORS; i++)
        if (t->cursors[i]) mdb_cursor_close(t->cursors[i]);
}

static void txn_free(struct txn *t)
{
    crypto_buf_wipe(&t->unfinished);
    free(t);
}

void txn_abort(struct txn *t)
{
    if (!t) return;
    close_cursors(t);
    mdb_txn_abort(t->mdb);
    t->store->open_txns--;
    txn_free(t);
}

/* Did the commit fail before anything of it could be seen (L3, L15)? Only then is it a plain error:
 * LMDB writes the pages first and the meta page last, and panics when that one failed. */
static bool commit_surely_failed(struct store *s, int rc, uint64_t id)
{
    if (rc != ENOSPC && rc != EDQUOT && rc != MDB_MAP_FULL && rc != MDB_TXN_FULL && rc != ENOMEM)
        return false;
    if (store_last_txn(s) >= id) return false;
    MDB_txn *probe;
    if (mdb_txn_begin(s->env, NULL, MDB_RDONLY, &probe) != 0) return false;
    mdb_txn_abort(probe);
    return true;
}

static enum err commit_write(struct store *s, MDB_txn *mdb)
{
    uint64_t id = mdb_txn_id(mdb);
    int rc = mdb_txn_commit(mdb);
    if (rc == 0) {
        env_cover_file(s);
        return OK;
    }
    if (commit_surely_failed(s, rc, id)) return env_err(rc);
    s->broken = true;
    return ERR_AMBIGUOUS_COMMIT;
}

enum err txn_commit(struct txn *t)
{
    if (t->hot) {
        feeds_flush(t);
        scopes_flush(t);
        meta_flush(t);
    }
    enum err err = t->err;
    if (err || !t->hot) {
        txn_abort(t);
        return err;
    }
    struct store *s = t->store;
    close_cursors(t);
    err = commit_write(s, t->mdb);
    if (!err && t->renewed) memcpy(s->identity.generation, t->generation, sizeof t->generation);
    s->open_txns--;
    txn_free(t);
    if (s->broken && s->open_txns == 0) {
        /* A store that does not open now is tried again by the next txn_begin. */
        enum err reopened = env_reopen(s);
        if (reopened) return err;
    }
    return err;
}

enum err txn_error(const struct txn *t)
{
    return t->err;
}

uint64_t txn_serial(const struct txn *t)
{
    return t->serial;
}

struct store *txn_store(const struct txn *t)
{
    return t->store;
}

void txn_fail(struct txn *t, enum err err)
{
    if (!t->err) t->err = err;
}

/* --- databases --- */

static MDB_val val_of(struct slice s)
{
    return (MDB_val){s.size, (void *)(uintptr_t)s.data};
}

static struct slice slice_of_val(MDB_val v)
{
    return slice_of(v.mv_data, v.mv_size);
}

/* Rows of different tables are written in turn; a cursor for each keeps their places. */
static size_t cursor_slot(enum db db, struct slice key)
{
    if (db != DB_ROWS || key.size < 5 || (key.data[4] & 3) == 0) return (size_t)db;
    return DB_COUNT + (key.data[4] & 3) - 1;
}

static MDB_cursor *cursor_of(struct txn *t, enum db db, struct slice key)
{
    if (t->err) return NULL;
    MDB_cursor **c = &t->cursors[cursor_slot(db, key)];
    if (!*c) {
        int rc = mdb_cursor_open(t->mdb, t->store->dbi[db], c);
        if (rc) txn_fail(t, env_err(rc));
    }
    return t->err ? NULL : *c;
}

static bool cursor_get(struct txn *t, MDB_cursor *c, MDB_cursor_op op, MDB_val *k, MDB_val *v)
{
    int rc = mdb_cursor_get(c, k, v, op);
    if (rc == 0) return true;
    if (rc != MDB_NOTFOUND) txn_fail(t, env_err(rc));
    return false;
}

bool db_get(struct txn *t, enum db db, struct slice key, struct slice *value)
{
    MDB_cursor *c = cursor_of(t, db, key);
    MDB_val k = val_of(key), v;
    if (!c || !cursor_get(t, c, MDB_SET, &k, &v)) return false;
    *value = slice_of_val(v);
    return true;
}

static bool cursor_result(struct txn *t, MDB_cursor *c, MDB_cursor_op op, MDB_val *k,
                          struct slice *found, struct slice *value)
{
    MDB_val v;
    if (!cursor_get(t, c, op, k, &v)) return false;
    *found = slice_of_val(*k);
    *value = slice_of_val(v);
    return true;
}

bool db_find(struct txn *t, enum db db, struct slice key, struct slice *found, struct slice *value)
{
    MDB_cursor *c = cursor_of(t, db, key);
    MDB_val k = val_of(key);
    return c && cursor_result(t, c, MDB_SET_RANGE, &k, found, value);
}

bool db_find_before(struct txn *t, enum db db, struct slice key, struct slice *found,
                    struct slice *value)
{
    MDB_cursor *c = cursor_of(t, db, key);
    MDB_val k = val_of(key);
    if (!c) return false;
    MDB_cursor_op op = cursor_result(t, c, MDB_SET_RANGE, &k, found, value) ? MDB_PREV : MDB_LAST;
    return !t->err && cursor_result(t, c, op, &k, found, value);
}

bool db_previous(struct txn *t, enum db db, struct slice *found, struct slice *value)
{
    MDB_cursor *c = cursor_of(t, db, SLICE_EMPTY);
    MDB_val k;
    return c && cursor_result(t, c, MDB_PREV, &k, found, value);
}

static int cursor_put(struct txn *t, enum db db, struct slice key, MDB_val *v, unsigned flags)
{
    MDB_cursor *c = cursor_of(t, db, key);
    if (!c) return MDB_BAD_TXN;
    MDB_val k = val_of(key);
    int rc = mdb_cursor_put(c, &k, v, flags);
    if (rc && !(rc == MDB_KEYEXIST && (flags & MDB_NOOVERWRITE))) txn_fail(t, env_err(rc));
    return rc;
}

void db_put(struct txn *t, enum db db, struct slice key, struct slice value)
{
    MDB_val v = val_of(value);
    cursor_put(t, db, key, &v, 0);
}

bool db_put_new(struct txn *t, enum db db, struct slice key, struct slice value, struct slice *old)
{
    MDB_val v = val_of(value);
    *old = SLICE_EMPTY;
    int rc = cursor_put(t, db, key, &v, MDB_NOOVERWRITE);
    if (rc == MDB_KEYEXIST) *old = slice_of_val(v);
    return rc == 0;
}

uint8_t *db_put_room(struct txn *t, enum db db, struct slice key, size_t size, bool append)
{
    MDB_val v = {size, NULL};
    int rc = cursor_put(t, db, key, &v, MDB_RESERVE | (append ? MDB_APPEND : 0u));
    return rc == 0 ? v.mv_data : NULL;
}

void db_delete(struct txn *t, enum db db, struct slice key)
{
    MDB_cursor *c = cursor_of(t, db, key);
    MDB_val k = val_of(key), v;
    if (!c || !cursor_get(t, c, MDB_SET, &k, &v)) return;
    int rc = mdb_cursor_del(c, 0);
    if (rc) txn_fail(t, env_err(rc));
}

void db_clear(struct txn *t, enum db db)
{
    if (t->err) return;
    int rc = mdb_drop(t->mdb, t->store->dbi[db], 0);
    if (rc) txn_fail(t, env_err(rc));
}

uint64_t db_entries(struct txn *t, enum db db)
{
    MDB_stat stat;
    if (t->err) return 0;
    int rc = mdb_stat(t->mdb, t->store->dbi[db], &stat);
    if (rc) txn_fail(t, env_err(rc));
    return rc ? 0 : stat.ms_entries;
}
