#include "node/views/fold.h"

#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "node/views/body.h"
#include "node/views/erasure.h"
#include "node/views/fold_types.h"

static void (*const type_folds[THING_TYPE_COUNT])(struct fold *f) = {
    [THING_TOWNSHIP] = roster_fold_township, [THING_VILLAGE] = roster_fold_village,
    [THING_DEVICE] = roster_fold_device,     [THING_ACTOR] = actor_fold,
    [THING_REQUEST] = request_fold,          [THING_SEALED] = sealed_fold,
};

bool fold_is_roster(enum thing_type type)
{
    return type == THING_TOWNSHIP || type == THING_VILLAGE || type == THING_DEVICE;
}

void fold_mark(struct fold_item *item, enum effect effect, const char *what)
{
    item->effect = effect;
    item->what = what;
}

struct fold_item *fold_next(const struct fold *f, size_t *at)
{
    while (*at < f->count) {
        struct fold_item *item = f->order[(*at)++];
        if (item->effect == EFFECT_COUNTS) return item;
    }
    return NULL;
}

uint32_t fold_effective(const struct fold *f)
{
    uint32_t effective = 0;
    for (size_t i = 0; i < f->count; i++) effective += f->order[i]->effect == EFFECT_COUNTS;
    return effective;
}

/* --- order -------------------------------------------------------------------------------- */

static int item_compare(const struct fold_item *a, const struct fold_item *b)
{
    if (a->event.founding != b->event.founding) return a->event.founding ? -1 : 1;
    if (a->event.depth != b->event.depth) return a->event.depth < b->event.depth ? -1 : 1;
    if (a->township != b->township) return a->township ? -1 : 1;
    if (a->event.time != b->event.time) return a->event.time < b->event.time ? -1 : 1;
    return memcmp(a->event.id.bytes, b->event.id.bytes, sizeof a->event.id.bytes);
}

static int by_fold_order(const void *a, const void *b)
{
    return item_compare(*(struct fold_item *const *)a, *(struct fold_item *const *)b);
}

/* The heap keeps the last of the kept events on top, so a thing flooded with events costs the
 * memory of THING_EVENTS_MAX. */
static void heap_sift(struct fold_item **heap, size_t count, size_t at)
{
    for (;;) {
        size_t last = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (item_compare(heap[child], heap[last]) > 0) last = child;
        if (last == at) return;
        struct fold_item *swap = heap[at];
        heap[at] = heap[last];
        heap[last] = swap;
        at = last;
    }
}

static void heap_make(struct fold *f)
{
    for (size_t i = 0; i < f->count; i++) f->order[i] = &f->items[i];
    for (size_t i = f->count / 2; i-- > 0;) heap_sift(f->order, f->count, i);
}

/* --- gathering ---------------------------------------------------------------------------- */

static MUST_CHECK enum err fold_reserve(struct fold *f)
{
    if (f->count < f->capacity) return OK;
    size_t capacity = f->capacity ? f->capacity * 2 : 16;
    struct fold_item *items = realloc(f->items, capacity * sizeof *items);
    if (!items) return ERR_NOMEM;
    f->items = items;
    struct fold_item **order = realloc(f->order, capacity * sizeof *order);
    if (!order) return ERR_NOMEM;
    f->order = order;
    f->capacity = capacity;
    return OK;
}

static void item_set_author(const struct fold *f, struct fold_item *item, bool of_roster)
{
    const struct sign_key *author = &item->event.feed.author;
    if (of_roster && f->type == THING_TOWNSHIP) {
        /* Whose word counts is what this thing itself folds to: its fold judges, in an order that
         * asks nobody's rights. */
        item->roles = ROLES_OF_KEYS;
        item->township = false;
    } else if (roster_is_authority(f->roster, author)) {
        item->roles = ROLE_AUTHORITY;
        item->township = true;
    } else if (of_roster) {
        /* What a hub may do here is accept an invite, and a device change its keys: whose invite
         * and whose keys, the device's fold judges. */
        item->roles = ROLE_HUB;
        item->township = false;
    } else {
        const struct device *device = roster_device(f->roster, author);
        item->roles = device ? device->roles : 0;
        item->township = device && device_is_township(device);
    }
}

static MUST_CHECK enum err gather_add(struct fold *f, const struct event *e, uint64_t arrival,
                                      bool of_roster)
{
    struct fold_item item = {.event = *e, .arrival = arrival, .what = "", .state_after = ""};
    item_set_author(f, &item, of_roster);
    f->erases |= erasure_concerns(e);
    if (f->count < THING_EVENTS_MAX) {
        enum err err = fold_reserve(f);
        if (err) return err;
        f->items[f->count++] = item;
        if (f->count == THING_EVENTS_MAX) heap_make(f);
    } else if (item_compare(&item, f->order[0]) < 0) {
        *f->order[0] = item;
        heap_sift(f->order, f->count, 0);
    }
    return OK;
}

/* The founding event; should somebody ever have found two with one thing id, the lesser id. */
static enum thing_type founded_type(struct fold *f)
{
    f->founder = NULL;
    for (size_t i = 0; i < f->count; i++) {
        const struct fold_item *item = &f->items[i];
        if (!item->event.founding) continue;
        if (f->founder && memcmp(f->founder->event.id.bytes, item->event.id.bytes,
                                 sizeof item->event.id.bytes) < 0)
            continue;
        f->founder = item;
    }
    const struct kind *kind = f->founder ? kind_find(f->founder->event.kind) : NULL;
    return kind && kind->founding ? kind->thing : THING_NONE;
}

static MUST_CHECK enum err gather_log(struct fold *f, bool of_roster)
{
    f->count = 0;
    f->total = 0;
    struct thing_cursor cursor = {
        .txn = f->txn, .scope_number = f->key.scope_number, .thing = f->key.thing};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        enum err err = f->verify ? log_read_header(f->txn, arrival, &e)
                                 : log_read_unverified(f->txn, arrival, &e);
        if (err == ERR_CORRUPT || err == ERR_NOT_FOUND) {
            f->damaged = arrival;
            return ERR_CORRUPT;
        }
        if (!err) err = gather_add(f, &e, arrival, of_roster);
        if (err) return err;
        f->total++;
    }
    return txn_error(f->txn);
}

/* Which side an author stands on depends on what the thing is, which the founding event says: a
 * thing of the roster is gathered twice. */
static MUST_CHECK enum err gather(struct fold *f, const struct event *sole)
{
    enum err err;
    if (sole) {
        const struct kind *kind = kind_find(sole->kind);
        f->count = 0;
        f->total = 1;
        f->type = kind ? kind->thing : THING_NONE;
        err = gather_add(f, sole, 0, fold_is_roster(f->type));
        if (!err) f->type = founded_type(f);
    } else {
        err = gather_log(f, false);
        if (!err) f->type = founded_type(f);
        if (!err && fold_is_roster(f->type)) {
            err = gather_log(f, true);
            if (!err) f->type = founded_type(f);
        }
    }
    if (err) return err;
    for (size_t i = 0; i < f->count; i++) f->order[i] = &f->items[i];
    if (f->count > 1) qsort(f->order, f->count, sizeof *f->order, by_fold_order);
    for (size_t i = 0; i < f->count; i++) f->order[i]->place = (uint32_t)i;
    return OK;
}

/* --- depth -------------------------------------------------------------------------------- */

static int chain_compare(const struct event *a, const struct event *b)
{
    int order = memcmp(a->feed.author.bytes, b->feed.author.bytes, sizeof a->feed.author.bytes);
    if (!order) order = (int)a->feed.lane - (int)b->feed.lane;
    if (!order) order = (int)a->feed.has_epoch - (int)b->feed.has_epoch;
    if (!order) order = memcmp(a->feed.epoch, b->feed.epoch, sizeof a->feed.epoch);
    return order;
}

static int by_chain(const void *a, const void *b)
{
    const struct event *x = &(*(struct fold_item *const *)a)->event;
    const struct event *y = &(*(struct fold_item *const *)b)->event;
    int order = chain_compare(x, y);
    if (!order) order = (x->seq > y->seq) - (x->seq < y->seq);
    return order ? order : memcmp(x->id.bytes, y->id.bytes, sizeof x->id.bytes);
}

/* Does `item` stand on the same branch as the earlier `before`? The headers between them say so,
 * and they are held; past the bound on walking it is taken to. */
static bool descends(struct fold *f, uint32_t feed_number, const struct fold_item *item,
                     const struct fold_item *before)
{
    struct event e = item->event;
    while (e.seq - 1 > before->event.seq) {
        uint8_t id8[8];
        memcpy(id8, e.prev.bytes, sizeof id8);
        uint64_t arrival = f->walk_left ? log_find(f->txn, feed_number, e.seq - 1, id8) : 0;
        if (!arrival || log_read_unverified(f->txn, arrival, &e)) return true;
        f->walk_left--;
    }
    return event_id_equal(&e.prev, &before->event.id);
}

/* `chain`: the events of one feed by number. In a forked feed the branches know nothing of each
 * other, and each is judged by itself. */
static void chain_check(struct fold *f, struct fold_item **chain, size_t count)
{
    struct feed_row feed;
    bool forked =
        count > 1 && feed_find(f->txn, &chain[0]->event.feed, &feed) && feed.head_count > 1;
    uint32_t deepest = chain[0]->event.depth;
    for (size_t i = 1; i < count; i++) {
        struct fold_item *item = chain[i];
        if (item->event.depth > deepest) {
            deepest = item->event.depth;
            continue;
        }
        bool grows = true;
        for (size_t j = 0; grows && forked && j < i; j++)
            if (chain[j]->event.depth >= item->event.depth && chain[j]->event.seq < item->event.seq)
                grows = !descends(f, feed.number, item, chain[j]);
        if (!forked || !grows)
            fold_mark(item, EFFECT_BAD_DEPTH, N_("depth does not grow within its feed"));
    }
}

static void depth_check(struct fold *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct fold_item *item = f->order[i];
        if ((item->event.depth == 0) != item->event.founding)
            fold_mark(item, EFFECT_BAD_DEPTH, N_("only a founding event has depth 0"));
        else if (item->event.depth > item->place + DEPTH_AHEAD_MAX)
            fold_mark(item, EFFECT_BAD_DEPTH, N_("depth is too far beyond its place"));
    }
    if (f->count < 2) return;
    f->walk_left = FORK_WALK_MAX;
    qsort(f->order, f->count, sizeof *f->order, by_chain);
    for (size_t first = 0, end; first < f->count; first = end) {
        for (end = first + 1; end < f->count; end++)
            if (chain_compare(&f->order[first]->event, &f->order[end]->event) != 0) break;
        chain_check(f, f->order + first, end - first);
    }
    for (size_t i = 0; i < f->count; i++) f->order[i] = NULL;
    for (size_t i = 0; i < f->count; i++) f->order[f->items[i].place] = &f->items[i];
}

/* --- what holds for every kind ------------------------------------------------------------ */

static bool author_may(const struct fold *f, const struct fold_item *item, const struct kind *kind)
{
    const struct scope *scope = &item->event.feed.scope;
    if (!(kind_roles(kind, scope_class(scope)) & item->roles)) return false;
    return fold_is_roster(f->type) || roster_may_author(f->roster, &item->event.feed.author, scope);
}

static bool too_long_for_all(const struct fold *f, const struct fold_item *item)
{
    return !fold_is_roster(f->type) && !item->township &&
           scope_class(&item->event.feed.scope) == SCOPE_TOWN &&
           item->event.body.size > EVENT_TOWN_BODY_SIZE_MAX;
}

static void item_check(const struct fold *f, struct fold_item *item)
{
    const struct event *e = &item->event;
    const struct kind *kind = kind_find(e->kind);
    enum effect depth = item->effect;
    struct kind_problem problem = {.what = ""};

    if (body_ext_unknown(e->ext)) {
        fold_mark(item, EFFECT_EXT, N_("carries an extension that this version does not know"));
    } else if (!kind) {
        fold_mark(item, EFFECT_UNKNOWN_KIND, N_("kind is not known to this version"));
    } else if (f->type == THING_NONE) {
        fold_mark(item, EFFECT_IMPOSSIBLE, N_("the event that founds this thing is not held"));
    } else if (kind->thing != f->type && kind->thing != THING_ANY) {
        fold_mark(item, EFFECT_IMPOSSIBLE, N_("is about another type of thing"));
    } else if (kind->founding != e->founding || (e->founding && item != f->founder)) {
        fold_mark(item, EFFECT_IMPOSSIBLE,
                  kind->founding ? N_("the thing is founded already") : N_("cannot found a thing"));
    } else if (!author_may(f, item, kind)) {
        fold_mark(item, EFFECT_FORBIDDEN, N_("its author's role or scope does not allow it"));
    } else if (depth != EFFECT_COUNTS) {
        return;
    } else if (too_long_for_all(f, item)) {
        fold_mark(item, EFFECT_LIMIT,
                  N_("body is too long for an event of a village to all nodes"));
    } else if (kind_check(kind, e->body, SLICE_EMPTY, true, &problem) != OK ||
               kind_check_scope(kind, scope_class(&e->feed.scope), e->body, &problem) != OK) {
        fold_mark(item, EFFECT_BAD_FIELD, problem.what);
        memcpy(item->field, problem.field, sizeof item->field);
    } else if (erasure_refuses(e, item->roles)) {
        fold_mark(item, EFFECT_BAD_FIELD, erasure_refuses(e, item->roles));
    }
}

static void fold_begin(struct fold *f, struct txn *t, const struct thing_key *key)
{
    f->txn = t;
    f->key = *key;
    f->type = THING_NONE;
    f->founder = NULL;
    f->count = 0;
    f->damaged = 0;
    f->bound = false;
    f->erases = false;
    buf_reset(&f->row);
}

enum err fold_onto(struct fold *f, struct txn *t, const struct thing_key *key, struct slice row,
                   const struct event *next, bool *done)
{
    const struct kind *kind = kind_find(next->kind);
    *done = kind && kind->thing == THING_REQUEST && !next->founding && row.size;
    if (!*done) return OK;
    fold_begin(f, t, key);
    enum err err = gather_add(f, next, 0, false);
    if (err) return err;
    f->type = THING_REQUEST;
    f->order[0] = &f->items[0];
    f->order[0]->place = next->seen;
    item_check(f, f->order[0]);
    *done = request_fold_onto(f, row);
    return f->row.err;
}

enum err fold_thing(struct fold *f, struct txn *t, const struct thing_key *key,
                    const struct event *sole)
{
    fold_begin(f, t, key);
    enum err err = gather(f, sole);
    if (err) return err;
    depth_check(f);
    for (size_t i = 0; i < f->count; i++) item_check(f, f->order[i]);
    if (thing_is_plain(f->type))
        thing_fold(f);
    else if (f->type != THING_NONE)
        type_folds[f->type](f);
    return f->row.err ? f->row.err : txn_error(t);
}

void fold_clear(struct fold *f)
{
    free(f->items);
    free(f->order);
    buf_clear(&f->row);
    thing_work_clear(&f->work);
    *f = (struct fold){0};
}
