#pragma once
/*
 * A bundle is made from the log (proto/bundle.h): what has not arrived at its receiver by the last
 * that is known of him, from a session or from a bundle of his. Making one changes nothing here, so
 * a stick may be lost, and the next bundle has the same again.
 *
 * What is more than a file holds goes into several, each of them a bundle. All is gone through
 * twice: first nothing is written, so the room that it takes and the number of files are known.
 */
#include "node/home.h"
#include "node/views/views.h"
#include "proto/bundle.h"

#define BUNDLE_PARTS_MAX 999u
#define BUNDLE_PART_SIZE_MIN KIB(512) /* one has room for what comes first, and a run */

struct bundle_making {
    struct store *store;
    struct views *views;
    const struct device_keys *keys; /* of this device */
    uint64_t wall_ms;
    bool time_trusted;
    struct sign_key to; /* first key of the device that it is for */
    bool read_back;     /* `fd` is a file, open for both: it is synced and compared */
    bool to_township;   /* sealed to the office key: each device that has that may take it */
    uint64_t size_max;  /* of one file; 0: BUNDLE_SIZE_MAX */
};
struct bundle_made {
    uint64_t number;
    uint64_t events; /* of scopes that are shown here */
    uint64_t bytes;
    uint64_t left; /* events that did not fit, or cannot be read here */
};
/* Writes one at `fd`, with what fits. Errors: ERR_NOT_FOUND (no such device, or it has no key yet),
 * ERR_MALFORMED (its key is no point to seal to), ERR_CORRUPT (read back, it is another),
 * ERR_NOSPACE, ERR_NOMEM, the store's, the system's. */
MUST_CHECK enum err bundle_make(int fd, const struct bundle_making *b, struct bundle_made *out);

struct bundle_maker;
struct bundle_plan {
    uint32_t parts; /* at least one */
    uint64_t bytes; /* of all parts; one may come out a few less */
};
/* Goes through what is to be written, and holds a transaction from then on. `b` is copied. Errors:
 * as above; ERR_LIMIT (more than BUNDLE_PARTS_MAX, or size_max below BUNDLE_PART_SIZE_MIN). */
MUST_CHECK enum err bundle_maker_open(struct bundle_maker **out, const struct bundle_making *b,
                                      struct bundle_plan *plan);
/* Writes the next part: plan->parts times. A feed that fits into a part stands in one, and what
 * makes authors known in each, where that is little: so a part can be taken without the others.
 * Errors: as above; nothing else may be written after one. */
MUST_CHECK enum err bundle_maker_next(struct bundle_maker *m, int fd, struct bundle_made *out);
void bundle_maker_close(struct bundle_maker *m); /* NULL is fine */
