#include "tools/commands.h"
#include "tools/lines.h"
#include "tools/recording.h"

#include "common/csv.h"
#include "node/township.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Rows in one commit. */
enum { BATCH_ROWS = 1024, WORDS_MAX = 4 };

/* The columns: the field of request.register that each fills (the village fills the scope), and the
 * words that a header row may use for it. */
static const struct column {
    const char *field;
    const char *words[WORDS_MAX];
} columns[] = {
    {"village", {"村", "村庄", "村(社区)", "所属村"}},
    {"received", {"接件时间", "时间", "日期", "受理时间"}},
    {"channel", {"来源", "渠道"}},
    {"nature", {"性质", "诉求性质"}},
    {"category", {"类别", "诉求类别", "类别代码"}},
    {"urgency", {"紧急程度", "紧急"}},
    {"name", {"姓名", "诉求人"}},
    {"phone", {"电话", "联系电话"}},
    {"place", {"地址", "地点"}},
    {"content", {"内容", "诉求内容", "诉求"}},
    {"channel_ref", {"来源编号", "渠道编号"}},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0], COLUMN_VILLAGE = 0 };

struct row {
    uint64_t line;
    struct slice cells[COLUMN_COUNT]; /* empty: not given */
};

struct import {
    struct cli *cli;
    struct recording recording;
    const struct roster *roster; /* as of the open batch */
    struct act act;
    size_t at[COLUMN_COUNT]; /* CSV: cell of each column, SIZE_MAX: not there */
    bool has_header, dry_run, open;
    uint64_t in_batch, accepted, refused;
    json_t *refusals;   /* with --json */
    const char *errors; /* file for refused rows, NULL: none */
    struct buf sheet;
    int code; /* why everything stopped */
};

/* --- refused rows --- */

static void sheet_row(struct import *im, const char *line, const char *why, const struct row *row)
{
    csv_write_cell(&im->sheet, slice_of_text(line), true);
    csv_write_cell(&im->sheet, slice_of_text(why), false);
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        csv_write_cell(&im->sheet, row != NULL ? row->cells[c] : slice_of_text(columns[c].field),
                       false);
    }
    buf_append_text(&im->sheet, "\r\n");
}

static void refuse(struct import *im, const struct row *row, const char *why)
{
    char line[24];
    im->refused++;
    snprintf(line, sizeof line, "%" PRIu64, row->line);
    if (im->errors != NULL) {
        sheet_row(im, line, why, row);
    }
    if (im->refusals != NULL) {
        json_t *o = json_object();
        json_object_set_new(o, "line", json_integer((json_int_t)row->line));
        json_object_set_new(o, "why", output_json_text(slice_of_text(why)));
        json_array_append_new(im->refusals, o);
    } else {
        output_note(im->cli, _("line %s: %s"), line, why);
    }
}

static void refuse_problem(struct import *im, const struct row *row,
                           const struct act_problem *problem)
{
    struct buf why = {0};
    buf_append_text(&why, problem->what);
    if (problem->allowed[0] != '\0') {
        buf_printf(&why, _("; allowed: %s"), problem->allowed);
    }
    refuse(im, row, buf_text(&why));
    buf_clear(&why);
}

/* --- one row --- */

static const char *scope_of_row(struct import *im, const struct row *row, struct scope *scope)
{
    const struct village *village = NULL;
    struct slice cell = row->cells[COLUMN_VILLAGE];
    bool township = device_is_township(&im->recording.self);
    if (cell.size == 0 && township) {
        return N_("the village is missing");
    }
    if (cell.size > 0) {
        enum err e = township_find_village(im->roster, cell, &village);
        if (e != OK) {
            return e == ERR_AMBIGUOUS ? N_("more than one village is called so: write its code")
                                      : N_("there is no such village in this township");
        }
        if (!township && strcmp(village->code, im->recording.self.village) != 0) {
            return N_("it is another village's: import it there, or at the hub");
        }
    }
    *scope = scope_of_village(village != NULL ? village->code : im->recording.self.village);
    return NULL;
}

/* Spreadsheets write 2026/1/5 8:30. */
static struct slice plain_time(struct slice cell, char out[32])
{
    int year, month, day, hour = 0, minute = 0;
    char text[32];
    if (cell.size >= sizeof text) {
        return cell;
    }
    memcpy(text, cell.data, cell.size);
    text[cell.size] = '\0';
    int read = sscanf(text, "%4d/%2d/%2d %2d:%2d", &year, &month, &day, &hour, &minute);
    if (read < 3) {
        return cell;
    }
    int size = snprintf(out, 32, "%04d-%02d-%02d %02d:%02d", year, month, day, hour, minute);
    return slice_of(out, size > 0 && size < 32 ? (size_t)size : 0);
}

static enum err put_cells(struct import *im, const struct row *row, struct act_problem *problem)
{
    enum err e = OK;
    char time[32];
    for (size_t c = COLUMN_VILLAGE + 1; c < COLUMN_COUNT && e == OK; c++) {
        struct slice cell = row->cells[c];
        if (cell.size > 0 && strcmp(columns[c].field, "received") == 0) {
            cell = plain_time(cell, time);
        } else if (cell.size == 0 && strcmp(columns[c].field, "urgency") == 0) {
            cell = slice_of_text("1");
        }
        e = act_put(&im->act, columns[c].field, cell, problem);
    }
    return e;
}

static enum err put_number(struct import *im, struct act_problem *problem)
{
    char number[16] = "00A-0000"; /* of a dry run: only its form is checked */
    enum err e = OK;
    if (!im->dry_run) {
        e = request_next_number(recorder_txn(im->cli->recorder), im->roster, &im->recording.self,
                                number);
    }
    return e == OK ? act_put(&im->act, "number", slice_of_text(number), problem) : e;
}

static enum err record_row(struct import *im, const struct row *row, struct act_problem *problem)
{
    struct draft draft = {.lane = LANE_NORMAL};
    struct recorded recorded;
    struct kind_problem found = {0};
    const char *why = scope_of_row(im, row, &draft.scope);
    if (why != NULL) {
        *problem = (struct act_problem){0};
        snprintf(problem->what, sizeof problem->what, "%s", _(why));
        return ERR_RANGE;
    }
    act_begin(&im->act, im->act.kind);
    enum err e = put_cells(im, row, problem);
    if (e == OK) {
        e = put_number(im, problem);
    }
    if (e == OK) {
        e = act_end(&im->act, &draft, problem);
    }
    if (e != OK || im->dry_run) {
        return e;
    }
    draft.lane = recording_request_lane(draft.body);
    draft.has_by = im->recording.has_by;
    draft.by = im->recording.by;
    e = recorder_add(im->cli->recorder, &draft, &recorded, &found);
    if (e != OK && found.what != NULL) {
        act_explain(im->act.kind, &found, problem);
        return ERR_RANGE;
    }
    return e;
}

/* --- batches --- */

static bool stop(struct import *im, enum err e, const char *what)
{
    im->code = cli_fail(im->cli, e, what);
    return false;
}

static bool commit(struct import *im)
{
    if (im->open) {
        im->open = false;
        enum err e = recorder_commit(im->cli->recorder);
        if (e != OK) {
            return stop(im, e, _("the last rows may not have been recorded"));
        }
    }
    im->accepted += im->in_batch;
    im->in_batch = 0;
    return true;
}

static bool begin(struct import *im)
{
    if (im->open || im->dry_run) {
        return true;
    }
    enum err e = recording_clock(im->cli, &im->recording.clock);
    if (e == OK) {
        e = recorder_begin(im->cli->recorder, &im->recording.clock);
    }
    if (e != OK) {
        return stop(im, e, _("nothing more can be recorded"));
    }
    im->open = true;
    e = views_roster(im->cli->views, recorder_txn(im->cli->recorder), &im->roster);
    return e == OK || stop(im, e, _("the roster cannot be read"));
}

static bool take_row(struct import *im, const struct row *row)
{
    struct act_problem problem = {0};
    if (!begin(im)) {
        return false;
    }
    enum err e = record_row(im, row, &problem);
    if (e == ERR_RANGE) {
        refuse_problem(im, row, &problem);
        return true;
    }
    if (e == ERR_LIMIT || e == ERR_MALFORMED) {
        refuse(im, row, cli_err_text(e));
        return true;
    }
    if (e != OK) {
        return stop(im, e, _("nothing more can be recorded"));
    }
    return ++im->in_batch < BATCH_ROWS || commit(im);
}

/* --- CSV --- */

static bool names_column(struct slice cell, const struct column *column)
{
    bool found = slice_is_text(cell, column->field);
    for (size_t w = 0; w < WORDS_MAX && column->words[w] != NULL && !found; w++) {
        found = slice_is_text(cell, column->words[w]);
    }
    return found;
}

static bool read_header(struct import *im, const struct csv_row *row)
{
    size_t known = 0;
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        im->at[c] = SIZE_MAX;
        for (size_t i = 0; i < row->count && im->at[c] == SIZE_MAX; i++) {
            if (names_column(row->cells[i], &columns[c])) {
                im->at[c] = i;
                known++;
            }
        }
    }
    im->has_header = true;
    if (known > 0) {
        return true;
    }
    im->code = cli_error(im->cli, EXIT_USAGE, _("the first row names no column that is known here"),
                         _("columns: village,received,channel,nature,category,urgency,name,phone,"
                           "place,content,channel_ref (or the words of the Chinese form)"),
                         _("put the column names into the first row"));
    return false;
}

static bool take_csv_row(void *state, const struct csv_row *csv, enum err err)
{
    struct import *im = state;
    struct row row = {.line = csv->line};
    if (err != OK) {
        refuse(im, &row, cli_err_text(err));
        return true;
    }
    if (!im->has_header) {
        return read_header(im, csv);
    }
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        if (im->at[c] < csv->count) {
            row.cells[c] = csv->cells[im->at[c]];
        }
    }
    return take_row(im, &row);
}

static void import_csv(struct import *im, const char *path)
{
    struct buf file = {.size_max = IMPORT_FILE_SIZE_MAX};
    enum err e = file_read(&file, path, IMPORT_FILE_SIZE_MAX);
    if (e == OK) {
        e = csv_read(buf_slice(&file), take_csv_row, im);
    }
    if (e != OK && im->code == EXIT_OK) {
        stop(im, e, cli_format(im->cli, _("%s cannot be read"), path));
    }
    if (im->code == EXIT_OK) {
        commit(im);
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

static bool take_object(struct import *im, struct row *row, json_t *object)
{
    char digits[COLUMN_COUNT][24];
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        json_t *value = json_object_get(object, columns[c].field);
        if (value != NULL && !cell_of(value, digits[c], &row->cells[c])) {
            char why[96];
            snprintf(why, sizeof why, _("%s is neither text nor a whole number"), columns[c].field);
            refuse(im, row, why);
            return true;
        }
    }
    return take_row(im, row);
}

static bool take_json_line(struct import *im, uint64_t number, struct slice line)
{
    struct row row = {.line = number};
    json_error_t error;
    json_t *object = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    bool going = true;
    if (json_is_object(object)) {
        going = take_object(im, &row, object);
    } else {
        refuse(im, &row, object == NULL ? error.text : _("not a JSON object"));
    }
    json_decref(object);
    return going;
}

static void import_ndjson(struct import *im, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        stop(im, err_from_errno(errno), cli_format(im->cli, _("%s cannot be read"), path));
        return;
    }
    struct lines lines = lines_of(fd);
    struct slice line;
    enum lines_result result;
    bool going = true;
    while (going && (result = lines_next(&lines, &line)) != LINES_END) {
        if (result == LINES_FAILED) {
            going = stop(im, ERR_IO, cli_format(im->cli, _("%s cannot be read"), path));
        } else if (result == LINES_TOO_LONG) {
            refuse(im, &(struct row){.line = lines.number}, cli_err_text(ERR_LIMIT));
        } else if (line.size > 0) {
            going = take_json_line(im, lines.number, line);
        }
    }
    if (going) {
        commit(im);
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
        json_object_set(o, "refused", im->refusals);
        json_object_set_new(o, "dry_run", json_boolean(im->dry_run));
        code = output_json_end(o);
    } else {
        output_line(cli,
                    im->dry_run ? _("%" PRIu64 " rows can be recorded, %" PRIu64 " cannot")
                                : _("%" PRIu64 " recorded, %" PRIu64 " refused"),
                    im->accepted, im->refused);
        if (im->errors != NULL && im->refused > 0) {
            output_line(cli, _("the refused rows are in %s: correct and import that file"),
                        im->errors);
        }
    }
    return code == EXIT_OK && im->refused > 0 ? EXIT_FAILED : code;
}

static int begin_import(struct import *im)
{
    struct txn *t;
    int code = recording_begin(im->cli, &im->recording);
    if (code != EXIT_OK || !im->dry_run) {
        return code;
    }
    code = cli_begin(im->cli, &t);
    if (code == EXIT_OK) {
        code = cli_roster(im->cli, t, &im->roster);
        txn_abort(t);
    }
    return code;
}

int cmd_import(struct cli *cli)
{
    const char *path = cli_argument(cli, 0);
    const char *as = cli_flag(cli, "--as");
    struct import im = {.cli = cli,
                        .dry_run = cli_has(cli, "--dry-run"),
                        .errors = cli_flag(cli, "--errors"),
                        .refusals = cli->json ? json_array() : NULL,
                        .sheet = {.size_max = IMPORT_FILE_SIZE_MAX}};
    if (as == NULL || strcmp(as, "requests") != 0) {
        return cli_error(cli, EXIT_USAGE, _("it is not said what the rows are"),
                         _("allowed: requests"), _("add --as requests"));
    }
    im.act.kind = kind_find(slice_of_text("request.register"));
    buf_append_text(&im.sheet, CSV_MARK);
    sheet_row(&im, "line", "why", NULL);
    im.code = begin_import(&im);
    if (im.code == EXIT_OK && is_ndjson(path)) {
        import_ndjson(&im, path);
    } else if (im.code == EXIT_OK) {
        import_csv(&im, path);
    }
    if (im.open) {
        recorder_abort(cli->recorder);
    }
    int code = im.code == EXIT_OK ? report(&im) : im.code;
    json_decref(im.refusals);
    act_clear(&im.act);
    buf_clear(&im.sheet);
    return code;
}
