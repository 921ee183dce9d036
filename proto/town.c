/* What a hub signs of `town`, and TOWN frames. */
#include "proto/town.h"

#include "proto/frame_form.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 32 };

/* --- heads --------------------------------------------------------------------------------- */

static void head_bytes(uint8_t out[HEAD_BYTES], const struct town_head *h)
{
    memcpy(out, h->feed8, 8);
    be64_put(out + 8, h->seq);
    memcpy(out + 16, h->id16, 16);
}

static int head_compare(const void *left, const void *right)
{
    const struct town_head *a = left, *b = right;
    int order = memcmp(a->feed8, b->feed8, sizeof a->feed8);
    if (order == 0) order = (a->seq > b->seq) - (a->seq < b->seq);
    return order ? order : memcmp(a->id16, b->id16, sizeof a->id16);
}

static void hasher_add_head(struct crypto_hasher *hasher, const struct town_head *h)
{
    uint8_t bytes[HEAD_BYTES];
    head_bytes(bytes, h);
    crypto_hasher_add(hasher, slice_of(bytes, sizeof bytes));
}

void town_digest(struct hash *out, struct town_head *heads, size_t count)
{
    struct crypto_hasher hasher;
    if (count > 1) qsort(heads, count, sizeof *heads, head_compare);
    crypto_hasher_begin(&hasher, CONTEXT_TOWN_HEADS);
    for (size_t i = 0; i < count; i++) hasher_add_head(&hasher, &heads[i]);
    crypto_hasher_end(&hasher, out);
}

static bool is_followed(const struct town_head *h, const struct town_head *after, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(after[i].feed8, h->feed8, sizeof h->feed8) != 0) continue;
        if (after[i].seq > h->seq || head_compare(&after[i], h) == 0) return true;
    }
    return false;
}

bool town_follows(const struct town_head *before, size_t before_count,
                  const struct town_head *after, size_t after_count,
                  bool (*left_out)(void *state, const uint8_t feed8[8]), void *state)
{
    size_t at = 0; /* both are sorted by feed */
    for (size_t i = 0; i < before_count; i++) {
        while (at < after_count && memcmp(after[at].feed8, before[i].feed8, 8) < 0) at++;
        size_t end = at;
        while (end < after_count && memcmp(after[end].feed8, before[i].feed8, 8) == 0) end++;
        if (is_followed(&before[i], after + at, end - at)) continue;
        if (!left_out(state, before[i].feed8)) return false;
    }
    return true;
}

/* --- the signature -------------------------------------------------------------------------- */

static void ended_write(struct mp_writer *w, const struct town_state *s)
{
    mp_write_array(w, s->ended_count);
    for (size_t i = 0; i < s->ended_count; i++) mp_write_bin(w, s->ended[i], sizeof s->ended[i]);
}

static enum err state_hash(struct hash *out, const struct town_state *s,
                           const struct sign_key *township)
{
    struct buf body = {0};
    struct mp_writer w = {&body};
    mp_write_array(&w, 6);
    mp_write_bin(&w, township->bytes, sizeof township->bytes);
    mp_write_bin(&w, s->hub.bytes, sizeof s->hub.bytes);
    mp_write_bin(&w, s->generation, sizeof s->generation);
    mp_write_uint(&w, s->number);
    ended_write(&w, s);
    mp_write_bin(&w, s->digest.bytes, sizeof s->digest.bytes);
    enum err err = body.err;
    if (!err) crypto_hash_one(out, CONTEXT_TOWN, buf_slice(&body));
    buf_clear(&body);
    return err;
}

enum err town_sign(struct town_state *s, const struct sign_key *township,
                   const struct signer *signer)
{
    struct hash hash;
    enum err err = state_hash(&hash, s, township);
    if (err) return err;
    signer_sign(&s->signature, signer, CONTEXT_TOWN, slice_of(hash.bytes, sizeof hash.bytes));
    return OK;
}

enum err town_verify(const struct town_state *s, const struct sign_key *township,
                     const struct sign_key *key)
{
    struct hash hash;
    enum err err = state_hash(&hash, s, township);
    if (err) return err;
    return crypto_verify(&s->signature, key, CONTEXT_TOWN, slice_of(hash.bytes, sizeof hash.bytes));
}

bool town_ends(const struct town_state *s, const uint8_t generation[8])
{
    for (size_t i = 0; i < s->ended_count; i++)
        if (memcmp(s->ended[i], generation, sizeof s->ended[i]) == 0) return true;
    return false;
}

/* --- the frame ------------------------------------------------------------------------------ */

static void head_read(struct mp_reader *r, struct town_head *out)
{
    frame_read_tuple(r, 3);
    mp_read_bin_exact(r, out->feed8, sizeof out->feed8);
    out->seq = frame_read_seq(r);
    mp_read_bin_exact(r, out->id16, sizeof out->id16);
}

/* A store's generation is drawn at random, so none is zero. */
static void generation_read(struct mp_reader *r, uint8_t out[8])
{
    static const uint8_t none[8];
    mp_read_bin_exact(r, out, 8);
    if (!r->err) frame_require(r, memcmp(out, none, sizeof none) != 0);
}

/* None is that in which it is signed. */
static void ended_read(struct mp_reader *r, struct town_state *s)
{
    s->ended_count = mp_read_array(r, TOWN_ENDED_MAX);
    for (size_t i = 0; i < s->ended_count && !r->err; i++) generation_read(r, s->ended[i]);
    if (!r->err) frame_require(r, !town_ends(s, s->generation));
}

/* They stand in order, none twice, and are what was signed over. */
static void heads_read(struct mp_reader *r, struct frame_town *f)
{
    const uint8_t *start = r->at;
    struct town_head before, h;
    struct crypto_hasher hasher;
    struct hash digest;
    crypto_hasher_begin(&hasher, CONTEXT_TOWN_HEADS);
    f->head_count = mp_read_array(r, TOWN_HEADS_MAX);
    for (size_t i = 0; i < f->head_count && !r->err; i++, before = h) {
        head_read(r, &h);
        if (r->err) break;
        frame_require(r, i == 0 || head_compare(&before, &h) < 0);
        hasher_add_head(&hasher, &h);
    }
    crypto_hasher_end(&hasher, &digest);
    f->heads = slice_of(start, (size_t)(r->at - start));
    if (!r->err) frame_require(r, hash_equal(&digest, &f->state.digest));
}

enum err frame_town_read(struct frame_town *out, struct slice frame)
{
    struct frame_town f = {0};
    struct town_state *s = &f.state;
    struct mp_reader r = frame_open(frame, FRAME_TOWN, 8);
    mp_read_bin_exact(&r, s->hub.bytes, sizeof s->hub.bytes);
    generation_read(&r, s->generation);
    s->number = mp_read_uint(&r, FRAME_UINT_MAX);
    ended_read(&r, s);
    mp_read_bin_exact(&r, s->digest.bytes, sizeof s->digest.bytes);
    mp_read_bin_exact(&r, s->signature.bytes, sizeof s->signature.bytes);
    f.has_heads = !r.err && !mp_read_nil(&r);
    if (f.has_heads) heads_read(&r, &f);
    if (r.err) return frame_error(&r);
    *out = f;
    return OK;
}

struct mp_reader frame_town_begin(const struct frame_town *f)
{
    struct mp_reader r = mp_reader_of(f->heads);
    if (f->heads.size) (void)mp_read_array(&r, TOWN_HEADS_MAX);
    return r;
}

bool frame_town_next(struct mp_reader *r, struct town_head *out)
{
    if (r->err || mp_peek(r) == MP_END) return false;
    head_read(r, out);
    return !r->err;
}

void frame_town_write(struct buf *out, const struct town_state *s, const struct town_head *heads,
                      size_t count)
{
    size_t start = out->size;
    struct mp_writer w = frame_start(out, FRAME_TOWN, 8);
    mp_write_bin(&w, s->hub.bytes, sizeof s->hub.bytes);
    mp_write_bin(&w, s->generation, sizeof s->generation);
    mp_write_uint(&w, s->number);
    ended_write(&w, s);
    mp_write_bin(&w, s->digest.bytes, sizeof s->digest.bytes);
    mp_write_bin(&w, s->signature.bytes, sizeof s->signature.bytes);
    if (heads) {
        mp_write_array(&w, count);
        for (size_t i = 0; i < count; i++) {
            mp_write_array(&w, 3);
            mp_write_bin(&w, heads[i].feed8, sizeof heads[i].feed8);
            mp_write_uint(&w, heads[i].seq);
            mp_write_bin(&w, heads[i].id16, sizeof heads[i].id16);
        }
    } else {
        mp_write_nil(&w);
    }
    frame_finish(out, start);
}
