/*
 * What costs most of a story's time and says nothing about it. The linker puts these before the
 * library's own (Makefile, build/sim).
 *
 * A signature that was verified once in this process counts as verified: the same event reaches
 * many nodes, and each would spend four tenths of the time on the curve alone. Bytes, key, context
 * and message are compared by a hash of all of them, so nothing else passes for them.
 *
 * Runs are compressed at a low level. Scenes have figures, so theirs are compressed as ever.
 */
#include "proto/crypto.h"
#include "proto/zstd.h"
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

enum { LEVEL = 3 };

enum err __real_crypto_verify(const struct signature *sig, const struct sign_key *key,
                              const char *context, struct slice message);
enum err __wrap_crypto_verify(const struct signature *sig, const struct sign_key *key,
                              const char *context, struct slice message);
enum err __real_zstd_compress(struct zstd *z, struct buf *out, struct slice raw,
                              struct slice dictionary, int level);
enum err __wrap_zstd_compress(struct zstd *z, struct buf *out, struct slice raw,
                              struct slice dictionary, int level);

/* Open addressing; a free place is all zero. */
static struct {
    struct hash *places;
    size_t count, size; /* a power of two */
} verified;

static const struct hash none;

static struct hash *place_of(const struct hash *hash)
{
    const size_t mask = verified.size - 1;
    size_t at = (size_t)be64_get(hash->bytes) & mask;
    while (!hash_equal(&verified.places[at], &none) && !hash_equal(&verified.places[at], hash))
        at = (at + 1) & mask;
    return &verified.places[at];
}

static void grow(void)
{
    struct hash *before = verified.places;
    const size_t size = verified.size;
    verified.size = size > 0 ? size * 2 : 4096;
    verified.places = calloc(verified.size, sizeof *verified.places);
    if (verified.places == NULL) abort();
    for (size_t i = 0; i < size; i++)
        if (!hash_equal(&before[i], &none)) *place_of(&before[i]) = before[i];
    free(before);
}

enum err __wrap_crypto_verify(const struct signature *sig, const struct sign_key *key,
                              const char *context, struct slice message)
{
    const struct slice parts[] = {
        slice_of(sig->bytes, sizeof sig->bytes),
        slice_of(key->bytes, sizeof key->bytes),
        slice_of(context, strlen(context) + 1),
        message,
    };
    struct hash hash;
    crypto_hash_parts(&hash, "sim/verified", parts, sizeof parts / sizeof parts[0]);
    if (verified.count * 2 >= verified.size) grow();
    struct hash *place = place_of(&hash);
    if (hash_equal(place, &hash)) return OK;
    enum err err = __real_crypto_verify(sig, key, context, message);
    if (err != OK) return err;
    *place = hash;
    verified.count++;
    return OK;
}

static bool cheap_runs;

void sim_cheap_runs(void)
{
    cheap_runs = true;
}

enum err __wrap_zstd_compress(struct zstd *z, struct buf *out, struct slice raw,
                              struct slice dictionary, int level)
{
    return __real_zstd_compress(z, out, raw, dictionary, cheap_runs ? LEVEL : level);
}
