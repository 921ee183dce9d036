#pragma once
/*
 * feed.continued read back: which heads of a feed the first event of another feed names.
 */
#include "node/store/log.h"

/* The event with the number on the way to a head; 0: none. */
uint64_t continued_ancestor(struct txn *txn, const struct feed_row *feed, const struct head *head,
                            uint64_t seq);
/* The first event of a feed, when that is feed.continued. Borrowed from the transaction. */
bool continued_first(struct txn *txn, const struct feed_row *feed, struct event *out);
/* Which of the feed's present heads the body names, as bits. `of_feed`: it names the feed, be it by
 * a head that has been passed since. */
unsigned continued_heads(const struct feed_row *feed, struct slice body, bool *of_feed);
