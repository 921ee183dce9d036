#include "proto/join.h"

#include <string.h>

enum { INVITE_ELEMENTS = 12, REQUEST_ELEMENTS = 6 };

static enum err reader_error(const struct mp_reader *r)
{
    return r->err == ERR_RANGE ? ERR_LIMIT : r->err;
}

static void reader_require(struct mp_reader *r, bool holds)
{
    if (!r->err && !holds) r->err = ERR_MALFORMED;
}

/* `capacity` counts the final NUL; strings from outside hold none themselves (SPEC, "Encoding"). */
static void read_text(struct mp_reader *r, char *out, size_t capacity)
{
    struct slice text = mp_read_str(r, capacity - 1);
    if (text.size) memcpy(out, text.data, text.size);
    out[text.size] = 0;
}

#define READ_KEY(r, key) mp_read_bin_exact((r), (key).bytes, sizeof(key).bytes)
#define WRITE_KEY(w, key) mp_write_bin((w), (key).bytes, sizeof(key).bytes)

/* --- the invite --- */

static void read_village(struct mp_reader *r, char out[13])
{
    if (mp_read_nil(r)) {
        out[0] = 0;
        return;
    }
    read_text(r, out, 13);
    reader_require(r, village_code_valid(out, strlen(out)));
}

static void read_addresses(struct mp_reader *r, struct invite *i)
{
    i->address_count = mp_read_array(r, INVITE_ADDRESSES_MAX);
    for (size_t n = 0; n < i->address_count && !r->err; n++) {
        read_text(r, i->addresses[n], sizeof i->addresses[n]);
        reader_require(r, i->addresses[n][0] != 0);
    }
}

static enum err invite_decode(struct invite *out, struct slice bytes)
{
    enum err err = mp_scan_whole(bytes);
    if (err) return err;
    struct invite i = {0};
    struct mp_reader r = mp_reader_of(bytes);
    reader_require(&r, mp_read_array(&r, INVITE_SIZE_MAX) >= INVITE_ELEMENTS);
    read_text(&r, i.township_name, sizeof i.township_name);
    READ_KEY(&r, i.authority);
    READ_KEY(&r, i.acceptor);
    READ_KEY(&r, i.acceptor_transport);
    read_addresses(&r, &i);
    READ_KEY(&r, i.seed);
    READ_KEY(&r, i.transport);
    read_village(&r, i.village);
    read_text(&r, i.village_name, sizeof i.village_name);
    i.roles = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    read_text(&r, i.device_name, sizeof i.device_name);
    i.expires_ms = mp_read_uint(&r, HLC_MS_MAX);
    err = reader_error(&r);
    if (!err) *out = i;
    invite_wipe(&i);
    return err;
}

static void invite_encode(struct buf *out, const struct invite *i)
{
    struct mp_writer w = {out};
    mp_write_array(&w, INVITE_ELEMENTS);
    mp_write_text(&w, i->township_name);
    WRITE_KEY(&w, i->authority);
    WRITE_KEY(&w, i->acceptor);
    WRITE_KEY(&w, i->acceptor_transport);
    mp_write_array(&w, i->address_count);
    for (size_t n = 0; n < i->address_count; n++) mp_write_text(&w, i->addresses[n]);
    WRITE_KEY(&w, i->seed);
    WRITE_KEY(&w, i->transport);
    if (i->village[0])
        mp_write_text(&w, i->village);
    else
        mp_write_nil(&w);
    mp_write_text(&w, i->village_name);
    mp_write_uint(&w, i->roles);
    mp_write_text(&w, i->device_name);
    mp_write_uint(&w, i->expires_ms);
}

const struct armour armour_invite = {"invite", CONTEXT_INVITE, INVITE_SIZE_MAX};

enum err invite_read(struct invite *out, struct slice text)
{
    struct buf bytes = {0};
    enum err err = text.size > INVITE_SIZE_MAX ? ERR_LIMIT
                                               : armour_read(&bytes, &armour_invite, text, NULL);
    if (!err) err = invite_decode(out, buf_slice(&bytes));
    if (bytes.data) crypto_wipe(bytes.data, bytes.capacity);
    buf_clear(&bytes);
    return err;
}

void invite_write(struct buf *out, const struct invite *invite, const char *comment)
{
    struct buf bytes = {0};
    /* one allocation: growing would leave copies of the secrets behind */
    if (buf_reserve(&bytes, INVITE_SIZE_MAX)) invite_encode(&bytes, invite);
    if (bytes.err && !out->err) out->err = bytes.err;
    armour_write(out, &armour_invite, buf_slice(&bytes), comment);
    if (bytes.data) crypto_wipe(bytes.data, bytes.capacity);
    buf_clear(&bytes);
}

void invite_wipe(struct invite *invite)
{
    crypto_wipe(invite, sizeof *invite);
}

/* --- the request --- */

void join_request_write(struct buf *out, const struct join_request *request)
{
    struct mp_writer w = {out};
    mp_write_array(&w, REQUEST_ELEMENTS);
    WRITE_KEY(&w, request->township);
    WRITE_KEY(&w, request->invite);
    WRITE_KEY(&w, request->device);
    WRITE_KEY(&w, request->transport);
    mp_write_text(&w, request->name);
    mp_write_uint(&w, request->time_ms);
}

enum err join_request_read(struct join_request *out, struct slice bytes)
{
    if (bytes.size > JOIN_REQUEST_SIZE_MAX) return ERR_LIMIT;
    enum err err = mp_scan_whole(bytes);
    if (err) return err;
    struct join_request q = {0};
    struct mp_reader r = mp_reader_of(bytes);
    reader_require(&r, mp_read_array(&r, JOIN_REQUEST_SIZE_MAX) >= REQUEST_ELEMENTS);
    READ_KEY(&r, q.township);
    READ_KEY(&r, q.invite);
    READ_KEY(&r, q.device);
    READ_KEY(&r, q.transport);
    read_text(&r, q.name, sizeof q.name);
    q.time_ms = mp_read_uint(&r, HLC_MS_MAX);
    if (r.err) return reader_error(&r);
    *out = q;
    return OK;
}

void join_request_hash(struct hash *out, struct slice request)
{
    crypto_hash_one(out, CONTEXT_ADMIT, request);
}

/* --- JOIN, ADMIT --- */

void join_sign(struct frame_join *f, struct slice request, const struct signer *invite,
               const struct signer *device)
{
    f->request = request;
    signer_sign(&f->invite_signature, invite, CONTEXT_JOIN, request);
    signer_sign(&f->device_signature, device, CONTEXT_JOIN, request);
}

void frame_join_write(struct buf *out, const struct frame_join *f)
{
    struct mp_writer w = {out};
    mp_write_array(&w, 4);
    mp_write_uint(&w, FRAME_JOIN);
    mp_write_bin(&w, f->request.data, f->request.size);
    WRITE_KEY(&w, f->invite_signature);
    WRITE_KEY(&w, f->device_signature);
}

/* A frame of the join exchange, from somebody who is no device yet: scanned here. */
static MUST_CHECK enum err join_frame_open(struct mp_reader *r, struct slice frame,
                                           enum frame_type type, size_t count)
{
    uint64_t first;
    enum err err = frame_type_of(frame, &first);
    if (err) return err;
    *r = mp_reader_of(frame);
    if (mp_read_array(r, FRAME_SIZE_MAX) < count || first != type) return ERR_MALFORMED;
    (void)mp_skip(r);
    return OK;
}

enum err frame_join_read(struct frame_join *out, struct slice frame)
{
    struct frame_join f = {0};
    struct mp_reader r;
    enum err err = join_frame_open(&r, frame, FRAME_JOIN, 4);
    if (err) return err;
    f.request = mp_read_bin(&r, JOIN_REQUEST_SIZE_MAX);
    READ_KEY(&r, f.invite_signature);
    READ_KEY(&r, f.device_signature);
    if (r.err) return reader_error(&r);
    *out = f;
    return OK;
}

enum err join_verify(struct join_request *out, const struct frame_join *f)
{
    struct join_request q;
    enum err err = join_request_read(&q, f->request);
    if (!err) err = crypto_verify(&f->invite_signature, &q.invite, CONTEXT_JOIN, f->request);
    if (!err) err = crypto_verify(&f->device_signature, &q.device, CONTEXT_JOIN, f->request);
    if (!err) *out = q;
    return err;
}

void frame_admit_write(struct buf *out, const struct hash *request)
{
    struct mp_writer w = {out};
    mp_write_array(&w, 2);
    mp_write_uint(&w, FRAME_ADMIT);
    mp_write_bin(&w, request->bytes, sizeof request->bytes);
}

enum err frame_admit_read(struct hash *request, struct slice frame)
{
    struct hash hash = {{0}};
    struct mp_reader r;
    enum err err = join_frame_open(&r, frame, FRAME_ADMIT, 2);
    if (err) return err;
    READ_KEY(&r, hash);
    if (r.err) return reader_error(&r);
    *request = hash;
    return OK;
}
