#include "node/views/views.h"

#include <string.h>

#include "node/views/person_row.h"
#include "node/views/request_row.h"
#include "node/views/state.h"

/* Read transactions are short: a reader that is held makes the file grow. */
#define COMPARE_SLICE_EVENTS 4096u

static bool row_same(const struct fold *f, struct txn *t)
{
    uint8_t bytes[ROW_THING_KEY_SIZE];
    const struct row_key key = row_thing_key(bytes, f->type, &f->key);
    struct slice row = SLICE_EMPTY;
    bool there = row_get(t, &key, &row);
    if (there != (f->row.size > 0) || !slice_equal(row, buf_slice(&f->row))) return false;
    if (f->type == THING_VOLUNTEER && there) return person_row_indexed(t, &f->key, row);
    return f->type != THING_REQUEST || !there || request_row_indexed(t, &f->key, row);
}

static MUST_CHECK enum err things_compare(struct views *v, struct txn *t, struct thing_key *at,
                                          uint64_t *done, uint64_t *differing, bool *more)
{
    enum err err = views_fold_begin(v, t);
    for (uint64_t events = 0; !err && events < COMPARE_SLICE_EVENTS; events += v->fold.total) {
        *more = thing_each(t, at);
        if (!*more) break;
        err = fold_thing(&v->fold, t, at, NULL);
        bool damaged = err == ERR_CORRUPT && v->fold.damaged;
        if (damaged) err = OK;
        if (err) break;
        if (damaged || (v->fold.type != THING_NONE && !row_same(&v->fold, t))) (*differing)++;
        *done += v->fold.total;
    }
    return err ? err : txn_error(t);
}

/* Rows of things of which no event is held. */
static MUST_CHECK enum err rows_compare(struct txn *t, struct row_cursor *at, uint64_t *differing,
                                        bool *more)
{
    struct slice key, row;
    for (unsigned rows = 0; rows < COMPARE_SLICE_EVENTS; rows++) {
        struct thing_id thing;
        *more = row_next(t, at, &key, &row);
        if (!*more) break;
        if (row_thing_id(&thing, key) || !thing_event_count(t, at->scope_number, &thing, 1))
            (*differing)++;
    }
    return txn_error(t);
}

static MUST_CHECK enum err compare_things(struct views *v, struct store *s, uint64_t *differing,
                                          void (*progress)(void *, uint64_t, uint64_t), void *state)
{
    struct thing_key at = {0};
    uint64_t done = 0;
    bool more = true;
    enum err err = OK;
    while (!err && more) {
        struct txn *t;
        err = txn_begin(s, false, &t);
        if (err) break;
        err = things_compare(v, t, &at, &done, differing, &more);
        uint64_t total = log_count(t);
        txn_abort(t);
        if (!err && progress) progress(state, done, total);
    }
    return err;
}

static MUST_CHECK enum err compare_rows(struct store *s, uint64_t *differing)
{
    struct row_cursor at = {.scope_number = 1, .table = ROW_THING};
    uint32_t scopes = 1;
    enum err err = OK;
    while (!err && at.scope_number <= scopes) {
        struct txn *t;
        bool more = true;
        err = txn_begin(s, false, &t);
        if (err) break;
        err = rows_compare(t, &at, differing, &more);
        scopes = scope_count(t);
        txn_abort(t);
        if (!more)
            at = (struct row_cursor){.scope_number = at.scope_number + 1, .table = ROW_THING};
    }
    return err;
}

static MUST_CHECK enum err compare_authors(struct views *v, struct store *s, uint64_t *differing)
{
    struct txn *t;
    const struct roster *roster;
    bool same = true;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    err = views_roster(v, t, &roster);
    if (!err) err = views_authors_compare(t, roster, &same);
    if (!same) ++*differing;
    txn_abort(t);
    return err;
}

enum err views_compare(struct views *v, struct store *s, uint64_t *differing,
                       void (*progress)(void *state, uint64_t done, uint64_t total), void *state)
{
    uint64_t count = 0;
    v->fold.verify = true;
    enum err err = compare_things(v, s, &count, progress, state);
    v->fold.verify = false;
    if (!err) err = compare_rows(s, &count);
    if (!err) err = compare_authors(v, s, &count);
    if (!err) *differing = count;
    return err;
}
