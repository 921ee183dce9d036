#include "node/bundle_making.h"

#include "node/bundle_words.h"
#include "node/run_making.h"
#include "node/store/local.h"
#include "node/views/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define LEVEL 9 /* nobody waits for a link */
#define META_BUNDLE "bundle"
#define POINTS_MAX (HAVE_ENTRIES_MAX + FEED_BRANCHES_MAX + BUNDLE_PARTS_MAX)
#define ROSTER_PARTS 4u /* of a part this part of it may be said in each */

enum rank { RANK_ROSTER, RANK_URGENT, RANK_NORMAL, RANKS };

/* After so many runs of a feed; the next one is of this branch or a later one. */
struct place {
    unsigned rank;
    uint32_t feed;
    size_t branch;
    uint64_t runs;
};

struct count {
    uint64_t events; /* as in bundle_made */
    uint64_t all;    /* of scopes that are not shown, too */
    uint64_t left;
};

/* Of the feed at hand: the receiver's points, then what was written. */
struct points {
    struct want_point *rows;
    size_t count;
    bool begun; /* else they are of another feed */
};

struct bundle_maker {
    struct bundle_making options;
    struct bundle_sides sides;
    struct run_maker maker;
    struct buf hello, receipt, towns; /* the same in each part */
    uint64_t number;                  /* of the first part */

    struct place at;
    struct points points, other;
    struct count count;
    struct bundle_writer *writer; /* NULL: it only counts */
    uint64_t size;                /* frames of the part at hand */
    uint32_t part;
    bool full; /* it ends here */

    struct place *ends; /* of each part but the last */
    uint32_t end_count;
    bool roster_again;        /* in each part */
    uint64_t planned;         /* events */
    struct place first, feed; /* where the part began, and the feed */
    struct count at_feed;
    uint64_t size_at_feed, feed_events; /* about so many are to be written of it */
};

/* --- which feeds --- */

/* As a session orders them: what makes others known first, then what is urgent. */
static enum rank rank_of(const struct bundle_sides *s, const struct feed_row *row)
{
    const struct sign_key *author = &row->feed.author;
    if (scope_class(&row->feed.scope) == SCOPE_TOWN) {
        if (roster_is_authority(s->roster, author) || roster_is_recovery(s->roster, author))
            return RANK_ROSTER;
        const struct device *d = roster_device(s->roster, author);
        if (d && (d->roles & ROLE_HUB || !sign_key_equal(author, &d->key))) return RANK_ROSTER;
    }
    return row->feed.lane == LANE_URGENT ? RANK_URGENT : RANK_NORMAL;
}

static void take_points(struct points *p, const struct peer_row *peer, const struct feed_row *row)
{
    p->count = 0;
    p->begun = true;
    for (size_t i = 0; i < peer->have_count; i++) {
        const struct peer_have *have = &peer->have[i];
        if (memcmp(have->feed8, row->id.bytes, sizeof have->feed8) != 0) continue;
        struct want_point *point = &p->rows[p->count++];
        point->seq = have->seq;
        memcpy(point->id8, have->id8, sizeof point->id8);
    }
}

static bool is_before(const struct place *a, const struct place *b)
{
    if (a->rank != b->rank) return a->rank < b->rank;
    if (a->feed != b->feed) return a->feed < b->feed;
    if (a->branch != b->branch) return a->branch < b->branch;
    return a->runs < b->runs;
}

/* --- runs --- */

/* Counting, by the size; then where the plan has it. */
static bool is_full(const struct bundle_maker *m, size_t frame_size)
{
    if (!m->writer) return bundle_size(m->size + 4 + frame_size) > m->options.size_max;
    return m->part < m->end_count && !is_before(&m->at, &m->ends[m->part]);
}

static enum err put_frame(struct bundle_maker *m, struct slice frame)
{
    m->size += 4 + frame.size;
    return m->writer ? bundle_put(m->writer, frame) : OK;
}

static enum err put_run(struct bundle_maker *m, const struct run_making *r)
{
    struct buf frame = {0};
    struct frame_run f = {.run = r->run, .feed = {.whole = !r->base.seq, .feed = r->feed.feed}};
    memcpy(f.feed.id8, r->feed.id.bytes, sizeof f.feed.id8);
    frame_run_write(&frame, &f);
    enum err err = frame.err;
    if (!err && is_full(m, frame.size)) {
        m->full = true;
        err = ERR_LIMIT;
    }
    if (!err) err = put_frame(m, buf_slice(&frame));
    if (!err) {
        m->at.runs++;
        m->count.all += r->run.count;
        if (visible_by(m->sides.self, &r->feed.feed.scope)) m->count.events += r->run.count;
    }
    crypto_buf_wipe(&frame);
    return err;
}

/* Without dictionaries: what the receiver holds may have lost boxes since, and he could not ask. */
static enum err put_next(struct bundle_maker *m, const struct feed_row *row,
                         const struct head *head, struct head *base)
{
    struct run_making r = {.feed = *row,
                           .head = *head,
                           .base = *base,
                           .payload_max = RUN_PAYLOAD_SIZE_MAX,
                           .counting = !device_is_township(m->sides.to),
                           .level = LEVEL};
    enum err err = run_making_proven(&r, &m->maker, m->sides.txn);
    if (!err) err = put_run(m, &r);
    if (!err) *base = r.last;
    run_making_clear(&r);
    return err;
}

static enum err put_branch(struct bundle_maker *m, const struct feed_row *row,
                           const struct head *head)
{
    struct points *points = &m->points;
    struct run_making r = {.feed = *row, .head = *head};
    enum err err = run_making_base(&r, m->sides.txn, points->rows, points->count, true);
    struct head base = r.base;
    while (!err && base.seq < head->seq) err = put_next(m, row, head, &base);
    /* The other branches begin after the fork with this one, and the next part after this one. */
    struct want_point *p = &points->rows[points->count++];
    p->seq = base.seq;
    memcpy(p->id8, base.id.bytes, sizeof p->id8);
    if (m->full) return err;
    if (err == ERR_LIMIT || err == ERR_CORRUPT) m->count.left += head->seq - base.seq;
    return err == ERR_NOT_FOUND || err == ERR_CORRUPT || err == ERR_LIMIT ? OK : err;
}

/* More where it has branches, which share what is below their fork. */
static uint64_t events_after(const struct points *p, const struct feed_row *row)
{
    uint64_t events = 0, known = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->rows[i].seq > known) known = p->rows[i].seq;
    for (size_t i = 0; i < row->head_count; i++)
        if (row->heads[i].seq > known) events += row->heads[i].seq - known;
    return events;
}

static void begin_feed(struct bundle_maker *m, const struct feed_row *row)
{
    take_points(&m->points, &m->sides.peer, row);
    m->feed_events = events_after(&m->points, row);
    m->at.branch = 0;
    m->at.runs = 0;
    m->maker.raw_per_payload = RUN_MAKER_RATIO; /* the same runs both times */
    m->feed = m->at;
    m->at_feed = m->count;
    m->size_at_feed = m->size;
}

static enum err put_feed(struct bundle_maker *m)
{
    const struct bundle_sides *s = &m->sides;
    struct feed_row row;
    struct head heads[FEED_BRANCHES_MAX];
    enum err err = OK;
    if (!feed_get(s->txn, m->at.feed, &row) || !bundle_may_hold(s, &row)) return OK;
    if (rank_of(s, &row) != m->at.rank) return OK;
    if (!m->points.begun) begin_feed(m, &row);
    const size_t count = bundle_heads(s, &row, heads);
    while (!err && m->at.branch < count) {
        err = put_branch(m, &row, &heads[m->at.branch]);
        if (!err) m->at.branch++;
    }
    return err;
}

/* From where it stands, until the part is full. */
static enum err put_rank(struct bundle_maker *m)
{
    const uint32_t feeds = feed_count(m->sides.txn);
    enum err err = OK;
    while (!err && m->at.feed <= feeds) {
        err = put_feed(m);
        if (err) break;
        m->points.begun = false;
        m->at = (struct place){.rank = m->at.rank, .feed = m->at.feed + 1};
    }
    return err ? err : txn_error(m->sides.txn);
}

static enum err put_runs(struct bundle_maker *m)
{
    enum err err = OK;
    while (!err && m->at.rank < RANKS) {
        const uint64_t before = m->size;
        err = put_rank(m);
        if (err) break;
        if (!m->writer && m->at.rank == RANK_ROSTER && !m->part)
            m->roster_again = m->size - before <= m->options.size_max / ROSTER_PARTS;
        m->at = (struct place){.rank = m->at.rank + 1, .feed = 1};
    }
    return m->full ? OK : err;
}

static enum err put_roster_again(struct bundle_maker *m)
{
    const struct place at = m->at;
    const struct count count = m->count;
    const uint64_t ratio = m->maker.raw_per_payload;
    const struct points points = m->points;
    m->points = m->other;
    m->points.begun = false;
    m->at = (struct place){.rank = RANK_ROSTER, .feed = 1};
    enum err err = put_rank(m);
    m->points = points;
    m->maker.raw_per_payload = ratio;
    m->count = count;
    m->at = at;
    return err;
}

/* --- the parts --- */

static void feed_from_the_beginning(struct bundle_maker *m)
{
    m->at = m->feed;
    m->points.begun = false;
    m->count = m->at_feed;
    m->size = m->size_at_feed;
}

static enum err put_towns(struct bundle_maker *m)
{
    enum err err = OK;
    for (size_t at = 0; !err && at < m->towns.size;) {
        const uint8_t *frame = m->towns.data + at + 4;
        const size_t size = be32_get(frame - 4);
        err = put_frame(m, slice_of(frame, size));
        at += 4 + size;
    }
    return err;
}

static enum err put_part(struct bundle_maker *m)
{
    enum err err = OK;
    m->full = false;
    m->size = 4 + BUNDLE_HEAD_SIZE_MAX + 4 + m->hello.size;
    if (m->receipt.size) err = put_frame(m, buf_slice(&m->receipt));
    if (!err) err = put_towns(m);
    if (!err && m->part && m->roster_again) err = put_roster_again(m);
    m->first = m->at;
    if (!err) err = put_runs(m);
    if (m->full && !m->at.runs) feed_from_the_beginning(m);
    return err;
}

/* By what was written of the feed so far. */
static bool fits_into_one(const struct bundle_maker *m)
{
    const uint64_t events = m->count.all - m->at_feed.all;
    return events && (m->size - m->size_at_feed) / events * m->feed_events < m->options.size_max;
}

/* A feed that began in this part, behind others, goes whole into the next one, if it fits there. */
static enum err end_part(struct bundle_maker *m)
{
    if (is_before(&m->first, &m->feed) && fits_into_one(m)) feed_from_the_beginning(m);
    if (m->end_count + 1 == BUNDLE_PARTS_MAX) return ERR_LIMIT;
    m->ends[m->end_count++] = m->at;
    m->part++;
    return OK;
}

static enum err make_plan(struct bundle_maker *m, struct bundle_plan *plan)
{
    enum err err = OK;
    m->at = (struct place){.feed = 1};
    *plan = (struct bundle_plan){0};
    for (bool more = true; !err && more;) {
        err = put_part(m);
        more = m->full;
        if (!err && more) err = end_part(m);
        plan->bytes += bundle_size(m->size);
    }
    plan->parts = m->end_count + 1;
    m->planned = m->count.all;
    m->count = (struct count){0};
    m->at = (struct place){.feed = 1};
    m->points.begun = false;
    m->part = 0;
    return err;
}

/* Numbers that were taken are not given twice, also when no bundle came of it. */
static enum err take_numbers(struct bundle_maker *m, uint64_t *counter)
{
    struct txn *t;
    enum err err = txn_begin(m->options.store, true, &t);
    if (err) return err;
    m->number = meta_get_uint(t, META_BUNDLE) + 1;
    if (m->number < m->options.wall_ms) m->number = m->options.wall_ms; /* over a restored store */
    meta_put_uint(t, META_BUNDLE, m->number + BUNDLE_PARTS_MAX - 1);
    *counter = receipt_range_take(t, true) + 1;
    return txn_commit(t);
}

static enum err look_around(struct bundle_maker *m)
{
    struct bundle_sides *s = &m->sides;
    enum err err = txn_begin(s->store, false, &s->txn);
    if (!err) err = views_roster(m->options.views, s->txn, &s->roster);
    if (err) return err;
    s->self = roster_device(s->roster, &store_identity(s->store)->device);
    s->to = roster_device(s->roster, &m->options.to);
    if (!s->self || !s->to || s->to->state == DEVICE_INVITED) return ERR_NOT_FOUND;
    if (!peer_get(s->txn, &s->to->first, &s->peer)) s->peer.device = s->to->first;
    return txn_error(s->txn);
}

enum err bundle_maker_open(struct bundle_maker **out, const struct bundle_making *b,
                           struct bundle_plan *plan)
{
    uint64_t counter = 0;
    struct bundle_maker *m = calloc(1, sizeof *m);
    if (!m) return ERR_NOMEM;
    m->options = *b;
    if (!b->size_max) m->options.size_max = BUNDLE_SIZE_MAX;
    m->sides = (struct bundle_sides){
        .store = b->store, .keys = b->keys, .wall_ms = b->wall_ms, .time_trusted = b->time_trusted};
    m->maker.signer = &b->keys->signer;
    m->points.rows = calloc(POINTS_MAX, sizeof *m->points.rows);
    m->other.rows = calloc(POINTS_MAX, sizeof *m->other.rows);
    m->ends = calloc(BUNDLE_PARTS_MAX, sizeof *m->ends);
    enum err err = m->points.rows && m->other.rows && m->ends ? OK : ERR_NOMEM;
    if (m->options.size_max < BUNDLE_PART_SIZE_MIN) err = ERR_LIMIT;
    if (!err) err = zstd_open(&m->maker.zstd);
    if (!err) err = take_numbers(m, &counter);
    if (!err) err = look_around(m);
    if (!err) err = bundle_hello_write(&m->hello, &m->sides);
    if (!err) err = bundle_receipt_write(&m->receipt, &m->sides, counter);
    if (!err) err = bundle_towns_write(&m->towns, &m->sides);
    if (!err) err = make_plan(m, plan);
    if (err)
        bundle_maker_close(m);
    else
        *out = m;
    return err;
}

void bundle_maker_close(struct bundle_maker *m)
{
    if (!m) return;
    txn_abort(m->sides.txn);
    bundle_writer_close(m->writer);
    peer_row_clear(&m->sides.peer);
    zstd_close(m->maker.zstd);
    buf_clear(&m->hello);
    buf_clear(&m->receipt);
    buf_clear(&m->towns);
    free(m->points.rows);
    free(m->other.rows);
    free(m->ends);
    free(m);
}

static enum err begin(struct bundle_maker *m, int fd)
{
    const struct bundle_sides *s = &m->sides;
    struct bundle_head head = {.township = store_identity(s->store)->township,
                               .from = s->self->first,
                               .to_township = m->options.to_township,
                               .to = s->to->first,
                               .number = m->number + m->part};
    const struct box_key *key = head.to_township ? &s->roster->office : &s->to->transport;
    return bundle_begin(&m->writer, fd, key, &head, buf_slice(&m->hello), &s->keys->signer);
}

/* From the medium, not from what the system remembers of it. */
static enum err read_back(struct bundle_maker *m, int fd)
{
    if (fsync(fd)) return err_from_errno(errno);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return bundle_read_back(m->writer, fd);
}

enum err bundle_maker_next(struct bundle_maker *m, int fd, struct bundle_made *out)
{
    const struct count before = m->count;
    uint64_t bytes = 0;
    enum err err = begin(m, fd);
    if (!err) err = put_part(m);
    if (!err) err = bundle_finish(m->writer, &bytes);
    if (!err && m->options.read_back) err = read_back(m, fd);
    bundle_writer_close(m->writer);
    m->writer = NULL;
    if (err) return err;
    *out = (struct bundle_made){.number = m->number + m->part,
                                .events = m->count.events - before.events,
                                .bytes = bytes,
                                .left = m->count.left - before.left};
    m->part++;
    return OK;
}

enum err bundle_make(int fd, const struct bundle_making *b, struct bundle_made *out)
{
    struct bundle_maker *m;
    struct bundle_plan plan;
    enum err err = bundle_maker_open(&m, b, &plan);
    if (err) return err;
    err = bundle_maker_next(m, fd, out);
    if (!err) out->left += m->planned - m->count.all;
    bundle_maker_close(m);
    return err;
}
