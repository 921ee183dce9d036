#include "tools/command_flags.h"
#include "tools/commands.h"

#include "node/views/body.h"
#include "node/views/person.h"
#include "node/views/request.h"
#include "node/views/search.h"
#include "tools/lookup.h"
#include "tools/masking.h"
#include "tools/output.h"

#include <unistd.h>

const struct flag find_flags[] = {
    SWITCH("--personal", N_("phones in full")),
    END,
};

static const struct table_column columns[] = {
    {N_("type"), false, 6},   {N_("number"), false, 10}, {N_("full name"), false, 8},
    {N_("phone"), false, 11}, {N_("village"), false, 6}, {N_("state"), false, 6},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

struct finding {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    bool personal;
    struct table table;
    struct output_list list;
    size_t count;
};

/* What is shown of a hit. */
struct shown {
    struct slice number;
    const char *state, *state_zh;
};

static bool read_shown(struct finding *f, const struct search_hit *hit, struct shown *out)
{
    struct request r;
    struct thing thing;
    if (hit->type == THING_REQUEST) {
        if (request_get(f->txn, &hit->key, &r)) return false;
        out->number = r.number;
        out->state = request_state_name(r.state);
        out->state_zh = request_state_zh(r.state);
        return true;
    }
    if (thing_get(f->txn, THING_VOLUNTEER, &hit->key, &thing)) return false;
    out->number = body_text(thing.fields, "number");
    out->state = thing_state_name(THING_VOLUNTEER, thing.state);
    out->state_zh = thing_state_zh(THING_VOLUNTEER, thing.state);
    return true;
}

static const char *village_of(struct finding *f, const struct thing_key *key)
{
    struct scope_row scope;
    bool known =
        scope_get(f->txn, key->scope_number, &scope) && scope_class(&scope.scope) == SCOPE_VILLAGE;
    return known ? cli_format(f->cli, "%s", scope_village(&scope.scope)) : "";
}

static void to_json(struct finding *f, const struct search_hit *hit, const struct shown *s,
                    const char *name, const char *phone)
{
    json_t *o = json_object();
    const char *village = village_of(f, &hit->key);
    json_object_set_new(o, "type", json_string(thing_type_name(hit->type)));
    json_object_set_new(o, "id",
                        output_json_hex(hit->key.thing.bytes, sizeof hit->key.thing.bytes));
    json_object_set_new(o, "no", output_json_text(s->number));
    json_object_set_new(o, "name", output_json_text(slice_of_text(name)));
    json_object_set_new(o, "phone", output_json_text(slice_of_text(phone)));
    json_object_set_new(o, "village", json_string(village));
    json_object_set_new(o, "village_name", json_string(lookup_village_name(f->roster, village)));
    json_object_set_new(o, "state", json_string(s->state));
    output_list_item(&f->list, o);
}

static void to_row(struct finding *f, const struct search_hit *hit, const struct shown *s,
                   const char *name, const char *phone)
{
    struct table *t = &f->table;
    bool zh = i18n_is_chinese();
    table_cell(t, slice_of_text(zh ? thing_type_zh(hit->type) : thing_type_en(hit->type)));
    table_cell(t, s->number);
    table_cell(t, slice_of_text(name));
    table_cell(t, slice_of_text(phone));
    table_cell(t, slice_of_text(lookup_village_name(f->roster, village_of(f, &hit->key))));
    table_cell(t, slice_of_text(zh ? s->state_zh : s->state));
}

static bool each(void *state, const struct search_hit *hit)
{
    struct finding *f = state;
    struct shown shown;
    struct person person;
    if (!read_shown(f, hit, &shown)) return true;
    if (person_read(f->cli->views, f->txn, &hit->key, &person))
        person = (struct person){.name = ""};
    const char *phone = masking_phone(f->cli, person.phone, f->personal);
    if (!f->count++ && !f->cli->json) table_begin(&f->table, f->cli, columns, COLUMNS);
    if (f->cli->json)
        to_json(f, hit, &shown, person.name, phone);
    else
        to_row(f, hit, &shown, person.name, phone);
    return true;
}

/* --- what is looked for --- */

static bool is_phone(const char *text)
{
    size_t digits = 0;
    for (; *text; text++) {
        if (*text >= '0' && *text <= '9')
            digits++;
        else if (*text != ' ' && *text != '-' && *text != '+')
            return false;
    }
    return digits > 0;
}

static enum err by_number(struct finding *f, const char *text, bool *found)
{
    struct search_hit hit = {.type = THING_REQUEST};
    struct shown shown;
    enum err e = request_find_number(f->txn, slice_of_text(text), &hit.key);
    *found = e == OK;
    if (e) return e == ERR_NOT_FOUND || e == ERR_AMBIGUOUS ? OK : e;
    if (!read_shown(f, &hit, &shown)) hit.type = THING_VOLUNTEER;
    each(f, &hit);
    return OK;
}

static enum err look(struct finding *f, const char *text)
{
    bool found;
    enum err e = by_number(f, text, &found);
    if (e || found) return e;
    return is_phone(text) ? search_phone(f->txn, slice_of_text(text), each, f)
                          : search_name(f->txn, slice_of_text(text), each, f);
}

/* Where this home can be written, what look-ups lag behind is indexed first; a look-up that lags
 * finds the same. */
static int open(struct cli *cli)
{
    const char *data = cli_format(cli, "%s/store/data.mdb", cli->home);
    if (access(data, W_OK) != 0) return cli_open_views(cli);
    int code = cli_open_store_writable(cli);
    if (code) return code;
    enum err e = search_catch_up(cli->store);
    if (e) output_note(cli, _("looking people up takes longer: %s"), cli_err_text(e));
    return EXIT_OK;
}

int cmd_find(struct cli *cli)
{
    struct finding f = {.cli = cli, .personal = cli_has(cli, "--personal")};
    const char *text = cli_argument(cli, 0);
    int code = open(cli);
    if (!code) code = cli_begin(cli, &f.txn);
    if (code) return code;
    code = cli_roster(cli, f.txn, &f.roster);
    if (code) {
        txn_abort(f.txn);
        return code;
    }
    if (cli->json) output_list_begin(&f.list, output_json("sidan.find/1"), "hits");
    enum err e = look(&f, text);
    code = cli->json ? output_list_end(&f.list) : f.count ? table_end(&f.table) : EXIT_OK;
    txn_abort(f.txn);
    if (e) return cli_fail(cli, e, _("the records cannot be looked through"));
    if (code || f.count) return code;
    return cli_error(cli, EXIT_NOT_FOUND, cli_format(cli, _("nobody is found by \"%s\""), text),
                     NULL, _("a number, a name from its beginning, a phone or its last 4 digits"));
}
