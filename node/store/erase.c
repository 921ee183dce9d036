#include "node/store/erase.h"

#include "node/store/txn.h"

#include <string.h>

#define META_THINGS "erase.things"         /* rows */
#define META_UNANSWERED "erase.unanswered" /* orders in them */
#define META_SERIAL "erase.serial"
#define META_REWRITTEN "erase.rewritten"

enum { TABLE_ERASED = 'e', THING_SIZE = 20 };
enum { FIXED_SIZE = 1 + 8 + 1 + 2, ORDER_SIZE = 32 + 8 + 8 + 1 };
enum { ROW_SIZE_MAX = FIXED_SIZE + ERASE_ORDERS_MAX * ORDER_SIZE + ERASE_ONLY_MAX * 8 };
enum { ORDER_ANSWERED = 1, ORDER_SETTLED = 2 };

/* --- rows ----------------------------------------------------------------------------------- */

static struct slice key_erased(struct key *k, const struct thing_key *thing)
{
    uint8_t name[THING_SIZE];
    be32_put(name, thing->scope_number);
    memcpy(name + 4, thing->thing.bytes, sizeof thing->thing.bytes);
    return key_local(k, TABLE_ERASED, slice_of(name, sizeof name));
}

static uint8_t *order_write(uint8_t *at, const struct erase_order *o)
{
    memcpy(at, o->id.bytes, 32);
    be64_put(at + 32, o->arrival);
    be64_put(at + 40, o->serial);
    at[48] = (uint8_t)((o->answered ? ORDER_ANSWERED : 0) | (o->settled ? ORDER_SETTLED : 0));
    return at + ORDER_SIZE;
}

static const uint8_t *order_read(struct erase_order *o, const uint8_t *at)
{
    memcpy(o->id.bytes, at, 32);
    o->arrival = be64_get(at + 32);
    o->serial = be64_get(at + 40);
    o->answered = (at[48] & ORDER_ANSWERED) != 0;
    o->settled = (at[48] & ORDER_SETTLED) != 0;
    return at + ORDER_SIZE;
}

static bool row_read(struct txn *t, struct slice value, struct erased *out)
{
    const uint8_t *at = value.data;
    *out = (struct erased){.whole = false};
    if (value.size < FIXED_SIZE) goto damaged;
    out->whole = at[0] != 0;
    out->next = be64_get(at + 1);
    out->order_count = at[9];
    out->only_count = be16_get(at + 10);
    if (out->order_count > ERASE_ORDERS_MAX || out->only_count > ERASE_ONLY_MAX ||
        value.size != FIXED_SIZE + out->order_count * ORDER_SIZE + out->only_count * 8)
        goto damaged;
    at += FIXED_SIZE;
    for (size_t i = 0; i < out->order_count; i++) at = order_read(&out->orders[i], at);
    memcpy(out->only8, at, out->only_count * 8);
    return true;
damaged:
    txn_fail(t, ERR_CORRUPT);
    return false;
}

bool erased_any(struct txn *t)
{
    return meta_get_uint(t, META_THINGS) > 0;
}

bool erased_get(struct txn *t, const struct thing_key *thing, struct erased *out)
{
    struct key key;
    struct slice value;
    return db_get(t, DB_LOCAL, key_erased(&key, thing), &value) && row_read(t, value, out);
}

static uint64_t unanswered_in(const struct erased *row)
{
    uint64_t count = 0;
    for (size_t i = 0; i < row->order_count; i++) count += !row->orders[i].answered;
    return count;
}

static void count_move(struct txn *t, const char *name, uint64_t before, uint64_t after)
{
    uint64_t count = meta_get_uint(t, name);
    if (before != after)
        meta_put_uint(t, name, count + after > before ? count + after - before : 0);
}

void erased_put(struct txn *t, const struct thing_key *thing, const struct erased *row)
{
    struct key key;
    struct erased old = {.whole = false};
    uint8_t bytes[ROW_SIZE_MAX], *at = bytes + FIXED_SIZE;
    erased_get(t, thing, &old);
    count_move(t, META_THINGS, old.order_count > 0, row->order_count > 0);
    count_move(t, META_UNANSWERED, unanswered_in(&old), unanswered_in(row));
    key_erased(&key, thing);
    if (!row->order_count) {
        db_delete(t, DB_LOCAL, key_slice(&key));
        return;
    }
    bytes[0] = row->whole;
    be64_put(bytes + 1, row->next);
    bytes[9] = (uint8_t)row->order_count;
    be16_put(bytes + 10, (uint16_t)row->only_count);
    for (size_t i = 0; i < row->order_count; i++) at = order_write(at, &row->orders[i]);
    memcpy(at, row->only8, row->only_count * 8);
    at += row->only_count * 8;
    db_put(t, DB_LOCAL, key_slice(&key), slice_of(bytes, (size_t)(at - bytes)));
}

bool erased_next(struct txn *t, struct thing_key *thing, struct erased *out)
{
    struct key from;
    struct slice found, value;
    key_erased(&from, thing);
    from.bytes[from.size++] = 0; /* strictly after */
    if (!db_find(t, DB_LOCAL, key_slice(&from), &found, &value) || found.size != 1 + THING_SIZE ||
        found.data[0] != TABLE_ERASED)
        return false;
    thing->scope_number = be32_get(found.data + 1);
    memcpy(thing->thing.bytes, found.data + 5, sizeof thing->thing.bytes);
    return row_read(t, value, out);
}

bool erased_covers(const struct erased *row, const struct event_id *id)
{
    for (size_t i = 0; !row->whole && i < row->only_count; i++)
        if (memcmp(row->only8[i], id->bytes, 8) == 0) return true;
    return row->whole;
}

uint64_t erased_unanswered(struct txn *t)
{
    return meta_get_uint(t, META_UNANSWERED);
}

/* --- boxes ---------------------------------------------------------------------------------- */

/* Deleted before it is written again: a page taken over in one transaction would keep the end of
 * what stood in it. */
static void record_replace(struct txn *t, uint64_t arrival, const struct event *e)
{
    struct key key;
    bool aside = log_is_aside(t, arrival);
    db_delete(t, DB_LOG, key_arrival(&key, arrival));
    if (!txn_error(t)) log_put_record(t, arrival, e, aside, false);
}

/* What cannot be read is damaged, and may hold a box all the same. */
static bool record_empty(struct txn *t, uint64_t arrival)
{
    struct key key;
    struct slice value;
    struct event bare = {.box_state = BOX_NONE};
    if (!db_get(t, DB_LOG, key_arrival(&key, arrival), &value)) return false;
    if (value.size <= record_size(&bare, NULL) || !record_id(&bare.id, value)) return false;
    record_replace(t, arrival, &bare);
    return true;
}

bool log_erase_box(struct txn *t, uint64_t arrival)
{
    struct event e;
    enum err err = log_read_any(t, arrival, &e);
    if (err == ERR_CORRUPT) return record_empty(t, arrival);
    if (err || !event_has_box(&e)) return false;
    struct buf header = {0}; /* dies with the write (L12) */
    buf_append_slice(&header, e.header);
    if (header.err) {
        txn_fail(t, header.err);
        return false;
    }
    e.header = buf_slice(&header);
    e.box_state = BOX_GONE;
    e.box = SLICE_EMPTY;
    record_replace(t, arrival, &e);
    buf_clear(&header);
    return txn_error(t) == OK;
}

/* --- old pages ------------------------------------------------------------------------------ */

uint64_t erase_serial(struct txn *t)
{
    return meta_get_uint(t, META_SERIAL);
}

uint64_t erase_serial_next(struct txn *t)
{
    uint64_t serial = erase_serial(t) + 1;
    meta_put_uint(t, META_SERIAL, serial);
    return serial;
}

uint64_t erase_rewritten(struct txn *t)
{
    return meta_get_uint(t, META_REWRITTEN);
}

/* What others erase while it runs has a later serial and waits for the next time. */
enum err erase_rewrite(struct store *s)
{
    struct txn *t;
    enum err err = txn_begin(s, false, &t);
    if (err) return err;
    uint64_t serial = erase_serial(t);
    bool noted = serial == erase_rewritten(t);
    txn_abort(t);
    err = store_compact(s);
    if (err || noted) return err;
    err = txn_begin(s, true, &t);
    if (err) return err;
    meta_put_uint(t, META_REWRITTEN, serial);
    return txn_commit(t);
}
