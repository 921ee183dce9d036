/* Sealed records from a hostile village. The first byte chooses: sealed bytes as they came, which
 * open for nobody; a plaintext that the village sealed against the rules; or a content packed and
 * sealed, so that the reader behind zstd is reached. What opens is sealed and opened again alike.
 */
#include "proto/seal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct box_key office;
static struct box_secret secret;
static struct zstd *zstd;

static void must(bool holds)
{
    if (!holds) abort();
}

static void prepare(void)
{
    must(crypto_init() == OK && zstd_open(&zstd) == OK);
    box_pair_make(&office, &secret);
}

static void must_come_back(const struct seal_content *c)
{
    struct buf sealed = {0}, bytes = {0};
    struct seal_content again;
    must(c->kind.size <= KIND_SIZE_MAX && c->body.size > 0);
    enum err err = seal_write(&sealed, zstd, c, &office);
    must(err == OK || err == ERR_LIMIT); /* another level of zstd may have packed it closer */
    if (!err) {
        must(seal_size_valid(sealed.size));
        must(seal_open(&bytes, &again, zstd, &office, &secret, buf_slice(&sealed)) == OK);
        must(slice_equal(again.kind, c->kind) && again.time == c->time);
        must(slice_equal(again.body, c->body) && slice_equal(again.box, c->box));
        must(again.has_by == c->has_by && (!c->has_by || thing_id_equal(&again.by, &c->by)));
    }
    buf_clear(&sealed);
    seal_wipe(&bytes);
}

static void try_plain(struct slice plain)
{
    struct buf sealed = {0}, bytes = {0};
    struct seal_content content;
    must(crypto_seal(&sealed, &office, plain) == OK);
    enum err err = seal_open(&bytes, &content, zstd, &office, &secret, buf_slice(&sealed));
    must(err != ERR_SIGNATURE);
    if (!err) must_come_back(&content);
    buf_clear(&sealed);
    seal_wipe(&bytes);
}

static void try_content(struct slice in)
{
    struct buf packed = {0};
    static uint8_t plain[SEAL_PLAIN_SIZE_MAX];
    size_t size = SEAL_PLAIN_SIZE_MIN;
    must(zstd_compress(zstd, &packed, in, SLICE_EMPTY, 1) == OK);
    while (size < packed.size + 6) size *= 2;
    if (size <= sizeof plain) {
        memset(plain, 0, size);
        be16_put(plain, (uint16_t)packed.size);
        be32_put(plain + 2, (uint32_t)in.size);
        memcpy(plain + 6, packed.data, packed.size);
        try_plain(slice_of(plain, size));
    }
    buf_clear(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!zstd) prepare();
    if (size < 2) return 0;
    struct slice in = slice_of(data + 1, size - 1);
    struct buf bytes = {0};
    struct seal_content content;
    uint8_t choice = data[0] % 16; /* sealing is dear: seldom */
    if (choice == 0)
        must(seal_open(&bytes, &content, zstd, &office, &secret, in) != OK);
    else if (choice == 1 && seal_size_valid(in.size + CRYPTO_SEAL_OVERHEAD))
        try_plain(in);
    else if (choice == 2)
        try_content(in);
    seal_wipe(&bytes);
    return 0;
}
