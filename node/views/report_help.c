#include "node/views/report_help.h"

#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/views/body.h"
#include "node/views/service.h"
#include "node/views/thing.h"

struct helping {
    struct report_helps *helps;
    const struct roster *roster;
    struct txn *txn;
    uint32_t first_day, end_day; /* of the period: from, to before */
    uint64_t from_ms, to_ms;
};

static void begin_help(struct report_help *h, const struct village *village)
{
    static const char activity[] = "activity.record";
    const struct field *outcome = kind_field(kind_find(slice_of_text(activity)), "outcome");
    *h = (struct report_help){.village = village};
    const char *at = outcome->columns[0].choices;
    while (*at && h->outcome_count < REPORT_OUTCOMES_MAX) {
        size_t size = strcspn(at, "|");
        h->outcomes[h->outcome_count++].key = slice_of(at, size);
        at += size + (at[size] == '|');
    }
}

static struct report_help *help_of(const struct helping *c, const char *village)
{
    for (size_t i = 0; i < c->helps->village_count; i++)
        if (strcmp(c->helps->villages[i].village->code, village) == 0)
            return &c->helps->villages[i];
    return NULL;
}

/* Of the village in whose scope the thing stands; of what is told to the whole town, its author's.
 */
static struct report_help *help_for(const struct helping *c, const struct thing *thing)
{
    struct scope_row scope;
    if (!scope_get(c->txn, thing->key.scope_number, &scope)) return NULL;
    if (scope_class(&scope.scope) == SCOPE_VILLAGE) return help_of(c, scope_village(&scope.scope));
    const struct device *author = roster_device(c->roster, &thing->author);
    return author ? help_of(c, author->village) : NULL;
}

static bool day_of(struct slice fields, const char *key, uint32_t *day)
{
    return time_parse_day(day, body_text(fields, key)) == OK;
}

static bool held_in_period(const struct helping *c, struct slice fields)
{
    uint32_t day;
    return day_of(fields, "date", &day) && day >= c->first_day && day < c->end_day;
}

/* --- activities ---------------------------------------------------------------------------- */

static void add_outcomes(struct report_help *h, struct slice fields, bool elsewhere)
{
    size_t count;
    struct mp_reader rows = body_rows(fields, "outcome", &count);
    for (size_t i = 0; i < count && !rows.err; i++) {
        if (mp_read_array(&rows, 2) != 2) break;
        struct slice key = mp_read_str(&rows, SIZE_MAX);
        uint64_t n = mp_read_uint(&rows, UINT32_MAX);
        for (size_t o = 0; o < h->outcome_count; o++)
            if (slice_equal(h->outcomes[o].key, key))
                *(elsewhere ? &h->outcomes[o].other : &h->outcomes[o].own) += n;
    }
}

static bool add_activity(void *state, const struct thing *activity)
{
    const struct helping *c = state;
    struct report_help *h = help_for(c, activity);
    if (!h || !held_in_period(c, activity->fields)) return true;
    struct slice host = body_text(activity->fields, "host");
    bool elsewhere = host.size && !slice_is_text(host, h->village->code);
    h->activities++;
    h->activities_elsewhere += elsewhere;
    h->people_helped += body_uint(activity->fields, "people_helped");
    add_outcomes(h, activity->fields, elsewhere);
    return true;
}

/* --- services ------------------------------------------------------------------------------ */

static bool add_service(void *state, const struct thing *service)
{
    const struct helping *c = state;
    struct report_help *h = help_for(c, service);
    struct service_person people[SHEET_ROWS_MAX];
    if (!h || !held_in_period(c, service->fields) || service_is_rejected(service)) return true;
    size_t count = service_people(service, people);
    h->person_times += count;
    for (size_t i = 0; i < count; i++) h->minutes_verified += people[i].verified;
    return true;
}

/* --- volunteers and calls ------------------------------------------------------------------ */

static bool add_volunteer(void *state, const struct thing *volunteer)
{
    const struct helping *c = state;
    struct report_help *h = help_for(c, volunteer);
    uint32_t joined, left = UINT32_MAX;
    if (!h || !day_of(volunteer->fields, "joined", &joined) || joined >= c->end_day) return true;
    if (strcmp(thing_state_name(volunteer->type, volunteer->state), "left") == 0 &&
        !day_of(volunteer->fields, "on", &left))
        left = 0;
    h->joined += joined >= c->first_day;
    h->active += left >= c->end_day;
    h->left += left >= c->first_day && left < c->end_day;
    return true;
}

static bool add_call(void *state, const struct thing *call)
{
    const struct helping *c = state;
    struct report_help *h = help_for(c, call);
    if (!h || call->founded_ms < c->from_ms || call->founded_ms >= c->to_ms) return true;
    struct mp_reader acts = mp_reader_of(call->acts);
    struct thing_act act;
    h->calls++;
    while (thing_act_next(&acts, &act)) {
        h->signups += slice_is_text(act.kind, "call.signup");
        h->cancels += slice_is_text(act.kind, "call.cancel");
    }
    return true;
}

/* --- all of it ----------------------------------------------------------------------------- */

static void add_help(struct report_help *sum, const struct report_help *h)
{
    sum->activities += h->activities;
    sum->activities_elsewhere += h->activities_elsewhere;
    sum->people_helped += h->people_helped;
    sum->person_times += h->person_times;
    sum->minutes_verified += h->minutes_verified;
    sum->joined += h->joined;
    sum->active += h->active;
    sum->left += h->left;
    sum->calls += h->calls;
    sum->signups += h->signups;
    sum->cancels += h->cancels;
    for (size_t i = 0; i < sum->outcome_count; i++) {
        sum->outcomes[i].own += h->outcomes[i].own;
        sum->outcomes[i].other += h->outcomes[i].other;
    }
}

static MUST_CHECK enum err begin_villages(struct report_helps *out, const struct roster *roster,
                                          const struct village *only)
{
    size_t count = only ? 1 : roster->village_count;
    begin_help(&out->whole, only);
    out->villages = calloc(count + 1, sizeof *out->villages);
    if (!out->villages) return ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        begin_help(&out->villages[i], only ? only : &roster->villages[i]);
    out->village_count = count;
    return OK;
}

enum err report_helps_read(struct report_helps *out, struct txn *t, const struct roster *roster,
                           const struct village *only, const struct figure_period *period)
{
    static const struct {
        enum thing_type type;
        bool (*add)(void *state, const struct thing *thing);
    } parts[] = {
        {THING_ACTIVITY, add_activity},
        {THING_SERVICE, add_service},
        {THING_VOLUNTEER, add_volunteer},
        {THING_CALL, add_call},
    };
    struct helping c = {
        .helps = out,
        .roster = roster,
        .txn = t,
        .first_day = time_day(period->from_ms),
        .end_day = time_day(period->to_ms),
        .from_ms = period->from_ms,
        .to_ms = period->to_ms,
    };
    enum err err = begin_villages(out, roster, only);
    for (size_t i = 0; !err && i < sizeof parts / sizeof parts[0]; i++)
        err = things_each(t, parts[i].type, 0, parts[i].add, &c);
    for (size_t i = 0; !err && i < out->village_count; i++)
        add_help(&out->whole, &out->villages[i]);
    return err;
}

void report_helps_clear(struct report_helps *r)
{
    free(r->villages);
    *r = (struct report_helps){0};
}
