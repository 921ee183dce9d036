#include "tools/commands.h"
#include "tools/command_flags.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/csv.h"
#include "common/file.h"
#include "common/time.h"
#include "tools/accusation.h"
#include "tools/exporting.h"
#include "tools/lookup.h"
#include "tools/words.h"

const struct flag export_flags[] = {
    VALUE("-o", "FILE", N_("where the sheet is written")),
    VALUE("--village", "VILLAGE", N_("only this village's")),
    SWITCH("--personal", N_("with names, phones and what was said")),
    SWITCH("--force", N_("write over a file that is there")),
    END,
};

static const struct export_sheet *const sheets[] = {
    &export_requests, &export_accusations, &export_volunteers,
    &export_services, &export_activities,  &export_points,
};
enum { SHEETS = sizeof sheets / sizeof sheets[0] };

/* --- cells --------------------------------------------------------------------------------- */

void export_cell(struct exporting *x, struct slice text)
{
    bool shown = x->personal || !x->columns[x->column].personal;
    if (shown) csv_write_cell(&x->csv, text, x->written++ == 0);
    if (++x->column < x->column_count) return;
    buf_append_text(&x->csv, CSV_ROW_END);
    x->column = x->written = 0;
    x->rows++;
}

void export_cellf(struct exporting *x, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    export_cell(x, slice_of_text(text));
}

void export_time(struct exporting *x, uint64_t ms)
{
    char text[TIME_TEXT_SIZE] = "";
    if (ms) time_format(text, ms);
    export_cell(x, slice_of_text(text));
}

void export_number(struct exporting *x, uint64_t n)
{
    export_cellf(x, "%" PRIu64, n);
}

void export_choice(struct exporting *x, const char *field, struct slice code)
{
    export_cell(x, slice_of_text(words_choice(x->cli, field, code)));
}

/* --- what is wanted ------------------------------------------------------------------------ */

bool export_wants_ms(const struct exporting *x, uint64_t ms)
{
    return !x->has_period || (ms >= x->period.from_ms && ms < x->period.to_ms);
}

bool export_wants_date(const struct exporting *x, struct slice date)
{
    uint32_t day;
    return !x->has_period ||
           (time_parse_day(&day, date) == OK && export_wants_ms(x, time_day_ms(day, 12 * 60)));
}

bool export_wants_village(const struct exporting *x, const char *code)
{
    return !x->village || strcmp(x->village->code, code) == 0;
}

/* --- the verb ------------------------------------------------------------------------------ */

static int choose_sheet(struct cli *cli, const struct export_sheet **out)
{
    const char *text = cli_argument(cli, 0), *allowed = NULL;
    for (size_t i = 0; i < SHEETS; i++) {
        *out = sheets[i];
        if (strcmp(text, sheets[i]->name) == 0 || strcmp(text, sheets[i]->zh) == 0) return EXIT_OK;
        allowed = cli_format(cli, "%s%s%s (%s)", allowed ? allowed : "", allowed ? ", " : "",
                             sheets[i]->name, sheets[i]->zh);
    }
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("there is no sheet \"%s\""), text), NULL,
                     allowed);
}

static int choose_period(struct exporting *x)
{
    x->period_text = cli_argument(x->cli, 1);
    x->has_period = x->period_text != NULL;
    if (!x->has_period || figure_period_parse(&x->period, x->period_text) == OK) return EXIT_OK;
    return cli_error(x->cli, EXIT_USAGE,
                     cli_format(x->cli, _("\"%s\" is no period"), x->period_text), NULL,
                     _("a year, a quarter or a month: 2022, 2022-Q3, 2022-07"));
}

/* A unit that is complained of must not learn here who complained. */
static int check_personal(struct exporting *x)
{
    const uint32_t handles = ROLE_DISPATCH | ROLE_CALLBACK | ROLE_OFFICE | ROLE_HUB | ROLE_VILLAGE;
    x->personal = cli_has(x->cli, "--personal");
    if (!x->personal || x->self->roles & handles) return EXIT_OK;
    return cli_error(x->cli, EXIT_REFUSED, _("names and phones are not written from this device"),
                     _("a handling unit does not get the names of those who complained"),
                     _("without --personal the sheet is written"));
}

static void write_titles(struct exporting *x)
{
    buf_append_text(&x->csv, CSV_MARK);
    for (size_t i = 0; i < x->column_count; i++)
        export_cell(x, slice_of_text(i18n_is_chinese() ? x->columns[i].zh : x->columns[i].en));
    x->rows = 0;
}

static int write_file(struct exporting *x, const char *path)
{
    bool over = cli_has(x->cli, "--force");
    enum err e = x->csv.err ? x->csv.err
                 : over     ? file_replace(path, buf_slice(&x->csv), 0600)
                            : file_create(path, buf_slice(&x->csv), 0600);
    const char *what = cli_format(x->cli, _("\"%s\" was not written"), path);
    if (e == ERR_EXISTS)
        return cli_error(x->cli, EXIT_REFUSED, what, _("there is a file of this name already"),
                         _("name another file, or --force to write over it"));
    return e ? cli_fail(x->cli, e, what) : EXIT_OK;
}

static int told(const struct exporting *x, const struct export_sheet *sheet, const char *path)
{
    if (x->personal)
        output_note(x->cli, "%s",
                    _("it holds residents' names and phones: only who handles them may see it; do "
                      "not send it on, delete it when it is no longer needed"));
    if (!x->cli->json) {
        output_line(x->cli, _("%zu rows written to %s"), x->rows, path);
        return EXIT_OK;
    }
    json_t *o = output_json("sidan.export/1");
    json_object_set_new(o, "sheet", json_string(sheet->name));
    json_object_set_new(o, "file", json_string(path));
    json_object_set_new(o, "rows", json_integer((json_int_t)x->rows));
    json_object_set_new(o, "personal", json_boolean(x->personal));
    return output_json_end(o);
}

static int export(struct exporting *x, const struct export_sheet *sheet, const char *path)
{
    const char *village = cli_flag(x->cli, "--village");
    int code = cli_roster(x->cli, x->txn, &x->roster);
    if (!code) code = cli_self(x->cli, x->roster, &x->self);
    if (!code && sheet->accusations) code = accusation_may_list(x->cli, x->self);
    if (!code && village) code = lookup_village(x->cli, x->roster, village, &x->village);
    if (!code && !device_is_township(x->self)) {
        const struct village *own = roster_village(x->roster, x->self->village);
        if (x->village && x->village != own)
            return cli_error(
                x->cli, EXIT_NOT_FOUND,
                cli_format(x->cli, _("the records of %s are not here"), x->village->name),
                _("a village holds its own records only"), NULL);
        x->village = own;
    }
    if (!code) code = check_personal(x);
    if (code) return code;
    x->columns = sheet->columns;
    x->column_count = sheet->column_count;
    write_titles(x);
    enum err e = sheet->add(x);
    if (!e) e = x->err;
    if (e) return cli_fail(x->cli, e, _("the records cannot be read"));
    code = write_file(x, path);
    return code ? code : told(x, sheet, path);
}

int cmd_export(struct cli *cli)
{
    struct exporting x = {.cli = cli, .csv = {.size_max = SIZE_MAX / 2}};
    const struct export_sheet *sheet;
    const char *path = cli_flag(cli, "-o");
    int code = choose_sheet(cli, &sheet);
    if (!code) code = choose_period(&x);
    if (!code && !path)
        code = cli_error(cli, EXIT_USAGE, _("no file was named"), NULL,
                         _("sidan export WHAT -o FILE"));
    if (!code) code = cli_begin(cli, &x.txn);
    if (code) return code;
    code = export(&x, sheet, path);
    txn_abort(x.txn);
    buf_clear(&x.csv);
    return code;
}
