#include "node/arrival.h"

#include <stdlib.h>
#include <string.h>

struct arrival {
    struct views *views;
    struct txn *txn;
    struct touched *touched; /* by one call of arrival_add, each thing once */
    size_t touched_count, capacity;
    uint32_t *slots;   /* index over `touched`: open addressing, position + 1 */
    size_t slot_count; /* a power of two, at least twice the capacity */
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
    return err ? err : begin(out, s, v);
}

struct txn *arrival_txn(struct arrival *a)
{
    return a->txn;
}

static enum err make_room(struct arrival *a, size_t count)
{
    a->touched_count = 0;
    if (count > a->capacity) {
        size_t slot_count = 16;
        while (slot_count < 2 * count) slot_count *= 2;
        struct touched *touched = realloc(a->touched, count * sizeof *touched);
        if (touched) a->touched = touched;
        uint32_t *slots = realloc(a->slots, slot_count * sizeof *slots);
        if (slots) a->slots = slots;
        if (!touched || !slots) return ERR_NOMEM;
        a->capacity = count;
        a->slot_count = slot_count;
    }
    memset(a->slots, 0, a->slot_count * sizeof *a->slots);
    return OK;
}

static size_t slot_of(const struct arrival *a, const struct thing_id *thing)
{
    /* Time and hash of the founding event; whatever a hostile author puts here costs only itself a
     * longer walk over one call's things. */
    uint64_t mixed = be64_get(thing->bytes) ^ be64_get(thing->bytes + 8);
    return (size_t)(mixed * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (a->slot_count - 1);
}

/* All events of one call are of one feed, thus of one scope. */
static void touch(struct arrival *a, const struct event *e, const struct appended *did)
{
    size_t slot = slot_of(a, &e->subject);
    for (; a->slots[slot]; slot = (slot + 1) & (a->slot_count - 1)) {
        struct touched *known = &a->touched[a->slots[slot] - 1];
        if (!thing_id_equal(&known->thing, &e->subject)) continue;
        known->sole = NULL;
        return;
    }
    a->touched[a->touched_count++] = (struct touched){
        .scope_number = did->scope_number,
        .thing = e->subject,
        .sole = e->founding && did->first_of_thing ? e : NULL,
    };
    a->slots[slot] = (uint32_t)a->touched_count;
}

enum err arrival_add(struct arrival *a, const struct event *events, size_t count, size_t *fresh)
{
    struct appended did;
    size_t appended = 0;
    enum err err = log_check(a->txn, events, count);
    if (!err) err = make_room(a, count);
    if (err) return err;
    for (size_t i = 0; i < count; i++) {
        log_append(a->txn, &events[i], &did);
        if (!did.arrival) continue;
        touch(a, &events[i], &did);
        appended++;
    }
    err = txn_error(a->txn);
    if (!err && a->touched_count) err = views_fold(a->views, a->txn, a->touched, a->touched_count);
    if (err)
        txn_fail(a->txn, err); /* half folded: nothing of this transaction may stay */
    else
        *fresh = appended;
    return err;
}

static void arrival_free(struct arrival *a)
{
    free(a->touched);
    free(a->slots);
    free(a);
}

enum err arrival_commit(struct arrival *a)
{
    enum err err = txn_commit(a->txn);
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
