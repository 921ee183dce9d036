/* HELLO and the digest of a have-vector. */
#include "proto/frame_form.h"

#include <stdlib.h>
#include <string.h>

static void have_entry_read(struct mp_reader *r, struct have_entry *out)
{
    frame_read_tuple(r, 3);
    frame_read_feed(r, &out->feed);
    out->seq = frame_read_seq(r);
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
    frame_require(&r, h.protocol_min <= h.protocol_max);
    if (!r.err && frame_hello_version_meets(&h)) {
        mp_read_bin_exact(&r, h.township8, sizeof h.township8);
        h.time_ms = mp_read_uint(&r, HLC_MS_MAX);
        h.time_trusted = mp_read_bool(&r);
        mp_read_bin_exact(&r, h.generation, sizeof h.generation);
        h.disk_free_mib = mp_read_uint(&r, FRAME_UINT_MAX);
        h.software = mp_read_str(&r, SOFTWARE_SIZE_MAX);
        h.credit = mp_read_uint(&r, FRAME_UINT_MAX);
        h.has_views = frame_read_optional8(&r, h.views8);
        h.complete = mp_read_bool(&r);
        mp_read_bin_exact(&r, h.have8, sizeof h.have8);
        h.have = have_read(&r, &h.have_count);
        h.has_unfinished = !mp_read_nil(&r);
        if (h.has_unfinished) {
            frame_read_tuple(&r, 2);
            mp_read_bin_exact(&r, h.unfinished8, sizeof h.unfinished8);
            h.unfinished_size = mp_read_uint(&r, FRAME_SIZE_MAX);
        }
        h.says_towns = !r.err && mp_peek(&r) != MP_END;
        if (h.says_towns) h.has_towns = frame_read_optional8(&r, h.towns8);
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
    struct mp_writer w = frame_start(out, FRAME_HELLO, h->says_towns ? 16 : 15);
    mp_write_uint(&w, h->protocol_min);
    mp_write_uint(&w, h->protocol_max);
    mp_write_bin(&w, h->township8, sizeof h->township8);
    mp_write_uint(&w, h->time_ms);
    mp_write_bool(&w, h->time_trusted);
    mp_write_bin(&w, h->generation, sizeof h->generation);
    mp_write_uint(&w, h->disk_free_mib);
    mp_write_str(&w, h->software);
    mp_write_uint(&w, h->credit);
    frame_write_optional8(&w, h->has_views, h->views8);
    mp_write_bool(&w, h->complete);
    mp_write_bin(&w, h->have8, sizeof h->have8);
    mp_write_array(&w, h->have_count);
    for (size_t i = 0; i < h->have_count; i++) {
        mp_write_array(&w, 3);
        frame_write_feed(&w, &have[i].feed);
        mp_write_uint(&w, have[i].seq);
        mp_write_bin(&w, have[i].id8, sizeof have[i].id8);
    }
    if (h->has_unfinished) {
        mp_write_array(&w, 2);
        mp_write_bin(&w, h->unfinished8, sizeof h->unfinished8);
        mp_write_uint(&w, h->unfinished_size);
    } else {
        mp_write_nil(&w);
    }
    if (h->says_towns) frame_write_optional8(&w, h->has_towns, h->towns8);
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
