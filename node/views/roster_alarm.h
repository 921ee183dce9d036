#pragma once
/*
 * What is wrong with who signs for the township, which every node shows (SPEC 10.9, 10.12): the
 * authority's feed forked and nobody has ended it, or a sheet from the drawer was used twice. Told
 * from what is held, for people; nothing depends on it.
 */
#include "node/views/views.h"

struct roster_alarm {
    uint32_t forked; /* feeds of an authority with several heads, where it did not go on since */
    uint32_t forked_before; /* where it went on: the fork is ended */
    bool sheet_twice;       /* a recovery key named another authority than the one that stands */
};
/* Errors: the transaction's, ERR_NOMEM. */
MUST_CHECK enum err roster_alarm(struct views *v, struct txn *t, struct roster_alarm *out);
