/* Attendance and single services: what each says of each person, and what was verified of it. */
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/views/body.h"
#include "node/views/ledger_parts.h"

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
    return ledger_id_compare(&x->activity, &y->activity);
}

static uint32_t outcomes_of(const struct ledger_loading *l, const struct thing_id *activity)
{
    struct ledger_outcome key = {.activity = *activity};
    const struct ledger_outcome *found =
        l->outcome_count ? bsearch(&key, l->outcomes, l->outcome_count, sizeof key, by_activity)
                         : NULL;
    return found ? found->outcomes : 0;
}

/* --- what was verified ---------------------------------------------------------------------- */

/* Rows [person, minutes] of the verification that stands, the last one. */
struct verification {
    bool any;
    struct slice body;
};

static struct verification verification_of(const struct thing *thing)
{
    struct verification v = {0};
    struct mp_reader acts = mp_reader_of(thing->acts);
    for (struct thing_act act; thing_act_next(&acts, &act);)
        if (slice_is_text(act.kind, "service.verify")) v = (struct verification){true, act.body};
    return v;
}

/* The minutes verified of a person: those of the row that names them, else those stated. */
static uint32_t verified_minutes(const struct verification *v, const struct thing_id *person,
                                 uint32_t stated)
{
    size_t count;
    struct mp_reader rows = body_rows(v->body, "rows", &count);
    for (size_t i = 0; i < count; i++) {
        struct thing_id id;
        mp_read_array(&rows, SIZE_MAX);
        mp_read_bin_exact(&rows, id.bytes, sizeof id.bytes);
        uint32_t minutes = (uint32_t)mp_read_uint(&rows, UINT32_MAX);
        if (!rows.err && thing_id_equal(&id, person)) return minutes;
    }
    return stated;
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

/* A person who stands on a sheet several times (morning and afternoon) is one service with the
 * minutes of all rows. Rows of one sheet were added last. */
static struct ledger_service *added_before(const struct ledger *l, size_t since,
                                           const struct thing_id *person)
{
    for (size_t i = since; i < l->service_count; i++)
        if (thing_id_equal(&l->services[i].person, person)) return &l->services[i];
    return NULL;
}

static void take_attendance(struct ledger_loading *l, const struct thing *thing,
                            struct ledger_service *service, const struct verification *v)
{
    size_t count, since = l->ledger->service_count;
    struct slice activity = body_bin(thing->fields, "activity");
    if (activity.size == sizeof service->activity.bytes)
        memcpy(service->activity.bytes, activity.data, activity.size);
    service->kind = POINTS_ATTENDED;
    service->outcomes = outcomes_of(l, &service->activity);
    struct mp_reader rows = body_rows(thing->fields, "rows", &count);
    for (size_t i = 0; i < count && !l->err; i++) {
        mp_read_array(&rows, SIZE_MAX);
        mp_read_bin_exact(&rows, service->person.bytes, sizeof service->person.bytes);
        (void)mp_read_uint(&rows, UINT32_MAX);
        (void)mp_read_uint(&rows, UINT32_MAX);
        service->minutes = (uint32_t)mp_read_uint(&rows, UINT32_MAX);
        service->row = (uint32_t)i;
        if (rows.err) {
            l->err = ERR_CORRUPT;
            return;
        }
        struct ledger_service *before = added_before(l->ledger, since, &service->person);
        if (before)
            before->minutes += service->minutes;
        else
            add(l, service);
    }
    for (size_t i = since; v->any && i < l->ledger->service_count; i++) {
        struct ledger_service *s = &l->ledger->services[i];
        s->minutes = verified_minutes(v, &s->person, s->minutes);
    }
}

static bool take_service(void *state, const struct thing *thing)
{
    struct ledger_loading *l = state;
    struct ledger_service service = {.basis = thing->key.thing, .kind = POINTS_SERVED};
    const char *name = thing_state_name(thing->type, thing->state);
    if (strcmp(name, "rejected") == 0 ||
        time_parse_day(&service.day, body_text(thing->fields, "date")) ||
        time_day_date(service.day).year != l->ledger->year)
        return true;
    struct verification v = {0};
    service.verified = strcmp(name, "verified") == 0;
    if (service.verified) v = verification_of(thing);
    service.category = body_text(thing->fields, "category");
    if (body_has(thing->fields, "rows")) {
        take_attendance(l, thing, &service, &v);
        return l->err == OK;
    }
    struct slice person = body_bin(thing->fields, "person");
    if (person.size != sizeof service.person.bytes) return true;
    memcpy(service.person.bytes, person.data, person.size);
    service.activity = service.basis;
    service.minutes = (uint32_t)body_uint(thing->fields, "minutes");
    if (v.any) service.minutes = verified_minutes(&v, &service.person, service.minutes);
    add(l, &service);
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
