/* What may be recorded: form, kind, dates, author and subject, before anything is signed. */
#include "node/recorder_state.h"

#include "node/subject.h"
#include "node/views/actor.h"
#include "node/views/body.h"
#include "node/views/erasure.h"
#include "node/views/thing.h"

#include "common/i18n.h"
#include "common/time.h"

enum err recorder_refuse(struct kind_problem *problem, enum err err, const char *what)
{
    *problem = (struct kind_problem){.what = what};
    return err;
}

/* On the day that the act states, else today; a clock that nobody vouched for stops nobody. */
static bool in_office(const struct recorder *r, const struct draft *draft, const struct actor *a)
{
    uint64_t at_ms = body_uint(draft->body, "at");
    char day[TIME_TEXT_SIZE];
    if (!at_ms && !r->clock.trusted) return true;
    time_format_date(day, at_ms ? at_ms : r->clock.wall_ms);
    if (a->from.size && slice_compare(slice_of_text(day), a->from) < 0) return false;
    return !a->to.size || slice_compare(slice_of_text(day), a->to) <= 0;
}

/* Who was revoked acts no more, though the fold would take it: nothing says when it was done. */
static enum err check_person(struct recorder *r, const struct draft *draft,
                             struct kind_problem *problem)
{
    struct actor actor;
    if (!draft->has_by || thing_id_equal(&draft->by, &r->person)) return OK;
    enum err err = actor_get(arrival_txn(r->arrival), &draft->by, &actor);
    if (err) return err == ERR_NOT_FOUND ? OK : err;
    if (actor.revoked)
        return recorder_refuse(problem, ERR_FORBIDDEN, N_("this person acts no more"));
    if (!in_office(r, draft, &actor))
        return recorder_refuse(problem, ERR_FORBIDDEN, N_("this person is not in office that day"));
    if (!actor.from.size && !actor.to.size) r->person = draft->by;
    return OK;
}

static bool village_is_closed(const struct roster *roster, const struct scope *scope)
{
    const struct village *village = roster_village(roster, scope_village(scope));
    return village && village->closed;
}

static enum err check_author(struct recorder *r, const struct draft *draft, const struct kind *kind,
                             uint32_t *roles, struct kind_problem *problem)
{
    const struct roster *roster;
    const struct sign_key *key = &r->options.signer->key;
    enum err err = views_roster(r->options.views, arrival_txn(r->arrival), &roster);
    if (err) return err;
    *roles = roster_roles(roster, key);
    if (!recorder_signer_fits(&r->options, roster))
        return recorder_refuse(problem, ERR_FORBIDDEN, N_("this key was replaced by another"));
    uint32_t allowed = kind_roles(kind, scope_class(&draft->scope));
    if (!allowed || !roster_may_author(roster, key, &draft->scope))
        return recorder_refuse(problem, ERR_FORBIDDEN, "does not belong in this scope");
    if (!(*roles & allowed))
        return recorder_refuse(problem, ERR_FORBIDDEN, "this device has no role for it");
    const struct device *device = roster_device(roster, key);
    if (device && device->state == DEVICE_REVOKED)
        return recorder_refuse(problem, ERR_FORBIDDEN, "this device was revoked");
    if (scope_class(&draft->scope) == SCOPE_TOWN && device && !device_is_township(device) &&
        draft->body.size > EVENT_TOWN_BODY_SIZE_MAX)
        return recorder_refuse(problem, ERR_LIMIT, "is too long for what all villages receive");
    if (kind->thing == THING_REQUEST && kind->founding && village_is_closed(roster, &draft->scope))
        return recorder_refuse(problem, ERR_STATE,
                               N_("this village was closed: it takes no new request"));
    return check_person(r, draft, problem);
}

/* Fills subject, depth and seen. */
static enum err place_event(struct recorder *r, const struct draft *draft, const struct kind *kind,
                            uint32_t roles, struct event *e, struct kind_problem *problem)
{
    struct txn *t = arrival_txn(r->arrival);
    const struct roster *roster;
    struct scope_row scope;
    struct thing_outlook outlook = {0};
    e->founding = draft->founding;
    r->next = false;
    if (draft->founding) return thing_may_found(kind, r->options.authority, e->body, problem);
    e->subject = draft->subject;
    if (!scope_find(t, &draft->scope, &scope))
        return recorder_refuse(problem, txn_error(t) ? txn_error(t) : ERR_NOT_FOUND, "is not held");
    enum err err = views_roster(r->options.views, t, &roster);
    if (!err) err = views_outlook(&r->outlook, t, scope.number, &draft->subject, &outlook);
    if (err) return err;
    if (!outlook.exists) return recorder_refuse(problem, ERR_NOT_FOUND, "is not held");
    /* Erasing is told by the events alone, however many there are. */
    if (outlook.events >= THING_EVENTS_MAX && !erasure_is_of(e->kind))
        return recorder_refuse(problem, ERR_LIMIT, N_("too much is recorded of it already"));
    const struct request_act act = {
        .kind = e->kind,
        .roles = roles,
        .roster = roster,
        .author = *roster_name(roster, &r->options.signer->key),
        .has_by = e->has_by,
        .by = e->by,
        .thing = draft->subject,
        .time_ms = HLC_MS(recorder_next_time(r)),
        .untrusted = !r->clock.trusted,
        .body = e->body,
    };
    const struct thing_key key = {scope.number, draft->subject};
    err = subject_may(t, &key, outlook.type, kind, &act, problem);
    if (!err && e->box.size && subject_is_erased(t, &key))
        return recorder_refuse(problem, ERR_STATE, N_("what is personal of it was erased"));
    e->seen = outlook.events;
    /* Of a thing that is only partly held, depth may not say more than was seen. */
    e->depth = outlook.depth_max < outlook.events ? outlook.depth_max + 1 : outlook.events;
    r->next = outlook.deepest && e->depth > outlook.depth_max;
    return err;
}

bool recorder_is_sealed(struct slice kind)
{
    return slice_is_text(kind, KIND_SEALED);
}

enum err recorder_check(struct recorder *r, const struct draft *draft, struct event *e,
                        struct kind_problem *problem)
{
    static const uint8_t empty_map[] = {0x80};
    const struct kind *kind = kind_find(slice_of_text(draft->kind));
    uint32_t roles;
    *problem = (struct kind_problem){.what = ""};
    if (!kind) return recorder_refuse(problem, ERR_RANGE, "is no known kind");
    if (kind->founding != draft->founding)
        return recorder_refuse(problem, ERR_RANGE,
                               draft->founding ? "needs a subject" : "founds a thing: no subject");
    if (draft->lane >= LANE_COUNT)
        return recorder_refuse(problem, ERR_RANGE, N_("has no such lane"));
    if (recorder_is_sealed(slice_of_text(draft->kind)) != draft->sealed)
        return recorder_refuse(problem, ERR_FORBIDDEN,
                               "is made of what is to be sealed, not by hand");
    e->kind = slice_of_text(draft->kind);
    e->body = draft->body.size ? draft->body : slice_of(empty_map, sizeof empty_map);
    e->box = draft->box;
    e->has_by = draft->has_by;
    e->by = draft->by;
    if (mp_scan_whole_depth(e->body, EVENT_BODY_DEPTH_MAX) ||
        (e->box.size && mp_scan_whole_depth(e->box, EVENT_BOX_DEPTH_MAX)))
        return recorder_refuse(problem, ERR_MALFORMED, "is not canonical");
    enum err err = deadlines_complete(&r->deadlines, r->options.views, arrival_txn(r->arrival),
                                      &r->clock, draft, &e->body, problem);
    if (!err) err = kind_check(kind, e->body, e->box, false, problem);
    if (!err) err = kind_check_scope(kind, scope_class(&draft->scope), e->body, problem);
    if (!err) err = check_author(r, draft, kind, &roles, problem);
    return err ? err : place_event(r, draft, kind, roles, e, problem);
}
