#include "common/time.h"
#include "tools/act_defaults.h"
#include "tools/act_told.h"
#include "tools/commands.h"
#include "tools/correcting.h"
#include "tools/doing.h"
#include "tools/fields.h"
#include "tools/flags.h"
#include "tools/form.h"
#include "tools/hint.h"
#include "tools/lookup_typed.h"
#include "tools/words.h"

#include <string.h>

/* --- what is acted on --- */

/* Where it stands and what the act needs to know of it. */
static int find_subject(struct doing *d)
{
    struct txn *t;
    struct scope_row scope;
    if (d->kind->founding) return EXIT_OK;
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    code = lookup_typed(d->cli, t, d->kind->thing, cli_argument(d->cli, 0), &d->fields.subject);
    if (!code && !scope_get(t, d->fields.subject.scope_number, &scope))
        code = cli_fail(d->cli, ERR_CORRUPT, _("nothing was recorded"));
    if (!code) {
        d->draft.subject = d->fields.subject.thing;
        d->draft.scope = scope.scope;
        d->type = lookup_thing_type(t, &d->fields.subject);
        code = doing_read_request(d, t);
    }
    txn_abort(t);
    return code;
}

/* --- values --- */

/* The word on the line for a field: arguments fill the fields that the verb names for them. */
static const char *argument_of(const struct doing *d, const struct field *f)
{
    const char *names = d->cli->command->fills;
    for (size_t at = d->kind->founding ? 0 : 1; names && *names; at++) {
        size_t size = strcspn(names, " ");
        if (strlen(f->name) == size && strncmp(names, f->name, size) == 0)
            return cli_argument(d->cli, at);
        names += size + (names[size] == ' ');
    }
    return NULL;
}

/* Does something have to be said that no word on the line says? */
static bool lacks(const struct doing *d)
{
    const char *text;
    for (size_t i = 0; i < d->kind->field_count; i++) {
        const struct field *f = &d->kind->fields[i];
        if (f->required && !argument_of(d, f) && !flags_field_is_filled_in(d->kind, f) &&
            act_default_of(d->kind, f, &text) == ACT_DEFAULT_NONE)
            return true;
    }
    return false;
}

static int put_text(struct doing *d, const struct field *f, const char *text)
{
    if (f->type != FIELD_ROWS) return fields_put(&d->fields, f, text);
    return *text ? fields_put_rows(&d->fields, f, &text, 1) : EXIT_OK;
}

/* All flags of a field of rows together; --file is one more, where the verb has it. */
static int put_rows(struct doing *d, const struct field *f)
{
    const char *texts[CLI_FLAGS_MAX + 1], *file = cli_flag(d->cli, "--file");
    size_t count = 0, at = 0;
    while ((texts[count] = cli_field_each(d->cli, f->name, &at)) != NULL) count++;
    if (file) texts[count++] = cli_format(d->cli, "@%s", file);
    return fields_put_rows(&d->fields, f, texts, count);
}

/* What the recorder would fill in alike is left to it: it states by which rules. */
static bool is_left_out(const struct doing *d, const struct field *f)
{
    const char *text;
    return act_default_of(d->kind, f, &text) == ACT_DEFAULT_RULES;
}

/* Asks until the answer can be used; what an answer makes needless is not asked. */
static int ask(struct doing *d, const struct field *f, const char *otherwise)
{
    const char *skipped = act_field_skipped_when(d->kind, f), *answer;
    if (act_field_is_seldom(d->kind, f) || (skipped && act_says(&d->act, skipped)))
        return otherwise ? put_text(d, f, otherwise) : EXIT_OK;
    if (!otherwise && !f->required && !f->unless) otherwise = "";
    for (;;) {
        int code = form_ask(d->cli, f, otherwise, &answer);
        if (code) return code;
        if (is_left_out(d, f) && strcmp(answer, otherwise) == 0) return EXIT_OK;
        code = put_text(d, f, answer);
        if (code != EXIT_USAGE && code != EXIT_NOT_FOUND) return code;
    }
}

static int put_field(struct doing *d, const struct field *f)
{
    const char *otherwise = NULL, *given = argument_of(d, f);
    if (f->type == FIELD_ROWS && !d->asking) return put_rows(d, f);
    if (!given) given = cli_field(d->cli, f->name);
    if (given) return doing_is_automatic(d, f, given) ? EXIT_OK : put_text(d, f, given);
    int code = doing_default(d, f, &otherwise);
    if (code) return code;
    if (d->asking) return ask(d, f, otherwise);
    return otherwise && !is_left_out(d, f) ? put_text(d, f, otherwise) : EXIT_OK;
}

static int put_values(struct doing *d)
{
    int code = EXIT_OK;
    if (d->asking) form_begin(d->cli);
    if (strcmp(d->kind->name, "correct.entry") == 0) return correcting_put(d);
    for (size_t i = 0; i < d->kind->field_count && !code; i++)
        if (!flags_field_is_filled_in(d->kind, &d->kind->fields[i]))
            code = put_field(d, &d->kind->fields[i]);
    return code;
}

/* --- recording and telling --- */

/* What was left out is asked for by its flag. */
static int refused(struct doing *d, const struct act_problem *problem)
{
    const struct flag *f = flags_of(d->cli->command);
    while (f->name &&
           (!f->field || !problem->missing || strcmp(f->field, problem->missing->name) != 0))
        f++;
    if (!f->name) return recording_refused(d->cli, problem);
    return cli_error(d->cli, EXIT_USAGE, problem->what,
                     cli_format(d->cli, _("allowed: %s"), problem->allowed),
                     cli_format(d->cli, _("add %s; nothing was recorded"), f->name));
}

static int record(struct doing *d, struct recorded *recorded)
{
    struct act_problem problem = {.missing = NULL};
    enum err e = recorder_begin(d->cli->recorder, &d->recording.clock);
    if (e) return cli_fail(d->cli, e, _("nothing was recorded"));
    int code = doing_fill_in(d);
    if (!code) {
        e = act_end(&d->act, &d->draft, &problem);
        if (e)
            code = e == ERR_RANGE ? refused(d, &problem)
                                  : cli_fail(d->cli, e, _("nothing was recorded"));
    }
    if (code) {
        recorder_abort(d->cli->recorder);
        return code;
    }
    d->draft.has_by = d->recording.has_by;
    d->draft.by = d->recording.by;
    return recording_add(d->cli, &d->draft, recorded);
}

static int tell_json(struct doing *d, const struct recorded *recorded, const struct request *r)
{
    json_t *o = output_json("sidan.recorded/1");
    recording_describe(o, recorded);
    json_object_set_new(o, "kind", json_string(d->kind->name));
    if (r) {
        json_object_set_new(o, "no", json_string(d->label));
        json_object_set_new(o, "official_no", output_json_text(r->official_number));
        json_object_set_new(o, "state", json_string(request_state_name(r->state)));
    } else {
        json_object_set_new(o, "type", json_string(thing_type_name(d->type)));
    }
    return output_json_end(o);
}

static const char *day_of(struct cli *cli, uint64_t ms)
{
    char day[TIME_TEXT_SIZE];
    time_format_date(day, ms);
    return cli_format(cli, "%s", day);
}

static void tell_words(struct doing *d, const struct request *r)
{
    struct cli *cli = d->cli;
    output_line(cli, "%s", act_done(cli, d->kind, d->label));
    if (r) {
        const char *state =
            i18n_is_chinese() ? request_state_zh(r->state) : request_state_name(r->state);
        if (r->official_number.size && strcmp(d->kind->name, "request.accept") == 0)
            output_line(cli, _("official number: %s"), output_text(cli, r->official_number));
        if (r->number_due)
            output_line(cli, "%s", _("official number: given by the hub once it has this"));
        if (r->state != d->state_before) output_line(cli, _("it stands at: %s"), state);
        if (r->due_ms && r->due_ms != d->due_ms)
            output_line(cli, _("to be done by %s"), day_of(cli, r->due_ms));
    }
    bool township = device_is_township(&d->recording.self);
    if (!township) output_line(cli, "%s", _("saved here; the township has yet to confirm it"));
    const char *next =
        r ? act_request_next(cli, r, township, d->label) : act_next(cli, d->kind, d->id);
    if (next) hint_line(cli, _("next: %s"), next);
}

static int tell(struct doing *d, const struct recorded *recorded)
{
    struct txn *t;
    struct request request;
    int code = cli_begin(d->cli, &t);
    if (code) return code;
    code = doing_name(d, t, recorded);
    bool is_request = d->type == THING_REQUEST;
    enum err e = is_request && !code ? request_get(t, &d->fields.subject, &request) : OK;
    if (e) {
        code = cli_fail(d->cli, e, _("recorded, but it cannot be read back"));
    } else if (!code && d->cli->json) {
        code = tell_json(d, recorded, is_request ? &request : NULL);
    } else if (!code) {
        tell_words(d, is_request ? &request : NULL);
    }
    txn_abort(t);
    return code;
}

int cmd_act(struct cli *cli)
{
    struct doing d = {.cli = cli, .kind = kind_find(slice_of_text(cli->command->kind))};
    struct recorded recorded;
    act_begin(&d.act, d.kind);
    d.fields = (struct fields){.cli = cli, .act = &d.act, .acts_on = !d.kind->founding};
    d.asking = form_is_wanted(cli) && lacks(&d);
    d.fields.asking = d.asking;
    int code = recording_begin(cli, &d.recording);
    if (!code) code = find_subject(&d);
    if (!code && d.asking) code = doing_may_begin(&d);
    if (!code) code = put_values(&d);
    if (!code) code = doing_scope(&d);
    if (!code) code = record(&d, &recorded);
    if (!code) code = tell(&d, &recorded);
    act_clear(&d.act);
    return code;
}
