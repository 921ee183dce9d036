#pragma once
/*
 * The secret half of the township's office key, at a device that was given it: sealed to the
 * device's transport key, by the authority in the event that enrolled the hub, by the hub in an
 * `office.key` to every device that may open sealed records (SPEC 19.6).
 */
#include "node/home.h"
#include "node/recorder.h"

/* Errors: ERR_NOT_FOUND (this device was not given it), ERR_CORRUPT (what it was given does not
 * open, or is another key's), the transaction's. The caller wipes *out. */
MUST_CHECK enum err office_key_open(struct txn *t, const struct roster *roster,
                                    const struct device_keys *keys, struct box_secret *out);

/* Secret halves of the office keys that this device was given, of today's and of former ones, for
 * what was sealed before a change; newest first. Errors: as above where it has none. The caller
 * wipes *out. */
struct office_keys {
    struct box_key keys[OFFICE_KEYS_MAX + 1];
    struct box_secret secrets[OFFICE_KEYS_MAX + 1];
    size_t count;
};
MUST_CHECK enum err office_keys_open(struct txn *t, const struct roster *roster,
                                     const struct device_keys *keys, struct office_keys *out);
void office_keys_wipe(struct office_keys *k);

/* The first device that may open sealed records and has no `office.key` for the roster's office
 * key; NULL: none, which txn_error may explain. Of the township's first office key a device that
 * the authority enrolled is not asked: it was given that one then. */
const struct device *office_key_lacking(struct txn *t, const struct roster *roster);
/* Records one for each such device, within the recorder's begin..commit; *given: how many. Errors:
 * of office_key_open and recorder_add. */
MUST_CHECK enum err office_key_give(struct recorder *r, const struct roster *roster,
                                    const struct device_keys *keys, unsigned *given);
/* The same of an office key that is about to be the roster's. */
MUST_CHECK enum err office_key_give_of(struct recorder *r, const struct roster *roster,
                                       const struct box_key *office,
                                       const struct box_secret *secret, unsigned *given);
