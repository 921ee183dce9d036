/* The gate in front of msgpack-c: what the scan takes, the library must take too, and give back the
 * same bytes; the reader stays inside bytes that nobody scanned. */
#include "proto/msgpack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

/* Reads every value by the type that it shows; copies it by the writer. */
static void copy_values(struct mp_reader *r, struct mp_writer *w)
{
    while (!r->err && mp_peek(r) != MP_END) {
        switch (mp_peek(r)) {
        case MP_NIL:
            must(mp_read_nil(r));
            mp_write_nil(w);
            break;
        case MP_BOOL:
            mp_write_bool(w, mp_read_bool(r));
            break;
        case MP_UINT:
            mp_write_uint(w, mp_read_uint(r, UINT64_MAX));
            break;
        case MP_INT:
            mp_write_int(w, mp_read_int(r, INT64_MIN, -1));
            break;
        case MP_STR:
            mp_write_str(w, mp_read_str(r, SIZE_MAX));
            break;
        case MP_BIN: {
            struct slice bytes = mp_read_bin(r, SIZE_MAX);
            mp_write_bin(w, bytes.data, bytes.size);
            break;
        }
        case MP_ARRAY:
            mp_write_array(w, mp_read_array(r, SIZE_MAX));
            break;
        case MP_MAP:
            mp_write_map(w, mp_read_map(r, SIZE_MAX));
            break;
        case MP_END:
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct buf copy = {0};
    struct mp_writer w = {&copy};
    struct mp_reader r = mp_reader_of(in), all = r, value;
    size_t used = 0;

    struct slice first = mp_skip(&r);
    must(first.size <= size && r.at <= r.end);
    (void)mp_map_get(in, "a", &value);
    (void)mp_is_text_map(in);
    copy_values(&all, &w);
    must(all.at <= all.end);

    if (mp_scan(in, &used) == OK) {
        must(used <= size && first.size == used);
        must(mp_check_with_library(slice_of(data, used)) == OK);
    }
    if (mp_scan_whole(in) == OK) {
        must(all.at == all.end && !all.err);
        must(slice_equal(buf_slice(&copy), in));
    }
    buf_clear(&copy);
    return 0;
}
