#include "node/recorder_state.h"

#include "node/sealing.h"

#include "common/i18n.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With the disk nearly full this many events of a commit go through: a person's, not an import's.
 */
#define LOW_SPACE_EVENTS_MAX 16u
/* Of so many events one millisecond is made at most: things are keyed by it, so those of an import
 * land near the end of the trees in any order of their hashes. */
#define HLC_COUNTER_MAX 63u
/* More than what a record of a run holds besides kind, body and box. */
#define RECORD_OVERHEAD 96u

bool recorder_signer_fits(const struct recorder_options *options, const struct roster *roster)
{
    const struct sign_key *key = &options->signer->key;
    const struct sign_key *device = &store_identity(options->store)->device;
    if (options->authority) return sign_key_equal(key, &roster_authority(roster)->key);
    if (options->recovery) return sign_key_equal(key, &roster_authority(roster)->recovery);
    const struct device *self = roster_device(roster, key);
    return self ? sign_key_equal(&self->first, device) : sign_key_equal(key, device);
}

static enum err check_signer(const struct recorder_options *options)
{
    struct txn *t;
    const struct roster *roster;
    enum err err = txn_begin(options->store, false, &t);
    if (err) return err;
    err = views_roster(options->views, t, &roster);
    if (!err && !recorder_signer_fits(options, roster)) err = ERR_FOREIGN;
    txn_abort(t);
    return err;
}

enum err recorder_open(struct recorder **out, const struct recorder_options *options)
{
    enum err err = check_signer(options);
    if (err) return err;
    struct recorder *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    r->options = *options;
    r->lives = !options->authority && !options->recovery && !options->rehearsal;
    if (r->lives) err = lives_open(options->store, &r->behind);
    if (err)
        recorder_close(r);
    else
        *out = r;
    return err;
}

bool recorder_is_behind(const struct recorder *r)
{
    return r->behind;
}

void recorder_close(struct recorder *r)
{
    if (!r) return;
    recorder_abort(r);
    free(r->feeds);
    buf_clear(&r->header);
    deadlines_clear(&r->deadlines);
    free(r);
}

struct txn *recorder_txn(struct recorder *r)
{
    return arrival_txn(r->arrival);
}

/* --- the hybrid clock --- */

/* What others recorded comes before what is recorded now, unless their clocks were not trusted or
 * are far ahead (SPEC 5.4). */
static void hlc_see_heads(struct recorder *r, struct txn *t)
{
    const uint64_t ms_max = r->clock.wall_ms + CLOCK_REMOTE_AHEAD_MAX_MS;
    struct feed_row row;
    uint32_t feeds = feed_count(t);
    for (uint32_t number = 1; number <= feeds && feed_get(t, number, &row); number++)
        for (size_t i = 0; i < row.head_count; i++) {
            uint64_t time = row.heads[i].time;
            if (time > r->hlc && !HLC_UNTRUSTED(time) && HLC_MS(time) <= ms_max) r->hlc = time;
        }
}

static void hlc_begin(struct recorder *r, struct txn *t)
{
    r->hlc = meta_get_uint(t, "hlc");
    /* A clock that nobody trusted may have run years ahead: a trusted one ends that. */
    if (r->clock.trusted && HLC_UNTRUSTED(r->hlc) &&
        HLC_MS(r->hlc) > r->clock.wall_ms + CLOCK_REMOTE_AHEAD_MAX_MS)
        r->hlc = 0;
    uint64_t txn = store_last_txn(r->options.store);
    if (r->clock.trusted && txn != r->seen_txn) hlc_see_heads(r, t);
}

uint64_t recorder_next_time(const struct recorder *r)
{
    uint64_t ms = HLC_MS(r->hlc), wall = r->clock.wall_ms;
    uint32_t counter = HLC_COUNTER(r->hlc) + 1;
    if (wall > HLC_MS_MAX) wall = HLC_MS_MAX;
    if (wall > ms) {
        ms = wall;
        counter = 0;
    } else if (counter > HLC_COUNTER_MAX) {
        ms++;
        counter = 0;
    }
    return HLC_MAKE(ms, counter, !r->clock.trusted);
}

/* --- begin and end --- */

enum err recorder_begin(struct recorder *r, const struct clock_reading *clock)
{
    if (r->arrival) return ERR_STATE;
    enum err err =
        arrival_begin_person(&r->arrival, r->options.store, r->options.views, &r->low_space);
    if (err) return err;
    r->clock = *clock;
    r->added = 0;
    r->sign_each = false;
    r->person = (struct thing_id){{0}};
    r->life = (struct life){.count = 0};
    if (r->lives) life_get(arrival_txn(r->arrival), &r->life);
    hlc_begin(r, arrival_txn(r->arrival));
    return OK;
}

void recorder_abort(struct recorder *r)
{
    arrival_abort(r->arrival);
    r->arrival = NULL;
    own_feeds_reset(r);
}

/* Signs the head that stands without a signature: its record is written again with one. */
static enum err sign_head(struct recorder *r, struct own_feed *own)
{
    size_t fresh;
    if (!own->unsigned_head) return OK;
    event_sign(&own->last, r->options.signer);
    own->unsigned_head = false;
    own->unsigned_events = 0;
    own->unsigned_bytes = 0;
    return arrival_add(r->arrival, &own->last, 1, &fresh);
}

/* Where the feeds of this commit stand, for the side file. */
static struct side_row *side_rows(const struct recorder *r, size_t *count)
{
    struct side_row *rows = r->lives ? calloc(r->feed_count + 1, sizeof *rows) : NULL;
    *count = 0;
    for (size_t i = 0; rows && i < r->feed_count; i++) {
        const struct own_feed *own = &r->feeds[i];
        struct feed_id id;
        if (!own->head.seq) continue;
        struct side_row *row = &rows[(*count)++];
        feed_id_of(&id, &own->feed);
        memcpy(row->feed8, id.bytes, sizeof row->feed8);
        row->seq = own->head.seq;
        memcpy(row->id8, own->head.id.bytes, sizeof row->id8);
    }
    return rows;
}

enum err recorder_commit(struct recorder *r)
{
    enum err err = r->arrival ? OK : ERR_STATE;
    for (size_t i = 0; i < r->feed_count && !err; i++) err = sign_head(r, &r->feeds[i]);
    if (err) {
        recorder_abort(r);
        return err;
    }
    struct txn *t = arrival_txn(r->arrival);
    if (r->added) meta_put_uint(t, "hlc", r->hlc);
    if (r->added && r->lives) lives_sign(t);
    size_t row_count;
    struct side_row *rows = side_rows(r, &row_count);
    uint64_t before = store_last_txn(r->options.store);
    err = arrival_commit(r->arrival);
    r->arrival = NULL;
    if (!err) lives_signed(r->options.store, r->life.count, rows, row_count);
    free(rows);
    own_feeds_reset(r);
    /* What this commit added is no news to the clock; what another process did is. */
    r->seen_txn = err ? 0 : before + 1;
    return err;
}

/* --- adding --- */

static void take_salt(struct recorder *r, uint8_t out[EVENT_SALT_SIZE])
{
    if (r->salts_left == 0) {
        crypto_random(r->salts, sizeof r->salts);
        r->salts_left = SALTS_AT_ONCE;
    }
    uint8_t *salt = r->salts[--r->salts_left];
    memcpy(out, salt, EVENT_SALT_SIZE);
    crypto_wipe(salt, EVENT_SALT_SIZE);
}

static enum err link_and_encode(struct recorder *r, const struct own_feed *own, struct event *e)
{
    e->suite = SUITE_1;
    e->feed = own->feed;
    e->seq = own->head.seq + 1;
    e->prev = own->head.id; /* zero before the first */
    e->time =
        recorder_is_sealed(e->kind) ? sealing_day(recorder_next_time(r)) : recorder_next_time(r);
    if (e->box.size) {
        e->box_state = BOX_HERE;
        take_salt(r, e->salt);
    }
    buf_reset(&r->header);
    return event_encode_scanned(e, &r->header); /* recorder_check did */
}

/* At least every SIGN_EVENTS_MAX events and SIGN_BYTES_MAX bytes. An event that goes over the bytes
 * has the one before it signed. */
static enum err sign_in_time(struct recorder *r, struct own_feed *own, struct event *e)
{
    size_t bytes = e->kind.size + e->body.size + e->box.size + RECORD_OVERHEAD;
    enum err err = own->unsigned_bytes + bytes > SIGN_BYTES_MAX ? sign_head(r, own) : OK;
    own->unsigned_bytes += bytes;
    own->unsigned_events++;
    if (r->sign_each || own->unsigned_events == SIGN_EVENTS_MAX ||
        own->unsigned_bytes >= SIGN_BYTES_MAX) {
        event_sign(e, r->options.signer);
        own->unsigned_events = 0;
        own->unsigned_bytes = 0;
    }
    return err;
}

/* The head moves; an unsigned one is kept until it is signed or followed. */
static void advance(struct recorder *r, struct own_feed *own, const struct event *e)
{
    own->head = (struct head){.seq = e->seq, .id = e->id, .time = e->time};
    own->unsigned_head = !e->has_signature;
    own->last = (struct event){
        .suite = e->suite,
        .feed = e->feed,
        .seq = e->seq,
        .prev = e->prev,
        .time = e->time,
        .founding = e->founding,
        .subject = e->subject,
        .box_state = e->box_state == BOX_HERE ? BOX_GONE : e->box_state, /* the record has it */
        .header = e->header,
        .id = e->id,
    };
    struct buf spare = own->header; /* `last` borrows the header just made */
    own->header = r->header;
    r->header = spare;
    if (!recorder_is_sealed(e->kind)) r->hlc = e->time;
    r->added++;
}

/* The first event of a feed that continues others names them. */
static enum err continue_feed(struct recorder *r, struct own_feed *own)
{
    struct buf body = {0};
    size_t fresh;
    struct event e = {.kind = slice_of_text(KIND_CONTINUED), .founding = true};
    own->continues = false;
    if (!may_continue(r, &own->feed.scope)) return OK;
    enum err err = continued_body(r, own, &body);
    e.body = buf_slice(&body);
    if (!err) err = link_and_encode(r, own, &e);
    if (!err) err = sign_in_time(r, own, &e);
    if (!err) err = arrival_add(r->arrival, &e, 1, &fresh);
    if (!err) advance(r, own, &e);
    buf_clear(&body);
    return err;
}

static enum err add(struct recorder *r, const struct draft *draft, struct recorded *out,
                    struct kind_problem *problem)
{
    struct event e = {0};
    struct own_feed *own;
    size_t fresh;
    if (r->low_space && r->added >= LOW_SPACE_EVENTS_MAX) return ERR_NOSPACE;
    enum err err = recorder_check(r, draft, &e, problem);
    if (!err) err = own_feed(r, &draft->scope, draft->lane, &own);
    if (!err && own->continues) err = continue_feed(r, own);
    if (err == ERR_LIMIT && !problem->what[0])
        return recorder_refuse(problem, err, N_("this device was put back or copied too often"));
    if (!err) err = link_and_encode(r, own, &e);
    if (!err) err = sign_in_time(r, own, &e);
    if (!err)
        err = r->next ? arrival_add_next(r->arrival, &e) : arrival_add(r->arrival, &e, 1, &fresh);
    if (err) return err;
    advance(r, own, &e);
    *out = (struct recorded){.feed = e.feed, .seq = e.seq, .id = e.id, .subject = e.subject};
    return OK;
}

enum err recorder_add(struct recorder *r, const struct draft *draft, struct recorded *out,
                      struct kind_problem *problem)
{
    struct sealing sealing = {0};
    const struct roster *roster;
    if (!r->arrival) return ERR_STATE;
    if (!draft->sealed) return add(r, draft, out, problem);
    enum err err = views_roster(r->options.views, arrival_txn(r->arrival), &roster);
    if (!err && !roster->founded)
        err = recorder_refuse(problem, ERR_FORBIDDEN, "this device has no role for it");
    struct slice body = draft->body; /* asked only: its dates are stated when it is opened */
    if (!err)
        err = deadlines_complete(&r->deadlines, r->options.views, arrival_txn(r->arrival),
                                 &r->clock, draft, &body, problem);
    if (!err) err = sealing_make(&sealing, draft, &roster->office, recorder_next_time(r), problem);
    if (!err) err = add(r, &sealing.draft, out, problem);
    sealing_clear(&sealing);
    return err;
}

enum err recorder_record(struct recorder *r, const struct clock_reading *clock,
                         const struct draft *draft, struct recorded *out,
                         struct kind_problem *problem)
{
    struct recorded recorded;
    enum err err = recorder_begin(r, clock);
    if (err) return err;
    r->sign_each = true;
    err = recorder_add(r, draft, &recorded, problem);
    if (err) {
        recorder_abort(r);
        return err;
    }
    err = recorder_commit(r);
    if (!err) *out = recorded;
    return err;
}

enum err recorder_continue(struct recorder *r, const struct clock_reading *clock)
{
    struct feed_row row;
    struct own_feed *own;
    uint32_t number = 0;
    enum err err = recorder_begin(r, clock);
    if (err) return err;
    r->sign_each = true;
    while (!err && own_feed_forked(r, &number, &row)) {
        err = own_feed(r, &row.feed.scope, row.feed.lane, &own);
        if (!err && own->continues) err = continue_feed(r, own);
    }
    if (!err && r->added) return recorder_commit(r);
    recorder_abort(r);
    return err;
}
