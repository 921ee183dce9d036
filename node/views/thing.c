#include "node/views/thing.h"

#include <string.h>

#include "node/views/body.h"
#include "node/views/correction.h"
#include "node/views/thing_rules.h"

/* --- rows ------------------------------------------------------------------------------------ */

static bool read_by(struct mp_reader *r, struct thing_id *by)
{
    if (mp_read_nil(r)) return false;
    mp_read_bin_exact(r, by->bytes, sizeof by->bytes);
    return true;
}

enum err thing_row_read(struct thing *out, enum thing_type type, const struct thing_key *key,
                        struct slice row)
{
    struct mp_reader r = mp_reader_of(row);
    struct thing thing = {.type = type, .key = *key};
    if (mp_read_array(&r, 6) != 6) return ERR_CORRUPT;
    thing.state = (unsigned)mp_read_uint(&r, UINT8_MAX);
    thing.founded_ms = mp_read_uint(&r, UINT64_MAX);
    mp_read_bin_exact(&r, thing.author.bytes, sizeof thing.author.bytes);
    thing.has_by = read_by(&r, &thing.by);
    thing.fields = mp_skip(&r);
    size_t acts = mp_read_array(&r, SIZE_MAX);
    if (r.err) return ERR_CORRUPT;
    thing.acts = slice_of(r.at, (size_t)(r.end - r.at));
    for (; acts > 0 && !r.err; acts--) mp_skip(&r);
    if (mp_read_end(&r)) return ERR_CORRUPT;
    *out = thing;
    return OK;
}

enum err thing_get(struct txn *t, enum thing_type type, const struct thing_key *key,
                   struct thing *out)
{
    uint8_t bytes[ROW_THING_KEY_SIZE];
    const struct row_key row_key = row_thing_key(bytes, type, key);
    struct slice row;
    if (row_get(t, &row_key, &row)) return thing_row_read(out, type, key, row);
    enum err err = txn_error(t);
    return err ? err : ERR_NOT_FOUND;
}

bool thing_of_id(struct txn *t, enum thing_type type, const struct thing_id *id, struct thing *out)
{
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; scope <= scopes; scope++) {
        const struct thing_key key = {scope, *id};
        if (thing_get(t, type, &key, out) == OK) return true;
    }
    return false;
}

static MUST_CHECK enum err scope_each(struct txn *t, enum thing_type type, uint32_t scope_number,
                                      bool (*each)(void *state, const struct thing *thing),
                                      void *state, bool *more)
{
    const uint8_t prefix = (uint8_t)type;
    struct row_cursor cursor = {
        .scope_number = scope_number, .table = ROW_THING, .prefix = slice_of(&prefix, 1)};
    struct slice key, row;
    while (*more && row_next(t, &cursor, &key, &row)) {
        struct thing_key thing_key = {.scope_number = scope_number};
        struct thing thing;
        enum err err = row_thing_id(&thing_key.thing, key);
        if (!err) err = thing_row_read(&thing, type, &thing_key, row);
        if (err) return err;
        *more = each(state, &thing);
    }
    return txn_error(t);
}

enum err things_each(struct txn *t, enum thing_type type, uint32_t scope_number,
                     bool (*each)(void *state, const struct thing *thing), void *state)
{
    bool more = true;
    if (scope_number) return scope_each(t, type, scope_number, each, state, &more);
    uint32_t scopes = scope_count(t);
    for (uint32_t scope = 1; more && scope <= scopes; scope++) {
        enum err err = scope_each(t, type, scope, each, state, &more);
        if (err) return err;
    }
    return OK;
}

bool thing_act_next(struct mp_reader *r, struct thing_act *out)
{
    if (r->err || r->at >= r->end || mp_read_array(r, 4) != 4) return false;
    struct thing_act act = {.kind = mp_read_str(r, SIZE_MAX)};
    act.ms = mp_read_uint(r, UINT64_MAX);
    act.has_by = read_by(r, &act.by);
    act.body = mp_skip(r);
    if (r->err) return false;
    *out = act;
    return true;
}

/* --- what may be done ------------------------------------------------------------------------ */

static void past_of(struct thing_past *past, const struct thing *thing)
{
    struct mp_reader r = mp_reader_of(thing->acts);
    struct thing_act act;
    past_reset(past);
    while (thing_act_next(&r, &act)) {
        const struct thing_rule *rule = thing_rule_find(thing->type, act.kind);
        if (rule && rule->take) rule->take(past, act.body);
    }
}

static MUST_CHECK enum err correct_may(struct txn *t, const struct thing *thing,
                                       const struct thing_deed *deed, const char **why)
{
    struct correction correction;
    struct kind_problem problem = {.what = ""};
    struct buf bytes = {0}, fields = {0};
    enum err err =
        correction_may(&correction, t, deed->roster, &thing->key, &deed->author, deed->body,
                       &bytes, why);
    if (!err && correction.founding && !correction.personal) {
        bool authority = roster_keeps_authority(t, &thing->author);
        body_join(&fields, thing->fields, correction.map);
        err = fields.err
                  ? fields.err
                  : thing_may_found(correction.kind, authority, buf_slice(&fields), &problem);
        if (err == ERR_RANGE) {
            *why = problem.what;
            err = ERR_STATE;
        }
    }
    buf_clear(&bytes);
    buf_clear(&fields);
    return err;
}

enum err thing_may(struct txn *t, const struct thing *thing, const struct thing_deed *deed,
                   const char **why)
{
    *why = "";
    if (deed->kind->thing == THING_ANY)
        return correction_is(deed->kind) ? correct_may(t, thing, deed, why) : OK;
    struct thing_past past = {0};
    const struct thing_case c = {thing, &past, deed};
    past_of(&past, thing);
    enum err err = past.entries.err;
    if (!err)
        err = thing_rule_check(thing_rule_find(thing->type, slice_of_text(deed->kind->name)), &c,
                               why);
    past_clear(&past);
    return err;
}
