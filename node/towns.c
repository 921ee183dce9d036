#include "node/towns.h"

#include <stdlib.h>
#include <string.h>

#define STORES_MAX 4u /* of one hub: the newest */

/* --- our own heads -------------------------------------------------------------------------- */

static bool add_heads(struct town_kept *out, size_t *capacity, const struct feed_row *feed)
{
    if (out->count + feed->head_count > *capacity) {
        size_t wanted = 2 * (out->count + feed->head_count);
        struct town_head *grown = realloc(out->heads, wanted * sizeof *grown);
        if (!grown) return false;
        out->heads = grown;
        *capacity = wanted;
    }
    for (size_t i = 0; i < feed->head_count; i++) {
        struct town_head *h = &out->heads[out->count++];
        memcpy(h->feed8, feed->id.bytes, sizeof h->feed8);
        h->seq = feed->heads[i].seq;
        memcpy(h->id16, feed->heads[i].id.bytes, sizeof h->id16);
    }
    return true;
}

enum err towns_heads(struct txn *t, struct town_kept *out)
{
    const struct scope town = scope_town();
    struct scope_row scope;
    struct feed_row feed;
    size_t capacity = 0;
    *out = (struct town_kept){.has_heads = true};
    enum err err = OK;
    if (scope_find(t, &town, &scope))
        for (uint32_t n = 1, count = feed_count(t); !err && n <= count; n++) {
            if (!feed_get(t, n, &feed) || feed.scope_number != scope.number) continue;
            if (!add_heads(out, &capacity, &feed)) err = ERR_NOMEM;
            if (out->count > TOWN_HEADS_MAX) err = ERR_LIMIT;
        }
    if (!err) err = txn_error(t);
    if (err)
        town_kept_clear(out);
    else
        town_digest(&out->state.digest, out->heads, out->count);
    return err;
}

/* Without its heads it is completed by ours where they are the same. */
static enum err complete(struct txn *t, struct town_kept *k)
{
    struct town_kept own;
    if (k->has_heads) return OK;
    enum err err = towns_heads(t, &own);
    if (err) return err == ERR_LIMIT ? OK : err;
    if (hash_equal(&own.state.digest, &k->state.digest)) {
        own.state = k->state;
        town_kept_clear(k);
        *k = own;
        return OK;
    }
    town_kept_clear(&own);
    return OK;
}

enum err towns_read(struct town_kept *out, struct slice frame)
{
    struct frame_town f;
    enum err err = frame_town_read(&f, frame);
    if (err) return err;
    struct town_kept k = {.state = f.state, .has_heads = f.has_heads};
    k.heads = calloc(f.head_count + 1, sizeof *k.heads);
    if (!k.heads) return ERR_NOMEM;
    struct mp_reader r = frame_town_begin(&f);
    while (k.count < f.head_count && frame_town_next(&r, &k.heads[k.count])) k.count++;
    *out = k;
    return OK;
}

/* --- judging -------------------------------------------------------------------------------- */

struct following {
    struct txn *txn;
    const struct roster *roster;
};

/* Of who is revoked or replaced, heads go back: what followed them counts no more. */
static bool was_cut(void *state, const uint8_t feed8[8])
{
    const struct following *f = state;
    struct feed_row feed;
    if (feed_find_id8(f->txn, feed8, &feed)) return false;
    const struct sign_key *author = &feed.feed.author;
    const struct device *d = roster_device(f->roster, author);
    bool replaced = roster_is_authority(f->roster, author) &&
                    !sign_key_equal(&roster_authority(f->roster)->key, author);
    return feed.aside_count || replaced || (d && d->state == DEVICE_REVOKED);
}

static bool follows(struct txn *t, const struct roster *roster, const struct town_kept *before,
                    const struct town_kept *after)
{
    struct following f = {t, roster};
    return town_follows(before->heads, before->count, after->heads, after->count, was_cut, &f);
}

bool towns_signed_by(const struct roster *roster, const struct town_state *s, struct sign_key *out)
{
    const struct device *hub = roster_device(roster, &s->hub);
    if (!hub || !(hub->roles & ROLE_HUB) || !sign_key_equal(&hub->first, &s->hub)) return false;
    for (size_t i = 0; roster_key_at(roster, hub, i, out); i++)
        if (town_verify(s, &roster->township, out) == OK) return true;
    return false;
}

static bool is_all_held(struct txn *t, const struct roster *roster, const struct town_kept *k)
{
    struct following f = {t, roster};
    struct feed_row feed;
    for (size_t i = 0; i < k->count; i++) {
        const struct town_head *h = &k->heads[i];
        if (feed_find_id8(t, h->feed8, &feed)) return false;
        if (!log_find(t, feed.number, h->seq, h->id16) && !was_cut(&f, h->feed8)) return false;
    }
    return true;
}

static bool is_same_store(const struct town_state *a, const struct town_state *b)
{
    return memcmp(a->generation, b->generation, sizeof a->generation) == 0;
}

static bool is_same(const struct town_state *a, const struct town_state *b)
{
    return is_same_store(a, b) && a->number == b->number && hash_equal(&a->digest, &b->digest);
}

/* In one store what was there stays. Of two stores each may say that the other is ended; not both.
 * Where neither does, both stand until the hub was told of the other and has said. */
static enum town_verdict compare(struct txn *t, const struct roster *roster,
                                 const struct town_kept *kept, const struct town_kept *k)
{
    const struct town_state *a = &kept->state, *b = &k->state;
    const bool newer = b->number > a->number;
    if (is_same(a, b)) return TOWN_OLD;
    if (!is_same_store(a, b)) {
        if (!town_ends(a, b->generation)) return TOWN_NEWER;
        return town_ends(b, a->generation) ? TOWN_SPLIT : TOWN_OLD;
    }
    if (a->number == b->number) return TOWN_SPLIT;
    if (!follows(t, roster, newer ? kept : k, newer ? k : kept)) return TOWN_SPLIT;
    return newer ? TOWN_NEWER : TOWN_OLD;
}

static enum err compare_all(struct txn *t, const struct roster *roster, const struct town_kept *k,
                            struct town_judged *out)
{
    struct town_kept kept;
    *out = (struct town_judged){.verdict = TOWN_NEWER};
    for (uint8_t at[8] = {0}; towns_next_of(t, &k->state.hub, at, &kept); town_kept_clear(&kept)) {
        enum town_verdict verdict = compare(t, roster, &kept, k);
        if (verdict == TOWN_SPLIT) memcpy(out->against, at, sizeof out->against);
        if (out->verdict != TOWN_SPLIT && verdict != TOWN_NEWER) out->verdict = verdict;
    }
    return txn_error(t);
}

static bool is_kept(struct txn *t, const struct town_state *s)
{
    struct town_kept kept;
    bool same = towns_get(t, &s->hub, s->generation, &kept) && is_same(&kept.state, s);
    town_kept_clear(&kept);
    return same;
}

enum err towns_judge(struct views *v, struct txn *t, struct town_kept *k, struct town_judged *out)
{
    const struct roster *roster;
    struct sign_key key;
    enum err err = views_roster(v, t, &roster);
    if (err) return err;
    *out = (struct town_judged){.verdict = TOWN_OLD};
    if (is_kept(t, &k->state)) return OK;
    out->verdict = TOWN_UNKNOWN;
    if (!towns_signed_by(roster, &k->state, &key)) return OK;
    out->verdict = TOWN_WAITS;
    err = complete(t, k);
    if (err) return err;
    if (!k->has_heads || !is_all_held(t, roster, k)) return txn_error(t);
    return compare_all(t, roster, k, out);
}

/* What the hub gave up goes; of more stores than are kept, the oldest. */
static void forget(struct txn *t, const struct town_state *s)
{
    struct town_kept kept;
    uint8_t oldest[8] = {0};
    uint64_t number = UINT64_MAX;
    size_t count = 0;
    for (uint8_t at[8] = {0}; towns_next_of(t, &s->hub, at, &kept); town_kept_clear(&kept)) {
        if (town_ends(s, at)) {
            towns_delete(t, &s->hub, at);
            continue;
        }
        count++;
        if (kept.state.number >= number) continue;
        number = kept.state.number;
        memcpy(oldest, at, sizeof oldest);
    }
    if (count > STORES_MAX) towns_delete(t, &s->hub, oldest);
}

static bool has_split(struct txn *t, const struct sign_key *hub)
{
    struct town_kept a, b;
    bool there = towns_split_get(t, hub, &a, &b);
    town_kept_clear(&a);
    town_kept_clear(&b);
    return there;
}

bool towns_keep(struct txn *t, const struct town_kept *k, const struct town_judged *judged)
{
    struct town_kept kept;
    if (judged->verdict == TOWN_NEWER) {
        towns_put(t, k);
        forget(t, &k->state);
        return true;
    }
    if (judged->verdict != TOWN_SPLIT || has_split(t, &k->state.hub)) return false;
    bool there = towns_get(t, &k->state.hub, judged->against, &kept);
    if (there) towns_split_put(t, &kept, k);
    town_kept_clear(&kept);
    return there;
}

/* --- signing -------------------------------------------------------------------------------- */

static void add_ended(struct town_state *s, const uint8_t generation[8])
{
    if (town_ends(s, generation) || memcmp(s->generation, generation, sizeof s->generation) == 0)
        return;
    if (s->ended_count == TOWN_ENDED_MAX)
        memmove(s->ended, s->ended + 1, --s->ended_count * sizeof s->ended[0]);
    memcpy(s->ended[s->ended_count++], generation, sizeof s->ended[0]);
}

/* What this hub signed before, here or by what came back from others. False: `next` says nothing
 * that `last`, of the same store, did not. */
static bool add_before(struct txn *t, const struct roster *roster, struct town_kept *next)
{
    struct town_state *s = &next->state;
    struct town_kept last;
    bool any = towns_get(t, &s->hub, s->generation, &last);
    const size_t ended_before = last.state.ended_count;
    bool changed = !any || !hash_equal(&last.state.digest, &s->digest);
    bool may = !any || follows(t, roster, &last, next);
    if (any) s->number = last.state.number;
    for (size_t i = 0; i < ended_before; i++) add_ended(s, last.state.ended[i]);
    town_kept_clear(&last);
    for (uint8_t at[8] = {0}; towns_next_of(t, &s->hub, at, &last); town_kept_clear(&last)) {
        if (memcmp(at, s->generation, sizeof s->generation) == 0) continue;
        if (last.state.number > s->number) s->number = last.state.number;
        for (size_t i = 0; i < last.state.ended_count; i++) add_ended(s, last.state.ended[i]);
        changed |= !town_ends(s, at);
        add_ended(s, at);
    }
    return changed && may;
}

/* Did it end itself, before its disk's image was put back? */
static bool was_ended(struct txn *t, const struct town_state *s)
{
    struct town_kept other;
    bool ended = false;
    for (uint8_t at[8] = {0}; towns_next_of(t, &s->hub, at, &other); town_kept_clear(&other))
        ended |= town_ends(&other.state, s->generation);
    return ended;
}

/* *next: the statement without its signature. */
static enum err prepare(struct views *v, struct txn *t, struct town_kept *next, bool *due)
{
    const struct store_identity *identity = store_identity(txn_store(t));
    const struct roster *roster;
    *due = false;
    *next = (struct town_kept){.count = 0};
    enum err err = views_roster(v, t, &roster);
    const struct device *self = err ? NULL : roster_device(roster, &identity->device);
    if (err || !self || !device_is_hub(self)) return err;
    err = towns_heads(t, next);
    if (err) return err == ERR_LIMIT ? OK : err;
    next->state.hub = identity->device;
    towns_generation(t, next->state.generation);
    if (was_ended(t, &next->state))
        crypto_random(next->state.generation, sizeof next->state.generation);
    *due = add_before(t, roster, next);
    return txn_error(t);
}

enum err towns_due(struct views *v, struct txn *t, bool *out)
{
    struct town_kept next;
    enum err err = prepare(v, t, &next, out);
    town_kept_clear(&next);
    return err;
}

enum err towns_sign(struct views *v, struct txn *t, const struct device_keys *keys,
                    uint64_t wall_ms)
{
    struct town_kept next;
    bool due;
    enum err err = prepare(v, t, &next, &due);
    if (++next.state.number < wall_ms) next.state.number = wall_ms;
    if (!err && due)
        err = town_sign(&next.state, &store_identity(txn_store(t))->township, &keys->signer);
    if (!err && due) {
        towns_generation_put(t, next.state.generation);
        towns_put(t, &next);
        forget(t, &next.state);
    }
    town_kept_clear(&next);
    return err ? err : txn_error(t);
}

/* --- as HELLO tells it ---------------------------------------------------------------------- */

bool towns_digest8(struct txn *t, uint8_t out8[8])
{
    struct town_at at = {.hub = {{0}}};
    struct town_kept k;
    struct crypto_hasher hasher;
    struct hash hash;
    bool any = false;
    crypto_hasher_begin(&hasher, CONTEXT_TOWN);
    for (; towns_next(t, &at, &k); town_kept_clear(&k)) {
        uint8_t number[8];
        be64_put(number, k.state.number);
        crypto_hasher_add(&hasher, slice_of(k.state.hub.bytes, sizeof k.state.hub.bytes));
        crypto_hasher_add(&hasher, slice_of(k.state.generation, sizeof k.state.generation));
        crypto_hasher_add(&hasher, slice_of(number, sizeof number));
        crypto_hasher_add(&hasher, slice_of(k.state.digest.bytes, sizeof k.state.digest.bytes));
        any = true;
    }
    crypto_hasher_end(&hasher, &hash);
    memset(out8, 0, 8);
    if (any) memcpy(out8, hash.bytes, 8);
    return any;
}
