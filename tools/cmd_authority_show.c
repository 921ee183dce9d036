/* sidan authority show: whose keys signed for the township, one after the other. */
#include "tools/commands.h"
#include "tools/hint.h"
#include "tools/lookup.h"
#include "tools/output.h"
#include "tools/trust_alarm.h"

#include "node/township.h"

static const struct table_column columns[] = {
    {N_("authority"), false, 8},
    {N_("recovery sheet"), false, 8},
    {N_("state"), false, 6},
    {N_("versions"), true, 4},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

struct showing {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
};

/* Of its feeds the most heads that one has. */
static size_t versions_of(const struct showing *s, const struct authority *a)
{
    size_t most = 0;
    uint32_t feeds = feed_count(s->txn);
    struct feed_row feed;
    for (uint32_t n = 1; n <= feeds && feed_get(s->txn, n, &feed); n++) {
        if (sign_key_equal(&feed.feed.author, &a->key) && feed.head_count > most) {
            most = feed.head_count;
        }
    }
    return most;
}

static void print_row(const struct showing *s, struct table *table, const struct authority *a)
{
    char key[9], mark[9];
    bool in_force = a == roster_authority(s->roster);
    hex_encode(key, a->key.bytes, 4);
    township_recovery_mark(mark, &a->recovery);
    table_cellf(table, "%s", key);
    table_cellf(table, "%s", mark);
    table_cellf(table, "%s", in_force ? _("in force") : _("replaced"));
    table_cellf(table, "%zu", versions_of(s, a));
}

static json_t *row_of(const struct showing *s, const struct authority *a)
{
    char mark[9];
    json_t *o = json_object();
    township_recovery_mark(mark, &a->recovery);
    json_object_set_new(o, "key", output_json_hex(a->key.bytes, sizeof a->key.bytes));
    json_object_set_new(o, "mark", json_string(mark));
    json_object_set_new(o, "in_force", json_boolean(a == roster_authority(s->roster)));
    json_object_set_new(o, "versions", json_integer((json_int_t)versions_of(s, a)));
    json_object_set_new(o, "heads", json_integer((json_int_t)a->cut_count));
    return o;
}

static int show_json(const struct showing *s, const struct trust_alarm *alarms, size_t count)
{
    json_t *o = output_json("sidan.authority/1"), *all = json_array(), *codes = json_array();
    for (size_t i = 0; i < s->roster->authority_count; i++) {
        json_array_append_new(all, row_of(s, &s->roster->authorities[i]));
    }
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(codes, json_string(alarms[i].code));
    }
    json_object_set_new(
        o, "township",
        output_json_hex(s->roster->township.bytes, sizeof s->roster->township.bytes));
    json_object_set_new(o, "authorities", all);
    json_object_set_new(o, "office_keys",
                        json_integer((json_int_t)s->roster->office_earlier_count + 1));
    json_object_set_new(o, "alarms", codes);
    return output_json_end(o);
}

static int show_table(const struct showing *s, const struct trust_alarm *alarms, size_t count)
{
    struct table table;
    table_begin(&table, s->cli, columns, COLUMNS);
    for (size_t i = 0; i < s->roster->authority_count; i++) {
        print_row(s, &table, &s->roster->authorities[i]);
    }
    int code = table_end(&table);
    for (size_t i = 0; i < count && code == EXIT_OK; i++) {
        output_line(s->cli, "! %s", alarms[i].what);
        hint_line(s->cli, "   %s: %s", _("do"), alarms[i].todo);
    }
    return code;
}

int cmd_authority_show(struct cli *cli)
{
    struct showing s = {.cli = cli};
    struct trust_alarm alarms[TRUST_ALARMS_MAX];
    size_t count = 0;
    int code = cli_begin(cli, &s.txn);
    if (code != EXIT_OK) {
        return code;
    }
    code = cli_roster(cli, s.txn, &s.roster);
    if (code == EXIT_OK && !s.roster->founded) {
        code = cli_error(cli, EXIT_NOT_FOUND, _("nothing is known of the authority"),
                         _("the roster has not arrived here yet"), _("sidan sync"));
    }
    if (code == EXIT_OK) {
        code = trust_alarms(cli, s.txn, alarms, &count);
    }
    if (code == EXIT_OK) {
        code = cli->json ? show_json(&s, alarms, count) : show_table(&s, alarms, count);
    }
    txn_abort(s.txn);
    return code;
}
