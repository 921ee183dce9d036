#include "tools/import_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/csv.h"
#include "tools/accusation.h"

/* Rows in one commit. */
enum { BATCH_ROWS = 1024, COLUMN_VILLAGE = 0 };

const struct import_column import_columns[IMPORT_COLUMN_COUNT] = {
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

/* --- refused rows --- */

/* Import knows both, so the sheet can be corrected and taken again. */
static const char *column_title(size_t c)
{
    return i18n_is_chinese() ? import_columns[c].words[0] : import_columns[c].field;
}

static void sheet_row(struct import *im, const char *line, const char *why,
                      const struct import_row *row)
{
    csv_write_cell(&im->sheet, slice_of_text(line), true);
    csv_write_cell(&im->sheet, slice_of_text(why), false);
    for (size_t c = 0; c < IMPORT_COLUMN_COUNT; c++) {
        csv_write_cell(&im->sheet, row != NULL ? row->cells[c] : slice_of_text(column_title(c)),
                       false);
    }
    buf_append_text(&im->sheet, CSV_ROW_END);
}

void import_refuse(struct import *im, const struct import_row *row, const char *why)
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

static void refuse_problem(struct import *im, const struct import_row *row,
                           const struct act_problem *problem)
{
    struct buf why = {0};
    buf_append_text(&why, problem->what);
    if (problem->allowed[0] != '\0') {
        buf_printf(&why, _("; allowed: %s"), problem->allowed);
    }
    import_refuse(im, row, buf_text(&why));
    buf_clear(&why);
}

/* --- one row --- */

static const char *scope_of_row(struct import *im, const struct import_row *row,
                                struct scope *scope)
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

static enum err put_cells(struct import *im, const struct import_row *row,
                          struct act_problem *problem)
{
    enum err e = OK;
    for (size_t c = COLUMN_VILLAGE + 1; c < IMPORT_COLUMN_COUNT && e == OK; c++) {
        struct slice cell = row->cells[c];
        if (cell.size == 0 && strcmp(import_columns[c].field, "urgency") == 0) {
            cell = slice_of_text("1");
        }
        e = act_put(&im->act, import_columns[c].field, cell, problem);
    }
    return e;
}

static enum err build(struct import *im, const struct import_row *row, const char *number,
                      struct draft *draft, struct act_problem *problem)
{
    act_begin(&im->act, im->act.kind);
    enum err e = put_cells(im, row, problem);
    if (e == OK) {
        e = act_put(&im->act, "number", slice_of_text(number), problem);
    }
    return e == OK ? act_end(&im->act, draft, problem) : e;
}

static bool is_accusation(const struct import_row *row)
{
    for (size_t c = 0; c < IMPORT_COLUMN_COUNT; c++) {
        if (strcmp(import_columns[c].field, "nature") == 0) {
            return accusation_named(row->cells[c]);
        }
    }
    return false;
}

static enum err next_number(struct import *im, bool accusation, char number[16])
{
    return accusation ? accusation_number(im->cli, &im->recording, number)
                      : request_next_number(recorder_txn(im->cli->recorder), im->roster,
                                            &im->recording.self, number);
}

/* Numbers go to good rows only: a row is checked under a number of the same form first. */
static enum err record_row(struct import *im, const struct import_row *row,
                           struct act_problem *problem)
{
    struct draft draft = {.lane = LANE_NORMAL};
    struct recorded recorded;
    struct kind_problem found = {0};
    char number[16];
    const char *why = scope_of_row(im, row, &draft.scope);
    if (why != NULL) {
        *problem = (struct act_problem){0};
        snprintf(problem->what, sizeof problem->what, "%s", _(why));
        return ERR_RANGE;
    }
    bool accusation = is_accusation(row);
    if (accusation) {
        accusation_place(&im->recording, &draft);
    }
    enum err e = build(im, row, accusation ? ACCUSATION_NO_NUMBER : "00A-0000", &draft, problem);
    if (e != OK || im->dry_run) {
        return e;
    }
    e = next_number(im, accusation, number);
    if (e == OK) {
        e = build(im, row, number, &draft, problem);
    }
    if (e != OK) {
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
    im->sealed += e == OK && draft.sealed;
    return e;
}

/* --- batches --- */

bool import_stop(struct import *im, enum err e, const char *what)
{
    im->code = cli_fail(im->cli, e, what);
    return false;
}

bool import_commit(struct import *im)
{
    if (im->open) {
        im->open = false;
        enum err e = recorder_commit(im->cli->recorder);
        if (e != OK) {
            return import_stop(im, e, _("the last rows may not have been recorded"));
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
        return import_stop(im, e, _("nothing more can be recorded"));
    }
    im->open = true;
    e = views_roster(im->cli->views, recorder_txn(im->cli->recorder), &im->roster);
    return e == OK || import_stop(im, e, _("the roster cannot be read"));
}

bool import_take(struct import *im, const struct import_row *row)
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
        import_refuse(im, row, cli_err_text(e));
        return true;
    }
    if (e != OK) {
        return import_stop(im, e, _("nothing more can be recorded"));
    }
    return ++im->in_batch < BATCH_ROWS || import_commit(im);
}

int import_begin(struct import *im)
{
    struct txn *t;
    im->act.kind = kind_find(slice_of_text("request.register"));
    buf_append_text(&im->sheet, CSV_MARK);
    sheet_row(im, _("line"), _("reason"), NULL);
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

void import_end(struct import *im)
{
    if (im->open) {
        recorder_abort(im->cli->recorder);
    }
    json_decref(im->refusals);
    act_clear(&im->act);
    buf_clear(&im->sheet);
}
