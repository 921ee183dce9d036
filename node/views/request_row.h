#pragma once
/* A request's row (documented in request.h) and the local indexes over it. */
#include "node/views/request.h"

void request_row_write(struct buf *out, const struct request *r);
/* Only what lists need: the other members stay as they are. Errors: ERR_CORRUPT. */
MUST_CHECK enum err request_row_read_brief(struct request *out, struct slice row);

/* Moves the index rows of a thing from what its row was to what it is (NULL: there is none). Their
 * texts may be borrowed from the transaction. Errors latch in it. */
void request_row_index(struct txn *t, const struct thing_key *key, const struct request *before,
                       const struct request *after);
/* Are the index rows of this row there? */
bool request_row_indexed(struct txn *t, const struct thing_key *key, struct slice row);
