#pragma once
/*
 * Figures as the office prints them: one decimal, half up, by integers only. The numerator and the
 * denominator are shown beside a rate by whoever prints it.
 */
#include <stdint.h>

#define RATE_TEXT_SIZE 32

/* "88.9%" for 72 of 81; "—" when `den` is 0. "100.0%" only when all of them are: what would round
 * up to it is "99.9%". */
void rate_format(char out[RATE_TEXT_SIZE], uint64_t num, uint64_t den);
