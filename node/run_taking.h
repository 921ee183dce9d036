#pragma once
/*
 * Runs enter the log, whatever brought them: a session or a file. Who may bring which feed is asked
 * by the caller before.
 */
#include "node/arrival.h"
#include "proto/frame.h"

/* Which feed a RUN is of. A whole description that contradicts its short form is malformed.
 * Errors: ERR_BASE (named in short, and not here). */
MUST_CHECK enum err run_feed_of(struct txn *t, const struct feed_ref *ref, struct feed *feed,
                                bool *held, struct feed_row *row);
/* Opens the run after its base, verifies and appends it. `row`: NULL where the feed is not held.
 * Errors: those of run_open and arrival_add, ERR_BASE (its base is not held), ERR_CORRUPT (damaged
 * here), ERR_LIMIT (a body that a village may not say to the whole town). */
MUST_CHECK enum err run_take(struct run_decoder *decoder, struct arrival *a,
                             const struct roster *roster, const struct run *run,
                             const struct feed *feed, const struct feed_row *row);
/* Is this an error of the run? Any other is the store's own. True for OK. */
bool run_is_at_fault(enum err err);

/* --- without storing: what would be taken ---
 * Each run is opened and verified after its base, be that held or seen before; bounded, however
 * many runs there are. */
struct run_look;
#define RUN_LOOK_HEADS_MAX 4096u /* of feeds and branches that are remembered */
MUST_CHECK enum err run_look_open(struct run_look **out);
void run_look_close(struct run_look *l); /* NULL is fine */
/* As run_feed_of, also of what was seen. */
MUST_CHECK enum err run_look_feed_of(const struct run_look *l, struct txn *t,
                                     const struct feed_ref *ref, struct feed *feed, bool *held,
                                     struct feed_row *row);
/* *fresh: events that are not held. What the log would say of their order (branches, epochs) is not
 * asked. Errors: as run_take; ERR_LIMIT also where too many heads would have to be remembered. */
MUST_CHECK enum err run_look_at(struct run_look *l, struct run_decoder *decoder, struct txn *t,
                                const struct roster *roster, const struct run *run,
                                const struct feed *feed, const struct feed_row *row,
                                uint64_t *fresh);
