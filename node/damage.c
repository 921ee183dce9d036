#include "node/damage.h"

#define META_DAMAGED "damaged"

void damage_add(struct damage *d, uint64_t arrival)
{
    if (arrival == 0 || d->count == DAMAGE_KEPT_MAX) return;
    for (size_t i = 0; i < d->count; i++)
        if (d->arrivals[i] == arrival) return;
    d->arrivals[d->count++] = arrival;
}

void damage_read(struct txn *t, struct damage *out)
{
    struct slice value;
    *out = (struct damage){0};
    if (!meta_get(t, META_DAMAGED, &value)) return;
    for (size_t at = 0; at + 8 <= value.size; at += 8) damage_add(out, be64_get(value.data + at));
}

void damage_write(struct txn *t, const struct damage *d)
{
    uint8_t bytes[DAMAGE_KEPT_MAX * 8];
    for (size_t i = 0; i < d->count; i++) be64_put(bytes + 8 * i, d->arrivals[i]);
    if (d->count)
        meta_put(t, META_DAMAGED, slice_of(bytes, d->count * 8));
    else
        meta_delete(t, META_DAMAGED);
}

static void still_damaged(void *state, uint64_t arrival, enum err err, const char *what)
{
    (void)err;
    (void)what;
    damage_add(state, arrival);
}

enum err damage_recheck(struct store *s, struct damage *out)
{
    struct txn *t;
    struct damage kept;
    struct audit_result result;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    damage_read(t, &kept);
    txn_abort(t);
    *out = (struct damage){0};
    for (size_t i = 0; i < kept.count && !err; i++) {
        const struct audit_options one = {.first_arrival = kept.arrivals[i],
                                          .last_arrival = kept.arrivals[i],
                                          .problem = still_damaged,
                                          .state = out};
        err = audit_run(s, &one, &result);
    }
    return err;
}
