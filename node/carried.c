#include "node/carried.h"

#include "node/run_making.h"
#include "node/run_taking.h"
#include "node/store/local.h"

#include <stdlib.h>
#include <string.h>

#define LEVEL 19
#define PASSES_MAX 64u /* each finds an author by what the one before stored */

/* --- writing --- */

enum rank { RANK_ROSTER, RANK_TOWNSHIP, RANK_VILLAGES, RANKS, RANK_NOT };

static enum rank rank_of(const struct roster *roster, const struct feed_row *feed)
{
    if (scope_class(&feed->feed.scope) != SCOPE_TOWN || !feed->head_count) return RANK_NOT;
    const struct sign_key *author = &feed->feed.author;
    if (roster_is_authority(roster, author) || roster_is_recovery(roster, author))
        return RANK_ROSTER;
    const struct device *device = roster_device(roster, author);
    if (!device) return RANK_NOT;
    if (device->roles & ROLE_HUB || !sign_key_equal(author, &device->key)) return RANK_ROSTER;
    return device_is_township(device) ? RANK_TOWNSHIP : RANK_VILLAGES;
}

struct writing {
    struct txn *txn;
    struct run_maker maker;
    struct buf runs; /* as values of bin, one after the other */
    size_t count, size_max;
    uint64_t left;
};

/* A feed is whole or not there: of the first rank anything that does not fit is an error. */
static enum err write_branch(struct writing *w, const struct feed_row *feed, size_t branch)
{
    struct head base = {0};
    for (size_t i = 0; i < branch; i++) {
        enum err err =
            run_common_ancestor(w->txn, feed, &feed->heads[branch], &feed->heads[i], &base.seq);
        if (err) return err;
    }
    enum err err = run_head_at(w->txn, feed, &feed->heads[branch], base.seq, &base);
    while (!err && base.seq < feed->heads[branch].seq) {
        struct run_making m = {.feed = *feed,
                               .head = feed->heads[branch],
                               .base = base,
                               .payload_max = RUN_PAYLOAD_SIZE_MAX,
                               .dictionary = true,
                               .level = LEVEL};
        struct buf frame = {0};
        err = run_making_make(&m, &w->maker, w->txn);
        struct frame_run f = {.run = m.run, .feed = {.whole = !base.seq, .feed = feed->feed}};
        memcpy(f.feed.id8, feed->id.bytes, sizeof f.feed.id8);
        if (!err) frame_run_write(&frame, &f);
        if (!err) err = frame.err;
        struct mp_writer writer = {&w->runs};
        if (!err) mp_write_bin(&writer, frame.data, frame.size);
        w->count++;
        base = m.last;
        run_making_clear(&m);
        buf_clear(&frame);
        if (!err && w->runs.size > w->size_max) err = ERR_LIMIT;
    }
    return err ? err : w->runs.err;
}

static enum err write_feed(struct writing *w, const struct feed_row *feed, enum rank rank)
{
    size_t size = w->runs.size, count = w->count;
    enum err err = OK;
    for (size_t i = 0; !err && i < feed->head_count; i++) err = write_branch(w, feed, i);
    if (!err || (err == ERR_LIMIT && rank == RANK_ROSTER)) return err;
    if (err != ERR_LIMIT && err != ERR_CORRUPT && err != ERR_NOT_FOUND) return err;
    if (rank == RANK_ROSTER) return err;
    w->runs.size = size;
    w->count = count;
    w->left += feed->events;
    return OK;
}

static enum err write_feeds(struct writing *w, const struct roster *roster)
{
    uint32_t feeds = feed_count(w->txn);
    enum err err = OK;
    for (unsigned rank = 0; rank < RANKS; rank++)
        for (uint32_t number = 1; !err && number <= feeds; number++) {
            struct feed_row feed;
            if (feed_get(w->txn, number, &feed) && rank_of(roster, &feed) == (enum rank)rank)
                err = write_feed(w, &feed, (enum rank)rank);
        }
    return err ? err : txn_error(w->txn);
}

enum err carried_write(struct buf *out, const struct carried *c, size_t size_max, uint64_t *left)
{
    const struct roster *roster;
    struct writing w = {.maker = {.signer = &c->keys->signer, .raw_per_payload = RUN_MAKER_RATIO},
                        .size_max = size_max};
    enum err err = zstd_open(&w.maker.zstd);
    if (!err) err = txn_begin(c->store, false, &w.txn);
    if (!err) err = views_roster(c->views, w.txn, &roster);
    if (!err) err = write_feeds(&w, roster);
    if (!err) {
        struct mp_writer writer = {out};
        mp_write_array(&writer, w.count);
        buf_append_slice(out, buf_slice(&w.runs));
        *left = w.left;
    }
    txn_abort(w.txn);
    zstd_close(w.maker.zstd);
    buf_clear(&w.runs);
    return err ? err : out->err;
}

/* --- taking --- */

/* As of a session with a township device, but `town` alone. */
static enum err allowed(const struct roster *roster, const struct feed *feed)
{
    if (scope_class(&feed->scope) != SCOPE_TOWN) return ERR_FORBIDDEN;
    if (roster_may_author(roster, &feed->author, &feed->scope)) return OK;
    return roster_roles(roster, &feed->author) ? ERR_FORBIDDEN : ERR_UNKNOWN_AUTHOR;
}

static enum err take_run(const struct carried *c, struct run_decoder *decoder, struct arrival *a,
                         struct slice bytes)
{
    const struct roster *roster;
    struct frame_run f;
    struct feed feed;
    struct feed_row row;
    uint64_t type;
    bool held;
    enum err err = frame_type_of(bytes, &type);
    if (!err && type != FRAME_RUN) err = ERR_MALFORMED;
    if (!err) err = frame_run_read(&f, bytes);
    if (!err) err = views_roster(c->views, arrival_txn(a), &roster);
    if (!err) err = run_feed_of(arrival_txn(a), &f.feed, &feed, &held, &row);
    if (!err) err = allowed(roster, &feed);
    return err ? err : run_take(decoder, a, roster, &f.run, &feed, held ? &row : NULL);
}

/* Of a run whose author another one makes known the turn comes later. */
static bool comes_later(enum err err)
{
    return err == ERR_UNKNOWN_AUTHOR || err == ERR_BASE;
}

static enum err take_pass(const struct carried *c, struct run_decoder *decoder, struct arrival *a,
                          struct slice runs, bool *taken, size_t *fresh)
{
    struct mp_reader r = mp_reader_of(runs);
    struct slice frame;
    enum err waits = OK;
    (void)mp_read_array(&r, JOIN_ANSWER_RUNS_MAX);
    for (size_t i = 0; join_answer_next(&r, &frame); i++) {
        if (taken[i]) continue;
        enum err err = take_run(c, decoder, a, frame);
        if (err && !comes_later(err)) return err;
        if (err) waits = err;
        taken[i] = !err;
        *fresh += !err;
    }
    return waits;
}

static enum err check_joined(const struct carried *c, struct txn *t)
{
    const struct roster *roster;
    enum err err = views_roster(c->views, t, &roster);
    if (err) return err;
    const struct device *self = roster_device(roster, &c->keys->signer.key);
    return self && self->state != DEVICE_INVITED ? OK : ERR_FOREIGN;
}

/* What came is held where it came from: that need not go there again. */
static void note_held(struct txn *t, const struct join_answer *answer)
{
    struct peer_row row;
    const uint32_t feeds = feed_count(t);
    if (!peer_get(t, &answer->acceptor, &row)) row = (struct peer_row){.device = answer->acceptor};
    for (uint32_t number = 1; number <= feeds; number++) {
        struct feed_row feed;
        struct want_point points[FEED_BRANCHES_MAX];
        if (!feed_get(t, number, &feed)) continue;
        for (size_t i = 0; i < feed.head_count; i++) {
            points[i].seq = feed.heads[i].seq;
            memcpy(points[i].id8, feed.heads[i].id.bytes, sizeof points[i].id8);
        }
        (void)peer_have_set(&row.have, &row.have_count, feed.id.bytes, points, feed.head_count);
    }
    peer_put(t, &row);
    peer_row_clear(&row);
}

enum err carried_take(const struct carried *c, const struct join_answer *answer)
{
    struct arrival *a = NULL;
    struct run_decoder *decoder = NULL;
    bool *taken = calloc(JOIN_ANSWER_RUNS_MAX, sizeof *taken);
    size_t fresh = 1;
    enum err err = taken ? run_decoder_open(&decoder) : ERR_NOMEM;
    if (!err) err = arrival_begin(&a, c->store, c->views);
    if (!err) err = ERR_BASE;
    for (unsigned pass = 0; a && comes_later(err) && fresh && pass < PASSES_MAX; pass++) {
        fresh = 0;
        err = take_pass(c, decoder, a, answer->runs, taken, &fresh);
    }
    if (!err) err = check_joined(c, arrival_txn(a));
    if (!err) {
        note_held(arrival_txn(a), answer);
        err = arrival_commit(a);
    } else {
        arrival_abort(a);
        views_forget(c->views); /* of what was not kept */
    }
    run_decoder_close(decoder);
    free(taken);
    return err;
}
