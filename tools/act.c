#include "tools/act.h"

#include <stdio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/text.h"
#include "node/deadlines.h"
#include "tools/act_defaults.h"
#include "tools/words.h"

/* The start of what was typed, for quoting in a message. */
static void quote(char *out, size_t size, struct slice text)
{
    struct buf shown = {0};
    text_append_shown(&shown, text_cut(text, 40));
    snprintf(out, size, "%s", buf_text(&shown));
    buf_clear(&shown);
}

static void allowed_into(struct act_problem *problem, const struct field *field)
{
    struct buf allowed = {0};
    act_allowed(&allowed, field);
    snprintf(problem->allowed, sizeof problem->allowed, "%s", buf_text(&allowed));
    buf_clear(&allowed);
}

enum err act_refuse(const struct field *field, struct slice text, struct act_problem *problem)
{
    char typed[128];
    quote(typed, sizeof typed, text);
    snprintf(problem->what, sizeof problem->what, _("%s: \"%s\" cannot be used"),
             words_field(field), typed);
    allowed_into(problem, field);
    return ERR_RANGE;
}

/* What the rules in force allow, of a value that the table of kinds would take; else NULL. */
static const char *allowed_now(const char *what)
{
    if (strcmp(what, deadlines_is_past) == 0) {
        return _("today or later; where this machine's time is wrong: sidan clock");
    }
    return strcmp(what, deadlines_not_listed) == 0 ? _("a code or a name of sidan category list")
                                                   : NULL;
}

void act_explain(const struct kind *kind, const struct kind_problem *from,
                 struct act_problem *problem)
{
    const struct field *field = from->field[0] != '\0' ? kind_field(kind, from->field) : NULL;
    if (field == NULL) {
        snprintf(problem->what, sizeof problem->what, "%s%s%s", from->field,
                 from->field[0] != '\0' ? ": " : "", _(from->what));
        problem->allowed[0] = '\0';
        return;
    }
    snprintf(problem->what, sizeof problem->what, "%s: %s", words_field(field), _(from->what));
    const char *allowed = allowed_now(from->what);
    if (allowed != NULL) {
        snprintf(problem->allowed, sizeof problem->allowed, "%s", allowed);
        return;
    }
    allowed_into(problem, field);
}

/* --- the act --- */

void act_begin(struct act *a, const struct kind *kind)
{
    a->kind = kind;
    mp_map_reset(&a->body);
    mp_map_reset(&a->box);
    buf_reset(&a->body_bytes);
    buf_reset(&a->box_bytes);
}

void act_clear(struct act *a)
{
    mp_map_clear(&a->body);
    mp_map_clear(&a->box);
    buf_clear(&a->body_bytes);
    buf_clear(&a->box_bytes);
    buf_clear(&a->value);
}

enum err act_put_encoded(struct act *a, const struct field *field, struct slice value)
{
    struct mp_map *map = field->personal ? &a->box : &a->body;
    struct mp_writer w = mp_map_put(map, field->name);
    mp_write_raw(&w, value);
    return map->bytes.err;
}

enum err act_put(struct act *a, const char *field_name, struct slice text,
                 struct act_problem *problem)
{
    const struct field *field = kind_field(a->kind, field_name);
    text = act_trimmed(text);
    if (text.size == 0) {
        return OK;
    }
    if (field == NULL) {
        snprintf(problem->what, sizeof problem->what, _("%s has no field \"%s\""), a->kind->name,
                 field_name);
        problem->allowed[0] = '\0';
        return ERR_RANGE;
    }
    struct mp_writer w = {&a->value};
    buf_reset(&a->value);
    if (!act_value_write(&w, field, text)) {
        return act_refuse(field, text, problem);
    }
    return a->value.err != OK ? a->value.err : act_put_encoded(a, field, buf_slice(&a->value));
}

/* A value of the body as it was put. */
static bool body_value(const struct act *a, const char *name, struct mp_reader *value)
{
    const struct mp_map *m = &a->body;
    for (size_t i = 0; i < m->count; i++) {
        const struct mp_map_entry *entry = &m->entries[i];
        struct mp_reader key =
            mp_reader_of(slice_of(m->bytes.data + entry->key_at, entry->value_at - entry->key_at));
        *value = mp_reader_of(
            slice_of(m->bytes.data + entry->value_at, m->bytes.size - entry->value_at));
        if (slice_is_text(mp_read_str(&key, SIZE_MAX), name)) {
            return true;
        }
    }
    return false;
}

static bool act_has(const struct act *a, const char *field)
{
    struct mp_reader value;
    return body_value(a, field, &value);
}

bool act_says(const struct act *a, const char *condition)
{
    char name[32];
    struct mp_reader value;
    const char *wanted = strchr(condition, '=') + 1;
    snprintf(name, sizeof name, "%.*s", (int)(wanted - condition - 1), condition);
    if (!body_value(a, name, &value)) {
        return false;
    }
    if (mp_peek(&value) == MP_BOOL) {
        return mp_read_bool(&value) == (strcmp(wanted, "true") == 0);
    }
    return mp_peek(&value) == MP_STR && slice_is_text(mp_read_str(&value, SIZE_MAX), wanted);
}

struct slice act_text(const struct act *a, const char *field)
{
    struct mp_reader value;
    bool text = body_value(a, field, &value) && mp_peek(&value) == MP_STR;
    return text ? mp_read_str(&value, SIZE_MAX) : SLICE_EMPTY;
}

struct slice act_bytes(const struct act *a, const char *field)
{
    struct mp_reader value;
    bool bytes = body_value(a, field, &value) && mp_peek(&value) == MP_BIN;
    return bytes ? mp_read_bin(&value, SIZE_MAX) : SLICE_EMPTY;
}

uint64_t act_uint(const struct act *a, const char *field)
{
    struct mp_reader value;
    bool number = body_value(a, field, &value) && mp_peek(&value) == MP_UINT;
    return number ? mp_read_uint(&value, UINT64_MAX) : 0;
}

enum err act_end(struct act *a, struct draft *draft, struct act_problem *problem)
{
    enum err e = mp_map_end(&a->body, &a->body_bytes);
    if (e == OK && a->box.count > 0) {
        e = mp_map_end(&a->box, &a->box_bytes);
    }
    if (e != OK) {
        return e;
    }
    struct kind_problem found = {0};
    e = kind_check(a->kind, buf_slice(&a->body_bytes), buf_slice(&a->box_bytes), false, &found);
    const char *text;
    const struct field *field = e == ERR_RANGE ? kind_field(a->kind, found.field) : NULL;
    /* What the recorder fills in by the rules in force is there when it checks the whole. */
    if (field != NULL && !act_has(a, field->name) &&
        act_default_of(a->kind, field, &text) == ACT_DEFAULT_RULES) {
        e = OK;
    }
    if (e == ERR_RANGE) {
        problem->missing = field != NULL && strcmp(found.what, "is missing") == 0 ? field : NULL;
        act_explain(a->kind, &found, problem);
    }
    if (e == OK) {
        draft->kind = a->kind->name;
        draft->founding = a->kind->founding;
        draft->body = buf_slice(&a->body_bytes);
        draft->box = buf_slice(&a->box_bytes);
    }
    return e;
}
