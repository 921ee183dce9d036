#include "node/views/request_guards.h"

#include "common/i18n.h"
#include "common/time.h"

enum {
    UNREACHED_ATTEMPTS = 3, /* that reached nobody, on two days or more */
    SUSPEND_DAYS_MAX = 90,
    ROUNDS_UNSIGNED = 2, /* reopened so often without a leader's signature */
};

const char *request_guard_due(const struct request *r, const struct request_step *s)
{
    (void)r;
    if (!s->due_ms || s->no_clock || time_day(s->due_ms) >= time_day(s->claimed_ms)) return NULL;
    return N_("the due date lies before the day of the act");
}

const char *request_guard_answer(const struct request *r, const struct request_step *s)
{
    (void)s;
    return choice_has("consult|suggestion|praise", r->nature)
               ? NULL
               : N_("only a question, a suggestion or praise is answered at once");
}

const char *request_guard_accept(const struct request *r, const struct request_step *s)
{
    if (body_has(s->act->body, "official_no") && !(s->act->roles & ROLE_HUB))
        return N_("only the hub gives official numbers");
    return request_guard_due(r, s);
}

const char *request_guard_number(const struct request *r, const struct request_step *s)
{
    (void)s;
    return r->number_due ? NULL : N_("no official number is due");
}

const char *request_guard_decline(const struct request *r, const struct request_step *s)
{
    bool no_answer = slice_is_text(body_text(s->act->body, "reason"), "no_answer");
    return no_answer && r->state != REQUEST_AWAITING_INFO ? N_("nothing was asked of the person")
                                                          : NULL;
}

const char *request_guard_merge(const struct request *r, const struct request_step *s)
{
    (void)r;
    struct slice main = body_bin(s->act->body, "main");
    return slice_equal(main, slice_of(s->act->thing.bytes, sizeof s->act->thing.bytes))
               ? N_("cannot be merged into itself")
               : NULL;
}

/* Lead and supporting units are named once each. */
static bool units_repeat(const struct request_step *s)
{
    size_t count;
    struct slice units[1 + REQUEST_SUPPORTS_MAX] = {body_text(s->act->body, "unit")};
    struct mp_reader list = body_rows(s->act->body, "support", &count);
    for (size_t i = 1; i <= count && i <= REQUEST_SUPPORTS_MAX; i++) {
        units[i] = mp_read_str(&list, FIELD_LIST_ITEM_MAX);
        for (size_t j = 0; j < i; j++)
            if (slice_equal(units[i], units[j])) return true;
    }
    return false;
}

const char *request_guard_issue(const struct request *r, const struct request_step *s)
{
    if (s->township && !body_has(s->act->body, "signed_by"))
        return N_("needs who signed the paper (signed_by)");
    if (!s->township && body_has(s->act->body, "doc_no"))
        return N_("a village gives no document number");
    if (units_repeat(s)) return N_("names a unit twice");
    return request_guard_due(r, s);
}

const char *request_guard_extend_ask(const struct request *r, const struct request_step *s)
{
    if (!r->due_ms) return N_("there is no due date to extend");
    if (r->extended) return N_("was extended once already");
    if (r->extend_to_ms) return N_("an extension is asked for already");
    if (!s->no_clock && s->claimed_ms > r->due_ms) return N_("the due date has passed");
    return body_uint(s->act->body, "to") > r->due_ms
               ? NULL
               : N_("asks for no later date than the due date");
}

const char *request_guard_extend_decide(const struct request *r, const struct request_step *s)
{
    if (!r->extend_to_ms) return N_("no extension is asked for");
    if (!body_bool(s->act->body, "ok") || s->due_ms > r->due_ms) return NULL;
    return N_("the new due date is not later than the old one");
}

const char *request_guard_suspend(const struct request *r, const struct request_step *s)
{
    (void)r;
    uint32_t review, today = time_day(s->claimed_ms);
    bool within = time_parse_day(&review, body_text(s->act->body, "review")) == OK &&
                  (s->no_clock || (review >= today && review - today <= SUSPEND_DAYS_MAX));
    return within ? NULL : N_("must be looked at again within 90 days");
}

const char *request_guard_report(const struct request *r, const struct request_step *s)
{
    struct slice unit = body_text(s->act->body, "unit");
    if (unit.size && !slice_equal(unit, r->holder)) return N_("names a unit that has no order");
    for (size_t i = 0; i < r->support_count; i++)
        if (!r->supports[i].reported) return N_("a supporting unit has not reported yet");
    return NULL;
}

/* Where neither event names a person, the device stands for him. */
const char *request_guard_callback(const struct request *r, const struct request_step *s)
{
    const struct request_act *act = s->act;
    bool same = act->has_by && r->reporter_has_by
                    ? thing_id_equal(&act->by, &r->reporter_by)
                    : r->has_reporter && sign_key_equal(&act->author, &r->reporter);
    return same ? N_("must be done by another person than the report") : NULL;
}

const char *request_guard_close(const struct request *r, const struct request_step *s)
{
    struct slice result = body_text(s->act->body, "result");
    if (slice_is_text(result, "unreached")) {
        bool tried =
            r->callbacks_failed >= UNREACHED_ATTEMPTS && r->failed_first_day != r->failed_last_day;
        return tried ? NULL : N_("needs three failed attempts on two days");
    }
    if (r->answered && slice_is_text(result, "explained")) return NULL;
    if (!r->callback_reached) return N_("needs a callback that reached the person");
    if (slice_is_text(result, "solved") && r->solved == SOLVED_NO)
        return N_("the person said that it is not solved");
    return NULL;
}

const char *request_guard_reopen(const struct request *r, const struct request_step *s)
{
    if (r->rounds >= ROUNDS_UNSIGNED && !body_has(s->act->body, "signed_by"))
        return N_("the third time needs who signed it (signed_by)");
    if (!r->holder.size && !body_has(s->act->body, "unit")) return N_("needs a responsible unit");
    return request_guard_due(r, s);
}
