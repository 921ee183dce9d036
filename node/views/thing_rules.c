#include "node/views/thing_rules.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/body.h"

/* --- states -------------------------------------------------------------------------------- */

enum { OPEN, CLOSED };
enum { ACTIVE, LEFT };
enum { CARRIED, GIVEN };
enum { LOGGED, VERIFIED, REJECTED };
enum { STATES_MAX = 3 };

struct state_name {
    const char *name, *zh;
};
#define ONE_STATE                                                                                  \
    {                                                                                              \
        {                                                                                          \
            "recorded", "已记录"                                                                \
        }                                                                                          \
    }

static const struct state_name states[THING_TYPE_COUNT][STATES_MAX] = {
    [THING_VILLAGE] = {{"open", "在用"}, {"closed", "已撤并"}},
    [THING_DEVICE] = {{"invited", "待加入"}, {"joined", "已加入"}, {"revoked", "已停用"}},
    [THING_ACTOR] = {{"active", "在岗"}, {"revoked", "已撤销"}, {"handed_over", "已交接"}},
    [THING_RULE] = ONE_STATE,
    [THING_CALENDAR] = ONE_STATE,
    [THING_UNIT] = {{"in_use", "在用"}, {"abolished", "已撤销"}},
    [THING_DUTY] = ONE_STATE,
    [THING_TEAM] = ONE_STATE,
    [THING_VOLUNTEER] = {{"active", "在册"}, {"left", "已退出"}},
    [THING_CALL] = {{"open", "报名中"}, {"closed", "已截止"}},
    [THING_ACTIVITY] = ONE_STATE,
    [THING_SERVICE] = {{"logged", "待核定"}, {"verified", "已核定"}, {"rejected", "未通过"}},
    [THING_ASSET] = ONE_STATE,
    [THING_THANKS] = ONE_STATE,
    [THING_NOTICE] = ONE_STATE,
    [THING_POINTS] = ONE_STATE,
    [THING_PUBLICITY] = {{"shown", "公示中"}, {"ended", "公示结束"}},
    [THING_REDEEM] = {{"running", "兑换中"}, {"completed", "已完成"}},
    [THING_HONOUR] = ONE_STATE,
    [THING_BENEFIT] = ONE_STATE,
    [THING_STAT] = ONE_STATE,
    [THING_OFFICE_KEY] = ONE_STATE,
    [THING_CONTINUATION] = ONE_STATE,
    [THING_COURIER] = {{"carried", "捎带中"}, {"given", "已交出"}},
    [THING_SEALED] = {{"sealed", "未启封"}, {"opened", "已启封"}, {"dismissed", "已作废"}},
};

bool thing_is_plain(enum thing_type type)
{
    return (type >= THING_RULE && type <= THING_STAT) || type == THING_OFFICE_KEY ||
           type == THING_CONTINUATION || type == THING_COURIER;
}

static const struct state_name *state_of(enum thing_type type, unsigned state)
{
    static const struct state_name unknown = {"?", "?"};
    bool known = type < THING_TYPE_COUNT && state < STATES_MAX && states[type][state].name;
    return known ? &states[type][state] : &unknown;
}

const char *thing_state_name(enum thing_type type, unsigned state)
{
    return state_of(type, state)->name;
}

const char *thing_state_zh(enum thing_type type, unsigned state)
{
    return state_of(type, state)->zh;
}

const char *thing_state_zh_of(enum thing_type type, const char *name)
{
    for (unsigned state = 0; type < THING_TYPE_COUNT && state < STATES_MAX; state++)
        if (states[type][state].name && strcmp(states[type][state].name, name) == 0)
            return states[type][state].zh;
    return NULL;
}

/* --- acts ---------------------------------------------------------------------------------- */

static unsigned verified_to(struct slice body)
{
    return slice_is_text(body_text(body, "decision"), "no") ? REJECTED : VERIFIED;
}

#define IS(state) IN_STATE(state)

static const struct thing_rule rules[] = {
    {THING_UNIT, "unit.close", IS(OPEN), CLOSED, ACT_SETS, NULL, NULL, NULL},
    {THING_VOLUNTEER, "volunteer.update", IS(ACTIVE), SAME, ACT_SETS, NULL, NULL, NULL},
    {THING_VOLUNTEER, "volunteer.leave", IS(ACTIVE), LEFT, ACT_SETS, NULL, NULL, NULL},
    {THING_VOLUNTEER, "consent.give", IS(ACTIVE), SAME, ACT_LISTED, NULL, take_consent_give, NULL},
    {THING_VOLUNTEER, "consent.withdraw", IS(ACTIVE), SAME, ACT_LISTED, NULL, take_consent_withdraw,
     NULL},
    {THING_VOLUNTEER, "card.issue", IS(ACTIVE), SAME, ACT_LISTED, guard_card_issue, take_card_issue,
     NULL},
    {THING_VOLUNTEER, "card.withdraw", IS(ACTIVE) | IS(LEFT), SAME, ACT_LISTED, guard_card_withdraw,
     take_card_withdraw, NULL},
    {THING_CALL, "call.update", IS(OPEN), SAME, ACT_SETS, NULL, NULL, NULL},
    {THING_CALL, "call.close", IS(OPEN), CLOSED, ACT_SETS, NULL, NULL, NULL},
    {THING_CALL, "call.signup", IS(OPEN), SAME, ACT_LISTED, guard_signup, take_signup, NULL},
    {THING_CALL, "call.cancel", IS(OPEN), SAME, ACT_LISTED, guard_cancel, take_cancel, NULL},
    {THING_SERVICE, "service.verify", IS(LOGGED) | IS(VERIFIED) | IS(REJECTED), SAME, ACT_LISTED,
     guard_verify, NULL, verified_to},
    {THING_ASSET, "asset.change", IS(OPEN), SAME, ACT_SETS | ACT_LISTED, guard_asset_change, NULL,
     NULL},
    {THING_POINTS, "points.reverse", IS(OPEN), SAME, ACT_LISTED, guard_reverse, take_reverse, NULL},
    {THING_POINTS, "points.object", IS(OPEN), SAME, ACT_LISTED, guard_object, take_object, NULL},
    {THING_POINTS, "points.decide", IS(OPEN), SAME, ACT_LISTED, guard_decide, take_decide, NULL},
    {THING_PUBLICITY, "publicity.close", IS(OPEN), CLOSED, ACT_SETS | ACT_LISTED, NULL, NULL, NULL},
    {THING_REDEEM, "redeem.grant", IS(OPEN), SAME, ACT_LISTED, guard_grant, take_grant, NULL},
    {THING_REDEEM, "redeem.pay", IS(OPEN), SAME, ACT_LISTED, guard_pay, take_pay, NULL},
    {THING_REDEEM, "redeem.close", IS(OPEN), CLOSED, ACT_SETS, guard_redeem_close, NULL, NULL},
    {THING_COURIER, "courier.given", IS(CARRIED) | IS(GIVEN), GIVEN, ACT_LISTED, NULL, NULL, NULL},
};

const struct thing_rule *thing_rule_find(enum thing_type type, struct slice kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].type == type && slice_is_text(kind, rules[i].kind)) return &rules[i];
    return NULL;
}

enum err thing_rule_check(const struct thing_rule *rule, const struct thing_case *c,
                          const char **why)
{
    const struct thing *thing = c->thing;
    *why = NULL;
    if (!rule || !(rule->from & IN_STATE(thing->state))) {
        *why = N_("not possible in this state");
        return ERR_STATE;
    }
    if (rule->flags & ACT_LISTED && thing->acts.size + c->deed->body.size > THING_ACTS_SIZE_MAX) {
        *why = N_("too much is listed of it already");
        return ERR_LIMIT;
    }
    if (rule->guard) *why = rule->guard(c);
    return *why ? ERR_STATE : OK;
}

unsigned thing_rule_state(const struct thing_rule *rule, unsigned state, struct slice body)
{
    if (rule->to_of) return rule->to_of(body);
    return rule->to == SAME ? state : rule->to;
}
