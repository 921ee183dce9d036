#include "tools/commands.h"
#include "tools/choices.h"
#include "tools/publishing.h"
#include "tools/words.h"

#include "common/text.h"
#include "common/time.h"
#include "node/views/body.h"
#include "proto/json.h"

#include <string.h>

#define LABEL_WIDTH 18
#define CELLS_ON_A_LINE 4

static const char *type_words(enum rule_type type)
{
    return i18n_is_chinese() ? rule_type_zh(type) : rule_type_name(type);
}

static const char *day_words(struct cli *cli, uint32_t day)
{
    char date[TIME_TEXT_SIZE];
    time_format_date(date, time_day_ms(day, 0));
    return cli_format(cli, "%s", date);
}

/* --- put --- */

static int told(struct publishing *p)
{
    struct slice body = buf_slice(&p->body);
    const char *effective = output_text(p->cli, body_text(body, "effective"));
    enum rule_type type;
    if (rule_type_parse(&type, body_text(body, "type")) != OK) {
        return EXIT_FAILED;
    }
    if (p->cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        recording_describe(o, &p->recorded);
        json_object_set_new(o, "type", json_string(rule_type_name(type)));
        json_object_set_new(o, "ver", json_integer((json_int_t)body_uint(body, "ver")));
        json_object_set_new(o, "effective", json_string(effective));
        return output_json_end(o);
    }
    output_line(p->cli, _("%s, version %u, is in force from %s"), type_words(type),
                (unsigned)body_uint(body, "ver"), effective);
    return EXIT_OK;
}

static int put(struct cli *cli)
{
    struct publishing p = {0};
    json_t *object = NULL;
    const char *path = cli_argument(cli, 0);
    int code = publishing_begin(&p, cli);
    if (code == EXIT_OK) {
        code = publishing_read_json(cli, path, &object);
    }
    if (code == EXIT_OK) {
        code = publishing_put_json(&p, path, kind_find(slice_of_text("rule.put")), object);
    }
    if (code == EXIT_OK) {
        code = publishing_rule(&p);
    }
    if (code == EXIT_OK) {
        code = told(&p);
    }
    json_decref(object);
    publishing_end(&p);
    return code;
}

/* --- list and show --- */

struct reading {
    struct cli *cli;
    struct txn *txn;
    const struct rules *rules;
    uint32_t today;
};

static const char *standing(const struct reading *r, const struct rule *rule)
{
    return rules_at(r->rules, rule->type, r->today) == rule ? N_("in force")
           : rule->effective > r->today                     ? N_("still to come")
                                                            : N_("replaced");
}

static json_t *rule_json(const struct reading *r, const struct rule *rule, bool whole)
{
    json_t *o = whole ? output_json("sidan.rule/1") : json_object();
    json_object_set_new(o, "id", output_json_hex(rule->id.bytes, sizeof rule->id.bytes));
    json_object_set_new(o, "state", json_string(standing(r, rule)));
    if (whole) {
        json_t *body = json_of_fields(rule->fields, kind_find(slice_of_text("rule.put")));
        json_object_set_new(o, "rule", body);
        return o;
    }
    json_object_set_new(o, "type", json_string(rule_type_name(rule->type)));
    json_object_set_new(o, "ver", json_integer(rule->ver));
    json_object_set_new(o, "effective", json_string(day_words(r->cli, rule->effective)));
    json_object_set_new(o, "approved_by", output_json_text(body_text(rule->fields, "approved_by")));
    json_object_set_new(o, "doc_ref", output_json_text(body_text(rule->fields, "doc_ref")));
    return o;
}

static int list(const struct reading *r)
{
    static const struct table_column columns[] = {
        {N_("rule"), false, 0},     {N_("version"), true, 0},     {N_("effective"), false, 0},
        {N_("standing"), false, 0}, {N_("decided by"), false, 0}, {N_("decision"), false, 0}};
    struct table table;
    json_t *rules = json_array();
    table_begin(&table, r->cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < r->rules->rule_count; i++) {
        const struct rule *rule = &r->rules->rules[i];
        if (r->cli->json) {
            json_array_append_new(rules, rule_json(r, rule, false));
            continue;
        }
        table_cellf(&table, "%s", type_words(rule->type));
        table_cellf(&table, "%u", rule->ver);
        table_cellf(&table, "%s", day_words(r->cli, rule->effective));
        table_cellf(&table, "%s", _(standing(r, rule)));
        table_cell(&table, body_text(rule->fields, "approved_by"));
        table_cell(&table, body_text(rule->fields, "doc_ref"));
    }
    int code = EXIT_OK;
    if (r->cli->json) {
        json_t *o = output_json("sidan.rules/1");
        json_object_set(o, "rules", rules);
        code = output_json_end(o);
    } else {
        code = table_end(&table);
    }
    json_decref(rules);
    return code;
}

static void print_label(const struct reading *r, const char *label, const char *value)
{
    struct buf line = {0};
    text_append_padded(&line, slice_of_text(label), LABEL_WIDTH, false);
    output_line(r->cli, "    %s %s", buf_text(&line), value);
    buf_clear(&line);
}

/* One row a line, its cells as a person says them; of many cells each on its line with its name. */
static void print_rows(const struct reading *r, const struct field *field, struct mp_reader *value)
{
    size_t rows = mp_read_array(value, SIZE_MAX);
    for (size_t i = 0; i < rows; i++) {
        size_t cells = mp_read_array(value, SIZE_MAX);
        const char *line = "", *label = i == 0 ? words_field(field) : "";
        for (size_t c = 0; c < cells; c++) {
            const struct field *column = c < field->column_count ? &field->columns[c] : NULL;
            struct mp_reader cell = mp_reader_of(mp_skip(value));
            const char *words =
                mp_peek(&cell) == MP_NIL ? "-" : words_value(r->cli, r->txn, column, &cell);
            if (cells <= CELLS_ON_A_LINE || column == NULL) {
                line = cli_format(r->cli, "%s%s%s", line, c > 0 ? "  " : "", words);
                continue;
            }
            print_label(r, c == 0 ? label : "",
                        cli_format(r->cli, "%s: %s", words_field(column), words));
        }
        if (*line != '\0') {
            print_label(r, label, line);
        }
    }
}

static int show(const struct reading *r)
{
    const struct kind *kind = kind_find(slice_of_text("rule.put"));
    const char *text = cli_argument(r->cli, 0);
    enum rule_type type;
    uint64_t ver = 0;
    if (rule_type_parse(&type, slice_of_text(text)) != OK) {
        return cli_error(r->cli, EXIT_NOT_FOUND,
                         cli_format(r->cli, _("there are no rules of type \"%s\""), text), NULL,
                         _("types: sla points redeem kpi category"));
    }
    int code = cli_flag_uint(r->cli, "--ver", 1, 9999, &ver);
    if (code != EXIT_OK) {
        return code;
    }
    const struct rule *rule = rules_at(r->rules, type, r->today);
    for (size_t i = 0; ver != 0 && i < r->rules->rule_count; i++) {
        const struct rule *each = &r->rules->rules[i];
        rule = i == 0 ? NULL : rule;
        rule = each->type == type && each->ver == ver ? each : rule;
    }
    if (rule == NULL) {
        return cli_error(r->cli, EXIT_NOT_FOUND, _("there is no such rule"),
                         ver != 0 ? _("no rule has this version") : _("none is in force today"),
                         "sidan rule list");
    }
    if (r->cli->json) {
        return output_json_end(rule_json(r, rule, true));
    }
    output_line(r->cli, _("%s, version %u: %s"), type_words(type), rule->ver, _(standing(r, rule)));
    for (size_t i = 0; i < kind->field_count; i++) {
        struct mp_reader value;
        const struct field *field = &kind->fields[i];
        if (strcmp(field->name, "type") == 0 || strcmp(field->name, "ver") == 0 ||
            !mp_map_get(rule->fields, field->name, &value)) {
            continue;
        }
        if (field->type == FIELD_ROWS) {
            print_rows(r, field, &value);
        } else {
            print_label(r, words_field(field), words_value(r->cli, r->txn, field, &value));
        }
    }
    return EXIT_OK;
}

int cmd_rule(struct cli *cli)
{
    struct reading r = {.cli = cli};
    if (strcmp(cli->command->name, "rule put") == 0) {
        return put(cli);
    }
    int code = cli_open_views(cli);
    if (code == EXIT_OK) {
        code = cli_begin(cli, &r.txn);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = views_rules(cli->views, r.txn, &r.rules);
    r.today = time_day(cli_now_ms(r.txn));
    if (e != OK) {
        code = cli_fail(cli, e, _("the rules cannot be read"));
    } else {
        code = strcmp(cli->command->name, "rule list") == 0 ? list(&r) : show(&r);
    }
    txn_abort(r.txn);
    return code;
}
