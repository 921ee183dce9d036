#include "node/views/visible.h"

#include <stdlib.h>

/* Of these so many are looked at for those that are shown. */
#define FOUND_MAX 64

bool visible_by(const struct device *self, const struct scope *scope)
{
    return scope_class(scope) != SCOPE_OFFICE || (self && device_is_township(self));
}

static int compare_arrivals(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void gather_office(struct visible *s, struct txn *t, const struct scope_row *scope)
{
    const size_t most = s->hidden_count + scope->events;
    struct thing_key key = {.scope_number = scope->number};
    while (thing_each(t, &key) && key.scope_number == scope->number) {
        struct thing_cursor cursor = {
            .txn = t, .scope_number = key.scope_number, .thing = key.thing};
        for (uint64_t arrival; s->hidden_count < most && (arrival = thing_next(&cursor)) != 0;)
            s->hidden[s->hidden_count++] = arrival;
    }
}

/* What stands aside is no record of anything; `sidan log --aside` alone shows it. */
static enum err gather(struct visible *s, struct txn *t, const struct scope_row *office)
{
    const uint64_t aside = aside_count(t);
    struct aside_cursor cursor = {.txn = t};
    s->hidden = calloc(aside + (office ? office->events : 0) + 1, sizeof *s->hidden);
    if (!s->hidden) return ERR_NOMEM;
    for (uint64_t arrival; s->hidden_count < aside && (arrival = aside_next(&cursor)) != 0;)
        s->hidden[s->hidden_count++] = arrival;
    if (office) gather_office(s, t, office);
    qsort(s->hidden, s->hidden_count, sizeof *s->hidden, compare_arrivals);
    return OK;
}

enum err visible_begin(struct visible *out, struct txn *t, const struct roster *roster)
{
    const struct scope office = scope_office();
    struct scope_row scope;
    struct visible s = {0};
    s.all = visible_by(roster_device(roster, &store_identity(txn_store(t))->device), &office);
    bool hides = !s.all && scope_find(t, &office, &scope);
    enum err err = hides || aside_count(t) ? gather(&s, t, hides ? &scope : NULL) : OK;
    if (!err) err = txn_error(t);
    if (err) {
        visible_end(&s);
        return err;
    }
    s.events = log_count(t) - s.hidden_count;
    *out = s;
    return OK;
}

void visible_end(struct visible *s)
{
    free(s->hidden);
    *s = (struct visible){0};
}

bool visible_scope(const struct visible *s, const struct scope *scope)
{
    return s->all || scope_class(scope) != SCOPE_OFFICE;
}

/* How many hidden ones have arrived up to and with this one. */
static size_t hidden_up_to(const struct visible *s, uint64_t arrival)
{
    size_t low = 0, high = s->hidden_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->hidden[middle] <= arrival)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool visible_arrival(const struct visible *s, uint64_t arrival)
{
    size_t count = hidden_up_to(s, arrival);
    return count == 0 || s->hidden[count - 1] != arrival;
}

uint64_t visible_number(const struct visible *s, uint64_t arrival)
{
    return arrival - hidden_up_to(s, arrival);
}

void visible_progress(const struct visible *s, uint64_t *done, uint64_t *total)
{
    *total -= *total < s->hidden_count ? *total : s->hidden_count;
    if (*done > *total) *done = *total;
}

size_t visible_find_prefix(const struct visible *s, struct txn *t, const uint8_t *prefix,
                           size_t nibbles, struct thing_key *out, size_t max)
{
    struct thing_key found[FOUND_MAX];
    struct scope_row scope;
    size_t count = 0;
    if (s->all) return thing_find_prefix(t, prefix, nibbles, out, max);
    size_t all = thing_find_prefix(t, prefix, nibbles, found, FOUND_MAX);
    for (size_t i = 0; i < all && count < max; i++)
        if (scope_get(t, found[i].scope_number, &scope) && visible_scope(s, &scope.scope))
            out[count++] = found[i];
    return count;
}
