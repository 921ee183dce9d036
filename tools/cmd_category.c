#include "tools/commands.h"
#include "tools/publishing.h"

#include "common/csv.h"
#include "common/file.h"
#include "common/time.h"
#include "node/views/body.h"

#include <string.h>

enum { CATEGORIES_MAX = 200, COLUMN_COUNT = 4, COLUMNS_NEEDED = 2 };

/* The columns of a file: those that `category list --csv` writes, and of the starter list. */
static const struct {
    const char *name, *words[3];
} columns[COLUMN_COUNT] = {
    {"code", {"代码", "类别代码", NULL}},
    {"name_zh", {"名称", "zh", "类别"}},
    {"name_en", {"英文名称", "en", NULL}},
    {"ext_code", {"对应代码", NULL, NULL}},
};

/* --- put --- */

struct sheet {
    struct publishing *p;
    const char *path;
    size_t at[COLUMN_COUNT]; /* SIZE_MAX: not there */
    bool has_header;
    struct buf rows; /* encoded */
    size_t count;
    int code;
};

static bool refuse(struct sheet *s, const char *why)
{
    s->code = cli_error(s->p->cli, EXIT_USAGE,
                        cli_format(s->p->cli, _("%s cannot be used"), s->path), why,
                        _("columns: code,name_zh,name_en,ext_code as sidan category list --csv "
                          "writes them"));
    return false;
}

static bool is_column(struct slice cell, size_t c)
{
    bool is = slice_is_text(cell, columns[c].name);
    for (size_t w = 0; w < 3 && columns[c].words[w] != NULL; w++) {
        is = is || slice_is_text(cell, columns[c].words[w]);
    }
    return is;
}

static bool read_header(struct sheet *s, const struct csv_row *row)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        s->at[c] = SIZE_MAX;
        for (size_t i = 0; i < row->count && s->at[c] == SIZE_MAX; i++) {
            s->at[c] = is_column(row->cells[i], c) ? i : SIZE_MAX;
        }
        if (c < COLUMNS_NEEDED && s->at[c] == SIZE_MAX) {
            return refuse(s,
                          cli_format(s->p->cli, _("there is no column \"%s\""), columns[c].name));
        }
    }
    s->has_header = true;
    return true;
}

static bool read_row(void *state, const struct csv_row *row, enum err err)
{
    struct sheet *s = state;
    struct mp_writer w = {&s->rows};
    if (err != OK) {
        return refuse(s, cli_err_text(err));
    }
    if (!s->has_header) {
        return read_header(s, row);
    }
    if (s->count == CATEGORIES_MAX) {
        return refuse(s, _("there are more than 200 categories"));
    }
    mp_write_array(&w, COLUMN_COUNT);
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        struct slice cell = s->at[c] < row->count ? row->cells[s->at[c]] : SLICE_EMPTY;
        if (cell.size == 0 && c < COLUMNS_NEEDED) {
            return refuse(s, cli_format(s->p->cli, _("line %llu has no code or no name"),
                                        (unsigned long long)row->line));
        }
        if (cell.size == 0) {
            mp_write_nil(&w);
        } else {
            mp_write_str(&w, cell);
        }
    }
    s->count++;
    return true;
}

static void read_sheet(struct sheet *s)
{
    struct buf file = {0};
    enum err e = file_read(&file, s->path, PUBLISHING_FILE_SIZE_MAX);
    if (e == OK) {
        e = csv_read(buf_slice(&file), read_row, s);
    }
    if (e != OK && s->code == EXIT_OK) {
        s->code = publishing_unreadable(s->p->cli, e, s->path);
    }
    buf_clear(&file);
}

static int told(struct publishing *p, size_t count)
{
    unsigned ver = (unsigned)body_uint(buf_slice(&p->body), "ver");
    if (p->cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        recording_describe(o, &p->recorded);
        json_object_set_new(o, "ver", json_integer(ver));
        json_object_set_new(o, "categories", json_integer((json_int_t)count));
        return output_json_end(o);
    }
    output_line(p->cli, _("%zu categories, version %u, in force from %s"), count, ver,
                output_text(p->cli, body_text(buf_slice(&p->body), "effective")));
    return EXIT_OK;
}

static int put(struct cli *cli)
{
    struct publishing p = {0};
    struct sheet s = {.p = &p, .path = cli_argument(cli, 0)};
    int code = publishing_begin(&p, cli);
    if (code == EXIT_OK) {
        read_sheet(&s);
        code = s.code;
    }
    if (code == EXIT_OK) {
        code = publishing_put_decision(&p);
    }
    if (code == EXIT_OK) {
        publishing_put_text(&p, "type", rule_type_name(RULE_CATEGORY));
        struct mp_writer w = mp_map_put(&p.map, "categories");
        mp_write_array(&w, s.count);
        buf_append_slice(w.out, buf_slice(&s.rows));
        code = publishing_rule(&p);
    }
    if (code == EXIT_OK) {
        code = told(&p, s.count);
    }
    buf_clear(&s.rows);
    publishing_end(&p);
    return code;
}

/* --- list --- */

static int list_json(const struct rule *rule)
{
    struct category_cursor at = {0};
    struct category c;
    json_t *o = output_json("sidan.categories/1"), *categories = json_array();
    json_object_set_new(o, "ver", json_integer(rule->ver));
    while (rule_category_next(rule, &at, &c)) {
        json_t *one = json_object();
        json_object_set_new(one, "code", output_json_text(c.code));
        json_object_set_new(one, "name_zh", output_json_text(c.zh));
        json_object_set_new(one, "name_en", output_json_text(c.en));
        json_object_set_new(one, "ext_code", output_json_text(c.ext_code));
        json_array_append_new(categories, one);
    }
    json_object_set_new(o, "categories", categories);
    return output_json_end(o);
}

static int list_table(struct cli *cli, const struct rule *rule)
{
    static const struct table_column heads[] = {
        {N_("code"), false, 0}, {N_("name"), false, 0}, {N_("in English"), false, 0}};
    /* As `category put` reads it back. */
    static const struct table_column sheet[] = {
        {"code", false, 0}, {"name_zh", false, 0}, {"name_en", false, 0}, {"ext_code", false, 0}};
    struct category_cursor at = {0};
    struct category c;
    struct table table;
    table_begin(&table, cli, cli->csv ? sheet : heads, cli->csv ? 4 : 3);
    while (rule_category_next(rule, &at, &c)) {
        bool below = !cli->csv && c.code.size == 4 && memcmp(c.code.data + 2, "00", 2) != 0;
        table_cell(&table, c.code);
        table_cellf(&table, "%s%s", below ? "  " : "", output_text(cli, c.zh));
        table_cell(&table, c.en);
        if (cli->csv) {
            table_cell(&table, c.ext_code);
        }
    }
    return table_end(&table);
}

static int list(struct cli *cli)
{
    struct txn *t;
    const struct rules *rules;
    int code = cli_open_views(cli);
    if (code == EXIT_OK) {
        code = cli_begin(cli, &t);
    }
    if (code != EXIT_OK) {
        return code;
    }
    enum err e = views_rules(cli->views, t, &rules);
    const struct rule *rule =
        e == OK ? rules_at(rules, RULE_CATEGORY, time_day(cli_now_ms(t))) : NULL;
    if (e != OK) {
        code = cli_fail(cli, e, _("the rules cannot be read"));
    } else if (rule == NULL) {
        code = cli_error(cli, EXIT_NOT_FOUND, _("there is no list of categories"),
                         _("none is in force today"), "sidan rule list");
    } else {
        code = cli->json ? list_json(rule) : list_table(cli, rule);
    }
    txn_abort(t);
    return code;
}

int cmd_category(struct cli *cli)
{
    return strcmp(cli->command->name, "category put") == 0 ? put(cli) : list(cli);
}
