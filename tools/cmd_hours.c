#include "tools/command_flags.h"
#include "tools/commands.h"

#include "common/time.h"
#include "node/views/ledger.h"
#include "node/views/person.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct flag hours_flags[] = {
    VALUE("--village", "VILLAGE", N_("only this village's")),
    SWITCH("--personal", N_("names in files too")),
    END,
};

struct hours {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    struct ledger *ledger;
    uint32_t year;
    bool personal, has_person;
    struct thing_id person;
    const char *village; /* code; NULL: all */
    struct table table;
    struct output_list list;
    uint64_t verified, unverified; /* together */
};

/* In files a name is left out unless it is asked for. */
static const struct table_column columns[] = {
    {N_("number"), false, 9},
    {N_("village"), false, 6},
    {N_("verified"), true, 10},
    {N_("not verified"), true, 10},
    {N_("activities verified"), true, 4},
    {N_("full name"), false, 6},
};
static const struct table_column file_columns[] = {
    {N_("number"), false, 0},
    {N_("village"), false, 0},
    {N_("verified minutes"), true, 0},
    {N_("minutes not verified"), true, 0},
    {N_("activities verified"), true, 0},
    {N_("full name"), false, 0},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static bool shows_name(const struct hours *h)
{
    return !h->cli->csv || h->personal;
}

static uint32_t unverified_minutes(const struct hours *h, const struct ledger_person *p)
{
    uint32_t minutes = 0;
    for (size_t i = 0; i < p->service_count; i++) {
        const struct ledger_service *s = &h->ledger->services[p->service_at + i];
        if (!s->verified) minutes += s->minutes;
    }
    return minutes;
}

static void minutes_cell(struct hours *h, uint32_t minutes)
{
    if (h->cli->csv)
        table_cellf(&h->table, "%" PRIu32, minutes);
    else
        table_cellf(&h->table, _("%u h %u min"), (unsigned)(minutes / 60),
                    (unsigned)(minutes % 60));
}

static const char *name_of(struct hours *h, const struct ledger_person *p)
{
    char name[PERSON_NAME_SIZE];
    if (!p->key.scope_number || !person_name(h->cli->views, h->txn, &p->key, name)) return "";
    return output_text(h->cli, slice_of_text(name));
}

static void show_json(struct hours *h, const struct ledger_person *p, uint32_t unverified)
{
    json_t *o = json_object();
    const struct thing_id *id = &p->key.thing;
    json_object_set_new(o, "id", output_json_hex(id->bytes, sizeof id->bytes));
    json_object_set_new(o, "no", json_string(p->number));
    json_object_set_new(o, "name", json_string(name_of(h, p)));
    json_object_set_new(o, "village", json_string(p->village));
    json_object_set_new(o, "verified_minutes", json_integer((json_int_t)p->minutes));
    json_object_set_new(o, "unverified_minutes", json_integer((json_int_t)unverified));
    json_object_set_new(o, "activities", json_integer((json_int_t)p->activities));
    output_list_item(&h->list, o);
}

static void show_row(struct hours *h, const struct ledger_person *p, uint32_t unverified)
{
    char hex[2 * sizeof p->key.thing.bytes + 1];
    hex_encode(hex, p->key.thing.bytes, sizeof p->key.thing.bytes);
    table_cell(&h->table, slice_of_text(p->number[0] ? p->number : hex));
    table_cell(&h->table, slice_of_text(lookup_village_name(h->roster, p->village)));
    minutes_cell(h, p->minutes);
    minutes_cell(h, unverified);
    table_cellf(&h->table, "%" PRIu32, p->activities);
    if (shows_name(h)) table_cell(&h->table, slice_of_text(name_of(h, p)));
}

/* Who has served; a person who is asked for also where there is nothing. */
static void show(struct hours *h, const struct ledger_person *p)
{
    uint32_t unverified = unverified_minutes(h, p);
    bool asked = h->has_person && thing_id_equal(&h->person, &p->key.thing);
    if (h->has_person ? !asked : !p->minutes && !unverified) return;
    if (h->village && strcmp(h->village, p->village) != 0) return;
    h->verified += p->minutes;
    h->unverified += unverified;
    if (h->cli->json)
        show_json(h, p, unverified);
    else
        show_row(h, p, unverified);
}

static int end(struct hours *h)
{
    if (h->cli->json) return output_list_end(&h->list);
    int code = table_end(&h->table);
    if (!code && !h->cli->csv && !h->has_person)
        output_line(h->cli, _("%u: verified %u h %u min, not verified %u h %u min"),
                    (unsigned)h->year, (unsigned)(h->verified / 60), (unsigned)(h->verified % 60),
                    (unsigned)(h->unverified / 60), (unsigned)(h->unverified % 60));
    return code;
}

/* --- [PERSON] [YEAR] ------------------------------------------------------------------------- */

static bool is_year(const char *text)
{
    return strlen(text) == 4 && strspn(text, "0123456789") == 4 && text[0] == '2';
}

static int parse_person(struct hours *h, const char *text)
{
    struct thing_key key;
    int code = lookup_typed(h->cli, h->txn, THING_VOLUNTEER, text, &key);
    h->has_person = code == EXIT_OK;
    h->person = key.thing;
    return code;
}

static int parse(struct hours *h)
{
    const char *first = cli_argument(h->cli, 0), *second = cli_argument(h->cli, 1);
    const char *year = second ? second : first && is_year(first) ? first : NULL;
    const char *person = first && first != year ? first : NULL;
    const char *village = cli_flag(h->cli, "--village");
    const struct village *v;
    h->year = time_day_date(time_day(cli_now_ms(h->txn))).year;
    if (year && !is_year(year))
        return cli_error(h->cli, EXIT_USAGE, cli_format(h->cli, _("\"%s\" is no year"), year), NULL,
                         _("four digits, like 2026"));
    if (year) h->year = (uint32_t)strtoul(year, NULL, 10);
    int code = village ? lookup_village(h->cli, h->roster, village, &v) : EXIT_OK;
    if (!code && village) h->village = v->code;
    return !code && person ? parse_person(h, person) : code;
}

static int run(struct hours *h)
{
    int code = cli_roster(h->cli, h->txn, &h->roster);
    if (!code) code = parse(h);
    if (code) return code;
    enum err e = ledger_load(&h->ledger, h->txn, h->year, time_day(cli_now_ms(h->txn)));
    if (e) return cli_fail(h->cli, e, _("the hours cannot be counted"));
    size_t hidden = shows_name(h) ? 0 : 1;
    if (h->cli->json) {
        json_t *o = output_json("sidan.hours/1");
        json_object_set_new(o, "year", json_integer((json_int_t)h->year));
        output_list_begin(&h->list, o, "persons");
    } else {
        table_begin(&h->table, h->cli, h->cli->csv ? file_columns : columns, COLUMNS - hidden);
    }
    for (size_t i = 0; i < h->ledger->person_count; i++) show(h, &h->ledger->people[i]);
    code = end(h);
    ledger_free(h->ledger);
    return code;
}

int cmd_hours(struct cli *cli)
{
    struct hours h = {.cli = cli, .personal = cli_has(cli, "--personal")};
    int code = cli_begin(cli, &h.txn);
    if (code) return code;
    code = run(&h);
    txn_abort(h.txn);
    return code;
}
