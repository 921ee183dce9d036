/* Joining the fields of a thing with what an act or a correction of a hostile peer sets: two
 * scanned maps, one behind the other. The result is canonical, has `over`'s value of each key of
 * `over` and `base`'s of the others, and joining anew changes nothing. */
#include "node/views/body.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

/* The value of an encoded key. */
static struct slice value_of(struct slice map, struct slice wanted)
{
    struct mp_reader r = mp_reader_of(map);
    for (size_t left = mp_read_map(&r, SIZE_MAX); left > 0; left--) {
        struct slice key = mp_skip(&r), value = mp_skip(&r);
        if (slice_equal(key, wanted)) return value;
    }
    return SLICE_EMPTY;
}

static void must_be_joined(struct slice out, struct slice base, struct slice over)
{
    must(mp_scan_whole(out) == OK);
    struct mp_reader r = mp_reader_of(out);
    size_t from_base = 0, from_over = 0;
    for (size_t left = mp_read_map(&r, SIZE_MAX); left > 0; left--) {
        struct slice key = mp_skip(&r), value = mp_skip(&r);
        struct slice old = value_of(base, key), set = value_of(over, key);
        must(old.size || set.size);
        must(slice_equal(value, set.size ? set : old));
        from_base += old.size > 0;
        from_over += set.size > 0;
    }
    struct mp_reader b = mp_reader_of(base), o = mp_reader_of(over);
    must(from_base == mp_read_map(&b, SIZE_MAX) && from_over == mp_read_map(&o, SIZE_MAX));
}

static struct slice join(struct buf *out, struct slice base, struct slice over)
{
    buf_reset(out);
    body_join(out, base, over);
    must(!out->err);
    return buf_slice(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t used = 0, used_over = 0;
    struct buf once = {0}, again = {0};
    if (mp_scan(slice_of(data, size), &used) != OK) return 0;
    struct slice base = slice_of(data, used), over = slice_of(data + used, size - used);
    struct mp_reader a = mp_reader_of(base), b = mp_reader_of(over);
    if (mp_peek(&a) != MP_MAP || mp_peek(&b) != MP_MAP) return 0;
    if (mp_scan(over, &used_over) != OK || used_over != over.size) return 0;
    struct slice joined = join(&once, base, over);
    must_be_joined(joined, base, over);
    must(slice_equal(join(&again, joined, over), joined));
    must(slice_equal(join(&again, base, base), base));
    must(slice_equal(join(&again, joined, slice_of("\x80", 1)), joined));
    buf_clear(&once);
    buf_clear(&again);
    return 0;
}
