#include "node/views/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/views/state.h"

static const char *const effect_names[] = {
    [EFFECT_COUNTS] = "counts",       [EFFECT_UNKNOWN_KIND] = "unknown-kind",
    [EFFECT_FORBIDDEN] = "forbidden", [EFFECT_IMPOSSIBLE] = "impossible",
    [EFFECT_BAD_FIELD] = "bad-field", [EFFECT_BAD_DEPTH] = "bad-depth",
    [EFFECT_EXT] = "extension",       [EFFECT_LIMIT] = "limit",
};

const char *effect_name(enum effect e)
{
    return (size_t)e < sizeof effect_names / sizeof effect_names[0] ? effect_names[e] : "?";
}

/* --- copies that outlive the transaction --------------------------------------------------- */

static void slice_move(struct slice *s, const uint8_t *from, const uint8_t *to)
{
    if (s->data) s->data = to + (s->data - from);
}

/* A box that cannot be opened is shown as one that is not here. */
static void event_copy(struct txn *t, struct event *out, const struct event *e, struct buf *bytes)
{
    *out = *e;
    const uint8_t *header = bytes->data + bytes->size;
    buf_append_slice(bytes, e->header);
    const uint8_t *box = bytes->data + bytes->size;
    if (e->box_state == BOX_LOCKED) {
        if (log_open_box(t, out, bytes)) out->box_state = BOX_GONE;
    } else {
        buf_append_slice(bytes, e->box);
        slice_move(&out->box, e->box.data, box);
    }
    slice_move(&out->kind, e->header.data, header);
    slice_move(&out->body, e->header.data, header);
    slice_move(&out->ext, e->header.data, header);
    slice_move(&out->header, e->header.data, header);
}

static void item_copy(struct txn *t, struct history_item *out, const struct fold_item *item,
                      struct buf *bytes)
{
    event_copy(t, &out->event, &item->event, bytes);
    out->arrival = item->arrival;
    out->place = item->place;
    out->both_changed = !item->event.founding && item->place > item->event.seen;
    out->effect = item->effect;
    snprintf(out->reason, sizeof out->reason, "%.31s%s%.60s", item->field,
             item->field[0] ? " " : "", item->what);
    snprintf(out->state_after, sizeof out->state_after, "%s", item->state_after);
}

/* Of a held thing, what its events are about. */
static enum thing_type guess_type(const struct fold *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct kind *kind = kind_find(f->order[i]->event.kind);
        if (kind) return kind->thing;
    }
    return THING_NONE;
}

enum err views_history(struct views *v, struct txn *t, uint32_t scope_number,
                       const struct thing_id *thing, struct history *out)
{
    enum err err = views_fold_begin(v, t);
    if (err) return err;
    struct fold *f = &v->fold;
    err = fold_thing(f, t, &(struct thing_key){scope_number, *thing}, NULL);
    if (err) return err;
    if (!f->count) return ERR_NOT_FOUND;

    size_t size = 0;
    for (size_t i = 0; i < f->count; i++)
        size += f->order[i]->event.header.size + f->order[i]->event.box.size;
    struct history h = {.type = f->type ? f->type : guess_type(f), .total = f->total};
    h.items = calloc(f->count, sizeof *h.items);
    /* all at once: the copies point into it */
    if (!h.items || !buf_reserve(&h.bytes, size)) {
        err = h.bytes.err ? h.bytes.err : ERR_NOMEM;
        history_clear(&h);
        return err;
    }
    h.count = f->count;
    for (size_t i = 0; i < f->count; i++) item_copy(t, &h.items[i], f->order[i], &h.bytes);
    *out = h;
    return OK;
}

void history_clear(struct history *h)
{
    free(h->items);
    buf_clear(&h->bytes);
    *h = (struct history){0};
}

/* --- outlook ------------------------------------------------------------------------------- */

static int by_depth(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* A depth that a hostile author made up must not carry later acts away with it, and the next depth
 * may not exceed `seen`. */
static void depths_weigh(uint32_t *depths, size_t count, struct thing_outlook *out)
{
    uint32_t greatest = 0;
    if (count == 0) return;
    qsort(depths, count, sizeof *depths, by_depth);
    for (size_t i = 0; i < count; i++)
        if (depths[i] <= i + DEPTH_AHEAD_MAX) greatest = depths[i];
    out->depth_max = greatest < count ? greatest : (uint32_t)count - 1;
    out->deepest = depths[count - 1] <= out->depth_max;
}

static MUST_CHECK enum err outlook_read(struct outlook_memo *memo, struct txn *t)
{
    struct buf depths = {0};
    struct thing_cursor cursor = {
        .txn = t, .scope_number = memo->key.scope_number, .thing = memo->key.thing};
    uint32_t events = 0;
    enum thing_type type = THING_NONE;
    enum err err = OK;
    for (uint64_t arrival; !err && (arrival = thing_next(&cursor)) != 0; events++) {
        struct event e;
        err = log_read_unverified(t, arrival, &e);
        const struct kind *kind = !err && e.founding ? kind_find(e.kind) : NULL;
        if (kind && kind->founding) type = kind->thing;
        if (!err && events < THING_EVENTS_MAX) buf_append(&depths, &e.depth, sizeof e.depth);
    }
    if (!err) err = depths.err ? depths.err : txn_error(t);
    if (!err) {
        uint32_t *all = (uint32_t *)(void *)depths.data;
        memo->arrival = cursor.after;
        memo->outlook = (struct thing_outlook){
            .exists = events > 0,
            .type = type,
            .events = events,
        };
        depths_weigh(all, depths.size / sizeof *all, &memo->outlook);
    }
    buf_clear(&depths);
    return err;
}

/* Goes on behind the events of the memo. Only while each act had the next depth: one of that depth
 * changes no other's place then. False: all is to be read. */
static bool outlook_go_on(struct outlook_memo *memo, struct txn *t)
{
    struct thing_outlook *o = &memo->outlook;
    struct thing_cursor cursor = {t, memo->key.scope_number, memo->key.thing, memo->arrival};
    struct event e;
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0; memo->arrival = arrival) {
        bool next = o->events && o->depth_max + 1 == o->events && o->events < THING_EVENTS_MAX;
        if (!next || log_read_unverified(t, arrival, &e) || e.founding || e.depth != o->events)
            return false;
        o->depth_max = o->events++;
    }
    return true;
}

enum err views_outlook(struct outlook_memo *memo, struct txn *t, uint32_t scope_number,
                       const struct thing_id *thing, struct thing_outlook *out)
{
    const struct thing_key key = {scope_number, *thing};
    bool known = memo->txn == txn_serial(t) && memo->key.scope_number == scope_number &&
                 thing_id_equal(&memo->key.thing, thing);
    enum err err = OK;
    if (!known || !outlook_go_on(memo, t)) {
        *memo = (struct outlook_memo){.key = key};
        err = outlook_read(memo, t);
        memo->txn = txn_serial(t);
    }
    if (!err) err = txn_error(t);
    if (err)
        memo->txn = 0;
    else
        *out = memo->outlook;
    return err;
}
