#include "node/views/thing_fold.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/body.h"
#include "node/views/correction.h"
#include "node/views/fold_types.h"
#include "node/views/thing_rules.h"

void thing_work_clear(struct thing_work *w)
{
    past_clear(&w->past);
    struct buf *const all[] = {&w->base, &w->over, &w->known, &w->fields, &w->acts, &w->spare};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buf_clear(all[i]);
}

static void work_reset(struct thing_work *w)
{
    past_reset(&w->past);
    struct buf *const all[] = {&w->base, &w->over, &w->known, &w->fields, &w->acts, &w->spare};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buf_reset(all[i]);
}

static enum err work_error(const struct thing_work *w)
{
    const enum err all[] = {w->past.entries.err, w->base.err, w->over.err, w->known.err,
                            w->fields.err,       w->acts.err, w->spare.err};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i]) return all[i];
    return OK;
}

/* The thing as folded so far, and the two layers of its fields. */
struct folding {
    struct fold *f;
    struct thing_work *work;
    struct thing thing;
    struct slice base, over;
    uint32_t listed;
};

static void keep_spare(struct buf *kept, struct buf *spare)
{
    struct buf swap = *kept;
    *kept = *spare;
    *spare = swap;
}

static void fields_join(struct folding *s)
{
    if (!s->over.size) {
        s->thing.fields = s->base;
        return;
    }
    buf_reset(&s->work->fields);
    body_join(&s->work->fields, s->base, s->over);
    s->thing.fields = buf_slice(&s->work->fields);
}

/* Only fields of the act's kind, which were checked: a key unknown to it may be another's field. */
static void fields_set(struct folding *s, const struct kind *kind, struct slice body)
{
    struct thing_work *w = s->work;
    buf_reset(&w->known);
    body_known(&w->known, kind, body);
    buf_reset(&w->spare);
    body_join(&w->spare, s->over.size ? s->over : slice_of("\x80", 1), buf_slice(&w->known));
    keep_spare(&w->over, &w->spare);
    s->over = buf_slice(&w->over);
    fields_join(s);
}

static void write_by(struct mp_writer *w, bool has_by, const struct thing_id *by)
{
    if (has_by)
        mp_write_bin(w, by->bytes, sizeof by->bytes);
    else
        mp_write_nil(w);
}

static void list_act(struct folding *s, const struct event *e)
{
    struct mp_writer w = {&s->work->acts};
    mp_write_array(&w, 4);
    mp_write_str(&w, e->kind);
    mp_write_uint(&w, HLC_MS(e->time));
    write_by(&w, e->has_by, &e->by);
    mp_write_raw(&w, e->body);
    s->thing.acts = buf_slice(&s->work->acts);
    s->listed++;
}

static void thing_act(struct folding *s, struct fold_item *item, const struct thing_deed *deed)
{
    const struct thing_rule *rule = thing_rule_find(s->thing.type, item->event.kind);
    const struct thing_case c = {&s->thing, &s->work->past, deed};
    const char *why;
    enum err err = thing_rule_check(rule, &c, &why);
    if (err) {
        fold_mark(item, err == ERR_LIMIT ? EFFECT_LIMIT : EFFECT_IMPOSSIBLE, why);
        return;
    }
    s->thing.state = thing_rule_state(rule, s->thing.state, deed->body);
    if (rule->take) rule->take(&s->work->past, deed->body);
    if (rule->flags & ACT_SETS) fields_set(s, deed->kind, deed->body);
    if (rule->flags & ACT_LISTED) list_act(s, &item->event);
}

static bool by_authority(const struct fold *f)
{
    return roster_is_authority(f->roster, &f->founder->event.feed.author);
}

static void thing_correct(struct folding *s, struct fold_item *item)
{
    struct thing_work *w = s->work;
    struct correction correction;
    struct kind_problem problem = {.what = ""};
    const char *why = correction_of(&correction, s->f, item, &w->spare);
    if (why) {
        fold_mark(item, EFFECT_IMPOSSIBLE, why);
        return;
    }
    if (!correction.founding || correction.personal) return;
    buf_reset(&w->fields); /* joined again below */
    body_join(&w->fields, s->base, correction.map);
    if (thing_may_found(correction.kind, by_authority(s->f), buf_slice(&w->fields), &problem))
        fold_mark(item, EFFECT_IMPOSSIBLE, problem.what);
    else
        keep_spare(&w->base, &w->fields);
    if (w->base.size) s->base = buf_slice(&w->base);
    fields_join(s);
}

static void row_write(const struct folding *s)
{
    const struct thing *thing = &s->thing;
    struct mp_writer w = {&s->f->row};
    mp_write_array(&w, 6);
    mp_write_uint(&w, thing->state);
    mp_write_uint(&w, thing->founded_ms);
    mp_write_bin(&w, thing->author.bytes, sizeof thing->author.bytes);
    write_by(&w, thing->has_by, &thing->by);
    mp_write_raw(&w, thing->fields);
    mp_write_array(&w, s->listed);
    buf_append_slice(&s->f->row, thing->acts);
}

/* False: the founding event has no effect, nor has what is built on it. */
static bool thing_found(struct folding *s, struct fold_item *founder)
{
    const struct event *e = &founder->event;
    struct kind_problem problem = {.what = ""};
    if (founder->effect != EFFECT_COUNTS) return false;
    if (thing_may_found(kind_find(e->kind), by_authority(s->f), e->body, &problem) != OK) {
        fold_mark(founder, EFFECT_BAD_FIELD, problem.what);
        memcpy(founder->field, problem.field, sizeof founder->field);
        return false;
    }
    s->thing = (struct thing){
        .type = s->f->type,
        .key = s->f->key,
        .founded_ms = HLC_MS(e->time),
        .author = *roster_name(s->f->roster, &e->feed.author),
        .has_by = e->has_by,
        .by = e->by,
        .fields = e->body,
    };
    s->base = e->body;
    return true;
}

static void thing_event(struct folding *s, struct fold_item *item)
{
    const struct event *e = &item->event;
    const struct thing_deed deed = {
        .kind = kind_find(e->kind),
        .author = *roster_name(s->f->roster, &e->feed.author),
        .has_by = e->has_by,
        .by = e->by,
        .body = e->body,
    };
    if (deed.kind->thing != THING_ANY)
        thing_act(s, item, &deed);
    else if (correction_is(deed.kind))
        thing_correct(s, item);
}

void thing_fold(struct fold *f)
{
    struct folding s = {.f = f, .work = &f->work};
    struct fold_item *founder = &f->items[f->founder - f->items];
    work_reset(s.work);
    bool founded = thing_found(&s, founder);
    for (size_t i = 0; i < f->count; i++) {
        struct fold_item *item = f->order[i];
        if (!founded && item != founder && item->effect == EFFECT_COUNTS)
            fold_mark(item, EFFECT_IMPOSSIBLE, N_("what founds it has no effect"));
        else if (item != founder && item->effect == EFFECT_COUNTS)
            thing_event(&s, item);
        if (founded) item->state_after = thing_state_name(f->type, s.thing.state);
    }
    if (!founded) return;
    row_write(&s);
    enum err err = work_error(s.work);
    if (err) f->row.err = err;
}
