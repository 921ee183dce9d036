#include "proto/zstd.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#define MAGIC_SIZE 4
/* RFC 8878, 3.1.1.1: after the magic, a descriptor byte whose flags we all leave off, then the
 * window's: exponent above 10 in the upper five bits, eighths in the lower three. */
#define DESCRIPTOR 0x00
#define WINDOW_BYTE_MAX ((RUN_WINDOW_LOG_MAX - 10) << 3)
#define FRAME_ROOM (MAGIC_SIZE + RUN_PAYLOAD_SIZE_MAX)

static const uint8_t magic[MAGIC_SIZE] = {0x28, 0xb5, 0x2f, 0xfd};

struct zstd {
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    uint8_t frame[FRAME_ROOM]; /* with its magic */
};

static bool set(struct zstd *z, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(z->compressor, parameter, value));
}

enum err zstd_open(struct zstd **out)
{
    struct zstd *z = calloc(1, sizeof *z);
    if (!z) return ERR_NOMEM;
    z->compressor = ZSTD_createCCtx();
    z->decompressor = ZSTD_createDCtx();
    if (!z->compressor || !z->decompressor || !set(z, ZSTD_c_contentSizeFlag, 0) ||
        !set(z, ZSTD_c_checksumFlag, 0) || !set(z, ZSTD_c_dictIDFlag, 0) ||
        !set(z, ZSTD_c_windowLog, RUN_WINDOW_LOG_MAX)) {
        zstd_close(z);
        return ERR_NOMEM;
    }
    memcpy(z->frame, magic, sizeof magic);
    *out = z;
    return OK;
}

void zstd_close(struct zstd *z)
{
    if (!z) return;
    ZSTD_freeCCtx(z->compressor);
    ZSTD_freeDCtx(z->decompressor);
    free(z);
}

static enum err err_of(size_t result, enum err otherwise)
{
    return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? ERR_NOMEM : otherwise;
}

enum err zstd_compress(struct zstd *z, struct buf *out, struct slice raw, struct slice dictionary,
                       int level)
{
    /* parameters and prefix can be set between frames only, and an error leaves one begun */
    size_t result = ZSTD_CCtx_reset(z->compressor, ZSTD_reset_session_only);
    if (ZSTD_isError(result) || !set(z, ZSTD_c_compressionLevel, level)) return ERR_NOMEM;
    result = ZSTD_CCtx_refPrefix(z->compressor, dictionary.size ? dictionary.data : NULL,
                                 dictionary.size);
    if (!ZSTD_isError(result))
        result = ZSTD_compress2(z->compressor, z->frame, sizeof z->frame, raw.data, raw.size);
    if (ZSTD_isError(result)) return err_of(result, ERR_LIMIT);
    buf_append(out, z->frame + MAGIC_SIZE, result - MAGIC_SIZE);
    return out->err;
}

enum err zstd_decompress(struct zstd *z, struct buf *out, struct slice frame,
                         struct slice dictionary, size_t raw_size)
{
    if (frame.size > RUN_PAYLOAD_SIZE_MAX) return ERR_LIMIT;
    if (frame.size < 2 || frame.data[0] != DESCRIPTOR) return ERR_MALFORMED;
    if (frame.data[1] > WINDOW_BYTE_MAX) return ERR_LIMIT;
    memcpy(z->frame + MAGIC_SIZE, frame.data, frame.size);
    size_t size = MAGIC_SIZE + frame.size;
    /* else what follows would be taken for further frames, and an empty one for padding */
    if (ZSTD_findFrameCompressedSize(z->frame, size) != size) return ERR_MALFORMED;
    uint8_t *to = buf_reserve(out, raw_size);
    if (!to) return out->err;
    size_t result = ZSTD_DCtx_refPrefix(z->decompressor, dictionary.size ? dictionary.data : NULL,
                                        dictionary.size);
    if (!ZSTD_isError(result))
        result = ZSTD_decompressDCtx(z->decompressor, to, raw_size, z->frame, size);
    if (ZSTD_isError(result)) return err_of(result, ERR_MALFORMED);
    if (result != raw_size) return ERR_MALFORMED;
    buf_advance(out, raw_size);
    return OK;
}
