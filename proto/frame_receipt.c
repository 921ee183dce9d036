/* RECEIPT: its wire form, the signed statement, the signature. */
#include "proto/frame_form.h"

#include <string.h>

#define BRIEF_ID_SIZE ((size_t)8)

static void receipt_entry_read(struct mp_reader *r, struct receipt_entry *out)
{
    frame_read_tuple(r, 3);
    mp_read_bin_exact(r, out->feed8, sizeof out->feed8);
    out->seq = frame_read_seq(r);
    struct slice id = mp_read_bin(r, sizeof out->id.bytes);
    out->brief = id.size == BRIEF_ID_SIZE;
    frame_require(r, out->brief || id.size == sizeof out->id.bytes);
    memset(&out->id, 0, sizeof out->id);
    if (!r->err) memcpy(out->id.bytes, id.data, id.size);
}

static void receipt_entry_write(struct mp_writer *w, const struct receipt_entry *e, bool brief)
{
    mp_write_array(w, 3);
    mp_write_bin(w, e->feed8, sizeof e->feed8);
    mp_write_uint(w, e->seq);
    mp_write_bin(w, e->id.bytes, brief ? BRIEF_ID_SIZE : sizeof e->id.bytes);
}

enum err frame_receipt_read(struct frame_receipt *out, struct slice frame)
{
    struct frame_receipt f = {0};
    struct receipt_entry entry;
    struct mp_reader r = frame_open(frame, FRAME_RECEIPT, 7);
    f.counter = mp_read_uint(&r, FRAME_UINT_MAX);
    f.time_ms = mp_read_uint(&r, HLC_MS_MAX);
    f.credit = mp_read_uint(&r, FRAME_UINT_MAX);
    f.has_views = frame_read_optional8(&r, f.views8);
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

enum err frame_receipt_complete(struct frame_receipt *f, struct buf *out,
                                bool (*whole)(void *state, struct receipt_entry *entry),
                                void *state)
{
    size_t start = out->size;
    struct mp_writer w = {out};
    struct mp_reader r = frame_receipt_begin(f);
    struct receipt_entry e;
    mp_write_array(&w, f->entry_count);
    while (frame_receipt_next(&r, &e)) {
        if (e.brief && !whole(state, &e)) return ERR_NOT_FOUND;
        receipt_entry_write(&w, &e, false);
    }
    if (out->err) return out->err;
    f->entries = slice_of(out->data + start, out->size - start);
    return OK;
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

enum err receipt_body_read(struct receipt_parties *parties, struct frame_receipt *f,
                           struct slice body)
{
    struct receipt_entry entry;
    enum err err = mp_scan_whole(body);
    if (err) return err;
    struct mp_reader r = mp_reader_of(body);
    *f = (struct frame_receipt){0};
    frame_read_tuple(&r, 7);
    mp_read_bin_exact(&r, parties->township.bytes, sizeof parties->township.bytes);
    mp_read_bin_exact(&r, parties->receiver.bytes, sizeof parties->receiver.bytes);
    mp_read_bin_exact(&r, parties->addressee.bytes, sizeof parties->addressee.bytes);
    mp_read_bin_exact(&r, parties->generation, sizeof parties->generation);
    f->counter = mp_read_uint(&r, FRAME_UINT_MAX);
    f->time_ms = mp_read_uint(&r, HLC_MS_MAX);
    const uint8_t *start = r.at;
    f->entry_count = mp_read_array(&r, RECEIPT_ENTRIES_MAX);
    for (size_t i = 0; i < f->entry_count && !r.err; i++) {
        receipt_entry_read(&r, &entry);
        frame_require(&r, !entry.brief);
    }
    f->entries = slice_of(start, (size_t)(r.at - start));
    return mp_read_end(&r);
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

static void write_entries(struct buf *out, const struct receipt_entry *entries, size_t count,
                          bool may_be_brief)
{
    struct mp_writer w = {out};
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++)
        receipt_entry_write(&w, &entries[i], may_be_brief && entries[i].brief);
}

static enum err sign(struct frame_receipt *f, const struct receipt_entry *entries,
                     const struct receipt_parties *parties, const struct signer *signer)
{
    struct frame_receipt complete = *f;
    struct buf whole = {0};
    struct hash hash;
    write_entries(&whole, entries, f->entry_count, false);
    complete.entries = buf_slice(&whole);
    enum err err = whole.err ? whole.err : receipt_hash(&hash, parties, &complete);
    if (!err)
        signer_sign(&f->signature, signer, CONTEXT_RECEIPT,
                    slice_of(hash.bytes, sizeof hash.bytes));
    buf_clear(&whole);
    return err;
}

void frame_receipt_write(struct buf *out, struct frame_receipt *f,
                         const struct receipt_entry *entries, const struct receipt_parties *parties,
                         const struct signer *signer)
{
    size_t start = out->size;
    enum err err = sign(f, entries, parties, signer);
    if (err && !out->err) out->err = err;
    struct mp_writer w = frame_start(out, FRAME_RECEIPT, 7);
    mp_write_uint(&w, f->counter);
    mp_write_uint(&w, f->time_ms);
    mp_write_uint(&w, f->credit);
    frame_write_optional8(&w, f->has_views, f->views8);
    size_t at = out->size;
    write_entries(out, entries, f->entry_count, true);
    size_t entries_size = out->size - at;
    mp_write_bin(&w, f->signature.bytes, sizeof f->signature.bytes);
    if (!out->err) f->entries = slice_of(out->data + at, entries_size);
    frame_finish(out, start);
}

enum err frame_receipt_verify_by(const struct frame_receipt *f,
                                 const struct receipt_parties *parties, const struct sign_key *key)
{
    struct hash hash;
    enum err err = receipt_hash(&hash, parties, f);
    if (err) return err;
    return crypto_verify(&f->signature, key, CONTEXT_RECEIPT,
                         slice_of(hash.bytes, sizeof hash.bytes));
}

enum err frame_receipt_verify(const struct frame_receipt *f, const struct receipt_parties *parties)
{
    return frame_receipt_verify_by(f, parties, &parties->receiver);
}
