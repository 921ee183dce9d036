#include "node/bundle_making.h"

#include "node/run_making.h"
#include "node/store/local.h"
#include "node/views/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define LEVEL 9 /* nobody waits for a link */
#define META_BUNDLE "bundle"
#define POINTS_MAX (HAVE_ENTRIES_MAX + FEED_BRANCHES_MAX)

enum rank { RANK_ROSTER, RANK_URGENT, RANK_NORMAL, RANKS };

struct making {
    const struct bundle_making *options;
    struct txn *txn;
    const struct roster *roster;
    const struct device *self, *to;
    struct peer_row peer; /* what is known of the receiver */
    struct run_maker maker;
    struct bundle_writer *writer;
    struct want_point *points; /* of the feed at hand: the receiver's, then what is in the bundle */
    size_t point_count;
    struct bundle_made made;
};

/* --- which feeds, and what of them --- */

static bool may_hold(const struct making *m, const struct feed_row *row)
{
    return roster_has_key(m->roster, m->to, &row->feed.author) ||
           device_may_hold(m->to, &row->feed.scope);
}

/* As a session orders them: what makes others known first, then what is urgent. */
static enum rank rank_of(const struct making *m, const struct feed_row *row)
{
    const struct sign_key *author = &row->feed.author;
    if (scope_class(&row->feed.scope) == SCOPE_TOWN) {
        if (roster_is_authority(m->roster, author) || roster_is_recovery(m->roster, author))
            return RANK_ROSTER;
        const struct device *d = roster_device(m->roster, author);
        if (d && (d->roles & ROLE_HUB || !sign_key_equal(author, &d->key))) return RANK_ROSTER;
    }
    return row->feed.lane == LANE_URGENT ? RANK_URGENT : RANK_NORMAL;
}

static size_t heads_of(const struct making *m, const struct feed_row *row,
                       struct head heads[FEED_BRANCHES_MAX])
{
    if (device_is_township(m->to)) return feed_ends(m->txn, row, heads);
    memcpy(heads, row->heads, row->head_count * sizeof *heads);
    return row->head_count;
}

static void take_points(struct making *m, const struct feed_row *row)
{
    m->point_count = 0;
    for (size_t i = 0; i < m->peer.have_count; i++) {
        const struct peer_have *have = &m->peer.have[i];
        if (memcmp(have->feed8, row->id.bytes, sizeof have->feed8) != 0) continue;
        struct want_point *p = &m->points[m->point_count++];
        p->seq = have->seq;
        memcpy(p->id8, have->id8, sizeof p->id8);
    }
}

/* --- runs --- */

static enum err put_run(struct making *m, const struct run_making *r)
{
    struct buf frame = {0};
    struct frame_run f = {.run = r->run, .feed = {.whole = !r->base.seq, .feed = r->feed.feed}};
    memcpy(f.feed.id8, r->feed.id.bytes, sizeof f.feed.id8);
    frame_run_write(&frame, &f);
    enum err err = frame.err ? frame.err : bundle_put(m->writer, buf_slice(&frame));
    if (!err && visible_by(m->self, &r->feed.feed.scope)) m->made.events += r->run.count;
    crypto_buf_wipe(&frame);
    return err;
}

/* Without dictionaries: what the receiver holds may have lost boxes since, and he could not ask. */
static enum err put_next(struct making *m, const struct feed_row *row, const struct head *head,
                         struct head *base)
{
    struct run_making r = {.feed = *row,
                           .head = *head,
                           .base = *base,
                           .payload_max = RUN_PAYLOAD_SIZE_MAX,
                           .counting = !device_is_township(m->to),
                           .level = LEVEL};
    enum err err = run_making_proven(&r, &m->maker, m->txn);
    if (!err) err = put_run(m, &r);
    if (!err) *base = r.last;
    run_making_clear(&r);
    return err;
}

static enum err put_branch(struct making *m, const struct feed_row *row, const struct head *head)
{
    struct run_making r = {.feed = *row, .head = *head};
    enum err err = run_making_base(&r, m->txn, m->points, m->point_count, true);
    struct head base = r.base;
    while (!err && base.seq < head->seq) err = put_next(m, row, head, &base);
    if (err == ERR_LIMIT || err == ERR_CORRUPT) m->made.left += head->seq - base.seq;
    /* The other branches begin after the fork with this one. */
    struct want_point *p = &m->points[m->point_count++];
    p->seq = base.seq;
    memcpy(p->id8, base.id.bytes, sizeof p->id8);
    return err == ERR_NOT_FOUND || err == ERR_CORRUPT || err == ERR_LIMIT ? OK : err;
}

static enum err put_runs(struct making *m)
{
    const uint32_t feeds = feed_count(m->txn);
    enum err err = OK;
    for (unsigned rank = 0; rank < RANKS; rank++)
        for (uint32_t number = 1; !err && number <= feeds; number++) {
            struct feed_row row;
            struct head heads[FEED_BRANCHES_MAX];
            if (!feed_get(m->txn, number, &row) || !may_hold(m, &row)) continue;
            if (rank_of(m, &row) != (enum rank)rank) continue;
            take_points(m, &row);
            size_t count = heads_of(m, &row, heads);
            for (size_t i = 0; !err && i < count; i++) err = put_branch(m, &row, &heads[i]);
        }
    return err ? err : txn_error(m->txn);
}

/* --- receipts: all heads of what the receiver wrote --- */

static enum err put_receipt(struct making *m, uint64_t counter)
{
    const struct store_identity *self = store_identity(m->options->store);
    struct receipt_parties parties = {
        .township = self->township, .receiver = self->device, .addressee = m->to->first};
    struct receipt_entry *entries = calloc(RECEIPT_ENTRIES_MAX, sizeof *entries);
    struct frame_receipt f = {.counter = counter, .time_ms = m->options->wall_ms};
    const uint32_t feeds = feed_count(m->txn);
    struct buf frame = {0};
    if (!entries) return ERR_NOMEM;
    memcpy(parties.generation, self->generation, sizeof parties.generation);
    for (uint32_t number = 1; number <= feeds; number++) {
        struct feed_row row;
        if (!feed_get(m->txn, number, &row)) continue;
        if (!roster_has_key(m->roster, m->to, &row.feed.author)) continue;
        if (f.entry_count + row.head_count > RECEIPT_ENTRIES_MAX) break;
        for (size_t i = 0; i < row.head_count; i++) {
            struct receipt_entry *e = &entries[f.entry_count++];
            memcpy(e->feed8, row.id.bytes, sizeof e->feed8);
            e->seq = row.heads[i].seq;
            e->id = row.heads[i].id;
        }
    }
    enum err err = OK;
    if (f.entry_count) {
        frame_receipt_write(&frame, &f, entries, &parties, &m->options->keys->signer);
        err = frame.err ? frame.err : bundle_put(m->writer, buf_slice(&frame));
    }
    buf_clear(&frame);
    free(entries);
    return err == ERR_LIMIT ? OK : err;
}

/* --- HELLO: what this device holds --- */

static bool is_shown(const struct peer_row *peer, const struct have_entry *e)
{
    for (size_t i = 0; i < peer->shown_count; i++) {
        const struct peer_have *s = &peer->shown[i];
        if (s->seq == e->seq && memcmp(s->feed8, e->feed.id8, sizeof s->feed8) == 0 &&
            memcmp(s->id8, e->id8, sizeof s->id8) == 0)
            return true;
    }
    return false;
}

static size_t have_of(const struct making *m, const struct feed_row *row, struct have_entry *out,
                      size_t max)
{
    struct head heads[FEED_BRANCHES_MAX];
    size_t count = heads_of(m, row, heads);
    if (count > max) return 0;
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct have_entry){.seq = heads[i].seq};
        memcpy(out[i].feed.id8, row->id.bytes, sizeof out[i].feed.id8);
        memcpy(out[i].id8, heads[i].id.bytes, sizeof out[i].id8);
    }
    return count;
}

/* Feeds of which the receiver knows all heads from a session stay out; all heads of the others go
 * in. Moves those to the front and gives their number. */
static size_t untold(const struct making *m, struct have_entry *have, size_t count)
{
    size_t kept = 0;
    for (size_t from = 0, to; from < count; from = to) {
        bool told = true;
        for (to = from; to < count && memcmp(have[to].feed.id8, have[from].feed.id8, 8) == 0; to++)
            told = told && is_shown(&m->peer, &have[to]);
        for (size_t i = from; !told && i < to; i++) have[kept++] = have[i];
    }
    return kept;
}

static enum err write_hello(struct making *m, struct buf *out)
{
    const struct store_identity *self = store_identity(m->options->store);
    struct have_entry *have = calloc(HAVE_ENTRIES_MAX, sizeof *have);
    struct frame_hello h = {.protocol_min = PROTOCOL_MIN,
                            .protocol_max = PROTOCOL_MAX,
                            .time_ms = m->options->wall_ms,
                            .time_trusted = m->options->time_trusted,
                            .complete = !m->peer.shown_count};
    const uint32_t feeds = feed_count(m->txn);
    size_t count = 0;
    if (!have) return ERR_NOMEM;
    memcpy(h.township8, self->township.bytes, sizeof h.township8);
    memcpy(h.generation, self->generation, sizeof h.generation);
    for (uint32_t number = 1; number <= feeds; number++) {
        struct feed_row row;
        if (feed_get(m->txn, number, &row) && may_hold(m, &row))
            count += have_of(m, &row, have + count, HAVE_ENTRIES_MAX - count);
    }
    have_digest(h.have8, have, count); /* sorts: entries of a feed stand together */
    h.have_count = h.complete ? count : untold(m, have, count);
    frame_hello_write(out, &h, have);
    free(have);
    return out->err;
}

/* --- the whole --- */

/* Numbers that were taken are not given twice, also when no bundle came of it. */
static enum err take_numbers(const struct bundle_making *b, uint64_t *number, uint64_t *counter)
{
    struct txn *t;
    enum err err = txn_begin(b->store, true, &t);
    if (err) return err;
    *number = meta_get_uint(t, META_BUNDLE) + 1;
    if (*number < b->wall_ms) *number = b->wall_ms; /* rises over a restored store */
    meta_put_uint(t, META_BUNDLE, *number);
    *counter = receipt_range_take(t, true) + 1;
    return txn_commit(t);
}

static enum err look_around(struct making *m)
{
    enum err err = txn_begin(m->options->store, false, &m->txn);
    if (!err) err = views_roster(m->options->views, m->txn, &m->roster);
    if (err) return err;
    m->self = roster_device(m->roster, &store_identity(m->options->store)->device);
    m->to = roster_device(m->roster, &m->options->to);
    if (!m->self || !m->to || m->to->state == DEVICE_INVITED) return ERR_NOT_FOUND;
    if (!peer_get(m->txn, &m->to->first, &m->peer)) m->peer.device = m->to->first;
    return txn_error(m->txn);
}

static enum err begin(struct making *m, int fd)
{
    struct buf hello = {0};
    struct bundle_head head = {.township = store_identity(m->options->store)->township,
                               .from = m->self->first,
                               .to_township = m->options->to_township,
                               .to = m->to->first,
                               .number = m->made.number};
    const struct box_key *key = head.to_township ? &m->roster->office : &m->to->transport;
    enum err err = write_hello(m, &hello);
    if (!err)
        err =
            bundle_begin(&m->writer, fd, key, &head, buf_slice(&hello), &m->options->keys->signer);
    buf_clear(&hello);
    return err;
}

/* From the medium, not from what the system remembers of it. */
static enum err read_back(struct making *m, int fd)
{
    if (fsync(fd)) return err_from_errno(errno);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return bundle_read_back(m->writer, fd);
}

enum err bundle_make(int fd, const struct bundle_making *b, struct bundle_made *out)
{
    struct making m = {.options = b,
                       .maker = {.signer = &b->keys->signer, .raw_per_payload = RUN_MAKER_RATIO},
                       .points = calloc(POINTS_MAX, sizeof *m.points)};
    uint64_t counter = 0;
    enum err err = m.points ? zstd_open(&m.maker.zstd) : ERR_NOMEM;
    if (!err) err = take_numbers(b, &m.made.number, &counter);
    if (!err) err = look_around(&m);
    if (!err) err = begin(&m, fd);
    if (!err) err = put_receipt(&m, counter);
    if (!err) err = put_runs(&m);
    if (!err) err = bundle_finish(m.writer, &m.made.bytes);
    if (!err && b->read_back) err = read_back(&m, fd);
    txn_abort(m.txn);
    bundle_writer_close(m.writer);
    peer_row_clear(&m.peer);
    zstd_close(m.maker.zstd);
    free(m.points);
    if (!err) *out = m.made;
    return err;
}
