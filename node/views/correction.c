#include "node/views/correction.h"

#include <string.h>

#include "common/i18n.h"
#include "node/views/body.h"

bool correction_is(const struct kind *kind)
{
    return strcmp(kind->name, "correct.entry") == 0;
}

static struct event_id target_of(struct slice body)
{
    struct event_id id = {{0}};
    (void)body_bytes(body, "target", id.bytes, sizeof id.bytes);
    return id;
}

/* Decimal digits without a leading zero. */
static bool parse_uint(struct slice text, uint64_t *out)
{
    uint64_t value = 0;
    if (!text.size || text.size > 18 || (text.size > 1 && text.data[0] == '0')) return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = value;
    return true;
}

/* {field: value}, with the text read as the field's type. */
static const char *map_write(struct buf *out, const struct field *f, struct slice text)
{
    struct mp_writer w = {out};
    uint64_t number = 0;
    buf_reset(out);
    mp_write_map(&w, 1);
    mp_write_text(&w, f->name);
    size_t at = out->size;
    switch (f->type) {
    case FIELD_UINT:
        if (!parse_uint(text, &number)) return N_("is not a whole number from 0 up");
        mp_write_uint(&w, number);
        break;
    case FIELD_CHOICE:
        if (!choice_has(f->choices, text)) return N_("is not one of the choices");
        mp_write_str(&w, text);
        break;
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_CODE:
        mp_write_str(&w, text);
        break;
    default:
        return N_("a field of this type is not corrected");
    }
    return out->err ? NULL : field_check(f, slice_of(out->data + at, out->size - at));
}

/* `target` NULL: no record of this thing has the id. */
static const char *correction_read(struct correction *out, const struct roster *roster,
                                   const struct event *target, const struct sign_key *author,
                                   struct slice body, struct buf *bytes)
{
    *out = (struct correction){0};
    if (!target) return N_("corrects a record that is not about this");
    if (!sign_key_equal(roster_name(roster, author), roster_name(roster, &target->feed.author)))
        return N_("only the device that made a record corrects it");
    out->kind = kind_find(target->kind);
    out->field = out->kind ? kind_field_named(out->kind, body_text(body, "field")) : NULL;
    if (!out->field) return N_("the corrected record has no such field");
    bool stated = body_has(body, "value");
    out->founding = target->founding;
    out->personal = out->field->personal;
    if (out->personal) return stated ? N_("is personal and belongs into the box") : NULL;
    if (!stated) return N_("needs the new value");
    const char *why = map_write(bytes, out->field, body_text(body, "value"));
    out->map = buf_slice(bytes);
    return why;
}

const char *correction_of(struct correction *out, const struct fold *f,
                          const struct fold_item *item, struct buf *bytes)
{
    struct event_id id = target_of(item->event.body);
    const struct event *target = NULL;
    for (size_t i = 0; i < f->count && !target; i++)
        if (event_id_equal(&f->order[i]->event.id, &id)) target = &f->order[i]->event;
    return correction_read(out, f->roster, target, &item->event.feed.author, item->event.body,
                           bytes);
}

enum err correction_may(struct correction *out, struct txn *t, const struct roster *roster,
                        const struct thing_key *key, const struct sign_key *author,
                        struct slice body, struct buf *bytes, const char **why)
{
    struct event_id id = target_of(body);
    struct event e;
    const struct event *target = NULL;
    struct thing_cursor cursor = {.txn = t, .scope_number = key->scope_number, .thing = key->thing};
    for (uint64_t arrival; !target && (arrival = thing_next(&cursor)) != 0;) {
        enum err err = log_read_unverified(t, arrival, &e);
        if (err) return err;
        if (event_id_equal(&e.id, &id)) target = &e;
    }
    *why = correction_read(out, roster, target, author, body, bytes);
    if (*why) return ERR_STATE;
    return bytes->err ? bytes->err : txn_error(t);
}

struct slice correction_join(const struct correction *c, struct slice fields, struct buf *kept,
                             struct buf *spare)
{
    buf_reset(spare);
    body_join(spare, fields, c->map);
    struct buf swap = *kept;
    *kept = *spare;
    *spare = swap;
    return buf_slice(kept);
}
