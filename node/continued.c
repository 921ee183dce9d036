#include "node/continued.h"

#include "node/views/body.h"

#include <string.h>

uint64_t continued_ancestor(struct txn *txn, const struct feed_row *feed, const struct head *head,
                            uint64_t seq)
{
    uint64_t arrival;
    size_t count;
    if (log_branch(txn, feed, head, seq, seq, &arrival, &count) != OK || count != 1) return 0;
    return arrival;
}

bool continued_first(struct txn *txn, const struct feed_row *feed, struct event *out)
{
    uint64_t arrival = feed->head_count ? continued_ancestor(txn, feed, &feed->heads[0], 1) : 0;
    return arrival && log_read_unverified(txn, arrival, out) == OK &&
           slice_is_text(out->kind, KIND_CONTINUED);
}

unsigned continued_heads(const struct feed_row *feed, struct slice body, bool *of_feed)
{
    struct mp_reader rows;
    unsigned heads = 0;
    if (!mp_map_get(body, "heads", &rows)) return 0;
    size_t count = mp_read_array(&rows, CUT_HEADS_MAX);
    for (size_t i = 0; i < count && !rows.err; i++) {
        mp_read_array(&rows, 3);
        struct slice feed8 = mp_read_bin(&rows, 8);
        uint64_t seq = mp_read_uint(&rows, UINT64_MAX);
        struct slice id = mp_read_bin(&rows, 16);
        if (rows.err || feed8.size != 8 || id.size != 16) continue;
        if (memcmp(feed8.data, feed->id.bytes, 8) != 0) continue;
        *of_feed = true;
        for (size_t h = 0; h < feed->head_count; h++)
            if (feed->heads[h].seq == seq && memcmp(feed->heads[h].id.bytes, id.data, 16) == 0)
                heads |= 1u << h;
    }
    return heads;
}
