#include "proto/run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_FIELDS 9
#define RECORD_SIZE_MIN 11 /* one byte a field, two for the kind, one for the array */
/* What a header has and its record lacks: array, suite, feed, seq, prev, the subject and digest in
 * full, the time in full. */
#define HEADER_OVERHEAD_MAX (3 + 1 + 34 + 21 + 1 + 10 + 9 + 34 + 18 + 34 + 9)

/* --- the context ------------------------------------------------------------------------------ */

void run_context_reset(struct run_context *c, uint64_t time)
{
    c->time = time;
    c->met_count = 0;
    if (c->slots) memset(c->slots, 0, c->slot_count * sizeof *c->slots);
}

void run_context_clear(struct run_context *c)
{
    free(c->met);
    free(c->slots);
    *c = (struct run_context){0};
}

/* The slot of a thing: holds its place in `met` plus one, or 0 where it would go. Linear probing in
 * a table at most half full. Ids that were made to collide cost a run of 4,096 events about as much
 * again as decoding it, so no secret is mixed in. */
static uint32_t *slot_find(const struct run_context *c, const struct thing_id *id)
{
    size_t mask = c->slot_count - 1;
    uint64_t mixed = be64_get(id->bytes) ^ be64_get(id->bytes + 8) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = (size_t)(mixed >> 32);; i++) {
        uint32_t *slot = &c->slots[i & mask];
        if (*slot == 0 || thing_id_equal(&c->met[*slot - 1], id)) return slot;
    }
}

static bool context_has(const struct run_context *c, const struct thing_id *id, size_t *at)
{
    uint32_t place = c->slot_count ? *slot_find(c, id) : 0;
    if (place) *at = place - 1;
    return place;
}

static enum err context_grow(struct run_context *c)
{
    size_t capacity = c->met_capacity ? 2 * c->met_capacity : 64;
    struct thing_id *met = realloc(c->met, capacity * sizeof *met);
    if (!met) return ERR_NOMEM;
    c->met = met;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (!slots) return ERR_NOMEM;
    free(c->slots);
    c->slots = slots;
    c->slot_count = 2 * capacity;
    c->met_capacity = capacity;
    for (size_t i = 0; i < c->met_count; i++) *slot_find(c, &c->met[i]) = (uint32_t)i + 1;
    return OK;
}

static enum err context_meet(struct run_context *c, const struct thing_id *id)
{
    size_t at;
    if (context_has(c, id, &at)) return OK;
    if (c->met_count == c->met_capacity) {
        enum err err = context_grow(c);
        if (err) return err;
    }
    uint32_t *slot = slot_find(c, id);
    c->met[c->met_count++] = *id;
    *slot = (uint32_t)c->met_count;
    return OK;
}

/* The 16 low bits (counter and trust) that need not be said. */
static uint16_t low_expected(uint64_t before, int64_t dt)
{
    return (uint16_t)(dt == 0 ? before + 2 : before & 1);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_subject(struct mp_writer *w, const struct run_context *c, const struct event *e)
{
    size_t at;
    if (e->founding)
        mp_write_nil(w);
    else if (context_has(c, &e->subject, &at))
        mp_write_uint(w, c->met_count - 1 - at);
    else
        mp_write_bin(w, e->subject.bytes, sizeof e->subject.bytes);
}

static void write_time(struct mp_writer *w, const struct run_context *c, const struct event *e)
{
    int64_t dt = (int64_t)HLC_MS(e->time) - (int64_t)HLC_MS(c->time);
    uint16_t low = (uint16_t)e->time;
    bool plain = low == low_expected(c->time, dt);
    if (!plain) mp_write_array(w, 2);
    mp_write_int(w, dt);
    if (!plain) mp_write_uint(w, low);
}

static void write_box(struct mp_writer *w, const struct event *e)
{
    switch (e->box_state) {
    case BOX_NONE:
        mp_write_nil(w);
        break;
    case BOX_HERE:
        mp_write_array(w, 2);
        mp_write_bin(w, e->salt, sizeof e->salt);
        mp_write_raw(w, e->box);
        break;
    case BOX_GONE:
        mp_write_bin(w, e->box_digest.bytes, sizeof e->box_digest.bytes);
        break;
    case BOX_LOCKED:
        assert(false); /* it was not opened */
    }
}

enum err run_record_write(struct run_context *c, struct buf *raw, const struct event *e)
{
    if (raw->err) return raw->err;
    size_t start = raw->size;
    struct mp_writer w = {raw};
    mp_write_array(&w, RECORD_FIELDS);
    mp_write_str(&w, e->kind);
    mp_write_uint(&w, e->depth);
    mp_write_uint(&w, e->seen);
    if (e->has_by)
        mp_write_bin(&w, e->by.bytes, sizeof e->by.bytes);
    else
        mp_write_nil(&w);
    write_subject(&w, c, e);
    write_time(&w, c, e);
    mp_write_raw(&w, e->body);
    write_box(&w, e);
    if (e->ext.size)
        mp_write_raw(&w, e->ext);
    else
        mp_write_nil(&w);
    enum err err = raw->err;
    if (!err && raw->size > RUN_RAW_SIZE_MAX) err = ERR_LIMIT;
    if (!err) err = context_meet(c, &e->subject);
    if (err) {
        raw->size = start;
        return err;
    }
    c->time = e->time;
    return OK;
}

size_t run_dictionary_weight(const struct event *e)
{
    return e->body.size + (e->box_state == BOX_HERE ? e->box.size : 0) + 64;
}

enum err run_dictionary_write(struct run_context *c, struct buf *out, const struct event *events,
                              size_t count)
{
    if (count > 0) run_context_reset(c, 0);
    enum err err = OK;
    for (size_t i = 0; !err && i < count; i++) err = run_record_write(c, out, &events[i]);
    return err;
}

/* --- building --------------------------------------------------------------------------------- */

static void check_of(uint8_t check4[4], struct slice raw)
{
    struct hash hash;
    crypto_hash_one(&hash, CONTEXT_RUN, raw);
    memcpy(check4, hash.bytes, 4);
}

enum err run_build(struct run *out, struct zstd *z, struct slice raw, uint32_t count,
                   struct slice dictionary, int level, struct buf *payload)
{
    assert(count > 0 && raw.size >= count * (size_t)RECORD_SIZE_MIN);
    if (count > RUN_EVENTS_MAX || raw.size > RUN_RAW_SIZE_MAX) return ERR_LIMIT;
    size_t start = payload->size;
    enum err err = zstd_compress(z, payload, raw, dictionary, level);
    if (err) return err;
    out->has_dictionary = dictionary.size > 0;
    out->count = count;
    out->raw_size = (uint32_t)raw.size;
    check_of(out->check4, raw);
    out->payload = slice_of(payload->data + start, payload->size - start);
    return OK;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Memory is kept from run to run; the limits of a run bound it. */
struct run_decoder {
    struct event_id last;
    struct zstd *zstd;
    struct run_context context;
    struct buf dictionary;
    struct buf raw;     /* kinds, bodies and boxes of the events borrow it */
    struct buf headers; /* room for all is made first: headers do not move */
    struct event *events;
    size_t event_capacity;
};

enum err run_decoder_open(struct run_decoder **out)
{
    struct run_decoder *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    enum err err = zstd_open(&d->zstd);
    if (err) {
        free(d);
        return err;
    }
    *out = d;
    return OK;
}

void run_decoder_close(struct run_decoder *d)
{
    if (!d) return;
    zstd_close(d->zstd);
    run_context_clear(&d->context);
    buf_clear(&d->dictionary);
    buf_clear(&d->raw);
    buf_clear(&d->headers);
    free(d->events);
    free(d);
}

static void read_subject(struct mp_reader *r, const struct run_context *c, struct event *e)
{
    size_t at;
    e->founding = mp_read_nil(r);
    if (e->founding) return;
    if (mp_peek(r) == MP_UINT) {
        uint64_t back = mp_read_uint(r, UINT64_MAX);
        if (back < c->met_count)
            e->subject = c->met[c->met_count - 1 - back];
        else
            r->err = ERR_MALFORMED;
        return;
    }
    mp_read_bin_exact(r, e->subject.bytes, sizeof e->subject.bytes);
    if (!r->err && context_has(c, &e->subject, &at)) r->err = ERR_MALFORMED;
}

static void read_time(struct mp_reader *r, const struct run_context *c, struct event *e)
{
    bool plain = mp_peek(r) != MP_ARRAY;
    if (!plain && mp_read_array(r, 2) != 2 && !r->err) r->err = ERR_MALFORMED;
    int64_t before = (int64_t)HLC_MS(c->time);
    int64_t dt = mp_read_int(r, -before, (int64_t)HLC_MS_MAX - before);
    uint16_t expected = low_expected(c->time, dt);
    uint16_t low = plain ? expected : (uint16_t)mp_read_uint(r, UINT16_MAX);
    if (!plain && low == expected && !r->err) r->err = ERR_MALFORMED;
    e->time = (uint64_t)(before + dt) << 16 | low;
}

static void read_box(struct mp_reader *r, struct event *e)
{
    if (mp_read_nil(r)) {
        e->box_state = BOX_NONE;
    } else if (mp_peek(r) == MP_BIN) {
        e->box_state = BOX_GONE;
        mp_read_bin_exact(r, e->box_digest.bytes, sizeof e->box_digest.bytes);
    } else {
        e->box_state = BOX_HERE;
        if (mp_read_array(r, 2) != 2 && !r->err) r->err = ERR_MALFORMED;
        mp_read_bin_exact(r, e->salt, sizeof e->salt);
        e->box = mp_skip(r);
    }
}

/* event_encode_scanned checks the parts: kind, body, box, ext, and how depth, seen and subject
 * relate. */
static enum err read_record(const struct run_context *c, struct slice record, struct event *e)
{
    struct mp_reader r = mp_reader_of(record);
    if (mp_read_array(&r, RECORD_FIELDS) != RECORD_FIELDS) return ERR_MALFORMED;
    e->kind = mp_read_str(&r, KIND_SIZE_MAX);
    e->depth = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    e->seen = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    e->has_by = !mp_read_nil(&r);
    if (e->has_by) mp_read_bin_exact(&r, e->by.bytes, sizeof e->by.bytes);
    read_subject(&r, c, e);
    read_time(&r, c, e);
    e->body = mp_skip(&r);
    read_box(&r, e);
    e->ext = mp_read_nil(&r) ? SLICE_EMPTY : mp_skip(&r);
    return mp_read_end(&r) ? ERR_MALFORMED : OK;
}

/* Room for the events of a run, after its claims about itself were compared with its size. */
static enum err make_room(struct run_decoder *d, const struct run *run, size_t raw_size)
{
    if (run->count > RUN_EVENTS_MAX || raw_size > RUN_RAW_SIZE_MAX) return ERR_LIMIT;
    if (run->count == 0 || run->count * (size_t)RECORD_SIZE_MIN > raw_size) return ERR_MALFORMED;
    if (run->base_seq > EVENT_SEQ_MAX - run->count) return ERR_MALFORMED;
    if (run->count > d->event_capacity) {
        struct event *events = realloc(d->events, run->count * sizeof *events);
        if (!events) return ERR_NOMEM;
        d->events = events;
        d->event_capacity = run->count;
    }
    buf_reset(&d->headers);
    (void)buf_reserve(&d->headers, raw_size + run->count * (size_t)HEADER_OVERHEAD_MAX);
    return d->headers.err;
}

/* Each record is scanned, read and put back together as the event that its author hashed. */
static enum err read_records(struct run_decoder *d, const struct run *run, struct slice raw,
                             const struct feed *feed, const struct run_base *base)
{
    const struct event_id *prev = base ? &base->id : NULL;
    for (uint32_t i = 0; i < run->count; i++) {
        struct event *e = &d->events[i];
        size_t size;
        enum err err = mp_scan(raw, &size);
        if (err) return err;
        *e = (struct event){.feed = *feed, .seq = run->base_seq + 1 + i};
        if (prev) e->prev = *prev;
        err = read_record(&d->context, slice_of(raw.data, size), e);
        if (!err) err = event_encode_scanned(e, &d->headers);
        if (!err) err = context_meet(&d->context, &e->subject);
        if (err) return err;
        d->context.time = e->time;
        prev = &e->id;
        raw = slice_of(raw.data + size, raw.size - size);
    }
    return raw.size == 0 ? OK : ERR_MALFORMED;
}

enum err run_read_records(struct run_decoder *d, const struct run *run, struct slice raw,
                          const struct feed *feed, const struct run_base *base,
                          const struct event **events)
{
    assert((base != NULL) == (run->base_seq > 0));
    run_context_reset(&d->context, base ? base->time : 0);
    enum err err = make_room(d, run, raw.size);
    if (!err) err = read_records(d, run, raw, feed, base);
    if (!err) *events = d->events;
    return err;
}

/* Sets the context that the run's records were written from. */
static enum err begin_context(struct run_decoder *d, const struct run *run, const struct feed *feed,
                              const struct run_base *base, const struct event *events, size_t count)
{
    buf_reset(&d->dictionary);
    run_context_reset(&d->context, base ? base->time : 0);
    if (!run->has_dictionary) return OK;
    if (!base || feed->lane == LANE_INTAKE) return ERR_MALFORMED;
    if (count == 0 || !event_id_equal(&events[count - 1].id, &base->id)) return ERR_DICTIONARY;
    return run_dictionary_write(&d->context, &d->dictionary, events, count);
}

/* The raw bytes. With a dictionary, what does not come out right may have been made with another.
 */
static enum err expand(struct run_decoder *d, const struct run *run)
{
    uint8_t check4[4];
    buf_reset(&d->raw);
    enum err err =
        zstd_decompress(d->zstd, &d->raw, run->payload, buf_slice(&d->dictionary), run->raw_size);
    if (err == ERR_MALFORMED && run->has_dictionary) return ERR_DICTIONARY;
    if (err) return err;
    check_of(check4, buf_slice(&d->raw));
    if (memcmp(check4, run->check4, sizeof check4) == 0) return OK;
    return run->has_dictionary ? ERR_DICTIONARY : ERR_CHAIN;
}

enum err run_open(struct run_decoder *d, const struct run *run, const struct feed *feed,
                  const struct run_base *base, const struct event *dictionary_events,
                  size_t dictionary_count, const struct event **events, size_t *count)
{
    assert((base != NULL) == (run->base_seq > 0));
    if (base && memcmp(base->id.bytes, run->base_id8, sizeof run->base_id8) != 0) return ERR_BASE;
    enum err err = make_room(d, run, run->raw_size);
    if (!err) err = begin_context(d, run, feed, base, dictionary_events, dictionary_count);
    if (!err) err = expand(d, run);
    if (err) return err;
    err = read_records(d, run, buf_slice(&d->raw), feed, base);
    if (err) return err;
    struct event *last = &d->events[run->count - 1];
    last->signature = run->signature;
    last->has_signature = true;
    err = event_verify_signature(&last->id, &feed->author, &last->signature);
    if (err) return err;
    d->last = last->id;
    *events = d->events;
    *count = run->count;
    return OK;
}

const struct event_id *run_decoder_last(const struct run_decoder *d)
{
    return &d->last;
}
