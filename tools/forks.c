#include "tools/forks.h"

#include "common/text.h"
#include "node/continued.h"
#include "node/views/body.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- where two branches part --- */

/* Below the fork the ancestors of both are one, above it they differ: halved until it is found. */
static uint64_t parting(struct txn *txn, const struct feed_row *feed, const struct head *a,
                        const struct head *b)
{
    uint64_t low = 0, high = a->seq < b->seq ? a->seq : b->seq; /* one up to low, not at high */
    while (low + 1 < high) {
        uint64_t middle = low + (high - low) / 2;
        if (continued_ancestor(txn, feed, a, middle) == continued_ancestor(txn, feed, b, middle))
            low = middle;
        else
            high = middle;
    }
    return high;
}

static uint64_t first_parting(struct txn *txn, const struct feed_row *feed)
{
    uint64_t first = 0;
    for (size_t i = 1; i < feed->head_count; i++) {
        uint64_t at = parting(txn, feed, &feed->heads[0], &feed->heads[i]);
        if (!first || at < first) first = at;
    }
    return first;
}

/* --- what its device said of it --- */

static void take_words(struct fork *f, const struct event *e)
{
    f->continued_ms = HLC_MS(e->time);
    struct slice cause = body_text(e->body, "cause"), machine = body_text(e->body, "machine");
    text_copy(f->cause, sizeof f->cause, cause);
    text_copy(f->machine, sizeof f->machine, machine);
}

static bool may_continue(const struct roster *roster, const struct feed_row *feed,
                         const struct feed_row *other)
{
    return other != feed && other->feed.has_epoch && other->feed.lane == feed->feed.lane &&
           scope_equal(&other->feed.scope, &feed->feed.scope) &&
           sign_key_equal(roster_name(roster, &other->feed.author),
                          roster_name(roster, &feed->feed.author));
}

static void look_for_continuations(struct fork *f, struct txn *txn, const struct roster *roster,
                                   const struct feed_row *feeds, size_t count)
{
    struct event e;
    unsigned heads = 0;
    for (size_t i = 0; i < count; i++) {
        bool of_feed = false;
        if (!may_continue(roster, f->feed, &feeds[i]) || !continued_first(txn, &feeds[i], &e))
            continue;
        heads |= continued_heads(f->feed, e.body, &of_feed);
        if (of_feed && HLC_MS(e.time) >= f->continued_ms) take_words(f, &e);
    }
    f->settled = heads + 1 == 1u << f->feed->head_count;
}

enum err forks_find(struct forks *out, struct txn *txn, const struct roster *roster,
                    const struct feed_row *feeds, size_t feed_count)
{
    out->all = calloc(feed_count + 1, sizeof *out->all);
    if (!out->all) return ERR_NOMEM;
    out->count = 0;
    bool any = false; /* else no feed continues another, and nothing is to be read */
    for (size_t i = 0; i < feed_count && !any; i++)
        any = feeds[i].head_count > 1 || feeds[i].feed.has_epoch;
    for (size_t i = 0; any && i < feed_count; i++) {
        struct fork f = {.feed = &feeds[i], .device = roster_device(roster, &feeds[i].feed.author)};
        look_for_continuations(&f, txn, roster, feeds, feed_count);
        if (feeds[i].head_count > 1) f.at = first_parting(txn, &feeds[i]);
        if (f.at || f.continued_ms) out->all[out->count++] = f;
    }
    enum err err = txn_error(txn);
    if (err) forks_clear(out);
    return err;
}

void forks_clear(struct forks *f)
{
    free(f->all);
    *f = (struct forks){0};
}

/* --- words --- */

bool fork_is_news(const struct fork *f, uint64_t now_ms)
{
    if (!f->device) return false; /* an authority's: tools/trust_alarm.h */
    return (f->at && !f->settled) || f->continued_ms + FORK_NEWS_MS > now_ms;
}

static const char *cause_words(const char *cause)
{
    if (strcmp(cause, "restored") == 0) return _("a backup was put back");
    if (strcmp(cause, "rolled_back") == 0) return _("its store was put back from an older copy");
    if (strcmp(cause, "copied") == 0) return _("its folder or disk was copied or moved");
    return _("an old copy of it, or a second one, was in use");
}

const char *fork_words(struct cli *cli, const struct fork *f)
{
    const char *what =
        f->at ? cli_format(cli, _("%s: from record %" PRIu64 " on there are two versions"),
                           f->device->name, f->at)
              : cli_format(cli, _("%s goes on in a new feed"), f->device->name);
    if (!f->continued_ms) return what;
    return cli_format(cli, _("%s; %s; machine: %s"), what, cause_words(f->cause),
                      f->machine[0] ? f->machine : "?");
}
