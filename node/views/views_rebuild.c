#include "node/views/views.h"

#include <string.h>

#include "node/views/search.h"
#include "node/views/state.h"

/*
 * The marker in meta: step (1 byte), scope number (be32), thing id (16), events done (be64).
 * CLEAR: rows are to be thrown away and roster and rules folded, in one transaction. FOLD and
 * REFOLD: things after (scope number, thing) in key order are still to be folded; under REFOLD,
 * which a change of roster or rules brings about, old rows stand until then.
 */
#define META_REBUILD "views.rebuild"

enum rebuild_step { STEP_CLEAR = 1, STEP_FOLD = 2, STEP_REFOLD = 3 };
enum { MARKER_SIZE = 29 };

struct marker {
    enum rebuild_step step;
    struct thing_key at;
    uint64_t done;
};

static bool marker_get(struct txn *t, struct marker *out)
{
    struct slice value;
    if (!meta_get(t, META_REBUILD, &value)) return false;
    *out = (struct marker){.step = STEP_CLEAR};
    if (value.size != MARKER_SIZE || value.data[0] < STEP_CLEAR || value.data[0] > STEP_REFOLD)
        return true; /* damaged: from the beginning */
    out->step = (enum rebuild_step)value.data[0];
    out->at.scope_number = be32_get(value.data + 1);
    memcpy(out->at.thing.bytes, value.data + 5, sizeof out->at.thing.bytes);
    out->done = be64_get(value.data + 21);
    return true;
}

static void marker_put(struct txn *t, const struct marker *marker)
{
    uint8_t value[MARKER_SIZE] = {(uint8_t)marker->step};
    be32_put(value + 1, marker->at.scope_number);
    memcpy(value + 5, marker->at.thing.bytes, sizeof marker->at.thing.bytes);
    be64_put(value + 21, marker->done);
    meta_put(t, META_REBUILD, slice_of(value, sizeof value));
}

void views_rebuild_begin(struct txn *t)
{
    marker_put(t, &(struct marker){.step = STEP_CLEAR});
}

void views_rebuild_refold(struct txn *t)
{
    struct marker marker;
    bool pending = marker_get(t, &marker);
    if (pending && marker.step == STEP_CLEAR) return;
    enum rebuild_step step = pending ? marker.step : STEP_REFOLD;
    marker_put(t, &(struct marker){.step = step});
}

bool views_rebuild_pending(struct txn *t, uint64_t *done, uint64_t *total)
{
    struct marker marker;
    if (!marker_get(t, &marker)) return false;
    *done = marker.done;
    *total = log_count(t);
    return true;
}

/* By what counts now; there are no rows but the roster's. */
static MUST_CHECK enum err roster_rebuild(struct views *v, struct txn *t)
{
    bool ignored = false;
    rows_clear(t);
    enum err err = views_fold_town_all(v, t, PASS_TOWNSHIP, &ignored);
    if (!err) err = views_roster_reload(v, t, &ignored);
    if (!err) err = views_fold_town_all(v, t, PASS_ROSTER, &ignored);
    return err ? err : views_roster_reload(v, t, &ignored);
}

/* The same way as views_judge. */
static MUST_CHECK enum err judge_rebuild(struct views *v, struct txn *t)
{
    struct cut_things things;
    enum err err = views_uncut(t, &things);
    cut_things_clear(&things);
    for (unsigned round = 0; !err; round++) {
        err = roster_rebuild(v, t);
        if (err || round == CUT_ROUNDS_MAX) break;
        err = views_cut(v, t, &things);
        const bool changed = things.count || things.more;
        cut_things_clear(&things);
        if (!changed) break;
    }
    return err;
}

/* The township, the roster's other things and then the rules, all at once: what they fold to is
 * what the others are folded by. */
static MUST_CHECK enum err base_rebuild(struct views *v, struct txn *t)
{
    const struct roster *none;
    bool ignored = false;
    search_reset(t);
    meta_put_uint(t, META_RULES_BOUND, 0);
    views_forget(v); /* an older version's rows need not be readable */
    rows_clear(t);
    enum err err = views_roster(v, t, &none);
    if (!err) err = judge_rebuild(v, t);
    if (!err) err = views_fold_town_all(v, t, PASS_RULES, &ignored);
    return err ? err : views_rules_follow(v, t, &ignored);
}

static MUST_CHECK enum err things_rebuild(struct views *v, struct txn *t, struct marker *marker,
                                          bool *more, uint64_t *damaged)
{
    bool ignored, altered;
    for (uint64_t events = 0; events < REBUILD_SLICE_EVENTS;) {
        *more = thing_each(t, &marker->at);
        if (!*more) break;
        enum err err = views_fold_thing(v, t, &marker->at, NULL, PASS_REST, &ignored);
        if (err == ERR_CORRUPT && v->fold.damaged)
            *damaged = v->fold.damaged;
        else if (err)
            return err;
        events += v->fold.total;
        marker->done += v->fold.total;
    }
    views_numbers_flush(v, t);
    enum err err = views_rules_follow(v, t, &altered);
    if (!err && altered) { /* rules folded among the rest: once more from the beginning by them */
        *marker = (struct marker){.step = marker->step};
        *more = true;
    }
    return err ? err : txn_error(t);
}

static MUST_CHECK enum err slice_run(struct views *v, struct txn *t, uint64_t *damaged)
{
    struct marker marker;
    if (!marker_get(t, &marker)) return txn_error(t);
    enum err err;
    bool more = true;
    if (marker.step == STEP_CLEAR) {
        err = base_rebuild(v, t);
        *damaged = err == ERR_CORRUPT ? v->fold.damaged : 0;
        marker = (struct marker){.step = STEP_FOLD};
    } else {
        err = views_fold_begin(v, t);
        if (!err) err = things_rebuild(v, t, &marker, &more, damaged);
    }
    if (err) return err;
    if (more)
        marker_put(t, &marker);
    else
        meta_delete(t, META_REBUILD);
    return txn_error(t);
}

/* `*damaged`: an event's arrival, 0 where all were whole. */
static MUST_CHECK enum err slice_commit(struct views *v, struct store *s, uint64_t *damaged)
{
    struct txn *t;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    v->fold.verify = true;
    err = slice_run(v, t, damaged);
    v->fold.verify = false;
    if (err)
        txn_abort(t);
    else
        err = txn_commit(t);
    if (err) views_forget(v);
    return err;
}

enum err views_rebuild_slice(struct views *v, struct store *s, uint64_t *arrival)
{
    uint64_t damaged = 0;
    enum err err = slice_commit(v, s, &damaged);
    if (damaged) *arrival = damaged;
    return err ? err : damaged ? ERR_CORRUPT : OK;
}

/* Begins one unless such a one was cut short; what changed rights or rules left to do does not
 * count, for its rows are not thrown away. */
static MUST_CHECK enum err rebuild_start(struct store *s)
{
    struct txn *t;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    struct marker marker;
    if (!marker_get(t, &marker) || marker.step == STEP_REFOLD) views_rebuild_begin(t);
    return txn_commit(t);
}

static MUST_CHECK enum err rebuild_state(struct store *s, bool *pending, uint64_t *done,
                                         uint64_t *total)
{
    struct txn *t;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    *pending = views_rebuild_pending(t, done, total);
    if (!*pending) *done = *total = log_count(t);
    err = txn_error(t);
    txn_abort(t);
    return err;
}

static MUST_CHECK enum err rebuild_run(struct views *v, struct store *s,
                                       void (*progress)(void *state, uint64_t done, uint64_t total),
                                       void *state)
{
    bool pending;
    uint64_t damaged = 0, done, total;
    enum err err = rebuild_state(s, &pending, &done, &total);
    while (!err && pending) {
        err = slice_commit(v, s, &damaged);
        if (!err) err = rebuild_state(s, &pending, &done, &total);
        if (!err && progress) progress(state, done, total);
    }
    return err ? err : damaged ? ERR_CORRUPT : OK;
}

enum err views_rebuild(struct views *v, struct store *s,
                       void (*progress)(void *state, uint64_t done, uint64_t total), void *state)
{
    enum err err = rebuild_start(s);
    return err ? err : rebuild_run(v, s, progress, state);
}

enum err views_rebuild_finish(struct views *v, struct store *s)
{
    return rebuild_run(v, s, NULL, NULL);
}

/* --- a store whose rows another version folded ---------------------------------------------- */

#define META_FOLD_VERSION "views.fold"

static MUST_CHECK enum err rows_renew(struct views *v, struct store *s)
{
    struct txn *t;
    uint64_t damaged = 0;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    if (log_count(t)) {
        views_rebuild_begin(t);
        err = slice_run(v, t, &damaged);
    }
    if (!err) meta_put_uint(t, META_FOLD_VERSION, FOLD_VERSION);
    if (err)
        txn_abort(t);
    else
        err = txn_commit(t);
    if (err) views_forget(v);
    return err;
}

enum err views_rebuild_renew(struct views *v, struct store *s)
{
    struct txn *t;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    bool same = meta_get_uint(t, META_FOLD_VERSION) == FOLD_VERSION;
    bool empty = log_count(t) == 0;
    err = txn_error(t);
    txn_abort(t);
    if (err || same) return err;
    err = rows_renew(v, s);
    if (err == ERR_PERMISSION) err = ERR_AGAIN;
    return empty ? OK : err;
}
