#include "tools/command_flags.h"
#include "tools/commands.h"

#include "common/time.h"
#include "node/views/body.h"
#include "node/views/ledger.h"
#include "node/views/person.h"
#include "tools/lookup.h"
#include "tools/lookup_typed.h"
#include "tools/masking.h"
#include "tools/output.h"
#include "tools/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct flag volunteer_flags[] = {
    VALUE("--village", "VILLAGE", N_("only this village's")),
    VALUE("--state", "STATE", N_("only those in this state; all: every one")),
    SWITCH("--personal", N_("names and phones in full, in files too")),
    END,
};

/* --- what is listed of one ----------------------------------------------------------------- */

struct volunteer {
    const struct thing *thing;
    struct person person; /* as it may be shown */
    const char *village;  /* code */
    const char *team;
    const char *categories, *consents; /* with blanks between */
    uint32_t minutes;                  /* verified, this year */
};

struct listing {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    struct ledger *ledger;
    bool personal, all_states;
    const char *state;
    struct buf entries; /* struct entry */
    struct table table;
    struct output_list list;
};

static const char *words_of_list(struct listing *l, struct slice fields, const char *key)
{
    size_t count;
    struct mp_reader items = body_rows(fields, key, &count);
    const char *words = "";
    for (size_t i = 0; i < count; i++)
        words = cli_format(l->cli, "%s%s%s", words, i ? " " : "",
                           words_choice(l->cli, "category", mp_read_str(&items, SIZE_MAX)));
    return words;
}

static const char *const purposes[] = {"card", "rank", "letter", "photo"};
enum { PURPOSES = sizeof purposes / sizeof purposes[0] };

static const char *consent_words(struct listing *l, const struct thing *thing)
{
    const char *words = "";
    for (size_t i = 0; i < PURPOSES; i++)
        if (person_consents(thing, purposes[i]))
            words = cli_format(l->cli, "%s%s%s", words, *words ? " " : "",
                               words_choice(l->cli, "purpose", slice_of_text(purposes[i])));
    return words;
}

static const char *team_words(struct listing *l, const struct thing *thing)
{
    struct thing_id id;
    struct thing team;
    struct slice named = body_bin(thing->fields, "team");
    if (named.size != sizeof id.bytes) return "";
    memcpy(id.bytes, named.data, sizeof id.bytes);
    if (!thing_of_id(l->txn, THING_TEAM, &id, &team)) return "";
    return output_text(l->cli, body_text(team.fields, "name"));
}

static void read_volunteer(struct listing *l, const struct thing *thing, struct volunteer *out)
{
    struct scope_row scope;
    const struct ledger_person *p = ledger_person_of(l->ledger, &thing->key.thing);
    *out = (struct volunteer){.thing = thing, .village = ""};
    /* A damaged record is named by `verify`; whoever stands in it has no name here. */
    if (person_read(l->cli->views, l->txn, &thing->key, &out->person) != OK)
        memset(&out->person, 0, sizeof out->person);
    if (scope_get(l->txn, thing->key.scope_number, &scope))
        out->village = cli_format(l->cli, "%s", scope_village(&scope.scope));
    out->team = team_words(l, thing);
    out->categories = words_of_list(l, thing->fields, "categories");
    out->consents = consent_words(l, thing);
    out->minutes = p ? p->minutes : 0;
}

/* --- columns: a screen has fewer, a file leaves out who somebody is unless it is asked for -------
 */

enum { SCREEN = 1, IN_FILE = 2, PERSONAL = 4 };

static struct slice number_of(const struct volunteer *v)
{
    return body_text(v->thing->fields, "number");
}

static const char *state_of(const struct thing *thing)
{
    return i18n_is_chinese() ? thing_state_zh(THING_VOLUNTEER, thing->state)
                             : thing_state_name(THING_VOLUNTEER, thing->state);
}

static void number_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, number_of(v));
}
static void name_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, slice_of_text(v->person.name));
}
static void phone_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, slice_of_text(masking_phone(l->cli, v->person.phone, l->personal)));
}
static void skills_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, slice_of_text(v->person.skills));
}
static void village_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, slice_of_text(lookup_village_name(l->roster, v->village)));
}
static void team_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, slice_of_text(v->team));
}
static void state_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, slice_of_text(state_of(v->thing)));
}
static void joined_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, body_text(v->thing->fields, "joined"));
}
static void categories_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, slice_of_text(v->categories));
}
static void consents_cell(struct listing *l, const struct volunteer *v)
{
    table_cell(&l->table, slice_of_text(v->consents));
}
/* 1.5: hours of this year, to the tenth, never up. */
static void hours_cell(struct listing *l, const struct volunteer *v)
{
    table_cellf(&l->table, "%" PRIu32 ".%" PRIu32, v->minutes / 60, v->minutes % 60 / 6);
}

static const struct column {
    struct table_column column;
    unsigned where;
    void (*cell)(struct listing *l, const struct volunteer *v);
} columns[] = {
    {{N_("number"), false, 9}, SCREEN | IN_FILE, number_cell},
    {{N_("full name"), false, 6}, SCREEN | IN_FILE | PERSONAL, name_cell},
    {{N_("phone"), false, 11}, SCREEN | IN_FILE | PERSONAL, phone_cell},
    {{N_("skills"), false, 0}, IN_FILE | PERSONAL, skills_cell},
    {{N_("village"), false, 6}, SCREEN | IN_FILE, village_cell},
    {{N_("team"), false, 0}, SCREEN | IN_FILE, team_cell},
    {{N_("state"), false, 4}, IN_FILE, state_cell},
    {{N_("joined on"), false, 10}, IN_FILE, joined_cell},
    {{N_("hours this year"), true, 4}, SCREEN | IN_FILE, hours_cell},
    {{N_("agreed to"), false, 0}, SCREEN | IN_FILE, consents_cell},
    {{N_("kinds of service"), false, 0}, SCREEN | IN_FILE, categories_cell},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static bool is_shown(const struct listing *l, const struct column *c)
{
    if (!l->cli->csv) return c->where & SCREEN;
    return c->where & IN_FILE && (l->personal || !(c->where & PERSONAL));
}

static void begin_table(struct listing *l, struct table_column shown[COLUMNS])
{
    size_t count = 0;
    for (size_t i = 0; i < COLUMNS; i++)
        if (is_shown(l, &columns[i])) shown[count++] = columns[i].column;
    table_begin(&l->table, l->cli, shown, count);
}

static json_t *to_json(struct listing *l, const struct volunteer *v)
{
    json_t *o = json_object(), *consents = json_array();
    const struct thing_key *key = &v->thing->key;
    for (size_t i = 0; i < PURPOSES; i++)
        if (person_consents(v->thing, purposes[i]))
            json_array_append_new(consents, json_string(purposes[i]));
    json_object_set_new(o, "id", output_json_hex(key->thing.bytes, sizeof key->thing.bytes));
    json_object_set_new(o, "no", output_json_text(number_of(v)));
    json_object_set_new(o, "name", output_json_text(slice_of_text(v->person.name)));
    json_object_set_new(o, "phone",
                        json_string(masking_phone(l->cli, v->person.phone, l->personal)));
    if (l->personal)
        json_object_set_new(o, "skills", output_json_text(slice_of_text(v->person.skills)));
    json_object_set_new(o, "village", json_string(v->village));
    json_object_set_new(o, "team", json_string(v->team));
    json_object_set_new(o, "state",
                        json_string(thing_state_name(THING_VOLUNTEER, v->thing->state)));
    json_object_set_new(o, "joined", output_json_text(body_text(v->thing->fields, "joined")));
    json_object_set_new(o, "categories", json_string(v->categories));
    json_object_set_new(o, "consents", consents);
    json_object_set_new(o, "minutes", json_integer((json_int_t)v->minutes));
    return o;
}

static void show(struct listing *l, const struct thing *thing)
{
    struct volunteer v;
    read_volunteer(l, thing, &v);
    if (l->cli->json) {
        output_list_item(&l->list, to_json(l, &v));
        return;
    }
    for (size_t i = 0; i < COLUMNS; i++)
        if (is_shown(l, &columns[i])) columns[i].cell(l, &v);
}

/* --- in the order of their numbers, village after village ------------------------------------- */

struct entry {
    char number[PERSON_NUMBER_SIZE];
    struct thing_key key;
};

static bool gather(void *state, const struct thing *thing)
{
    struct listing *l = state;
    struct entry entry = {.key = thing->key};
    const char *stands = thing_state_name(THING_VOLUNTEER, thing->state);
    struct slice number = body_text(thing->fields, "number");
    if (!l->all_states && strcmp(stands, l->state) != 0) return true;
    if (number.size && number.size < sizeof entry.number)
        memcpy(entry.number, number.data, number.size);
    buf_append(&l->entries, &entry, sizeof entry);
    return true;
}

static int by_number(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->key.scope_number != y->key.scope_number)
        return x->key.scope_number < y->key.scope_number ? -1 : 1;
    int order = strcmp(x->number, y->number);
    return order ? order : thing_id_compare(&x->key.thing, &y->key.thing);
}

static MUST_CHECK enum err show_all(struct listing *l, uint32_t scope_number)
{
    struct thing thing;
    enum err e = things_each(l->txn, THING_VOLUNTEER, scope_number, gather, l);
    if (!e) e = l->entries.err;
    size_t count = l->entries.size / sizeof(struct entry);
    struct entry *entries = (struct entry *)(void *)l->entries.data;
    if (!e && count) qsort(entries, count, sizeof *entries, by_number);
    for (size_t i = 0; i < count && !e; i++) {
        e = thing_get(l->txn, THING_VOLUNTEER, &entries[i].key, &thing);
        if (!e) show(l, &thing);
    }
    buf_clear(&l->entries);
    return e;
}

/* Those in service, unless another state (or all) is asked for. */
static int parse_state(struct listing *l)
{
    const char *text = cli_flag(l->cli, "--state"), *allowed = "all", *name;
    l->state = "active";
    l->all_states = text && (strcmp(text, "all") == 0 || strcmp(text, "全部") == 0);
    if (!text || l->all_states) return EXIT_OK;
    for (unsigned i = 0; strcmp(name = thing_state_name(THING_VOLUNTEER, i), "?") != 0; i++) {
        const char *zh = thing_state_zh(THING_VOLUNTEER, i);
        if (strcmp(text, name) == 0 || strcmp(text, zh) == 0) {
            l->state = name;
            return EXIT_OK;
        }
        allowed = cli_format(l->cli, "%s, %s (%s)", allowed, name, zh);
    }
    return cli_error(l->cli, EXIT_USAGE, cli_format(l->cli, _("there is no state \"%s\""), text),
                     NULL, allowed);
}

static int list(struct listing *l)
{
    uint32_t scope_number;
    bool none;
    struct table_column shown[COLUMNS];
    uint32_t today = time_day(cli_now_ms(l->txn));
    int code = cli_roster(l->cli, l->txn, &l->roster);
    if (!code) code = parse_state(l);
    if (!code) code = lookup_village_flag(l->cli, l->txn, l->roster, &scope_number, &none);
    if (code) return code;
    enum err e = ledger_load(&l->ledger, l->txn, time_day_date(today).year, today);
    if (e) return cli_fail(l->cli, e, _("the hours cannot be counted"));
    if (l->cli->json)
        output_list_begin(&l->list, output_json("sidan.volunteers/1"), "volunteers");
    else
        begin_table(l, shown);
    if (!none) e = show_all(l, scope_number);
    code = l->cli->json ? output_list_end(&l->list) : table_end(&l->table);
    ledger_free(l->ledger);
    return e ? cli_fail(l->cli, e, _("the list is not complete")) : code;
}

int cmd_volunteers(struct cli *cli)
{
    struct listing l = {.cli = cli, .personal = cli_has(cli, "--personal")};
    int code = cli_begin(cli, &l.txn);
    if (code) return code;
    code = list(&l);
    txn_abort(l.txn);
    return code;
}
