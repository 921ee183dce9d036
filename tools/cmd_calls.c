#include "tools/commands.h"

#include "common/time.h"
#include "node/views/body.h"
#include "node/views/checks.h"
#include "node/views/thing.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>
#include <string.h>

static const struct table_column columns[] = {
    {N_("id"), false, 12},     {N_("title"), false, 0},  {N_("place"), false, 0},
    {N_("begins"), false, 11}, {N_("state"), false, 6},  {N_("signed up"), true, 4},
    {N_("need"), true, 4},     {N_("waiting"), true, 4}, {N_("dangerous"), false, 4},
    {N_("village"), false, 6},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], ID_SHOWN = 12 };

struct listing {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    uint64_t now_ms;
    const char *state;   /* name; NULL: all */
    const char *village; /* code; NULL: all */
    struct table table;
    struct output_list list;
};

/* Whose it is: of its scope, or of the device that published it; "" the township. */
static const char *village_of(struct listing *l, const struct thing *call)
{
    struct scope_row row;
    if (scope_get(l->txn, call->key.scope_number, &row) && scope_class(&row.scope) == SCOPE_VILLAGE)
        return cli_format(l->cli, "%s", scope_village(&row.scope));
    const struct device *d = roster_device(l->roster, &call->author);
    return d ? d->village : "";
}

static void show_json(struct listing *l, const struct thing *call, const struct call_signups *s,
                      const char *village)
{
    json_t *o = json_object();
    const struct thing_id *id = &call->key.thing;
    json_object_set_new(o, "id", output_json_hex(id->bytes, sizeof id->bytes));
    json_object_set_new(o, "title", output_json_text(body_text(call->fields, "title")));
    json_object_set_new(o, "place", output_json_text(body_text(call->fields, "place")));
    json_object_set_new(o, "start", output_json_time(body_uint(call->fields, "start")));
    json_object_set_new(o, "state", json_string(thing_state_name(THING_CALL, call->state)));
    json_object_set_new(o, "signed_up", json_integer((json_int_t)s->signed_up));
    json_object_set_new(o, "need", json_integer((json_int_t)s->need));
    json_object_set_new(o, "waiting", json_integer((json_int_t)s->waiting));
    json_object_set_new(o, "hazard", json_boolean(s->hazard));
    json_object_set_new(o, "insured", json_boolean(s->insured));
    json_object_set_new(o, "village", json_string(village));
    output_list_item(&l->list, o);
}

static void show_row(struct listing *l, const struct thing *call, const struct call_signups *s,
                     const char *village)
{
    struct table *t = &l->table;
    char hex[2 * sizeof call->key.thing.bytes + 1], start[TIME_TEXT_SIZE];
    hex_encode(hex, call->key.thing.bytes, sizeof call->key.thing.bytes);
    hex[ID_SHOWN] = 0;
    time_format(start, body_uint(call->fields, "start"));
    table_colour(t, s->hazard && !s->insured ? COLOUR_YELLOW : COLOUR_NONE);
    table_cell(t, slice_of_text(hex));
    table_cell(t, body_text(call->fields, "title"));
    table_cell(t, body_text(call->fields, "place"));
    table_cell(t, slice_of_text(l->cli->csv ? start
                                            : words_moment(l->cli, body_uint(call->fields, "start"),
                                                           l->now_ms)));
    table_cell(t, slice_of_text(i18n_is_chinese() ? thing_state_zh(THING_CALL, call->state)
                                                  : thing_state_name(THING_CALL, call->state)));
    table_cellf(t, "%" PRIu32, s->signed_up);
    table_cellf(t, "%" PRIu32, s->need);
    table_cellf(t, "%" PRIu32, s->waiting);
    table_cell(t, slice_of_text(!s->hazard ? "" : s->insured ? _("insured") : _("no insurance")));
    table_cell(t,
               slice_of_text(*village ? lookup_village_name(l->roster, village) : _("township")));
}

static bool each(void *state, const struct thing *call)
{
    struct listing *l = state;
    struct call_signups signups;
    const char *village = village_of(l, call);
    if (l->state && strcmp(l->state, thing_state_name(THING_CALL, call->state)) != 0) return true;
    if (l->village && strcmp(l->village, village) != 0) return true;
    checks_call(call, &signups);
    if (l->cli->json)
        show_json(l, call, &signups, village);
    else
        show_row(l, call, &signups, village);
    return true;
}

static int parse(struct listing *l)
{
    const char *state = cli_flag(l->cli, "--state"), *village = cli_flag(l->cli, "--village");
    const char *allowed = "", *name;
    const struct village *v;
    int code = village ? lookup_village(l->cli, l->roster, village, &v) : EXIT_OK;
    if (code) return code;
    if (village) l->village = v->code;
    for (unsigned i = 0; state && strcmp(name = thing_state_name(THING_CALL, i), "?") != 0; i++) {
        const char *zh = thing_state_zh(THING_CALL, i);
        if (strcmp(state, name) == 0 || strcmp(state, zh) == 0) l->state = name;
        allowed = cli_format(l->cli, "%s%s%s (%s)", allowed, *allowed ? ", " : "", name, zh);
    }
    if (!state || l->state) return EXIT_OK;
    return cli_error(l->cli, EXIT_USAGE, cli_format(l->cli, _("there is no state \"%s\""), state),
                     NULL, allowed);
}

int cmd_calls(struct cli *cli)
{
    struct listing l = {.cli = cli};
    int code = cli_begin(cli, &l.txn);
    if (code) return code;
    l.now_ms = cli_now_ms(l.txn);
    code = cli_roster(cli, l.txn, &l.roster);
    if (!code) code = parse(&l);
    if (code) {
        txn_abort(l.txn);
        return code;
    }
    if (cli->json)
        output_list_begin(&l.list, output_json("sidan.calls/1"), "calls");
    else
        table_begin(&l.table, cli, columns, COLUMNS);
    enum err e = things_each(l.txn, THING_CALL, 0, each, &l);
    code = cli->json ? output_list_end(&l.list) : table_end(&l.table);
    txn_abort(l.txn);
    return e ? cli_fail(cli, e, _("the list is not complete")) : code;
}
