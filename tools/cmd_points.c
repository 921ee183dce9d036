#include "tools/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/views/person.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/points.h"

/* --- rank --------------------------------------------------------------------------------- */

static const struct table_column rank_columns[] = {
    {N_("rank"), true, 4},     {N_("name"), false, 6},      {N_("number"), false, 9},
    {N_("village"), false, 6}, {N_("points"), true, 6},     {N_("of which final"), true, 6},
    {N_("hours"), true, 5},    {N_("activities"), true, 4},
};
#define RANK_COLUMNS (sizeof rank_columns / sizeof rank_columns[0])

static int64_t settled(const struct ledger_person *person)
{
    return person->in_state[LEDGER_FINAL] + person->in_state[LEDGER_REDEEMED];
}

static json_t *rank_json(const struct points *p, const struct rank_row *row,
                         const struct ledger_person *person)
{
    json_t *o = json_object();
    json_object_set_new(o, "rank", json_integer(row->rank));
    points_describe(o, p, person);
    json_object_set_new(o, "tenths", json_integer(person->points));
    json_object_set_new(o, "final_tenths", json_integer(settled(person)));
    json_object_set_new(o, "held_tenths", json_integer(person->in_state[LEDGER_HELD]));
    json_object_set_new(o, "minutes", json_integer(person->minutes));
    json_object_set_new(o, "activities", json_integer(person->activities));
    return o;
}

static void rank_row(const struct points *p, struct table *t, const struct rank_row *row,
                     const struct ledger_person *person)
{
    table_cellf(t, "%" PRIu32, row->rank);
    table_cellf(t, "%s", points_name(p, person, false));
    table_cellf(t, "%s", points_number(p->cli, person));
    table_cellf(t, "%s", lookup_village_name(p->roster, person->village));
    table_cellf(t, "%s", points_text(p->cli, person->points));
    table_cellf(t, "%s", points_text(p->cli, settled(person)));
    table_cellf(t, "%s", points_hours(p->cli, person->minutes));
    table_cellf(t, "%" PRIu32, person->activities);
}

static const struct ledger_person *person_of(const struct points *p, const struct rank_row *row)
{
    struct thing_id id;
    memcpy(id.bytes, row->id.data, sizeof id.bytes);
    return ledger_person_of(p->ledger, &id);
}

static int print_rank(const struct points *p, const struct rank_row *rows, size_t count,
                      size_t shown, bool certificates)
{
    struct table table;
    struct output_list list = {0};
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += rows[i].value;
    if (p->cli->json) {
        json_t *o = output_json("sidan.rank/1");
        json_object_set_new(o, "year", json_integer(p->year));
        json_object_set_new(o, "people", json_integer((json_int_t)count));
        json_object_set_new(o, "tenths", json_integer(sum));
        output_list_begin(&list, o, "ranks");
        for (size_t i = 0; i < shown; i++)
            output_list_item(&list, rank_json(p, &rows[i], person_of(p, &rows[i])));
        return output_list_end(&list);
    }
    table_begin(&table, p->cli, rank_columns, RANK_COLUMNS);
    for (size_t i = 0; i < shown; i++) rank_row(p, &table, &rows[i], person_of(p, &rows[i]));
    int code = table_end(&table);
    if (p->cli->csv) return code;
    output_line(p->cli, _("%zu people, %s points together"), count, points_text(p->cli, sum));
    if (certificates)
        output_line(p->cli, "%s",
                    _("of equal points who has more hours stands first, then who began earlier"));
    return code;
}

static int rank(struct cli *cli)
{
    struct points p;
    struct rank_row *rows = NULL;
    size_t count = 0;
    uint64_t shown = UINT64_MAX;
    const char *village;
    bool certificates = cli_has(cli, "--certificates");
    int code = cli_flag_uint(cli, "-n", 1, UINT32_MAX, &shown);
    if (!code) code = cli_open_views(cli);
    if (code) return code;
    code = points_begin(&p, cli, NULL, cli_argument(cli, 0));
    if (!code) code = points_village(&p, cli_flag(cli, "--village"), &village);
    if (!code) {
        enum err e = ledger_rank(&rows, &count, p.ledger, village, certificates);
        code = e ? cli_fail(cli, e, _("the ranks cannot be made"))
                 : print_rank(&p, rows, count, shown < count ? (size_t)shown : count, certificates);
    }
    free(rows);
    points_end(&p);
    return code;
}

/* --- show --------------------------------------------------------------------------------- */

static const struct table_column ledger_columns[] = {
    {N_("service on"), false, 10}, {N_("rule"), false, 6}, {N_("points"), true, 6},
    {N_("state"), false, 6},       {N_("for"), false, 16}, {N_("sheet"), false, 16},
    {N_("entry"), true, 4},
};
#define LEDGER_COLUMNS (sizeof ledger_columns / sizeof ledger_columns[0])

/* The day of the service that an entry is for; 0 where it is not known. */
static uint32_t service_day(const struct points *p, const struct ledger_person *person,
                            const struct ledger_entry *e)
{
    for (size_t i = 0; e->has_basis && i < person->service_count; i++) {
        const struct ledger_service *s = &p->ledger->services[person->service_at + i];
        if (thing_id_equal(&s->basis, &e->basis)) return s->day;
    }
    return 0;
}

static const char *date_text(struct cli *cli, uint32_t day)
{
    char text[TIME_TEXT_SIZE];
    if (!day) return "";
    time_format_date(text, time_day_ms(day, 0));
    return cli_format(cli, "%s", text);
}

static json_t *entry_json(const struct points *p, const struct ledger_person *person,
                          const struct ledger_entry *e)
{
    json_t *o = json_object();
    const uint8_t *sheet = e->sheet.thing.bytes;
    uint32_t day = service_day(p, person, e);
    json_object_set_new(o, "sheet", output_json_hex(sheet, sizeof e->sheet.thing.bytes));
    json_object_set_new(o, "entry", json_integer(e->number));
    json_object_set_new(o, "rule", json_string(e->rule));
    json_object_set_new(o, "rules", json_integer(e->rules));
    json_object_set_new(o, "tenths", json_integer(e->points));
    json_object_set_new(o, "state", json_string(ledger_state_name(e->state)));
    json_object_set_new(o, "held", json_boolean(e->held));
    json_object_set_new(o, "upheld", json_boolean(e->upheld));
    json_object_set_new(o, "posted", output_json_time(e->posted_ms));
    json_object_set_new(o, "service",
                        e->has_basis ? output_json_hex(e->basis.bytes, sizeof e->basis.bytes)
                                     : json_null());
    json_object_set_new(o, "date", day ? json_string(date_text(p->cli, day)) : json_null());
    return o;
}

static void entry_row(const struct points *p, struct table *t, const struct ledger_person *person,
                      const struct ledger_entry *e)
{
    struct cli *cli = p->cli;
    table_colour(t, e->state == LEDGER_REVERSED ? COLOUR_DIM
                    : e->held                   ? COLOUR_YELLOW
                                                : COLOUR_NONE);
    table_cellf(t, "%s", date_text(cli, service_day(p, person, e)));
    if (e->rule[0])
        table_cellf(t, _("%s (version %u)"), e->rule, (unsigned)e->rules);
    else
        table_cellf(t, "%s", _("deducted"));
    table_cellf(t, "%s", points_text(cli, e->points));
    table_cellf(t, "%s", points_state(e->state));
    table_cellf(t, "%s", e->has_basis ? points_id(cli, &e->basis) : "");
    table_cellf(t, "%s", points_id(cli, &e->sheet.thing));
    table_cellf(t, "%" PRIu32, e->number);
}

static int show_json(const struct points *p, const struct ledger_person *person)
{
    struct output_list list = {0};
    json_t *o = output_json("sidan.points/1");
    json_object_set_new(o, "year", json_integer(p->year));
    points_describe(o, p, person);
    json_object_set_new(o, "tenths", json_integer(person->points));
    json_t *states = json_object();
    for (int s = 0; s < LEDGER_STATE_COUNT; s++)
        json_object_set_new(states, ledger_state_name((enum ledger_state)s),
                            json_integer(person->in_state[s]));
    json_object_set_new(o, "states", states);
    json_object_set_new(o, "minutes", json_integer(person->minutes));
    json_object_set_new(o, "activities", json_integer(person->activities));
    output_list_begin(&list, o, "entries");
    for (size_t i = 0; i < person->entry_count; i++)
        output_list_item(&list, entry_json(p, person, &p->ledger->entries[person->entry_at + i]));
    return output_list_end(&list);
}

static int show_table(const struct points *p, const struct ledger_person *person)
{
    struct table table;
    struct cli *cli = p->cli;
    if (!cli->csv)
        output_line(cli, _("%s %s, %s: account of %u"), points_name(p, person, false),
                    points_number(cli, person), lookup_village_name(p->roster, person->village),
                    (unsigned)p->year);
    table_begin(&table, cli, ledger_columns, LEDGER_COLUMNS);
    for (size_t i = 0; i < person->entry_count; i++)
        entry_row(p, &table, person, &p->ledger->entries[person->entry_at + i]);
    int code = table_end(&table);
    if (cli->csv) return code;
    output_line(cli, _("%s points together; verified: %s hours, %u activities"),
                points_text(cli, person->points), points_hours(cli, person->minutes),
                (unsigned)person->activities);
    for (int s = 0; s < LEDGER_STATE_COUNT; s++)
        if (person->in_state[s])
            output_line(cli, "  %s %s", points_state((enum ledger_state)s),
                        points_text(cli, person->in_state[s]));
    return code;
}

static int show(struct cli *cli)
{
    struct points p;
    struct thing_key key;
    int code = cli_open_views(cli);
    if (code) return code;
    code = points_begin(&p, cli, NULL, cli_argument(cli, 1));
    if (!code) code = lookup_typed(cli, p.txn, THING_VOLUNTEER, cli_argument(cli, 0), &key);
    if (!code) {
        const struct ledger_person *person = ledger_person_of(p.ledger, &key.thing);
        code = !person     ? cli_fail(cli, ERR_NOT_FOUND, _("there is no account of this person"))
               : cli->json ? show_json(&p, person)
                           : show_table(&p, person);
    }
    points_end(&p);
    return code;
}

int cmd_points(struct cli *cli)
{
    return strcmp(cli->command->name, "points rank") == 0 ? rank(cli) : show(cli);
}
