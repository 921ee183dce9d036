#include "proto/frame.h"

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

/* `count` elements are known, the type among them; what follows belongs to later versions. */
static struct mp_reader frame_open(struct slice frame, enum frame_type type, size_t count)
{
    struct mp_reader r = mp_reader_of(frame);
    size_t elements = mp_read_array(&r, FRAME_SIZE_MAX);
    uint64_t first = mp_read_uint(&r, UINT64_MAX);
    if (!r.err && (first != type || elements < count)) r.err = ERR_MALFORMED;
    return r;
}

static void reader_require(struct mp_reader *r, bool holds)
{
    if (!r->err && !holds) r->err = ERR_MALFORMED;
}

static enum err frame_error(const struct mp_reader *r)
{
    return r->err == ERR_RANGE ? ERR_LIMIT : r->err;
}

static struct mp_writer frame_start(struct buf *out, enum frame_type type, size_t count)
{
    struct mp_writer w = {out};
    mp_write_array(&w, count);
    mp_write_uint(&w, type);
    return w;
}

static void frame_finish(struct buf *out, size_t start)
{
    if (!out->err && out->size - start > FRAME_SIZE_MAX) out->err = ERR_LIMIT;
}

static bool read_optional8(struct mp_reader *r, uint8_t out8[8])
{
    if (mp_read_nil(r)) return false;
    mp_read_bin_exact(r, out8, 8);
    return true;
}

static void write_optional8(struct mp_writer *w, bool has, const uint8_t bytes8[8])
{
    if (has)
        mp_write_bin(w, bytes8, 8);
    else
        mp_write_nil(w);
}

static void feed_ref_read(struct mp_reader *r, struct feed_ref *out)
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

static void feed_ref_write(struct mp_writer *w, const struct feed_ref *f)
{
    if (f->whole)
        feed_write(w, &f->feed);
    else
        mp_write_bin(w, f->id8, sizeof f->id8);
}

static void read_tuple(struct mp_reader *r, size_t count)
{
    size_t elements = mp_read_array(r, count);
    reader_require(r, elements == count);
}

/* Numbers of events start at 1. */
static uint64_t read_seq(struct mp_reader *r)
{
    uint64_t seq = mp_read_uint(r, FRAME_UINT_MAX);
    reader_require(r, seq != 0);
    return seq;
}

/* --- HELLO --- */

static void have_entry_read(struct mp_reader *r, struct have_entry *out)
{
    read_tuple(r, 3);
    feed_ref_read(r, &out->feed);
    out->seq = read_seq(r);
    mp_read_bin_exact(r, out->id8, sizeof out->id8);
}

/* Walks the entries once, so that frame_have_next cannot fail later. */
static struct slice have_read(struct mp_reader *r, size_t *count)
{
    const uint8_t *start = r->at;
    *count = mp_read_array(r, HAVE_ENTRIES_MAX);
    struct have_entry entry;
    for (size_t i = 0; i < *count && !r->err; i++) have_entry_read(r, &entry);
    return slice_of(start, (size_t)(r->at - start));
}

bool frame_hello_version_meets(const struct frame_hello *h)
{
    return h->protocol_min <= PROTOCOL_MAX && h->protocol_max >= PROTOCOL_MIN;
}

enum err frame_hello_read(struct frame_hello *out, struct slice frame)
{
    struct frame_hello h = {0};
    struct mp_reader r = frame_open(frame, FRAME_HELLO, 3);
    h.protocol_min = mp_read_uint(&r, FRAME_UINT_MAX);
    h.protocol_max = mp_read_uint(&r, FRAME_UINT_MAX);
    reader_require(&r, h.protocol_min <= h.protocol_max);
    if (!r.err && frame_hello_version_meets(&h)) {
        mp_read_bin_exact(&r, h.township8, sizeof h.township8);
        h.time_ms = mp_read_uint(&r, HLC_MS_MAX);
        h.time_trusted = mp_read_bool(&r);
        mp_read_bin_exact(&r, h.generation, sizeof h.generation);
        h.disk_free_mib = mp_read_uint(&r, FRAME_UINT_MAX);
        h.software = mp_read_str(&r, SOFTWARE_SIZE_MAX);
        h.credit = mp_read_uint(&r, FRAME_UINT_MAX);
        h.has_views = read_optional8(&r, h.views8);
        h.complete = mp_read_bool(&r);
        mp_read_bin_exact(&r, h.have8, sizeof h.have8);
        h.have = have_read(&r, &h.have_count);
    }
    if (r.err) return frame_error(&r);
    *out = h;
    return OK;
}

struct mp_reader frame_have_begin(const struct frame_hello *h)
{
    struct mp_reader r = mp_reader_of(h->have);
    if (h->have.size) (void)mp_read_array(&r, HAVE_ENTRIES_MAX);
    return r;
}

bool frame_have_next(struct mp_reader *r, struct have_entry *out)
{
    if (r->err || mp_peek(r) == MP_END) return false;
    have_entry_read(r, out);
    return !r->err;
}

void frame_hello_write(struct buf *out, const struct frame_hello *h, const struct have_entry *have)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_HELLO, 14);
    mp_write_uint(&w, h->protocol_min);
    mp_write_uint(&w, h->protocol_max);
    mp_write_bin(&w, h->township8, sizeof h->township8);
    mp_write_uint(&w, h->time_ms);
    mp_write_bool(&w, h->time_trusted);
    mp_write_bin(&w, h->generation, sizeof h->generation);
    mp_write_uint(&w, h->disk_free_mib);
    mp_write_str(&w, h->software);
    mp_write_uint(&w, h->credit);
    write_optional8(&w, h->has_views, h->views8);
    mp_write_bool(&w, h->complete);
    mp_write_bin(&w, h->have8, sizeof h->have8);
    mp_write_array(&w, h->have_count);
    for (size_t i = 0; i < h->have_count; i++) {
        mp_write_array(&w, 3);
        feed_ref_write(&w, &have[i].feed);
        mp_write_uint(&w, have[i].seq);
        mp_write_bin(&w, have[i].id8, sizeof have[i].id8);
    }
    frame_finish(out, start);
}

static int have_compare(const void *left, const void *right)
{
    const struct have_entry *a = left, *b = right;
    int order = memcmp(a->feed.id8, b->feed.id8, sizeof a->feed.id8);
    if (order == 0) order = (a->seq > b->seq) - (a->seq < b->seq);
    return order ? order : memcmp(a->id8, b->id8, sizeof a->id8);
}

void have_digest(uint8_t out8[8], struct have_entry *have, size_t count)
{
    if (count > 1) qsort(have, count, sizeof *have, have_compare);
    struct crypto_hasher hasher;
    crypto_hasher_begin(&hasher, CONTEXT_HAVE);
    for (size_t i = 0; i < count; i++) {
        uint8_t seq[8];
        be64_put(seq, have[i].seq);
        crypto_hasher_add(&hasher, slice_of(have[i].feed.id8, sizeof have[i].feed.id8));
        crypto_hasher_add(&hasher, slice_of(seq, sizeof seq));
        crypto_hasher_add(&hasher, slice_of(have[i].id8, sizeof have[i].id8));
    }
    struct hash hash;
    crypto_hasher_end(&hasher, &hash);
    memcpy(out8, hash.bytes, 8);
}

/* --- RUN --- */

enum err frame_run_read(struct frame_run *out, struct slice frame)
{
    struct frame_run f = {0};
    struct mp_reader r = frame_open(frame, FRAME_RUN, 11);
    feed_ref_read(&r, &f.feed);
    f.run.base_seq = mp_read_uint(&r, FRAME_UINT_MAX);
    bool has_base = read_optional8(&r, f.run.base_id8);
    reader_require(&r, has_base == (f.run.base_seq != 0));
    f.run.has_dictionary = read_optional8(&r, f.run.dictionary8);
    reader_require(&r, has_base || !f.run.has_dictionary);
    f.run.count = (uint32_t)mp_read_uint(&r, RUN_EVENTS_MAX);
    reader_require(&r, f.run.count != 0 && f.run.base_seq <= FRAME_UINT_MAX - f.run.count);
    f.run.raw_size = (uint32_t)mp_read_uint(&r, RUN_RAW_SIZE_MAX);
    mp_read_bin_exact(&r, f.run.check4, sizeof f.run.check4);
    f.run.payload = mp_read_bin(&r, RUN_PAYLOAD_SIZE_MAX);
    reader_require(&r, f.run.raw_size != 0 && f.run.payload.size != 0);
    mp_read_bin_exact(&r, f.run.signature.bytes, sizeof f.run.signature.bytes);
    f.has_views = read_optional8(&r, f.views8);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

void frame_run_write(struct buf *out, const struct frame_run *f)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_RUN, 11);
    feed_ref_write(&w, &f->feed);
    mp_write_uint(&w, f->run.base_seq);
    write_optional8(&w, f->run.base_seq != 0, f->run.base_id8);
    write_optional8(&w, f->run.has_dictionary, f->run.dictionary8);
    mp_write_uint(&w, f->run.count);
    mp_write_uint(&w, f->run.raw_size);
    mp_write_bin(&w, f->run.check4, sizeof f->run.check4);
    mp_write_bin(&w, f->run.payload.data, f->run.payload.size);
    mp_write_bin(&w, f->run.signature.bytes, sizeof f->run.signature.bytes);
    write_optional8(&w, f->has_views, f->views8);
    frame_finish(out, start);
}

/* --- WANT --- */

enum err frame_want_read(struct frame_want *out, struct slice frame)
{
    struct frame_want f = {0};
    struct mp_reader r = frame_open(frame, FRAME_WANT, 5);
    f.has_feed = !mp_read_nil(&r);
    if (f.has_feed) feed_ref_read(&r, &f.feed);
    f.point_count = mp_read_array(&r, WANT_POINTS_MAX);
    for (size_t i = 0; i < f.point_count && !r.err; i++) {
        read_tuple(&r, 2);
        f.points[i].seq = read_seq(&r);
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
        feed_ref_write(&w, &f->feed);
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

/* --- RECEIPT --- */

static void receipt_entry_read(struct mp_reader *r, struct receipt_entry *out)
{
    read_tuple(r, 3);
    mp_read_bin_exact(r, out->feed8, sizeof out->feed8);
    out->seq = read_seq(r);
    mp_read_bin_exact(r, out->id.bytes, sizeof out->id.bytes);
}

enum err frame_receipt_read(struct frame_receipt *out, struct slice frame)
{
    struct frame_receipt f = {0};
    struct receipt_entry entry;
    struct mp_reader r = frame_open(frame, FRAME_RECEIPT, 7);
    f.counter = mp_read_uint(&r, FRAME_UINT_MAX);
    f.time_ms = mp_read_uint(&r, HLC_MS_MAX);
    f.credit = mp_read_uint(&r, FRAME_UINT_MAX);
    f.has_views = read_optional8(&r, f.views8);
    const uint8_t *start = r.at;
    f.entry_count = mp_read_array(&r, RECEIPT_ENTRIES_MAX);
    for (size_t i = 0; i < f.entry_count && !r.err; i++) receipt_entry_read(&r, &entry);
    f.entries = slice_of(start, (size_t)(r.at - start));
    mp_read_bin_exact(&r, f.signature.bytes, sizeof f.signature.bytes);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

struct mp_reader frame_receipt_begin(const struct frame_receipt *f)
{
    struct mp_reader r = mp_reader_of(f->entries);
    (void)mp_read_array(&r, RECEIPT_ENTRIES_MAX);
    return r;
}

bool frame_receipt_next(struct mp_reader *r, struct receipt_entry *out)
{
    if (r->err || mp_peek(r) == MP_END) return false;
    receipt_entry_read(r, out);
    return !r->err;
}

void receipt_body_write(struct buf *out, const struct receipt_parties *parties,
                        const struct frame_receipt *f)
{
    struct mp_writer w = {out};
    mp_write_array(&w, 7);
    mp_write_bin(&w, parties->township.bytes, sizeof parties->township.bytes);
    mp_write_bin(&w, parties->receiver.bytes, sizeof parties->receiver.bytes);
    mp_write_bin(&w, parties->addressee.bytes, sizeof parties->addressee.bytes);
    mp_write_bin(&w, parties->generation, sizeof parties->generation);
    mp_write_uint(&w, f->counter);
    mp_write_uint(&w, f->time_ms);
    mp_write_raw(&w, f->entries);
}

static enum err receipt_hash(struct hash *out, const struct receipt_parties *parties,
                             const struct frame_receipt *f)
{
    struct buf body = {0};
    receipt_body_write(&body, parties, f);
    enum err err = body.err;
    if (!err) crypto_hash_one(out, CONTEXT_RECEIPT, buf_slice(&body));
    buf_clear(&body);
    return err;
}

void frame_receipt_write(struct buf *out, struct frame_receipt *f,
                         const struct receipt_entry *entries, const struct receipt_parties *parties,
                         const struct signer *signer)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_RECEIPT, 7);
    mp_write_uint(&w, f->counter);
    mp_write_uint(&w, f->time_ms);
    mp_write_uint(&w, f->credit);
    write_optional8(&w, f->has_views, f->views8);
    size_t at = out->size;
    mp_write_array(&w, f->entry_count);
    for (size_t i = 0; i < f->entry_count; i++) {
        mp_write_array(&w, 3);
        mp_write_bin(&w, entries[i].feed8, sizeof entries[i].feed8);
        mp_write_uint(&w, entries[i].seq);
        mp_write_bin(&w, entries[i].id.bytes, sizeof entries[i].id.bytes);
    }
    if (out->err) return;
    size_t entries_size = out->size - at;
    f->entries = slice_of(out->data + at, entries_size);
    struct hash hash;
    out->err = receipt_hash(&hash, parties, f);
    if (out->err) return;
    signer_sign(&f->signature, signer, CONTEXT_RECEIPT, slice_of(hash.bytes, sizeof hash.bytes));
    mp_write_bin(&w, f->signature.bytes, sizeof f->signature.bytes);
    if (!out->err) f->entries = slice_of(out->data + at, entries_size);
    frame_finish(out, start);
}

enum err frame_receipt_verify(const struct frame_receipt *f, const struct receipt_parties *parties)
{
    struct hash hash;
    enum err err = receipt_hash(&hash, parties, f);
    if (err) return err;
    return crypto_verify(&f->signature, &parties->receiver, CONTEXT_RECEIPT,
                         slice_of(hash.bytes, sizeof hash.bytes));
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
