#pragma once
/*
 * An arrival: events enter the log and their things are folded again, in one transaction. The one
 * door into the log, for what a person records, what a peer sent and what a file brings.
 */
#include "node/views/views.h"

struct arrival;
/* Begins a write transaction. Errors: the store's, ERR_NOSPACE (disk nearly full). */
MUST_CHECK enum err arrival_begin(struct arrival **out, struct store *s, struct views *v);
/* The same for what a person records, who may use the last of the disk: `*low`, it has come to
 * that. Every thing is folded by the arrival_add that touches it, for the next record is judged by
 * its rows. */
MUST_CHECK enum err arrival_begin_person(struct arrival **out, struct store *s, struct views *v,
                                         bool *low);
struct txn *arrival_txn(struct arrival *a);
/* Appends verified, consecutive events of one feed, oldest first, the first one's predecessor held,
 * and folds the things they touch: the roster's and those founded here at once, the others by the
 * commit; the events' bytes are needed for this call only. Errors:
 * ERR_BASE, ERR_LIMIT, ERR_CHAIN (nothing of this call was appended), the transaction's. `*fresh`:
 * how many were new. */
MUST_CHECK enum err arrival_add(struct arrival *a, const struct event *events, size_t count,
                                size_t *fresh);
/* The same for what comes from elsewhere, be it recorded here once (node/lives.h). */
MUST_CHECK enum err arrival_take(struct arrival *a, const struct event *events, size_t count,
                                 size_t *fresh);
/* This device's own records forked by what was taken: recorder_continue after the commit. */
bool arrival_forked(const struct arrival *a);
/* As arrival_add for the next event of a thing: one that was made knowing all that is held of it
 * and lies deeper than all of that, so it need not be read again. */
MUST_CHECK enum err arrival_add_next(struct arrival *a, const struct event *e);
/* Folds what waits and commits. Frees the arrival whatever the result. */
MUST_CHECK enum err arrival_commit(struct arrival *a);
void arrival_abort(struct arrival *a); /* NULL is fine */
