#include "proto/rotation.h"

enum { STATEMENT_SIZE_MAX = 128 };

static void write_key(struct mp_writer *w, bool there, const uint8_t key[32])
{
    if (there)
        mp_write_bin(w, key, 32);
    else
        mp_write_nil(w);
}

static void statement_write(struct buf *out, const struct rotation *r)
{
    struct mp_writer w = {out};
    buf_reserve(out, STATEMENT_SIZE_MAX);
    mp_write_array(&w, 4);
    mp_write_bin(&w, r->township.bytes, sizeof r->township.bytes);
    mp_write_bin(&w, r->device.bytes, sizeof r->device.bytes);
    write_key(&w, r->has_key, r->key.bytes);
    write_key(&w, r->has_transport, r->transport.bytes);
}

void rotation_sign(struct signature *out, const struct rotation *r, const struct signer *signer)
{
    struct buf statement = {0};
    statement_write(&statement, r);
    signer_sign(out, signer, CONTEXT_ROTATE, buf_slice(&statement));
    buf_clear(&statement);
}

enum err rotation_verify(const struct rotation *r, const struct sign_key *author,
                         const struct signature *proof)
{
    struct buf statement = {0};
    statement_write(&statement, r);
    enum err err = statement.err;
    if (!err)
        err = crypto_verify(proof, r->has_key ? &r->key : author, CONTEXT_ROTATE,
                            buf_slice(&statement));
    buf_clear(&statement);
    return err;
}
