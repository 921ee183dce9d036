#pragma once
/* The state machine of a request as a table; SPEC 14.8 is the same table for people. */
#include "node/views/request_step.h"

struct request_rule;

/* The rule by which this act may be done now. On an error `*why` is static English text.
 * Errors: ERR_STATE (state or guard), ERR_FORBIDDEN (not for a village at this level). */
MUST_CHECK enum err request_rules_find(const struct request_rule **out, const struct request *r,
                                       const struct request_step *s, const char **why);
enum request_state request_rules_after(const struct request_rule *rule, const struct request *r);
void request_rules_apply(const struct request_rule *rule, struct request *r,
                         const struct request_step *s);
