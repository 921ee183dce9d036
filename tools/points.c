#include "tools/points.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/time.h"
#include "node/views/person.h"
#include "tools/lookup.h"

enum { YEAR_MIN = 2000, YEAR_MAX = 2999, ID_DIGITS = 16 };

int points_year(struct cli *cli, const char *text, uint64_t now_ms, uint32_t *out)
{
    char *end;
    if (!text) {
        *out = time_year(now_ms);
        return EXIT_OK;
    }
    unsigned long year = strtoul(text, &end, 10);
    if (*end && strcmp(end, "年") != 0) year = 0;
    if (year < YEAR_MIN || year > YEAR_MAX)
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" is no year"), text),
                         _("the account of points is that of one year"),
                         _("write it in four digits: 2022"));
    *out = (uint32_t)year;
    return EXIT_OK;
}

int points_begin(struct points *p, struct cli *cli, struct txn *txn, const char *year)
{
    *p = (struct points){.cli = cli, .txn = txn, .own_txn = !txn};
    int code = txn ? EXIT_OK : cli_begin(cli, &p->txn);
    if (code) {
        p->txn = NULL;
        return code;
    }
    code = cli_roster(cli, p->txn, &p->roster);
    if (!code) code = cli_self(cli, p->roster, &p->self);
    p->now_ms = cli_now_ms(p->txn);
    if (!code) code = points_year(cli, year, p->now_ms, &p->year);
    if (code) return code;
    enum err e = ledger_load(&p->ledger, p->txn, p->year, time_day(p->now_ms));
    return e ? cli_fail(cli, e, _("the account of points cannot be read")) : EXIT_OK;
}

void points_end(struct points *p)
{
    ledger_free(p->ledger);
    p->ledger = NULL;
    if (p->own_txn) txn_abort(p->txn);
    p->txn = NULL;
}

int points_village(const struct points *p, const char *text, const char **code)
{
    const struct village *village;
    *code = p->self->village[0] ? p->self->village : NULL;
    if (!text) return EXIT_OK;
    int exit_code = lookup_village(p->cli, p->roster, text, &village);
    if (!exit_code) *code = village->code;
    return exit_code;
}

/* --- figures ------------------------------------------------------------------------------ */

void points_format(char out[POINTS_TEXT_SIZE], int64_t tenths)
{
    uint64_t size = tenths < 0 ? 0 - (uint64_t)tenths : (uint64_t)tenths;
    snprintf(out, POINTS_TEXT_SIZE, "%s%" PRIu64 ".%u", tenths < 0 ? "-" : "", size / 10,
             (unsigned)(size % 10));
}

const char *points_text(struct cli *cli, int64_t tenths)
{
    char text[POINTS_TEXT_SIZE];
    points_format(text, tenths);
    return cli_format(cli, "%s", text);
}

const char *points_hours(struct cli *cli, uint32_t minutes)
{
    return cli_format(cli, "%" PRIu32 ".%" PRIu32, minutes / 60, minutes % 60 / 6);
}

/* --- people and things --------------------------------------------------------------------- */

const char *points_name(const struct points *p, const struct ledger_person *person, bool whole)
{
    struct cli *cli = p->cli;
    char name[PERSON_NAME_SIZE];
    bool own_screen = !device_is_township(p->self) && !cli->csv && !cli->json;
    if (!person->key.scope_number || !person_name(cli->views, p->txn, &person->key, name))
        return "?";
    if (whole || own_screen || person->may_name) return output_text(cli, slice_of_text(name));
    struct buf masked = {0};
    text_mask_name(&masked, slice_of_text(name));
    const char *text = output_text(cli, buf_slice(&masked));
    buf_clear(&masked);
    return text;
}

const char *points_id(struct cli *cli, const struct thing_id *id)
{
    char hex[sizeof id->bytes * 2 + 1];
    hex_encode(hex, id->bytes, sizeof id->bytes);
    return cli_format(cli, "%.*s", ID_DIGITS, hex);
}

const char *points_number(struct cli *cli, const struct ledger_person *person)
{
    return person->number[0] ? cli_format(cli, "%s", person->number)
                             : points_id(cli, &person->key.thing);
}

const char *points_state(enum ledger_state state)
{
    return i18n_is_chinese() ? ledger_state_zh(state) : ledger_state_name(state);
}

void points_describe(json_t *o, const struct points *p, const struct ledger_person *person)
{
    json_object_set_new(o, "person",
                        output_json_hex(person->key.thing.bytes, sizeof person->key.thing.bytes));
    json_object_set_new(o, "number", json_string(person->number));
    json_object_set_new(o, "name", json_string(points_name(p, person, false)));
    json_object_set_new(o, "village", json_string(person->village));
}
