#pragma once
/*
 * zstd with a raw-content dictionary, bounded window and stated raw length; only zstd.c sees
 * <zstd.h>. The 4 magic bytes of the frame are not part of what these functions give and take
 * (proto/SPEC.md, "Runs"). A context keeps libzstd's memory between calls; one user at a time.
 */
#include "common/bytes.h"

struct zstd;
MUST_CHECK enum err zstd_open(struct zstd **out);
void zstd_close(struct zstd *z);
/* Appends the frame to `out`. Errors: ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK enum err zstd_compress(struct zstd *z, struct buf *out, struct slice raw,
                                  struct slice dictionary, int level);
/* Exactly `raw_size` bytes must come out. Errors: ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum err zstd_decompress(struct zstd *z, struct buf *out, struct slice frame,
                                    struct slice dictionary, size_t raw_size);
