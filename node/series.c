#include "node/series.h"

#include <stdlib.h>
#include <string.h>

#define META_CONFIRMED "series.confirmed" /* by a person: how often they had been moved by then */

static const struct device *self_of(struct txn *t, const struct roster *roster)
{
    return roster_device(roster, &store_identity(txn_store(t))->device);
}

/* --- who gave them before ------------------------------------------------------------------ */

static bool holds_all(struct txn *t, struct slice points)
{
    struct peer_have p;
    while (handover_next(&points, &p)) {
        struct feed_row feed;
        if (feed_find_id8(t, p.feed8, &feed) || !log_find(t, feed.number, p.seq, p.id8))
            return false;
    }
    return true;
}

const struct device *series_awaited(struct txn *t, const struct roster *roster, size_t *at)
{
    const struct device *self = self_of(t, roster);
    if (meta_get_uint(t, META_CONFIRMED) == roster->series_count) return NULL;
    while (*at < roster->series_count) {
        const struct device *d = roster_hub_after(roster, (*at)++);
        struct slice points;
        if (!d || d == self) continue;
        if (!handover_get(t, &d->first, roster->series_count, &points) || !holds_all(t, points))
            return d;
    }
    return NULL;
}

enum series_state series_state(struct txn *t, const struct roster *roster)
{
    size_t at = 0;
    const struct device *self = self_of(t, roster), *hub = roster_hub(roster);
    if (!self || self != hub) return SERIES_ELSEWHERE;
    if (!roster->series_count) return SERIES_HERE;
    return series_awaited(t, roster, &at) ? SERIES_WAITS : SERIES_HERE;
}

void series_confirm(struct txn *t, const struct roster *roster)
{
    meta_put_uint(t, META_CONFIRMED, roster->series_count);
}

/* --- what they told ------------------------------------------------------------------------ */

/* The event that moved them last. */
static enum err find_move(struct views *v, struct txn *t, const struct roster *roster,
                          struct feed_id *feed, uint64_t *seq)
{
    const struct scope town = scope_town();
    struct scope_row scope;
    struct history h = {.count = 0};
    *seq = 0;
    if (!roster->founded || !scope_find(t, &town, &scope)) return txn_error(t);
    enum err err = views_history(v, t, scope.number, &roster->thing, &h);
    if (err) return err;
    for (size_t i = 0; i < h.count; i++) {
        const struct history_item *item = &h.items[i];
        if (item->effect != EFFECT_COUNTS || !slice_is_text(item->event.kind, "series.moved"))
            continue;
        feed_id_of(feed, &item->event.feed);
        *seq = item->event.seq;
    }
    history_clear(&h);
    return OK;
}

/* A branch of it that may lead elsewhere does not tell. */
static bool shows(struct txn *t, const struct peer_have *have, const struct feed_id *id,
                  uint64_t seq)
{
    struct feed_row feed;
    return memcmp(have->feed8, id->bytes, sizeof have->feed8) == 0 && have->seq >= seq &&
           feed_find_id8(t, have->feed8, &feed) == OK && feed.head_count == 1 &&
           log_find(t, feed.number, have->seq, have->id8);
}

enum err series_known(struct views *v, struct txn *t, const struct series_vector *vector,
                      bool *known)
{
    const struct roster *roster;
    struct feed_id feed;
    uint64_t seq;
    *known = false;
    enum err err = views_roster(v, t, &roster);
    if (!err) err = find_move(v, t, roster, &feed, &seq);
    for (size_t i = 0; !err && seq && i < vector->count && !*known; i++)
        *known = shows(t, &vector->have[i], &feed, seq);
    return err ? err : txn_error(t);
}

/* A feed that is not known yet may be its own. */
static bool may_be_of(struct txn *t, const struct roster *roster, const struct device *hub,
                      const struct peer_have *point)
{
    struct feed_row feed;
    return feed_find_id8(t, point->feed8, &feed) || roster_has_key(roster, hub, &feed.feed.author);
}

enum err series_note(struct views *v, struct txn *t, const struct series_vector *vector)
{
    const struct roster *roster;
    enum err err = views_roster(v, t, &roster);
    struct peer_have *own = calloc(vector->count + 1, sizeof *own);
    size_t count = 0;
    if (!err && !own) err = ERR_NOMEM;
    for (size_t i = 0; !err && i < vector->count; i++)
        if (may_be_of(t, roster, vector->hub, &vector->have[i])) own[count++] = vector->have[i];
    if (!err) handover_put(t, &vector->hub->first, roster->series_count, own, count);
    free(own);
    return err ? err : txn_error(t);
}
