/* Prints the raw store, one line an entry: what the key and value mean, then what they are. */
#include "node/store/audit.h"
#include "node/store/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_TEXT_SIZE KIB(256) /* printed in one read transaction */

static void hex(struct buf *b, const void *data, size_t size)
{
    uint8_t *to = buf_reserve(b, 2 * size + 1);
    if (!to) return;
    hex_encode((char *)to, data, size);
    buf_advance(b, 2 * size);
}

static void hex_slice(struct buf *b, const char *name, struct slice s)
{
    buf_printf(b, " %s ", name);
    if (s.size == 0) buf_append_text(b, "-");
    hex(b, s.data, s.size);
}

static void print_feed(struct buf *b, struct slice key, struct slice value)
{
    struct feed_row row;
    if (key.size != 4 || feed_row_read(&row, be32_get(key.data), value)) {
        buf_append_text(b, " damaged");
        return;
    }
    buf_printf(b, " %u scope %u %s lane %u events %llu", row.number, row.scope_number,
               row.feed.scope.text, row.feed.lane, (unsigned long long)row.events);
    hex_slice(b, "author", slice_of(row.feed.author.bytes, 32));
    if (row.feed.has_epoch) hex_slice(b, "epoch", slice_of(row.feed.epoch, 8));
    for (size_t i = 0; i < row.head_count; i++) {
        buf_printf(b, " head %llu ", (unsigned long long)row.heads[i].seq);
        hex(b, row.heads[i].id.bytes, 32);
    }
}

static void print_scope(struct buf *b, struct slice key, struct slice value)
{
    struct scope_row row;
    if (key.size != 5 || key.data[0] != 'n' || scope_row_read(&row, be32_get(key.data + 1), value))
        return;
    buf_printf(b, " %u %s events %llu open %llu", row.number, row.scope.text,
               (unsigned long long)row.events, (unsigned long long)row.open_rows);
    hex_slice(b, "sum", slice_of(row.rows_sum, 32));
}

static void print_record(struct buf *b, struct slice key, struct slice value)
{
    struct record record;
    struct event e;
    if (key.size != 8 || record_read(&record, value) ||
        event_decode_trusted(&e, record.header, &record.id)) {
        buf_append_text(b, " damaged");
        return;
    }
    buf_printf(b, " %llu %s lane %u seq %llu %.*s%s%s", (unsigned long long)be64_get(key.data),
               e.feed.scope.text, e.feed.lane, (unsigned long long)e.seq, (int)e.kind.size,
               (const char *)e.kind.data, record.has_signature ? " signed" : "",
               record.has_box            ? " box"
               : e.box_state == BOX_GONE ? " box-gone"
                                         : "");
    hex_slice(b, "author", slice_of(e.feed.author.bytes, 32));
    hex_slice(b, "subject", slice_of(e.subject.bytes, 16));
}

static void print_chain(struct buf *b, struct slice key, struct slice value)
{
    if (key.size != CHAIN_KEY_SIZE || value.size != 8) {
        buf_append_text(b, " damaged");
        return;
    }
    buf_printf(b, " feed %u seq %llu arrival %llu", be32_get(key.data),
               (unsigned long long)be64_get(key.data + 4),
               (unsigned long long)be64_get(value.data));
}

static void print_thing(struct buf *b, struct slice key, struct slice value)
{
    (void)value;
    if (key.size != THING_KEY_SIZE) {
        buf_append_text(b, " damaged");
        return;
    }
    buf_printf(b, " scope %u arrival %llu", be32_get(key.data),
               (unsigned long long)be64_get(key.data + THING_KEY_SIZE - 8));
    hex_slice(b, "thing", slice_of(key.data + 4, 16));
}

static void print_row(struct buf *b, struct slice key, struct slice value)
{
    (void)value;
    if (key.size > ROW_KEY_FIXED)
        buf_printf(b, " scope %u table 0x%02x", be32_get(key.data), key.data[4]);
    else
        buf_append_text(b, " damaged");
}

static void print_name(struct buf *b, struct slice key, struct slice value)
{
    (void)value;
    buf_printf(b, " %.*s", (int)key.size, (const char *)key.data);
}

static void (*const printers[DB_COUNT])(struct buf *b, struct slice key, struct slice value) = {
    [DB_META] = print_name,  [DB_FEEDS] = print_feed,   [DB_CHAIN] = print_chain,
    [DB_LOG] = print_record, [DB_THINGS] = print_thing, [DB_SCOPES] = print_scope,
    [DB_ROWS] = print_row,
};

struct printer {
    struct store *store;
    void (*line)(void *state, const char *text);
    void *state;
    struct buf text;
    struct key at; /* the last key printed; size 0: none */
};

static enum err remember(struct printer *p, struct slice key)
{
    if (key.size >= sizeof p->at.bytes) return ERR_CORRUPT;
    memcpy(p->at.bytes, key.data, key.size);
    p->at.bytes[key.size] = 0;
    p->at.size = key.size + 1; /* the first that can come after it */
    return OK;
}

static enum err print_slice(struct printer *p, enum db db, bool *more)
{
    static const uint8_t first[1] = {0};
    struct txn *t;
    struct slice key, value;
    enum err err = txn_begin(p->store, false, &t);
    if (err) return err;
    buf_reset(&p->text);
    *more = true;
    while (!err && p->text.size < SLICE_TEXT_SIZE) {
        struct slice from = p->at.size ? key_slice(&p->at) : slice_of(first, sizeof first);
        *more = db_find(t, db, from, &key, &value);
        if (!*more) break;
        buf_append_text(&p->text, layout_db_names[db]);
        if (printers[db]) printers[db](&p->text, key, value);
        hex_slice(&p->text, "key", key);
        hex_slice(&p->text, "value", value);
        buf_append_byte(&p->text, 0);
        err = p->text.err ? p->text.err : remember(p, key);
    }
    if (!err) err = txn_error(t);
    txn_abort(t);
    return err;
}

/* Whoever takes the lines may be slow: no transaction is open meanwhile (L10). */
static void hand_over(const struct printer *p)
{
    const char *at = (const char *)p->text.data;
    for (size_t left = p->text.size; left > 0;) {
        size_t size = strlen(at) + 1;
        p->line(p->state, at);
        at += size;
        left -= size;
    }
}

enum err audit_print_raw(struct store *s, void (*line)(void *state, const char *text), void *state)
{
    struct printer p = {.store = s, .line = line, .state = state};
    enum err err = OK;
    for (size_t db = 0; !err && db < DB_COUNT; db++) {
        bool more = true;
        p.at.size = 0;
        while (!err && more) {
            err = print_slice(&p, (enum db)db, &more);
            if (!err) hand_over(&p);
        }
    }
    buf_clear(&p.text);
    return err;
}
