#include "node/run_taking.h"

#include "node/run_making.h"

#include <stdlib.h>

enum err run_feed_of(struct txn *t, const struct feed_ref *ref, struct feed *feed, bool *held,
                     struct feed_row *row)
{
    *held = false;
    if (!ref->whole) {
        enum err err = feed_find_id8(t, ref->id8, row);
        if (err) return ERR_BASE;
        *held = true;
        *feed = row->feed;
        return OK;
    }
    *feed = ref->feed;
    *held = feed_find(t, feed, row);
    return OK;
}

/* Bodies that a village says to the whole town are small (SPEC, "Limits"). */
static enum err within_town_limit(const struct roster *roster, const struct feed *feed,
                                  const struct event *events, size_t count)
{
    const struct device *author = roster_device(roster, &feed->author);
    if (scope_class(&feed->scope) != SCOPE_TOWN || !author || device_is_township(author)) return OK;
    for (size_t i = 0; i < count; i++)
        if (events[i].body.size > EVENT_TOWN_BODY_SIZE_MAX) return ERR_LIMIT;
    return OK;
}

bool run_is_at_fault(enum err err)
{
    switch (err) {
    case OK:
    case ERR_BASE:
    case ERR_DICTIONARY:
    case ERR_UNKNOWN_AUTHOR:
    case ERR_CORRUPT:
    case ERR_SIGNATURE:
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_CHAIN:
    case ERR_FORBIDDEN:
        return true;
    default:
        return false;
    }
}

/* The base, the dictionary and what is in the run, by what this store holds. */
enum err run_take(struct run_decoder *decoder, struct arrival *a, const struct roster *roster,
                  const struct run *run, const struct feed *feed, const struct feed_row *row)
{
    struct txn *t = arrival_txn(a);
    struct head base = {.seq = run->base_seq};
    struct event *dictionary = NULL;
    struct buf boxes = {0};
    size_t dictionary_count = 0, count = 0, fresh = 0;
    const struct event *events = NULL;
    enum err err = OK;
    if (base.seq) {
        struct event before;
        uint64_t arrival = row ? log_find(t, row->number, base.seq, run->base_id8) : 0;
        if (!arrival) return ERR_BASE;
        err = log_read(t, arrival, &before);
        if (err) return err;
        base.id = before.id;
        base.time = before.time;
    }
    if (run->has_dictionary && base.seq)
        err = run_dictionary_events(t, row, &base, &dictionary, &dictionary_count, &boxes);
    const struct run_base run_base = {.id = base.id, .time = base.time};
    if (!err)
        err = run_open(decoder, run, feed, base.seq ? &run_base : NULL, dictionary,
                       dictionary_count, &events, &count);
    if (!err) err = within_town_limit(roster, feed, events, count);
    if (!err) err = arrival_take(a, events, count, &fresh);
    free(dictionary);
    crypto_buf_wipe(&boxes);
    return err;
}
