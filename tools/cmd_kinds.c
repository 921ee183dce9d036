#include "tools/commands.h"

#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>

static const char *const scope_names[] = {
    [SCOPE_TOWN] = "town",
    [SCOPE_VILLAGE] = "village",
    [SCOPE_OFFICE] = "office",
};

static const char *scopes_of(struct cli *cli, const struct kind *k)
{
    const char *list = "";
    for (size_t i = 0; i < sizeof scope_names / sizeof scope_names[0]; i++)
        if (k->scopes & 1u << i)
            list = cli_format(cli, "%s%s%s", list, *list ? "," : "", scope_names[i]);
    return list;
}

static json_t *field_json(const struct field *f)
{
    json_t *o = json_object(), *columns = f->column_count ? json_array() : json_null();
    json_object_set_new(o, "name", json_string(f->name));
    json_object_set_new(o, "zh", json_string(f->zh));
    json_object_set_new(o, "en", json_string(f->en));
    json_object_set_new(o, "type", json_string(field_type_name(f->type)));
    json_object_set_new(o, "required", json_boolean(f->required));
    json_object_set_new(o, "personal", json_boolean(f->personal));
    json_object_set_new(o, "min", json_integer(f->min));
    json_object_set_new(o, "max", json_integer(f->max));
    json_object_set_new(o, "choices", f->choices ? json_string(f->choices) : json_null());
    for (size_t i = 0; i < f->column_count; i++)
        json_array_append_new(columns, field_json(&f->columns[i]));
    json_object_set_new(o, "columns", columns);
    return o;
}

static json_t *kind_json(struct cli *cli, const struct kind *k)
{
    json_t *o = json_object(), *fields = json_array();
    struct buf roles = {0};
    roles_print(&roles, k->roles);
    json_object_set_new(o, "kind", json_string(k->name));
    json_object_set_new(o, "zh", json_string(k->zh));
    json_object_set_new(o, "en", json_string(k->en));
    json_object_set_new(o, "founding", json_boolean(k->founding));
    json_object_set_new(o, "authority", json_boolean((k->roles & ROLE_AUTHORITY) != 0));
    json_object_set_new(o, "roles", json_string(buf_text(&roles)));
    json_object_set_new(o, "scopes", json_string(scopes_of(cli, k)));
    for (size_t i = 0; i < k->field_count; i++)
        json_array_append_new(fields, field_json(&k->fields[i]));
    json_object_set_new(o, "fields", fields);
    buf_clear(&roles);
    return o;
}

static int list_kinds(struct cli *cli)
{
    static const struct table_column columns[] = {
        {N_("kind"), false, 16}, {N_("name"), false, 10}, {N_("who may"), false, 10},
        {N_("where"), false, 8}, {N_("fields"), true, 4},
    };
    struct table t;
    const struct kind *k;
    table_begin(&t, cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; (k = kind_at(i)) != NULL; i++) {
        table_cell(&t, slice_of_text(k->name));
        table_cell(&t, slice_of_text(words_kind(cli, slice_of_text(k->name))));
        table_cell(&t, slice_of_text(words_roles(cli, k->roles)));
        table_cell(&t, slice_of_text(scopes_of(cli, k)));
        table_cellf(&t, "%zu", k->field_count);
    }
    return table_end(&t);
}

/* What a field may hold: its choices, or its range. */
static const char *range_of(struct cli *cli, const struct field *f)
{
    if (f->sealed) return cli_format(cli, "%s|%s", f->choices, f->sealed);
    if (f->choices) return f->choices;
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_BYTES:
        return cli_format(cli, _("%" PRId64 " to %" PRId64 " bytes"), f->min, f->max);
    case FIELD_UINT:
    case FIELD_INT:
        return cli_format(cli, "%" PRId64 "..%" PRId64, f->min, f->max);
    case FIELD_CODE:
        return cli_format(cli, _("%" PRId64 " digits"), f->max);
    case FIELD_LIST:
    case FIELD_ROWS:
        return cli_format(cli, _("at most %" PRId64), f->max);
    case FIELD_DATE:
        return "YYYY-MM-DD";
    case FIELD_TIME:
        return "YYYY-MM-DD HH:MM";
    case FIELD_THING:
        return _("an id");
    case FIELD_BOOL:
    case FIELD_CHOICE:
        break;
    }
    return "";
}

/* A column of a field of rows stands below it, as "rows.person". */
static void list_field(struct table *t, struct cli *cli, const struct field *f, const char *name)
{
    table_cell(t, slice_of_text(name));
    table_cell(t, slice_of_text(words_field(f)));
    table_cell(t, slice_of_text(field_type_name(f->type)));
    table_cell(t, slice_of_text(f->required ? _("yes") : "-"));
    table_cell(t, slice_of_text(f->personal ? _("yes") : "-"));
    table_cell(t, slice_of_text(range_of(cli, f)));
}

static int list_fields(struct cli *cli, const struct kind *k)
{
    static const struct table_column columns[] = {
        {N_("field"), false, 12}, {N_("name"), false, 12},    {N_("type"), false, 6},
        {N_("needed"), false, 4}, {N_("personal"), false, 4}, {N_("values"), false, 0},
    };
    struct table t;
    if (!cli->csv)
        output_line(cli, "%s  %s  %s: %s  %s: %s", k->name, words_kind(cli, slice_of_text(k->name)),
                    _("who may"), words_roles(cli, k->roles), _("where"), scopes_of(cli, k));
    table_begin(&t, cli, columns, sizeof columns / sizeof columns[0]);
    for (const struct field *f = k->fields; f < k->fields + k->field_count; f++) {
        list_field(&t, cli, f, f->name);
        for (size_t i = 0; i < f->column_count; i++)
            list_field(&t, cli, &f->columns[i],
                       cli_format(cli, "%s.%s", f->name, f->columns[i].name));
    }
    return table_end(&t);
}

int cmd_kinds(struct cli *cli)
{
    const char *name = cli_argument(cli, 0);
    const struct kind *only = name ? kind_find(slice_of_text(name)) : NULL;
    if (name && !only)
        return cli_error(cli, EXIT_NOT_FOUND, cli_format(cli, _("there is no kind \"%s\""), name),
                         NULL, _("sidan kinds lists them"));
    if (!cli->json) return only ? list_fields(cli, only) : list_kinds(cli);
    struct output_list list;
    const struct kind *k;
    output_list_begin(&list, output_json("sidan.kinds/1"), "kinds");
    for (size_t i = 0; (k = kind_at(i)) != NULL; i++)
        if (!only || k == only) output_list_item(&list, kind_json(cli, k));
    return output_list_end(&list);
}
