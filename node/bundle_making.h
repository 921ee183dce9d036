#pragma once
/*
 * A bundle is made from the log (proto/bundle.h): what has not arrived at its receiver by the last
 * that is known of him, from a session or from a bundle of his. Making one changes nothing here, so
 * a stick may be lost, and the next bundle has the same again.
 */
#include "node/home.h"
#include "node/views/views.h"
#include "proto/bundle.h"

struct bundle_making {
    struct store *store;
    struct views *views;
    const struct device_keys *keys; /* of this device */
    uint64_t wall_ms;
    bool time_trusted;
    struct sign_key to; /* first key of the device that it is for */
    bool read_back;     /* `fd` is a file, open for both: it is synced and compared */
    bool to_township;   /* sealed to the office key: each device that has that may take it */
};
struct bundle_made {
    uint64_t number;
    uint64_t events; /* of scopes that are shown here */
    uint64_t bytes;
    uint64_t left; /* events that did not fit, or cannot be read here */
};
/* Writes it at `fd`. Errors: ERR_NOT_FOUND (no such device, or it has no key yet), ERR_MALFORMED
 * (its key is no point to seal to), ERR_CORRUPT (read back, it is another), ERR_NOSPACE,
 * ERR_NOMEM, the store's, the system's. */
MUST_CHECK enum err bundle_make(int fd, const struct bundle_making *b, struct bundle_made *out);
