#pragma once
/*
 * What a village records for the township's office alone (proto/SPEC.md, "Sealed records"): the
 * true kind, time, person, body and box, closed so that neither the writer can open them again nor
 * their size tell more than one of four classes.
 *
 *   content   = [1, kind, time, by, body, box]
 *   plaintext = be16 size of payload ‖ be32 size of content ‖ payload ‖ zeros, up to its class
 *   payload   = the zstd frame of content, as in a run
 *   sealed    = crypto_seal of plaintext to the office key
 */
#include "proto/event.h"
#include "proto/zstd.h"

#define SEAL_PLAIN_SIZE_MIN KIB(1) /* the classes double from here ... */
#define SEAL_PLAIN_SIZE_MAX KIB(8) /* ... to here */
#define SEAL_SIZE_MIN (SEAL_PLAIN_SIZE_MIN + CRYPTO_SEAL_OVERHEAD)
#define SEAL_SIZE_MAX (SEAL_PLAIN_SIZE_MAX + CRYPTO_SEAL_OVERHEAD)

struct seal_content {
    struct slice kind;
    uint64_t time; /* HLC, when it was recorded */
    bool has_by;
    struct thing_id by;
    struct slice body; /* encoded map */
    struct slice box;  /* encoded map; empty: none */
};

/* Has `sealed` the size of a class? */
bool seal_size_valid(size_t size);

/* Appends the sealed bytes. Errors: ERR_LIMIT (over the greatest class), ERR_MALFORMED (body or box
 * is no canonical map, a key that is no point to seal to), ERR_NOMEM. */
MUST_CHECK enum err seal_write(struct buf *out, struct zstd *z, const struct seal_content *content,
                               const struct box_key *office);

/* Opens `sealed` into `bytes` (the caller's, wiped and cleared by seal_wipe), which *out borrows.
 * Errors: ERR_SIGNATURE (not sealed to this key, or changed), ERR_MALFORMED, ERR_LIMIT (a size that
 * is no class, a part that is over its limit), ERR_VERSION (of a later version), ERR_NOMEM. */
MUST_CHECK enum err seal_open(struct buf *bytes, struct seal_content *out, struct zstd *z,
                              const struct box_key *office, const struct box_secret *secret,
                              struct slice sealed);
void seal_wipe(struct buf *bytes);
