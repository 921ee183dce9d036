#include "node/deadlines.h"
#include "tools/import_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/csv.h"
#include "node/views/person.h"
#include "tools/words.h"
#include "tools/accusation.h"

/* Rows in one commit. */
enum { BATCH_ROWS = 1024, COLUMN_VILLAGE = 0 };

static const struct import_column request_columns[] = {
    {"village", {"村", "村庄", "村(社区)", "所属村"}, NULL},
    {"received", {"接件时间", "时间", "日期", "受理时间"}, NULL},
    {"channel", {"来源", "渠道"}, NULL},
    {"nature", {"性质", "诉求性质"}, NULL},
    {"category", {"类别", "诉求类别", "类别代码"}, NULL},
    {"urgency", {"紧急程度", "紧急"}, "1"},
    {"name", {"姓名", "诉求人"}, NULL},
    {"phone", {"电话", "联系电话"}, NULL},
    {"place", {"地址", "地点"}, NULL},
    {"content", {"内容", "诉求内容", "诉求"}, NULL},
    {"channel_ref", {"来源编号", "渠道编号"}, NULL},
};
static const struct import_column volunteer_columns[] = {
    {"village", {"村", "村庄", "村(社区)", "所属村"}, NULL},
    {"name", {"姓名", "志愿者"}, NULL},
    {"phone", {"电话", "联系电话", "手机", "手机号"}, NULL},
    {"skills", {"特长", "技能"}, NULL},
    {"categories", {"服务类别", "类别"}, NULL},
    {"joined", {"加入日期", "加入时间", "登记日期"}, NULL},
    {"consent_ref", {"同意书", "同意书编号", "本人同意书"}, NULL},
};
#define COLUMNS(columns) (columns), sizeof(columns) / sizeof(columns)[0]

static const struct import_table tables[] = {
    {"requests", "诉求", "request.register",
     N_("columns: village,received,channel,nature,category,urgency,name,phone,"
        "place,content,channel_ref (or the words of the Chinese form)"),
     "channel_ref", "00A-0000", request_next_number, COLUMNS(request_columns)},
    {"volunteers", "志愿者", "volunteer.register",
     N_("columns: village,name,phone,skills,categories,joined,consent_ref (or the words of the "
        "Chinese form)"),
     "phone", "00AV-0000", person_next_number, COLUMNS(volunteer_columns)},
};

const struct import_table *import_table_find(const char *as)
{
    for (size_t i = 0; as != NULL && i < sizeof tables / sizeof tables[0]; i++) {
        if (strcmp(tables[i].as, as) == 0 || strcmp(tables[i].as_zh, as) == 0) {
            return &tables[i];
        }
    }
    return NULL;
}

static struct slice cell_of(const struct import *im, const struct import_row *row,
                            const char *field)
{
    for (size_t c = 0; c < im->table->column_count; c++) {
        if (strcmp(im->table->columns[c].field, field) == 0) {
            return row->cells[c];
        }
    }
    return SLICE_EMPTY;
}

/* --- refused rows --- */

/* Import knows both, so the sheet can be corrected and taken again. */
static const char *column_title(const struct import_column *column)
{
    return i18n_is_chinese() ? column->words[0] : column->field;
}

static void sheet_row(struct import *im, const char *line, const char *why,
                      const struct import_row *row)
{
    csv_write_cell(&im->sheet, slice_of_text(line), true);
    csv_write_cell(&im->sheet, slice_of_text(why), false);
    for (size_t c = 0; c < im->table->column_count; c++) {
        const char *title = column_title(&im->table->columns[c]);
        csv_write_cell(&im->sheet, row != NULL ? row->cells[c] : slice_of_text(title), false);
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
    for (size_t c = COLUMN_VILLAGE + 1; c < im->table->column_count && e == OK; c++) {
        const struct import_column *column = &im->table->columns[c];
        struct slice cell = row->cells[c];
        if (cell.size == 0 && column->otherwise != NULL) {
            cell = slice_of_text(column->otherwise);
        }
        e = act_put(&im->act, column->field, cell, problem);
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

static enum err next_number(struct import *im, bool accusation, char number[16])
{
    return accusation ? accusation_number(im->cli, &im->recording, number)
                      : im->table->next_number(recorder_txn(im->cli->recorder), im->roster,
                                               &im->recording.self, number);
}

/* The same person or message a second time: refused, saying where it stands already. */
static enum err check_unique(struct import *im, const struct import_row *row,
                             struct act_problem *problem)
{
    struct slice cell = cell_of(im, row, im->table->unique);
    const struct import_known_entry *entry;
    if (cell.size == 0) {
        return OK;
    }
    enum err e = import_known_load(&im->known, im->cli, im->act.kind, im->open);
    if (e != OK || !import_known_find(&im->known, cell, &entry)) {
        return e;
    }
    const char *field = words_field(kind_field(im->act.kind, im->table->unique));
    *problem = (struct act_problem){0};
    if (entry->line > 0) {
        snprintf(problem->what, sizeof problem->what, _("%s: stands in line %" PRIu64 " already"),
                 field, entry->line);
    } else {
        snprintf(problem->what, sizeof problem->what, _("%s: is registered already: %s"), field,
                 entry->number);
    }
    return ERR_RANGE;
}

/* What the recorder would refuse, of a row that is not recorded. */
static enum err check_dry(struct import *im, const struct draft *draft, struct act_problem *problem)
{
    const struct deadlines_act act = {
        .kind = im->act.kind,
        .body = draft->body,
        .now_ms = im->recording.clock.wall_ms,
        .trusted = im->recording.clock.trusted,
    };
    struct deadlines deadlines = {0};
    struct kind_problem found = {0};
    struct slice body;
    enum err e = deadlines_fill(&deadlines, im->rules, &act, &body, &found);
    if (e == ERR_RANGE) {
        act_explain(im->act.kind, &found, problem);
    }
    deadlines_clear(&deadlines);
    return e;
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
    bool accusation = accusation_named(cell_of(im, row, "nature"));
    if (accusation) {
        accusation_place(&im->recording, &draft);
    }
    enum err e =
        build(im, row, accusation ? ACCUSATION_NO_NUMBER : im->table->number, &draft, problem);
    if (e == OK) {
        e = check_unique(im, row, problem);
    }
    if (e != OK || im->dry_run) {
        return e == OK ? check_dry(im, &draft, problem) : e;
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
    if (e != OK && found.what != NULL && found.what[0] != '\0') {
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
    import_known_add(&im->known, cell_of(im, row, im->table->unique), row->line);
    return ++im->in_batch < BATCH_ROWS || import_commit(im);
}

int import_begin(struct import *im)
{
    struct txn *t;
    im->act.kind = kind_find(slice_of_text(im->table->kind));
    buf_append_text(&im->sheet, CSV_MARK);
    sheet_row(im, _("line"), _("reason"), NULL);
    int code = recording_begin(im->cli, &im->recording);
    if (code != EXIT_OK || !im->dry_run) {
        return code;
    }
    code = cli_begin(im->cli, &t);
    if (code == EXIT_OK) {
        code = cli_roster(im->cli, t, &im->roster);
        enum err e = views_rules(im->cli->views, t, &im->rules);
        if (code == EXIT_OK && e != OK) {
            code = cli_fail(im->cli, e, _("the rules cannot be read"));
        }
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
    import_known_clear(&im->known);
    act_clear(&im->act);
    buf_clear(&im->sheet);
}
