/* The digest of the ids held in a scope: sorted, in bounded memory. */
#include "node/store/audit.h"
#include "node/store/txn.h"

#include <stdlib.h>
#include <string.h>

#define IDS_A_PASS ((uint64_t)1 << 20) /* 32 MiB */
#define SLICE_EVENTS 4096u

/* Ids of one pass: those whose first two bytes are from..to, of events that arrived up to `last`.
 */
struct pass {
    uint32_t from, to;
    uint64_t last;
    struct event_id *ids;
    size_t count, capacity;
};

static enum err pass_add(struct pass *p, const struct event_id *id)
{
    uint32_t place = be16_get(id->bytes);
    if (place < p->from || place > p->to) return OK;
    if (p->count == p->capacity) {
        size_t capacity = p->capacity ? p->capacity * 2 : 4096;
        struct event_id *ids = realloc(p->ids, capacity * sizeof *ids);
        if (!ids) return ERR_NOMEM;
        p->ids = ids;
        p->capacity = capacity;
    }
    p->ids[p->count++] = *id;
    return OK;
}

/* A slice of one feed's chain; *from moves behind it. *more: there may be more of the feed. */
static enum err collect_slice(struct store *s, uint32_t feed, struct key *from, struct pass *p,
                              bool *more)
{
    struct txn *t;
    struct slice key, value, record;
    struct key log;
    struct event_id id;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    *more = true;
    for (size_t n = 0; !err && *more && n < SLICE_EVENTS; n++) {
        *more = db_find(t, DB_CHAIN, key_slice(from), &key, &value) && key.size == CHAIN_KEY_SIZE &&
                value.size == 8 && be32_get(key.data) == feed;
        if (!*more) break;
        uint64_t arrival = be64_get(value.data);
        key_arrival(&log, arrival);
        if (!db_get(t, DB_LOG, key_slice(&log), &record) || !record_id(&id, record))
            err = ERR_CORRUPT;
        else if (arrival <= p->last && !record_is_aside(record))
            err = pass_add(p, &id);
        memcpy(from->bytes, key.data, key.size);
        from->bytes[key.size] = 0;
        from->size = CHAIN_KEY_SIZE + 1;
    }
    if (!err) err = txn_error(t);
    txn_abort(t);
    return err;
}

static enum err collect_feed(struct store *s, uint32_t feed, struct pass *p)
{
    static const uint8_t none[8];
    struct key from;
    bool more = true;
    enum err err = OK;
    key_chain(&from, feed, 0, none);
    while (!err && more) err = collect_slice(s, feed, &from, p, &more);
    return err;
}

/* The feeds of the scope, one after the other. */
static enum err collect(struct store *s, uint32_t scope_number, struct pass *p)
{
    p->count = 0;
    for (uint32_t number = 1;; number++) {
        struct txn *t;
        struct feed_row feed;
        enum err err = txn_begin(s, false, &t);
        if (err) return err;
        bool found = feed_get(t, number, &feed);
        err = txn_error(t);
        txn_abort(t);
        if (!err && !found) return OK;
        if (!err && feed.scope_number == scope_number) err = collect_feed(s, number, p);
        if (err) return err;
    }
}

static enum err scope_extent(struct store *s, uint32_t scope_number, uint64_t *events,
                             uint64_t *last)
{
    struct txn *t;
    struct scope_row scope;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    bool found = scope_get(t, scope_number, &scope);
    *events = found ? scope.events : 0;
    *last = log_count(t);
    err = txn_error(t);
    txn_abort(t);
    return err ? err : found ? OK : ERR_NOT_FOUND;
}

static int id_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct event_id));
}

enum err audit_events_digest(struct store *s, uint32_t scope_number, struct hash *out,
                             uint64_t *events)
{
    struct pass p = {0};
    struct crypto_hasher hasher;
    uint64_t expected = 0, count = 0;
    enum err err = scope_extent(s, scope_number, &expected, &p.last);
    if (err) return err;
    /* Hashes spread evenly: each pass takes an equal part of them. */
    uint64_t passes = expected / IDS_A_PASS + 1;
    if (passes > 65536) passes = 65536;
    crypto_hasher_begin(&hasher, CONTEXT_EVENTS_DIGEST);
    for (uint64_t i = 0; !err && i < passes; i++) {
        p.from = (uint32_t)(i * 65536 / passes);
        p.to = (uint32_t)((i + 1) * 65536 / passes - 1);
        err = collect(s, scope_number, &p);
        if (err || p.count == 0) continue;
        qsort(p.ids, p.count, sizeof *p.ids, id_order);
        crypto_hasher_add(&hasher, slice_of(p.ids, p.count * sizeof *p.ids));
        count += p.count;
    }
    free(p.ids);
    if (err) return err;
    crypto_hasher_end(&hasher, out);
    *events = count;
    return OK;
}
