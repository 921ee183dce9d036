#pragma once
/* The table of what may be done to things without a fold of their own (SPEC 14.12). */
#include "node/views/thing_past.h"

#define IN_STATE(n) (1u << (n))
#define SAME UINT32_MAX /* as `to`: the state stays */

enum { ACT_SETS = 1, ACT_LISTED = 2 };

/* What a guard looks at. */
struct thing_case {
    const struct thing *thing;
    const struct thing_past *past;
    const struct thing_deed *deed;
};

struct thing_rule {
    enum thing_type type;
    const char *kind;
    uint32_t from; /* bits IN_STATE */
    uint32_t to;
    unsigned flags;                                   /* ACT_* */
    const char *(*guard)(const struct thing_case *c); /* NULL, or why not */
    /* What later guards have to know; of listed kinds only. */
    void (*take)(struct thing_past *past, struct slice body);
    unsigned (*to_of)(struct slice body); /* the state where it depends on the body */
};
/* NULL: the type knows no such act. */
const struct thing_rule *thing_rule_find(enum thing_type type, struct slice kind);

/* Is the act possible? `rule` NULL: it is not. Errors: ERR_STATE, ERR_LIMIT, with `*why`. */
MUST_CHECK enum err thing_rule_check(const struct thing_rule *rule, const struct thing_case *c,
                                     const char **why);
/* The state after it. */
unsigned thing_rule_state(const struct thing_rule *rule, unsigned state, struct slice body);

/* thing_guards.c */
const char *guard_card_issue(const struct thing_case *c);
const char *guard_card_withdraw(const struct thing_case *c);
const char *guard_signup(const struct thing_case *c);
const char *guard_cancel(const struct thing_case *c);
const char *guard_verify(const struct thing_case *c);
const char *guard_asset_change(const struct thing_case *c);
void take_consent_give(struct thing_past *past, struct slice body);
void take_consent_withdraw(struct thing_past *past, struct slice body);
void take_card_issue(struct thing_past *past, struct slice body);
void take_card_withdraw(struct thing_past *past, struct slice body);
void take_signup(struct thing_past *past, struct slice body);
void take_cancel(struct thing_past *past, struct slice body);

/* thing_guards_points.c */
const char *guard_reverse(const struct thing_case *c);
const char *guard_object(const struct thing_case *c);
const char *guard_decide(const struct thing_case *c);
const char *guard_grant(const struct thing_case *c);
const char *guard_pay(const struct thing_case *c);
const char *guard_redeem_close(const struct thing_case *c);
void take_reverse(struct thing_past *past, struct slice body);
void take_object(struct thing_past *past, struct slice body);
void take_decide(struct thing_past *past, struct slice body);
void take_grant(struct thing_past *past, struct slice body);
void take_pay(struct thing_past *past, struct slice body);
