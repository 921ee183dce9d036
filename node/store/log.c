/* The log itself: appending and reading. branch.c walks it. */
#include "node/store/txn.h"

#include <string.h>

uint64_t log_count(struct txn *t)
{
    if (!t->hot) return db_entries(t, DB_LOG);
    if (!t->log_count_known) {
        t->log_count = db_entries(t, DB_LOG);
        t->log_count_known = !t->err;
    }
    return t->log_count;
}

uint64_t log_find(struct txn *t, uint32_t feed_number, uint64_t seq, const uint8_t id8[8])
{
    struct key key;
    struct slice value;
    if (!db_get(t, DB_CHAIN, key_chain(&key, feed_number, seq, id8), &value)) return 0;
    if (value.size == 8) return be64_get(value.data);
    txn_fail(t, ERR_CORRUPT);
    return 0;
}

static bool log_value(struct txn *t, uint64_t arrival, struct slice *value)
{
    struct key key;
    return db_get(t, DB_LOG, key_arrival(&key, arrival), value);
}

/* --- reading --- */

bool log_is_aside(struct txn *t, uint64_t arrival)
{
    struct slice value;
    return log_value(t, arrival, &value) && record_is_aside(value);
}

static enum err event_of(struct slice value, struct event *out)
{
    struct record record;
    enum err err = record_read(&record, value);
    if (!err) err = event_decode_trusted(out, record.header, &record.id);
    if (err || (record.has_box && out->box_state == BOX_NONE)) return ERR_CORRUPT;
    out->has_signature = record.has_signature;
    if (record.has_signature) out->signature = record.signature;
    if (record.has_box) {
        out->box_state = record.box_locked ? BOX_LOCKED : BOX_HERE;
        out->box = record.box;
        if (!record.box_locked) memcpy(out->salt, record.salt, EVENT_SALT_SIZE);
    }
    return OK;
}

enum err log_open_box(struct txn *t, struct event *e, struct buf *keep)
{
    if (e->box_state != BOX_LOCKED) return OK;
    if (!t->store->has_key) return ERR_LOCKED;
    size_t size = e->box.size - CRYPTO_LOCK_OVERHEAD;
    uint8_t *at = buf_reserve(keep, size);
    if (!at) return keep->err;
    enum err err = record_open_box(at, &e->id, e->box, &t->store->key);
    if (err) return err;
    buf_advance(keep, size);
    memcpy(e->salt, at, EVENT_SALT_SIZE);
    e->box = slice_of(at + EVENT_SALT_SIZE, size - EVENT_SALT_SIZE);
    e->box_state = BOX_HERE;
    return OK;
}

enum err log_read_unverified(struct txn *t, uint64_t arrival, struct event *out)
{
    struct slice value;
    if (!log_value(t, arrival, &value)) return t->err ? t->err : ERR_NOT_FOUND;
    return record_is_aside(value) ? ERR_NOT_FOUND : event_of(value, out);
}

enum err log_read_any(struct txn *t, uint64_t arrival, struct event *out)
{
    struct slice value;
    if (!log_value(t, arrival, &value)) return t->err ? t->err : ERR_NOT_FOUND;
    return event_of(value, out);
}

static bool header_is_whole(const struct event *e)
{
    struct hash h;
    crypto_hash_one(&h, CONTEXT_EVENT, e->header);
    return memcmp(h.bytes, e->id.bytes, sizeof h.bytes) == 0;
}

static bool box_is_whole(const struct event *e)
{
    struct hash h;
    if (e->box_state != BOX_HERE) return true;
    struct slice parts[] = {slice_of(e->salt, EVENT_SALT_SIZE), e->box};
    crypto_hash_parts(&h, CONTEXT_BOX, parts, 2);
    return hash_equal(&h, &e->box_digest);
}

enum err log_read_open(struct txn *t, uint64_t arrival, struct event *out, struct buf *keep)
{
    enum err err = log_read_header(t, arrival, out);
    if (!err) err = log_open_box(t, out, keep);
    return err ? err : box_is_whole(out) ? OK : ERR_CORRUPT;
}

/* A locked box stays so for the caller: it is opened aside, where the key is at hand. */
enum err log_read(struct txn *t, uint64_t arrival, struct event *out)
{
    struct buf *aside = &t->store->opened;
    enum err err = log_read_header(t, arrival, out);
    if (err) return err;
    struct event e = *out;
    buf_reset(aside);
    err = log_open_box(t, &e, aside);
    if (err == ERR_LOCKED) return OK;
    return err ? err : box_is_whole(&e) ? OK : ERR_CORRUPT;
}

enum err log_read_header(struct txn *t, uint64_t arrival, struct event *out)
{
    enum err err = log_read_any(t, arrival, out);
    return err ? err : header_is_whole(out) ? OK : ERR_CORRUPT;
}

/* --- where an event goes --- */

struct place {
    uint64_t held; /* its arrival when it is here already */
    size_t head;   /* which one it follows; how many there are: it adds one */
};

/* Is the event with this id the one held under its first 8 bytes? */
static bool is_held(struct txn *t, uint32_t feed, uint64_t seq, const struct event_id *id,
                    uint64_t *arrival)
{
    struct slice value;
    struct event_id held;
    *arrival = log_find(t, feed, seq, id->bytes);
    return *arrival && log_value(t, *arrival, &value) && record_id(&held, value) &&
           event_id_equal(&held, id);
}

/* A device's epochs: only a feed that continues another one adds to them. */
static enum err check_epochs(struct txn *t, const struct feed *feed)
{
    uint8_t seen[DEVICE_EPOCHS_MAX][8];
    size_t count = 0;
    struct feed_row row;
    uint32_t feeds = feed->has_epoch ? feed_count(t) : 0;
    for (uint32_t number = 1; number <= feeds; number++) {
        if (!feed_get(t, number, &row)) return t->err ? t->err : ERR_CORRUPT;
        if (!row.feed.has_epoch || !sign_key_equal(&row.feed.author, &feed->author)) continue;
        if (memcmp(row.feed.epoch, feed->epoch, 8) == 0) return OK;
        size_t i = 0;
        while (i < count && memcmp(seen[i], row.feed.epoch, 8) != 0) i++;
        if (i == count && ++count == DEVICE_EPOCHS_MAX) return ERR_LIMIT;
        memcpy(seen[i], row.feed.epoch, 8);
    }
    return OK;
}

/* A record that is damaged is no other event: it gives way. */
static enum err place_of_held(struct txn *t, bool same, uint64_t arrival, struct place *out)
{
    struct event held;
    if (!same && log_read(t, arrival, &held) == OK) return ERR_CHAIN;
    if (t->err) return t->err;
    *out = (struct place){.held = arrival};
    return OK;
}

/* Which of them it follows; `count`: none. */
static size_t head_followed(const struct head *heads, size_t count, const struct event *e)
{
    size_t i = 0;
    while (i < count && (heads[i].seq + 1 != e->seq || !event_id_equal(&heads[i].id, &e->prev)))
        i++;
    return i;
}

/* Is there room for one more branch, where it adds one? Ends count, whatever of them stands aside:
 * so nothing is refused here that is taken where the author was not cut off. */
static bool has_room(struct txn *t, const struct feed_row *feed, const struct event *e)
{
    struct head ends[FEED_BRANCHES_MAX];
    if (feed->head_count + feed->aside_count < FEED_BRANCHES_MAX) return true;
    size_t count = feed_ends(t, feed, ends);
    return count < FEED_BRANCHES_MAX || head_followed(ends, count, e) < count;
}

static enum err place_of(struct txn *t, const struct feed_row *feed, const struct event *e,
                         struct place *out)
{
    *out = (struct place){0};
    if (!feed) {
        if (t->err) return t->err;
        return e->seq == 1 ? check_epochs(t, &e->feed) : ERR_BASE;
    }
    /* An end has nothing after it, so what follows one is new: the usual case costs no look-up. */
    out->head = head_followed(feed->heads, feed->head_count, e);
    if (out->head < feed->head_count && !feed->aside_count) return OK;
    if (head_followed(feed->aside, feed->aside_count, e) < feed->aside_count) return OK;
    uint64_t arrival;
    bool same = is_held(t, feed->number, e->seq, &e->id, &arrival);
    if (arrival) return place_of_held(t, same, arrival, out);
    if (e->seq > 1 && !is_held(t, feed->number, e->seq - 1, &e->prev, &arrival))
        return t->err ? t->err : ERR_BASE;
    return has_room(t, feed, e) ? t->err : ERR_LIMIT;
}

enum err log_check(struct txn *t, const struct event *events, size_t count)
{
    struct place place = {0};
    if (t->err) return t->err;
    if (count == 0) return OK;
    const struct feed_row *feed = feed_hot_of(t, &events[0].feed);
    for (size_t i = 1; i < count; i++)
        if (!feed_equal(&events[i].feed, &events[0].feed) ||
            events[i].seq != events[i - 1].seq + 1 ||
            !event_id_equal(&events[i].prev, &events[i - 1].id))
            return ERR_BASE;
    /* What follows the first new event is new too. */
    size_t i = 0;
    do {
        enum err err = place_of(t, feed, &events[i], &place);
        if (err) return err;
    } while (place.held && ++i < count);
    return OK;
}

/* --- appending --- */

bool log_put_record(struct txn *t, uint64_t arrival, const struct event *e, bool aside, bool append)
{
    struct key key;
    const struct secret_key *lock = t->locks ? &t->store->key : NULL;
    if (t->keyless) txn_fail(t, ERR_LOCKED);
    uint8_t *room =
        db_put_room(t, DB_LOG, key_arrival(&key, arrival), record_size(e, lock), append);
    if (!room) return false;
    record_write(room, e, lock);
    record_set_aside(room, aside);
    return true;
}

void log_box_added(struct txn *t, uint64_t arrival)
{
    uint64_t added = meta_get_uint(t, META_BOX_ADDED);
    if (!added || arrival < added) meta_put_uint(t, META_BOX_ADDED, arrival);
}

/* Adds what the held record lacks; a damaged one is written anew. */
static void complete_record(struct txn *t, uint32_t scope_number, uint64_t arrival,
                            const struct event *e)
{
    struct event held = {0}, whole = *e;
    enum err err = log_read(t, arrival, &held);
    if (t->err || (err && err != ERR_CORRUPT)) {
        txn_fail(t, err);
        return;
    }
    bool intact = !err;
    bool adds = (e->has_signature && !held.has_signature) ||
                (e->box_state == BOX_HERE && held.box_state == BOX_GONE);
    if (intact && !adds) return;
    struct buf copy = {0}; /* the held box dies with the write (L12) */
    if (intact && !e->has_signature && held.has_signature) {
        whole.has_signature = true;
        whole.signature = held.signature;
    }
    if (intact && e->box_state == BOX_GONE && held.box_state != BOX_GONE) {
        buf_append_slice(&copy, held.box);
        whole.box_state = held.box_state;
        whole.box = buf_slice(&copy);
        memcpy(whole.salt, held.salt, EVENT_SALT_SIZE);
    }
    if (copy.err) txn_fail(t, copy.err);
    bool aside = aside_has(t, scope_number, &e->subject, arrival);
    log_put_record(t, arrival, &whole, aside, false);
    buf_clear(&copy);
    if (e->box_state == BOX_HERE) log_box_added(t, arrival);
}

bool head_before(const struct head *a, const struct head *b)
{
    if (a->seq != b->seq) return a->seq > b->seq;
    return memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes) < 0;
}

/* `at`: which of them it follows, `*count` where none. */
static void move_head(struct head *heads, size_t *count, size_t at, const struct event *e)
{
    struct head head = {.seq = e->seq, .id = e->id, .time = e->time};
    size_t i = at == *count ? (*count)++ : at;
    for (; i > 0 && head_before(&head, &heads[i - 1]); i--) heads[i] = heads[i - 1];
    heads[i] = head;
}

static void index_event(struct txn *t, const struct feed_row *feed, const struct event *e,
                        struct appended *out)
{
    struct key key;
    struct slice found, value;
    uint8_t arrival[8];
    be64_put(arrival, out->arrival);
    db_put(t, DB_CHAIN, key_chain(&key, feed->number, e->seq, e->id.bytes), slice_of(arrival, 8));
    key_thing(&key, feed->scope_number, &e->subject, out->arrival);
    db_put(t, out->aside ? DB_ASIDE : DB_THINGS, key_slice(&key), SLICE_EMPTY);
    if (out->aside) return;
    /* The newest event of a thing comes last; is there another one before it? */
    out->first_of_thing = !db_previous(t, DB_THINGS, &found, &value) ||
                          found.size != THING_KEY_SIZE ||
                          memcmp(found.data, key.bytes, THING_KEY_SIZE - 8) != 0;
}

/* Where it stands aside nothing else of the feed moves. */
static void count_event(struct txn *t, struct feed_row *feed, struct scope_row *scope,
                        const struct place *place, const struct event *e, bool aside)
{
    feed_hot_changed(t, feed);
    if (aside) {
        move_head(feed->aside, &feed->aside_count, head_followed(feed->aside, feed->aside_count, e),
                  e);
        return;
    }
    move_head(feed->heads, &feed->head_count, place->head, e);
    feed->events++;
    scope->events++;
    scope_hot_changed(t, scope);
}

static void note_touched(void *state, uint32_t scope_number, const struct thing_id *thing)
{
    (void)scope_number;
    (void)thing;
    *(bool *)state = true;
}

static void append_new(struct txn *t, struct feed_row *feed, const struct place *place,
                       const struct event *e, struct appended *out)
{
    struct scope_row *scope = scope_hot(t, feed->scope_number);
    if (!scope) {
        txn_fail(t, ERR_CORRUPT);
        return;
    }
    const enum aside_verdict verdict = aside_judge(t, feed, e);
    const uint32_t number = feed->number;
    *out = (struct appended){.arrival = log_count(t) + 1,
                             .scope_number = feed->scope_number,
                             .aside = verdict == ASIDE_ASIDE};
    if (!log_put_record(t, out->arrival, e, out->aside, true)) return;
    t->log_count = out->arrival;
    index_event(t, feed, e, out);
    count_event(t, feed, scope, place, e, out->aside);
    const struct log_cutting cutting = {.touched = note_touched, .state = &out->judged_anew};
    if (verdict == ASIDE_NAMED) aside_judge_feed(t, number, &cutting);
}

void log_append(struct txn *t, const struct event *e, struct appended *out)
{
    struct place place;
    *out = (struct appended){0};
    if (t->err) return;
    struct feed_row *feed = feed_hot_of(t, &e->feed);
    enum err err = place_of(t, feed, e, &place);
    if (!err && !feed) {
        feed = feed_hot_make(t, &e->feed);
        err = t->err;
    }
    if (err) {
        txn_fail(t, err);
    } else if (place.held) {
        out->scope_number = feed->scope_number;
        complete_record(t, feed->scope_number, place.held, e);
    } else {
        append_new(t, feed, &place, e, out);
    }
    if (t->err) *out = (struct appended){0};
}
