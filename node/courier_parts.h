#pragma once
/*
 * Bundles that come by a link, as far as they came: files beside the whole ones (courier.h), which
 * grow at their end and outlive the link and the process. All together hold at most
 * COURIER_PARTS_BYTES_MAX: the one that has waited longest gives way.
 */
#include "node/courier.h"

#define COURIER_PARTS_BYTES_MAX ((uint64_t)MIB(256))

struct courier_part {
    int fd; /* locked: nobody else adds to it; -1: none */
    struct bundle_id id;
    uint64_t size, held; /* of the whole file; so much is here, from its beginning */
    bool resumed;        /* some of that came before: by another link, or another courier */
};
/* Opens or begins the one of this bundle. Errors: ERR_BUSY (another link brings it), ERR_LIMIT
 * (too large, or no room is to be made), the system's. */
MUST_CHECK enum err courier_part_open(struct courier_part *p, const char *home,
                                      const struct bundle_id *id, uint64_t size);
/* Adds at its end. Errors: ERR_LIMIT (beyond its size), ERR_NOSPACE, the system's. */
MUST_CHECK enum err courier_part_add(struct courier_part *p, struct slice bytes);
/* From its beginning again. */
MUST_CHECK enum err courier_part_restart(struct courier_part *p);
void courier_part_close(struct courier_part *p); /* what came stays */
/* What came goes. */
void courier_part_drop(struct courier_part *p, const char *home);
