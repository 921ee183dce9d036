#include "node/views/request_row.h"

#include <string.h>

enum { ROW_FIELDS = 20, ROW_TEXT_MAX = 64 };

/* --- the row ------------------------------------------------------------------------------- */

static void write_reporter(struct mp_writer *w, const struct request *r)
{
    if (!r->has_reporter) {
        mp_write_nil(w);
        return;
    }
    mp_write_array(w, 2);
    mp_write_bin(w, r->reporter.bytes, sizeof r->reporter.bytes);
    if (r->reporter_has_by)
        mp_write_bin(w, r->reporter_by.bytes, sizeof r->reporter_by.bytes);
    else
        mp_write_nil(w);
}

static bool thing_is_zero(const struct thing_id *thing)
{
    static const struct thing_id zero;
    return thing_id_equal(thing, &zero);
}

void request_row_write(struct buf *out, const struct request *r)
{
    struct mp_writer w = {out};
    mp_write_array(&w, ROW_FIELDS);
    mp_write_uint(&w, r->state);
    mp_write_str(&w, r->number);
    mp_write_str(&w, r->official_number);
    mp_write_text(&w, r->village);
    mp_write_str(&w, r->channel);
    mp_write_str(&w, r->nature);
    mp_write_str(&w, r->category);
    mp_write_uint(&w, r->urgency);
    mp_write_uint(&w, r->received_ms);
    mp_write_uint(&w, r->registered_ms);
    mp_write_uint(&w, r->due_ms);
    mp_write_str(&w, r->holder);
    if (thing_is_zero(&r->signer_by))
        mp_write_nil(&w);
    else
        mp_write_bin(&w, r->signer_by.bytes, sizeof r->signer_by.bytes);
    mp_write_bool(&w, r->township);
    write_reporter(&w, r);
    mp_write_array(&w, 6);
    mp_write_uint(&w, r->callbacks_failed);
    mp_write_uint(&w, r->failed_first_day);
    mp_write_uint(&w, r->failed_last_day);
    mp_write_bool(&w, r->callback_reached);
    mp_write_uint(&w, r->solved);
    mp_write_uint(&w, r->rating);
    mp_write_str(&w, r->result);
    mp_write_bool(&w, r->both_changed);
    mp_write_uint(&w, r->events);
    mp_write_uint(&w, r->effective);
}

static void read_reporter(struct mp_reader *reader, struct request *r)
{
    if (mp_read_nil(reader)) return;
    r->has_reporter = true;
    if (mp_read_array(reader, 2) != 2) reader->err = ERR_MALFORMED;
    mp_read_bin_exact(reader, r->reporter.bytes, sizeof r->reporter.bytes);
    r->reporter_has_by = !mp_read_nil(reader);
    if (r->reporter_has_by)
        mp_read_bin_exact(reader, r->reporter_by.bytes, sizeof r->reporter_by.bytes);
}

static void read_callback(struct mp_reader *reader, struct request *r)
{
    if (mp_read_array(reader, 6) != 6) reader->err = ERR_MALFORMED;
    r->callbacks_failed = (uint32_t)mp_read_uint(reader, UINT32_MAX);
    r->failed_first_day = (uint32_t)mp_read_uint(reader, UINT32_MAX);
    r->failed_last_day = (uint32_t)mp_read_uint(reader, UINT32_MAX);
    r->callback_reached = mp_read_bool(reader);
    r->solved = (enum request_solved)mp_read_uint(reader, SOLVED_NO);
    r->rating = (uint32_t)mp_read_uint(reader, UINT32_MAX);
}

enum err request_row_read(struct request *out, struct slice row)
{
    struct mp_reader r = mp_reader_of(row);
    struct request q = {0};
    if (mp_read_array(&r, ROW_FIELDS) != ROW_FIELDS) return ERR_CORRUPT;
    q.state = (enum request_state)mp_read_uint(&r, REQUEST_STATE_COUNT - 1);
    q.number = mp_read_str(&r, ROW_TEXT_MAX);
    q.official_number = mp_read_str(&r, ROW_TEXT_MAX);
    struct slice village = mp_read_str(&r, sizeof q.village - 1);
    if (village.size) memcpy(q.village, village.data, village.size);
    q.channel = mp_read_str(&r, ROW_TEXT_MAX);
    q.nature = mp_read_str(&r, ROW_TEXT_MAX);
    q.category = mp_read_str(&r, ROW_TEXT_MAX);
    q.urgency = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    q.received_ms = mp_read_uint(&r, UINT64_MAX);
    q.registered_ms = mp_read_uint(&r, UINT64_MAX);
    q.due_ms = mp_read_uint(&r, UINT64_MAX);
    q.holder = mp_read_str(&r, ROW_TEXT_MAX);
    if (!mp_read_nil(&r)) mp_read_bin_exact(&r, q.signer_by.bytes, sizeof q.signer_by.bytes);
    q.township = mp_read_bool(&r);
    read_reporter(&r, &q);
    read_callback(&r, &q);
    q.result = mp_read_str(&r, ROW_TEXT_MAX);
    q.both_changed = mp_read_bool(&r);
    q.events = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    q.effective = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    if (mp_read_end(&r)) return ERR_CORRUPT;
    *out = q;
    return OK;
}

enum err request_get(struct txn *t, const struct thing_key *key, struct request *out)
{
    uint8_t bytes[1 + sizeof key->thing.bytes] = {THING_REQUEST};
    memcpy(bytes + 1, key->thing.bytes, sizeof key->thing.bytes);
    struct row_key row_key = {key->scope_number, ROW_THING, slice_of(bytes, sizeof bytes)};
    struct slice row;
    if (row_get(t, &row_key, &row)) return request_row_read(out, row);
    enum err err = txn_error(t);
    return err ? err : ERR_NOT_FOUND;
}

/* --- indexes ------------------------------------------------------------------------------- */

/* The index rows of one request: their keys, copied, for rows move under a write. */
enum { INDEX_OPEN, INDEX_NUMBER, INDEX_OFFICIAL, INDEX_COUNT };
struct index_rows {
    struct {
        uint8_t table;
        uint8_t bytes[ROW_TEXT_MAX + sizeof(struct thing_id)];
        size_t size; /* 0: no such row */
    } rows[INDEX_COUNT];
};

static void index_number(struct index_rows *out, size_t at, struct slice number,
                         const struct thing_id *thing)
{
    if (!number.size) return;
    out->rows[at].table = ROW_NUMBER;
    memcpy(out->rows[at].bytes, number.data, number.size);
    memcpy(out->rows[at].bytes + number.size, thing->bytes, sizeof thing->bytes);
    out->rows[at].size = number.size + sizeof thing->bytes;
}

static void index_rows_of(struct index_rows *out, const struct thing_id *thing,
                          const struct request *r)
{
    for (size_t i = 0; i < INDEX_COUNT; i++) out->rows[i].size = 0;
    if (!r) return;
    if (request_is_open(r)) {
        out->rows[INDEX_OPEN].table = ROW_OPEN;
        be64_put(out->rows[INDEX_OPEN].bytes, r->due_ms ? r->due_ms : UINT64_MAX);
        memcpy(out->rows[INDEX_OPEN].bytes + 8, thing->bytes, sizeof thing->bytes);
        out->rows[INDEX_OPEN].size = 8 + sizeof thing->bytes;
    }
    index_number(out, INDEX_NUMBER, r->number, thing);
    if (!slice_equal(r->official_number, r->number)) /* else one row would serve both */
        index_number(out, INDEX_OFFICIAL, r->official_number, thing);
}

static struct row_key index_key(const struct index_rows *rows, size_t at, uint32_t scope_number)
{
    return (struct row_key){scope_number, rows->rows[at].table,
                            slice_of(rows->rows[at].bytes, rows->rows[at].size)};
}

void request_row_index(struct txn *t, const struct thing_key *key, const struct request *before,
                       const struct request *after)
{
    struct index_rows old_rows, new_rows;
    index_rows_of(&old_rows, &key->thing, before);
    index_rows_of(&new_rows, &key->thing, after);
    for (size_t i = 0; i < INDEX_COUNT; i++) {
        struct row_key from = index_key(&old_rows, i, key->scope_number);
        struct row_key to = index_key(&new_rows, i, key->scope_number);
        if (slice_equal(from.key, to.key)) continue;
        if (from.key.size) row_delete(t, &from);
        if (to.key.size) row_put(t, &to, SLICE_EMPTY);
    }
}

bool request_row_indexed(struct txn *t, const struct thing_key *key, struct slice row)
{
    struct index_rows rows;
    struct request r;
    if (request_row_read(&r, row) != OK) return false;
    index_rows_of(&rows, &key->thing, &r);
    for (size_t i = 0; i < INDEX_COUNT; i++) {
        struct row_key index = index_key(&rows, i, key->scope_number);
        struct slice value;
        if (index.key.size && !row_get(t, &index, &value)) return false;
    }
    return true;
}
