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

/* "03A-0127" into "03A" and 127. */
static bool number_split(struct slice text, char series[NUMBER_SERIES_SIZE_MAX + 1],
                         uint64_t *number)
{
    size_t digits = 0;
    uint64_t value = 0, unit = 1;
    while (digits < text.size && digits < NUMBER_DIGITS_MAX) {
        uint8_t c = text.data[text.size - 1 - digits];
        if (c < '0' || c > '9') break;
        value += unit * (uint64_t)(c - '0');
        unit *= 10;
        digits++;
    }
    if (!digits || text.size < digits + 2) return false;
    size_t size = text.size - digits - 1;
    if (text.data[size] != '-' || size > NUMBER_SERIES_SIZE_MAX) return false;
    if (memchr(text.data, 0, size)) return false;
    memcpy(series, text.data, size);
    series[size] = 0;
    *number = value;
    return true;
}

void numbers_flush(struct txn *t, struct numbers_note *note)
{
    if (note->series[0]) {
        char name[META_NAME_SIZE];
        meta_name(name, note->series);
        if (note->greatest > meta_get_uint(t, name)) meta_put_uint(t, name, note->greatest);
    }
    *note = (struct numbers_note){0};
}

void numbers_note(struct txn *t, struct numbers_note *note, struct slice number)
{
    char series[NUMBER_SERIES_SIZE_MAX + 1];
    uint64_t value;
    if (!number_split(number, series, &value)) return;
    if (strcmp(series, note->series) != 0) {
        numbers_flush(t, note);
        memcpy(note->series, series, sizeof note->series);
    }
    if (value > note->greatest) note->greatest = value;
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
