#pragma once
/*
 * The heads that count of feeds whose later records do not: what --keep names, and of the other
 * feeds all that is held here and counts.
 */
#include "tools/cli.h"

struct kept_heads {
    struct head_named heads[CUT_HEADS_MAX];
    size_t count;
};
/* Of the feeds whose authors `is_author` says are meant. Reports what is wrong with --keep; `what`:
 * what was not done, translated. */
int kept_heads_read(struct kept_heads *out, struct cli *cli, struct txn *txn,
                    const struct roster *roster, const char *what,
                    bool (*is_author)(void *state, const struct sign_key *author), void *state);
