#include "node/views/checks_state.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/body.h"

/* --- volunteers ---------------------------------------------------------------------------- */

static bool has_left(const struct thing *volunteer)
{
    return strcmp(thing_state_name(THING_VOLUNTEER, volunteer->state), "left") == 0;
}

static void note_left(struct checking *c, const struct thing *volunteer)
{
    struct left_person person = {.id = volunteer->key.thing};
    struct slice on = body_text(volunteer->fields, "on");
    if (on.size == sizeof person.on - 1) memcpy(person.on, on.data, on.size);
    buf_append(&c->left, &person, sizeof person);
}

static bool check_volunteer(void *state, const struct thing *volunteer)
{
    struct checking *c = state;
    struct person person;
    char digits[PERSON_PHONE_SIZE];
    const struct thing_key *key = &volunteer->key;
    claim_add(c, CHECK_VOLUNTEER_NUMBER, body_text(volunteer->fields, "number"), THING_VOLUNTEER,
              key, true);
    if (has_left(volunteer)) {
        note_left(c, volunteer);
        return true;
    }
    /* A damaged event is named by `verify`; whoever stands in it has no phone here. */
    bool read = person_read(c->views, c->txn, key, &person) == OK && person.phone[0];
    if (read && !person_phone_usable(slice_of_text(person.phone))) {
        struct check_flag flag = flag_of(CHECK_PHONE, THING_VOLUNTEER, key);
        flag_give(c, &flag);
    } else if (read && person_digits(person.phone, digits))
        claim_add(c, CHECK_VOLUNTEER_PHONE, slice_of_text(digits), THING_VOLUNTEER, key, false);
    if (body_bool(volunteer->fields, "minor") && !body_has(volunteer->fields, "guardian_ref")) {
        struct check_flag flag = flag_of(CHECK_GUARDIAN, THING_VOLUNTEER, key);
        flag_give(c, &flag);
    }
    return true;
}

static int by_id(const void *a, const void *b)
{
    return thing_id_compare(a, b); /* what is sorted begins with the id */
}

const struct left_person *left_find(const struct checking *c, const struct thing_id *id)
{
    size_t count = c->left.size / sizeof(struct left_person);
    return count ? bsearch(id, c->left.data, count, sizeof(struct left_person), by_id) : NULL;
}

/* --- teams and calls ----------------------------------------------------------------------- */

static bool check_team(void *state, const struct thing *team)
{
    struct scope_row scope;
    struct checking *c = state;
    if (scope_get(c->txn, team->key.scope_number, &scope))
        claim_add(c, CHECK_TEAM, slice_of_text(scope.scope.text), THING_TEAM, &team->key, false);
    return true;
}

void checks_call(const struct thing *call, struct call_signups *out)
{
    struct mp_reader r = mp_reader_of(call->acts);
    struct thing_act act;
    uint32_t signed_up = 0;
    while (thing_act_next(&r, &act)) {
        if (slice_is_text(act.kind, "call.signup")) signed_up++;
        if (slice_is_text(act.kind, "call.cancel") && signed_up) signed_up--;
    }
    *out = (struct call_signups){
        .need = (uint32_t)body_uint(call->fields, "need"),
        .signed_up = signed_up,
        .hazard = body_bool(call->fields, "hazard"),
        .insured = body_has(call->fields, "insurance_ref"),
    };
    if (signed_up > out->need) out->waiting = signed_up - out->need;
}

static bool check_call(void *state, const struct thing *call)
{
    struct call_signups signups;
    bool open = strcmp(thing_state_name(THING_CALL, call->state), "open") == 0;
    checks_call(call, &signups);
    if (open && signups.waiting) {
        struct check_flag flag = flag_of(CHECK_WAITING, THING_CALL, &call->key);
        flag.number = signups.waiting;
        flag_say(&flag, body_text(call->fields, "title"));
        flag_give(state, &flag);
    }
    return true;
}

/* The call is looked for where the activity is, and in the other scopes that are held here. */
static bool check_activity(void *state, const struct thing *activity)
{
    struct checking *c = state;
    struct call_signups signups;
    struct thing call;
    struct thing_id id;
    if (!body_thing(activity->fields, "call", &id) || !thing_of_id(c->txn, THING_CALL, &id, &call))
        return true;
    checks_call(&call, &signups);
    if (signups.hazard && !signups.insured) {
        struct check_flag flag = flag_of(CHECK_INSURANCE, THING_ACTIVITY, &activity->key);
        flag.things[flag.thing_count++] = (struct check_thing){THING_CALL, call.key};
        flag_say(&flag, body_text(activity->fields, "title"));
        flag_give(c, &flag);
    }
    return true;
}

void checks_people(struct checking *c)
{
    if (!c->err) c->err = things_each(c->txn, THING_VOLUNTEER, 0, check_volunteer, c);
    if (!c->err) c->err = c->left.err;
    if (!c->err && c->left.size)
        qsort(c->left.data, c->left.size / sizeof(struct left_person), sizeof(struct left_person),
              by_id);
    if (!c->err) c->err = things_each(c->txn, THING_TEAM, 0, check_team, c);
    if (!c->err) c->err = things_each(c->txn, THING_CALL, 0, check_call, c);
    if (!c->err) c->err = things_each(c->txn, THING_ACTIVITY, 0, check_activity, c);
}
