#include "node/store/locking.h"

#include "node/store/local.h"
#include "node/store/txn.h"

#define META_LOCKING "locking"
#define META_MARK "locking.mark"
#define CONTEXT_CHECK "sidan/at-check"

enum { CHECK_SIZE = 16, FIXED_SIZE = 1 + CHECK_SIZE };

/* --- the key -------------------------------------------------------------------------------- */

void store_use_key(struct store *s, const struct secret_key *key)
{
    s->has_key = key != NULL;
    crypto_keep_in_memory(&s->key, sizeof s->key);
    if (key)
        s->key = *key;
    else
        crypto_wipe(&s->key, sizeof s->key);
    crypto_buf_wipe(&s->opened);
}

/* Says nothing of the key that it is derived from. */
static void check_of(uint8_t out[CHECK_SIZE], const struct secret_key *key)
{
    struct secret_key derived;
    secret_key_derive(&derived, key, CONTEXT_CHECK);
    memcpy(out, derived.bytes, CHECK_SIZE);
    crypto_wipe(&derived, sizeof derived);
}

/* --- the row -------------------------------------------------------------------------------- */

/* false: there is none. */
static bool row_read(struct txn *t, struct locking *out, uint8_t check[CHECK_SIZE])
{
    struct slice value;
    *out = (struct locking){.state = LOCKING_NONE};
    if (!meta_get(t, META_LOCKING, &value)) return false;
    if (value.size < FIXED_SIZE || value.size > FIXED_SIZE + LOCKING_TEXT_SIZE_MAX ||
        value.data[0] == LOCKING_NONE || value.data[0] > LOCKING_OPENS) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    out->state = (enum locking_state)value.data[0];
    memcpy(check, value.data + 1, CHECK_SIZE);
    out->text = slice_of(value.data + FIXED_SIZE, value.size - FIXED_SIZE);
    return true;
}

/* `text` may lie in the row that is written over. */
static void row_write(struct txn *t, enum locking_state state, struct slice text)
{
    uint8_t bytes[FIXED_SIZE + LOCKING_TEXT_SIZE_MAX];
    if (!t->store->has_key) txn_fail(t, ERR_LOCKED);
    if (text.size > LOCKING_TEXT_SIZE_MAX) txn_fail(t, ERR_LIMIT);
    if (t->err) return;
    bytes[0] = (uint8_t)state;
    check_of(bytes + 1, &t->store->key);
    if (text.size) memcpy(bytes + FIXED_SIZE, text.data, text.size);
    meta_put(t, META_LOCKING, slice_of(bytes, FIXED_SIZE + text.size));
    t->locks = state != LOCKING_OPENS;
}

enum err locking_get(struct txn *t, struct locking *out)
{
    uint8_t check[CHECK_SIZE];
    uint64_t mark = meta_get_uint(t, META_MARK);
    if (row_read(t, out, check)) out->mark = mark;
    return t->err;
}

bool locking_any(struct txn *t)
{
    struct locking now;
    uint8_t check[CHECK_SIZE];
    return row_read(t, &now, check);
}

static bool fits(const struct txn *t, const uint8_t check[CHECK_SIZE])
{
    uint8_t ours[CHECK_SIZE];
    if (!t->store->has_key) return false;
    check_of(ours, &t->store->key);
    return crypto_equal(ours, check, CHECK_SIZE);
}

bool locking_key_fits(struct txn *t)
{
    struct locking now;
    uint8_t check[CHECK_SIZE];
    return !row_read(t, &now, check) ? t->err == OK : fits(t, check);
}

enum err locking_of_writer(struct txn *t)
{
    struct locking now;
    uint8_t check[CHECK_SIZE];
    bool any = row_read(t, &now, check);
    if (t->err) return t->err;
    t->keyless = any && !fits(t, check);
    if (t->keyless && !t->store->options.boxless) return ERR_LOCKED;
    t->locks = any && now.state != LOCKING_OPENS;
    return OK;
}

/* --- there and back ------------------------------------------------------------------------- */

static void begin(struct txn *t, enum locking_state state, struct slice text)
{
    peers_drop_unfinished(t);
    meta_put_uint(t, META_MARK, 0);
    row_write(t, state, text);
}

void locking_begin(struct txn *t, struct slice text)
{
    struct locking now;
    if (locking_get(t, &now)) return;
    if (now.state != LOCKING_NONE && now.state != LOCKING_OPENS) txn_fail(t, ERR_STATE);
    if (!t->err) begin(t, LOCKING_GOES_ON, text);
}

void locking_end(struct txn *t)
{
    struct locking now;
    if (locking_get(t, &now)) return;
    if (now.state == LOCKING_NONE || now.state == LOCKING_OPENS) txn_fail(t, ERR_STATE);
    if (!t->err) begin(t, LOCKING_OPENS, now.text);
}

void locking_text(struct txn *t, struct slice text)
{
    struct locking now;
    if (!locking_get(t, &now) && now.state != LOCKING_NONE) row_write(t, now.state, text);
}

/* --- record by record ----------------------------------------------------------------------- */

/* Deleted before it is written again: a page taken over in one transaction would keep the end of
 * what stood in it. */
static void rewrite_record(struct txn *t, uint64_t arrival, struct buf *copy)
{
    struct key key;
    struct event e;
    struct slice value;
    bool aside = log_is_aside(t, arrival);
    if (log_read_any(t, arrival, &e) || t->err) return;
    if (e.box_state != (t->locks ? BOX_HERE : BOX_LOCKED)) return;
    buf_reset(copy);
    if (!buf_reserve(copy, e.header.size + e.box.size)) txn_fail(t, copy->err);
    if (t->locks) { /* both die with the write (L12) */
        buf_append_slice(copy, e.box);
        e.box = buf_slice(copy);
    } else if (log_open_box(t, &e, copy)) {
        return;
    }
    value = slice_of(copy->data + copy->size, e.header.size);
    buf_append_slice(copy, e.header);
    e.header = value;
    db_delete(t, DB_LOG, key_arrival(&key, arrival));
    if (!t->err) log_put_record(t, arrival, &e, aside, false);
}

static void finish(struct txn *t, const struct locking *now)
{
    meta_delete(t, META_MARK);
    if (now->state == LOCKING_OPENS)
        meta_delete(t, META_LOCKING);
    else
        row_write(t, LOCKING_PAGES, now->text);
}

bool locking_slice(struct txn *t, uint64_t records_max)
{
    struct locking now;
    struct buf copy = {0};
    if (locking_get(t, &now)) return false;
    if (now.state != LOCKING_GOES_ON && now.state != LOCKING_OPENS) return false;
    uint64_t last = log_count(t), at = now.mark;
    for (uint64_t done = 0; at < last && done < records_max && !t->err; done++)
        rewrite_record(t, ++at, &copy);
    crypto_buf_wipe(&copy);
    meta_put_uint(t, META_MARK, at);
    if (at < last) return t->err == OK;
    if (!locking_get(t, &now)) finish(t, &now);
    return false;
}

void locking_clean(struct txn *t)
{
    struct locking now;
    if (!locking_get(t, &now) && now.state == LOCKING_PAGES) row_write(t, LOCKING_DONE, now.text);
}
