#pragma once
/*
 * Opening sealed records at a device that has the office key: what a village recorded is registered
 * in the office's own scope, under the next number of the device's series, and the sealed record
 * names that request. All in one commit, so none is opened twice here, by whichever process.
 */
#include "node/office_key.h"
#include "node/views/sealed.h"
#include "proto/seal.h"
#include "tools/recording.h"

struct sealed_opening {
    struct cli *cli;
    struct recording recording;
    struct zstd *z;
    struct office_keys office;
    struct buf box, content, body; /* of the record being opened */
};
struct sealed_opened {
    char number[16];
    struct thing_id request;
};

/* Said at a village's device, whether anything is sealed there or not. */
int sealed_refuse_village(struct cli *cli);
/* Keys, recorder and the office key. Reports failures; sealed_open_end in any case. */
int sealed_open_begin(struct sealed_opening *o, struct cli *cli);
/* Between recorder_begin and recorder_commit. `*why` (static English text) where it cannot be
 * opened, and the others can: ERR_STATE (opened already), ERR_NOT_FOUND (its content is not held),
 * ERR_SIGNATURE, ERR_MALFORMED, ERR_LIMIT, ERR_VERSION, ERR_RANGE. Other errors end the commit. */
MUST_CHECK enum err sealed_open_one(struct sealed_opening *o, const struct thing_key *key,
                                    struct sealed_opened *out, const char **why);
/* Could it be opened here? Errors: as sealed_open_one, with *why. */
MUST_CHECK enum err sealed_open_try(struct sealed_opening *o, struct txn *t,
                                    const struct thing_key *key, const char **why);
void sealed_open_end(struct sealed_opening *o);

/* The event that founded it: its author tells the village. Borrowed from the transaction. Errors:
 * ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err sealed_founder(struct txn *t, const struct thing_key *key, struct event *out);
