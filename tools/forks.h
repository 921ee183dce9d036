#pragma once
/*
 * What the admin is told of forks: which device, from which number on there are two versions, and,
 * once the device has said so (feed.continued), why and on which machine it goes on. Feeds that
 * were left for another without a fork are told too: a backup was put back there.
 */
#include "node/machine.h"
#include "node/views/roster.h"
#include "tools/cli.h"

#define FORK_NEWS_MS (UINT64_C(30) * 24 * 3600 * 1000) /* for so long a settled one is told */

struct fork {
    const struct device *device; /* NULL: an authority's feed */
    const struct feed_row *feed; /* borrowed */
    uint64_t at;                 /* the first number with two versions; 0: it has one head */
    bool settled;                /* each of its heads is named by a feed that continues it */
    uint64_t continued_ms;       /* when that was last said; 0: never */
    char cause[16];              /* restored, rolled_back, copied, forked; "" */
    char machine[MACHINE_NAME_SIZE + 1];
};
struct forks {
    struct fork *all; /* owned */
    size_t count;
};
/* Of all among `feeds`. Errors: ERR_NOMEM, the transaction's. */
MUST_CHECK enum err forks_find(struct forks *out, struct txn *txn, const struct roster *roster,
                               const struct feed_row *feeds, size_t feed_count);
void forks_clear(struct forks *f);
/* Is it to be told at this time? */
bool fork_is_news(const struct fork *f, uint64_t now_ms);
/* Of one that is news, in a sentence. */
const char *fork_words(struct cli *cli, const struct fork *f);
