#pragma once
/* The index row of a volunteer's number (ROW_NUMBER), beside the row itself. */
#include "node/views/thing.h"

/* Moves it from what the volunteer's row was to what it is (empty: there is none). */
MUST_CHECK enum err person_row_index(struct txn *t, const struct thing_key *key,
                                     struct slice before, struct slice after);
/* Is it there? */
bool person_row_indexed(struct txn *t, const struct thing_key *key, struct slice row);
/* The number in a row; empty where none is given. Borrowed. */
struct slice person_row_number(const struct thing_key *key, struct slice row);
