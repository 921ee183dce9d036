#include "node/bundle_words.h"

#include "node/store/towns.h"

#include <stdlib.h>
#include <string.h>

bool bundle_may_hold(const struct bundle_sides *s, const struct feed_row *row)
{
    return roster_has_key(s->roster, s->to, &row->feed.author) ||
           device_may_hold(s->to, &row->feed.scope);
}

size_t bundle_heads(const struct bundle_sides *s, const struct feed_row *row,
                    struct head heads[FEED_BRANCHES_MAX])
{
    if (device_is_township(s->to)) return feed_ends(s->txn, row, heads);
    memcpy(heads, row->heads, row->head_count * sizeof *heads);
    return row->head_count;
}

/* --- the receipt: all heads of what the receiver wrote --- */

static size_t receipt_entries(const struct bundle_sides *s, struct receipt_entry *out)
{
    const uint32_t feeds = feed_count(s->txn);
    size_t count = 0;
    for (uint32_t number = 1; number <= feeds; number++) {
        struct feed_row row;
        if (!feed_get(s->txn, number, &row)) continue;
        if (!roster_has_key(s->roster, s->to, &row.feed.author)) continue;
        if (count + row.head_count > RECEIPT_ENTRIES_MAX) break;
        for (size_t i = 0; i < row.head_count; i++) {
            struct receipt_entry *e = &out[count++];
            memcpy(e->feed8, row.id.bytes, sizeof e->feed8);
            e->seq = row.heads[i].seq;
            e->id = row.heads[i].id;
        }
    }
    return count;
}

enum err bundle_receipt_write(struct buf *out, const struct bundle_sides *s, uint64_t counter)
{
    const struct store_identity *self = store_identity(s->store);
    struct receipt_parties parties = {
        .township = self->township, .receiver = self->device, .addressee = s->to->first};
    struct receipt_entry *entries = calloc(RECEIPT_ENTRIES_MAX, sizeof *entries);
    if (!entries) return ERR_NOMEM;
    memcpy(parties.generation, self->generation, sizeof parties.generation);
    struct frame_receipt f = {
        .counter = counter, .time_ms = s->wall_ms, .entry_count = receipt_entries(s, entries)};
    if (f.entry_count) frame_receipt_write(out, &f, entries, &parties, &s->keys->signer);
    free(entries);
    return out->err;
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

static size_t have_of(const struct bundle_sides *s, const struct feed_row *row,
                      struct have_entry *out, size_t max)
{
    struct head heads[FEED_BRANCHES_MAX];
    size_t count = bundle_heads(s, row, heads);
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
static size_t untold(const struct bundle_sides *s, struct have_entry *have, size_t count)
{
    size_t kept = 0;
    for (size_t from = 0, to; from < count; from = to) {
        bool told = true;
        for (to = from; to < count && memcmp(have[to].feed.id8, have[from].feed.id8, 8) == 0; to++)
            told = told && is_shown(&s->peer, &have[to]);
        for (size_t i = from; !told && i < to; i++) have[kept++] = have[i];
    }
    return kept;
}

enum err bundle_hello_write(struct buf *out, const struct bundle_sides *s)
{
    const struct store_identity *self = store_identity(s->store);
    struct have_entry *have = calloc(HAVE_ENTRIES_MAX, sizeof *have);
    struct frame_hello h = {.protocol_min = PROTOCOL_MIN,
                            .protocol_max = PROTOCOL_MAX,
                            .time_ms = s->wall_ms,
                            .time_trusted = s->time_trusted,
                            .complete = !s->peer.shown_count};
    const uint32_t feeds = feed_count(s->txn);
    size_t count = 0;
    if (!have) return ERR_NOMEM;
    memcpy(h.township8, self->township.bytes, sizeof h.township8);
    memcpy(h.generation, self->generation, sizeof h.generation);
    h.has_views = views_shared8(s->txn, s->self, s->to, h.views8) == OK;
    for (uint32_t number = 1; number <= feeds; number++) {
        struct feed_row row;
        if (feed_get(s->txn, number, &row) && bundle_may_hold(s, &row))
            count += have_of(s, &row, have + count, HAVE_ENTRIES_MAX - count);
    }
    have_digest(h.have8, have, count); /* sorts: entries of a feed stand together */
    h.have_count = h.complete ? count : untold(s, have, count);
    frame_hello_write(out, &h, have);
    free(have);
    return out->err;
}

/* --- what hubs signed ----------------------------------------------------------------------- */

enum err bundle_towns_write(struct buf *out, const struct bundle_sides *s)
{
    struct town_at at = {.hub = {{0}}};
    struct town_kept k;
    for (; towns_next(s->txn, &at, &k); town_kept_clear(&k)) {
        struct buf frame = {0};
        uint8_t size[4];
        frame_town_write(&frame, &k.state, k.heads, k.count);
        be32_put(size, (uint32_t)frame.size);
        if (!frame.err && out->size + 4 + frame.size <= BUNDLE_TOWNS_SIZE_MAX) {
            buf_append(out, size, sizeof size);
            buf_append_slice(out, buf_slice(&frame));
        }
        buf_clear(&frame);
    }
    return out->err ? out->err : txn_error(s->txn);
}
