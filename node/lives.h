#pragma once
/*
 * The lives of this device's feeds. All feeds of one life have one epoch: none in the first, 8
 * random bytes in each later one, so two copies of one disk never open the same. A life ends when
 * this device learns that another copy of it may sign too, and no event is appended to its feeds
 * again (F1). It learns by
 *
 *   the side file   at start, with no link: the home was copied, or the store is older than it was
 *   an own event    that comes from a peer and makes a fork with what was recorded here
 *   a person        who puts back a backup
 *
 * A store that is merely older and in which nothing was signed since takes its later events back
 * from a peer and goes on in the same life (F3): until then it is *behind*.
 */
#include "node/side_file.h"
#include "node/store/log.h"

enum life_cause { LIFE_FIRST, LIFE_RESTORED, LIFE_ROLLED_BACK, LIFE_COPIED, LIFE_FORKED };
const char *life_cause_name(enum life_cause cause); /* as in feed.continued; "" for the first */

struct life {
    uint64_t count; /* 0: the first */
    enum life_cause cause;
    bool has_epoch;
    uint8_t epoch[8];
};
void life_get(struct txn *t, struct life *out);
/* Ends the present life, in the transaction; the next one has at least the number `least`. */
void life_next(struct txn *t, enum life_cause cause, uint64_t least);
/* Does the feed belong to the present life? */
bool life_has(const struct life *life, const struct feed *feed);

/* Before anything is signed by this process. Compares the side file with store and machine; a copy
 * begins a new life, with a new generation of the store. `*behind`: see lives_settle. A store that
 * was opened only to read is left as it is. Errors: the store's. */
MUST_CHECK enum err lives_open(struct store *s, bool *behind);
/* The store was put back from a backup, in the folder that store_open was given: a new life and a
 * new side file, whatever comes to light. Errors: the store's, the system's. */
MUST_CHECK enum err lives_restored(struct store *s, uint64_t least);
/* As lives_open without writing: what would be found; LIFE_FIRST: nothing. For people. */
MUST_CHECK enum err lives_look(struct store *s, enum life_cause *found);
/* Within a transaction that will sign, where the store was behind: it is so no more (*behind false,
 * its later events are back), or a new life begins. */
MUST_CHECK enum err lives_settle(struct txn *t, bool *behind);

/* Before the commit of a transaction that signed: sees to it that there is a side file. */
void lives_sign(struct txn *t);
/* After it: `rows` is where own feeds of the life `count` stand now. */
void lives_signed(struct store *s, uint64_t count, const struct side_row *rows, size_t row_count);

/* An own event came from elsewhere: `before` is the feed as it stood (NULL: not held), `after` as
 * it stands. True when it made a fork; one in the present life has ended that. */
bool lives_take(struct txn *t, const struct feed_row *before, const struct feed_row *after);

/* After any of this numbers may have been given that this store does not know: none is given until
 * a person has typed the last one on paper (F5). */
bool lives_numbers_wait(struct txn *t);
void lives_numbers_confirmed(struct txn *t);

/* How many lives this device used, by the feeds of `key` that are held: at most DEVICE_EPOCHS_MAX
 * beyond the first. */
size_t lives_used(struct txn *t, const struct sign_key *key);
