#include "node/views/request.h"

#include <string.h>

#include "node/views/fold_types.h"
#include "node/views/request_row.h"

enum {
    TEXT_MAX = 64, /* of any text of a request's body; the kinds' table bounds each */
    DAY_MS = 24 * 60 * 60 * 1000,
    CHINA_MS = 8 * 60 * 60 * 1000,
    UNREACHED_ATTEMPTS = 3, /* that reached nobody, on two days or more */
};

static const struct {
    const char *name, *zh;
} states[] = {
#define REQUEST_STATE_ROW(code, name_, zh_) [code] = {name_, zh_},
    REQUEST_STATES(REQUEST_STATE_ROW)
#undef REQUEST_STATE_ROW
};

const char *request_state_name(enum request_state s)
{
    return s < REQUEST_STATE_COUNT ? states[s].name : "?";
}

const char *request_state_zh(enum request_state s)
{
    return s < REQUEST_STATE_COUNT ? states[s].zh : "?";
}

enum err request_state_parse(enum request_state *out, struct slice name)
{
    for (unsigned i = 0; i < REQUEST_STATE_COUNT; i++) {
        if (!slice_is_text(name, states[i].name) && !slice_is_text(name, states[i].zh)) continue;
        *out = (enum request_state)i;
        return OK;
    }
    return ERR_NOT_FOUND;
}

bool request_is_open(const struct request *r)
{
    return r->state != REQUEST_HELD && r->state != REQUEST_CLOSED;
}

/* --- reading a body ------------------------------------------------------------------------ */

static struct slice body_text(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value) ? mp_read_str(&value, TEXT_MAX) : SLICE_EMPTY;
}

static uint64_t body_uint(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value) ? mp_read_uint(&value, UINT64_MAX) : 0;
}

static bool body_has(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value);
}

static bool body_bool(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value) && mp_read_bool(&value);
}

static enum request_solved body_solved(struct slice body)
{
    struct slice solved = body_text(body, "solved");
    return slice_is_text(solved, "yes")    ? SOLVED_YES
           : slice_is_text(solved, "part") ? SOLVED_PART
           : slice_is_text(solved, "no")   ? SOLVED_NO
                                           : SOLVED_UNKNOWN;
}

/* --- what an act does ---------------------------------------------------------------------- */

static bool by_township(const struct request_act *act)
{
    return act->roles & ROLES_TOWNSHIP;
}

static void apply_accept(struct request *r, const struct request_act *act)
{
    struct slice category = body_text(act->body, "category");
    if (category.size) r->category = category;
    r->official_number = body_text(act->body, "official_no");
    r->due_ms = body_uint(act->body, "due");
    r->township = by_township(act);
}

static void apply_issue(struct request *r, const struct request_act *act)
{
    r->holder = body_text(act->body, "unit");
    r->due_ms = body_uint(act->body, "due");
    if (by_township(act)) r->township = true;
}

static void apply_sign(struct request *r, const struct request_act *act)
{
    r->signer_by = act->has_by ? act->by : (struct thing_id){{0}};
}

static void apply_report(struct request *r, const struct request_act *act)
{
    r->has_reporter = true;
    r->reporter = act->author;
    r->reporter_has_by = act->has_by;
    r->reporter_by = act->by;
    r->callbacks_failed = r->failed_first_day = r->failed_last_day = 0;
    r->callback_reached = false;
    r->solved = SOLVED_UNKNOWN;
    r->rating = 0;
}

static void apply_callback(struct request *r, const struct request_act *act)
{
    if (body_bool(act->body, "reached")) {
        r->callback_reached = true;
        r->solved = body_solved(act->body);
        r->rating = (uint32_t)body_uint(act->body, "rating");
        return;
    }
    uint64_t at = body_uint(act->body, "at");
    uint32_t day = (uint32_t)(((at ? at : act->time_ms) + CHINA_MS) / DAY_MS);
    if (!r->callbacks_failed || day < r->failed_first_day) r->failed_first_day = day;
    if (!r->callbacks_failed || day > r->failed_last_day) r->failed_last_day = day;
    r->callbacks_failed++;
}

static void apply_close(struct request *r, const struct request_act *act)
{
    r->result = body_text(act->body, "result");
}

/* --- guards: NULL, or why not -------------------------------------------------------------- */

static const char *guard_accept(const struct request *r, const struct request_act *act)
{
    (void)r;
    if (body_has(act->body, "official_no") && !(act->roles & ROLE_HUB))
        return "only the hub gives official numbers";
    return NULL;
}

static const char *guard_issue(const struct request *r, const struct request_act *act)
{
    (void)r;
    if (by_township(act))
        return body_has(act->body, "signed_by") ? NULL : "needs who signed the paper (signed_by)";
    return body_has(act->body, "doc_no") ? "a village gives no document number" : NULL;
}

/* Where neither event names a person, the device stands for him. */
static const char *guard_callback(const struct request *r, const struct request_act *act)
{
    bool same = act->has_by && r->reporter_has_by
                    ? thing_id_equal(&act->by, &r->reporter_by)
                    : r->has_reporter && sign_key_equal(&act->author, &r->reporter);
    return same ? "must be done by another person than the report" : NULL;
}

static const char *guard_close(const struct request *r, const struct request_act *act)
{
    struct slice result = body_text(act->body, "result");
    if (slice_is_text(result, "unreached")) {
        bool tried =
            r->callbacks_failed >= UNREACHED_ATTEMPTS && r->failed_first_day != r->failed_last_day;
        return tried ? NULL : "needs three failed attempts on two days";
    }
    if (!r->callback_reached) return "needs a callback that reached the person";
    if (slice_is_text(result, "solved") && r->solved == SOLVED_NO)
        return "the person said that it is not solved";
    return NULL;
}

/* --- the state machine --------------------------------------------------------------------- */

/* Which requests a village may do this to: any in its scope, or those it handles itself. */
enum village_right { VILLAGE_ANY, VILLAGE_OWN };

static const struct rule {
    enum request_state from;
    const char *kind;
    enum request_state to;
    enum village_right village;
    const char *(*guard)(const struct request *r, const struct request_act *act);
    void (*apply)(struct request *r, const struct request_act *act);
} rules[] = {
    {REQUEST_REGISTERED, "request.accept", REQUEST_ACCEPTED, VILLAGE_ANY, guard_accept,
     apply_accept},
    {REQUEST_ACCEPTED, "order.issue", REQUEST_ASSIGNED, VILLAGE_OWN, guard_issue, apply_issue},
    {REQUEST_ASSIGNED, "order.sign", REQUEST_IN_PROGRESS, VILLAGE_ANY, NULL, apply_sign},
    {REQUEST_IN_PROGRESS, "order.report", REQUEST_REPORTED, VILLAGE_ANY, NULL, apply_report},
    {REQUEST_REPORTED, "callback.record", REQUEST_REPORTED, VILLAGE_OWN, guard_callback,
     apply_callback},
    {REQUEST_REPORTED, "request.close", REQUEST_CLOSED, VILLAGE_OWN, guard_close, apply_close},
};

static const struct rule *rule_find(enum request_state from, struct slice kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].from == from && slice_is_text(kind, rules[i].kind)) return &rules[i];
    return NULL;
}

static MUST_CHECK enum err rule_check(const struct rule **out, const struct request *r,
                                      const struct request_act *act, const char **why)
{
    const struct rule *rule = rule_find(r->state, act->kind);
    if (!rule) {
        *why = "not possible in this state";
        return ERR_STATE;
    }
    if (rule->village == VILLAGE_OWN && r->township && !by_township(act)) {
        *why = "a village may do this only where it handles the request itself";
        return ERR_FORBIDDEN;
    }
    *why = rule->guard ? rule->guard(r, act) : NULL;
    if (*why) return ERR_STATE;
    *out = rule;
    return OK;
}

enum err request_may(const struct request *r, const struct request_act *act,
                     enum request_state *next, const char **why)
{
    const struct kind *kind = kind_find(act->kind);
    if (!kind || kind->thing != THING_REQUEST || !(kind->roles & act->roles)) {
        *why = "the author's role does not allow it";
        return ERR_FORBIDDEN;
    }
    const struct rule *rule;
    enum err err = rule_check(&rule, r, act, why);
    if (!err) *next = rule->to;
    return err;
}

/* --- the fold ------------------------------------------------------------------------------ */

static void request_found(struct request *r, const struct event *e)
{
    r->state = REQUEST_REGISTERED;
    memcpy(r->village, scope_village(&e->feed.scope), strlen(scope_village(&e->feed.scope)) + 1);
    r->registered_ms = HLC_MS(e->time);
    struct mp_reader body = mp_reader_of(e->body);
    for (size_t left = mp_read_map(&body, SIZE_MAX); left && !body.err; left--) {
        struct slice key = mp_read_str(&body, SIZE_MAX);
        if (slice_is_text(key, "number"))
            r->number = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "channel"))
            r->channel = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "nature"))
            r->nature = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "category"))
            r->category = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "urgency"))
            r->urgency = (uint32_t)mp_read_uint(&body, UINT32_MAX);
        else if (slice_is_text(key, "received"))
            r->received_ms = mp_read_uint(&body, UINT64_MAX);
        else
            mp_skip(&body);
    }
}

static void request_act_on(struct request *r, struct fold_item *item)
{
    const struct event *e = &item->event;
    struct request_act act = {
        .kind = e->kind,
        .roles = item->roles,
        .author = e->feed.author,
        .has_by = e->has_by,
        .by = e->by,
        .time_ms = HLC_MS(e->time),
        .body = e->body,
    };
    const struct rule *rule;
    const char *why;
    if (rule_check(&rule, r, &act, &why) != OK) {
        fold_mark(item, EFFECT_IMPOSSIBLE, why);
        return;
    }
    rule->apply(r, &act);
    r->state = rule->to;
}

/* Somebody acted without knowing all that stands before his act, and no act of the township that
 * takes effect and knows all before it has followed. */
static bool both_changed(const struct fold *f)
{
    bool open = false;
    for (size_t i = 0; i < f->count; i++) {
        const struct fold_item *item = f->order[i];
        if (item == f->founder) continue;
        if (item->place > item->event.seen)
            open |= item->effect == EFFECT_COUNTS || item->effect == EFFECT_IMPOSSIBLE;
        else if (item->township && item->effect == EFFECT_COUNTS)
            open = false;
    }
    return open;
}

void request_fold(struct fold *f)
{
    struct request r = {.state = REQUEST_HELD};
    for (size_t i = 0; i < f->count; i++) {
        struct fold_item *item = f->order[i];
        if (item == f->founder && item->effect == EFFECT_COUNTS)
            request_found(&r, &item->event);
        else if (item->effect == EFFECT_COUNTS)
            request_act_on(&r, item);
        item->state_after = request_state_name(r.state);
    }
    if (r.state == REQUEST_HELD) return;
    r.both_changed = both_changed(f);
    r.events = (uint32_t)f->total;
    r.effective = fold_effective(f);
    request_row_write(&f->row, &r);
}
