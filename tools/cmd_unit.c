#include "tools/commands.h"
#include "tools/choices.h"
#include "tools/output.h"
#include "tools/words.h"

#include "node/views/body.h"
#include "node/views/thing.h"

#include <string.h>

struct listing {
    struct cli *cli;
    struct table table;
    json_t *units;
};

static void print(struct listing *l, const char *name, const char *type, const char *phone,
                  const char *state, const char *id)
{
    if (l->units != NULL) {
        json_t *o = json_object();
        json_object_set_new(o, "id", id != NULL ? json_string(id) : json_null());
        json_object_set_new(o, "name", json_string(name));
        json_object_set_new(o, "type", json_string(type));
        json_object_set_new(o, "phone", json_string(phone));
        json_object_set_new(o, "state", json_string(state));
        json_array_append_new(l->units, o);
        return;
    }
    table_cellf(&l->table, "%s", name);
    table_cellf(&l->table, "%s", choice_shown("type", type));
    table_cellf(&l->table, "%s", phone);
    table_cellf(&l->table, "%s", i18n_is_chinese() ? thing_state_zh_of(THING_UNIT, state) : state);
    table_cellf(&l->table, "%s", id != NULL ? id : "-");
}

static bool print_unit(void *state, const struct thing *thing)
{
    struct listing *l = state;
    char id[sizeof thing->key.thing.bytes * 2 + 1];
    hex_encode(id, thing->key.thing.bytes, sizeof thing->key.thing.bytes);
    print(l, output_text(l->cli, body_text(thing->fields, "name")),
          output_text(l->cli, body_text(thing->fields, "type")),
          output_text(l->cli, body_text(thing->fields, "phone")),
          thing_state_name(THING_UNIT, thing->state), id);
    return true;
}

/* Each village's committee is a unit by its village, without a record of its own. */
static void print_committees(struct listing *l, const struct roster *roster)
{
    for (size_t i = 0; i < roster->village_count; i++) {
        const struct village *v = &roster->villages[i];
        if (!v->closed) {
            print(l, v->name, "village", "", thing_state_name(THING_UNIT, 0), NULL);
        }
    }
}

static int list(struct cli *cli, struct txn *t)
{
    static const struct table_column columns[] = {{N_("unit"), false, 0},
                                                  {N_("type"), false, 0},
                                                  {N_("phone"), false, 0},
                                                  {N_("state"), false, 0},
                                                  {"id", false, 0}};
    struct listing l = {.cli = cli, .units = cli->json ? json_array() : NULL};
    const struct roster *roster;
    struct scope town = scope_town();
    struct scope_row scope;
    int code = cli_roster(cli, t, &roster);
    if (code != EXIT_OK) {
        json_decref(l.units);
        return code;
    }
    if (l.units == NULL) {
        table_begin(&l.table, cli, columns, sizeof columns / sizeof columns[0]);
    }
    enum err e = scope_find(t, &town, &scope)
                     ? things_each(t, THING_UNIT, scope.number, print_unit, &l)
                     : OK;
    print_committees(&l, roster);
    if (l.units != NULL) {
        json_t *o = output_json("sidan.units/1");
        json_object_set_new(o, "units", l.units);
        code = output_json_end(o);
    } else {
        code = table_end(&l.table);
    }
    return e == OK ? code : cli_fail(cli, e, _("the list is not complete"));
}

int cmd_unit(struct cli *cli)
{
    struct txn *t;
    int code = cli_open_views(cli);
    if (code == EXIT_OK) {
        code = cli_begin(cli, &t);
    }
    if (code == EXIT_OK) {
        code = list(cli, t);
        txn_abort(t);
    }
    return code;
}
