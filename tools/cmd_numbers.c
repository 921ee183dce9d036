#include "common/time.h"
#include "node/lives.h"
#include "node/series.h"
#include "node/views/numbers.h"
#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "2026-0123": the series is a year. */
static bool is_official(const struct number *n)
{
    return strlen(n->series) == 4 && strspn(n->series, "0123456789") == 4;
}

/* The hub that gave them before has not said yet that it gives none any more; NULL: nobody. */
static const struct device *awaited(struct cli *cli, struct txn *txn)
{
    const struct roster *roster;
    size_t at = 0;
    if (views_roster(cli->views, txn, &roster)) return NULL;
    return series_state(txn, roster) == SERIES_WAITS ? series_awaited(txn, roster, &at) : NULL;
}

static int print(struct cli *cli, struct txn *txn)
{
    const struct device *before = awaited(cli, txn);
    char year[NUMBER_SERIES_SIZE_MAX + 1], number[24];
    snprintf(year, sizeof year, "%04u", (unsigned)(time_year(cli_now_ms(txn)) % 10000));
    uint64_t last = numbers_last(txn, year);
    bool wait = lives_numbers_wait(txn);
    snprintf(number, sizeof number, "%s-%04" PRIu64, year, last);
    if (cli->json) {
        json_t *o = output_json("sidan.numbers/1");
        json_object_set_new(o, "last", last ? json_string(number) : json_null());
        json_object_set_new(o, "waiting", json_boolean(wait || before));
        json_object_set_new(o, "waits_for", before ? json_string(before->name) : json_null());
        return output_json_end(o);
    }
    if (last)
        output_line(cli, _("last official number known here: %s"), number);
    else
        output_line(cli, _("no official number of %s is known here"), year);
    if (wait) {
        output_line(cli, "! %s",
                    _("none is given now: this hub was put back or copied, and others may have "
                      "been given"));
        hint_line(cli, "%s: %s", _("next"),
                  _("look for the last one on paper: sidan numbers --last NUMBER"));
    }
    if (before) {
        output_line(cli, _("! numbers wait: %s has not said yet that it gives none any more"),
                    before->name);
        hint_line(cli, _("if it will not come back: sidan numbers --last NUMBER"));
    }
    return EXIT_OK;
}

static int check(struct cli *cli, const char *text, struct number *out)
{
    *out = number_of(slice_of_text(text));
    if (is_official(out)) return EXIT_OK;
    return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" is no official number"), text),
                     _("it is a year and a number"),
                     _("like 2026-0123; 2026-0000 where none was given"));
}

/* What stands on paper may be more than is known here, never less. */
static int confirm(struct cli *cli, const struct number *number)
{
    struct txn *txn;
    struct numbers_note note = {0};
    int code = cli_open_store_writable(cli);
    if (code) return code;
    const struct roster *roster;
    enum err e = txn_begin(cli->store, true, &txn);
    if (!e && (e = views_roster(cli->views, txn, &roster))) txn_abort(txn);
    if (!e) {
        series_confirm(txn, roster);
        numbers_note(txn, &note, number);
        numbers_flush(txn, &note);
        lives_numbers_confirmed(txn);
        e = txn_commit(txn);
    }
    return e ? cli_fail(cli, e, _("the number was not kept")) : EXIT_OK;
}

static int check_hub(struct cli *cli)
{
    struct txn *txn;
    const struct roster *roster;
    int code = cli_begin(cli, &txn);
    if (code) return code;
    code = cli_roster(cli, txn, &roster);
    const struct device *hub = code ? NULL : roster_hub(roster);
    bool here = hub && sign_key_equal(&hub->first, &store_identity(cli->store)->device);
    txn_abort(txn);
    if (code || here) return code;
    return cli_error(cli, EXIT_REFUSED, _("this device gives no official numbers"),
                     hub ? cli_format(cli, _("%s gives them"), hub->name) : NULL,
                     _("type it there"));
}

int cmd_numbers(struct cli *cli)
{
    struct txn *txn;
    struct number number;
    const char *given = cli_flag(cli, "--last");
    int code = given ? check(cli, given, &number) : EXIT_OK;
    if (!code && given) code = cli_open_store_writable(cli);
    if (!code) code = check_hub(cli);
    if (!code && given) code = confirm(cli, &number);
    if (!code) code = cli_begin(cli, &txn);
    if (code) return code;
    code = print(cli, txn);
    txn_abort(txn);
    return code;
}
