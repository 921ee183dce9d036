#pragma once
/*
 * One act on a request on its way through the machine: what it states about time, read once.
 *
 *   request_rules    the table: kind, condition, states, village right, guard, effect
 *   request_guards   whether an act may be done now
 *   request_apply    what it changes
 */
#include "node/views/body.h"
#include "node/views/request.h"

struct request_step {
    const struct request_act *act;
    bool township;       /* a township device acts */
    uint64_t clock_ms;   /* the moment that counts: own time of the township's, stated of others */
    uint64_t claimed_ms; /* the moment stated, else the own time */
    bool no_clock;       /* none is stated and the own clock is not trusted: it judges nothing */
    uint64_t due_ms, next_due_ms; /* as stated, 0: not */
    uint32_t rules;
    bool provisional;
};
void request_step_of(struct request_step *out, const struct request_act *act);

/* Place of the supporting unit that the act's `unit` names; -1 where it names none. */
int request_step_support(const struct request *r, const struct request_step *s);
