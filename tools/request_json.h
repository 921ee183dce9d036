#pragma once
/* What lists of requests share: what they are shown by, and one as --json shows it. */
#include "node/views/request.h"
#include "tools/categories.h"
#include "tools/output.h"

struct request_showing {
    struct cli *cli;
    const struct roster *roster;
    struct category_names categories;
    uint64_t now_ms;
    uint64_t soon_until_ms; /* what is due by the end of the second working day from now is soon */
};
/* As of a transaction, which *out borrows from. Reports failures. */
int request_showing_begin(struct request_showing *out, struct cli *cli, struct txn *txn);

json_t *request_json(const struct request_showing *s, const struct thing_key *key,
                     const struct request *r);
