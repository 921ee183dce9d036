#include "node/views/roster_alarm.h"

#include <string.h>

/* --- forks --- */

/* When the authority began the newest of its feeds that has one head; 0: it has none such. What
 * stands in forked feeds from before that is ended. */
static enum err began_anew(struct txn *t, const struct sign_key *authority, uint64_t *time)
{
    uint32_t feeds = feed_count(t);
    struct feed_row feed;
    *time = 0;
    for (uint32_t n = 1; n <= feeds && feed_get(t, n, &feed); n++) {
        uint64_t arrival;
        size_t count = 0;
        struct event first;
        if (!sign_key_equal(&feed.feed.author, authority) || feed.head_count != 1) continue;
        enum err err = log_branch(t, &feed, &feed.heads[0], 1, 1, &arrival, &count);
        if (!err && count) err = log_read_unverified(t, arrival, &first);
        if (err) return err;
        if (count && first.time > *time) *time = first.time;
    }
    return txn_error(t);
}

static uint64_t newest_head(const struct feed_row *feed)
{
    uint64_t time = 0;
    for (size_t h = 0; h < feed->head_count; h++)
        if (feed->heads[h].time > time) time = feed->heads[h].time;
    return time;
}

static enum err look_at_feeds(struct txn *t, const struct roster *roster, struct roster_alarm *out)
{
    uint32_t feeds = feed_count(t);
    struct feed_row feed;
    for (uint32_t n = 1; n <= feeds && feed_get(t, n, &feed); n++) {
        uint64_t ended;
        if (feed.head_count < 2 || !roster_is_authority(roster, &feed.feed.author)) continue;
        /* Of one that was replaced it is over. */
        bool replaced = !sign_key_equal(&feed.feed.author, &roster_authority(roster)->key);
        enum err err = began_anew(t, &feed.feed.author, &ended);
        if (err) return err;
        if (replaced || newest_head(&feed) < ended)
            out->forked_before++;
        else
            out->forked++;
    }
    return txn_error(t);
}

/* --- the sheet --- */

static enum err look_at_sheets(struct views *v, struct txn *t, const struct roster *roster,
                               struct roster_alarm *out)
{
    const struct scope town = scope_town();
    struct scope_row scope;
    struct history h = {.count = 0};
    if (!roster->founded || !scope_find(t, &town, &scope)) return txn_error(t);
    enum err err = views_history(v, t, scope.number, &roster->thing, &h);
    for (size_t i = 0; !err && i < h.count; i++)
        if (h.items[i].effect == EFFECT_IMPOSSIBLE &&
            slice_is_text(h.items[i].event.kind, "authority.replaced"))
            out->sheet_twice = true;
    if (!err) history_clear(&h);
    return err;
}

enum err roster_alarm(struct views *v, struct txn *t, struct roster_alarm *out)
{
    const struct roster *roster;
    *out = (struct roster_alarm){.forked = 0};
    enum err err = views_roster(v, t, &roster);
    if (!err) err = look_at_feeds(t, roster, out);
    return err ? err : look_at_sheets(v, t, roster, out);
}
