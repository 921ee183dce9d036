#include "tools/commands.h"

#include "common/time.h"
#include "node/views/body.h"
#include "node/views/thing.h"
#include "proto/json.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"
#include "tools/words.h"

#include <string.h>

/* Columns that every list begins with: number or id, village, state. */
enum { FIXED_COLUMNS = 3, ID_SHOWN = 12 };

struct listing {
    struct cli *cli;
    struct txn *txn;
    enum thing_type type;
    const struct roster *roster;
    const char *village; /* code; NULL: all */
    const char *state;   /* name; NULL: all */
    const struct field *fields[TABLE_COLUMNS_MAX];
    size_t field_count;
    struct table_column columns[TABLE_COLUMNS_MAX];
    bool seen[TABLE_COLUMNS_MAX]; /* some thing has the field */
    struct table table;
    struct output_list list;
};

/* --- what is listed --- */

/* `text` NULL: none was given. */
static int parse_type(struct cli *cli, const char *text, enum thing_type *out)
{
    const char *allowed = "";
    for (int i = THING_NONE + 1; i < THING_TYPE_COUNT; i++) {
        enum thing_type type = (enum thing_type)i;
        if (!thing_is_plain(type)) continue;
        if (text &&
            (strcmp(text, thing_type_name(type)) == 0 || strcmp(text, thing_type_zh(type)) == 0)) {
            *out = type;
            return EXIT_OK;
        }
        allowed = cli_format(cli, "%s%s%s %s", allowed, *allowed ? ", " : "", thing_type_name(type),
                             thing_type_zh(type));
    }
    return cli_error(cli, EXIT_USAGE,
                     text ? cli_format(cli, _("there is no list of \"%s\""), text)
                          : cli_format(cli, _("sidan %s lacks something"), cli->command->name),
                     cli_format(cli, _("allowed: %s"), allowed),
                     _("requests: sidan requests; devices: sidan devices; persons who act: sidan "
                       "actor list"));
}

/* `list team`, or the verb's own first word: `team list`. */
static int type_of(struct cli *cli, enum thing_type *out)
{
    const char *verb = cli->command->name;
    size_t size = strcspn(verb, " ");
    return parse_type(
        cli, verb[size] ? cli_format(cli, "%.*s", (int)size, verb) : cli_argument(cli, 0), out);
}

static int parse_state(struct listing *l)
{
    const char *text = cli_flag(l->cli, "--state"), *allowed = "", *name;
    if (!text) return EXIT_OK;
    for (unsigned i = 0; *(name = thing_state_name(l->type, i)) && strcmp(name, "?") != 0; i++) {
        if (strcmp(text, name) == 0 || strcmp(text, thing_state_zh(l->type, i)) == 0) {
            l->state = name;
            return EXIT_OK;
        }
        allowed = cli_format(l->cli, "%s%s%s (%s)", allowed, *allowed ? ", " : "", name,
                             thing_state_zh(l->type, i));
    }
    return cli_error(l->cli, EXIT_USAGE, cli_format(l->cli, _("there is no state \"%s\""), text),
                     NULL, allowed);
}

static int parse_village(struct listing *l)
{
    const char *text = cli_flag(l->cli, "--village");
    const struct village *village;
    if (!text) return EXIT_OK;
    int code = lookup_village(l->cli, l->roster, text, &village);
    if (!code) l->village = village->code;
    return code;
}

/* --- columns: the fields of the kinds that found the type, personal ones apart --- */

static bool is_listed(const struct listing *l, const struct field *f)
{
    if (f->personal || f->type == FIELD_BYTES || strcmp(f->name, "number") == 0) return false;
    for (size_t i = 0; i < l->field_count; i++)
        if (strcmp(l->fields[i]->name, f->name) == 0) return false;
    return true;
}

static void choose_fields(struct listing *l)
{
    const struct kind *k;
    for (size_t i = 0; (k = kind_at(i)) != NULL; i++)
        for (size_t n = 0; k->founding && k->thing == l->type && n < k->field_count; n++)
            if (is_listed(l, &k->fields[n]) && l->field_count < TABLE_COLUMNS_MAX - FIXED_COLUMNS)
                l->fields[l->field_count++] = &k->fields[n];
}

/* A screen has no room for columns that nothing stands in; a file has them all. */
static void choose_columns(struct listing *l)
{
    static const struct table_column fixed[FIXED_COLUMNS] = {
        {N_("number"), false, 0}, {N_("village"), false, 0}, {N_("state"), false, 0}};
    size_t kept = 0;
    for (size_t i = 0; i < l->field_count; i++)
        if (l->cli->csv || l->seen[i]) l->fields[kept++] = l->fields[i];
    l->field_count = kept;
    memcpy(l->columns, fixed, sizeof fixed);
    for (size_t i = 0; i < l->field_count; i++)
        l->columns[FIXED_COLUMNS + i] = (struct table_column){
            words_field(l->fields[i]),
            l->fields[i]->type == FIELD_UINT || l->fields[i]->type == FIELD_INT, 0};
}

/* --- rows --- */

/* Whose it is: of the village's own scope, else of the device that recorded it; "" the township. */
static const char *village_of(const struct listing *l, const struct thing *thing)
{
    struct scope_row row;
    if (scope_get(l->txn, thing->key.scope_number, &row) &&
        scope_class(&row.scope) == SCOPE_VILLAGE)
        return cli_format(l->cli, "%s", scope_village(&row.scope));
    const struct device *d = roster_device(l->roster, &thing->author);
    return d ? d->village : "";
}

static const char *id_of(const struct listing *l, const struct thing *thing)
{
    struct slice number = body_text(thing->fields, "number");
    char hex[sizeof thing->key.thing.bytes * 2 + 1];
    if (l->type == THING_VOLUNTEER && number.size) return output_text(l->cli, number);
    hex_encode(hex, thing->key.thing.bytes, sizeof thing->key.thing.bytes);
    hex[ID_SHOWN] = 0;
    return cli_format(l->cli, "%s", hex);
}

static void field_cell(struct listing *l, const struct field *f, const struct thing *thing)
{
    struct mp_reader value;
    const char *words = "";
    bool there = mp_map_get(thing->fields, f->name, &value);
    if (there && f->type == FIELD_ROWS)
        words = cli_format(l->cli, _("%zu rows"), mp_read_array(&value, SIZE_MAX));
    else if (there)
        words = words_value(l->cli, l->txn, f, &value);
    table_cell(&l->table, slice_of_text(words));
}

static void to_row(struct listing *l, const struct thing *thing, const char *village)
{
    const char *state = i18n_is_chinese() ? thing_state_zh(l->type, thing->state)
                                          : thing_state_name(l->type, thing->state);
    table_cell(&l->table, slice_of_text(id_of(l, thing)));
    table_cell(&l->table,
               slice_of_text(*village ? lookup_village_name(l->roster, village) : _("township")));
    table_cell(&l->table, slice_of_text(state));
    for (size_t i = 0; i < l->field_count; i++) field_cell(l, l->fields[i], thing);
}

/* What an act has set is no field of the founding kind: its ids too are plain hex. */
static json_t *plain_ids(json_t *fields)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(fields, next, key, value)
    {
        json_t *bin = json_object_get(value, "$bin");
        if (bin) json_object_set(fields, key, bin);
    }
    return fields;
}

static json_t *to_json(struct listing *l, const struct thing *thing, const char *village)
{
    json_t *o = json_object();
    const struct thing_id *id = &thing->key.thing;
    const struct kind *k = NULL, *next;
    for (size_t i = 0; (next = kind_at(i)) != NULL && !k; i++)
        if (next->founding && next->thing == l->type) k = next;
    json_object_set_new(o, "subject", output_json_hex(id->bytes, sizeof id->bytes));
    json_object_set_new(o, "village", *village ? json_string(village) : json_null());
    json_object_set_new(o, "state", json_string(thing_state_name(l->type, thing->state)));
    json_object_set_new(o, "founded", output_json_time(thing->founded_ms));
    json_object_set_new(o, "fields", plain_ids(json_of_fields(thing->fields, k)));
    return o;
}

static bool is_wanted(const struct listing *l, const struct thing *thing, const char *village)
{
    if (l->village && strcmp(l->village, village) != 0) return false;
    return !l->state || strcmp(l->state, thing_state_name(l->type, thing->state)) == 0;
}

static bool see(void *state, const struct thing *thing)
{
    struct listing *l = state;
    struct mp_reader value;
    if (!is_wanted(l, thing, village_of(l, thing))) return true;
    for (size_t i = 0; i < l->field_count; i++)
        l->seen[i] = l->seen[i] || mp_map_get(thing->fields, l->fields[i]->name, &value);
    return true;
}

static bool each(void *state, const struct thing *thing)
{
    struct listing *l = state;
    const char *village = village_of(l, thing);
    if (!is_wanted(l, thing, village)) return true;
    if (l->cli->json)
        output_list_item(&l->list, to_json(l, thing, village));
    else
        to_row(l, thing, village);
    return true;
}

static int list(struct listing *l)
{
    enum err e;
    int code = cli_roster(l->cli, l->txn, &l->roster);
    if (!code) code = parse_state(l);
    if (!code) code = parse_village(l);
    if (code) return code;
    if (l->cli->json) {
        json_t *o = output_json("sidan.things/1");
        json_object_set_new(o, "type", json_string(thing_type_name(l->type)));
        output_list_begin(&l->list, o, "things");
        e = things_each(l->txn, l->type, 0, each, l);
        code = output_list_end(&l->list);
    } else {
        choose_fields(l);
        e = things_each(l->txn, l->type, 0, see, l);
        choose_columns(l);
        table_begin(&l->table, l->cli, l->columns, FIXED_COLUMNS + l->field_count);
        if (!e) e = things_each(l->txn, l->type, 0, each, l);
        code = table_end(&l->table);
    }
    return e ? cli_fail(l->cli, e, _("the list is not complete")) : code;
}

int cmd_list(struct cli *cli)
{
    struct listing l = {.cli = cli};
    int code = type_of(cli, &l.type);
    if (!code) code = cli_begin(cli, &l.txn);
    if (code) return code;
    code = list(&l);
    txn_abort(l.txn);
    return code;
}
