/* What the roster takes away: whose events do not count any more, and where they end (SPEC 10.9).
 */
#include "node/store/local.h"
#include "node/views/state.h"

#include <stdlib.h>

#define THINGS_MAX 4096u /* folded at once; more are folded by a rebuild */

static void gather(void *state, uint32_t scope_number, const struct thing_id *thing)
{
    struct cut_things *c = state;
    if (c->count == THINGS_MAX || c->err) {
        c->more = true;
        return;
    }
    if (!c->items) c->items = calloc(THINGS_MAX, sizeof *c->items);
    if (!c->items) {
        c->err = ERR_NOMEM;
        return;
    }
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].scope_number == scope_number && thing_id_equal(&c->items[i].thing, thing))
            return;
    c->items[c->count++] = (struct touched){.scope_number = scope_number, .thing = *thing};
}

bool views_is_nobody(const struct roster *r, const struct sign_key *author)
{
    return r->founded && !roster_device(r, author) && !roster_is_authority(r, author) &&
           !roster_is_recovery(r, author);
}

/* What counts of this author; false: all of it. */
static bool cuts_of(const struct roster *r, const struct sign_key *author,
                    const struct head_named **cuts, size_t *count)
{
    static const struct head_named none;
    const struct device *d = roster_device(r, author);
    uint32_t at;
    for (size_t i = 0; i + 1 < r->authority_count; i++) {
        if (!sign_key_equal(&r->authorities[i].key, author)) continue;
        at = r->authorities[i].cuts_at;
        *count = r->authorities[i].cut_count;
        *cuts = *count ? &r->cuts[at] : &none;
        return true;
    }
    *count = 0;
    *cuts = &none;
    if (views_is_nobody(r, author)) return true;
    if (!d || d->state != DEVICE_REVOKED) return false;
    *count = d->cut_count;
    *cuts = *count ? &r->cuts[d->cuts_at] : &none;
    return true;
}

static void cut(struct txn *t, const struct roster *r, const struct sign_key *author,
                const struct log_cutting *cutting)
{
    const struct head_named *cuts = NULL;
    size_t count = 0;
    if (!cuts_of(r, author, &cuts, &count)) cuts = NULL;
    if (log_cut(t, author, cuts, count, cutting) && cuts) peer_unfinished_delete(t, author);
}

enum err views_cut(struct views *v, struct txn *t, struct cut_things *out)
{
    static const struct sign_key none;
    const struct roster *r = v->roster;
    const struct log_cutting cutting = {.touched = gather, .state = out};
    struct sign_key author = none;
    *out = (struct cut_things){0};
    while (log_cut_next(t, &author)) cut(t, r, &author, &cutting);
    for (size_t i = 0; i + 1 < r->authority_count; i++) cut(t, r, &r->authorities[i].key, &cutting);
    for (size_t i = 0; i < r->device_count; i++)
        for (size_t k = 0;
             r->devices[i].state == DEVICE_REVOKED && roster_key_at(r, &r->devices[i], k, &author);
             k++)
            if (!sign_key_equal(&author, &none)) cut(t, r, &author, &cutting);
    struct feed_row feed;
    for (uint32_t n = 1; n <= feed_count(t) && feed_get(t, n, &feed); n++)
        if (views_is_nobody(r, &feed.feed.author)) cut(t, r, &feed.feed.author, &cutting);
    return out->err ? out->err : txn_error(t);
}

static bool is_of_roster(struct txn *t, uint64_t arrival, struct event *e)
{
    if (log_read_any(t, arrival, e)) return false;
    const struct kind *kind = kind_find(e->kind);
    return kind && fold_is_roster(kind->thing);
}

enum err views_uncut(struct txn *t, struct cut_things *out)
{
    const struct log_cutting cutting = {.touched = gather, .state = out};
    const struct scope town = scope_town();
    struct scope_row scope;
    *out = (struct cut_things){0};
    if (!scope_find(t, &town, &scope)) return txn_error(t);
    struct aside_cursor c = {.txn = t, .after_size = 4};
    be32_put(c.after, scope.number);
    for (uint64_t arrival; (arrival = aside_next(&c)) && be32_get(c.after) == scope.number;) {
        struct event e;
        if (!is_of_roster(t, arrival, &e)) continue;
        const struct sign_key author = e.feed.author;
        log_cut_lift(t, &author, scope.number, &cutting);
    }
    return out->err ? out->err : txn_error(t);
}

void cut_things_clear(struct cut_things *c)
{
    free(c->items);
    *c = (struct cut_things){0};
}
