#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/recording.h"
#include "tools/choices.h"

#include "node/views/actor.h"
#include "node/views/thing.h"

#include <string.h>

/* --- add --- */

static int put(struct cli *cli, struct act *act, const char *field, const char *text)
{
    struct act_problem problem;
    enum err e = text != NULL ? act_put(act, field, slice_of_text(text), &problem) : OK;
    if (e == ERR_RANGE) {
        return recording_refused(cli, &problem);
    }
    return e == OK ? EXIT_OK : cli_fail(cli, e, _("nothing was recorded"));
}

/* A village's persons stand in its own scope, the township's in `town`. */
static struct scope scope_of_actor(const struct recording *r)
{
    return device_is_township(&r->self) ? scope_town() : scope_of_village(r->self.village);
}

static int add(struct cli *cli, struct act *act)
{
    struct recording recording;
    struct recorded recorded;
    struct act_problem problem;
    struct draft draft = {.lane = LANE_NORMAL};
    char id[sizeof recorded.subject.bytes * 2 + 1];
    int code = recording_begin(cli, &recording);
    if (code == EXIT_OK) {
        code = put(cli, act, "name", cli_argument(cli, 0));
    }
    if (code == EXIT_OK) {
        const char *unit = cli_flag(cli, "--unit");
        code = put(cli, act, "unit", unit != NULL ? unit : recording.self.name);
    }
    if (code == EXIT_OK) {
        const char *role = cli_flag(cli, "--role");
        code = put(cli, act, "role",
                   role != NULL                          ? role
                   : device_is_township(&recording.self) ? "dispatcher"
                                                         : "clerk");
    }
    if (code == EXIT_OK) {
        code = put(cli, act, "from", cli_flag(cli, "--from"));
    }
    if (code == EXIT_OK) {
        code = put(cli, act, "to", cli_flag(cli, "--to"));
    }
    if (code == EXIT_OK) {
        enum err e = act_end(act, &draft, &problem);
        if (e != OK) {
            code = e == ERR_RANGE ? recording_refused(cli, &problem)
                                  : cli_fail(cli, e, _("nothing was recorded"));
        }
    }
    if (code == EXIT_OK) {
        draft.scope = scope_of_actor(&recording);
        code = recording_one(cli, &recording, &draft, &recorded);
    }
    if (code != EXIT_OK) {
        return code;
    }
    hex_encode(id, recorded.subject.bytes, sizeof recorded.subject.bytes);
    if (cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        recording_describe(o, &recorded);
        return output_json_end(o);
    }
    output_line(cli, _("added: %s (%s)"), cli_argument(cli, 0), id);
    hint_line(cli, _("next: sidan config set actor %s (who acts on this machine by default)"),
              cli_argument(cli, 0));
    return EXIT_OK;
}

/* --- list --- */

enum { ID_SHOWN = 12 }; /* hex digits, as other lists show an id */

struct listing {
    struct cli *cli;
    struct table table;
    json_t *actors;
};

static bool list_one(void *state, const struct actor *a)
{
    struct listing *l = state;
    char id[sizeof a->key.thing.bytes * 2 + 1], role[CHOICE_CODE_SIZE];
    hex_encode(id, a->key.thing.bytes, sizeof a->key.thing.bytes);
    size_t size = a->role.size < sizeof role ? a->role.size : sizeof role - 1;
    memcpy(role, a->role.data, size);
    role[size] = '\0';
    if (l->cli->json) {
        json_t *o = json_object();
        json_object_set_new(o, "id", json_string(id));
        json_object_set_new(o, "name", output_json_text(a->name));
        json_object_set_new(o, "unit", output_json_text(a->unit));
        json_object_set_new(o, "role", json_string(role));
        json_object_set_new(o, "state", json_string(thing_state_name(THING_ACTOR, a->state)));
        json_object_set_new(o, "successor",
                            a->has_successor
                                ? output_json_hex(a->successor.bytes, sizeof a->successor.bytes)
                                : json_null());
        json_object_set_new(o, "from", output_json_text(a->from));
        json_object_set_new(o, "to", output_json_text(a->to));
        json_array_append_new(l->actors, o);
        return true;
    }
    table_cell(&l->table, a->name);
    table_cell(&l->table, a->unit);
    table_cellf(&l->table, "%s", choice_shown("role", role));
    table_cellf(&l->table, "%s",
                i18n_is_chinese() ? thing_state_zh(THING_ACTOR, a->state)
                                  : thing_state_name(THING_ACTOR, a->state));
    table_cell(&l->table, a->from);
    table_cell(&l->table, a->to);
    table_cellf(&l->table, "%.*s", l->cli->csv ? (int)sizeof id : ID_SHOWN, id);
    return true;
}

static int list(struct cli *cli)
{
    static const struct table_column columns[] = {{N_("name"), false, 0}, {N_("unit"), false, 0},
                                                  {N_("role"), false, 0}, {N_("state"), false, 0},
                                                  {N_("from"), false, 0}, {N_("to"), false, 0},
                                                  {"id", false, 0}};
    struct listing l = {.cli = cli};
    struct txn *t;
    int code = cli_begin(cli, &t);
    if (code != EXIT_OK) {
        return code;
    }
    if (cli->json) {
        l.actors = json_array();
    } else {
        table_begin(&l.table, cli, columns, sizeof columns / sizeof columns[0]);
    }
    enum err e = actors_each(t, list_one, &l);
    if (cli->json) {
        json_t *o = output_json("sidan.actors/1");
        json_object_set_new(o, "actors", l.actors);
        code = output_json_end(o);
    } else {
        code = table_end(&l.table);
    }
    txn_abort(t);
    return e == OK ? code : cli_fail(cli, e, _("the list is not complete"));
}

int cmd_actor(struct cli *cli)
{
    if (strcmp(cli->command->name, "actor list") == 0) {
        int code = cli_open_views(cli);
        return code == EXIT_OK ? list(cli) : code;
    }
    struct act act = {0};
    act_begin(&act, kind_find(slice_of_text("actor.enrol")));
    int code = add(cli, &act);
    act_clear(&act);
    return code;
}
