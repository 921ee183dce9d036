#pragma once
/* May this be done to a thing that is held? Asked before an event is signed: the same rules as the
 * folds', so nothing is recorded that would have no effect. */
#include "node/views/request.h"

/* `type`: the thing's, THING_NONE where what founds it is not held. Errors: ERR_NOT_FOUND (not
 * held, or of another type than the kind), ERR_STATE, ERR_FORBIDDEN, ERR_LIMIT, ERR_AGAIN (the
 * views are being rebuilt), with *problem; the transaction's. */
MUST_CHECK enum err subject_may(struct txn *t, const struct thing_key *key, enum thing_type type,
                                const struct kind *kind, const struct request_act *act,
                                struct kind_problem *problem);
/* Was every box of the thing erased, so that no new one is kept? */
bool subject_is_erased(struct txn *t, const struct thing_key *key);
