#include "tools/categories.h"
#include "tools/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "tools/lookup_typed.h"
#include "tools/act_rows.h"
#include "tools/words.h"

static bool is_hex(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

/* A person or a thing by its name, as an id. */
static int thing_id_of(void *state, const struct field *field, const char *text, const char **out)
{
    struct fields *f = state;
    struct cli *cli = f->cli;
    struct scope_row scope;
    enum thing_type type = lookup_field_type(field);
    struct thing_key key;
    struct txn *t;
    char hex[sizeof key.thing.bytes * 2 + 1];
    int code = cli_begin(cli, &t);
    if (code) return code;
    code = lookup_typed(cli, t, type ? type : THING_ANY, text, &key);
    if (!code && scope_get(t, key.scope_number, &scope) && scope_class(&scope.scope) != SCOPE_TOWN)
        f->near = key.scope_number;
    txn_abort(t);
    if (code) return code;
    if (type == THING_REQUEST) {
        f->has_request = true;
        f->request = key;
    }
    if (type == THING_ACTIVITY) {
        f->has_activity = true;
        f->activity = key;
    }
    hex_encode(hex, key.thing.bytes, sizeof key.thing.bytes);
    *out = cli_format(cli, "%s", hex);
    return EXIT_OK;
}

/* A record of the subject by its number in `sidan show`. */
static int record_id_of(const struct fields *f, const struct field *field, const char *text,
                        const char **out)
{
    struct history history;
    struct txn *t;
    char hex[sizeof(struct event_id) * 2 + 1] = "";
    char *end;
    int code = cli_begin(f->cli, &t);
    if (code) return code;
    enum err e =
        views_history(f->cli->views, t, f->subject.scope_number, &f->subject.thing, &history);
    if (e) {
        txn_abort(t);
        return cli_fail(f->cli, e, _("its history cannot be read"));
    }
    size_t count = history.count;
    unsigned long number = strtoul(text, &end, 10);
    if (*text && !*end && number >= 1 && number <= count)
        hex_encode(hex, history.items[number - 1].event.id.bytes, sizeof(struct event_id));
    history_clear(&history);
    txn_abort(t);
    if (hex[0]) {
        *out = cli_format(f->cli, "%s", hex);
        return EXIT_OK;
    }
    return cli_error(f->cli, EXIT_USAGE,
                     cli_format(f->cli, _("%s: \"%s\" cannot be used"), words_field(field), text),
                     cli_format(f->cli, _("allowed: %s"), cli_format(f->cli, "1-%zu", count)),
                     _("the number in front of the record in sidan show"));
}

/* By when something is due: the day that is named still counts. */
static bool is_deadline(const struct field *field)
{
    return strcmp(field->name, "due") == 0 || strcmp(field->name, "to") == 0;
}

static int resolve(struct fields *f, const struct field *field, const char **text)
{
    switch (field->type) {
    case FIELD_THING:
        return thing_id_of(f, field, *text, text);
    case FIELD_BYTES:
        if (!f->acts_on || is_hex(*text, 2 * sizeof(struct event_id))) return EXIT_OK;
        return record_id_of(f, field, *text, text);
    case FIELD_TIME:
        if (is_deadline(field) && time_date_valid(*text))
            *text = cli_format(f->cli, "%s 18:00", *text);
        return EXIT_OK;
    default:
        return EXIT_OK;
    }
}

static int refused(struct fields *f, enum err e, const struct act_problem *problem)
{
    if (e == ERR_RANGE && f->asking) {
        output_note(f->cli, _("  %s; allowed: %s"), problem->what, problem->allowed);
        return EXIT_USAGE;
    }
    if (e == ERR_RANGE) return recording_refused(f->cli, problem);
    return e ? cli_fail(f->cli, e, _("nothing was recorded")) : EXIT_OK;
}

int fields_put(struct fields *f, const struct field *field, const char *text)
{
    struct act_problem problem;
    if (!act_trimmed(slice_of_text(text)).size) return EXIT_OK;
    int code = resolve(f, field, &text);
    if (code) return code;
    if (field->type == FIELD_CODE && strcmp(field->name, "category") == 0) {
        enum err e = category_typed(f->cli, &text, &problem);
        if (e) return refused(f, e, &problem);
    }
    return refused(f, act_put(f->act, field->name, slice_of_text(text), &problem), &problem);
}

int fields_put_rows(struct fields *f, const struct field *field, const char *const *texts,
                    size_t count)
{
    struct act_rows rows = {.cli = f->cli, .field = field, .cell = thing_id_of, .state = f};
    int code = EXIT_OK;
    for (size_t i = 0; i < count && !code; i++) code = act_rows_take(&rows, texts[i]);
    if (!code && rows.count) {
        struct buf value = {0};
        act_rows_write(&rows, &value);
        enum err e = value.err ? value.err : act_put_encoded(f->act, field, buf_slice(&value));
        buf_clear(&value);
        code = refused(f, e, NULL);
    }
    act_rows_clear(&rows);
    return code;
}
