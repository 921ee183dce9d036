#include "node/views/numbers.h"

#include <assert.h>
#include <string.h>

enum { NUMBER_DIGITS_MAX = 7 };
#define NUMBER_MAX UINT64_C(9999999)

#define META_PREFIX "number."
#define META_NAME_SIZE (sizeof META_PREFIX + NUMBER_SERIES_SIZE_MAX)

/* For each event that carries a number: too often for printf. */
static void meta_name(char out[META_NAME_SIZE], const char *series)
{
    size_t size = strlen(series);
    assert(size <= NUMBER_SERIES_SIZE_MAX);
    memcpy(out, META_PREFIX, sizeof META_PREFIX - 1);
    memcpy(out + sizeof META_PREFIX - 1, series, size + 1);
}

struct number number_of(struct slice text)
{
    struct number n = {.value = 0};
    size_t digits = 0;
    uint64_t unit = 1;
    while (digits < text.size && digits < NUMBER_DIGITS_MAX) {
        uint8_t c = text.data[text.size - 1 - digits];
        if (c < '0' || c > '9') break;
        n.value += unit * (uint64_t)(c - '0');
        unit *= 10;
        digits++;
    }
    if (!digits || text.size < digits + 2) return n;
    size_t size = text.size - digits - 1;
    if (text.data[size] != '-' || size > NUMBER_SERIES_SIZE_MAX) return n;
    if (!memchr(text.data, 0, size)) memcpy(n.series, text.data, size);
    return n;
}

void numbers_flush(struct txn *t, struct numbers_note *note)
{
    if (note->greatest.series[0]) {
        char name[META_NAME_SIZE];
        meta_name(name, note->greatest.series);
        if (note->greatest.value > meta_get_uint(t, name))
            meta_put_uint(t, name, note->greatest.value);
    }
    *note = (struct numbers_note){0};
}

void numbers_note(struct txn *t, struct numbers_note *note, const struct number *number)
{
    if (!number->series[0]) return;
    if (strcmp(number->series, note->greatest.series) != 0) {
        numbers_flush(t, note);
        note->greatest = *number;
    }
    if (number->value > note->greatest.value) note->greatest.value = number->value;
}

enum err numbers_next(struct txn *t, const char *series, uint64_t *out)
{
    char name[META_NAME_SIZE];
    meta_name(name, series);
    uint64_t number = meta_get_uint(t, name) + 1;
    if (number > NUMBER_MAX) return ERR_LIMIT;
    meta_put_uint(t, name, number);
    enum err err = txn_error(t);
    if (!err) *out = number;
    return err;
}

uint64_t numbers_last(struct txn *t, const char *series)
{
    char name[META_NAME_SIZE];
    meta_name(name, series);
    return meta_get_uint(t, name);
}
