/* Attendance and single services: what each says of each person, and what was verified of it. */
#include <stdlib.h>

#include "common/time.h"
#include "node/views/body.h"
#include "node/views/ledger_parts.h"
#include "node/views/service.h"

/* --- outcomes of activities ---------------------------------------------------------------- */

static bool take_activity(void *state, const struct thing *thing)
{
    struct ledger_loading *l = state;
    struct ledger_outcome outcome = {.activity = thing->key.thing};
    size_t count;
    uint64_t sum = 0;
    struct mp_reader rows = body_rows(thing->fields, "outcome", &count);
    for (size_t i = 0; i < count; i++) {
        mp_read_array(&rows, SIZE_MAX);
        (void)mp_read_str(&rows, SIZE_MAX);
        sum += mp_read_uint(&rows, UINT32_MAX);
    }
    outcome.outcomes = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
    void *grown =
        ledger_grow(l, l->outcomes, l->outcome_count, &l->outcome_capacity, sizeof outcome);
    if (!grown) return false;
    l->outcomes = grown;
    l->outcomes[l->outcome_count++] = outcome;
    return true;
}

static int by_activity(const void *a, const void *b)
{
    const struct ledger_outcome *x = a, *y = b;
    return thing_id_compare(&x->activity, &y->activity);
}

static uint32_t outcomes_of(const struct ledger_loading *l, const struct thing_id *activity)
{
    struct ledger_outcome key = {.activity = *activity};
    const struct ledger_outcome *found =
        l->outcome_count ? bsearch(&key, l->outcomes, l->outcome_count, sizeof key, by_activity)
                         : NULL;
    return found ? found->outcomes : 0;
}

/* --- services ------------------------------------------------------------------------------ */

static void add(struct ledger_loading *l, const struct ledger_service *service)
{
    struct ledger *ledger = l->ledger;
    void *grown = ledger_grow(l, ledger->services, ledger->service_count, &l->service_capacity,
                              sizeof *service);
    if (!grown) return;
    ledger->services = grown;
    ledger->services[ledger->service_count++] = *service;
}

static bool take_service(void *state, const struct thing *thing)
{
    struct ledger_loading *l = state;
    struct service_person people[SHEET_ROWS_MAX];
    struct ledger_service service = {.basis = thing->key.thing, .kind = POINTS_SERVED};
    if (service_is_rejected(thing) ||
        time_parse_day(&service.day, body_text(thing->fields, "date")) ||
        time_day_date(service.day).year != l->ledger->year)
        return true;
    service.verified = service_is_verified(thing);
    service.category = body_text(thing->fields, "category");
    service.activity = service.basis;
    if (body_has(thing->fields, "rows")) {
        (void)body_thing(thing->fields, "activity", &service.activity);
        service.kind = POINTS_ATTENDED;
        service.outcomes = outcomes_of(l, &service.activity);
    }
    size_t count = service_people(thing, people);
    for (size_t i = 0; i < count && !l->err; i++) {
        service.person = people[i].person;
        service.minutes = service.verified ? people[i].verified : people[i].stated;
        add(l, &service);
    }
    return l->err == OK;
}

void ledger_load_services(struct ledger_loading *l)
{
    enum err err = things_each(l->txn, THING_ACTIVITY, 0, take_activity, l);
    if (l->outcome_count > 1)
        qsort(l->outcomes, l->outcome_count, sizeof *l->outcomes, by_activity);
    if (!err && !l->err) err = things_each(l->txn, THING_SERVICE, 0, take_service, l);
    if (err) l->err = err;
}

/* --- sums ---------------------------------------------------------------------------------- */

static bool counts_as_activity(const struct ledger_service *s)
{
    return s->verified && s->minutes && s->kind == POINTS_ATTENDED;
}

static bool counted_before(const struct ledger_service *first, const struct ledger_service *s)
{
    for (; first < s; first++)
        if (counts_as_activity(first) && thing_id_equal(&first->activity, &s->activity))
            return true;
    return false;
}

void ledger_count_services(const struct ledger *l, struct ledger_person *person)
{
    const struct ledger_service *first = &l->services[person->service_at];
    for (size_t i = 0; i < person->service_count; i++) {
        const struct ledger_service *s = &first[i];
        if (!s->verified || !s->minutes) continue;
        person->minutes += s->minutes;
        if (!person->first_day) person->first_day = s->day;
        if (counts_as_activity(s) && !counted_before(first, s)) person->activities++;
    }
}
