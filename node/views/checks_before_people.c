#include <string.h>

#include "common/i18n.h"
#include "node/views/body.h"
#include "node/views/checks_before_state.h"
#include "node/views/request.h"
#include "node/views/search.h"

static bool has_left(const struct thing *volunteer)
{
    return strcmp(thing_state_name(THING_VOLUNTEER, volunteer->state), "left") == 0;
}

/* --- volunteers ---------------------------------------------------------------------------- */

struct phone_search {
    struct asking *asking;
    char digits[PERSON_PHONE_SIZE];
};

/* Whoever had the phone once is found too; who has it now is asked. */
static bool take_phone(void *state, const struct search_hit *hit)
{
    struct phone_search *s = state;
    struct asking *a = s->asking;
    struct thing other;
    char phone[PERSON_PHONE_SIZE], digits[PERSON_PHONE_SIZE];
    if (hit->type != THING_VOLUNTEER || asking_is_subject(a, &hit->key.thing)) return true;
    if (!person_phone(a->views, a->txn, &hit->key, phone) || !person_digits(phone, digits) ||
        strcmp(digits, s->digits) != 0)
        return true;
    if (thing_get(a->txn, THING_VOLUNTEER, &hit->key, &other) || has_left(&other)) return true;
    asking_find(a, ERR_EXISTS, "phone", N_("a volunteer has this phone already"),
                N_("look whether it is the same person; else write another phone"));
    asking_other(a, THING_VOLUNTEER, &hit->key, body_text(other.fields, "number"));
    return false;
}

static void check_phone(struct asking *a)
{
    struct phone_search s = {.asking = a};
    char phone[PERSON_PHONE_SIZE];
    struct slice text = body_text(a->draft->box, "phone");
    if (!text.size || text.size >= sizeof phone) return;
    memcpy(phone, text.data, text.size);
    phone[text.size] = 0;
    if (!person_digits(phone, s.digits)) return;
    asking_index(a);
    enum err err = search_phone(a->txn, slice_of_text(s.digits), take_phone, &s);
    if (err && !a->err) a->err = err;
}

static void check_number(struct asking *a)
{
    struct thing_key other;
    struct slice number = body_text(a->draft->body, "number");
    enum err err = number.size ? request_find_number(a->txn, number, &other) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND) return;
    asking_find(a, ERR_EXISTS, "number", before_number_given, before_number_next);
    if (!err) asking_other(a, THING_VOLUNTEER, &other, number);
}

void before_volunteer(struct asking *a)
{
    if (a->draft->founding) check_number(a);
    if (body_bool(a->draft->body, "minor") && !body_has(a->draft->body, "guardian_ref"))
        asking_find(a, ERR_STATE, "guardian_ref",
                    N_("whoever is under 18 needs the consent of a guardian"),
                    N_("write where the guardian's paper is"));
    check_phone(a);
}

static bool take_team(void *state, const struct thing *team)
{
    struct asking *a = state;
    asking_find(a, ERR_EXISTS, "name", N_("the village has its team already"),
                N_("one team a village: volunteers join that one"));
    asking_other(a, THING_TEAM, &team->key, body_text(team->fields, "name"));
    return false;
}

void before_team(struct asking *a)
{
    struct scope_row scope;
    if (!scope_find(a->txn, a->draft->scope, &scope)) return;
    enum err err = things_each(a->txn, THING_TEAM, scope.number, take_team, a);
    if (err && !a->err) a->err = err;
}

/* --- calls and activities ------------------------------------------------------------------ */

void before_call(struct asking *a)
{
    if (body_bool(a->draft->body, "hazard") && !body_has(a->draft->body, "insurance_ref"))
        asking_find(a, OK, "insurance_ref",
                    N_("dangerous work needs insurance before it can be held"),
                    N_("take it out, then add its number to the call"));
}

void before_signup(struct asking *a)
{
    struct thing_id id;
    struct thing person, call;
    struct call_signups signups;
    if (body_thing(a->draft->body, "person", &id) && person_of_id(a->txn, &id, &person) &&
        has_left(&person)) {
        asking_find(a, ERR_STATE, "person", N_("this volunteer has left"),
                    N_("who comes back is registered again, then signs up"));
        asking_other(a, THING_VOLUNTEER, &person.key, body_text(person.fields, "number"));
    }
    if (a->err || !thing_of_id(a->txn, THING_CALL, &a->draft->subject, &call)) return;
    checks_call(&call, &signups);
    if (signups.signed_up >= signups.need)
        asking_find(a, OK, "", N_("the call has as many as it needs: this is the waiting list"),
                    N_("tell the volunteer; whoever waits moves up when another cancels"));
}

void before_activity(struct asking *a)
{
    struct thing_id id;
    struct thing call;
    struct call_signups signups;
    if (!body_thing(a->draft->body, "call", &id) || !thing_of_id(a->txn, THING_CALL, &id, &call))
        return;
    checks_call(&call, &signups);
    if (!signups.hazard || signups.insured) return;
    asking_find(a, ERR_STATE, "call", N_("dangerous work was called for, and nobody is insured"),
                N_("add the number of the insurance to the call first (insurance_ref)"));
    asking_other(a, THING_CALL, &call.key, body_text(call.fields, "title"));
}

/* --- services ------------------------------------------------------------------------------ */

/* A part of the draft, with what is recorded of that person on that day elsewhere. */
struct mine {
    struct part part;
    uint64_t minutes;
};
struct part_check {
    struct asking *asking;
    struct buf mine; /* struct mine */
    uint32_t day;
};

static bool at_once(const struct part *a, const struct part *b)
{
    return a->start != a->end && a->start < b->end && b->start < a->end;
}

static bool compare_part(void *state, const struct part *other)
{
    struct part_check *s = state;
    struct mine *mine = (struct mine *)(void *)s->mine.data;
    char day[11];
    if (other->day + 1 < s->day || other->day > s->day + 1) return false; /* all of a sheet */
    for (size_t i = 0; i < s->mine.size / sizeof *mine; i++) {
        if (!thing_id_equal(&mine[i].part.person, &other->person)) continue;
        if (mine[i].part.day == other->day) mine[i].minutes += other->minutes;
        if (!at_once(&mine[i].part, other) || s->asking->err) continue;
        parts_day(day, other->day);
        asking_find(s->asking, ERR_EXISTS, "rows",
                    N_("a volunteer was somewhere else at that time, says another sheet"),
                    N_("look at the other sheet and mend the times of one of them"));
        asking_other(s->asking, THING_SERVICE, &other->key, slice_of_text(day));
    }
    return true;
}

static bool compare_service(void *state, const struct thing *service)
{
    if (strcmp(thing_state_name(THING_SERVICE, service->state), "rejected") != 0)
        parts_each(service->fields, &service->key, compare_part, state);
    return true;
}

static void check_left(struct asking *a, const struct part *part)
{
    struct thing person;
    char last_day[11] = "";
    if (a->err || !person_of_id(a->txn, &part->person, &person) || !has_left(&person)) return;
    struct slice on = body_text(person.fields, "on");
    if (on.size == sizeof last_day - 1) memcpy(last_day, on.data, on.size);
    if (!served_after_leaving(part, last_day)) return;
    asking_find(a, ERR_STATE, "person", N_("this volunteer had left by then"),
                N_("mend the date; who comes back is registered again"));
    asking_other(a, THING_VOLUNTEER, &person.key, body_text(person.fields, "number"));
}

static bool take_mine(void *state, const struct part *part)
{
    struct part_check *s = state;
    struct mine mine = {*part, part->minutes};
    struct mine *all = (struct mine *)(void *)s->mine.data;
    check_left(s->asking, part);
    for (size_t i = 0; i < s->mine.size / sizeof mine; i++) {
        if (!thing_id_equal(&all[i].part.person, &part->person)) continue;
        mine.minutes += all[i].part.minutes;
        all[i].minutes += part->minutes;
    }
    s->day = part->day;
    buf_append(&s->mine, &mine, sizeof mine);
    return true;
}

void before_service(struct asking *a)
{
    struct part_check s = {.asking = a};
    const struct thing_key none = {0};
    parts_each(a->draft->body, &none, take_mine, &s);
    enum err err = s.mine.err;
    if (!err && s.mine.size) err = things_each(a->txn, THING_SERVICE, 0, compare_service, &s);
    const struct mine *mine = (const struct mine *)(const void *)s.mine.data;
    for (size_t i = 0; !err && i < s.mine.size / sizeof *mine; i++)
        if (mine[i].minutes > CHECK_DAY_MINUTES)
            asking_find(a, ERR_STATE, "minutes", N_("more than 16 hours of one person on one day"),
                        N_("look at what else is recorded of that day, and mend the minutes"));
    buf_clear(&s.mine);
    if (err && !a->err) a->err = err;
}
