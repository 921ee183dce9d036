#include "node/office/rate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* num × scale / den, half up, saturating. */
static uint64_t rounded(uint64_t num, uint64_t den, unsigned scale)
{
    wide value = ((wide)num * scale * 2 + den) / ((wide)den * 2);
    return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

static void format_tenths(char out[RATE_TEXT_SIZE], uint64_t tenths, const char *unit)
{
    snprintf(out, RATE_TEXT_SIZE, "%" PRIu64 ".%u%s", tenths / 10, (unsigned)(tenths % 10), unit);
}

void rate_format(char out[RATE_TEXT_SIZE], uint64_t num, uint64_t den)
{
    enum { ALL = 1000 };
    if (den == 0) {
        strcpy(out, "—");
        return;
    }
    uint64_t tenths = rounded(num, den, ALL);
    if (tenths == ALL && num < den) tenths--;
    if (tenths == ALL && num > den) tenths++;
    format_tenths(out, tenths, "%");
}

void rate_format_mean(char out[RATE_TEXT_SIZE], uint64_t sum, uint64_t count)
{
    if (count == 0)
        strcpy(out, "—");
    else
        format_tenths(out, rounded(sum, count, 10), "");
}
