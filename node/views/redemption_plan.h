#pragma once
/*
 * What a redemption run comes to: its list, and the grants that the rule in force makes of it
 * (SPEC 20.7). Nothing is recorded here.
 */
#include "node/office/redeem.h"
#include "node/views/ledger.h"

struct redemption_plan {
    struct ledger_list list;
    struct hash digest;           /* of the list */
    struct redeem_person *people; /* all of the list, by points; ids are the list's */
    struct redeem_result result;
};
/* `run` as ledger_list_run takes it. Owned by the caller, also after ERR_LIMIT (the pool holds less
 * than the scheme owes: result.missing_fen): redemption_plan_clear. Other errors: ERR_NOMEM,
 * ERR_RANGE (as redeem_grant). */
MUST_CHECK enum err redemption_plan(struct redemption_plan *out, const struct ledger *l, size_t run,
                                    const struct redeem_options *options, int64_t pool_fen);
void redemption_plan_clear(struct redemption_plan *p);

/* Calls back with the bodies of the redeem.grant events, as many as it takes; who is granted
 * nothing is in none. `body` is borrowed for the call; false stops. Errors: ERR_NOMEM. */
MUST_CHECK enum err redemption_plan_grants(const struct redemption_plan *p, const struct ledger *l,
                                           bool (*each)(void *state, struct slice body),
                                           void *state);
