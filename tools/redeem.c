#include "tools/redeem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/time.h"
#include "node/office/money.h"

enum { PREFIX_MIN = 6, YEAR_DIGITS = 4 };

const char *redeem_money(struct cli *cli, int64_t fen)
{
    char text[MONEY_TEXT_SIZE];
    money_format(text, fen);
    return cli_format(cli, "%s", text);
}

static bool is_named(const struct redemption *run, const char *text)
{
    char hex[sizeof run->key.thing.bytes * 2 + 1];
    size_t size = strlen(text);
    if (size == YEAR_DIGITS) return run->year == strtoul(text, NULL, 10);
    hex_encode(hex, run->key.thing.bytes, sizeof run->key.thing.bytes);
    if (size < PREFIX_MIN || size >= sizeof hex) return false;
    for (size_t i = 0; i < size; i++)
        if (hex[i] != tolower((unsigned char)text[i])) return false;
    return true;
}

int redeem_find(struct cli *cli, const struct redemptions *runs, const char *text, bool any,
                const struct redemption **run)
{
    size_t found = 0;
    *run = text ? NULL : redemptions_open(runs);
    if (!text && !*run && any && runs->count) *run = &runs->runs[runs->count - 1];
    for (size_t i = 0; text && i < runs->count; i++)
        if (is_named(&runs->runs[i], text)) {
            *run = &runs->runs[i];
            found++;
        }
    if (found > 1)
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("\"%s\" names several runs"), text),
                         NULL, _("give more of its id; sidan redeem show YEAR prints one"));
    if (*run) return EXIT_OK;
    return cli_error(cli, EXIT_NOT_FOUND,
                     text ? cli_format(cli, _("there is no redemption run \"%s\""), text)
                          : _("no redemption run is open"),
                     NULL, _("sidan redeem open YEAR --pool AMOUNT opens one"));
}

int redeem_rule(struct cli *cli, struct txn *txn, uint32_t day, const struct redemption *run,
                uint32_t *ver, struct redeem_options *out)
{
    const struct rules *rules;
    const char *what = _("nothing was recorded");
    enum err e = views_rules(cli->views, txn, &rules);
    if (e) return cli_fail(cli, e, what);
    const struct rule *rule = rules_at(rules, RULE_REDEEM, run ? time_day(run->opened_ms) : day);
    if (!rule || (run && rule->ver != run->rules))
        return cli_error(cli, EXIT_REFUSED, what,
                         run ? _("the rule by which the run was opened is not here")
                             : _("no rule for redemption is in force"),
                         _("sidan rule put publishes one"));
    if (redeem_read(out, rule->fields))
        return cli_error(
            cli, EXIT_REFUSED, what,
            cli_format(cli, _("the rule of version %u cannot be applied"), (unsigned)rule->ver),
            _("sidan rule put publishes another"));
    *ver = rule->ver;
    return EXIT_OK;
}
