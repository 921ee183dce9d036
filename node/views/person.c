#include "node/views/person.h"

#include <ctype.h>
#include <string.h>

#include "node/views/body.h"

/* --- names -------------------------------------------------------------------------------- */

static struct slice name_in(const struct event *e)
{
    struct mp_reader name;
    if (e->box_state != BOX_HERE || !mp_map_get(e->box, "name", &name)) return SLICE_EMPTY;
    return mp_read_str(&name, PERSON_NAME_SIZE - 1);
}

static void copy_name(char out[PERSON_NAME_SIZE], struct slice name)
{
    if (name.size) memcpy(out, name.data, name.size);
    out[name.size] = 0;
}

/* From the events as they stand: whether one changed the name, which only a fold can judge. */
static bool read_founder(struct txn *t, const struct thing_key *key, char out[PERSON_NAME_SIZE],
                         bool *changed)
{
    struct thing_cursor cursor = {.txn = t, .scope_number = key->scope_number, .thing = key->thing};
    *changed = false;
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        if (log_read_unverified(t, arrival, &e)) return false;
        if (e.founding && !out[0]) copy_name(out, name_in(&e));
        if (slice_is_text(e.kind, "volunteer.update") && name_in(&e).size) *changed = true;
    }
    return true;
}

bool person_name(struct views *v, struct txn *t, const struct thing_key *key,
                 char out[PERSON_NAME_SIZE])
{
    bool changed;
    struct history history = {0};
    out[0] = 0;
    if (!read_founder(t, key, out, &changed) || !changed) return out[0] != 0;
    if (views_history(v, t, key->scope_number, &key->thing, &history)) return out[0] != 0;
    for (size_t i = 0; i < history.count; i++) {
        const struct history_item *item = &history.items[i];
        struct slice name = name_in(&item->event);
        if (item->effect == EFFECT_COUNTS && name.size) copy_name(out, name);
    }
    history_clear(&history);
    return out[0] != 0;
}

/* --- consents ----------------------------------------------------------------------------- */

bool person_consents(const struct thing *volunteer, const char *purpose)
{
    struct mp_reader acts = mp_reader_of(volunteer->acts);
    struct thing_act act;
    bool consents = false;
    while (thing_act_next(&acts, &act)) {
        if (!slice_is_text(body_text(act.body, "purpose"), purpose)) continue;
        if (slice_is_text(act.kind, "consent.give")) consents = true;
        if (slice_is_text(act.kind, "consent.withdraw")) consents = false;
    }
    return consents;
}

/* --- finding ------------------------------------------------------------------------------ */

enum { PREFIX_MIN = 6 };

struct finding {
    struct views *views;
    struct txn *txn;
    struct slice text;
    bool hex;
    struct thing_key by_id, by_number, by_name;
    size_t ids, numbers, names;
};

static bool starts_with_hex(const struct thing_id *id, struct slice text)
{
    char hex[sizeof id->bytes * 2 + 1];
    hex_encode(hex, id->bytes, sizeof id->bytes);
    for (size_t i = 0; i < text.size; i++)
        if (hex[i] != tolower(text.data[i])) return false;
    return true;
}

static bool try_one(void *state, const struct thing *thing)
{
    struct finding *f = state;
    char name[PERSON_NAME_SIZE];
    if (f->hex && starts_with_hex(&thing->key.thing, f->text)) {
        f->by_id = thing->key;
        f->ids++;
    }
    if (slice_equal(body_text(thing->fields, "number"), f->text)) {
        f->by_number = thing->key;
        f->numbers++;
    }
    if (person_name(f->views, f->txn, &thing->key, name) && slice_is_text(f->text, name)) {
        f->by_name = thing->key;
        f->names++;
    }
    return true;
}

static bool is_hex_prefix(struct slice text)
{
    if (text.size < PREFIX_MIN || text.size > sizeof((struct thing_id *)0)->bytes * 2) return false;
    for (size_t i = 0; i < text.size; i++)
        if (!isxdigit(text.data[i])) return false;
    return true;
}

enum err person_find(struct views *v, struct txn *t, struct slice text, struct thing_key *key)
{
    struct finding f = {.views = v, .txn = t, .text = text, .hex = is_hex_prefix(text)};
    if (!text.size) return ERR_NOT_FOUND;
    enum err err = things_each(t, THING_VOLUNTEER, 0, try_one, &f);
    if (err) return err;
    size_t found = f.numbers ? f.numbers : f.names ? f.names : f.ids;
    if (found != 1) return found ? ERR_AMBIGUOUS : ERR_NOT_FOUND;
    *key = f.numbers ? f.by_number : f.names ? f.by_name : f.by_id;
    return OK;
}
