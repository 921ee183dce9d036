#include "node/views/request_rules.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/request_apply.h"
#include "node/views/request_guards.h"

/* --- sets of states ----------------------------------------------------------------------- */

enum {
    REGISTERED = 1 << REQUEST_REGISTERED,
    AWAITING_INFO = 1 << REQUEST_AWAITING_INFO,
    ACCEPTED = 1 << REQUEST_ACCEPTED,
    ASSIGNED = 1 << REQUEST_ASSIGNED,
    IN_PROGRESS = 1 << REQUEST_IN_PROGRESS,
    OBJECTED = 1 << REQUEST_OBJECTED,
    SUSPENDED = 1 << REQUEST_SUSPENDED,
    REPORTED = 1 << REQUEST_REPORTED,
    CLOSED = 1 << REQUEST_CLOSED,
    ORDERED = ASSIGNED | IN_PROGRESS,
    UNDONE = REGISTERED | AWAITING_INFO | ACCEPTED | ORDERED | OBJECTED | SUSPENDED,
    OPEN = UNDONE | REPORTED,
    ANY_STATE = OPEN | CLOSED | 1 << REQUEST_DECLINED | 1 << REQUEST_MERGED |
                1 << REQUEST_WITHDRAWN | 1 << REQUEST_ARCHIVED,
};

/* --- which of two rows: by what the act says or the request is ---------------------------- */

typedef bool condition(const struct request *r, const struct request_step *s);

static bool when_ask(const struct request *r, const struct request_step *s)
{
    (void)r;
    return slice_is_text(body_text(s->act->body, "what"), "ask");
}

static bool when_told(const struct request *r, const struct request_step *s)
{
    return !when_ask(r, s);
}

static bool when_agree(const struct request *r, const struct request_step *s)
{
    (void)r;
    return body_bool(s->act->body, "agree");
}

static bool when_overrule(const struct request *r, const struct request_step *s)
{
    return !when_agree(r, s);
}

static bool when_supporting(const struct request *r, const struct request_step *s)
{
    return request_step_support(r, s) >= 0;
}

static bool when_passed(const struct request *r, const struct request_step *s)
{
    (void)r;
    return body_bool(s->act->body, "ok");
}

static bool when_answer_failed(const struct request *r, const struct request_step *s)
{
    return r->answered && !when_passed(r, s);
}

/* --- the table ---------------------------------------------------------------------------- */

/* Which requests a village may do this to: any in its scope, those it handles itself, none. */
enum village_right { VILLAGE_ANY, VILLAGE_OWN, VILLAGE_NEVER };
enum { NO_CLOCK = REQUEST_CLOCK_COUNT };
/* END: the deadline of the step before ends. NEXT: and the one that the act states begins. */
enum deadline { KEEP, END, NEXT };
#define SAME REQUEST_HELD /* the state stays */

#define KIND(name) (name), sizeof(name) - 1
#define GUARD(name) request_guard_##name
#define DOES(name) request_apply_##name

/* Of a kind's rows for a state the first whose condition holds. */
static const struct request_rule {
    const char *kind;
    size_t kind_size;
    condition *when;
    uint32_t from;
    enum request_state to;
    enum village_right village;
    enum deadline deadline;
    unsigned judges; /* enum request_clock: the step whose deadline this act meets or misses */
    request_guard *guard;
    request_effect *effect;
} rules[] = {
    {KIND("request.accept"), NULL, REGISTERED, REQUEST_ACCEPTED, VILLAGE_OWN, NEXT, CLOCK_ACCEPT,
     GUARD(accept), DOES(accept)},
    {KIND("request.number"), NULL, ANY_STATE, SAME, VILLAGE_NEVER, KEEP, NO_CLOCK, GUARD(number),
     DOES(number)},
    {KIND("order.issue"), NULL, ACCEPTED, REQUEST_ASSIGNED, VILLAGE_OWN, NEXT, CLOCK_ISSUE,
     GUARD(issue), DOES(issue)},
    {KIND("order.sign"), NULL, ASSIGNED, REQUEST_IN_PROGRESS, VILLAGE_ANY, NEXT, CLOCK_SIGN, NULL,
     DOES(sign)},
    {KIND("contact.log"), NULL, OPEN, SAME, VILLAGE_ANY, KEEP, NO_CLOCK, NULL, DOES(contact)},
    {KIND("progress.note"), NULL, OPEN, SAME, VILLAGE_ANY, KEEP, NO_CLOCK, NULL, NULL},
    {KIND("order.report"), when_supporting, IN_PROGRESS, SAME, VILLAGE_ANY, KEEP, NO_CLOCK, NULL,
     DOES(support_report)},
    {KIND("order.report"), NULL, IN_PROGRESS, REQUEST_REPORTED, VILLAGE_ANY, NEXT, NO_CLOCK,
     GUARD(report), DOES(report)},
    {KIND("callback.record"), NULL, REPORTED, SAME, VILLAGE_OWN, KEEP, NO_CLOCK, GUARD(callback),
     DOES(callback)},
    {KIND("callback.record"), NULL, CLOSED, SAME, VILLAGE_NEVER, KEEP, NO_CLOCK, GUARD(callback),
     DOES(callback)},
    {KIND("request.close"), NULL, REPORTED, REQUEST_CLOSED, VILLAGE_OWN, END, NO_CLOCK,
     GUARD(close), DOES(close)},
    {KIND("request.supplement"), when_ask, REGISTERED, REQUEST_AWAITING_INFO, VILLAGE_OWN, NEXT,
     NO_CLOCK, NULL, NULL},
    {KIND("request.supplement"), when_told, AWAITING_INFO, REQUEST_REGISTERED, VILLAGE_ANY, NEXT,
     NO_CLOCK, NULL, NULL},
    {KIND("request.answer"), NULL, REGISTERED, REQUEST_REPORTED, VILLAGE_OWN, NEXT, CLOCK_ACCEPT,
     GUARD(answer), DOES(answer)},
    {KIND("request.decline"), NULL, REGISTERED | AWAITING_INFO, REQUEST_DECLINED, VILLAGE_NEVER,
     END, NO_CLOCK, GUARD(decline), NULL},
    {KIND("request.merge"), NULL, REGISTERED | AWAITING_INFO | ACCEPTED, REQUEST_MERGED,
     VILLAGE_NEVER, END, NO_CLOCK, GUARD(merge), DOES(merge)},
    {KIND("request.withdraw"), NULL, UNDONE, REQUEST_WITHDRAWN, VILLAGE_OWN, END, NO_CLOCK, NULL,
     DOES(withdraw)},
    {KIND("request.escalate"), NULL, ACCEPTED | ORDERED, REQUEST_REGISTERED, VILLAGE_OWN, NEXT,
     NO_CLOCK, NULL, DOES(escalate)},
    {KIND("order.object"), NULL, ORDERED, REQUEST_OBJECTED, VILLAGE_ANY, NEXT, NO_CLOCK, NULL,
     DOES(object)},
    {KIND("order.object_decide"), when_agree, OBJECTED, REQUEST_ACCEPTED, VILLAGE_NEVER, NEXT,
     NO_CLOCK, NULL, DOES(agree)},
    {KIND("order.object_decide"), when_overrule, OBJECTED, REQUEST_ASSIGNED, VILLAGE_NEVER, NEXT,
     NO_CLOCK, NULL, DOES(overrule)},
    {KIND("order.transfer"), NULL, ORDERED, REQUEST_ASSIGNED, VILLAGE_NEVER, NEXT, NO_CLOCK,
     GUARD(due), DOES(transfer)},
    {KIND("order.extend_ask"), NULL, ORDERED, SAME, VILLAGE_ANY, KEEP, NO_CLOCK, GUARD(extend_ask),
     DOES(extend_ask)},
    {KIND("order.extend_decide"), NULL, ORDERED | OBJECTED | SUSPENDED, SAME, VILLAGE_NEVER, KEEP,
     NO_CLOCK, GUARD(extend_decide), DOES(extend_decide)},
    {KIND("order.suspend"), NULL, IN_PROGRESS, REQUEST_SUSPENDED, VILLAGE_NEVER, KEEP, NO_CLOCK,
     GUARD(suspend), DOES(suspend)},
    {KIND("order.resume"), NULL, SUSPENDED, REQUEST_IN_PROGRESS, VILLAGE_NEVER, KEEP, NO_CLOCK,
     GUARD(due), DOES(resume)},
    {KIND("order.review"), when_passed, REPORTED, SAME, VILLAGE_NEVER, KEEP, NO_CLOCK, NULL, NULL},
    {KIND("order.review"), when_answer_failed, REPORTED, REQUEST_REGISTERED, VILLAGE_NEVER, END,
     NO_CLOCK, NULL, DOES(take_back)},
    {KIND("order.review"), NULL, REPORTED, REQUEST_IN_PROGRESS, VILLAGE_NEVER, END, NO_CLOCK, NULL,
     NULL},
    {KIND("request.reopen"), NULL, REPORTED | CLOSED, REQUEST_IN_PROGRESS, VILLAGE_NEVER, END,
     NO_CLOCK, GUARD(reopen), DOES(reopen)},
    {KIND("request.archive"), NULL, CLOSED, REQUEST_ARCHIVED, VILLAGE_NEVER, END, NO_CLOCK, NULL,
     DOES(archive)},
    {KIND("supervise.issue"), NULL, OPEN, SAME, VILLAGE_NEVER, KEEP, NO_CLOCK, NULL,
     DOES(supervise)},
    {KIND("correct.entry"), NULL, ANY_STATE, SAME, VILLAGE_ANY, KEEP, NO_CLOCK, NULL, NULL},
    {KIND("conflict.resolve"), NULL, ANY_STATE, SAME, VILLAGE_NEVER, KEEP, NO_CLOCK, NULL, NULL},
    {KIND("subject.correct"), NULL, ANY_STATE, SAME, VILLAGE_ANY, KEEP, NO_CLOCK, NULL, NULL},
    {KIND("subject.export"), NULL, ANY_STATE, SAME, VILLAGE_ANY, KEEP, NO_CLOCK, NULL, NULL},
    {KIND("subject.erase"), NULL, ANY_STATE, SAME, VILLAGE_NEVER, KEEP, NO_CLOCK, NULL, NULL},
    {KIND("subject.erase_ack"), NULL, ANY_STATE, SAME, VILLAGE_ANY, KEEP, NO_CLOCK, NULL, NULL},
};

static const struct request_rule *rule_of(const struct request *r, const struct request_step *s)
{
    struct slice kind = s->act->kind;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct request_rule *rule = &rules[i];
        if (kind.size != rule->kind_size || !(rule->from & UINT32_C(1) << r->state)) continue;
        if (memcmp(kind.data, rule->kind, kind.size) != 0) continue;
        if (!rule->when || rule->when(r, s)) return rule;
    }
    return NULL;
}

enum err request_rules_find(const struct request_rule **out, const struct request *r,
                            const struct request_step *s, const char **why)
{
    const struct request_rule *rule = rule_of(r, s);
    if (!rule) {
        *why = N_("not possible in this state");
        return ERR_STATE;
    }
    if (!s->township &&
        (rule->village == VILLAGE_NEVER || (rule->village == VILLAGE_OWN && r->township))) {
        *why = rule->village == VILLAGE_NEVER
                   ? N_("only the township may do this")
                   : N_("the township handles it, so the village may not");
        return ERR_FORBIDDEN;
    }
    *why = rule->guard ? rule->guard(r, s) : NULL;
    if (*why) return ERR_STATE;
    *out = rule;
    return OK;
}

enum request_state request_rules_after(const struct request_rule *rule, const struct request *r)
{
    return rule->to == SAME ? r->state : rule->to;
}

void request_rules_apply(const struct request_rule *rule, struct request *r,
                         const struct request_step *s)
{
    if (rule->judges != NO_CLOCK)
        request_apply_judge(r, (enum request_clock)rule->judges, r->next_due_ms, s->clock_ms);
    if (rule->deadline == END) request_apply_no_deadline(r);
    if (rule->deadline == NEXT) request_apply_deadline(r, s);
    if (rule->effect) rule->effect(r, s);
    r->state = request_rules_after(rule, r);
}
