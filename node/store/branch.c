/* Walks along one branch of a feed, by the chain index. */
#include "node/store/txn.h"

#include <string.h>

struct link {
    uint64_t seq;
    uint64_t arrival;
    uint8_t id8[8];
};

static enum err link_read(struct slice key, struct slice value, struct link *out)
{
    if (key.size != CHAIN_KEY_SIZE || value.size != 8) return ERR_CORRUPT;
    out->seq = be64_get(key.data + 4);
    memcpy(out->id8, key.data + 12, 8);
    out->arrival = be64_get(value.data);
    return OK;
}

/* The last event of a feed with a number up to `seq`, and whether others have the same number.
 * Errors: ERR_CORRUPT (there is none with exactly `seq`). */
static enum err last_at(struct txn *t, uint32_t feed, uint64_t seq, struct link *out, bool *alone)
{
    static const uint8_t none[8];
    struct key key;
    struct slice found, value;
    struct link before;
    key_chain(&key, feed, seq + 1, none);
    if (!db_find_before(t, DB_CHAIN, key_slice(&key), &found, &value))
        return t->err ? t->err : ERR_CORRUPT;
    enum err err = link_read(found, value, out);
    if (err) return err;
    if (memcmp(found.data, key.bytes, 4) != 0 || out->seq != seq) return ERR_CORRUPT;
    *alone = true;
    if (!db_previous(t, DB_CHAIN, &found, &value)) return t->err;
    err = link_read(found, value, &before);
    if (!err && memcmp(found.data, key.bytes, 4) == 0 && before.seq == seq) *alone = false;
    return err;
}

/* The event before `at` on its branch. */
static enum err step_back(struct txn *t, uint32_t feed, struct link *at)
{
    struct link before;
    bool alone;
    if (at->seq < 2) return ERR_BASE;
    enum err err = last_at(t, feed, at->seq - 1, &before, &alone);
    if (err) return err;
    if (!alone) {
        struct event e;
        err = log_read_any(t, at->arrival, &e);
        if (err) return err;
        memcpy(before.id8, e.prev.bytes, 8);
        before.arrival = log_find(t, feed, before.seq, before.id8);
        if (!before.arrival) return t->err ? t->err : ERR_CORRUPT;
    }
    *at = before;
    return OK;
}

/* The ancestor of `head` with number `seq`, or itself. An event that has its number for itself is
 * on every branch that reaches so far; where it has not, the next one that has is walked back from.
 */
static enum err ancestor(struct txn *t, uint32_t feed, const struct head *head, uint64_t seq,
                         struct link *out)
{
    bool alone = false;
    uint64_t at = seq;
    if (seq == 0 || seq > head->seq) return ERR_BASE;
    for (; at < head->seq; at++) {
        enum err err = last_at(t, feed, at, out, &alone);
        if (err) return err;
        if (alone) break;
    }
    if (!alone) {
        out->seq = head->seq;
        memcpy(out->id8, head->id.bytes, 8);
        out->arrival = log_find(t, feed, head->seq, head->id.bytes);
        if (!out->arrival) return t->err ? t->err : ERR_BASE;
    }
    while (out->seq > seq) {
        enum err err = step_back(t, feed, out);
        if (err) return err;
    }
    return OK;
}

enum err log_branch(struct txn *t, const struct feed_row *feed, const struct head *head,
                    uint64_t first, uint64_t last, uint64_t *arrivals, size_t *count)
{
    struct link at;
    if (first == 0) return ERR_BASE;
    if (first > last) {
        *count = 0;
        return OK;
    }
    enum err err = ancestor(t, feed->number, head, last, &at);
    while (!err) {
        arrivals[at.seq - first] = at.arrival;
        if (at.seq == first) break;
        err = step_back(t, feed->number, &at);
    }
    if (!err) *count = (size_t)(last - first + 1);
    return err;
}

size_t log_points(struct txn *t, const struct feed_row *feed, const struct head *head,
                  uint64_t seqs[], uint8_t id8s[][8], size_t max)
{
    size_t count = 0;
    uint64_t back = 0;
    struct link at;
    while (count < max && back < head->seq &&
           ancestor(t, feed->number, head, head->seq - back, &at) == OK) {
        seqs[count] = at.seq;
        memcpy(id8s[count++], at.id8, 8);
        back = back ? back * 2 : 1;
    }
    return count;
}

/* --- ends --- */

/* Does `a` lie on the way to `b`? What is damaged between them leaves both. */
static bool leads_to(struct txn *t, uint32_t feed, const struct head *a, const struct head *b)
{
    struct link at;
    return a->seq < b->seq && ancestor(t, feed, b, a->seq, &at) == OK &&
           memcmp(at.id8, a->id.bytes, sizeof at.id8) == 0;
}

size_t log_ends(struct txn *t, const struct feed_row *feed, struct head *heads, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool goes_on = false;
        for (size_t k = 0; k < count && !goes_on; k++)
            goes_on = leads_to(t, feed->number, &heads[i], &heads[k]) ||
                      (k < kept && event_id_equal(&heads[i].id, &heads[k].id));
        if (!goes_on) heads[kept++] = heads[i];
    }
    return kept;
}

size_t feed_ends(struct txn *t, const struct feed_row *feed, struct head out[FEED_BRANCHES_MAX])
{
    struct head all[2 * FEED_BRANCHES_MAX];
    memcpy(all, feed->heads, feed->head_count * sizeof *all);
    memcpy(all + feed->head_count, feed->aside, feed->aside_count * sizeof *all);
    size_t count = feed->head_count + feed->aside_count;
    if (feed->aside_count) count = log_ends(t, feed, all, count);
    if (count > FEED_BRANCHES_MAX) count = FEED_BRANCHES_MAX; /* damage alone makes it more */
    memcpy(out, all, count * sizeof *out);
    return count;
}
