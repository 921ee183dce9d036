#include "node/arrival.h"

#include "node/lives.h"
#include "node/views/erasure.h"
#include "node/views/fold.h"

#include <stdlib.h>
#include <string.h>

/* Things, each once. */
struct touched_set {
    struct touched *items;
    size_t count, capacity;
    uint32_t *slots;   /* index over `items`: open addressing, position + 1 */
    size_t slot_count; /* a power of two, at least twice the capacity */
};

struct arrival {
    struct views *views;
    struct txn *txn;
    bool at_once; /* nothing waits for the commit */
    bool forked;
    struct touched_set now;     /* folded before arrival_add returns */
    struct touched_set waiting; /* folded by the commit, however often they were touched */
};

static enum err begin(struct arrival **out, struct store *s, struct views *v)
{
    struct arrival *a = calloc(1, sizeof *a);
    if (!a) return ERR_NOMEM;
    a->views = v;
    enum err err = txn_begin(s, true, &a->txn);
    if (err) {
        free(a);
        return err;
    }
    *out = a;
    return OK;
}

enum err arrival_begin(struct arrival **out, struct store *s, struct views *v)
{
    enum err err = store_room(s, false);
    return err ? err : begin(out, s, v);
}

enum err arrival_begin_person(struct arrival **out, struct store *s, struct views *v, bool *low)
{
    enum err err = store_room(s, false);
    *low = err == ERR_NOSPACE;
    if (*low) err = store_room(s, true);
    if (!err) err = begin(out, s, v);
    if (!err) (*out)->at_once = true;
    return err;
}

struct txn *arrival_txn(struct arrival *a)
{
    return a->txn;
}

/* --- sets of things --- */

static void set_reset(struct touched_set *set)
{
    if (set->count) memset(set->slots, 0, set->slot_count * sizeof *set->slots);
    set->count = 0;
}

static void set_free(struct touched_set *set)
{
    free(set->items);
    free(set->slots);
}

/* The slot of this thing, or the free one where it belongs. */
static size_t set_slot(const struct touched_set *set, const struct touched *touched)
{
    /* Time and hash of the founding event; whatever a hostile author puts here costs only itself a
     * longer walk over one commit's things. */
    const uint8_t *id = touched->thing.bytes;
    uint64_t mixed = be64_get(id) ^ be64_get(id + 8) ^ touched->scope_number;
    size_t mask = set->slot_count - 1;
    size_t slot = (size_t)(mixed * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
    for (; set->slots[slot]; slot = (slot + 1) & mask) {
        const struct touched *known = &set->items[set->slots[slot] - 1];
        if (known->scope_number == touched->scope_number &&
            thing_id_equal(&known->thing, &touched->thing))
            break;
    }
    return slot;
}

/* NULL: not in it. */
static struct touched *set_find(const struct touched_set *set, const struct touched *touched)
{
    uint32_t position = set->count ? set->slots[set_slot(set, touched)] : 0;
    return position ? &set->items[position - 1] : NULL;
}

static MUST_CHECK enum err set_grow(struct touched_set *set)
{
    size_t capacity = set->capacity ? set->capacity * 2 : 8;
    struct touched *items = realloc(set->items, capacity * sizeof *items);
    if (!items) return ERR_NOMEM;
    set->items = items;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (!slots) return ERR_NOMEM;
    free(set->slots);
    set->slots = slots;
    set->slot_count = 2 * capacity;
    set->capacity = capacity;
    for (size_t i = 0; i < set->count; i++)
        set->slots[set_slot(set, &set->items[i])] = (uint32_t)(i + 1);
    return OK;
}

static MUST_CHECK enum err set_add(struct touched_set *set, const struct touched *touched)
{
    enum err err = set->count == set->capacity ? set_grow(set) : OK;
    if (err) return err;
    size_t slot = set_slot(set, touched);
    if (set->slots[slot]) return OK;
    set->items[set->count++] = *touched;
    set->slots[slot] = (uint32_t)set->count;
    return OK;
}

/* --- adding --- */

static bool is_of_roster(const struct event *e)
{
    const struct kind *kind = scope_class(&e->feed.scope) == SCOPE_TOWN ? kind_find(e->kind) : NULL;
    return kind && fold_is_roster(kind->thing);
}

/* At once: what the next run is judged by, and what was founded right now, which need not be read
 * back. What else is done to a thing waits, so that thousands of runs of one act on one thing cost
 * one fold and not one each. */
static MUST_CHECK enum err touch(struct arrival *a, const struct event *e,
                                 const struct appended *did, const struct event *next)
{
    struct touched touched = {.scope_number = did->scope_number, .thing = e->subject};
    struct touched *known = set_find(&a->now, &touched);
    if (known) {
        known->sole = NULL;
        return OK;
    }
    if (e->founding && did->first_of_thing) touched.sole = e;
    if (a->at_once) touched.next = next;
    return set_add(touched.sole || is_of_roster(e) ? &a->now : &a->waiting, &touched);
}

static MUST_CHECK enum err fold(struct arrival *a, struct touched_set *set)
{
    enum err err = txn_error(a->txn);
    if (!err && set->count) err = views_fold(a->views, a->txn, set->items, set->count);
    set_reset(set);
    return err;
}

/* What the roster takes from itself, and whom it does not know, is judged from the beginning. */
static MUST_CHECK enum err judge(struct arrival *a, const struct event *first, bool roster_aside)
{
    const struct roster *roster;
    enum err err = views_roster(a->views, a->txn, &roster);
    if (err || !(roster_aside || (first->seq == 1 && views_is_nobody(roster, &first->feed.author))))
        return err;
    return views_judge(a->views, a->txn);
}

/* `next`: NULL or the one event. */
static MUST_CHECK enum err add(struct arrival *a, const struct event *events, size_t count,
                               const struct event *next, size_t *fresh)
{
    struct appended did;
    struct event *stripped;
    size_t appended = 0;
    bool roster_aside = false;
    enum err err = log_check(a->txn, events, count);
    if (!err) err = erasure_strip(a->txn, events, count, &stripped);
    if (err) return err;
    if (stripped) events = stripped;
    if (next) next = events;
    for (size_t i = 0; !err && i < count; i++) {
        log_append(a->txn, &events[i], &did);
        if (!did.arrival) continue;
        appended++;
        if (did.judged_anew) views_rebuild_begin(a->txn);
        roster_aside |= did.aside && is_of_roster(&events[i]);
        if (did.aside) continue;
        err = touch(a, &events[i], &did, next);
    }
    if (!err) err = fold(a, &a->now);
    if (!err && appended) err = judge(a, &events[0], roster_aside);
    if (!err && a->at_once) err = fold(a, &a->waiting);
    if (err)
        txn_fail(a->txn, err); /* half folded: nothing of this transaction may stay */
    else
        *fresh = appended;
    free(stripped);
    return err;
}

enum err arrival_add(struct arrival *a, const struct event *events, size_t count, size_t *fresh)
{
    return add(a, events, count, NULL, fresh);
}

static bool is_own(struct arrival *a, const struct sign_key *author)
{
    const struct roster *roster;
    const struct sign_key *device = &store_identity(txn_store(a->txn))->device;
    if (sign_key_equal(author, device)) return true;
    return views_roster(a->views, a->txn, &roster) == OK &&
           sign_key_equal(roster_name(roster, author), device);
}

bool arrival_forked(const struct arrival *a)
{
    return a->forked;
}

enum err arrival_take(struct arrival *a, const struct event *events, size_t count, size_t *fresh)
{
    struct feed_row before, after;
    bool own = count && is_own(a, &events[0].feed.author);
    bool held = own && feed_find(a->txn, &events[0].feed, &before);
    enum err err = add(a, events, count, NULL, fresh);
    if (err || !own || !*fresh) return err;
    if (feed_find(a->txn, &events[0].feed, &after) &&
        lives_take(a->txn, held ? &before : NULL, &after))
        a->forked = true;
    return txn_error(a->txn);
}

enum err arrival_add_next(struct arrival *a, const struct event *e)
{
    size_t fresh;
    return add(a, e, 1, e, &fresh);
}

static void arrival_free(struct arrival *a)
{
    set_free(&a->now);
    set_free(&a->waiting);
    free(a);
}

enum err arrival_commit(struct arrival *a)
{
    enum err err = fold(a, &a->waiting);
    if (err) txn_fail(a->txn, err);
    err = txn_commit(a->txn);
    if (err) views_forget(a->views); /* it may hold a roster that was never committed */
    arrival_free(a);
    return err;
}

void arrival_abort(struct arrival *a)
{
    if (!a) return;
    txn_abort(a->txn);
    views_forget(a->views);
    arrival_free(a);
}
