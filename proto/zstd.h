#pragma once
/*
 * zstd with a raw-content dictionary, bounded window and stated raw length; only zstd.c sees
 * <zstd.h>. One frame, and one form of it: no content size, no checksum, no dictionary id, a window
 * of 1 MiB at most. Its 4 magic bytes are not part of what these functions give and take
 * (proto/SPEC.md, "Runs"). A context keeps libzstd's memory between calls; one user at a time.
 */
#include "common/bytes.h"
#include "common/limits.h"

struct zstd;
MUST_CHECK enum err zstd_open(struct zstd **out);
void zstd_close(struct zstd *z);
/* Appends the frame of `raw` to `out`. Errors: ERR_LIMIT (the frame is over RUN_PAYLOAD_SIZE_MAX),
 * ERR_NOMEM. */
MUST_CHECK enum err zstd_compress(struct zstd *z, struct buf *out, struct slice raw,
                                  struct slice dictionary, int level);
/* Appends the content of `frame`: exactly `raw_size` bytes must come out, and no more memory is
 * taken whatever the frame says. Errors: ERR_MALFORMED, ERR_LIMIT (the frame or its window is too
 * large), ERR_NOMEM. */
MUST_CHECK enum err zstd_decompress(struct zstd *z, struct buf *out, struct slice frame,
                                    struct slice dictionary, size_t raw_size);
