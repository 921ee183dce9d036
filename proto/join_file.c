#include "proto/join_file.h"

#include <string.h>

enum { OUTSIDE_ELEMENTS = 3, CONTENT_ELEMENTS = 4, STATEMENT_ELEMENTS = 6 };

const struct armour armour_request = {"request", CONTEXT_JOIN_REQUEST, JOIN_REQUEST_TEXT_MAX};
const struct armour armour_answer = {"answer", CONTEXT_JOIN_ANSWER, JOIN_ANSWER_SIZE_MAX};

#define READ_KEY(r, key) mp_read_bin_exact((r), (key).bytes, sizeof(key).bytes)
#define WRITE_KEY(w, key) mp_write_bin((w), (key).bytes, sizeof(key).bytes)

static enum err reader_error(const struct mp_reader *r)
{
    return r->err == ERR_RANGE ? ERR_LIMIT : r->err;
}

/* What the hub signs: for whom, in answer to what, when, and which runs. */
static void statement_hash(struct hash *out, const struct join_answer *a)
{
    struct buf statement = {0};
    struct hash runs;
    struct mp_writer w = {&statement};
    crypto_hash_one(&runs, CONTEXT_JOIN_ANSWER, a->runs);
    mp_write_array(&w, STATEMENT_ELEMENTS);
    WRITE_KEY(&w, a->township);
    WRITE_KEY(&w, a->acceptor);
    WRITE_KEY(&w, a->device);
    WRITE_KEY(&w, a->request);
    mp_write_uint(&w, a->time_ms);
    WRITE_KEY(&w, runs);
    crypto_hash_one(out, CONTEXT_JOIN_ANSWER, buf_slice(&statement));
    buf_clear(&statement);
}

enum err join_answer_write(struct buf *out, const struct join_answer *answer,
                           const struct box_key *to, const struct signer *acceptor)
{
    struct buf content = {.size_max = JOIN_ANSWER_SIZE_MAX};
    struct buf sealed = {.size_max = JOIN_ANSWER_SIZE_MAX};
    struct signature signature;
    struct hash hash;
    struct mp_writer w = {&content};
    statement_hash(&hash, answer);
    signer_sign(&signature, acceptor, CONTEXT_JOIN_ANSWER, slice_of(hash.bytes, sizeof hash.bytes));
    mp_write_array(&w, CONTENT_ELEMENTS);
    WRITE_KEY(&w, answer->request);
    mp_write_uint(&w, answer->time_ms);
    WRITE_KEY(&w, signature);
    mp_write_raw(&w, answer->runs);
    enum err err = content.err;
    if (!err) err = crypto_seal(&sealed, to, buf_slice(&content));
    w = (struct mp_writer){out};
    mp_write_array(&w, OUTSIDE_ELEMENTS);
    WRITE_KEY(&w, answer->township);
    WRITE_KEY(&w, answer->device);
    mp_write_bin(&w, sealed.data, sealed.size);
    buf_clear(&content);
    buf_clear(&sealed);
    return err ? err : out->err;
}

enum err join_answer_outside(struct join_answer_outside *out, struct slice bytes)
{
    enum err err = mp_scan_whole(bytes);
    if (err) return err;
    struct join_answer_outside o = {0};
    struct mp_reader r = mp_reader_of(bytes);
    if (mp_read_array(&r, JOIN_ANSWER_SIZE_MAX) < OUTSIDE_ELEMENTS) return ERR_MALFORMED;
    READ_KEY(&r, o.township);
    READ_KEY(&r, o.device);
    o.sealed = mp_read_bin(&r, JOIN_ANSWER_SIZE_MAX);
    if (r.err) return reader_error(&r);
    *out = o;
    return OK;
}

static enum err content_read(struct join_answer *out, struct signature *signature,
                             struct slice content)
{
    enum err err = mp_scan_whole(content);
    if (err) return err;
    struct mp_reader r = mp_reader_of(content);
    if (mp_read_array(&r, JOIN_ANSWER_SIZE_MAX) < CONTENT_ELEMENTS) return ERR_MALFORMED;
    READ_KEY(&r, out->request);
    out->time_ms = mp_read_uint(&r, HLC_MS_MAX);
    READ_KEY(&r, *signature);
    out->runs = mp_skip(&r);
    if (r.err) return reader_error(&r);
    struct mp_reader runs = mp_reader_of(out->runs);
    size_t count = mp_read_array(&runs, JOIN_ANSWER_RUNS_MAX);
    for (size_t i = 0; i < count; i++) (void)mp_read_bin(&runs, FRAME_SIZE_MAX);
    return reader_error(&runs);
}

enum err join_answer_open(struct buf *bytes, struct join_answer *out,
                          const struct join_answer_outside *outside,
                          const struct sign_key *acceptor, const struct box_key *key,
                          const struct box_secret *secret)
{
    struct join_answer a = {
        .township = outside->township, .acceptor = *acceptor, .device = outside->device};
    struct signature signature;
    struct hash hash;
    buf_reset(bytes);
    enum err err = crypto_seal_open(bytes, key, secret, outside->sealed);
    if (err) return err == ERR_SIGNATURE ? ERR_FOREIGN : err;
    err = content_read(&a, &signature, buf_slice(bytes));
    if (err) return err;
    statement_hash(&hash, &a);
    err = crypto_verify(&signature, acceptor, CONTEXT_JOIN_ANSWER,
                        slice_of(hash.bytes, sizeof hash.bytes));
    if (!err) *out = a;
    return err;
}

bool join_answer_next(struct mp_reader *runs, struct slice *frame)
{
    if (runs->err || runs->at == runs->end) return false;
    *frame = mp_read_bin(runs, FRAME_SIZE_MAX);
    return !runs->err;
}

/* --- words --- */

#define WORD(zh, pinyin, en) {zh, pinyin, en},
const struct join_word join_word_list[256] = {
#include "proto/join_words.def"
};
#undef WORD

enum err join_words(uint8_t out[JOIN_WORDS], struct slice request)
{
    struct hash hash;
    uint8_t slow[CRYPTO_SLOW_SIZE], salt[CRYPTO_SLOW_SIZE] = "sidan/words";
    crypto_hash_one(&hash, CONTEXT_JOIN_WORDS, request);
    enum err err = crypto_slow(slow, slice_of(hash.bytes, sizeof hash.bytes), salt);
    if (!err) memcpy(out, slow, JOIN_WORDS);
    return err;
}
