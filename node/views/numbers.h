#pragma once
/*
 * Counters of official and village numbers, kept in the store's local meta: "03A-0127" is number
 * 127 of series "03A". A counter never goes back; it is made again from the numbers that this
 * device's own events carry, so a rebuilt or refilled store goes on where it was.
 */
#include "node/store/store.h"

#define NUMBER_SERIES_SIZE_MAX 7

/* "03A-0127" is {"03A", 127}; an empty series: it is no number of a series. */
struct number {
    char series[NUMBER_SERIES_SIZE_MAX + 1];
    uint64_t value;
};
struct number number_of(struct slice text);

/* The greatest number noted of one series and not yet in the store. Zero-initialise. */
struct numbers_note {
    struct number greatest;
};
/* Writes only when the series changes; end with numbers_flush in the same transaction. */
void numbers_note(struct txn *t, struct numbers_note *note, const struct number *number);
void numbers_flush(struct txn *t, struct numbers_note *note);

/* Takes the next number of a series. Errors: ERR_LIMIT (the series is used up), the transaction's.
 */
MUST_CHECK enum err numbers_next(struct txn *t, const char *series, uint64_t *out);
/* The last one taken or noted; 0: none. */
uint64_t numbers_last(struct txn *t, const char *series);
