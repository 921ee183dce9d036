#include "node/views/actor.h"

#include "common/i18n.h"
#include "common/text.h"
#include "node/views/body.h"
#include "node/views/correction.h"
#include "node/views/fold_types.h"

/* Row: [unit str, role str, state uint (actor_state), from str, to str, successor nil or bin 16];
 * dates "" where there is none. The name is personal: it is joined from the box when shown. */
#define ROW_ELEMENTS 6

/* The founding event's fields as corrected, then what revocation or handover said. */
struct folding {
    struct slice fields;
    enum actor_state state;
    struct slice last_day;
    bool has_successor;
    struct thing_id successor;
};

/* Whether the other one is a person who acts this thing cannot tell: who records asks. */
static const char *hands_over(enum actor_state state, const struct thing_id *self,
                              struct slice body, struct thing_id *to)
{
    if (state != ACTOR_ACTIVE) return N_("this person acts no more");
    if (!body_thing(body, "to", to) || thing_id_equal(to, self))
        return N_("somebody else has to take over");
    return NULL;
}

static void person_event(struct fold *f, struct folding *s, struct fold_item *item)
{
    struct thing_id to;
    bool leaves = slice_is_text(item->event.kind, "actor.handover");
    const char *why = leaves ? hands_over(s->state, &f->key.thing, item->event.body, &to) : NULL;
    if (why) {
        fold_mark(item, EFFECT_IMPOSSIBLE, why);
        return;
    }
    s->state = leaves ? ACTOR_HANDED_OVER : ACTOR_REVOKED;
    if (leaves) {
        s->has_successor = true;
        s->successor = to;
    }
    if (body_has(item->event.body, "on")) s->last_day = body_text(item->event.body, "on");
}

static void actor_event(struct fold *f, struct folding *s, struct fold_item *item)
{
    const struct kind *kind = kind_find(item->event.kind);
    struct correction correction;
    if (kind->thing == THING_ACTOR) {
        person_event(f, s, item);
    } else if (correction_is(kind)) {
        const char *why = correction_of(&correction, f, item, &f->work.spare);
        if (why)
            fold_mark(item, EFFECT_IMPOSSIBLE, why);
        else if (correction.founding && !correction.personal)
            s->fields = correction_join(&correction, s->fields, &f->work.base, &f->work.fields);
    }
}

void actor_fold(struct fold *f)
{
    if (f->founder->effect != EFFECT_COUNTS) return;
    struct folding s = {.fields = f->founder->event.body};
    size_t at = 0;
    for (struct fold_item *item; (item = fold_next(f, &at)) != NULL;) {
        if (item != f->founder) actor_event(f, &s, item);
        item->state_after = thing_state_name(THING_ACTOR, s.state);
    }
    struct mp_writer w = {&f->row};
    mp_write_array(&w, ROW_ELEMENTS);
    mp_write_str(&w, body_text(s.fields, "unit"));
    mp_write_str(&w, body_text(s.fields, "role"));
    mp_write_uint(&w, s.state);
    mp_write_str(&w, body_text(s.fields, "from"));
    mp_write_str(&w, s.last_day.size ? s.last_day : body_text(s.fields, "to"));
    if (s.has_successor)
        mp_write_bin(&w, s.successor.bytes, sizeof s.successor.bytes);
    else
        mp_write_nil(&w);
    if (f->work.base.err) f->row.err = f->work.base.err;
}

/* The name from the founding event's box, into `said`; empty when it is not at hand. */
static struct slice box_name(struct txn *t, const struct thing_key *key, char said[ACTOR_TEXT_MAX])
{
    struct slice name = SLICE_EMPTY;
    struct buf box = {0};
    struct thing_cursor cursor = {.txn = t, .scope_number = key->scope_number, .thing = key->thing};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        struct mp_reader value;
        if (log_read_unverified(t, arrival, &e)) break;
        if (!e.founding) continue;
        if (!log_open_box(t, &e, &box) && e.box_state == BOX_HERE &&
            mp_map_get(e.box, "name", &value))
            name = mp_read_str(&value, ACTOR_TEXT_MAX);
        if (name.size) memcpy(said, name.data, name.size);
        break;
    }
    crypto_buf_wipe(&box);
    return slice_of(said, name.size);
}

static MUST_CHECK enum err actor_read(struct actor *out, struct txn *t, uint32_t scope_number,
                                      struct slice key, struct slice row)
{
    struct mp_reader r = mp_reader_of(row);
    if (row_thing_id(&out->key.thing, key) || mp_read_array(&r, ROW_ELEMENTS) != ROW_ELEMENTS)
        return ERR_CORRUPT;
    out->key.scope_number = scope_number;
    out->unit = mp_read_str(&r, ACTOR_TEXT_MAX);
    out->role = mp_read_str(&r, ACTOR_TEXT_MAX);
    out->state = (enum actor_state)mp_read_uint(&r, ACTOR_HANDED_OVER);
    out->revoked = out->state != ACTOR_ACTIVE;
    out->from = mp_read_str(&r, ACTOR_TEXT_MAX);
    out->to = mp_read_str(&r, ACTOR_TEXT_MAX);
    out->has_successor = !mp_read_nil(&r);
    if (out->has_successor)
        mp_read_bin_exact(&r, out->successor.bytes, sizeof out->successor.bytes);
    if (mp_read_end(&r)) return ERR_CORRUPT;
    out->name = box_name(t, &out->key, out->said);
    return OK;
}

const char *actor_hands_over(struct txn *t, const struct actor *from, struct slice body)
{
    struct thing_id to;
    struct actor other;
    const char *why = hands_over(from->state, &from->key.thing, body, &to);
    if (why) return why;
    if (actor_get(t, &to, &other)) return N_("who takes over is nobody who acts here");
    return other.revoked ? N_("who takes over acts no more") : NULL;
}

enum err actors_each(struct txn *t, bool (*each)(void *state, const struct actor *a), void *state)
{
    const uint8_t prefix = THING_ACTOR;
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; scope <= scopes; scope++) {
        struct row_cursor cursor = {
            .scope_number = scope, .table = ROW_THING, .prefix = slice_of(&prefix, 1)};
        struct slice key, row;
        while (row_next(t, &cursor, &key, &row)) {
            struct actor actor;
            enum err err = actor_read(&actor, t, scope, key, row);
            if (err) return err;
            if (!each(state, &actor)) return txn_error(t);
        }
    }
    return txn_error(t);
}

enum err actor_get(struct txn *t, const struct thing_id *thing, struct actor *out)
{
    uint8_t bytes[ROW_THING_KEY_SIZE];
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; scope <= scopes; scope++) {
        const struct thing_key at = {scope, *thing};
        const struct row_key key = row_thing_key(bytes, THING_ACTOR, &at);
        struct slice row;
        if (row_get(t, &key, &row)) return actor_read(out, t, scope, key.key, row);
    }
    enum err err = txn_error(t);
    return err ? err : ERR_NOT_FOUND;
}

bool actor_name(struct txn *t, const struct thing_id *thing, char *name, size_t size)
{
    struct actor actor;
    name[0] = 0;
    if (actor_get(t, thing, &actor) || !actor.name.size) return false;
    text_copy(name, size, actor.name);
    return true;
}
