#include "tools/correcting.h"

#include <string.h>

#include "tools/categories.h"
#include "tools/choices.h"
#include "tools/form.h"
#include "tools/words.h"

/* The kind of the record that is corrected; NULL with `code` set where there is none. */
static const struct kind *kind_of_record(struct doing *d, struct slice target, int *code)
{
    struct history history;
    struct txn *t;
    struct event_id id;
    const struct kind *k = NULL;
    *code = cli_begin(d->cli, &t);
    if (*code) return NULL;
    enum err e = target.size == sizeof id.bytes ? OK : ERR_NOT_FOUND;
    if (!e) memcpy(id.bytes, target.data, sizeof id.bytes);
    if (!e)
        e = views_history(d->cli->views, t, d->fields.subject.scope_number,
                          &d->fields.subject.thing, &history);
    for (size_t i = 0; !e && i < history.count; i++)
        if (event_id_equal(&history.items[i].event.id, &id))
            k = kind_find(history.items[i].event.kind);
    if (!e) history_clear(&history);
    txn_abort(t);
    if (!k)
        *code = cli_error(d->cli, EXIT_NOT_FOUND, _("that record is not one of this thing's"), NULL,
                          _("sidan show ID numbers them"));
    return k;
}

/* By its name, with dashes too, or its Chinese name. */
static const struct field *field_named(const struct kind *k, const char *name)
{
    for (size_t i = 0; i < k->field_count; i++) {
        const struct field *f = &k->fields[i];
        size_t at = 0;
        while (f->name[at] && (f->name[at] == name[at] || (f->name[at] == '_' && name[at] == '-')))
            at++;
        if ((!f->name[at] && !name[at]) || strcmp(f->zh, name) == 0) return f;
    }
    return NULL;
}

static bool is_correctable(const struct field *f)
{
    return f->type == FIELD_TEXT || f->type == FIELD_UINT || f->type == FIELD_DATE ||
           f->type == FIELD_CHOICE || f->type == FIELD_CODE;
}

static int no_such_field(struct doing *d, const struct kind *k, const char *name)
{
    const char *list = "";
    for (size_t i = 0; i < k->field_count; i++)
        if (is_correctable(&k->fields[i]))
            list = cli_format(d->cli, "%s%s%s %s", list, *list ? ", " : "", k->fields[i].name,
                              words_field(&k->fields[i]));
    return cli_error(d->cli, EXIT_USAGE,
                     cli_format(d->cli, _("%s has no field \"%s\" that can be corrected"),
                                words_kind(d->cli, slice_of_text(k->name)), name),
                     cli_format(d->cli, _("allowed: %s"), list),
                     _("correct it and try again; nothing was recorded"));
}

/* Said on the line, or asked for; NULL: neither. */
static int text_of(struct doing *d, const char *name, const struct field *shown, const char **text)
{
    *text = cli_field(d->cli, name);
    if (*text || !d->asking) return EXIT_OK;
    return form_ask(d->cli, shown, NULL, text);
}

static int put(struct doing *d, const char *name, const char *text)
{
    return text ? fields_put(&d->fields, kind_field(d->kind, name), text) : EXIT_OK;
}

/* The new value in the one way it is stored: a choice by its code. */
static int put_value(struct doing *d, const struct field *f, const char *text)
{
    char code[CHOICE_CODE_SIZE];
    struct act_problem problem;
    struct buf value = {0};
    struct mp_writer w = {&value};
    if (f->type == FIELD_CODE && strcmp(f->name, "category") == 0) {
        enum err e = category_typed(d->cli, &text, &problem);
        if (e == ERR_RANGE) return recording_refused(d->cli, &problem);
    }
    struct slice trimmed = act_trimmed(slice_of_text(text));
    bool fits = act_value_write(&w, f, trimmed);
    buf_clear(&value);
    if (!fits) {
        enum err e = act_refuse(f, trimmed, &problem);
        return e == ERR_RANGE ? recording_refused(d->cli, &problem) : EXIT_FAILED;
    }
    if (f->type == FIELD_CHOICE && choice_code(code, f->name, f->choices, trimmed)) text = code;
    return put(d, f->personal ? "personal_value" : "value", text);
}

int correcting_put(struct doing *d)
{
    const char *target, *name, *value, *why;
    int code = text_of(d, "target", kind_field(d->kind, "target"), &target);
    if (!code) code = put(d, "target", target);
    if (!code) code = text_of(d, "field", kind_field(d->kind, "field"), &name);
    if (!code && (!target || !name))
        return cli_error(d->cli, EXIT_USAGE, _("it is not said what is to be corrected"), NULL,
                         _("add --entry N --field WORD: sidan show ID numbers the records"));
    if (code) return code;
    const struct kind *k = kind_of_record(d, act_bytes(&d->act, "target"), &code);
    if (!k) return code;
    const struct field *f = field_named(k, name);
    if (!f || !is_correctable(f)) return no_such_field(d, k, name);
    code = put(d, "field", f->name);
    if (!code) code = text_of(d, "value", f, &value);
    if (!code && !value)
        return cli_error(d->cli, EXIT_USAGE, _("it is not said what it should be"), NULL,
                         _("add --value TEXT"));
    if (!code) code = put_value(d, f, value);
    if (!code) code = text_of(d, "why", kind_field(d->kind, "why"), &why);
    return code ? code : put(d, "why", why);
}
