#include "node/views/checks_before.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/text.h"
#include "common/time.h"
#include "node/views/actor.h"
#include "node/views/body.h"
#include "node/views/checks_before_state.h"
#include "node/views/request.h"
#include "node/views/rules.h"
#include "node/views/search.h"
#include "node/views/state.h"

#define REMIND_BEHIND_MAX 4096u
#define REMIND_MS (UINT64_C(30) * 24 * 60 * 60 * 1000)

const char before_number_given[] = N_("this number is given already");
const char before_number_next[] = N_("leave it out: the next free one is given by itself");

/* --- findings ------------------------------------------------------------------------------ */

void asking_find(struct asking *a, enum err err, const char *field, const char *what,
                 const char *todo)
{
    struct checks_finding *out = a->out;
    if (a->err || (out->what && !err)) return;
    *out = (struct checks_finding){.what = what, .todo = todo};
    snprintf(out->field, sizeof out->field, "%s", field);
    a->err = err;
}

void asking_other(struct asking *a, enum thing_type type, const struct thing_key *key,
                  struct slice said)
{
    a->out->has_other = true;
    a->out->other = (struct check_thing){type, *key};
    text_copy(a->out->said, sizeof a->out->said, said);
}

bool asking_is_subject(const struct asking *a, const struct thing_id *thing)
{
    return !a->draft->founding && thing_id_equal(&a->draft->subject, thing);
}

void asking_index(struct asking *a)
{
    if (a->writable && search_behind(a->txn) > SEARCH_TAIL_MAX)
        (void)search_slice(a->txn, SEARCH_TAIL_MAX);
}

/* --- requests ------------------------------------------------------------------------------ */

static bool take_reference(void *state, const struct search_hit *hit)
{
    struct asking *a = state;
    struct request r;
    if (hit->type != THING_REQUEST || request_get(a->txn, &hit->key, &r)) return true;
    asking_find(a, ERR_EXISTS, "channel_ref", N_("what has this reference is registered already"),
                N_("look at that one; leave the reference out if it is another matter"));
    asking_other(a, THING_REQUEST, &hit->key, r.number);
    return false;
}

static bool is_recent(const struct asking *a, const struct request *r)
{
    return r->registered_ms + REMIND_MS >= a->draft->now_ms;
}

static void remind(struct asking *a, const char *field, const char *what,
                   const struct thing_key *key, const struct request *r)
{
    if (a->out->what) return;
    asking_find(a, OK, field, what,
                N_("look whether it is the same matter before somebody goes there twice"));
    asking_other(a, THING_REQUEST, key, r->number);
}

static bool take_phone_of_request(void *state, const struct search_hit *hit)
{
    struct asking *a = state;
    struct request r;
    if (hit->type != THING_REQUEST || request_get(a->txn, &hit->key, &r) || !is_recent(a, &r))
        return true;
    remind(a, "phone", N_("the same phone has asked within 30 days"), &hit->key, &r);
    return false;
}

struct place_search {
    struct asking *asking;
    struct slice place, category;
};

static bool take_place(void *state, const struct search_hit *hit)
{
    struct place_search *s = state;
    struct asking *a = s->asking;
    struct request r;
    struct person person;
    if (hit->type != THING_REQUEST || request_get(a->txn, &hit->key, &r) || !is_recent(a, &r) ||
        !slice_equal(r.category, s->category))
        return true;
    if (person_read(a->views, a->txn, &hit->key, &person) || !slice_is_text(s->place, person.place))
        return true;
    remind(a, "place", N_("the same place and category within 30 days"), &hit->key, &r);
    return false;
}

/* Nobody waits for a reminder: where much is not indexed yet, there is none. */
static MUST_CHECK enum err remind_of_others(struct asking *a)
{
    struct place_search s = {.asking = a,
                             .place = body_text(a->draft->box, "place"),
                             .category = body_text(a->draft->body, "category")};
    if (search_behind(a->txn) > REMIND_BEHIND_MAX) return OK;
    enum err err =
        search_phone(a->txn, body_text(a->draft->box, "phone"), take_phone_of_request, a);
    if (!err && !a->out->what) err = search_place(a->txn, s.place, take_place, &s);
    return err;
}

/* Village numbers begin with the village and the device: only here can it be given already. */
static void check_own_number(struct asking *a)
{
    struct scope_row scope;
    struct slice number = body_text(a->draft->body, "number"), key, row;
    if (!number.size || !scope_find(a->txn, a->draft->scope, &scope)) return;
    struct row_cursor cursor = {
        .scope_number = scope.number, .table = ROW_NUMBER, .prefix = number};
    while (row_next(a->txn, &cursor, &key, &row)) {
        struct thing_key other = {.scope_number = scope.number};
        if (key.size != number.size + sizeof other.thing.bytes) continue;
        memcpy(other.thing.bytes, key.data + number.size, sizeof other.thing.bytes);
        asking_find(a, ERR_EXISTS, "number", before_number_given, before_number_next);
        asking_other(a, THING_REQUEST, &other, number);
        return;
    }
}

static void before_register(struct asking *a)
{
    struct slice reference = body_text(a->draft->body, "channel_ref");
    enum err err = OK;
    if (reference.size || a->draft->reminders) asking_index(a);
    if (reference.size) err = search_reference(a->txn, reference, take_reference, a);
    check_own_number(a);
    if (!err && !a->err && a->draft->reminders) err = remind_of_others(a);
    if (err && !a->err) a->err = err;
}

static void before_accept(struct asking *a)
{
    struct thing_key other;
    struct slice number = body_text(a->draft->body, "official_no");
    enum err err = number.size ? request_find_number(a->txn, number, &other) : ERR_NOT_FOUND;
    if (err == ERR_NOT_FOUND || (!err && asking_is_subject(a, &other.thing))) return;
    asking_find(a, ERR_EXISTS, "official_no", before_number_given, before_number_next);
    if (!err) asking_other(a, THING_REQUEST, &other, number);
}

static void before_resolve(struct asking *a)
{
    struct scope_row scope;
    struct request r;
    if (!scope_find(a->txn, a->draft->scope, &scope)) return;
    const struct thing_key key = {scope.number, a->draft->subject};
    if (request_get(a->txn, &key, &r) || r.both_changed) return;
    asking_find(a, ERR_STATE, "", N_("nothing was changed on both sides"),
                N_("sidan today and sidan requests mark what has to be settled"));
    asking_other(a, THING_REQUEST, &key, r.number);
}

/* --- orders and duties --------------------------------------------------------------------- */

static bool in_office_on(const struct actor *actor, struct slice day)
{
    if (actor->from.size && slice_compare(day, actor->from) < 0) return false;
    if (actor->to.size) return slice_compare(day, actor->to) <= 0;
    return !actor->revoked;
}

bool checks_may_sign(struct txn *t, const struct thing_id *person, struct slice order, uint64_t ms)
{
    struct actor actor;
    char today[TIME_TEXT_SIZE];
    struct slice day = body_text(order, "signed_on");
    if (actor_get(t, person, &actor)) return true;
    time_format_date(today, ms);
    if (!day.size) day = slice_of_text(today);
    bool signs = slice_is_text(actor.role, "secretary") || slice_is_text(actor.role, "mayor");
    return signs && in_office_on(&actor, day);
}

static void check_unit(struct asking *a, const char *field)
{
    if (checks_unit_closed(a->txn, body_text(a->draft->body, field)))
        asking_find(a, ERR_STATE, field, N_("this unit was abolished"),
                    N_("name the unit that has its duties now: sidan unit list"));
}

static void check_doc_no(struct asking *a)
{
    struct slice doc_no = body_text(a->draft->body, "doc_no");
    struct event e;
    struct scope_row scope;
    struct request r;
    if (!doc_no.size) return;
    enum err err = doc_numbers_find(&a->views->doc_numbers, a->txn, doc_no, &e);
    if (err && err != ERR_NOT_FOUND && !a->err) a->err = err;
    if (err || !scope_find(a->txn, &e.feed.scope, &scope)) return;
    const struct thing_key other = {scope.number, e.subject};
    asking_find(a, ERR_EXISTS, "doc_no", before_number_given,
                N_("take the next number of the register of orders"));
    if (request_get(a->txn, &other, &r) == OK) asking_other(a, THING_REQUEST, &other, r.number);
}

static void before_order(struct asking *a)
{
    const struct roster *roster;
    struct thing_id signer;
    check_unit(a, "unit");
    check_doc_no(a);
    enum err err = views_roster(a->views, a->txn, &roster);
    const struct device *device = err ? NULL : roster_device(roster, &a->draft->author);
    if (!device || !device_is_township(device) || !body_thing(a->draft->body, "signed_by", &signer))
        return;
    if (!checks_may_sign(a->txn, &signer, a->draft->body, a->draft->now_ms))
        asking_find(a, ERR_STATE, "signed_by",
                    N_("only a secretary or a mayor in office signs an order"),
                    N_("name who signed the paper: sidan actor list shows roles and dates"));
}

/* By the limit of the rules at most, from the day on which it is due now. */
static void before_extension(struct asking *a)
{
    const char *field = strcmp(a->draft->kind->name, "order.extend_ask") == 0 ? "to" : "due";
    struct thing_key key = {.thing = a->draft->subject};
    struct mp_reader value;
    struct scope_row scope;
    struct request r;
    struct limits limits;
    const struct rules *rules;
    uint64_t latest_ms, until_ms;
    bool provisional;
    if (!mp_map_get(a->draft->body, field, &value) ||
        !scope_find(a->txn, a->draft->scope, &scope) || views_rules(a->views, a->txn, &rules))
        return;
    key.scope_number = scope.number;
    if (request_get(a->txn, &key, &r) || !r.due_ms) return;
    rules_limits(rules, time_day(a->draft->now_ms), &limits);
    limits_due(&limits, &rules->calendar, LIMIT_EXTENSION, r.due_ms, &latest_ms, &provisional);
    until_ms = mp_read_uint(&value, UINT64_MAX);
    if (time_day(until_ms) <= time_day(latest_ms) &&
        bounds_allow_extension(&rules->bounds, r.due_ms, until_ms))
        return;
    asking_find(a, ERR_STATE, field, N_("is further than the rules extend an order"),
                N_("sidan rule show sla names the limit; what takes longer is suspended"));
}

static bool take_unit(void *state, const struct thing *unit)
{
    struct asking *a = state;
    struct slice name = body_text(a->draft->body, "name");
    if (strcmp(thing_state_name(THING_UNIT, unit->state), "in_use") != 0 ||
        !slice_equal(body_text(unit->fields, "name"), name))
        return true;
    asking_find(a, ERR_EXISTS, "name", N_("a unit of this name is there already"),
                N_("sidan unit list shows it; what is wrong of it: sidan correct ID"));
    asking_other(a, THING_UNIT, &unit->key, name);
    return false;
}

static void before_unit(struct asking *a)
{
    enum err err = things_each(a->txn, THING_UNIT, 0, take_unit, a);
    if (err && !a->err) a->err = err;
}

static void before_duty(struct asking *a)
{
    check_unit(a, "unit");
}

/* --- all of them --------------------------------------------------------------------------- */

static const struct {
    const char *kind;
    void (*check)(struct asking *a);
} checks[] = {
    {"request.register", before_register},
    {"request.accept", before_accept},
    {"conflict.resolve", before_resolve},
    {"order.issue", before_order},
    {"order.extend_ask", before_extension},
    {"order.extend_decide", before_extension},
    {"duty.publish", before_duty},
    {"unit.put", before_unit},
    {"volunteer.register", before_volunteer},
    {"volunteer.update", before_volunteer},
    {"team.form", before_team},
    {"call.publish", before_call},
    {"call.signup", before_signup},
    {"activity.record", before_activity},
    {"attendance.record", before_service},
    {"service.log", before_service},
    {"service.verify", before_verify},
    {"points.award", before_award},
    {"publicity.open", before_publicity},
    {"benefit.recommend", before_recommendation},
    {"redeem.open", before_redeem_open},
    {"redeem.grant", before_redeem_grant},
};

/* Else the recorder says that it may not, which nothing found here should hide. */
static bool may_author(struct asking *a)
{
    const struct roster *roster;
    a->err = views_roster(a->views, a->txn, &roster);
    return !a->err && (roster_roles(roster, &a->draft->author) &
                       kind_roles(a->draft->kind, scope_class(a->draft->scope)));
}

enum err checks_before(struct views *v, struct txn *t, bool writable,
                       const struct checks_draft *draft, struct checks_finding *out)
{
    struct asking a = {v, t, writable, draft, out, OK};
    *out = (struct checks_finding){.what = NULL};
    if (!may_author(&a)) return a.err;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (strcmp(checks[i].kind, draft->kind->name) != 0) continue;
        checks[i].check(&a);
    }
    return a.err ? a.err : txn_error(t);
}
