#include "proto/event.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"

#define HEADER_FIELDS 16
#define EVENT_SEQ_FIRST 1

/* --- scopes ----------------------------------------------------------------------------------- */

#define VILLAGE_PREFIX "village:"
#define VILLAGE_PREFIX_SIZE (sizeof VILLAGE_PREFIX - 1)
#define VILLAGE_CODE_SIZE 12

_Static_assert(VILLAGE_PREFIX_SIZE + VILLAGE_CODE_SIZE == SCOPE_SIZE_MAX, "a village's scope fits");

bool village_code_valid(const char *code, size_t size)
{
    if (size != VILLAGE_CODE_SIZE) return false;
    for (size_t i = 0; i < size; i++)
        if (code[i] < '0' || code[i] > '9') return false;
    return true;
}

enum err scope_parse(struct scope *out, struct slice text)
{
    const char *chars = (const char *)text.data;
    bool village = text.size == SCOPE_SIZE_MAX &&
                   memcmp(chars, VILLAGE_PREFIX, VILLAGE_PREFIX_SIZE) == 0 &&
                   village_code_valid(chars + VILLAGE_PREFIX_SIZE, VILLAGE_CODE_SIZE);
    if (!village && !slice_is_text(text, "town") && !slice_is_text(text, "office"))
        return ERR_MALFORMED;
    *out = (struct scope){{0}};
    memcpy(out->text, text.data, text.size);
    return OK;
}

enum scope_class scope_class(const struct scope *s)
{
    switch (s->text[0]) {
    case 't':
        return SCOPE_TOWN;
    case 'o':
        return SCOPE_OFFICE;
    default:
        return SCOPE_VILLAGE;
    }
}

const char *scope_village(const struct scope *s)
{
    return scope_class(s) == SCOPE_VILLAGE ? s->text + VILLAGE_PREFIX_SIZE : "";
}

bool scope_equal(const struct scope *a, const struct scope *b)
{
    return strcmp(a->text, b->text) == 0;
}

struct scope scope_town(void)
{
    return (struct scope){"town"};
}

struct scope scope_office(void)
{
    return (struct scope){"office"};
}

struct scope scope_of_village(const char *code)
{
    assert(village_code_valid(code, strlen(code)));
    struct scope s = {VILLAGE_PREFIX};
    memcpy(s.text + VILLAGE_PREFIX_SIZE, code, VILLAGE_CODE_SIZE);
    return s;
}

/* --- feeds ------------------------------------------------------------------------------------ */

bool feed_equal(const struct feed *a, const struct feed *b)
{
    return sign_key_equal(&a->author, &b->author) && scope_equal(&a->scope, &b->scope) &&
           a->lane == b->lane && a->has_epoch == b->has_epoch &&
           (!a->has_epoch || memcmp(a->epoch, b->epoch, sizeof a->epoch) == 0);
}

static void feed_write_fields(struct mp_writer *w, const struct feed *f)
{
    mp_write_bin(w, f->author.bytes, sizeof f->author.bytes);
    mp_write_text(w, f->scope.text);
    mp_write_uint(w, f->lane);
    if (f->has_epoch)
        mp_write_bin(w, f->epoch, sizeof f->epoch);
    else
        mp_write_nil(w);
}

static void feed_read_fields(struct mp_reader *r, struct feed *out)
{
    mp_read_bin_exact(r, out->author.bytes, sizeof out->author.bytes);
    struct slice scope = mp_read_str(r, SCOPE_SIZE_MAX);
    if (!r->err) r->err = scope_parse(&out->scope, scope);
    out->lane = (uint8_t)mp_read_uint(r, LANE_COUNT - 1);
    out->has_epoch = !mp_read_nil(r);
    if (out->has_epoch)
        mp_read_bin_exact(r, out->epoch, sizeof out->epoch);
    else
        memset(out->epoch, 0, sizeof out->epoch);
}

void feed_write(struct mp_writer *w, const struct feed *f)
{
    mp_write_array(w, 4);
    feed_write_fields(w, f);
}

void feed_read(struct mp_reader *r, struct feed *out)
{
    *out = (struct feed){0};
    if (mp_read_array(r, 4) != 4 && !r->err) r->err = ERR_MALFORMED;
    feed_read_fields(r, out);
}

void feed_id_of(struct feed_id *out, const struct feed *f)
{
    uint8_t bytes[96];
    struct buf encoded = {.data = bytes, .capacity = sizeof bytes, .size_max = sizeof bytes};
    struct mp_writer w = {&encoded};
    feed_write(&w, f);
    assert(!encoded.err);
    struct hash hash;
    crypto_hash_one(&hash, CONTEXT_FEED, buf_slice(&encoded));
    memcpy(out->bytes, hash.bytes, sizeof out->bytes);
}

/* --- ids -------------------------------------------------------------------------------------- */

void thing_id_of_founder(struct thing_id *out, uint64_t time, const struct event_id *id)
{
    uint8_t ms[8];
    be64_put(ms, HLC_MS(time));
    memcpy(out->bytes, ms + 2, 6);
    memcpy(out->bytes + 6, id->bytes, 10);
}

bool thing_id_equal(const struct thing_id *a, const struct thing_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

int thing_id_compare(const struct thing_id *a, const struct thing_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool event_id_equal(const struct event_id *a, const struct event_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

uint64_t event_id8(const struct event_id *id)
{
    return be64_get(id->bytes);
}

/* --- decoding --------------------------------------------------------------------------------- */

static bool kind_valid(struct slice kind)
{
    if (kind.size < 1 || kind.size > KIND_SIZE_MAX) return false;
    if (kind.data[0] < 'a' || kind.data[0] > 'z') return false;
    for (size_t i = 1; i < kind.size; i++) {
        uint8_t c = kind.data[i];
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '_' && c != '.' && c != '-') return false;
    }
    return true;
}

static enum err ext_check(struct slice ext)
{
    if (ext.size > EVENT_EXT_SIZE_MAX) return ERR_LIMIT;
    struct mp_reader r = mp_reader_of(ext);
    size_t count = mp_read_map(&r, EVENT_EXT_SIZE_MAX);
    if (count == 0) return ERR_MALFORMED;
    while (count-- > 0) {
        mp_read_uint(&r, UINT64_MAX);
        mp_read_bin(&r, EVENT_EXT_SIZE_MAX);
    }
    return mp_read_end(&r) ? ERR_MALFORMED : OK;
}

/* An optional bin of fixed size: nil gives zeros and false. */
static bool read_optional(struct mp_reader *r, void *out, size_t size)
{
    memset(out, 0, size);
    if (mp_read_nil(r)) return false;
    mp_read_bin_exact(r, out, size);
    return true;
}

static bool depth_valid(const struct event *e)
{
    return e->depth <= e->seen && !(e->founding && e->seen > 0);
}

/* The 16 fields in order, each of its type and in its range. */
static enum err header_read(struct event *out, struct slice header)
{
    struct mp_reader r = mp_reader_of(header);
    size_t count = mp_read_array(&r, SIZE_MAX);
    out->suite = mp_read_uint(&r, UINT64_MAX);
    if (r.err) return ERR_MALFORMED;
    if (out->suite != SUITE_1) return ERR_VERSION; /* its fields may be others */
    if (count != HEADER_FIELDS) return ERR_MALFORMED;
    feed_read_fields(&r, &out->feed);
    out->seq = mp_read_uint(&r, EVENT_SEQ_MAX);
    bool has_prev = read_optional(&r, out->prev.bytes, sizeof out->prev.bytes);
    out->time = mp_read_uint(&r, UINT64_MAX);
    out->kind = mp_read_str(&r, KIND_SIZE_MAX);
    out->founding = !read_optional(&r, out->subject.bytes, sizeof out->subject.bytes);
    out->depth = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    out->seen = (uint32_t)mp_read_uint(&r, UINT32_MAX);
    out->has_by = read_optional(&r, out->by.bytes, sizeof out->by.bytes);
    out->body = mp_skip(&r);
    bool has_box = read_optional(&r, out->box_digest.bytes, sizeof out->box_digest.bytes);
    out->box_state = has_box ? BOX_GONE : BOX_NONE;
    out->ext = mp_read_nil(&r) ? SLICE_EMPTY : mp_skip(&r);
    if (mp_read_end(&r)) return ERR_MALFORMED;
    if (out->seq < EVENT_SEQ_FIRST || has_prev != (out->seq > EVENT_SEQ_FIRST))
        return ERR_MALFORMED;
    if (!depth_valid(out)) return ERR_MALFORMED;
    out->header = header;
    return OK;
}

static enum err header_check_parts(const struct event *e)
{
    if (!kind_valid(e->kind) || !mp_is_text_map(e->body)) return ERR_MALFORMED;
    return e->ext.size ? ext_check(e->ext) : OK;
}

static void hash_id(struct event_id *out, struct slice header)
{
    struct hash hash;
    crypto_hash_one(&hash, CONTEXT_EVENT, header);
    memcpy(out->bytes, hash.bytes, sizeof out->bytes);
}

static void take_id(struct event *e, const struct event_id *id)
{
    e->id = *id;
    if (e->founding) thing_id_of_founder(&e->subject, e->time, &e->id);
}

enum err event_decode_scanned(struct event *out, struct slice header)
{
    struct event e = {0};
    if (header.size > EVENT_HEADER_SIZE_MAX) return ERR_LIMIT;
    enum err err = header_read(&e, header);
    if (!err) err = header_check_parts(&e);
    if (err) return err;
    struct event_id id;
    hash_id(&id, header);
    take_id(&e, &id);
    *out = e;
    return OK;
}

enum err event_decode(struct event *out, struct slice header)
{
    if (header.size > EVENT_HEADER_SIZE_MAX) return ERR_LIMIT;
    enum err err = mp_scan_whole(header);
    if (err) return err;
    return event_decode_scanned(out, header);
}

enum err event_decode_trusted(struct event *out, struct slice header, const struct event_id *id)
{
    struct event e = {0};
    enum err err = header_read(&e, header);
    if (err) return err;
    take_id(&e, id);
    *out = e;
    return OK;
}

/* --- boxes ------------------------------------------------------------------------------------ */

static enum err box_check_scanned(struct slice box)
{
    if (box.size > EVENT_BOX_SIZE_MAX) return ERR_LIMIT;
    return mp_is_text_map(box) ? OK : ERR_MALFORMED;
}

static enum err box_check(struct slice box)
{
    if (box.size > EVENT_BOX_SIZE_MAX) return ERR_LIMIT;
    enum err err = mp_scan_whole_depth(box, EVENT_BOX_DEPTH_MAX);
    return err ? err : box_check_scanned(box);
}

void event_box_digest(struct hash *out, const uint8_t salt[EVENT_SALT_SIZE], struct slice box)
{
    const struct slice parts[] = {{salt, EVENT_SALT_SIZE}, box};
    crypto_hash_parts(out, CONTEXT_BOX, parts, 2);
}

enum err event_attach_box(struct event *e, const uint8_t salt[EVENT_SALT_SIZE], struct slice box)
{
    if (e->box_state == BOX_NONE) return ERR_CHAIN;
    enum err err = box_check(box);
    if (err) return err;
    struct hash digest;
    event_box_digest(&digest, salt, box);
    if (!hash_equal(&digest, &e->box_digest)) return ERR_CHAIN;
    memcpy(e->salt, salt, sizeof e->salt);
    e->box = box;
    e->box_state = BOX_HERE;
    return OK;
}

/* --- encoding --------------------------------------------------------------------------------- */

static void write_optional(struct mp_writer *w, bool there, const void *data, size_t size)
{
    if (there)
        mp_write_bin(w, data, size);
    else
        mp_write_nil(w);
}

static void header_write(struct mp_writer *w, const struct event *e)
{
    mp_write_array(w, HEADER_FIELDS);
    mp_write_uint(w, SUITE_1);
    feed_write_fields(w, &e->feed);
    mp_write_uint(w, e->seq);
    write_optional(w, e->seq > EVENT_SEQ_FIRST, e->prev.bytes, sizeof e->prev.bytes);
    mp_write_uint(w, e->time);
    mp_write_str(w, e->kind);
    write_optional(w, !e->founding, e->subject.bytes, sizeof e->subject.bytes);
    mp_write_uint(w, e->depth);
    mp_write_uint(w, e->seen);
    write_optional(w, e->has_by, e->by.bytes, sizeof e->by.bytes);
    mp_write_raw(w, e->body);
    write_optional(w, e->box_state != BOX_NONE, e->box_digest.bytes, sizeof e->box_digest.bytes);
    if (e->ext.size)
        mp_write_raw(w, e->ext);
    else
        mp_write_nil(w);
}

enum err event_encode(struct event *e, struct buf *out)
{
    enum err err = mp_scan_whole_depth(e->body, EVENT_BODY_DEPTH_MAX);
    if (!err && e->ext.size) err = mp_scan_whole_depth(e->ext, EVENT_BODY_DEPTH_MAX);
    if (!err && e->box_state == BOX_HERE) err = box_check(e->box);
    return err ? err : event_encode_scanned(e, out);
}

/* What header_read would refuse of a header that header_write made. */
static enum err header_check_fields(const struct event *e)
{
    struct scope scope;
    if (scope_parse(&scope, slice_of_text(e->feed.scope.text)) || e->feed.lane >= LANE_COUNT ||
        e->seq < EVENT_SEQ_FIRST || e->seq > EVENT_SEQ_MAX || !depth_valid(e))
        return ERR_MALFORMED;
    return header_check_parts(e);
}

enum err event_encode_scanned(struct event *e, struct buf *out)
{
    if (e->box_state == BOX_HERE) {
        enum err err = box_check_scanned(e->box);
        if (err) return err;
        event_box_digest(&e->box_digest, e->salt, e->box);
    }
    if (out->err) return out->err;
    size_t start = out->size;
    struct mp_writer w = {out};
    header_write(&w, e);
    struct slice header = slice_of(out->data + start, out->size - start);
    enum err err = out->err ? out->err : header_check_fields(e);
    if (!err && header.size > EVENT_HEADER_SIZE_MAX) err = ERR_LIMIT;
    if (err) {
        out->size = start;
        return err;
    }
    struct event_id id;
    hash_id(&id, header);
    take_id(e, &id);
    e->suite = SUITE_1;
    e->header = header;
    return OK;
}

/* --- signatures ------------------------------------------------------------------------------- */

void event_sign(struct event *e, const struct signer *s)
{
    signer_sign(&e->signature, s, CONTEXT_EVENT, slice_of(e->id.bytes, sizeof e->id.bytes));
    e->has_signature = true;
}

enum err event_verify_signature(const struct event_id *id, const struct sign_key *author,
                                const struct signature *sig)
{
    return crypto_verify(sig, author, CONTEXT_EVENT, slice_of(id->bytes, sizeof id->bytes));
}
