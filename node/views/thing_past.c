#include "node/views/thing_past.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/body.h"

void past_reset(struct thing_past *p)
{
    struct buf entries = p->entries;
    *p = (struct thing_past){.entries = entries};
    buf_reset(&p->entries);
}

void past_clear(struct thing_past *p)
{
    buf_clear(&p->entries);
}

struct past_key past_key_of(struct slice bytes)
{
    struct past_key key = {{0}};
    size_t size = bytes.size < sizeof key.bytes ? bytes.size : sizeof key.bytes;
    if (size) memcpy(key.bytes, bytes.data, size);
    return key;
}

static int key_compare(const struct past_key *a, const struct past_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static struct past_entry *entries_of(const struct thing_past *p)
{
    return (struct past_entry *)(void *)p->entries.data;
}

static size_t entry_count(const struct thing_past *p)
{
    return p->entries.size / sizeof(struct past_entry);
}

/* The first entry that is not before the key. */
static size_t entry_place(const struct thing_past *p, const struct past_key *key)
{
    const struct past_entry *entries = entries_of(p);
    size_t low = 0, high = entry_count(p);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (key_compare(&entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct past_entry *past_find(const struct thing_past *p, const struct past_key *key)
{
    size_t at = entry_place(p, key);
    if (at == entry_count(p)) return NULL;
    struct past_entry *entry = &entries_of(p)[at];
    return key_compare(&entry->key, key) == 0 ? entry : NULL;
}

/* Merges from the end, in place. */
void past_add(struct thing_past *p, const struct past_entry *entries, size_t count)
{
    size_t held = entry_count(p), size = count * sizeof *entries;
    if (!buf_reserve(&p->entries, size)) return;
    buf_advance(&p->entries, size);
    struct past_entry *all = entries_of(p);
    for (size_t at = held + count; count > 0; at--) {
        if (held > 0 && key_compare(&all[held - 1].key, &entries[count - 1].key) > 0)
            all[at - 1] = all[--held];
        else
            all[at - 1] = entries[--count];
    }
}

void past_remove(struct thing_past *p, const struct past_key *key)
{
    struct past_entry *entry = past_find(p, key);
    if (!entry) return;
    const uint8_t *end = p->entries.data + p->entries.size;
    memmove(entry, entry + 1, (size_t)(end - (const uint8_t *)(entry + 1)));
    p->entries.size -= sizeof *entry;
}

static int by_person(const void *a, const void *b)
{
    const struct sheet_row *x = a, *y = b;
    int order = key_compare(&x->person, &y->person);
    return order ? order : (x->number[0] > y->number[0]) - (x->number[0] < y->number[0]);
}

size_t sheet_read(struct slice body, struct sheet_row out[SHEET_ROWS_MAX])
{
    size_t count;
    struct mp_reader r = body_rows(body, "rows", &count);
    if (count > SHEET_ROWS_MAX) count = SHEET_ROWS_MAX;
    for (size_t i = 0; i < count; i++) {
        struct sheet_row row = {0};
        size_t columns = mp_read_array(&r, SIZE_MAX), numbers = 0;
        row.person = past_key_of(mp_read_bin(&r, SIZE_MAX));
        for (size_t c = 1; c < columns; c++) {
            if (mp_peek(&r) == MP_UINT && numbers < sizeof row.number / sizeof row.number[0])
                row.number[numbers++] = mp_read_uint(&r, UINT64_MAX);
            else
                mp_skip(&r);
        }
        out[i] = row;
    }
    if (count > 1) qsort(out, count, sizeof *out, by_person);
    return count;
}
