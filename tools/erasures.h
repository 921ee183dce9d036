#pragma once
/* Orders to erase and who has not carried them out yet, for status, show and doctor. */
#include "node/views/erasure.h"
#include "tools/cli.h"

#include <jansson.h>

#define ERASURES_SHOWN_MS (UINT64_C(30) * 24 * 3600 * 1000) /* what everybody answered */

/* Each order that somebody still owes an answer to, or that is not older than ERASURES_SHOWN_MS,
 * until `each` says false. Reports errors itself. */
int erasures_each(struct cli *cli, struct txn *txn, const struct roster *roster,
                  bool (*each)(void *state, const struct erasure *e), void *state);
/* "erasures" of `status --json`. */
int erasures_json(struct cli *cli, struct txn *txn, const struct roster *roster, json_t **out);
/* A line for each that waits for somebody. */
int erasures_lines(struct cli *cli, struct txn *txn, const struct roster *roster);
/* One, in words: by whom, with whom, why, when; and who still owes an answer, "" where nobody does.
 */
const char *erasure_words(struct cli *cli, struct txn *txn, const struct roster *roster,
                          const struct erasure *e);
const char *erasure_waits_words(struct cli *cli, const struct erasure *e);
