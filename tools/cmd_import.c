#include "tools/commands.h"
#include "tools/import_rows.h"
#include "tools/lines.h"

#include "common/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A CSV file as it is read. */
struct csv_import {
    struct import *import;
    size_t at[IMPORT_COLUMNS_MAX]; /* cell of each column, SIZE_MAX: not there */
    bool has_header;
};

/* --- CSV --- */

static bool names_column(struct slice cell, const struct import_column *column)
{
    bool found = slice_is_text(cell, column->field);
    for (size_t w = 0; w < IMPORT_WORDS_MAX && column->words[w] != NULL && !found; w++) {
        found = slice_is_text(cell, column->words[w]);
    }
    return found;
}

static bool read_header(struct csv_import *ci, const struct csv_row *row)
{
    const struct import_table *table = ci->import->table;
    size_t known = 0;
    for (size_t c = 0; c < table->column_count; c++) {
        ci->at[c] = SIZE_MAX;
        for (size_t i = 0; i < row->count && ci->at[c] == SIZE_MAX; i++) {
            if (names_column(row->cells[i], &table->columns[c])) {
                ci->at[c] = i;
                known++;
            }
        }
    }
    ci->has_header = true;
    if (known > 0) {
        return true;
    }
    ci->import->code = cli_error(
        ci->import->cli, EXIT_USAGE, _("the first row names no column that is known here"),
        _(table->columns_said), _("put the column names into the first row"));
    return false;
}

static bool take_csv_row(void *state, const struct csv_row *csv, enum err err)
{
    struct csv_import *ci = state;
    struct import_row row = {.line = csv->line};
    if (err != OK) {
        import_refuse(ci->import, &row, cli_err_text(err));
        return true;
    }
    if (!ci->has_header) {
        return read_header(ci, csv);
    }
    for (size_t c = 0; c < ci->import->table->column_count; c++) {
        if (ci->at[c] < csv->count) {
            row.cells[c] = csv->cells[ci->at[c]];
        }
    }
    return import_take(ci->import, &row);
}

static void import_csv(struct import *im, const char *path)
{
    struct csv_import ci = {.import = im};
    struct buf file = {.size_max = IMPORT_FILE_SIZE_MAX};
    enum err e = file_read(&file, path, IMPORT_FILE_SIZE_MAX);
    if (e == OK) {
        e = csv_read(buf_slice(&file), take_csv_row, &ci);
    }
    if (e != OK && im->code == EXIT_OK) {
        import_stop(im, e, cli_format(im->cli, _("%s cannot be read"), path));
    }
    if (im->code == EXIT_OK) {
        import_commit(im);
    }
    buf_clear(&file);
}

/* --- NDJSON --- */

/* The text of one value: strings as they are, whole numbers as digits. */
static bool cell_of(json_t *value, char digits[24], struct slice *out)
{
    if (json_is_string(value)) {
        *out = slice_of(json_string_value(value), json_string_length(value));
        return true;
    }
    if (json_is_integer(value)) {
        snprintf(digits, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        *out = slice_of_text(digits);
        return true;
    }
    return json_is_null(value);
}

static bool take_object(struct import *im, struct import_row *row, json_t *object)
{
    char digits[IMPORT_COLUMNS_MAX][24];
    for (size_t c = 0; c < im->table->column_count; c++) {
        const char *field = im->table->columns[c].field;
        json_t *value = json_object_get(object, field);
        if (value != NULL && !cell_of(value, digits[c], &row->cells[c])) {
            char why[96];
            snprintf(why, sizeof why, _("%s is neither text nor a whole number"), field);
            import_refuse(im, row, why);
            return true;
        }
    }
    return import_take(im, row);
}

static bool take_json_line(struct import *im, uint64_t number, struct slice line)
{
    struct import_row row = {.line = number};
    json_error_t error;
    json_t *object = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    bool going = true;
    if (json_is_object(object)) {
        going = take_object(im, &row, object);
    } else {
        import_refuse(im, &row, object == NULL ? error.text : _("not a JSON object"));
    }
    json_decref(object);
    return going;
}

static void import_ndjson(struct import *im, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        import_stop(im, err_from_errno(errno), cli_format(im->cli, _("%s cannot be read"), path));
        return;
    }
    struct lines lines = lines_of(fd);
    struct slice line;
    enum lines_result result;
    bool going = true;
    while (going && (result = lines_next(&lines, &line)) != LINES_END) {
        if (result == LINES_FAILED) {
            going = import_stop(im, ERR_IO, cli_format(im->cli, _("%s cannot be read"), path));
        } else if (result == LINES_TOO_LONG) {
            import_refuse(im, &(struct import_row){.line = lines.number}, cli_err_text(ERR_LIMIT));
        } else if (line.size > 0) {
            going = take_json_line(im, lines.number, line);
        }
    }
    if (going) {
        import_commit(im);
    }
    lines_clear(&lines);
    close(fd);
}

/* --- the verb --- */

static bool is_ndjson(const char *path)
{
    static const char *const ends[] = {".ndjson", ".jsonl", ".json"};
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t end = strlen(ends[i]);
        if (size > end && strcmp(path + size - end, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int report(struct import *im)
{
    struct cli *cli = im->cli;
    if (im->errors != NULL && im->refused > 0) {
        enum err e = im->sheet.err != OK ? im->sheet.err
                                         : file_replace(im->errors, buf_slice(&im->sheet), 0600);
        if (e != OK) {
            return cli_fail(cli, e, cli_format(cli, _("\"%s\" was not written"), im->errors));
        }
    }
    int code = EXIT_OK;
    if (im->refusals != NULL) {
        json_t *o = output_json("sidan.import/1");
        json_object_set_new(o, "accepted", json_integer((json_int_t)im->accepted));
        json_object_set_new(o, "sealed", json_integer((json_int_t)im->sealed));
        json_object_set(o, "refused", im->refusals);
        json_object_set_new(o, "dry_run", json_boolean(im->dry_run));
        code = output_json_end(o);
    } else {
        output_line(cli,
                    im->dry_run ? _("%" PRIu64 " rows can be recorded, %" PRIu64 " cannot")
                                : _("%" PRIu64 " recorded, %" PRIu64 " refused"),
                    im->accepted, im->refused);
        if (im->sealed > 0) {
            output_line(cli, _("%" PRIu64 " of them are sealed for the township's office"),
                        im->sealed);
        }
        if (im->errors != NULL && im->refused > 0) {
            output_line(cli, _("the refused rows are in %s: correct and import that file"),
                        im->errors);
        }
    }
    return code == EXIT_OK && im->refused > 0 ? EXIT_FAILED : code;
}

int cmd_import(struct cli *cli)
{
    const char *path = cli_argument(cli, 0);
    const struct import_table *table = import_table_find(cli_flag(cli, "--as"));
    if (table == NULL) {
        return cli_error(cli, EXIT_USAGE, _("it is not said what the rows are"),
                         _("allowed: requests, volunteers"),
                         _("add --as requests or --as volunteers"));
    }
    struct import im = {.cli = cli,
                        .table = table,
                        .dry_run = cli_has(cli, "--dry-run"),
                        .errors = cli_flag(cli, "--errors"),
                        .refusals = cli->json ? json_array() : NULL,
                        .sheet = {.size_max = IMPORT_FILE_SIZE_MAX}};
    im.code = import_begin(&im);
    if (im.code == EXIT_OK && is_ndjson(path)) {
        import_ndjson(&im, path);
    } else if (im.code == EXIT_OK) {
        import_csv(&im, path);
    }
    int code = im.code == EXIT_OK ? report(&im) : im.code;
    import_end(&im);
    return code;
}
