#include "tools/accusation.h"
#include "tools/choices.h"
#include "tools/categories.h"
#include "tools/commands.h"
#include "tools/form.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/recording.h"
#include "tools/words.h"

#include "common/text.h"
#include "common/time.h"

#include <stdio.h>
#include <string.h>

/* Which flag fills which field, in the order in which a person is asked. */
static const struct {
    const char *flag, *field;
    bool unasked; /* by a flag only */
} values[] = {
    {"--channel", "channel", false},   {"--channel-ref", "channel_ref", false},
    {"--received", "received", false}, {"--nature", "nature", false},
    {"--category", "category", false}, {"--urgency", "urgency", false},
    {"--name", "name", false},         {"--phone", "phone", false},
    {"--place", "place", false},       {"--content", "content", false},
    {"--relation", "relation", true},  {"--affected", "affected", true},
    {"--openid", "openid", true},      {"--at", "at", true},
};
enum { VALUE_COUNT = sizeof values / sizeof values[0], FUTURE_MS = 24 * 3600 * 1000 };

struct registering {
    struct cli *cli;
    struct recording recording;
    struct act act;
    struct draft draft;
    char now[TIME_TEXT_SIZE];
    bool asking;
    bool accusation;
};

/* Taken when nothing is said; "" : may stay empty; NULL: must be said. */
static const char *otherwise(const struct registering *r, const struct field *field)
{
    if (strcmp(field->name, "channel") == 0) {
        return device_is_township(&r->recording.self) ? "phone" : "village";
    }
    if (strcmp(field->name, "received") == 0) {
        return r->now;
    }
    if (strcmp(field->name, "urgency") == 0) {
        return "1";
    }
    return field->required ? NULL : "";
}

/* A slip of the year shows only where the clock is known to be right. */
static bool is_future(const struct registering *r, const struct field *field, const char *text)
{
    uint64_t ms;
    return strcmp(field->name, "received") == 0 && r->recording.clock.trusted &&
           time_parse(&ms, text) == OK && ms > r->recording.clock.wall_ms + FUTURE_MS;
}

/* Puts one value; a person at a terminal is told what is wrong and asked again. */
static int put(struct registering *r, size_t i)
{
    const struct field *field = kind_field(r->act.kind, values[i].field);
    const char *fallback = otherwise(r, field);
    const char *given = cli_flag(r->cli, values[i].flag);
    struct act_problem problem;
    for (;;) {
        const char *text = given != NULL ? given : fallback;
        if (given == NULL && r->asking && !values[i].unasked) {
            int code = form_ask(r->cli, field, fallback, &text);
            if (code != EXIT_OK) {
                return code;
            }
        }
        if (text == NULL) {
            return EXIT_OK; /* the check of the whole names what is missing */
        }
        enum err e =
            strcmp(field->name, "category") == 0 ? category_typed(r->cli, &text, &problem) : OK;
        if (e == OK) {
            e = act_put(&r->act, field->name, slice_of_text(text), &problem);
        }
        if (e == OK && is_future(r, field, text)) {
            e = act_refuse(field, slice_of_text(text), &problem);
        }
        if (e == OK && field->sealed != NULL) {
            r->accusation = accusation_named(slice_of_text(text));
        }
        if (e != ERR_RANGE) {
            return e == OK ? EXIT_OK : cli_fail(r->cli, e, _("nothing was recorded"));
        }
        if (given != NULL || !r->asking) {
            return recording_refused(r->cli, &problem);
        }
        output_note(r->cli, _("  %s; allowed: %s"), problem.what, problem.allowed);
    }
}

static int named_scope(struct registering *r, const char *name)
{
    const struct roster *roster;
    const struct village *village;
    struct txn *t;
    int code = cli_begin(r->cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_roster(r->cli, t, &roster);
    if (code == EXIT_OK) {
        code = lookup_village(r->cli, roster, name, &village);
    }
    if (code == EXIT_OK) {
        r->draft.scope = scope_of_village(village->code);
    }
    txn_abort(t);
    return code;
}

/* The nature says where it goes: an accusation to the office alone, whatever village is named. */
static int choose_scope(struct registering *r)
{
    const char *name = cli_flag(r->cli, "--village");
    if (r->accusation) {
        accusation_place(&r->recording, &r->draft);
        return EXIT_OK;
    }
    if (name == NULL && r->asking && device_is_township(&r->recording.self)) {
        int code = prompt_line(r->cli, _("village"), NULL, "--village", &name);
        if (code != EXIT_OK) {
            return code;
        }
    }
    return name != NULL
               ? named_scope(r, name)
               : recording_own_scope(r->cli, &r->recording, "--village VILLAGE", &r->draft.scope);
}

static int put_number(struct registering *r, char number[16])
{
    const struct roster *roster;
    struct act_problem problem;
    struct txn *t = recorder_txn(r->cli->recorder);
    enum err e = views_roster(r->cli->views, t, &roster);
    if (e == OK && r->accusation) {
        e = accusation_number(r->cli, &r->recording, number);
    } else if (e == OK) {
        e = request_next_number(t, roster, &r->recording.self, number);
    }
    if (e == OK) {
        e = act_put(&r->act, "number", slice_of_text(number), &problem);
    }
    return e == OK ? EXIT_OK : cli_fail(r->cli, e, _("no number could be given"));
}

static int record(struct registering *r, char number[16], struct recorded *recorded)
{
    struct act_problem problem;
    enum err e = recorder_begin(r->cli->recorder, &r->recording.clock);
    if (e != OK) {
        return cli_fail(r->cli, e, _("nothing was recorded"));
    }
    int code = put_number(r, number);
    if (code == EXIT_OK) {
        e = act_end(&r->act, &r->draft, &problem);
        if (e != OK) {
            code = e == ERR_RANGE ? recording_refused(r->cli, &problem)
                                  : cli_fail(r->cli, e, _("nothing was recorded"));
        }
    }
    if (code != EXIT_OK) {
        recorder_abort(r->cli->recorder);
        return code;
    }
    r->draft.lane = recording_request_lane(r->draft.body);
    r->draft.has_by = r->recording.has_by;
    r->draft.by = r->recording.by;
    return recording_add(r->cli, &r->draft, recorded);
}

/* Nothing that could be looked up again. */
static int report_sealed(struct registering *r)
{
    if (r->cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        json_object_set_new(o, "sealed", json_true());
        return output_json_end(o);
    }
    output_line(
        r->cli, "%s",
        _("sealed for the township's office; it has no number and cannot be read here again"));
    return EXIT_OK;
}

static int report(struct registering *r, const char *number, const struct recorded *recorded)
{
    if (r->draft.sealed) {
        return report_sealed(r);
    }
    if (r->cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        recording_describe(o, recorded);
        json_object_set_new(o, "no", json_string(number));
        json_object_set_new(o, "state", json_string(request_state_name(REQUEST_REGISTERED)));
        return output_json_end(o);
    }
    output_line(r->cli, _("registered: %s"), number);
    if (!device_is_township(&r->recording.self)) {
        output_line(r->cli, _("saved here; the township has yet to confirm it"));
    }
    const char *next = cli_format(r->cli, "sidan accept %s", number);
    hint_line(r->cli, _("next: %s"), next);
    return EXIT_OK;
}

int cmd_register(struct cli *cli)
{
    struct registering r = {.cli = cli, .asking = form_is_wanted(cli)};
    struct recorded recorded;
    char number[16];
    act_begin(&r.act, kind_find(slice_of_text("request.register")));
    int code = recording_begin(cli, &r.recording);
    if (code == EXIT_OK) {
        time_format(r.now, r.recording.clock.wall_ms);
    }
    if (code == EXIT_OK && r.asking) {
        form_begin(cli);
    }
    for (size_t i = 0; i < VALUE_COUNT && code == EXIT_OK; i++) {
        code = put(&r, i);
        if (code == EXIT_OK && strcmp(values[i].field, "nature") == 0) {
            code = choose_scope(&r);
        }
    }
    if (code == EXIT_OK) {
        code = record(&r, number, &recorded);
    }
    if (code == EXIT_OK) {
        code = report(&r, number, &recorded);
    }
    act_clear(&r.act);
    return code;
}
