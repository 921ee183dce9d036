/* Checks the log, event by event, then the indexes and heads, feed by feed. */
#include "node/store/audit.h"

#include "node/store/txn.h"

#include <stdlib.h>
#include <string.h>

#define SLICE_EVENTS 4096u /* of one read transaction */

struct audit {
    struct store *store;
    const struct audit_options *options;
    struct audit_result result;
    struct head *newest; /* by feed number - 1: the event of the feed read last */
    size_t newest_count;
};

static void problem(struct audit *a, uint64_t arrival, enum err err, const char *what)
{
    a->result.problems++;
    if (a->options->problem) a->options->problem(a->options->state, arrival, err, what);
}

/* --- the log, in slices --- */

static enum err grow(struct audit *a, uint32_t feeds)
{
    if (feeds <= a->newest_count) return OK;
    size_t count = (size_t)feeds + 16;
    struct head *newest = realloc(a->newest, count * sizeof *newest);
    if (!newest) return ERR_NOMEM;
    memset(newest + a->newest_count, 0, (count - a->newest_count) * sizeof *newest);
    a->newest = newest;
    a->newest_count = count;
    return OK;
}

/* Is the predecessor held, with this id, and was it before this event? */
static bool linked(struct txn *t, const struct feed_row *feed, const struct head *newest,
                   const struct event *e, uint64_t arrival)
{
    struct event before;
    if (e->seq == 1) return true;
    if (newest->seq + 1 == e->seq && event_id_equal(&newest->id, &e->prev)) return true;
    uint64_t at = log_find(t, feed->number, e->seq - 1, e->prev.bytes);
    return at && at < arrival && log_read_any(t, at, &before) == OK &&
           event_id_equal(&before.id, &e->prev);
}

static void check_event(struct audit *a, struct txn *t, struct feed_row *feed, uint64_t arrival)
{
    struct event e;
    struct key key;
    struct slice value;
    a->result.events++;
    enum err err = log_read(t, arrival, &e);
    if (err) {
        problem(a, arrival, err, "event is damaged");
        return;
    }
    if ((!feed->number || !feed_equal(&feed->feed, &e.feed)) &&
        (!feed_find(t, &e.feed, feed) || feed->number > a->newest_count)) {
        feed->number = 0;
        problem(a, arrival, ERR_CORRUPT, "feed is missing");
        return;
    }
    struct head *newest = &a->newest[feed->number - 1];
    if (!linked(t, feed, newest, &e, arrival)) problem(a, arrival, ERR_CHAIN, "link is broken");
    if (log_find(t, feed->number, e.seq, e.id.bytes) != arrival)
        problem(a, arrival, ERR_CORRUPT, "chain index is wrong");
    key_thing(&key, feed->scope_number, &e.subject, arrival);
    if (!db_get(t, log_is_aside(t, arrival) ? DB_ASIDE : DB_THINGS, key_slice(&key), &value))
        problem(a, arrival, ERR_CORRUPT, "subject index is wrong");
    if (a->options->all_signatures && e.has_signature) {
        a->result.signatures++;
        if (event_verify_signature(&e.id, &e.feed.author, &e.signature))
            problem(a, arrival, ERR_SIGNATURE, "signature is wrong");
    }
    *newest = (struct head){e.seq, e.id, e.time};
}

static enum err scan_slice(struct audit *a, uint64_t first, uint64_t last)
{
    struct txn *t;
    struct feed_row feed = {0};
    enum err err = txn_begin(a->store, false, &t);
    if (err) return err;
    err = grow(a, feed_count(t));
    for (uint64_t n = first; !err && n <= last; n++) {
        check_event(a, t, &feed, n);
        err = txn_error(t);
    }
    txn_abort(t);
    return err;
}

static enum err scan_log(struct audit *a, uint64_t first, uint64_t last)
{
    for (uint64_t at = first; at <= last; at += SLICE_EVENTS) {
        uint64_t end = last - at < SLICE_EVENTS ? last : at + SLICE_EVENTS - 1;
        enum err err = scan_slice(a, at, end);
        if (err) return err;
        if (a->options->progress)
            a->options->progress(a->options->state, end - first + 1, last - first + 1);
    }
    return OK;
}

/* --- feeds: the chain index in order, heads, the newest signature of each branch --- */

/* The newest signature on the way back from a head covers what is before it. */
static void check_branch(struct audit *a, struct txn *t, const struct feed_row *feed,
                         const struct head *head)
{
    struct event e;
    uint64_t arrival = log_find(t, feed->number, head->seq, head->id.bytes);
    while (arrival && log_read_any(t, arrival, &e) == OK) {
        if (e.has_signature) {
            a->result.signatures++;
            if (event_verify_signature(&e.id, &e.feed.author, &e.signature))
                problem(a, arrival, ERR_SIGNATURE, "signature is wrong");
            return;
        }
        if (e.seq == 1) break;
        arrival = log_find(t, feed->number, e.seq - 1, e.prev.bytes);
    }
    problem(a, arrival, ERR_SIGNATURE, "branch has no signature");
}

/* Events of one number on a feed. */
struct level {
    uint64_t seq;
    size_t count;
    struct event_id ids[FEED_BRANCHES_MAX], prevs[FEED_BRANCHES_MAX];
    uint64_t arrivals[FEED_BRANCHES_MAX];
    bool aside[FEED_BRANCHES_MAX];
    bool read; /* ids, prevs and aside are filled */
};

static bool level_read(struct txn *t, struct level *l)
{
    struct event e;
    for (size_t i = 0; !l->read && i < l->count; i++) {
        if (log_read_any(t, l->arrivals[i], &e)) return false;
        l->ids[i] = e.id;
        l->prevs[i] = e.prev;
        l->aside[i] = log_is_aside(t, l->arrivals[i]);
    }
    l->read = true;
    return true;
}

static bool is_head(const struct head *heads, size_t count, const struct event_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (event_id_equal(&heads[i].id, id)) return true;
    return false;
}

/* Events of `l` that nothing of `next` follows are heads, all others are not; what stands aside
 * follows none that counts. Where each level has
 * one event, the scan of the log has seen that they are linked. */
static bool check_level(struct txn *t, const struct feed_row *feed, struct level *l,
                        struct level *next, size_t *heads)
{
    if (l->count == 0 || (l->count == 1 && next->count == 1 && !feed->aside_count)) return true;
    if (!level_read(t, l) || !level_read(t, next)) return false;
    for (size_t i = 0; i < l->count; i++) {
        bool followed = false;
        for (size_t k = 0; k < next->count; k++)
            followed = followed || (event_id_equal(&next->prevs[k], &l->ids[i]) &&
                                    next->aside[k] == l->aside[i]);
        if (followed == (l->aside[i] ? is_head(feed->aside, feed->aside_count, &l->ids[i])
                                     : is_head(feed->heads, feed->head_count, &l->ids[i])))
            return false;
        *heads += !followed;
    }
    return true;
}

static bool check_chain(struct txn *t, const struct feed_row *feed)
{
    static const uint8_t none[8];
    struct level levels[2] = {{0}};
    struct level *l = &levels[0], *next = &levels[1];
    struct key from;
    struct slice key, value;
    uint64_t events = 0;
    size_t heads = 0;
    key_chain(&from, feed->number, 0, none);
    for (;;) {
        bool more = db_find(t, DB_CHAIN, key_slice(&from), &key, &value) &&
                    key.size == CHAIN_KEY_SIZE && value.size == 8 &&
                    be32_get(key.data) == feed->number;
        uint64_t seq = more ? be64_get(key.data + 4) : next->seq + 1;
        if (seq != next->seq) {
            if (seq != next->seq + 1 || !check_level(t, feed, l, next, &heads)) return false;
            struct level *free_level = l;
            l = next;
            next = free_level;
            *next = (struct level){.seq = seq};
        }
        if (!more) break;
        if (next->count == FEED_BRANCHES_MAX) return false;
        next->arrivals[next->count++] = be64_get(value.data);
        if (!log_is_aside(t, next->arrivals[next->count - 1])) events++;
        memcpy(from.bytes, key.data, key.size);
        from.bytes[from.size] = 0;
        from.size = CHAIN_KEY_SIZE + 1;
    }
    return check_level(t, feed, l, next, &heads) && heads == feed->head_count + feed->aside_count &&
           events == feed->events && !t->err;
}

/* The row says the feed's name in full, and is found by it: else its events would be told under
 * another, and a next one would begin the feed anew. */
static bool check_name(struct txn *t, const struct feed_row *feed)
{
    struct feed_id id;
    struct feed_row found;
    struct scope_row scope;
    feed_id_of(&id, &feed->feed);
    return memcmp(&id, &feed->id, sizeof id) == 0 && feed_find(t, &feed->feed, &found) &&
           found.number == feed->number && scope_find(t, &feed->feed.scope, &scope) &&
           scope.number == feed->scope_number;
}

static enum err check_feeds(struct audit *a)
{
    bool more = true;
    for (uint32_t number = 1; more; number++) {
        struct txn *t;
        struct feed_row feed;
        enum err err = txn_begin(a->store, false, &t);
        if (err) return err;
        more = number <= feed_count(t);
        if (more && !feed_get(t, number, &feed)) {
            problem(a, 0, ERR_CORRUPT, "feed is missing");
        } else if (more) {
            if (!check_name(t, &feed)) problem(a, 0, ERR_CORRUPT, "name of a feed is wrong");
            if (!check_chain(t, &feed))
                problem(a, 0, ERR_CORRUPT, "heads or chain index are wrong");
            if (!aside_is_right(t, &feed))
                problem(a, 0, ERR_CORRUPT, "what counts of a revoked device is wrong");
            struct head ends[FEED_BRANCHES_MAX];
            size_t count = a->options->all_signatures ? 0 : feed_ends(t, &feed, ends);
            for (size_t i = 0; i < count; i++) check_branch(a, t, &feed, &ends[i]);
        }
        err = txn_error(t);
        txn_abort(t);
        if (err) return err;
    }
    return OK;
}

/* --- totals, in one transaction --- */

static bool sums_agree(struct txn *t, const struct scope_row *scope)
{
    struct key from;
    struct slice key, value;
    uint8_t sum[32] = {0};
    key_row(&from, scope->number, ROW_LOCAL_MAX + 1, SLICE_EMPTY);
    while (db_find(t, DB_ROWS, key_slice(&from), &key, &value) && key.size > ROW_KEY_FIXED &&
           key.size < sizeof from.bytes && be32_get(key.data) == scope->number) {
        row_sum_add(sum, key.data[4], slice_of(key.data + ROW_KEY_FIXED, key.size - ROW_KEY_FIXED),
                    value);
        memcpy(from.bytes, key.data, key.size);
        from.bytes[key.size] = 0;
        from.size = key.size + 1;
    }
    return memcmp(sum, scope->rows_sum, sizeof sum) == 0;
}

static uint64_t count_open(struct txn *t, uint32_t scope_number)
{
    struct row_cursor cursor = {.scope_number = scope_number, .table = ROW_OPEN};
    struct slice key, value;
    uint64_t count = 0;
    while (row_next(t, &cursor, &key, &value)) count++;
    return count;
}

static enum err check_scopes(struct audit *a, struct txn *t)
{
    uint32_t scopes = scope_count(t), feeds = feed_count(t);
    struct scope_row scope, found;
    struct feed_row feed;
    uint64_t *events = calloc((size_t)scopes + 1, sizeof *events); /* by scope number */
    if (!events) return ERR_NOMEM;
    for (uint32_t number = 1; number <= feeds; number++)
        if (feed_get(t, number, &feed) && feed.scope_number <= scopes)
            events[feed.scope_number] += feed.events;
    for (uint32_t number = 1; number <= scopes; number++) {
        if (!scope_get(t, number, &scope))
            problem(a, 0, ERR_CORRUPT, "scope is missing");
        else if (!scope_find(t, &scope.scope, &found) || found.number != number)
            problem(a, 0, ERR_CORRUPT, "name of a scope is wrong");
        else if (events[number] != scope.events)
            problem(a, 0, ERR_CORRUPT, "events of a scope are miscounted");
        else if (!sums_agree(t, &scope))
            problem(a, 0, ERR_CORRUPT, "sum of view rows is wrong");
        else if (count_open(t, number) != scope.open_rows)
            problem(a, 0, ERR_CORRUPT, "open requests of a scope are miscounted");
    }
    free(events);
    return txn_error(t);
}

static enum err check_totals(struct audit *a)
{
    struct txn *t;
    enum err err = txn_begin(a->store, false, &t);
    if (err) return err;
    uint64_t events = db_entries(t, DB_LOG);
    struct slice key, value;
    struct key end;
    uint64_t last = 0;
    if (db_find_before(t, DB_LOG, key_arrival(&end, UINT64_MAX), &key, &value) && key.size == 8)
        last = be64_get(key.data);
    if (last != events) problem(a, last, ERR_CORRUPT, "arrival numbers have gaps");
    if (db_entries(t, DB_CHAIN) != events) problem(a, 0, ERR_CORRUPT, "chain index is miscounted");
    if (db_entries(t, DB_THINGS) + db_entries(t, DB_ASIDE) != events)
        problem(a, 0, ERR_CORRUPT, "subject index is miscounted");
    if (db_entries(t, DB_FEED_IDS) != feed_count(t))
        problem(a, 0, ERR_CORRUPT, "feeds are miscounted");
    err = check_scopes(a, t);
    txn_abort(t);
    return err;
}

enum err audit_run(struct store *s, const struct audit_options *options, struct audit_result *out)
{
    struct audit a = {.store = s, .options = options};
    uint64_t first = options->first_arrival, last = options->last_arrival;
    bool all = first == 0 && last == 0;
    struct txn *t;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    uint64_t count = log_count(t);
    txn_abort(t);
    if (first == 0) first = 1;
    if (all || last > count) last = count;
    err = scan_log(&a, first, last);
    if (!err && all) err = check_feeds(&a);
    if (!err && all) err = check_totals(&a);
    free(a.newest);
    if (!err) *out = a.result;
    return err;
}
