#include "node/views/sealed.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/fold_types.h"
#include "node/views/thing.h"

/* A row says the day of any time an event can have; time_day ends with the year 9999. */
enum { ROW_FIELDS = 3, DAY_MS = 24 * 60 * 60 * 1000, CHINA_MS = 8 * 60 * 60 * 1000 };

/* --- the fold ------------------------------------------------------------------------------ */

/* What was opened is done with. What was dismissed may still be opened: another device may be able
 * to. */
const char *sealed_refuses(const struct sealed *s, struct slice kind)
{
    if (s->opened) return N_("was opened already");
    if (s->dismissed && slice_is_text(kind, "sealed.dismissed")) return N_("was dismissed already");
    return NULL;
}

static void act(struct sealed *s, struct fold_item *item)
{
    struct slice kind = item->event.kind;
    struct mp_reader value;
    bool dismisses = slice_is_text(kind, "sealed.dismissed");
    if (item->effect != EFFECT_COUNTS || (!dismisses && !slice_is_text(kind, "sealed.opened")))
        return;
    const char *why = sealed_refuses(s, kind);
    if (why) {
        fold_mark(item, EFFECT_IMPOSSIBLE, why);
    } else if (dismisses) {
        s->dismissed = true;
    } else if (mp_map_get(item->event.body, "request", &value)) {
        mp_read_bin_exact(&value, s->request.bytes, sizeof s->request.bytes);
        s->opened = true;
        s->dismissed = false;
    }
}

enum { SEALED, OPENED, DISMISSED };

void sealed_fold(struct fold *f)
{
    struct sealed s = {.opened = false};
    for (size_t i = 0; i < f->count; i++) {
        act(&s, f->order[i]);
        f->order[i]->state_after = thing_state_name(THING_SEALED, s.opened      ? OPENED
                                                                  : s.dismissed ? DISMISSED
                                                                                : SEALED);
    }
    if (f->founder->effect != EFFECT_COUNTS) return;
    struct mp_writer w = {&f->row};
    mp_write_array(&w, ROW_FIELDS);
    mp_write_uint(&w, (HLC_MS(f->founder->event.time) + CHINA_MS) / DAY_MS);
    if (s.opened)
        mp_write_bin(&w, s.request.bytes, sizeof s.request.bytes);
    else
        mp_write_nil(&w);
    mp_write_bool(&w, s.dismissed);
}

/* --- rows ---------------------------------------------------------------------------------- */

static MUST_CHECK enum err row_read(struct sealed *out, const struct thing_key *key,
                                    struct slice row)
{
    struct sealed s = {.key = *key};
    struct mp_reader r = mp_reader_of(row);
    if (mp_read_array(&r, ROW_FIELDS) != ROW_FIELDS) return ERR_CORRUPT;
    uint64_t day = mp_read_uint(&r, HLC_MS_MAX / DAY_MS + 1);
    s.day_ms = day ? day * DAY_MS - CHINA_MS : 0;
    s.opened = !mp_read_nil(&r);
    if (s.opened) mp_read_bin_exact(&r, s.request.bytes, sizeof s.request.bytes);
    s.dismissed = mp_read_bool(&r);
    if (mp_read_end(&r)) return ERR_CORRUPT;
    *out = s;
    return OK;
}

enum err sealed_get(struct txn *t, const struct thing_key *key, struct sealed *out)
{
    uint8_t bytes[ROW_THING_KEY_SIZE];
    const struct row_key row_key = row_thing_key(bytes, THING_SEALED, key);
    struct slice row;
    if (row_get(t, &row_key, &row)) return row_read(out, key, row);
    enum err err = txn_error(t);
    return err ? err : ERR_NOT_FOUND;
}

enum err sealed_each(struct txn *t, bool (*each)(void *state, const struct sealed *sealed),
                     void *state)
{
    const uint8_t prefix = THING_SEALED;
    const struct scope office = scope_office();
    struct scope_row scope;
    struct slice key, row;
    if (!scope_find(t, &office, &scope)) return txn_error(t);
    struct row_cursor cursor = {
        .scope_number = scope.number, .table = ROW_THING, .prefix = slice_of(&prefix, 1)};
    while (row_next(t, &cursor, &key, &row)) {
        struct thing_key thing = {.scope_number = scope.number};
        struct sealed sealed;
        enum err err = row_thing_id(&thing.thing, key);
        if (!err) err = row_read(&sealed, &thing, row);
        if (err) return err;
        if (!each(state, &sealed)) break;
    }
    return txn_error(t);
}

static bool count(void *state, const struct sealed *sealed)
{
    struct sealed_counts *counts = state;
    if (sealed->opened)
        counts->opened++;
    else if (sealed->dismissed)
        counts->dismissed++;
    else
        counts->waiting++;
    return true;
}

enum err sealed_count(struct txn *t, struct sealed_counts *out)
{
    struct sealed_counts counts = {0};
    enum err err = sealed_each(t, count, &counts);
    if (!err) *out = counts;
    return err;
}
