#include "node/office/rate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum { ALL = 1000 }; /* tenths of a hundredth */

/* Half up, saturating. */
static uint64_t tenths_of(uint64_t num, uint64_t den)
{
    wide value = ((wide)num * ALL * 2 + den) / ((wide)den * 2);
    return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

void rate_format(char out[RATE_TEXT_SIZE], uint64_t num, uint64_t den)
{
    if (den == 0) {
        strcpy(out, "—");
        return;
    }
    uint64_t tenths = tenths_of(num, den);
    if (tenths == ALL && num < den) tenths--;
    if (tenths == ALL && num > den) tenths++;
    snprintf(out, RATE_TEXT_SIZE, "%" PRIu64 ".%u%%", tenths / 10, (unsigned)(tenths % 10));
}
