#include "node/views/checks_state.h"

#include <string.h>

#include "common/text.h"
#include "common/time.h"
#include "node/views/actor.h"
#include "node/views/body.h"
#include "node/views/checks_before.h"
#include "node/views/request.h"
#include "node/views/rules.h"

/* Of a unit or its duties, where it stands in the open. */
static void check_open_phone(struct checking *c, const struct thing *thing)
{
    struct slice phone = body_text(thing->fields, "phone");
    if (!phone.size || person_phone_usable(phone)) return;
    struct check_flag flag = flag_of(CHECK_PHONE, thing->type, &thing->key);
    flag_give(c, &flag);
}

/* --- units: few were abolished, and every open request is held against them --------------------
 */

static bool gather_closed(void *state, const struct thing *unit)
{
    struct checking *c = state;
    struct unit_name name = {{0}};
    struct slice text = body_text(unit->fields, "name");
    bool in_use = strcmp(thing_state_name(THING_UNIT, unit->state), "in_use") == 0;
    if (in_use) claim_add(c, CHECK_UNIT, text, THING_UNIT, &unit->key, true);
    if (in_use) check_open_phone(c, unit);
    if (in_use || text.size >= sizeof name.text || !checks_unit_closed(c->txn, text)) return true;
    memcpy(name.text, text.data, text.size);
    buf_append(&c->closed, &name, sizeof name);
    return true;
}

static bool is_closed(const struct checking *c, struct slice unit)
{
    const struct unit_name *names = (const struct unit_name *)(const void *)c->closed.data;
    for (size_t i = 0; i < c->closed.size / sizeof *names; i++)
        if (slice_is_text(unit, names[i].text)) return true;
    return false;
}

/* --- rows ---------------------------------------------------------------------------------- */

static bool check_request(void *state, const struct thing_key *key, const struct request *r)
{
    struct checking *c = state;
    claim_add(c, CHECK_REQUEST_NUMBER, r->number, THING_REQUEST, key, true);
    if (!slice_equal(r->official_number, r->number))
        claim_add(c, CHECK_OFFICIAL_NUMBER, r->official_number, THING_REQUEST, key, true);
    if (r->both_changed) {
        struct check_flag flag = flag_of(CHECK_BOTH_CHANGED, THING_REQUEST, key);
        flag_give(c, &flag);
    }
    if (request_is_open(r) && is_closed(c, r->holder)) {
        struct check_flag flag = flag_of(CHECK_HOLDER_CLOSED, THING_REQUEST, key);
        flag_say(&flag, r->holder);
        flag_give(c, &flag);
    }
    return true;
}

static bool check_duty(void *state, const struct thing *duty)
{
    struct checking *c = state;
    struct slice unit = body_text(duty->fields, "unit");
    check_open_phone(c, duty);
    if (is_closed(c, unit)) {
        struct check_flag flag = flag_of(CHECK_DUTY_CLOSED, THING_DUTY, &duty->key);
        flag_say(&flag, unit);
        flag_give(c, &flag);
    }
    return true;
}

/* --- what stands in no row: the log ------------------------------------------------------------
 */

static bool took_effect(struct checking *c, const struct thing_key *key, uint64_t arrival)
{
    struct history h;
    bool counts = false;
    if (views_history(c->views, c->txn, key->scope_number, &key->thing, &h)) return false;
    for (size_t i = 0; i < h.count; i++)
        if (h.items[i].arrival == arrival) counts = h.items[i].effect == EFFECT_COUNTS;
    history_clear(&h);
    return counts;
}

static void check_order(struct checking *c, const struct event *e, const struct thing_key *key,
                        uint64_t arrival, const struct roster *roster)
{
    struct thing_id signer;
    struct slice doc_no = body_text(e->body, "doc_no");
    const struct device *device = roster_device(roster, &e->feed.author);
    if (doc_no.size && took_effect(c, key, arrival))
        claim_add(c, CHECK_DOC_NO, doc_no, THING_REQUEST, key, true);
    if (!body_thing(e->body, "signed_by", &signer) || !device || !device_is_township(device))
        return;
    if (checks_may_sign(c->txn, &signer, e->body, HLC_MS(e->time)) || !took_effect(c, key, arrival))
        return;
    struct check_flag flag = flag_of(CHECK_SIGNER, THING_REQUEST, key);
    flag.has_person = true;
    flag.person = signer;
    flag_give(c, &flag);
}

/* What an act says in its box of the phone of a request. */
static struct slice phone_said(const struct event *e)
{
    static const char *const kinds[] = {"request.register", "request.supplement", "subject.correct",
                                        "correct.entry"};
    size_t i = 0, count = sizeof kinds / sizeof kinds[0];
    while (i < count && !slice_is_text(e->kind, kinds[i])) i++;
    if (i == count || e->box_state != BOX_HERE) return SLICE_EMPTY;
    bool corrects = slice_is_text(e->kind, "correct.entry") &&
                    slice_is_text(body_text(e->body, "field"), "phone");
    return body_text(e->box, corrects ? "personal_value" : "phone");
}

/* Only the phone that stands now, at the act that brought it. */
static void check_phone(struct checking *c, struct slice phone, const struct thing_key *key)
{
    struct person person;
    char said[PERSON_PHONE_SIZE];
    if (person_phone_usable(phone) || person_read(c->views, c->txn, key, &person)) return;
    text_copy(said, sizeof said, phone);
    if (strcmp(said, person.phone) != 0) return;
    struct check_flag flag = flag_of(CHECK_PHONE, THING_REQUEST, key);
    flag_give(c, &flag);
}

/* A registration that has no effect, and so stands in no list. */
static void check_category(struct checking *c, const struct event *e, const struct thing_key *key)
{
    struct slice code = body_text(e->body, "category");
    if (bounds_allow_category(c->bounds, code)) return;
    struct check_flag flag = flag_of(CHECK_CATEGORY, THING_REQUEST, key);
    flag_say(&flag, code);
    flag_give(c, &flag);
}

static void check_event(struct checking *c, uint64_t arrival, const struct roster *roster)
{
    struct event e;
    struct scope_row scope;
    struct request r;
    if (log_read_unverified(c->txn, arrival, &e)) return;
    buf_reset(&c->box);
    if (log_open_box(c->txn, &e, &c->box)) e.box_state = BOX_GONE; /* `verify` tells */
    bool registers = slice_is_text(e.kind, "request.register");
    bool orders = slice_is_text(e.kind, "order.issue");
    struct slice phone = phone_said(&e);
    if (!registers && !orders && !phone.size) return;
    if (scope_class(&e.feed.scope) == SCOPE_OFFICE) return; /* accusations stand apart */
    if (!scope_find(c->txn, &e.feed.scope, &scope)) return;
    const struct thing_key key = {scope.number, e.subject};
    if (registers) check_category(c, &e, &key);
    if (request_get(c->txn, &key, &r)) return;
    if (orders) check_order(c, &e, &key, arrival, roster);
    if (phone.size) check_phone(c, phone, &key);
    if (registers)
        claim_add(c, CHECK_REFERENCE, body_text(e.body, "channel_ref"), THING_REQUEST, &key, true);
}

void checks_requests(struct checking *c)
{
    const struct request_filter all = {.any_state = true};
    const struct roster *roster = NULL;
    const struct rules *rules;
    if (!c->err) c->err = views_roster(c->views, c->txn, &roster);
    if (!c->err) c->err = views_rules(c->views, c->txn, &rules);
    if (!c->err) c->bounds = &rules->bounds;
    if (!c->err) c->err = things_each(c->txn, THING_UNIT, 0, gather_closed, c);
    if (!c->err) c->err = c->closed.err;
    if (!c->err) c->err = requests_each(c->txn, &all, check_request, c);
    if (!c->err) c->err = things_each(c->txn, THING_DUTY, 0, check_duty, c);
    uint64_t last = log_count(c->txn);
    for (uint64_t arrival = 1; !c->err && arrival <= last; arrival++)
        check_event(c, arrival, roster);
}
