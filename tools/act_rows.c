#include "tools/act_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/csv.h"
#include "tools/output.h"
#include "tools/words.h"

enum { DAY_MIN = 24 * 60, ROWS_FILE_SIZE_MAX = 1024 * 1024 };

void act_rows_clear(struct act_rows *r)
{
    buf_clear(&r->encoded);
}

void act_rows_write(struct act_rows *r, struct buf *out)
{
    struct mp_writer w = {out};
    mp_write_array(&w, r->count);
    mp_write_raw(&w, buf_slice(&r->encoded));
    if (r->encoded.err && !out->err) out->err = r->encoded.err;
}

void act_rows_columns(struct buf *out, const struct field *field)
{
    for (size_t i = 0; i < field->column_count; i++) {
        const struct field *c = &field->columns[i];
        buf_printf(out, "%s%s", i ? ", " : "", c->name);
        if (i18n_is_chinese()) buf_printf(out, " %s", c->zh);
    }
}

static int bad_form(struct act_rows *r, const char *text, const char *why)
{
    struct buf columns = {0};
    act_rows_columns(&columns, r->field);
    int code = cli_error(
        r->cli, EXIT_USAGE,
        cli_format(r->cli, _("%s: \"%s\" cannot be used"), words_field(r->field), text), why,
        cli_format(r->cli, _("columns: %s; rows with ; between, cells with commas, or @FILE.csv"),
                   buf_text(&columns)));
    buf_clear(&columns);
    return code;
}

/* --- one row --- */

static const struct field *column_of(const struct act_rows *r, const char *name, size_t *at)
{
    for (*at = 0; *at < r->field->column_count; ++*at)
        if (strcmp(r->field->columns[*at].name, name) == 0) return &r->field->columns[*at];
    return NULL;
}

/* "08:30" as 510; false for what is no hour. */
static bool clock_minutes(const char *text, unsigned *out)
{
    unsigned hour, minute;
    int size = 0;
    bool clock = sscanf(text, "%2u:%2u%n", &hour, &minute, &size) == 2 && !text[size];
    if (!clock || hour > 47 || minute > 59) return false;
    *out = hour * 60 + minute;
    return true;
}

/* What a row leaves to be worked out: a night's work ends the next day, minutes are end - start. */
static void complete(struct act_rows *r, const char *cells[KIND_COLUMNS_MAX])
{
    size_t start, end, minutes;
    if (!column_of(r, "start", &start) || !column_of(r, "end", &end) ||
        !column_of(r, "minutes", &minutes) || !*cells[start] || !*cells[end])
        return;
    unsigned from = (unsigned)strtoul(cells[start], NULL, 10);
    unsigned to = (unsigned)strtoul(cells[end], NULL, 10);
    if (to < from && to + DAY_MIN > from) {
        to += DAY_MIN;
        cells[end] = cli_format(r->cli, "%u", to);
    }
    if (!*cells[minutes] && to > from) cells[minutes] = cli_format(r->cli, "%u", to - from);
}

/* `typed`: what the person wrote, for the refusal. */
static int write_cell(struct act_rows *r, const struct field *column, const char *text,
                      const char *typed)
{
    struct mp_writer w = {&r->encoded};
    if (!*text && !column->required) {
        mp_write_nil(&w);
        return EXIT_OK;
    }
    if (*text && column->type == FIELD_THING) {
        int code = r->cell(r->state, column, text, &text);
        if (code) return code;
    }
    if (act_value_write(&w, column, slice_of_text(text))) return EXIT_OK;
    struct act_problem problem;
    enum err e = act_refuse(column, slice_of_text(*typed ? typed : text), &problem);
    (void)e;
    return cli_error(
        r->cli, EXIT_USAGE,
        cli_format(r->cli, _("%s, row %zu: %s"), words_field(r->field), r->count + 1, problem.what),
        cli_format(r->cli, _("allowed: %s"), problem.allowed),
        _("correct it and try again; nothing was recorded"));
}

static int take_row(struct act_rows *r, const char *cells[KIND_COLUMNS_MAX])
{
    const char *typed[KIND_COLUMNS_MAX];
    struct mp_writer w = {&r->encoded};
    unsigned minutes;
    memcpy(typed, cells, sizeof typed);
    for (size_t i = 0; i < r->field->column_count; i++)
        if (r->field->columns[i].type == FIELD_UINT && clock_minutes(cells[i], &minutes))
            cells[i] = cli_format(r->cli, "%u", minutes);
    complete(r, cells);
    size_t start, end, span;
    if (column_of(r, "minutes", &span) && !*typed[span] && column_of(r, "start", &start) &&
        column_of(r, "end", &end))
        typed[span] = cli_format(r->cli, "%s-%s", typed[start], typed[end]);
    mp_write_array(&w, r->field->column_count);
    for (size_t i = 0; i < r->field->column_count; i++) {
        int code = write_cell(r, &r->field->columns[i], cells[i], typed[i]);
        if (code) return code;
    }
    r->count++;
    return EXIT_OK;
}

/* --- "a,b;c,d" --- */

/* The part of *text before the next of `separators` (each a string), trimmed. */
static const char *part(struct act_rows *r, const char **text, const char *const separators[3])
{
    const char *at = *text;
    size_t size = 0;
    for (; *at && !size; at += size ? 0 : 1)
        for (size_t i = 0; i < 3 && separators[i] && !size; i++)
            if (strncmp(at, separators[i], strlen(separators[i])) == 0)
                size = strlen(separators[i]);
    struct slice cell = act_trimmed(slice_of(*text, (size_t)(at - *text)));
    *text = at + size;
    return cli_format(r->cli, "%.*s", (int)cell.size, (const char *)cell.data);
}

static int take_text(struct act_rows *r, const char *text)
{
    static const char *const semicolons[3] = {";", "；", "\n"};
    static const char *const commas[3] = {",", "，", NULL};
    int code = EXIT_OK;
    while (*text && !code) {
        const char *cells[KIND_COLUMNS_MAX];
        const char *row = part(r, &text, semicolons), *rest = row;
        size_t count = 0;
        if (!*row) continue;
        for (; *rest && count < r->field->column_count; count++)
            cells[count] = part(r, &rest, commas);
        if (*rest) return bad_form(r, row, _("it has more cells than there are columns"));
        for (; count < KIND_COLUMNS_MAX; count++) cells[count] = "";
        code = take_row(r, cells);
    }
    return code;
}

/* --- JSON --- */

static const char *json_cell(struct act_rows *r, const json_t *value)
{
    if (json_is_string(value)) return cli_format(r->cli, "%s", json_string_value(value));
    if (json_is_integer(value))
        return cli_format(r->cli, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_boolean(value)) return json_is_true(value) ? "yes" : "no";
    return "";
}

static int take_json(struct act_rows *r, const char *text)
{
    json_error_t error;
    json_t *rows = json_loads(text, 0, &error), *row;
    size_t i;
    int code = json_is_array(rows) ? EXIT_OK : bad_form(r, text, _("it is no JSON array"));
    if (code == EXIT_OK) {
        json_array_foreach(rows, i, row)
        {
            const char *cells[KIND_COLUMNS_MAX] = {0};
            if (!json_is_array(row) || json_array_size(row) > r->field->column_count) {
                code = bad_form(r, text, _("a row is no array of as many cells as columns"));
                break;
            }
            for (size_t c = 0; c < r->field->column_count; c++)
                cells[c] = json_cell(r, json_array_get(row, c));
            code = take_row(r, cells);
            if (code) break;
        }
    }
    json_decref(rows);
    return code;
}

/* --- @FILE.csv --- */

struct table_file {
    struct act_rows *rows;
    const char *path;
    size_t at[KIND_COLUMNS_MAX]; /* cell of each column; SIZE_MAX: not there */
    bool has_header;
    int code;
};

static bool names(const struct field *column, struct slice cell)
{
    struct slice zh = slice_of(column->zh, strcspn(column->zh, "("));
    return slice_is_text(cell, column->name) || slice_is_text(cell, column->zh) ||
           slice_equal(cell, zh) || slice_is_text(cell, column->en);
}

static void read_header(struct table_file *f, const struct csv_row *row)
{
    bool any = false;
    for (size_t c = 0; c < f->rows->field->column_count; c++) {
        f->at[c] = SIZE_MAX;
        for (size_t i = 0; i < row->count && f->at[c] == SIZE_MAX; i++)
            if (names(&f->rows->field->columns[c], row->cells[i])) f->at[c] = i;
        any = any || f->at[c] != SIZE_MAX;
    }
    f->has_header = true;
    if (!any) f->code = bad_form(f->rows, f->path, _("its first row does not name the columns"));
}

static bool take_csv_row(void *state, const struct csv_row *row, enum err err)
{
    struct table_file *f = state;
    const char *cells[KIND_COLUMNS_MAX] = {0};
    if (err) {
        f->code = bad_form(f->rows, f->path, cli_err_text(err));
        return false;
    }
    if (!f->has_header) {
        read_header(f, row);
        return f->code == EXIT_OK;
    }
    for (size_t c = 0; c < f->rows->field->column_count; c++)
        cells[c] = f->at[c] < row->count ? output_text(f->rows->cli, row->cells[f->at[c]]) : "";
    f->code = take_row(f->rows, cells);
    return f->code == EXIT_OK;
}

static int take_file(struct act_rows *r, const char *path)
{
    struct table_file f = {.rows = r, .path = path};
    struct buf content = {.size_max = ROWS_FILE_SIZE_MAX};
    enum err e = file_read(&content, path, ROWS_FILE_SIZE_MAX);
    if (!e) e = csv_read(buf_slice(&content), take_csv_row, &f);
    buf_clear(&content);
    if (e && !f.code) return cli_fail(r->cli, e, cli_format(r->cli, _("%s cannot be read"), path));
    return f.code;
}

int act_rows_take(struct act_rows *r, const char *text)
{
    if (*text == '@') return take_file(r, text + 1);
    return *text == '[' ? take_json(r, text) : take_text(r, text);
}
