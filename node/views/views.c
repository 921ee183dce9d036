#include "node/views/views.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/erasure.h"
#include "node/views/person_row.h"
#include "node/views/request_row.h"
#include "node/views/state.h"

/* --- the handle ---------------------------------------------------------------------------- */

enum err views_open(struct views **out, struct store *s)
{
    struct views *v = calloc(1, sizeof *v);
    if (!v) return ERR_NOMEM;
    v->fold.authority = store_identity(s)->township;
    v->device = store_identity(s)->device;
    enum err err = views_rebuild_renew(v, s);
    if (err)
        views_close(v);
    else
        *out = v;
    return err;
}

void views_close(struct views *v)
{
    if (!v) return;
    views_forget(v);
    fold_clear(&v->fold);
    free(v);
}

void views_forget(struct views *v)
{
    roster_free(v->roster);
    v->roster = NULL;
    rules_free(v->rules);
    v->rules = NULL;
    doc_numbers_clear(&v->doc_numbers);
}

enum err views_roster(struct views *v, struct txn *t, const struct roster **out)
{
    /* Asked for every event: within a transaction only views_roster_reload changes it. */
    if (!v->roster || v->roster_txn != txn_serial(t)) {
        uint64_t changes = meta_get_uint(t, META_ROSTER_CHANGES);
        if (!v->roster || v->roster_changes != changes) {
            roster_free(v->roster);
            v->roster = NULL;
            doc_numbers_clear(&v->doc_numbers); /* orders may count again that it passed over */
            enum err err = roster_load(t, &v->roster);
            if (err) return err;
            v->roster_changes = changes;
        }
        v->roster_txn = txn_serial(t);
    }
    enum err err = txn_error(t);
    if (!err) *out = v->roster;
    return err;
}

enum err views_fold_begin(struct views *v, struct txn *t)
{
    const struct rules *rules;
    enum err err = views_roster(v, t, &v->fold.roster);
    if (!err) err = views_rules(v, t, &rules);
    if (!err) v->fold.bounds = &rules->bounds;
    return err;
}

/* --- a changed roster ---------------------------------------------------------------------- */

static bool author_has_events(struct txn *t, const struct sign_key *author)
{
    uint32_t feeds = feed_count(t);
    for (uint32_t number = 1; number <= feeds; number++) {
        struct feed_row feed;
        if (feed_get(t, number, &feed) && sign_key_equal(&feed.feed.author, author)) return true;
    }
    return false;
}

/* Does a device of `a` have other rights, or none, in `b`, and events? */
static bool device_differs(struct txn *t, const struct roster *a, const struct device *d,
                           const struct roster *b)
{
    static const struct sign_key none;
    struct sign_key key;
    for (size_t i = 0; roster_key_at(a, d, i, &key); i++) {
        if (sign_key_equal(&key, &none)) continue;
        const struct device *other = roster_device(b, &key);
        if (other && other->roles == d->roles && strcmp(other->village, d->village) == 0) continue;
        if (author_has_events(t, &key)) return true;
    }
    return false;
}

static bool rights_differ(struct txn *t, const struct roster *a, const struct roster *b)
{
    for (size_t i = 0; i < a->authority_count; i++) {
        const struct sign_key *key = &a->authorities[i].key;
        if (!roster_is_authority(b, key) && author_has_events(t, key)) return true;
    }
    for (size_t i = 0; i < a->device_count; i++)
        if (device_differs(t, a, &a->devices[i], b)) return true;
    return false;
}

enum err views_roster_reload(struct views *v, struct txn *t, bool *rights)
{
    struct roster *r;
    enum err err = roster_load(t, &r);
    if (err) return err;
    *rights |= v->roster && (rights_differ(t, v->roster, r) || rights_differ(t, r, v->roster));
    roster_free(v->roster);
    doc_numbers_clear(&v->doc_numbers);
    v->roster = r;
    v->roster_changes = meta_get_uint(t, META_ROSTER_CHANGES) + 1;
    meta_put_uint(t, META_ROSTER_CHANGES, v->roster_changes);
    err = views_authors_keep(t, r);
    return err ? err : txn_error(t);
}

/* --- folding ------------------------------------------------------------------------------- */

/* The numbers that this device gave out are noted from its own events: a counter lost with a store
 * is made again by them. */
static bool founded_here(const struct views *v)
{
    const struct fold_item *founder = v->fold.founder; /* NULL: it was folded before */
    return founder &&
           sign_key_equal(roster_name(v->roster, &founder->event.feed.author), &v->device);
}

static bool accepted_here(const struct views *v)
{
    const struct device *own = roster_device(v->roster, &v->device);
    return own && own->roles & ROLE_HUB && v->fold.total > 1;
}

/* What hangs on a request's row: the index rows and the numbers. `old` may be borrowed; what the
 * fold left of the request may too, so all is read before the first write. */
static MUST_CHECK enum err request_keep(struct views *v, struct txn *t, struct slice old,
                                        struct slice row)
{
    const struct request *after = row.size ? &v->fold.request : NULL;
    struct request before = {.state = REQUEST_HELD};
    enum err err = old.size ? request_row_read_brief(&before, old) : OK;
    if (err) return err;
    struct number number = number_of(after ? after->number : SLICE_EMPTY);
    struct number official = number_of(after ? after->official_number : SLICE_EMPTY);
    request_row_index(t, &v->fold.key, old.size ? &before : NULL, after);
    if (founded_here(v)) numbers_note(t, &v->numbers, &number);
    if (official.series[0] && accepted_here(v)) numbers_note(t, &v->officials, &official);
    return OK;
}

/* The same for a volunteer's row. */
static MUST_CHECK enum err person_keep(struct views *v, struct txn *t, struct slice old,
                                       struct slice row)
{
    const struct thing_key *key = &v->fold.key;
    struct number number = number_of(person_row_number(key, row));
    enum err err = person_row_index(t, key, old, row);
    if (founded_here(v)) numbers_note(t, &v->persons, &number);
    return err;
}

void views_numbers_flush(struct views *v, struct txn *t)
{
    numbers_flush(t, &v->numbers);
    numbers_flush(t, &v->officials);
    numbers_flush(t, &v->persons);
}

static bool is_rule(enum thing_type type)
{
    return type == THING_RULE || type == THING_CALENDAR;
}

/* Keeps what the fold left. `fresh`: the thing cannot have a row yet. */
static MUST_CHECK enum err row_keep(struct views *v, struct txn *t, bool fresh, bool *changed)
{
    const struct fold *f = &v->fold;
    uint8_t bytes[ROW_THING_KEY_SIZE];
    const struct row_key key = row_thing_key(bytes, f->type, &f->key);
    struct slice old = SLICE_EMPTY, row = buf_slice(&f->row);
    if (!fresh && !row_get(t, &key, &old)) old = SLICE_EMPTY;
    enum err err = txn_error(t);
    if (err || slice_equal(old, row)) return err;
    *changed = true;
    if (is_rule(f->type)) {
        meta_put_uint(t, META_RULES_CHANGES, meta_get_uint(t, META_RULES_CHANGES) + 1);
        v->rules_txn = 0;
    }
    if (f->type == THING_REQUEST) {
        err = request_keep(v, t, old, row);
        if (err) return err;
    }
    if (f->type == THING_VOLUNTEER) {
        err = person_keep(v, t, old, row);
        if (err) return err;
    }
    if (row.size)
        row_put(t, &key, row);
    else
        row_delete(t, &key);
    return txn_error(t);
}

/* Of one that is in the pass's scope. */
static bool is_of_pass(enum thing_type type, enum views_pass pass)
{
    if (pass == PASS_TOWNSHIP || type == THING_TOWNSHIP)
        return pass == PASS_TOWNSHIP && type == THING_TOWNSHIP;
    if (pass == PASS_RULES) return is_rule(type);
    return type != THING_NONE && fold_is_roster(type) == (pass == PASS_ROSTER);
}

/* What every fold reads besides the thing's events. */
static void fold_bases(struct views *v)
{
    v->fold.roster = v->roster;
    v->fold.bounds = v->rules ? &v->rules->bounds : NULL;
}

static void note_bound(struct views *v, struct txn *t)
{
    if (v->fold.bound && !meta_get_uint(t, META_RULES_BOUND)) meta_put_uint(t, META_RULES_BOUND, 1);
}

/* What is to be erased of a thing is told by its events alone, so damage stops nothing. After the
 * row was kept: what the fold left borrows from the records. */
static void erase(struct views *v, struct txn *t, const struct thing_key *key, bool damaged)
{
    struct erased row;
    bool before = !v->fold.erases && erased_any(t) && erased_get(t, key, &row);
    if (v->fold.erases || damaged || before) erasure_refresh(t, v->roster, key);
}

enum err views_fold_thing(struct views *v, struct txn *t, const struct thing_key *key,
                          const struct event *sole, enum views_pass pass, bool *changed)
{
    fold_bases(v);
    enum err err = fold_thing(&v->fold, t, key, sole);
    bool damaged = err == ERR_CORRUPT && v->fold.damaged;
    if (err && !damaged) return err;
    if (!err) note_bound(v, t);
    if (!err && is_of_pass(v->fold.type, pass)) err = row_keep(v, t, sole != NULL, changed);
    /* Before these two the roster may not be what it will be. */
    if ((pass == PASS_TOWN || pass == PASS_REST) && (!err || damaged)) erase(v, t, key, damaged);
    return err ? err : txn_error(t);
}

/* Folds the one event that its thing's row lacks. `*done` false: that takes a whole fold. */
static MUST_CHECK enum err fold_next_event(struct views *v, struct txn *t,
                                           const struct thing_key *key, const struct event *next,
                                           bool *done)
{
    uint8_t bytes[ROW_THING_KEY_SIZE];
    const struct row_key row_key = row_thing_key(bytes, THING_REQUEST, key);
    struct slice row;
    bool ignored;
    *done = row_get(t, &row_key, &row);
    if (!*done) return txn_error(t);
    fold_bases(v);
    enum err err = fold_onto(&v->fold, t, key, row, next, done);
    if (err || !*done) return err;
    note_bound(v, t);
    err = row_keep(v, t, false, &ignored);
    if (!err) erase(v, t, key, false);
    return err ? err : txn_error(t);
}

/* May the roster or the rules be changed by it? What founded a thing right now says what it is; of
 * what acts on one its fold will say. */
static bool may_be_base(const struct touched *touched)
{
    const struct event *e = touched->sole ? touched->sole : touched->next;
    const struct kind *kind = e ? kind_find(e->kind) : NULL;
    if (touched->next) return !kind || kind->thing != THING_REQUEST;
    return touched->sole ? kind && (fold_is_roster(kind->thing) || is_rule(kind->thing)) : true;
}

static bool in_pass(const struct views *v, const struct touched *touched, uint32_t town,
                    enum views_pass pass)
{
    if (touched->scope_number != town) return pass == PASS_REST;
    if (!touched->sole && v->roster->founded)
        return thing_id_equal(&touched->thing, &v->roster->thing)
                   ? pass == PASS_TOWNSHIP
                   : pass == PASS_ROSTER || pass == PASS_TOWN;
    if (!touched->sole) return pass != PASS_REST;
    const struct kind *kind = kind_find(touched->sole->kind);
    return pass != PASS_REST && kind && is_of_pass(kind->thing, pass);
}

static MUST_CHECK enum err fold_touched(struct views *v, struct txn *t,
                                        const struct touched *touched, enum views_pass pass,
                                        bool *changed)
{
    const struct thing_key key = {touched->scope_number, touched->thing};
    if (touched->next && pass == PASS_REST) {
        bool done;
        enum err err = fold_next_event(v, t, &key, touched->next, &done);
        if (err || done) return err;
    }
    return views_fold_thing(v, t, &key, touched->sole, pass, changed);
}

/* `town`: the number of that scope, 0 while it is not known here. */
static MUST_CHECK enum err fold_pass(struct views *v, struct txn *t, const struct touched *touched,
                                     size_t count, uint32_t town, enum views_pass pass,
                                     bool *changed)
{
    for (size_t i = 0; i < count; i++) {
        if (!in_pass(v, &touched[i], town, pass)) continue;
        enum err err = fold_touched(v, t, &touched[i], pass, changed);
        /* A damaged event keeps its own thing as it was and does not stop a sync; `verify` and the
         * daily scrub name it. */
        if (err == ERR_CORRUPT && v->fold.damaged) continue;
        if (err) return err;
    }
    return txn_error(t);
}

enum err views_fold_town_all(struct views *v, struct txn *t, enum views_pass pass, bool *changed)
{
    struct scope town = scope_town();
    struct scope_row scope;
    if (!scope_find(t, &town, &scope)) return txn_error(t);
    struct thing_key key = {.scope_number = scope.number};
    while (thing_each(t, &key) && key.scope_number == scope.number) {
        enum err err = views_fold_thing(v, t, &key, NULL, pass, changed);
        if (err) return err;
    }
    return txn_error(t);
}

/* The township says who the authorities are. Where that changed, the whole roster is folded anew by
 * it, so what a thief invited goes with the thief. `*rights`: as views_roster_reload. */
static MUST_CHECK enum err fold_roster(struct views *v, struct txn *t,
                                       const struct touched *touched, size_t count, uint32_t town,
                                       bool *rights)
{
    const size_t authorities = v->roster->authority_count;
    const struct sign_key last = roster_authority(v->roster)->key;
    bool township = false, roster = false;
    enum err err = fold_pass(v, t, touched, count, town, PASS_TOWNSHIP, &township);
    if (!err && township) err = views_roster_reload(v, t, rights);
    if (err) return err;
    bool replaced = authorities != v->roster->authority_count ||
                    !sign_key_equal(&last, &roster_authority(v->roster)->key);
    if (replaced)
        err = views_fold_town_all(v, t, PASS_ROSTER, &roster);
    else
        err = fold_pass(v, t, touched, count, town, PASS_ROSTER, &roster);
    return !err && roster ? views_roster_reload(v, t, rights) : err;
}

/* What is in `town`, by which the rest is folded. */
static MUST_CHECK enum err fold_town(struct views *v, struct txn *t, const struct touched *touched,
                                     size_t count, uint32_t town)
{
    bool rights = false, rules = false, ignored = false;
    enum err err = fold_roster(v, t, touched, count, town, &rights);
    if (!err) err = fold_pass(v, t, touched, count, town, PASS_TOWN, &ignored);
    if (!err) err = views_rules_follow(v, t, &rules);
    if (!err && (rights || (rules && scope_count(t) > 1))) views_rebuild_refold(t);
    return err;
}

/* The rows of a thing whose founding event stands aside; nobody knows its type any more. */
static MUST_CHECK enum err row_forget(struct views *v, struct txn *t, const struct thing_key *key,
                                      bool *roster)
{
    fold_bases(v);
    enum err err = fold_thing(&v->fold, t, key, NULL);
    for (unsigned type = 1; !err && v->fold.type == THING_NONE && type < THING_TYPE_COUNT; type++) {
        bool changed = false;
        v->fold.type = (enum thing_type)type;
        err = row_keep(v, t, false, &changed);
        v->fold.type = THING_NONE;
        *roster |= changed && fold_is_roster((enum thing_type)type);
    }
    return err == ERR_CORRUPT && v->fold.damaged ? OK : err;
}

static MUST_CHECK enum err rows_forget(struct views *v, struct txn *t,
                                       const struct touched *touched, size_t count)
{
    bool roster = false, rights = false;
    enum err err = OK;
    for (size_t i = 0; i < count && !err; i++) {
        const struct thing_key key = {touched[i].scope_number, touched[i].thing};
        err = row_forget(v, t, &key, &roster);
    }
    if (!err && roster) err = views_roster_reload(v, t, &rights);
    if (!err && rights) views_rebuild_refold(t);
    return err;
}

/* `cut`: events were taken from them or given back. */
static MUST_CHECK enum err fold_things(struct views *v, struct txn *t,
                                       const struct touched *touched, size_t count, bool cut)
{
    struct scope scope = scope_town();
    struct scope_row row;
    uint32_t town = 0;
    bool of_base = false, ignored = false;
    for (size_t i = 0; i < count && !of_base; i++) of_base = may_be_base(&touched[i]);
    if (of_base && scope_find(t, &scope, &row)) town = row.number;
    enum err err = views_fold_begin(v, t);
    if (!err && cut) err = rows_forget(v, t, touched, count);
    if (!err && town) err = fold_town(v, t, touched, count, town);
    if (!err) err = fold_pass(v, t, touched, count, town, PASS_REST, &ignored);
    if (!err) views_numbers_flush(v, t);
    return err ? err : txn_error(t);
}

/* In the transaction that changed the roster, but for what is too much for one. */
enum err views_judge(struct views *v, struct txn *t)
{
    struct cut_things things;
    enum err err = views_uncut(t, &things);
    bool more = things.more;
    for (unsigned round = 0; !err; round++) {
        if (things.count && !more) err = fold_things(v, t, things.items, things.count, true);
        cut_things_clear(&things);
        if (err || round == CUT_ROUNDS_MAX || (round && more)) break;
        err = views_cut(v, t, &things);
        more |= things.more;
        if (!things.count) break;
    }
    cut_things_clear(&things);
    if (more) views_rebuild_begin(t);
    return err ? err : txn_error(t);
}

enum err views_fold(struct views *v, struct txn *t, const struct touched *touched, size_t count)
{
    enum err err = views_fold_begin(v, t);
    const uint64_t changes = v->roster_changes;
    if (!err) err = fold_things(v, t, touched, count, false);
    return !err && v->roster_changes != changes ? views_judge(v, t) : err;
}
