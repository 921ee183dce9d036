#include "tests/support/arrays.h"

void array_cut(struct buf *out, const struct buf *array, size_t keep, const char *more)
{
    struct mp_reader r = mp_reader_of(buf_slice(array));
    struct mp_writer w = {out};
    (void)mp_read_array(&r, SIZE_MAX);
    buf_reset(out);
    mp_write_array(&w, keep + (more ? 1 : 0));
    for (size_t i = 0; i < keep; i++) mp_write_raw(&w, mp_skip(&r));
    if (more) mp_write_text(&w, more);
}

void array_replace(struct buf *out, const struct buf *array, size_t at, struct slice value)
{
    struct mp_reader r = mp_reader_of(buf_slice(array));
    struct mp_writer w = {out};
    size_t count = mp_read_array(&r, SIZE_MAX);
    buf_reset(out);
    mp_write_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        struct slice old = mp_skip(&r);
        mp_write_raw(&w, i == at ? value : old);
    }
}
