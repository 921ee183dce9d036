#include "node/views/views.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/state.h"

/* `keys`: one after the other. */
static bool has_key(struct slice keys, const struct sign_key *key)
{
    for (size_t at = 0; at + sizeof key->bytes <= keys.size; at += sizeof key->bytes)
        if (memcmp(keys.data + at, key->bytes, sizeof key->bytes) == 0) return true;
    return false;
}

static bool is_roster_feed(const struct feed_row *feed, struct slice authorities, struct slice hubs)
{
    return scope_class(&feed->feed.scope) == SCOPE_TOWN &&
           (has_key(authorities, &feed->feed.author) || has_key(hubs, &feed->feed.author));
}

static int by_feed_id(const void *a, const void *b)
{
    return memcmp(((const struct feed_row *)a)->id.bytes, ((const struct feed_row *)b)->id.bytes,
                  sizeof((const struct feed_row *)a)->id.bytes);
}

static int by_head_id(const void *a, const void *b)
{
    return memcmp(((const struct head *)a)->id.bytes, ((const struct head *)b)->id.bytes,
                  sizeof((const struct head *)a)->id.bytes);
}

static void heads_write(struct buf *out, struct feed_row *feeds, size_t count)
{
    struct mp_writer w = {out};
    if (count) qsort(feeds, count, sizeof *feeds, by_feed_id);
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        struct feed_row *feed = &feeds[i];
        qsort(feed->heads, feed->head_count, sizeof feed->heads[0], by_head_id);
        mp_write_array(&w, 2);
        mp_write_bin(&w, feed->id.bytes, sizeof feed->id.bytes);
        mp_write_array(&w, feed->head_count);
        for (size_t h = 0; h < feed->head_count; h++)
            mp_write_bin(&w, feed->heads[h].id.bytes, sizeof feed->heads[h].id.bytes);
    }
}

static MUST_CHECK enum err roster_heads(struct txn *t, struct hash *out)
{
    struct slice hubs, authorities;
    const struct sign_key *township = &store_identity(txn_store(t))->township;
    if (!meta_get(t, META_ROSTER_HUBS, &hubs)) hubs = SLICE_EMPTY;
    if (!meta_get(t, META_ROSTER_AUTHORITIES, &authorities))
        authorities = slice_of(township->bytes, sizeof township->bytes);
    struct buf feeds = {0}, encoded = {0};
    uint32_t numbers = feed_count(t);
    for (uint32_t number = 1; number <= numbers; number++) {
        struct feed_row feed;
        if (feed_get(t, number, &feed) && feed.head_count &&
            is_roster_feed(&feed, authorities, hubs))
            buf_append(&feeds, &feed, sizeof feed);
    }
    enum err err = feeds.err ? feeds.err : txn_error(t);
    if (!err) {
        /* buf's memory comes from realloc: aligned for any type */
        struct feed_row *rows = (struct feed_row *)(void *)feeds.data;
        heads_write(&encoded, rows, feeds.size / sizeof *rows);
        err = encoded.err;
    }
    if (!err) crypto_hash_one(out, CONTEXT_VIEWS_DIGEST, buf_slice(&encoded));
    buf_clear(&feeds);
    buf_clear(&encoded);
    return err;
}

static MUST_CHECK enum err digest_of(struct txn *t, const struct scope *scope,
                                     struct views_digest *out)
{
    struct scope_row row;
    if (!scope_find(t, scope, &row)) row = (struct scope_row){0};
    struct buf encoded = {0};
    struct mp_writer w = {&encoded};
    mp_write_array(&w, 3);
    mp_write_uint(&w, FOLD_VERSION);
    mp_write_bin(&w, out->roster_heads.bytes, sizeof out->roster_heads.bytes);
    mp_write_bin(&w, row.rows_sum, sizeof row.rows_sum);
    enum err err = encoded.err ? encoded.err : txn_error(t);
    if (!err) crypto_hash_one(&out->digest, CONTEXT_VIEWS_DIGEST, buf_slice(&encoded));
    buf_clear(&encoded);
    return err;
}

enum err views_digest(struct txn *t, const struct scope *scope, struct views_digest *out)
{
    struct views_digest digest;
    enum err err = roster_heads(t, &digest.roster_heads);
    if (!err) err = digest_of(t, scope, &digest);
    if (!err) *out = digest;
    return err;
}

static MUST_CHECK enum err digest_of_all(struct txn *t, const struct scope *scopes, size_t count,
                                         struct hash *out)
{
    struct views_digest digest;
    struct crypto_hasher hasher;
    enum err err = roster_heads(t, &digest.roster_heads);
    crypto_hasher_begin(&hasher, CONTEXT_VIEWS_DIGEST);
    for (size_t i = 0; !err && i < count; i++) {
        err = digest_of(t, &scopes[i], &digest);
        if (err) break;
        crypto_hasher_add(&hasher, slice_of(digest.digest.bytes, sizeof digest.digest.bytes));
    }
    crypto_hasher_end(&hasher, out);
    return err;
}

enum err views_digest8(struct txn *t, const struct scope *scopes, size_t count, uint8_t out8[8])
{
    struct hash all;
    enum err err = digest_of_all(t, scopes, count, &all);
    if (!err) memcpy(out8, all.bytes, 8);
    return err;
}

enum err views_shared8(struct txn *t, const struct device *self, const struct device *peer,
                       uint8_t out8[8])
{
    const char *village = device_is_township(self) ? peer->village : self->village;
    struct scope scopes[2] = {scope_town()};
    size_t count = 1;
    if (village[0]) {
        scopes[1] = scope_of_village(village);
        if (device_may_hold(self, &scopes[1]) && device_may_hold(peer, &scopes[1])) count = 2;
    }
    return views_digest8(t, scopes, count, out8);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct scope *)a)->text, ((const struct scope *)b)->text);
}

enum err views_digest_open(struct txn *t, struct hash *out)
{
    struct hash all;
    struct buf scopes = {0};
    uint32_t numbers = scope_count(t);
    for (uint32_t number = 1; number <= numbers; number++) {
        struct scope_row row;
        if (scope_get(t, number, &row) && scope_class(&row.scope) != SCOPE_OFFICE)
            buf_append(&scopes, &row.scope, sizeof row.scope);
    }
    enum err err = scopes.err ? scopes.err : txn_error(t);
    if (!err && scopes.size) {
        struct scope *held = (struct scope *)(void *)scopes.data;
        size_t count = scopes.size / sizeof *held;
        qsort(held, count, sizeof *held, by_text);
        err = digest_of_all(t, held, count, &all);
        if (!err) *out = all;
    }
    buf_clear(&scopes);
    return err;
}
