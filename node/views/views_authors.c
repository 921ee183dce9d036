/* Whose feeds make up the roster, kept in meta for what asks without reading it. */
#include "node/views/state.h"

#include <string.h>

static void hub_keep(struct buf *keys, const struct roster *r, const struct device *d)
{
    struct sign_key key;
    if (d->state == DEVICE_INVITED || !(d->roles & ROLE_HUB)) return;
    for (size_t i = 0; roster_key_at(r, d, i, &key); i++)
        buf_append(keys, key.bytes, sizeof key.bytes);
}

struct authors { /* whose feeds make up the roster */
    struct buf hubs, authorities;
};

static MUST_CHECK enum err authors_of(struct authors *out, const struct roster *r)
{
    *out = (struct authors){.hubs = {0}};
    for (size_t i = 0; i < r->device_count; i++) hub_keep(&out->hubs, r, &r->devices[i]);
    for (size_t i = 0; i < r->authority_count; i++) {
        const struct authority *a = &r->authorities[i];
        buf_append(&out->authorities, a->key.bytes, sizeof a->key.bytes);
        buf_append(&out->authorities, a->recovery.bytes, sizeof a->recovery.bytes);
    }
    return out->hubs.err ? out->hubs.err : out->authorities.err;
}

static void authors_clear(struct authors *a)
{
    buf_clear(&a->hubs);
    buf_clear(&a->authorities);
}

enum err views_authors_keep(struct txn *t, const struct roster *r)
{
    struct authors a;
    enum err err = authors_of(&a, r);
    if (!err) meta_put(t, META_ROSTER_HUBS, buf_slice(&a.hubs));
    if (!err) meta_put(t, META_ROSTER_AUTHORITIES, buf_slice(&a.authorities));
    authors_clear(&a);
    return err;
}

enum err views_authors_compare(struct txn *t, const struct roster *r, bool *same)
{
    struct authors a;
    struct slice hubs = SLICE_EMPTY, authorities = SLICE_EMPTY;
    enum err err = authors_of(&a, r);
    bool any = meta_get(t, META_ROSTER_HUBS, &hubs);
    any = meta_get(t, META_ROSTER_AUTHORITIES, &authorities) || any;
    /* Before the first event of the roster there are none. */
    *same = !any && a.hubs.size == 0;
    if (any)
        *same = slice_equal(hubs, buf_slice(&a.hubs)) &&
                slice_equal(authorities, buf_slice(&a.authorities));
    authors_clear(&a);
    return err ? err : txn_error(t);
}

bool roster_keeps_authority(struct txn *t, const struct sign_key *key)
{
    const size_t step = 2 * sizeof key->bytes;
    struct slice keys;
    if (!meta_get(t, META_ROSTER_AUTHORITIES, &keys))
        return sign_key_equal(key, &store_identity(txn_store(t))->township);
    for (size_t at = 0; at + step <= keys.size; at += step)
        if (memcmp(keys.data + at, key->bytes, sizeof key->bytes) == 0) return true;
    return false;
}
