#include "proto/rotation.h"

#include <assert.h>

enum { STATEMENT_SIZE_MAX = 160 }; /* four keys or ids with their heads */

static void write_key(struct mp_writer *w, bool there, const uint8_t key[32])
{
    if (there)
        mp_write_bin(w, key, 32);
    else
        mp_write_nil(w);
}

/* In memory that is there: a node that is short of it must not find a good proof wrong. */
struct statement {
    uint8_t bytes[STATEMENT_SIZE_MAX];
    struct buf buf;
};

static struct slice statement_of(struct statement *s, const struct rotation *r)
{
    s->buf = (struct buf){
        .data = s->bytes, .capacity = sizeof s->bytes, .size_max = sizeof s->bytes};
    struct mp_writer w = {&s->buf};
    mp_write_array(&w, 4);
    mp_write_bin(&w, r->township.bytes, sizeof r->township.bytes);
    mp_write_bin(&w, r->device.bytes, sizeof r->device.bytes);
    write_key(&w, r->has_key, r->key.bytes);
    write_key(&w, r->has_transport, r->transport.bytes);
    assert(!s->buf.err);
    return buf_slice(&s->buf);
}

void rotation_sign(struct signature *out, const struct rotation *r, const struct signer *signer)
{
    struct statement s;
    signer_sign(out, signer, CONTEXT_ROTATE, statement_of(&s, r));
}

enum err rotation_verify(const struct rotation *r, const struct sign_key *author,
                         const struct signature *proof)
{
    struct statement s;
    return crypto_verify(proof, r->has_key ? &r->key : author, CONTEXT_ROTATE, statement_of(&s, r));
}
