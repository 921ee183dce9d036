#include "node/office/rank.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const struct rank_row *x = a, *y = b;
    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    return slice_compare(x->id, y->id);
}

static int by_all(const void *a, const void *b)
{
    const struct rank_row *x = a, *y = b;
    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    if (x->minutes != y->minutes) return x->minutes > y->minutes ? -1 : 1;
    if (x->first_day != y->first_day) return x->first_day < y->first_day ? -1 : 1;
    return slice_compare(x->id, y->id);
}

void rank_share(struct rank_row *rows, size_t count)
{
    if (count > 1) qsort(rows, count, sizeof *rows, by_value);
    for (size_t i = 0; i < count; i++) {
        bool shared = i > 0 && rows[i].value == rows[i - 1].value;
        rows[i].rank = shared ? rows[i - 1].rank : (uint32_t)i + 1;
    }
}

void rank_for_certificates(struct rank_row *rows, size_t count)
{
    if (count > 1) qsort(rows, count, sizeof *rows, by_all);
    for (size_t i = 0; i < count; i++) rows[i].rank = (uint32_t)i + 1;
}
