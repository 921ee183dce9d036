#include "proto/msgpack.h"

#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

/* --- writer ----------------------------------------------------------------------------------- */

static int packer_write(void *out, const char *bytes, size_t size)
{
    buf_append(out, bytes, size);
    return ((struct buf *)out)->err ? -1 : 0;
}

/* The packer's own results say nothing more than out->err, where packer_write latched it. */
static inline msgpack_packer packer_of(struct mp_writer *w)
{
    return (msgpack_packer){w->out, packer_write};
}

/* A head of one byte; most are, so the packer is asked for the longer ones only. */
static inline void write_byte(struct mp_writer *w, uint8_t byte)
{
    struct buf *out = w->out;
    if (!out->err && !out->size_max && out->size < out->capacity)
        out->data[out->size++] = byte;
    else
        buf_append_byte(out, byte);
}

void mp_write_nil(struct mp_writer *w)
{
    write_byte(w, 0xc0);
}

void mp_write_bool(struct mp_writer *w, bool v)
{
    write_byte(w, v ? 0xc3 : 0xc2);
}

void mp_write_uint(struct mp_writer *w, uint64_t v)
{
    if (v < 0x80) {
        write_byte(w, (uint8_t)v);
        return;
    }
    msgpack_packer p = packer_of(w);
    (void)msgpack_pack_uint64(&p, v);
}

void mp_write_int(struct mp_writer *w, int64_t v)
{
    msgpack_packer p = packer_of(w);
    (void)msgpack_pack_int64(&p, v);
}

void mp_write_str(struct mp_writer *w, struct slice text)
{
    if (text.size < 0x20) {
        write_byte(w, (uint8_t)(0xa0 | text.size));
    } else {
        msgpack_packer p = packer_of(w);
        (void)msgpack_pack_str(&p, text.size);
    }
    buf_append(w->out, text.data, text.size);
}

void mp_write_text(struct mp_writer *w, const char *text)
{
    mp_write_str(w, slice_of_text(text));
}

void mp_write_bin(struct mp_writer *w, const void *data, size_t size)
{
    msgpack_packer p = packer_of(w);
    (void)msgpack_pack_bin(&p, size);
    buf_append(w->out, data, size);
}

void mp_write_array(struct mp_writer *w, size_t count)
{
    if (count < 0x10) {
        write_byte(w, (uint8_t)(0x90 | count));
        return;
    }
    msgpack_packer p = packer_of(w);
    (void)msgpack_pack_array(&p, count);
}

void mp_write_map(struct mp_writer *w, size_t count)
{
    if (count < 0x10) {
        write_byte(w, (uint8_t)(0x80 | count));
        return;
    }
    msgpack_packer p = packer_of(w);
    (void)msgpack_pack_map(&p, count);
}

void mp_write_raw(struct mp_writer *w, struct slice encoded)
{
    buf_append_slice(w->out, encoded);
}

enum err mp_check_with_library(struct slice in)
{
    struct buf again = {0};
    msgpack_unpacked value;
    msgpack_unpacked_init(&value);
    size_t used = 0;
    enum err err = ERR_MALFORMED;
    msgpack_unpack_return result =
        msgpack_unpack_next(&value, (const char *)in.data, in.size, &used);
    if (result == MSGPACK_UNPACK_SUCCESS && used == in.size) {
        msgpack_packer p = {&again, packer_write};
        if (msgpack_pack_object(&p, value.data) != 0)
            err = again.err;
        else if (slice_equal(buf_slice(&again), in))
            err = OK;
    }
    msgpack_unpacked_destroy(&value);
    buf_clear(&again);
    return err;
}

/* --- maps built in any order ------------------------------------------------------------------ */

static void close_last(struct mp_map *m)
{
    if (m->count > 0) m->entries[m->count - 1].end = (uint32_t)m->bytes.size;
}

struct mp_writer mp_map_put(struct mp_map *m, const char *key)
{
    struct mp_writer w = {&m->bytes};
    close_last(m);
    if (m->count == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 16;
        struct mp_map_entry *entries = realloc(m->entries, capacity * sizeof *entries);
        if (!entries) {
            if (!m->bytes.err) m->bytes.err = ERR_NOMEM; /* what is written now goes nowhere */
            return w;
        }
        m->entries = entries;
        m->capacity = capacity;
    }
    struct mp_map_entry *entry = &m->entries[m->count++];
    entry->key_at = (uint32_t)m->bytes.size;
    mp_write_text(&w, key);
    entry->value_at = entry->end = (uint32_t)m->bytes.size;
    return w;
}

static int entry_compare(const struct mp_map *m, const struct mp_map_entry *a,
                         const struct mp_map_entry *b)
{
    struct slice key_a = {m->bytes.data + a->key_at, a->value_at - a->key_at};
    struct slice key_b = {m->bytes.data + b->key_at, b->value_at - b->key_at};
    return slice_compare(key_a, key_b);
}

/* Binary insertion: entries mostly come in order, and a line of input bounds their number. */
static enum err sort_entries(struct mp_map *m)
{
    for (size_t i = 1; i < m->count; i++) {
        struct mp_map_entry entry = m->entries[i];
        if (entry_compare(m, &m->entries[i - 1], &entry) < 0) continue;
        size_t low = 0, high = i;
        while (low < high) {
            size_t middle = (low + high) / 2;
            int order = entry_compare(m, &m->entries[middle], &entry);
            if (order == 0) return ERR_EXISTS;
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }
        memmove(&m->entries[low + 1], &m->entries[low], (i - low) * sizeof entry);
        m->entries[low] = entry;
    }
    return OK;
}

enum err mp_map_end(struct mp_map *m, struct buf *out)
{
    close_last(m);
    if (m->bytes.err) return m->bytes.err;
    enum err err = sort_entries(m);
    if (err) return err;
    struct mp_writer w = {out};
    mp_write_map(&w, m->count);
    for (size_t i = 0; i < m->count; i++) {
        const struct mp_map_entry *entry = &m->entries[i];
        assert(entry->end > entry->value_at); /* a key was put without its value */
        buf_append(out, m->bytes.data + entry->key_at, entry->end - entry->key_at);
    }
    return out->err;
}

enum err mp_map_with(struct buf *out, struct slice map, const char *key, struct slice value)
{
    struct buf name = {0};
    struct mp_writer names = {&name}, w = {out};
    struct mp_reader r = mp_reader_of(map), there;
    mp_write_text(&names, key);
    size_t count = mp_read_map(&r, SIZE_MAX);
    bool open = value.size > 0; /* the value is still to be written */
    mp_write_map(&w, count - mp_map_get(map, key, &there) + open);
    for (; count > 0 && !r.err; count--) {
        struct slice old_key = mp_skip(&r), old = mp_skip(&r);
        int order = slice_compare(old_key, buf_slice(&name));
        if (order >= 0 && open) {
            mp_write_raw(&w, buf_slice(&name));
            mp_write_raw(&w, value);
            open = false;
        }
        if (order == 0) continue;
        mp_write_raw(&w, old_key);
        mp_write_raw(&w, old);
    }
    if (open) {
        mp_write_raw(&w, buf_slice(&name));
        mp_write_raw(&w, value);
    }
    buf_clear(&name);
    return r.err ? ERR_MALFORMED : out->err;
}

void mp_map_reset(struct mp_map *m)
{
    buf_reset(&m->bytes);
    m->count = 0;
}

void mp_map_clear(struct mp_map *m)
{
    buf_clear(&m->bytes);
    free(m->entries);
    *m = (struct mp_map){0};
}
