#include "node/views/request.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/correction.h"
#include "node/views/fold_types.h"
#include "node/views/request_row.h"
#include "node/views/request_rules.h"

enum { TEXT_MAX = 128 }; /* of any text of a request's body; the kinds' table bounds each */

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
    return r->state >= REQUEST_REGISTERED && r->state <= REQUEST_REPORTED;
}

uint64_t request_next_moment(const struct request *r)
{
    if (!request_is_open(r)) return UINT64_MAX;
    if (r->state == REQUEST_SUSPENDED) return r->review_ms;
    uint64_t due = r->due_ms ? r->due_ms : UINT64_MAX;
    return r->next_due_ms && r->next_due_ms < due ? r->next_due_ms : due;
}

enum request_light request_light(const struct request *r, uint64_t now_ms, uint64_t soon_until_ms)
{
    uint64_t moment = request_next_moment(r);
    if (moment < now_ms) return LIGHT_OVERDUE;
    if (r->state == REQUEST_SUSPENDED) return LIGHT_SUSPENDED;
    return moment != UINT64_MAX && moment <= soon_until_ms ? LIGHT_SOON : LIGHT_NORMAL;
}

enum err request_may(const struct request *r, const struct request_act *act,
                     enum request_state *next, const char **why)
{
    const struct kind *kind = kind_find(act->kind);
    if (!kind || (kind->thing != THING_REQUEST && kind->thing != THING_ANY) ||
        !(kind->roles & act->roles)) {
        *why = N_("the author's role does not allow it");
        return ERR_FORBIDDEN;
    }
    const struct request_rule *rule;
    struct request_step step;
    request_step_of(&step, act);
    enum err err = request_rules_find(&rule, r, &step, why);
    if (!err) *next = request_rules_after(rule, r);
    return err;
}

const char *request_refuses_correction(const struct correction *c)
{
    static const char *const names[] = {"category", "urgency", "channel", "channel_ref", "nature"};
    if (c->personal) return NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], c->field->name) == 0 && (i == 0 || c->founding)) return NULL;
    return N_("this field cannot be corrected");
}

/* --- the fold ------------------------------------------------------------------------------ */

/* What one fold knows besides the row. */
struct folding {
    struct request r;
    const struct event *category_from; /* the record that named the category */
};

static void found(struct folding *g, const struct fold_item *item)
{
    struct request *r = &g->r;
    const struct event *e = &item->event;
    uint64_t at = 0;
    bool provisional = false;
    r->state = REQUEST_REGISTERED;
    memcpy(r->village, scope_village(&e->feed.scope), strlen(scope_village(&e->feed.scope)) + 1);
    struct mp_reader body = mp_reader_of(e->body);
    for (size_t left = mp_read_map(&body, SIZE_MAX); left && !body.err; left--) {
        struct slice key = mp_read_str(&body, SIZE_MAX);
        if (slice_is_text(key, "number"))
            r->number = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "channel"))
            r->channel = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "channel_ref"))
            r->channel_ref = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "nature"))
            r->nature = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "category"))
            r->category = mp_read_str(&body, TEXT_MAX);
        else if (slice_is_text(key, "urgency"))
            r->urgency = (uint32_t)mp_read_uint(&body, UINT32_MAX);
        else if (slice_is_text(key, "received"))
            r->received_ms = mp_read_uint(&body, UINT64_MAX);
        else if (slice_is_text(key, "at"))
            at = mp_read_uint(&body, UINT64_MAX);
        else if (slice_is_text(key, "next_due"))
            r->next_due_ms = mp_read_uint(&body, UINT64_MAX);
        else if (slice_is_text(key, "rules"))
            r->rules = (uint32_t)mp_read_uint(&body, UINT32_MAX);
        else if (slice_is_text(key, "provisional"))
            provisional = mp_read_bool(&body);
        else
            mp_skip(&body);
    }
    r->registered_ms = at && !item->township ? at : HLC_MS(e->time);
    r->untrusted = HLC_UNTRUSTED(e->time);
    r->next_due_provisional = provisional && r->next_due_ms;
    g->category_from = e;
}

/* What no rule ever allowed (SPEC 14.15). */

static const char not_listed[] = N_("is on no list of categories");

/* What was sealed elsewhere is opened whatever category it says. */
static bool may_be_category(struct fold *f, const struct event *e, struct slice code)
{
    bool may =
        scope_class(&e->feed.scope) == SCOPE_OFFICE || bounds_allow_category(f->bounds, code);
    f->bound |= !may;
    return may;
}

static void check_category(struct fold *f, struct fold_item *item)
{
    static const char name[] = "category";
    const struct event *e = &item->event;
    if (item != f->founder && !slice_is_text(e->kind, "request.accept")) return;
    struct slice code = body_text(e->body, name);
    if (!code.size || may_be_category(f, e, code)) return;
    fold_mark(item, EFFECT_BAD_FIELD, not_listed);
    memcpy(item->field, name, sizeof name);
}

static const char *check_extension(struct fold *f, const struct request *r,
                                   const struct request_step *s)
{
    struct slice kind = s->act->kind, body = s->act->body;
    uint64_t until_ms = 0;
    if (slice_is_text(kind, "order.extend_ask"))
        until_ms = body_uint(body, "to");
    else if (slice_is_text(kind, "order.extend_decide") && body_bool(body, "ok"))
        until_ms = s->due_ms;
    if (!until_ms || bounds_allow_extension(f->bounds, r->due_ms, until_ms)) return NULL;
    f->bound = true;
    return N_("is further than any rule extends an order");
}

static MUST_CHECK enum err correct(struct fold *f, struct folding *g, const struct fold_item *item,
                                   const char **why)
{
    struct request *r = &g->r;
    struct slice body = item->event.body, value = body_text(body, "value");
    struct correction c;
    *why = correction_of(&c, f, item, &f->work.spare);
    if (f->work.spare.err) f->row.err = f->work.spare.err;
    if (!*why) *why = request_refuses_correction(&c);
    if (*why) return ERR_STATE;
    if (c.personal) return OK;
    const char *field = c.field->name;
    if (strcmp(field, "category") == 0 && !may_be_category(f, &item->event, value)) {
        *why = not_listed;
        return ERR_STATE;
    }
    if (strcmp(field, "urgency") == 0)
        r->urgency = (uint32_t)body_uint(c.map, field);
    else if (strcmp(field, "channel") == 0)
        r->channel = value;
    else if (strcmp(field, "channel_ref") == 0)
        r->channel_ref = value;
    else if (strcmp(field, "nature") == 0)
        r->nature = value;
    else if (slice_equal(body_bin(body, "target"), /* category: of the record it was taken from */
                         slice_of(g->category_from->id.bytes, sizeof g->category_from->id.bytes)))
        r->category = value;
    return OK;
}

static void act_on(struct fold *f, struct folding *g, struct fold_item *item)
{
    const struct event *e = &item->event;
    const struct request_act act = {
        .kind = e->kind,
        .roles = item->roles,
        .roster = f->roster,
        .author = *roster_name(f->roster, &e->feed.author),
        .has_by = e->has_by,
        .by = e->by,
        .thing = f->key.thing,
        .time_ms = HLC_MS(e->time),
        .untrusted = HLC_UNTRUSTED(e->time),
        .body = e->body,
    };
    const struct request_rule *rule;
    struct request_step step;
    const char *why;
    request_step_of(&step, &act);
    enum err err = request_rules_find(&rule, &g->r, &step, &why);
    if (!err && slice_is_text(e->kind, "correct.entry")) err = correct(f, g, item, &why);
    if (!err && (why = check_extension(f, &g->r, &step)) != NULL) err = ERR_STATE;
    if (err) {
        fold_mark(item, EFFECT_IMPOSSIBLE, why);
        return;
    }
    if (slice_is_text(e->kind, "request.accept") && body_has(e->body, "category"))
        g->category_from = e;
    request_rules_apply(rule, &g->r, &step);
}

static void take(struct fold *f, struct folding *g, struct fold_item *item)
{
    if (item->effect == EFFECT_COUNTS) check_category(f, item);
    if (item == f->founder && item->effect == EFFECT_COUNTS)
        found(g, item);
    else if (item->effect == EFFECT_COUNTS)
        act_on(f, g, item);
    item->state_after = request_state_name(g->r.state);
}

/* What the hub records by itself is nobody's change. */
static bool is_numbering(const struct fold_item *item)
{
    return slice_is_text(item->event.kind, "request.number");
}

static bool is_answer(const struct fold_item *item)
{
    return slice_is_text(item->event.kind, "subject.erase_ack");
}

static bool is_nobodys(const struct fold_item *item)
{
    return is_numbering(item) || is_answer(item);
}

/* Somebody acted without knowing all that stands before his act, and no act of the township that
 * takes effect and knows all before it has followed. An official number of the same depth he cannot
 * have known; acknowledgements of an erasure he need not know. */
static bool both_changed(const struct fold *f)
{
    bool open = false;
    uint32_t depth = 0, numberings = 0; /* of that depth so far */
    uint32_t answers = 0;
    for (size_t i = 0; i < f->count; i++) {
        const struct fold_item *item = f->order[i];
        if (item->event.depth != depth) numberings = 0;
        depth = item->event.depth;
        if (is_numbering(item)) numberings += item->effect == EFFECT_COUNTS;
        if (is_answer(item)) answers += item->effect == EFFECT_COUNTS;
        if (item == f->founder || is_nobodys(item)) continue;
        if (item->place - numberings - answers > item->event.seen)
            open |= item->effect == EFFECT_COUNTS || item->effect == EFFECT_IMPOSSIBLE;
        else if (item->township && item->effect == EFFECT_COUNTS)
            open = false;
    }
    return open;
}

static void keep(struct fold *f, const struct request *r)
{
    f->request = *r;
    request_row_write(&f->row, r);
}

/* The event knows all before it, so none that nobody knew of comes in by it. */
bool request_fold_onto(struct fold *f, struct slice row)
{
    struct folding g;
    struct fold_item *item = f->order[0];
    if (request_row_read(&g.r, row) || g.r.events != item->event.seen) return false;
    g.category_from = NULL; /* no correction comes here */
    take(f, &g, item);
    if (item->effect == EFFECT_COUNTS) {
        g.r.effective++;
        if (item->township && !is_nobodys(item)) g.r.both_changed = false;
    }
    f->total = ++g.r.events;
    keep(f, &g.r);
    return true;
}

void request_fold(struct fold *f)
{
    struct folding g = {.r.state = REQUEST_HELD};
    for (size_t i = 0; i < f->count; i++) take(f, &g, f->order[i]);
    if (g.r.state == REQUEST_HELD) return;
    g.r.both_changed = both_changed(f);
    g.r.events = (uint32_t)f->total;
    g.r.effective = fold_effective(f);
    keep(f, &g.r);
}
