/* The signer's feeds: where it goes on, and what it says when it goes on in a new one. */
#include "node/continued.h"
#include "node/recorder_state.h"

#include <stdlib.h>
#include <string.h>

void own_feeds_reset(struct recorder *r)
{
    for (size_t i = 0; i < r->feed_count; i++) buf_clear(&r->feeds[i].header);
    r->feed_count = 0;
}

static bool head_is_newer(const struct head *a, const struct head *b)
{
    if (a->time != b->time) return a->time > b->time;
    return memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes) > 0;
}

/* The head of a feed's row is what the next event will follow, for good: it is signed over only
 * when it is the event that is held, whole. */
static enum err head_check(struct txn *t, const struct feed *feed, const struct head *head)
{
    struct feed_row row;
    struct event e;
    if (!head->seq) return txn_error(t);
    uint64_t arrival =
        feed_find(t, feed, &row) ? log_find(t, row.number, head->seq, head->id.bytes) : 0;
    enum err err = arrival ? log_read_header(t, arrival, &e) : ERR_CORRUPT;
    if (!err && (!event_id_equal(&e.id, &head->id) || e.seq != head->seq)) err = ERR_CORRUPT;
    return txn_error(t) ? txn_error(t) : err;
}

/* A key on a stick signs at many devices, so where it goes on is asked of what is held
 * (SPEC 10.12): in the feed whose one head is the newest, and where all forked in a new one. */
static void township_feed_load(struct txn *t, struct own_feed *own)
{
    bool any = false;
    uint32_t feeds = feed_count(t);
    struct feed_row row;
    for (uint32_t number = 1; number <= feeds && feed_get(t, number, &row); number++) {
        if (!sign_key_equal(&row.feed.author, &own->feed.author) ||
            row.feed.lane != own->feed.lane || !scope_equal(&row.feed.scope, &own->feed.scope))
            continue;
        any = true;
        if (row.head_count != 1 || !head_is_newer(&row.heads[0], &own->head)) continue;
        own->feed = row.feed;
        own->head = row.heads[0];
    }
    if (!any || own->head.seq) return;
    own->feed.has_epoch = true;
    crypto_random(own->feed.epoch, sizeof own->feed.epoch);
}

static bool present_feed(struct recorder *r, struct txn *t, struct own_feed *own,
                         struct feed_row *row)
{
    own->feed.has_epoch = r->life.has_epoch;
    memcpy(own->feed.epoch, r->life.epoch, sizeof own->feed.epoch);
    return feed_find(t, &own->feed, row);
}

/* A feed that has forked is never appended to again: another copy of this device goes on with it.
 */
static enum err device_feed_load(struct recorder *r, struct txn *t, struct own_feed *own)
{
    struct feed_row row;
    enum err err = r->behind ? lives_settle(t, &r->behind) : OK;
    if (err) return err;
    life_get(t, &r->life);
    bool held = present_feed(r, t, own, &row);
    if (held && row.head_count > 1) {
        life_next(t, LIFE_FORKED, 0);
        life_get(t, &r->life);
        held = present_feed(r, t, own, &row);
    }
    if (held && row.head_count == 1) own->head = row.heads[0];
    own->continues = !held && r->life.has_epoch;
    return head_check(t, &own->feed, &own->head);
}

/* As the store has it now, whatever this process believed (L15). */
static enum err own_feed_load(struct recorder *r, struct own_feed *own)
{
    struct txn *t = arrival_txn(r->arrival);
    if (r->lives) return device_feed_load(r, t, own);
    township_feed_load(t, own);
    return head_check(t, &own->feed, &own->head);
}

enum err own_feed(struct recorder *r, const struct scope *scope, uint8_t lane,
                  struct own_feed **out)
{
    for (size_t i = r->feed_count; i-- > 0;) {
        struct own_feed *own = &r->feeds[i];
        if (own->feed.lane == lane && scope_equal(&own->feed.scope, scope)) {
            *out = own;
            return OK;
        }
    }
    if (r->feed_count == r->feed_capacity) {
        size_t capacity = r->feed_capacity ? r->feed_capacity * 2 : 4;
        struct own_feed *feeds = realloc(r->feeds, capacity * sizeof *feeds);
        if (!feeds) return ERR_NOMEM;
        r->feeds = feeds;
        r->feed_capacity = capacity;
    }
    struct own_feed *own = &r->feeds[r->feed_count];
    *own = (struct own_feed){
        .feed = {.author = r->options.signer->key, .scope = *scope, .lane = lane}};
    enum err err = own_feed_load(r, own);
    if (err) return err;
    r->feed_count++;
    *out = own;
    return OK;
}

/* --- feed.continued ------------------------------------------------------------------------ */

static const struct device *self_of(struct recorder *r)
{
    const struct roster *roster;
    if (views_roster(r->options.views, arrival_txn(r->arrival), &roster)) return NULL;
    return roster_device(roster, &r->options.signer->key);
}

bool may_continue(struct recorder *r, const struct scope *scope)
{
    const struct device *self = self_of(r);
    return self && (device_is_township(self) || scope_class(scope) != SCOPE_OFFICE);
}

/* In `town` a village's body is small (EVENT_TOWN_BODY_SIZE_MAX); elsewhere a bound of the kind. */
static size_t heads_max(struct recorder *r, const struct scope *scope)
{
    enum { TOWN_HEADS_MAX = 24 };
    const struct device *self = self_of(r);
    bool small = scope_class(scope) == SCOPE_TOWN && self && !device_is_township(self);
    return small ? TOWN_HEADS_MAX : CUT_HEADS_MAX;
}

static void write_head(struct mp_writer *w, const struct feed_row *row, const struct head *head)
{
    mp_write_array(w, 3);
    mp_write_bin(w, row->id.bytes, 8);
    mp_write_uint(w, head->seq);
    mp_write_bin(w, head->id.bytes, 16);
}

/* By any of this device's keys. */
static bool is_own(struct recorder *r, const struct feed *feed)
{
    const struct roster *roster;
    if (views_roster(r->options.views, arrival_txn(r->arrival), &roster)) return false;
    return sign_key_equal(roster_name(roster, &feed->author),
                          roster_name(roster, &r->options.signer->key));
}

static bool is_continued(struct recorder *r, const struct own_feed *own, const struct feed_row *row)
{
    return row->feed.lane == own->feed.lane && scope_equal(&row->feed.scope, &own->feed.scope) &&
           !feed_equal(&row->feed, &own->feed) && is_own(r, &row->feed);
}

/* The newest feeds come first, where there are too many. */
static void write_heads(struct recorder *r, const struct own_feed *own, struct mp_writer *w)
{
    struct txn *t = arrival_txn(r->arrival);
    struct feed_row row;
    size_t max = heads_max(r, &own->feed.scope), count = 0;
    for (uint32_t n = feed_count(t); n > 0 && feed_get(t, n, &row); n--)
        if (is_continued(r, own, &row)) count += row.head_count;
    if (count > max) count = max;
    mp_write_array(w, count);
    for (uint32_t n = feed_count(t); n > 0 && count > 0 && feed_get(t, n, &row); n--)
        for (size_t i = 0; is_continued(r, own, &row) && i < row.head_count && count > 0; i++) {
            write_head(w, &row, &row.heads[i]);
            count--;
        }
}

enum err continued_body(struct recorder *r, const struct own_feed *own, struct buf *out)
{
    struct mp_map map = {0};
    char machine[MACHINE_NAME_SIZE + 1];
    struct mp_writer w = mp_map_put(&map, "cause");
    mp_write_text(&w, life_cause_name(r->life.cause));
    w = mp_map_put(&map, "heads");
    write_heads(r, own, &w);
    machine_read_name(machine);
    if (machine[0]) {
        w = mp_map_put(&map, "machine");
        mp_write_text(&w, machine);
    }
    enum err err = mp_map_end(&map, out);
    mp_map_clear(&map);
    return err;
}

/* Has this device, or a copy of it, said of each of the feed's heads that it goes on elsewhere? */
static bool is_settled(struct recorder *r, struct txn *t, const struct feed_row *feed)
{
    const struct own_feed of = {.feed = feed->feed};
    unsigned heads = 0;
    bool of_feed;
    struct feed_row row;
    struct event first;
    for (uint32_t n = 1; n <= feed_count(t) && feed_get(t, n, &row); n++)
        if (row.feed.has_epoch && is_continued(r, &of, &row) && continued_first(t, &row, &first))
            heads |= continued_heads(feed, first.body, &of_feed);
    return heads + 1 == 1u << feed->head_count;
}

bool own_feed_forked(struct recorder *r, uint32_t *number, struct feed_row *out)
{
    struct txn *t = arrival_txn(r->arrival);
    while (++*number <= feed_count(t) && feed_get(t, *number, out))
        if (out->head_count > 1 && !life_has(&r->life, &out->feed) && is_own(r, &out->feed) &&
            may_continue(r, &out->feed.scope) && !is_settled(r, t, out))
            return true;
    return false;
}
