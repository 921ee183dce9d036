#pragma once
/*
 * Ranks of people and villages, the greatest value first. The order of the input never matters.
 */
#include "common/bytes.h"

struct rank_row {
    int64_t value;
    int64_t minutes;    /* rank_for_certificates: more come first, */
    uint32_t first_day; /* then the earlier one */
    struct slice id;    /* borrowed; the last word where all else is equal, in byte order */
    uint32_t rank;      /* from 1: the result */
};

/* Sorts by value; equal values share a rank and the next one is left out: 1, 2, 2, 4. */
void rank_share(struct rank_row *rows, size_t count);
/* For certificates, of which each has a rank of its own: 1, 2, 3, 4, by value, minutes, first day
 * and id. */
void rank_for_certificates(struct rank_row *rows, size_t count);
