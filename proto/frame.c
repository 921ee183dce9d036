#include "proto/frame_form.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum refuse_code code;
    const char *text;
} refuse_texts[] = {
    {REFUSE_VERSION, "no common protocol version"},
    {REFUSE_TOWNSHIP, "another township"},
    {REFUSE_MALFORMED, "malformed frame or event"},
    {REFUSE_SIGNATURE, "signature does not verify"},
    {REFUSE_LIMIT, "over a limit"},
    {REFUSE_SCOPE, "a feed whose author or sender may not hold its scope"},
    {REFUSE_CREDIT, "more than was granted"},
    {REFUSE_ORDER, "a frame that may not come here"},
    {REFUSE_INVITE, "unknown, used or expired invite"},
    {REFUSE_BUSY, "busy, come again later"},
};

const char *refuse_text(uint64_t code)
{
    for (size_t i = 0; i < sizeof refuse_texts / sizeof refuse_texts[0]; i++)
        if (refuse_texts[i].code == code) return refuse_texts[i].text;
    return "refused for a reason this version does not know";
}

/* --- what all frames share --- */

enum err frame_type_of(struct slice frame, uint64_t *type)
{
    if (frame.size > FRAME_SIZE_MAX) return ERR_LIMIT;
    enum err err = mp_scan_whole(frame);
    if (err) return err;
    struct mp_reader r = mp_reader_of(frame);
    (void)mp_read_array(&r, FRAME_SIZE_MAX);
    uint64_t first = mp_read_uint(&r, UINT64_MAX);
    if (r.err) return ERR_MALFORMED;
    *type = first;
    return OK;
}

struct mp_reader frame_open(struct slice frame, enum frame_type type, size_t count)
{
    struct mp_reader r = mp_reader_of(frame);
    size_t elements = mp_read_array(&r, FRAME_SIZE_MAX);
    uint64_t first = mp_read_uint(&r, UINT64_MAX);
    if (!r.err && (first != type || elements < count)) r.err = ERR_MALFORMED;
    return r;
}

void frame_require(struct mp_reader *r, bool holds)
{
    if (!r->err && !holds) r->err = ERR_MALFORMED;
}

enum err frame_error(const struct mp_reader *r)
{
    return r->err == ERR_RANGE ? ERR_LIMIT : r->err;
}

struct mp_writer frame_start(struct buf *out, enum frame_type type, size_t count)
{
    struct mp_writer w = {out};
    mp_write_array(&w, count);
    mp_write_uint(&w, type);
    return w;
}

void frame_finish(struct buf *out, size_t start)
{
    if (!out->err && out->size - start > FRAME_SIZE_MAX) out->err = ERR_LIMIT;
}

bool frame_read_optional8(struct mp_reader *r, uint8_t out8[8])
{
    if (mp_read_nil(r)) return false;
    mp_read_bin_exact(r, out8, 8);
    return true;
}

void frame_write_optional8(struct mp_writer *w, bool has, const uint8_t bytes8[8])
{
    if (has)
        mp_write_bin(w, bytes8, 8);
    else
        mp_write_nil(w);
}

void frame_read_feed(struct mp_reader *r, struct feed_ref *out)
{
    if (mp_peek(r) == MP_BIN) {
        out->whole = false;
        mp_read_bin_exact(r, out->id8, sizeof out->id8);
        return;
    }
    out->whole = true;
    feed_read(r, &out->feed);
    if (r->err) return;
    struct feed_id id;
    feed_id_of(&id, &out->feed);
    memcpy(out->id8, id.bytes, sizeof out->id8);
}

void frame_write_feed(struct mp_writer *w, const struct feed_ref *f)
{
    if (f->whole)
        feed_write(w, &f->feed);
    else
        mp_write_bin(w, f->id8, sizeof f->id8);
}

void frame_read_tuple(struct mp_reader *r, size_t count)
{
    size_t elements = mp_read_array(r, count);
    frame_require(r, elements == count);
}

uint64_t frame_read_seq(struct mp_reader *r)
{
    uint64_t seq = mp_read_uint(r, FRAME_UINT_MAX);
    frame_require(r, seq != 0);
    return seq;
}

/* --- RUN --- */

enum err frame_run_read(struct frame_run *out, struct slice frame)
{
    struct frame_run f = {0};
    struct mp_reader r = frame_open(frame, FRAME_RUN, 12);
    frame_read_feed(&r, &f.feed);
    f.run.base_seq = mp_read_uint(&r, FRAME_UINT_MAX);
    bool has_base = frame_read_optional8(&r, f.run.base_id8);
    frame_require(&r, has_base == (f.run.base_seq != 0));
    f.run.has_dictionary = mp_read_bool(&r);
    frame_require(&r, has_base || !f.run.has_dictionary);
    f.run.count = (uint32_t)mp_read_uint(&r, RUN_EVENTS_MAX);
    frame_require(&r, f.run.count != 0 && f.run.base_seq <= FRAME_UINT_MAX - f.run.count);
    f.run.raw_size = (uint32_t)mp_read_uint(&r, RUN_RAW_SIZE_MAX);
    mp_read_bin_exact(&r, f.run.check4, sizeof f.run.check4);
    f.run.payload = mp_read_bin(&r, RUN_PAYLOAD_SIZE_MAX);
    frame_require(&r, f.run.raw_size != 0 && f.run.payload.size != 0);
    mp_read_bin_exact(&r, f.run.signature.bytes, sizeof f.run.signature.bytes);
    f.has_views = frame_read_optional8(&r, f.views8);
    struct slice padding = mp_read_bin(&r, RUN_PADDING_STEP - 1);
    for (size_t i = 0; i < padding.size; i++) frame_require(&r, padding.data[i] == 0);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

static void write_padding(struct mp_writer *w, struct buf *out, size_t start)
{
    static const uint8_t zeros[RUN_PADDING_STEP];
    size_t size = out->size - start + 2, over = size % RUN_PADDING_STEP;
    mp_write_bin(w, zeros, size < RUN_PADDED_BELOW && over ? RUN_PADDING_STEP - over : 0);
}

void frame_run_write(struct buf *out, const struct frame_run *f)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_RUN, 12);
    frame_write_feed(&w, &f->feed);
    mp_write_uint(&w, f->run.base_seq);
    frame_write_optional8(&w, f->run.base_seq != 0, f->run.base_id8);
    mp_write_bool(&w, f->run.has_dictionary);
    mp_write_uint(&w, f->run.count);
    mp_write_uint(&w, f->run.raw_size);
    mp_write_bin(&w, f->run.check4, sizeof f->run.check4);
    mp_write_bin(&w, f->run.payload.data, f->run.payload.size);
    mp_write_bin(&w, f->run.signature.bytes, sizeof f->run.signature.bytes);
    frame_write_optional8(&w, f->has_views, f->views8);
    write_padding(&w, out, start);
    frame_finish(out, start);
}

/* --- PIECE --- */

enum err frame_piece_read(struct frame_piece *out, struct slice frame)
{
    struct frame_piece f = {0};
    struct mp_reader r = frame_open(frame, FRAME_PIECE, 5);
    mp_read_bin_exact(&r, f.run8, sizeof f.run8);
    f.run_size = mp_read_uint(&r, FRAME_SIZE_MAX);
    f.offset = mp_read_uint(&r, FRAME_SIZE_MAX);
    f.bytes = mp_read_bin(&r, FRAME_SIZE_MAX);
    frame_require(&r, f.bytes.size != 0 && f.offset + f.bytes.size <= f.run_size);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

void frame_piece_write(struct buf *out, const struct frame_piece *f)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_PIECE, 5);
    mp_write_bin(&w, f->run8, sizeof f->run8);
    mp_write_uint(&w, f->run_size);
    mp_write_uint(&w, f->offset);
    mp_write_bin(&w, f->bytes.data, f->bytes.size);
    frame_finish(out, start);
}

void frame_piece_name(uint8_t run8[8], struct slice run_frame)
{
    struct hash hash;
    crypto_hash_one(&hash, CONTEXT_PIECE, run_frame);
    memcpy(run8, hash.bytes, 8);
}

/* --- WANT --- */

enum err frame_want_read(struct frame_want *out, struct slice frame)
{
    struct frame_want f = {0};
    struct mp_reader r = frame_open(frame, FRAME_WANT, 5);
    f.has_feed = !mp_read_nil(&r);
    if (f.has_feed) frame_read_feed(&r, &f.feed);
    f.point_count = mp_read_array(&r, WANT_POINTS_MAX);
    for (size_t i = 0; i < f.point_count && !r.err; i++) {
        frame_read_tuple(&r, 2);
        f.points[i].seq = frame_read_seq(&r);
        mp_read_bin_exact(&r, f.points[i].id8, sizeof f.points[i].id8);
    }
    f.to = mp_read_uint(&r, FRAME_UINT_MAX);
    f.flags = mp_read_uint(&r, FRAME_UINT_MAX);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

void frame_want_write(struct buf *out, const struct frame_want *f)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_WANT, 5);
    if (f->has_feed)
        frame_write_feed(&w, &f->feed);
    else
        mp_write_nil(&w);
    mp_write_array(&w, f->point_count);
    for (size_t i = 0; i < f->point_count; i++) {
        mp_write_array(&w, 2);
        mp_write_uint(&w, f->points[i].seq);
        mp_write_bin(&w, f->points[i].id8, sizeof f->points[i].id8);
    }
    mp_write_uint(&w, f->to);
    mp_write_uint(&w, f->flags);
    frame_finish(out, start);
}

/* --- REFUSE, BYE, PING --- */

enum err frame_refuse_read(struct frame_refuse *out, struct slice frame)
{
    struct frame_refuse f = {0};
    struct mp_reader r = frame_open(frame, FRAME_REFUSE, 3);
    f.code = mp_read_uint(&r, FRAME_UINT_MAX);
    f.text = mp_read_str(&r, REFUSE_TEXT_SIZE_MAX);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

void frame_refuse_write(struct buf *out, enum refuse_code code, const char *text)
{
    struct mp_writer w = frame_start(out, FRAME_REFUSE, 3);
    mp_write_uint(&w, code);
    assert(strlen(text) <= REFUSE_TEXT_SIZE_MAX);
    mp_write_text(&w, text);
}

void frame_bye_write(struct buf *out)
{
    (void)frame_start(out, FRAME_BYE, 1);
}

enum err frame_ping_read(uint64_t *next_s, struct slice frame)
{
    struct mp_reader r = frame_open(frame, FRAME_PING, 2);
    uint64_t seconds = mp_read_uint(&r, FRAME_UINT_MAX);
    if (r.err) return frame_error(&r);
    *next_s = seconds;
    return OK;
}

void frame_ping_write(struct buf *out, uint64_t next_s)
{
    struct mp_writer w = frame_start(out, FRAME_PING, 2);
    mp_write_uint(&w, next_s);
}

enum err frame_hold_read(bool *hold, struct slice frame)
{
    struct mp_reader r = frame_open(frame, FRAME_HOLD, 2);
    bool value = mp_read_bool(&r);
    if (r.err) return frame_error(&r);
    *hold = value;
    return OK;
}

void frame_hold_write(struct buf *out, bool hold)
{
    struct mp_writer w = frame_start(out, FRAME_HOLD, 2);
    mp_write_bool(&w, hold);
}
