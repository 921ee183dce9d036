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

/* The first device that may open sealed records and has no `office.key` for the roster's office
 * key; NULL: none, which txn_error may explain. Devices that the authority enrolled are not asked:
 * they were given it then. */
const struct device *office_key_lacking(struct txn *t, const struct roster *roster);
/* Records one for each such device, within the recorder's begin..commit; *given: how many. Errors:
 * of office_key_open and recorder_add. */
MUST_CHECK enum err office_key_give(struct recorder *r, const struct roster *roster,
                                    const struct device_keys *keys, unsigned *given);
