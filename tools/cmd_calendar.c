#include "tools/commands.h"
#include "tools/defaults.h"
#include "tools/publishing.h"

#include "common/csv.h"
#include "common/file.h"
#include "common/time.h"
#include "node/views/body.h"

#include <stdlib.h>
#include <string.h>

enum { DAYS_MAX = 400, COLUMN_COUNT = 3 }; /* the table of kinds allows fewer */

struct exception {
    uint32_t day;
    bool off;
    char name[33];
};

/* A year's days as they are read. */
struct notice {
    struct cli *cli;
    const char *path;
    struct exception days[DAYS_MAX];
    size_t count;
    uint32_t year;
    size_t at[COLUMN_COUNT]; /* cell of each column, from the header */
    bool has_header;
    int code;
};

static const struct {
    const char *name, *words[3];
} columns[COLUMN_COUNT] = {
    {"date", {"日期", NULL, NULL}},
    {"name", {"名称", "节日", NULL}},
    {"off", {"放假", "isOffDay", "是否放假"}},
};

static bool refuse(struct notice *n, const char *why)
{
    n->code = cli_error(n->cli, EXIT_USAGE, cli_format(n->cli, _("%s cannot be used"), n->path),
                        why, _("columns: date,name,off (1: no work, 0: a day made up for)"));
    return false;
}

static bool take_day(struct notice *n, struct slice date, struct slice name, bool off)
{
    struct exception *e = &n->days[n->count];
    if (time_parse_day(&e->day, date) != OK) {
        return refuse(n, cli_format(n->cli, _("\"%s\" is no day"), output_text(n->cli, date)));
    }
    if (name.size == 0 || name.size >= sizeof e->name) {
        return refuse(n, _("a name is missing or too long"));
    }
    /* Day 0 was a Thursday. */
    if (!off && (e->day + 3) % 7 < 5) {
        return refuse(n, cli_format(n->cli, _("%s is worked on anyway: it is no day made up for"),
                                    output_text(n->cli, date)));
    }
    if (n->count + 1 == DAYS_MAX) {
        return refuse(n, _("a year has fewer days of this kind"));
    }
    memcpy(e->name, name.data, name.size);
    e->name[name.size] = '\0';
    e->off = off;
    n->count++;
    return true;
}

/* --- CSV --- */

static bool is_column(struct slice cell, size_t c)
{
    bool is = slice_is_text(cell, columns[c].name);
    for (size_t w = 0; w < 3 && columns[c].words[w] != NULL; w++) {
        is = is || slice_is_text(cell, columns[c].words[w]);
    }
    return is;
}

static bool read_header(struct notice *n, const struct csv_row *row)
{
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        size_t at = 0;
        while (at < row->count && !is_column(row->cells[at], c)) {
            at++;
        }
        if (at == row->count) {
            return refuse(n, cli_format(n->cli, _("there is no column \"%s\""), columns[c].name));
        }
        n->at[c] = at;
    }
    n->has_header = true;
    return true;
}

static bool off_of(struct slice text, bool *off)
{
    static const char *const words[2][5] = {{"0", "no", "false", "否", "班"},
                                            {"1", "yes", "true", "是", "休"}};
    for (size_t i = 0; i < 10; i++) {
        if (slice_is_text(text, words[i / 5][i % 5])) {
            *off = i >= 5;
            return true;
        }
    }
    return false;
}

static bool read_row(void *state, const struct csv_row *row, enum err err)
{
    struct notice *n = state;
    struct slice cells[COLUMN_COUNT];
    bool off;
    if (err != OK) {
        return refuse(n, cli_err_text(err));
    }
    if (!n->has_header) {
        return read_header(n, row);
    }
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        cells[c] = n->at[c] < row->count ? row->cells[n->at[c]] : SLICE_EMPTY;
    }
    if (!off_of(cells[2], &off)) {
        return refuse(n, cli_format(n->cli, _("off is neither 1 nor 0 in line %llu"),
                                    (unsigned long long)row->line));
    }
    return take_day(n, cells[0], cells[1], off);
}

static void read_csv(struct notice *n)
{
    struct buf file = {0};
    enum err e = file_read(&file, n->path, PUBLISHING_FILE_SIZE_MAX);
    if (e == OK) {
        e = csv_read(buf_slice(&file), read_row, n);
    }
    if (e != OK && n->code == EXIT_OK) {
        n->code = cli_fail(n->cli, e, cli_format(n->cli, _("%s cannot be read"), n->path));
    }
    buf_clear(&file);
}

/* --- JSON: {"days": [{"date", "name", "isOffDay" or "off"}]}, as published, or rows --- */

static bool read_json_day(struct notice *n, json_t *day)
{
    bool row = json_is_array(day);
    json_t *date = row ? json_array_get(day, 0) : json_object_get(day, "date");
    json_t *name = row ? json_array_get(day, 2) : json_object_get(day, "name");
    json_t *off = row ? json_array_get(day, 1) : json_object_get(day, "isOffDay");
    if (off == NULL) {
        off = json_object_get(day, "off");
    }
    if (!json_is_string(date) || !json_is_string(name) || !json_is_boolean(off)) {
        return refuse(n, _("a day lacks date, name or isOffDay"));
    }
    return take_day(n, slice_of_text(json_string_value(date)),
                    slice_of_text(json_string_value(name)), json_is_true(off));
}

static void read_json(struct notice *n)
{
    json_t *object = NULL, *day;
    size_t i;
    n->code = publishing_read_json(n->cli, n->path, &object);
    json_t *days = json_object_get(object, "days");
    if (n->code == EXIT_OK && !json_is_array(days)) {
        refuse(n, _("there is no list of days"));
    }
    json_array_foreach(days, i, day)
    {
        if (!read_json_day(n, day)) {
            break;
        }
    }
    json_decref(object);
}

/* --- put --- */

static int by_day(const void *x, const void *y)
{
    const struct exception *a = x, *b = y;
    return (a->day > b->day) - (a->day < b->day);
}

/* The year that the days are of: a notice may begin in the December before. */
static bool settle_year(struct notice *n)
{
    if (n->count == 0) {
        return refuse(n, _("it names no day"));
    }
    qsort(n->days, n->count, sizeof n->days[0], by_day);
    n->year = time_day_date(n->days[n->count - 1].day).year;
    struct time_date first = time_day_date(n->days[0].day);
    if (first.year != n->year && (first.year + 1 != n->year || first.month != 12)) {
        return refuse(n, cli_format(n->cli, _("it has days of %u and of %u"), first.year, n->year));
    }
    return true;
}

static void put_body(struct publishing *p, struct notice *n)
{
    struct buf source = {0};
    const char *given = cli_flag(p->cli, "--source");
    defaults_calendar_source(&source, n->year);
    publishing_put_text(p, "source", given != NULL ? given : buf_text(&source));
    publishing_put_uint(p, "year", n->year);
    struct mp_writer w = mp_map_put(&p->map, "days");
    mp_write_array(&w, n->count);
    for (size_t i = 0; i < n->count; i++) {
        char date[TIME_TEXT_SIZE];
        time_format_date(date, time_day_ms(n->days[i].day, 0));
        mp_write_array(&w, 3);
        mp_write_text(&w, date);
        mp_write_bool(&w, n->days[i].off);
        mp_write_text(&w, n->days[i].name);
    }
    buf_clear(&source);
}

static int told(struct publishing *p, const struct notice *n)
{
    size_t off = 0;
    for (size_t i = 0; i < n->count; i++) {
        off += n->days[i].off;
    }
    if (p->cli->json) {
        json_t *o = output_json("sidan.recorded/1");
        recording_describe(o, &p->recorded);
        json_object_set_new(o, "year", json_integer(n->year));
        json_object_set_new(o, "days", json_integer((json_int_t)n->count));
        return output_json_end(o);
    }
    output_line(p->cli, _("the calendar of %u: %zu days without work, %zu made up for"), n->year,
                off, n->count - off);
    output_line(p->cli,
                _("dates that were given out stay as they are; new ones are counted by it"));
    return EXIT_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static int put(struct cli *cli)
{
    struct publishing p = {0};
    struct notice n = {.cli = cli, .path = cli_argument(cli, 0)};
    int code = publishing_begin(&p, cli);
    if (code == EXIT_OK) {
        if (ends_with(n.path, ".json")) {
            read_json(&n);
        } else {
            read_csv(&n);
        }
        if (n.code == EXIT_OK) {
            settle_year(&n);
        }
        code = n.code;
    }
    if (code == EXIT_OK) {
        put_body(&p, &n);
        code = publishing_calendar(&p);
    }
    if (code == EXIT_OK) {
        code = told(&p, &n);
    }
    publishing_end(&p);
    return code;
}

/* --- show --- */

struct month {
    uint32_t days, working, provisional;
    const char *exceptions; /* as a line */
};

static uint32_t days_of(uint32_t year, uint32_t month)
{
    uint32_t first = time_day_of(year, month, 1);
    return (month == 12 ? time_day_of(year + 1, 1, 1) : time_day_of(year, month + 1, 1)) - first;
}

static struct month month_of(struct cli *cli, const struct rules *rules, uint32_t year,
                             uint32_t number)
{
    struct month m = {.days = days_of(year, number), .exceptions = ""};
    uint32_t first = time_day_of(year, number, 1);
    for (uint32_t day = first; day < first + m.days; day++) {
        bool working = calendar_is_working(&rules->calendar, day);
        bool weekday = (day + 3) % 7 < 5;
        m.working += working;
        m.provisional += !calendar_is_known(&rules->calendar, day);
        if (working != weekday) {
            m.exceptions = cli_format(cli, "%s%s%u%s", m.exceptions, *m.exceptions ? " " : "",
                                      day - first + 1, working ? _("w") : _("off"));
        }
    }
    return m;
}

static int show_table(struct cli *cli, const struct rules *rules, uint32_t year)
{
    static const struct table_column heads[] = {{N_("month"), true, 0},
                                                {N_("working days"), true, 0},
                                                {N_("other than the week says"), false, 0},
                                                {N_("note"), false, 0}};
    const struct rules_calendar *held = rules_calendar_of(rules, year);
    struct table table;
    uint32_t total = 0;
    table_begin(&table, cli, heads, sizeof heads / sizeof heads[0]);
    for (uint32_t number = 1; number <= 12; number++) {
        struct month m = month_of(cli, rules, year, number);
        total += m.working;
        table_cellf(&table, "%u", number);
        table_cellf(&table, "%u", m.working);
        table_cellf(&table, "%s", m.exceptions);
        table_cellf(&table, "%s", m.provisional > 0 ? _("provisional") : "");
    }
    int code = table_end(&table);
    output_line(cli, _("%u: %u working days"), year, total);
    if (held == NULL) {
        output_line(cli,
                    _("this year's calendar is not recorded; the State Council announces it in "
                      "the autumn before: sidan calendar put FILE"));
    } else {
        output_line(cli, _("source: %s"), output_text(cli, body_text(held->fields, "source")));
    }
    return code;
}

static json_t *days_json(const struct rules_calendar *held)
{
    size_t count;
    json_t *days = json_array();
    struct mp_reader r = body_rows(held->fields, "days", &count);
    for (size_t i = 0; i < count; i++) {
        json_t *o = json_object();
        mp_read_array(&r, 3);
        json_object_set_new(o, "date", output_json_text(mp_read_str(&r, SIZE_MAX)));
        json_object_set_new(o, "off", json_boolean(mp_read_bool(&r)));
        json_object_set_new(o, "name", output_json_text(mp_read_str(&r, SIZE_MAX)));
        json_array_append_new(days, o);
    }
    return days;
}

static int show_json(struct cli *cli, const struct rules *rules, uint32_t year)
{
    const struct rules_calendar *held = rules_calendar_of(rules, year);
    json_t *o = output_json("sidan.calendar/1"), *months = json_array();
    uint32_t total = 0;
    for (uint32_t number = 1; number <= 12; number++) {
        struct month m = month_of(cli, rules, year, number);
        json_t *month = json_object();
        total += m.working;
        json_object_set_new(month, "month", json_integer(number));
        json_object_set_new(month, "working", json_integer(m.working));
        json_object_set_new(month, "provisional", json_boolean(m.provisional > 0));
        json_array_append_new(months, month);
    }
    json_object_set_new(o, "year", json_integer(year));
    json_object_set_new(o, "known", json_boolean(held != NULL));
    json_object_set_new(o, "source",
                        held != NULL ? output_json_text(body_text(held->fields, "source"))
                                     : json_null());
    json_object_set_new(o, "working", json_integer(total));
    json_object_set_new(o, "months", months);
    json_object_set_new(o, "days", held != NULL ? days_json(held) : json_array());
    return output_json_end(o);
}

static int show_year(struct cli *cli, const struct rules *rules, uint32_t year)
{
    return cli->json ? show_json(cli, rules, year) : show_table(cli, rules, year);
}

static int show(struct cli *cli)
{
    struct txn *t;
    const struct rules *rules;
    char *end;
    const char *text = cli_argument(cli, 0);
    int code = cli_open_views(cli);
    if (code == EXIT_OK) {
        code = cli_begin(cli, &t);
    }
    if (code != EXIT_OK) {
        return code;
    }
    unsigned long year = text != NULL ? strtoul(text, &end, 10) : time_year(cli_now_ms(t));
    if (text != NULL &&
        (*end != '\0' || year < CALENDAR_YEAR_FIRST || year >= CALENDAR_YEAR_LAST)) {
        txn_abort(t);
        return cli_error(
            cli, EXIT_USAGE, cli_format(cli, _("\"%s\" is no year"), text),
            cli_format(cli, _("allowed: %u to %u"), CALENDAR_YEAR_FIRST, CALENDAR_YEAR_LAST - 1),
            NULL);
    }
    enum err e = views_rules(cli->views, t, &rules);
    code = e == OK ? show_year(cli, rules, (uint32_t)year)
                   : cli_fail(cli, e, _("the rules cannot be read"));
    txn_abort(t);
    return code;
}

int cmd_calendar(struct cli *cli)
{
    return strcmp(cli->command->name, "calendar put") == 0 ? put(cli) : show(cli);
}
