#include "proto/frame_courier.h"

#include "proto/frame_form.h"

enum { OFFER_ELEMENTS = 2, ENTRY_ELEMENTS = 2, ASK_ELEMENTS = 5, PART_ELEMENTS = 4 };

/* --- OFFER --- */

static void read_entry(struct mp_reader *r, struct offer_entry *out)
{
    frame_read_tuple(r, ENTRY_ELEMENTS);
    mp_read_bin_exact(r, out->outside, sizeof out->outside);
    out->size = mp_read_uint(r, FRAME_UINT_MAX);
}

enum err frame_offer_read(struct frame_offer *out, struct slice frame)
{
    struct frame_offer f = {0};
    struct offer_entry entry;
    struct mp_reader r = frame_open(frame, FRAME_OFFER, OFFER_ELEMENTS);
    const uint8_t *start = r.at;
    f.count = mp_read_array(&r, OFFER_ENTRIES_MAX);
    for (size_t i = 0; i < f.count && !r.err; i++) read_entry(&r, &entry);
    if (r.err) return frame_error(&r);
    f.entries = slice_of(start, (size_t)(r.at - start));
    *out = f;
    return OK;
}

struct mp_reader frame_offer_begin(const struct frame_offer *f)
{
    struct mp_reader r = mp_reader_of(f->entries);
    (void)mp_read_array(&r, OFFER_ENTRIES_MAX);
    return r;
}

bool frame_offer_next(struct mp_reader *r, struct offer_entry *out)
{
    if (r->at == r->end) return false;
    read_entry(r, out);
    return !r->err;
}

void frame_offer_write(struct buf *out, const struct offer_entry *entries, size_t count)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_OFFER, OFFER_ELEMENTS);
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        mp_write_array(&w, ENTRY_ELEMENTS);
        mp_write_bin(&w, entries[i].outside, sizeof entries[i].outside);
        mp_write_uint(&w, entries[i].size);
    }
    frame_finish(out, start);
}

/* --- ASK --- */

enum err frame_ask_read(struct frame_ask *out, struct slice frame)
{
    struct frame_ask f = {0};
    struct mp_reader r = frame_open(frame, FRAME_ASK, ASK_ELEMENTS);
    mp_read_bin_exact(&r, f.id.bytes, sizeof f.id.bytes);
    f.offset = mp_read_uint(&r, BUNDLE_SIZE_MAX);
    f.count = mp_read_uint(&r, ASK_COUNT_MAX);
    f.state = mp_read_uint(&r, FRAME_UINT_MAX);
    frame_require(&r, f.state != ASK_PART || f.count > 0);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

void frame_ask_write(struct buf *out, const struct frame_ask *f)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_ASK, ASK_ELEMENTS);
    mp_write_bin(&w, f->id.bytes, sizeof f->id.bytes);
    mp_write_uint(&w, f->offset);
    mp_write_uint(&w, f->count);
    mp_write_uint(&w, f->state);
    frame_finish(out, start);
}

/* --- PART --- */

enum err frame_part_read(struct frame_part *out, struct slice frame)
{
    struct frame_part f = {0};
    struct mp_reader r = frame_open(frame, FRAME_PART, PART_ELEMENTS);
    mp_read_bin_exact(&r, f.id.bytes, sizeof f.id.bytes);
    f.offset = mp_read_uint(&r, BUNDLE_SIZE_MAX);
    f.bytes = mp_read_bin(&r, PART_SIZE_MAX);
    frame_require(&r, f.bytes.size != 0);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

void frame_part_write(struct buf *out, const struct frame_part *f)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_PART, PART_ELEMENTS);
    mp_write_bin(&w, f->id.bytes, sizeof f->id.bytes);
    mp_write_uint(&w, f->offset);
    mp_write_bin(&w, f->bytes.data, f->bytes.size);
    frame_finish(out, start);
}
