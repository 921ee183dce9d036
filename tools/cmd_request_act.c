#include "tools/commands.h"
#include "tools/lookup.h"
#include "tools/recording.h"

#include "common/time.h"

#include <stdio.h>
#include <string.h>

/* A step of a request, and what a clerk is told afterwards. */
struct step {
    const char *verb, *kind;
    enum request_state from;
    const char *done; /* "%s": the number */
    const char *next; /* "%s": the number; NULL: nothing */
};

static const struct step steps[] = {
    {"accept", "request.accept", REQUEST_REGISTERED, N_("%s is accepted"),
     N_("sidan assign %s --to UNIT --due DATE --task TEXT --signed-by PERSON")},
    {"assign", "order.issue", REQUEST_ACCEPTED, N_("%s is assigned"),
     N_("the unit signs for it: sidan sign %s")},
    {"sign", "order.sign", REQUEST_ASSIGNED, N_("%s is signed for"),
     N_("sidan report %s --solved yes|part|no --measure TEXT")},
    {"report", "order.report", REQUEST_IN_PROGRESS, N_("the result of %s is reported"),
     N_("another person asks whether it is solved: sidan visit %s --reached yes")},
    {"visit", "callback.record", REQUEST_REPORTED, N_("the callback of %s is recorded"),
     N_("sidan close %s --result solved")},
    {"close", "request.close", REQUEST_REPORTED, N_("%s is closed"), NULL},
};

enum { STEP_COUNT = sizeof steps / sizeof steps[0] };

/* One run of a verb. */
struct doing {
    struct cli *cli;
    const struct step *step;
    struct recording recording;
    struct act act;
    struct thing_key thing;
    struct draft draft;
    char number[33];
    uint32_t attempt;
    bool urgent;
};

static const struct step *step_find(const char *verb)
{
    const struct step *s = steps;
    while (strcmp(s->verb, verb) != 0) {
        s++;
    }
    return s;
}

/* Said before anything is filled in: the fold would mark the act as without effect. */
static int refuse_state(struct doing *d, enum request_state state)
{
    const char *shown = i18n_is_chinese() ? request_state_zh(state) : request_state_name(state);
    const struct step *next = steps;
    while (next < steps + STEP_COUNT && next->from != state) {
        next++;
    }
    return cli_error(
        d->cli, EXIT_REFUSED, _("nothing was recorded"),
        cli_format(d->cli, _("%s stands at: %s"), d->number, shown),
        next < steps + STEP_COUNT
            ? cli_format(d->cli, _("the next step: sidan %s %s"), next->verb, d->number)
            : _("sidan show ID tells how it stands, sidan kinds what each step needs"));
}

/* The request named on the line: where it stands and what the act needs to know of it. */
static int find_request(struct doing *d)
{
    struct txn *t;
    struct request request;
    struct scope_row scope;
    int code = cli_begin(d->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = lookup_thing(d->cli, t, cli_argument(d->cli, 0), &d->thing);
    if (code == EXIT_OK) {
        enum err e = request_get(t, &d->thing, &request);
        if (e != OK || !scope_get(t, d->thing.scope_number, &scope)) {
            code = cli_fail(d->cli, e != OK ? e : ERR_NOT_FOUND,
                            cli_format(d->cli, _("\"%s\" is no request that is held here"),
                                       cli_argument(d->cli, 0)));
        } else {
            struct slice number =
                request.number.size > 0 ? request.number : request.official_number;
            snprintf(d->number, sizeof d->number, "%.*s", (int)number.size, number.data);
            d->attempt = request.callbacks_failed + (request.callback_reached ? 1u : 0u) + 1;
            d->urgent = request.urgency == 3;
            d->draft.scope = scope.scope;
            code = request.state == d->step->from ? EXIT_OK : refuse_state(d, request.state);
        }
    }
    txn_abort(t);
    return code;
}

static int put(struct doing *d, const char *field, const char *text)
{
    struct act_problem problem;
    enum err e = act_put(&d->act, field, slice_of_text(text), &problem);
    if (e == ERR_RANGE) {
        return recording_refused(d->cli, &problem);
    }
    return e == OK ? EXIT_OK : cli_fail(d->cli, e, _("nothing was recorded"));
}

static int put_flag(struct doing *d, const char *field, const char *text)
{
    const struct field *f = kind_field(d->act.kind, field);
    if (f != NULL && f->type == FIELD_TIME && strcmp(field, "due") == 0 && time_date_valid(text)) {
        text = cli_format(d->cli, "%s 18:00", text); /* due: the end of that working day */
    }
    if (f != NULL && f->type == FIELD_THING) {
        struct txn *t;
        struct thing_id person;
        int code = cli_begin(d->cli, &t);
        if (code != EXIT_OK) {
            return code;
        }
        code = lookup_person(d->cli, t, text, &person);
        txn_abort(t);
        char id[sizeof person.bytes * 2 + 1];
        if (code == EXIT_OK) {
            hex_encode(id, person.bytes, sizeof person.bytes);
        }
        return code == EXIT_OK ? put(d, field, id) : code;
    }
    return put(d, field, text);
}

/* What need not be said: the class, the count of calls, how the person was reached. */
static int put_defaults(struct doing *d)
{
    int code = EXIT_OK;
    if (strcmp(d->step->kind, "request.accept") == 0 && !cli_has(d->cli, "--class")) {
        code = put(d, "class", "general");
    }
    if (strcmp(d->step->kind, "callback.record") == 0) {
        if (!cli_has(d->cli, "--attempt")) {
            code = put(d, "attempt", cli_format(d->cli, "%u", d->attempt));
        }
        if (code == EXIT_OK && !cli_has(d->cli, "--method")) {
            code = put(d, "method", "phone");
        }
    }
    return code;
}

static int put_values(struct doing *d)
{
    const struct kind *k = d->act.kind;
    int code = put_defaults(d);
    for (size_t i = 0; i < k->field_count && code == EXIT_OK; i++) {
        const char *text = cli_field(d->cli, k->fields[i].name);
        bool automatic = text != NULL && strcmp(text, "auto") == 0 &&
                         strcmp(k->fields[i].name, "official_no") == 0;
        if (text != NULL && !automatic) {
            code = put_flag(d, k->fields[i].name, text);
        }
    }
    return code;
}

/* At the hub an acceptance gets the next official number unless one is given. */
static bool wants_official(const struct doing *d)
{
    const char *given = cli_flag(d->cli, "--official");
    return strcmp(d->step->kind, "request.accept") == 0 && (d->recording.self.roles & ROLE_HUB) &&
           scope_class(&d->draft.scope) != SCOPE_OFFICE && /* it has a number of its own series */
           (given == NULL || strcmp(given, "auto") == 0);
}

static int put_official(struct doing *d)
{
    char number[16];
    enum err e = request_next_official(recorder_txn(d->cli->recorder),
                                       time_year(d->recording.clock.wall_ms), number);
    return e == OK ? put(d, "official_no", number)
                   : cli_fail(d->cli, e, _("no official number could be given"));
}

static int record(struct doing *d, struct recorded *recorded)
{
    struct act_problem problem;
    enum err e = recorder_begin(d->cli->recorder, &d->recording.clock);
    if (e != OK) {
        return cli_fail(d->cli, e, _("nothing was recorded"));
    }
    int code = wants_official(d) ? put_official(d) : EXIT_OK;
    if (code == EXIT_OK) {
        e = act_end(&d->act, &d->draft, &problem);
        if (e != OK) {
            code = e == ERR_RANGE ? recording_refused(d->cli, &problem)
                                  : cli_fail(d->cli, e, _("nothing was recorded"));
        }
    }
    if (code != EXIT_OK) {
        recorder_abort(d->cli->recorder);
        return code;
    }
    d->draft.subject = d->thing.thing;
    d->draft.has_by = d->recording.has_by;
    d->draft.by = d->recording.by;
    d->draft.lane = d->urgent ? LANE_URGENT : LANE_NORMAL;
    return recording_add(d->cli, &d->draft, recorded);
}

static int report(struct doing *d, const struct recorded *recorded)
{
    struct txn *t;
    struct request request;
    int code = cli_begin(d->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = request_get(t, &d->thing, &request);
    if (e != OK) {
        code = cli_fail(d->cli, e, _("recorded, but it cannot be read back"));
    } else if (d->cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        recording_describe(o, recorded);
        json_object_set_new(o, "no", json_string(d->number));
        json_object_set_new(o, "official_no", output_json_text(request.official_number));
        json_object_set_new(o, "state", json_string(request_state_name(request.state)));
        code = output_json_end(o);
    } else {
        struct slice official = request.official_number;
        output_line(d->cli, _(d->step->done), d->number);
        if (official.size > 0 && strcmp(d->step->kind, "request.accept") == 0) {
            output_line(d->cli, _("official number: %s"), output_text(d->cli, official));
        }
        if (!device_is_township(&d->recording.self)) {
            output_line(d->cli, _("saved here; the township has yet to confirm it"));
        }
        if (d->step->next != NULL) {
            const char *next = cli_format(d->cli, _(d->step->next), d->number);
            output_line(d->cli, _("next: %s"), next);
        }
    }
    txn_abort(t);
    return code;
}

int cmd_request_act(struct cli *cli)
{
    struct doing d = {.cli = cli, .step = step_find(cli->command->name)};
    struct recorded recorded;
    act_begin(&d.act, kind_find(slice_of_text(d.step->kind)));
    int code = recording_begin(cli, &d.recording);
    if (code == EXIT_OK) {
        code = find_request(&d);
    }
    if (code == EXIT_OK) {
        code = put_values(&d);
    }
    if (code == EXIT_OK) {
        code = record(&d, &recorded);
    }
    if (code == EXIT_OK) {
        code = report(&d, &recorded);
    }
    act_clear(&d.act);
    return code;
}
