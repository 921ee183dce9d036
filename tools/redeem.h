#pragma once
/* What the verbs about redemption share: the run that is meant, and amounts as they are shown. */
#include "node/views/redemption_plan.h"
#include "node/views/rules.h"
#include "tools/points.h"
#include "tools/recording.h"

/* The run that `text` names: the beginning of its id, or a year with one run; NULL: the one that is
 * open, else (`any`) the last one. Reports failures; *run is owned by `runs`. */
int redeem_find(struct cli *cli, const struct redemptions *runs, const char *text, bool any,
                const struct redemption **run);
/* "3190.00" */
const char *redeem_money(struct cli *cli, int64_t fen);
/* The version of the rule that a run was opened by. Reports failures. */
int redeem_rule(struct cli *cli, struct txn *txn, uint32_t day, const struct redemption *run,
                uint32_t *ver, struct redeem_options *out);
