#pragma once
/*
 * The secret half of the township's office key, at a device that was given it: sealed to the
 * device's transport key in the event that enrolled it.
 */
#include "node/home.h"
#include "node/views/roster.h"

/* Errors: ERR_NOT_FOUND (this device was not given it), ERR_CORRUPT (what it was given does not
 * open, or is another key's), the transaction's. The caller wipes *out. */
MUST_CHECK enum err office_key_open(struct txn *t, const struct roster *roster,
                                    const struct device_keys *keys, struct box_secret *out);
