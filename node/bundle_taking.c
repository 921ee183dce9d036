#include "node/bundle_taking.h"

#include "node/arrival.h"
#include "node/bundle_keys.h"
#include "node/run_taking.h"
#include "node/store/local.h"
#include "node/towns.h"
#include "node/views/visible.h"

#include <stdlib.h>

#define COMMIT_BYTES MIB(2)      /* of records, between two commits */
#define WAITING_BYTES_MAX MIB(8) /* of runs whose turn comes later */
#define RECEIPTS_MAX 16u
#define TOWNS_MAX 32u
#define LOOK_BYTES_MAX MIB(4) /* of records whose authors others may be, looking: uncommitted */

/* A frame that is kept: a run whose author another one makes known, or what is looked at when all
 * runs are taken. */
struct kept {
    struct kept *next;
    struct buf frame;
};

struct bundle_intake {
    struct bundle_taking options;
    struct bundle_reader *reader;
    struct slice hello; /* the reader's */
    const struct store_identity *self;
    struct run_decoder *decoder;
    struct run_look *looker; /* NULL: it is stored */
    struct arrival *arrival;
    uint64_t uncommitted; /* bytes */
    struct kept *waiting, **waiting_tail;
    size_t waiting_bytes;
    struct kept *receipts;
    size_t receipt_count;
    struct kept *towns;
    size_t town_count;
    struct bundle_taken taken;
};

static enum err keep(struct kept **at, struct slice frame)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k) return ERR_NOMEM;
    buf_append_slice(&k->frame, frame);
    if (k->frame.err) {
        free(k);
        return ERR_NOMEM;
    }
    *at = k;
    return OK;
}

static void drop(struct kept *k)
{
    crypto_buf_wipe(&k->frame);
    free(k);
}

/* --- runs --- */

/* Might the sender hold it? One who was revoked might, before; what counts the roster says. */
static bool sender_may(const struct roster *roster, const struct device *from,
                       const struct feed *feed)
{
    struct device then = *from;
    then.state = DEVICE_JOINED;
    return roster_has_key(roster, from, &feed->author) || device_may_hold(&then, &feed->scope);
}

/* As from a session with the sender; of one who is not known yet, `town` alone. */
static enum err allowed(const struct bundle_intake *s, const struct roster *roster,
                        const struct feed *feed)
{
    const struct device *from = roster_device(roster, &s->taken.head.from);
    const struct device *self = roster_device(roster, &s->self->device);
    const bool town = scope_class(&feed->scope) == SCOPE_TOWN;
    if (from && !sender_may(roster, from, feed)) return ERR_FORBIDDEN;
    if (!from && !town) return ERR_UNKNOWN_AUTHOR;
    if (!roster_may_author(roster, &feed->author, &feed->scope))
        return roster_roles(roster, &feed->author) ? ERR_FORBIDDEN : ERR_UNKNOWN_AUTHOR;
    if (town) return OK;
    if (!self) return ERR_UNKNOWN_AUTHOR;
    return roster_has_key(roster, self, &feed->author) || device_may_hold(self, &feed->scope)
               ? OK
               : ERR_FORBIDDEN;
}

/* Looking, only what makes others known is folded, and that is not kept. */
static bool is_folded(const struct bundle_intake *s, const struct feed *feed)
{
    if (!s->looker) return true;
    return scope_class(&feed->scope) == SCOPE_TOWN && s->uncommitted < LOOK_BYTES_MAX;
}

static enum err fold_run(struct bundle_intake *s, const struct roster *roster,
                         const struct frame_run *f, const struct feed *feed,
                         const struct feed_row *row, uint64_t *fresh)
{
    struct txn *t = arrival_txn(s->arrival);
    const uint64_t before = log_count(t);
    enum err err = run_take(s->decoder, s->arrival, roster, &f->run, feed, row);
    *fresh = log_count(t) - before;
    if (!err) s->uncommitted += f->run.raw_size;
    return err;
}

static enum err take_run(struct bundle_intake *s, const struct frame_run *f, struct feed *feed)
{
    struct txn *t = arrival_txn(s->arrival);
    const struct roster *roster;
    struct feed_row row;
    uint64_t fresh;
    bool held;
    enum err err = views_roster(s->options.views, t, &roster);
    if (!err)
        err = s->looker ? run_look_feed_of(s->looker, t, &f->feed, feed, &held, &row)
                        : run_feed_of(t, &f->feed, feed, &held, &row);
    if (!err) err = allowed(s, roster, feed);
    bool shown = !err && visible_by(roster_device(roster, &s->self->device), &feed->scope);
    if (!err)
        err = is_folded(s, feed) ? fold_run(s, roster, f, feed, held ? &row : NULL, &fresh)
                                 : run_look_at(s->looker, s->decoder, t, roster, &f->run, feed,
                                               held ? &row : NULL, &fresh);
    if (err || !shown) return err; /* the roster may be another now */
    s->taken.fresh += fresh;
    s->taken.known += f->run.count - fresh;
    return OK;
}

static bool comes_later(enum err err)
{
    return err == ERR_UNKNOWN_AUTHOR || err == ERR_BASE;
}

static void refuse(struct bundle_intake *s, const struct frame_run *f, const struct feed *feed,
                   enum err why)
{
    static const struct sign_key none;
    if (!s->taken.why) {
        s->taken.why = why;
        s->taken.refused_feed = *feed;
        s->taken.refused_named = !sign_key_equal(&feed->author, &none);
    }
    s->taken.refused += f->run.count;
}

static enum err offer_run(struct bundle_intake *s, struct slice frame, bool last)
{
    struct frame_run f;
    struct feed feed = {0};
    enum err err = frame_run_read(&f, frame);
    if (err) {
        s->taken.damaged = true; /* what was sealed whole is no run: its maker is broken */
        return OK;
    }
    err = take_run(s, &f, &feed);
    if (comes_later(err) && !last && s->waiting_bytes + frame.size <= WAITING_BYTES_MAX) {
        err = keep(s->waiting_tail, frame);
        if (err) return err;
        s->waiting_tail = &(*s->waiting_tail)->next;
        s->waiting_bytes += frame.size;
        return OK;
    }
    if (err && run_is_at_fault(err)) {
        refuse(s, &f, &feed, err);
        return OK;
    }
    return err;
}

static enum err commit(struct bundle_intake *s)
{
    struct arrival *a = s->arrival;
    s->arrival = NULL;
    s->uncommitted = 0;
    return arrival_commit(a);
}

/* Those that wait are tried again while that brings something; `last`: what is left is refused. */
static enum err offer_waiting(struct bundle_intake *s, bool last)
{
    struct kept *waiting = s->waiting;
    enum err err = OK;
    s->waiting = NULL;
    s->waiting_tail = &s->waiting;
    s->waiting_bytes = 0;
    while (waiting) {
        struct kept *k = waiting;
        waiting = k->next;
        if (!err) err = offer_run(s, buf_slice(&k->frame), last);
        drop(k);
    }
    return err;
}

static enum err settle_waiting(struct bundle_intake *s)
{
    enum err err = OK;
    for (size_t before = SIZE_MAX; !err && s->waiting && s->waiting_bytes < before;) {
        before = s->waiting_bytes;
        err = offer_waiting(s, false);
    }
    return err ? err : offer_waiting(s, true);
}

static enum err keep_for_later(struct kept **list, size_t *count, struct slice frame)
{
    struct kept *k = NULL;
    enum err err = keep(&k, frame);
    if (err) return err;
    k->next = *list;
    *list = k;
    ++*count;
    return OK;
}

static enum err take_frame(struct bundle_intake *s, struct slice frame)
{
    uint64_t type;
    enum err err = OK;
    if (frame_type_of(frame, &type) != OK) {
        s->taken.damaged = true;
        return OK;
    }
    if (type == FRAME_RECEIPT && s->receipt_count < RECEIPTS_MAX)
        err = keep_for_later(&s->receipts, &s->receipt_count, frame);
    if (type == FRAME_TOWN && s->town_count < TOWNS_MAX)
        err = keep_for_later(&s->towns, &s->town_count, frame);
    return !err && type == FRAME_RUN ? offer_run(s, frame, false) : err;
}

/* Up to the end, or as many as are committed together. */
static enum err take_frames(struct bundle_intake *s, bool *end)
{
    enum err err = OK;
    *end = false;
    while (!err && !*end && (s->looker || s->uncommitted < COMMIT_BYTES)) {
        struct slice frame;
        err = bundle_next(s->reader, &frame, end);
        if (err == ERR_CORRUPT) {
            s->taken.damaged = true;
            err = OK;
        } else if (!err && !*end) {
            s->taken.bytes += frame.size;
            err = take_frame(s, frame);
        }
        *end |= s->taken.damaged;
    }
    return !err && *end ? settle_waiting(s) : err;
}

/* --- what it says of its maker --- */

static bool is_signed_by(const struct bundle_intake *s, const struct roster *roster,
                         const struct device *d)
{
    struct sign_key key;
    for (size_t i = 0; roster_key_at(roster, d, i, &key); i++)
        if (bundle_verify(&s->taken.head, &key) == OK) return true;
    return false;
}

static bool receipt_verifies(const struct frame_receipt *f, const struct receipt_parties *parties,
                             const struct roster *roster, const struct device *d)
{
    struct sign_key key;
    for (size_t i = 0; roster_key_at(roster, d, i, &key); i++)
        if (frame_receipt_verify_by(f, parties, &key) == OK) return true;
    return false;
}

static void take_receipt(struct bundle_intake *s, struct txn *t, const struct roster *roster,
                         const struct device *from, const uint8_t generation[8], struct slice frame)
{
    struct frame_receipt f;
    struct buf entries = {0}, body = {0};
    struct receipt_parties parties = {
        .township = s->self->township, .receiver = from->first, .addressee = s->self->device};
    memcpy(parties.generation, generation, sizeof parties.generation);
    if (frame_receipt_read(&f, frame) == OK &&
        frame_receipt_complete(&f, &entries, receipt_whole_id, t) == OK &&
        receipt_verifies(&f, &parties, roster, from)) {
        receipt_body_write(&body, &parties, &f);
        if (!body.err && !s->looker)
            receipt_put(t, &from->first, f.counter, buf_slice(&body), &f.signature);
        s->taken.receipts++;
    } else {
        s->taken.receipts_bad++;
    }
    buf_clear(&entries);
    buf_clear(&body);
}

static uint64_t newest(const struct peer_row *row, const uint8_t feed8[8])
{
    uint64_t seq = 0;
    for (size_t i = 0; i < row->have_count; i++)
        if (memcmp(row->have[i].feed8, feed8, 8) == 0 && row->have[i].seq > seq)
            seq = row->have[i].seq;
    return seq;
}

/* The sender holds what its HELLO names. In one store generation that only grows, and a session may
 * have told more since the bundle was made: then its digest is no news either. Of another one
 * nothing is known but this. */
static void take_have(struct peer_row *row, const struct frame_hello *h)
{
    struct mp_reader r = frame_have_begin(h);
    struct have_entry e;
    bool more = frame_have_next(&r, &e), newest_told = true;
    if (memcmp(row->generation, h->generation, sizeof h->generation) != 0) row->have_count = 0;
    memcpy(row->generation, h->generation, sizeof row->generation);
    while (more) {
        const struct have_entry first = e;
        struct want_point points[FEED_BRANCHES_MAX];
        uint64_t seq = 0;
        size_t count = 0;
        for (; more && memcmp(e.feed.id8, first.feed.id8, 8) == 0; more = frame_have_next(&r, &e)) {
            if (count == FEED_BRANCHES_MAX) continue;
            points[count].seq = e.seq;
            memcpy(points[count++].id8, e.id8, sizeof e.id8);
            if (e.seq > seq) seq = e.seq;
        }
        if (seq >= newest(row, first.feed.id8))
            (void)peer_have_set(&row->have, &row->have_count, first.feed.id8, points, count);
        else
            newest_told = false;
    }
    if (!newest_told) return;
    row->has_views = h->has_views;
    memcpy(row->views8, h->views8, sizeof row->views8);
}

static void take_hello(struct bundle_intake *s, struct txn *t, const struct device *from,
                       const struct frame_hello *h)
{
    struct peer_row row;
    if (!peer_get(t, &from->first, &row)) row = (struct peer_row){.device = from->first};
    if (row.bundle < s->taken.head.number) {
        row.bundle = s->taken.head.number;
        take_have(&row, h);
        row.last_ok_ms = s->options.wall_ms;
        peer_put(t, &row);
    }
    peer_row_clear(&row);
}

static enum err take_words(struct bundle_intake *s, struct txn *t, struct slice hello)
{
    const struct roster *roster;
    struct frame_hello h;
    enum err err = frame_hello_read(&h, hello);
    if (err || !frame_hello_version_meets(&h)) return OK;
    s->taken.time_ms = h.time_ms;
    err = views_roster(s->options.views, t, &roster);
    const struct device *from = err ? NULL : roster_device(roster, &s->taken.head.from);
    s->taken.sender_known = from != NULL;
    s->taken.verified = from && is_signed_by(s, roster, from);
    if (!s->taken.verified || from->state != DEVICE_JOINED) return err;
    for (struct kept *k = s->receipts; k; k = k->next)
        take_receipt(s, t, roster, from, h.generation, buf_slice(&k->frame));
    if (!s->looker) take_hello(s, t, from, &h);
    return OK;
}

/* Those who carry it are told, and who asks where it stays. Not of a damaged one, for it may come
 * again whole, nor of one whose records follow others that are not here: it is of use later. */
static void note(const struct bundle_intake *s, struct txn *t)
{
    const struct bundle_noted noted = {.wall_ms = s->options.wall_ms, .way = s->options.way};
    if (!s->taken.damaged && !comes_later(s->taken.why)) bundle_note(t, &s->taken.head.id, &noted);
}

static enum err commit_words(struct bundle_intake *s, struct slice hello)
{
    struct txn *t = NULL;
    enum err err = txn_begin(s->options.store, true, &t);
    if (!err) err = take_words(s, t, hello);
    if (!err) note(s, t);
    if (!err) return txn_commit(t);
    txn_abort(t);
    return err;
}

/* --- what hubs signed of `town` --- */

static enum err take_town(struct bundle_intake *s, struct slice frame)
{
    struct town_kept k;
    struct town_judged judged;
    struct txn *t = NULL;
    bool kept = false;
    if (towns_read(&k, frame)) return OK;
    enum err err = txn_begin(s->options.store, true, &t);
    if (!err) err = towns_judge(s->options.views, t, &k, &judged);
    if (!err) kept = towns_keep(t, &k, &judged);
    if (kept && judged.verdict == TOWN_SPLIT) {
        s->taken.two_faces = true;
        s->taken.two_faced = k.state.hub;
    }
    town_kept_clear(&k);
    if (kept) return txn_commit(t);
    txn_abort(t);
    return err;
}

/* What names more than came with this bundle is told again by the next. */
static enum err take_towns(struct bundle_intake *s)
{
    enum err err = OK;
    for (struct kept *k = s->towns; k && !err; k = k->next)
        err = take_town(s, buf_slice(&k->frame));
    return err;
}

/* --- the whole --- */

static enum err open_reader(struct bundle_intake *s, int fd)
{
    struct bundle_keys keys;
    enum err err = bundle_keys_open(&keys, s->options.store, s->options.views, s->options.keys);
    if (!err) err = bundle_open(&s->reader, fd, keys.keys, keys.count, &s->taken.head, &s->hello);
    bundle_keys_wipe(&keys);
    if (err) return err;
    return sign_key_equal(&s->taken.head.township, &s->self->township) ? OK : ERR_FOREIGN;
}

static void drop_all(struct kept *list)
{
    for (struct kept *k = list, *next; k; k = next) {
        next = k->next;
        drop(k);
    }
}

void bundle_intake_close(struct bundle_intake *s)
{
    if (!s) return;
    arrival_abort(s->arrival);
    drop_all(s->waiting);
    drop_all(s->receipts);
    drop_all(s->towns);
    bundle_reader_close(s->reader);
    run_look_close(s->looker);
    run_decoder_close(s->decoder);
    free(s);
}

enum err bundle_intake_open(struct bundle_intake **out, int fd, const struct bundle_taking *b)
{
    struct bundle_intake *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->options = *b;
    s->self = store_identity(b->store);
    s->waiting_tail = &s->waiting;
    enum err err = run_decoder_open(&s->decoder);
    if (!err && b->look) err = run_look_open(&s->looker);
    if (!err) err = open_reader(s, fd);
    if (err)
        bundle_intake_close(s);
    else
        *out = s;
    return err;
}

enum err bundle_intake_step(struct bundle_intake *s, bool *done)
{
    enum err err = arrival_begin(&s->arrival, s->options.store, s->options.views);
    if (!err) err = take_frames(s, done);
    if (!err && s->looker) return take_words(s, arrival_txn(s->arrival), s->hello);
    if (!err) err = commit(s);
    if (!err && *done) err = commit_words(s, s->hello);
    if (!err && *done) err = take_towns(s);
    return err;
}

const struct bundle_taken *bundle_intake_taken(const struct bundle_intake *s)
{
    return &s->taken;
}

enum err bundle_take(int fd, const struct bundle_taking *b, struct bundle_taken *out)
{
    struct bundle_intake *s = NULL;
    enum err err = bundle_intake_open(&s, fd, b);
    for (bool done = false; !err && !done;) err = bundle_intake_step(s, &done);
    if (!err) *out = s->taken;
    bundle_intake_close(s);
    return err;
}
