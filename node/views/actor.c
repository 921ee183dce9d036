#include "node/views/actor.h"

#include <string.h>

#include "node/views/fold_types.h"

/* Row: [unit str, role str]. The name is personal: it is joined from the box when shown. */

enum { ACTOR_TEXT_MAX = 64 };

static struct slice body_text(struct slice body, const char *key)
{
    struct mp_reader value;
    return mp_map_get(body, key, &value) ? mp_read_str(&value, ACTOR_TEXT_MAX) : SLICE_EMPTY;
}

void actor_fold(struct fold *f)
{
    if (f->founder->effect != EFFECT_COUNTS) return;
    struct mp_writer w = {&f->row};
    mp_write_array(&w, 2);
    mp_write_str(&w, body_text(f->founder->event.body, "unit"));
    mp_write_str(&w, body_text(f->founder->event.body, "role"));
}

/* The name from the founding event's box, borrowed; empty when it is not at hand. */
static struct slice box_name(struct txn *t, const struct thing_key *key)
{
    struct thing_cursor cursor = {.txn = t, .scope_number = key->scope_number, .thing = key->thing};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        struct mp_reader name;
        if (log_read_unverified(t, arrival, &e)) break;
        if (!e.founding) continue;
        if (e.box_state == BOX_HERE && mp_map_get(e.box, "name", &name))
            return mp_read_str(&name, ACTOR_TEXT_MAX);
        break;
    }
    return SLICE_EMPTY;
}

static MUST_CHECK enum err actor_read(struct actor *out, struct txn *t, uint32_t scope_number,
                                      struct slice key, struct slice row)
{
    struct mp_reader r = mp_reader_of(row);
    if (key.size != 1 + sizeof out->key.thing.bytes || mp_read_array(&r, 2) != 2)
        return ERR_CORRUPT;
    out->key.scope_number = scope_number;
    memcpy(out->key.thing.bytes, key.data + 1, sizeof out->key.thing.bytes);
    out->unit = mp_read_str(&r, ACTOR_TEXT_MAX);
    out->role = mp_read_str(&r, ACTOR_TEXT_MAX);
    if (mp_read_end(&r)) return ERR_CORRUPT;
    out->name = box_name(t, &out->key);
    return OK;
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

bool actor_name(struct txn *t, const struct thing_id *thing, char *name, size_t size)
{
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; scope <= scopes; scope++) {
        uint8_t bytes[1 + sizeof thing->bytes] = {THING_ACTOR};
        memcpy(bytes + 1, thing->bytes, sizeof thing->bytes);
        struct row_key key = {scope, ROW_THING, slice_of(bytes, sizeof bytes)};
        struct slice row;
        if (!row_get(t, &key, &row)) continue;
        struct slice text = box_name(t, &(struct thing_key){scope, *thing});
        if (!text.size) continue;
        if (text.size >= size) text.size = size - 1;
        memcpy(name, text.data, text.size);
        name[text.size] = 0;
        return true;
    }
    name[0] = 0;
    return false;
}
