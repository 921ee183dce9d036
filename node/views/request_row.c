#include "node/views/request_row.h"

#include <string.h>

enum {
    ROW_FIELDS = 18, /* the last is an array of REST_FIELDS: what lists do not read */
    REST_FIELDS = 32,
    CALLBACK_FIELDS = 7,
    ROW_TEXT_MAX = 64,
    REF_TEXT_MAX = 128,
};

/* --- the row ------------------------------------------------------------------------------- */

static void write_thing(struct mp_writer *w, const struct thing_id *thing)
{
    static const struct thing_id zero;
    if (thing_id_equal(thing, &zero))
        mp_write_nil(w);
    else
        mp_write_bin(w, thing->bytes, sizeof thing->bytes);
}

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

static void write_supports(struct mp_writer *w, const struct request *r)
{
    mp_write_array(w, r->support_count);
    for (size_t i = 0; i < r->support_count; i++) {
        mp_write_array(w, 2);
        mp_write_str(w, r->supports[i].unit);
        mp_write_bool(w, r->supports[i].reported);
    }
}

static void write_callback(struct mp_writer *w, const struct request *r)
{
    mp_write_array(w, CALLBACK_FIELDS);
    mp_write_uint(w, r->callbacks_failed);
    mp_write_uint(w, r->failed_first_day);
    mp_write_uint(w, r->failed_last_day);
    mp_write_bool(w, r->callback_reached);
    mp_write_uint(w, r->solved);
    mp_write_uint(w, r->contacted_in_time);
    mp_write_uint(w, r->rating);
}

static void write_rest(struct mp_writer *w, const struct request *r)
{
    mp_write_array(w, REST_FIELDS);
    mp_write_str(w, r->channel_ref);
    write_supports(w, r);
    mp_write_bool(w, r->due_provisional);
    mp_write_bool(w, r->next_due_provisional);
    mp_write_bool(w, r->number_due);
    mp_write_uint(w, r->rules);
    mp_write_uint(w, r->received_ms);
    mp_write_uint(w, r->accepted_ms);
    mp_write_uint(w, r->issued_ms);
    mp_write_uint(w, r->signed_ms);
    mp_write_uint(w, r->contacted_ms);
    mp_write_uint(w, r->reported_ms);
    mp_write_uint(w, r->closed_ms);
    mp_write_uint(w, r->escalated_ms);
    mp_write_array(w, REQUEST_CLOCK_COUNT);
    for (size_t i = 0; i < REQUEST_CLOCK_COUNT; i++) mp_write_uint(w, r->timing[i]);
    mp_write_bool(w, r->untrusted);
    mp_write_uint(w, r->suspended_since_ms);
    mp_write_uint(w, r->suspended_total_ms);
    mp_write_uint(w, r->extend_to_ms);
    mp_write_bool(w, r->extended);
    mp_write_uint(w, r->rounds);
    mp_write_uint(w, r->objections);
    mp_write_bool(w, r->answered);
    write_thing(w, &r->signer_by);
    write_reporter(w, r);
    write_callback(w, r);
    mp_write_str(w, r->result);
    mp_write_bool(w, r->public);
    write_thing(w, &r->merged_into);
    mp_write_str(w, r->archive_number);
    mp_write_uint(w, r->events);
    mp_write_uint(w, r->effective);
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
    mp_write_str(&w, r->class);
    mp_write_bool(&w, r->township);
    mp_write_str(&w, r->holder);
    mp_write_uint(&w, r->registered_ms);
    mp_write_uint(&w, r->due_ms);
    mp_write_uint(&w, r->next_due_ms);
    mp_write_uint(&w, r->review_ms);
    mp_write_uint(&w, r->supervised);
    mp_write_bool(&w, r->both_changed);
    write_rest(&w, r);
}

static uint32_t read_uint32(struct mp_reader *reader)
{
    return (uint32_t)mp_read_uint(reader, UINT32_MAX);
}

static void read_array_of(struct mp_reader *reader, size_t count)
{
    if (mp_read_array(reader, count) != count && !reader->err) reader->err = ERR_MALFORMED;
}

static void read_thing(struct mp_reader *reader, struct thing_id *out)
{
    if (!mp_read_nil(reader)) mp_read_bin_exact(reader, out->bytes, sizeof out->bytes);
}

static void read_reporter(struct mp_reader *reader, struct request *r)
{
    if (mp_read_nil(reader)) return;
    r->has_reporter = true;
    read_array_of(reader, 2);
    mp_read_bin_exact(reader, r->reporter.bytes, sizeof r->reporter.bytes);
    r->reporter_has_by = !mp_read_nil(reader);
    if (r->reporter_has_by)
        mp_read_bin_exact(reader, r->reporter_by.bytes, sizeof r->reporter_by.bytes);
}

static void read_supports(struct mp_reader *reader, struct request *r)
{
    r->support_count = mp_read_array(reader, REQUEST_SUPPORTS_MAX);
    for (size_t i = 0; i < r->support_count; i++) {
        read_array_of(reader, 2);
        r->supports[i].unit = mp_read_str(reader, ROW_TEXT_MAX);
        r->supports[i].reported = mp_read_bool(reader);
    }
}

static void read_callback(struct mp_reader *reader, struct request *r)
{
    read_array_of(reader, CALLBACK_FIELDS);
    r->callbacks_failed = read_uint32(reader);
    r->failed_first_day = read_uint32(reader);
    r->failed_last_day = read_uint32(reader);
    r->callback_reached = mp_read_bool(reader);
    r->solved = (enum request_solved)mp_read_uint(reader, SOLVED_NO);
    r->contacted_in_time = (enum request_timing)mp_read_uint(reader, TIMING_LATE);
    r->rating = read_uint32(reader);
}

static void read_brief(struct mp_reader *reader, struct request *r)
{
    read_array_of(reader, ROW_FIELDS);
    r->state = (enum request_state)mp_read_uint(reader, REQUEST_STATE_COUNT - 1);
    r->number = mp_read_str(reader, ROW_TEXT_MAX);
    r->official_number = mp_read_str(reader, ROW_TEXT_MAX);
    struct slice village = mp_read_str(reader, sizeof r->village - 1);
    if (village.size) memcpy(r->village, village.data, village.size);
    r->village[village.size] = 0;
    r->channel = mp_read_str(reader, ROW_TEXT_MAX);
    r->nature = mp_read_str(reader, ROW_TEXT_MAX);
    r->category = mp_read_str(reader, ROW_TEXT_MAX);
    r->urgency = read_uint32(reader);
    r->class = mp_read_str(reader, ROW_TEXT_MAX);
    r->township = mp_read_bool(reader);
    r->holder = mp_read_str(reader, ROW_TEXT_MAX);
    r->registered_ms = mp_read_uint(reader, UINT64_MAX);
    r->due_ms = mp_read_uint(reader, UINT64_MAX);
    r->next_due_ms = mp_read_uint(reader, UINT64_MAX);
    r->review_ms = mp_read_uint(reader, UINT64_MAX);
    r->supervised = read_uint32(reader);
    r->both_changed = mp_read_bool(reader);
}

static void read_rest(struct mp_reader *reader, struct request *r)
{
    read_array_of(reader, REST_FIELDS);
    r->channel_ref = mp_read_str(reader, REF_TEXT_MAX);
    read_supports(reader, r);
    r->due_provisional = mp_read_bool(reader);
    r->next_due_provisional = mp_read_bool(reader);
    r->number_due = mp_read_bool(reader);
    r->rules = read_uint32(reader);
    r->received_ms = mp_read_uint(reader, UINT64_MAX);
    r->accepted_ms = mp_read_uint(reader, UINT64_MAX);
    r->issued_ms = mp_read_uint(reader, UINT64_MAX);
    r->signed_ms = mp_read_uint(reader, UINT64_MAX);
    r->contacted_ms = mp_read_uint(reader, UINT64_MAX);
    r->reported_ms = mp_read_uint(reader, UINT64_MAX);
    r->closed_ms = mp_read_uint(reader, UINT64_MAX);
    r->escalated_ms = mp_read_uint(reader, UINT64_MAX);
    read_array_of(reader, REQUEST_CLOCK_COUNT);
    for (size_t i = 0; i < REQUEST_CLOCK_COUNT; i++)
        r->timing[i] = (enum request_timing)mp_read_uint(reader, TIMING_LATE);
    r->untrusted = mp_read_bool(reader);
    r->suspended_since_ms = mp_read_uint(reader, UINT64_MAX);
    r->suspended_total_ms = mp_read_uint(reader, UINT64_MAX);
    r->extend_to_ms = mp_read_uint(reader, UINT64_MAX);
    r->extended = mp_read_bool(reader);
    r->rounds = read_uint32(reader);
    r->objections = read_uint32(reader);
    r->answered = mp_read_bool(reader);
    read_thing(reader, &r->signer_by);
    read_reporter(reader, r);
    read_callback(reader, r);
    r->result = mp_read_str(reader, ROW_TEXT_MAX);
    r->public = mp_read_bool(reader);
    read_thing(reader, &r->merged_into);
    r->archive_number = mp_read_str(reader, ROW_TEXT_MAX);
    r->events = read_uint32(reader);
    r->effective = read_uint32(reader);
}

enum err request_row_read_brief(struct request *out, struct slice row)
{
    struct mp_reader reader = mp_reader_of(row);
    read_brief(&reader, out);
    read_array_of(&reader, REST_FIELDS);
    mp_skip(&reader); /* reference in the channel, supports */
    mp_skip(&reader);
    out->due_provisional = mp_read_bool(&reader);
    out->next_due_provisional = mp_read_bool(&reader);
    out->number_due = mp_read_bool(&reader);
    return reader.err ? ERR_CORRUPT : OK;
}

enum err request_row_read(struct request *out, struct slice row)
{
    struct mp_reader reader = mp_reader_of(row);
    struct request r = {0};
    read_brief(&reader, &r);
    read_rest(&reader, &r);
    if (mp_read_end(&reader)) return ERR_CORRUPT;
    *out = r;
    return OK;
}

enum err request_get(struct txn *t, const struct thing_key *key, struct request *out)
{
    uint8_t bytes[ROW_THING_KEY_SIZE];
    const struct row_key row_key = row_thing_key(bytes, THING_REQUEST, key);
    struct slice row;
    if (row_get(t, &row_key, &row)) return request_row_read(out, row);
    enum err err = txn_error(t);
    return err ? err : ERR_NOT_FOUND;
}

/* --- indexes ------------------------------------------------------------------------------- */

/* The index rows of one request: their keys, copied, for rows move under a write. */
enum { INDEX_OPEN, INDEX_NUMBER, INDEX_OFFICIAL, INDEX_UNNUMBERED, INDEX_COUNT };
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
        be64_put(out->rows[INDEX_OPEN].bytes, request_next_moment(r));
        memcpy(out->rows[INDEX_OPEN].bytes + 8, thing->bytes, sizeof thing->bytes);
        out->rows[INDEX_OPEN].size = 8 + sizeof thing->bytes;
    }
    index_number(out, INDEX_NUMBER, r->number, thing);
    if (!slice_equal(r->official_number, r->number)) /* else one row would serve both */
        index_number(out, INDEX_OFFICIAL, r->official_number, thing);
    if (!r->number_due) return;
    out->rows[INDEX_UNNUMBERED].table = ROW_UNNUMBERED;
    memcpy(out->rows[INDEX_UNNUMBERED].bytes, thing->bytes, sizeof thing->bytes);
    out->rows[INDEX_UNNUMBERED].size = sizeof thing->bytes;
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
