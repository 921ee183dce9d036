#pragma once
/* A request's row (documented in request.h) and the local indexes over it. */
#include "node/views/request.h"

void request_row_write(struct buf *out, const struct request *r);

/* Moves the index rows of a thing from its old row to its new one (either may be empty). Call it
 * before the old row is overwritten: both slices must outlive it. Errors latch in the transaction;
 * ERR_CORRUPT: a row does not read. */
MUST_CHECK enum err request_row_index(struct txn *t, const struct thing_key *key,
                                      struct slice old_row, struct slice new_row);
/* Are the index rows of this row there? */
bool request_row_indexed(struct txn *t, const struct thing_key *key, struct slice row);
