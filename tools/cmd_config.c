#include "tools/commands.h"

#include "tools/lookup.h"
#include "tools/output.h"

#include <stdio.h>
#include <string.h>

static int unknown_key(struct cli *cli, const char *key)
{
    const char *keys = NULL;
    struct setting s;
    for (size_t i = 0; settings_each(i, &s); i++)
        keys = keys ? cli_format(cli, "%s, %s", keys, s.key) : s.key;
    return cli_error(cli, EXIT_NOT_FOUND, cli_format(cli, _("there is no setting \"%s\""), key),
                     NULL, keys);
}

static int get(struct cli *cli)
{
    static const struct table_column columns[] = {
        {N_("key"), false, 10},
        {N_("value"), false, 12},
        {N_("meaning"), false, 0},
    };
    const char *only = cli_argument(cli, 0);
    struct buf value = {0};
    struct setting s;
    struct table t;
    json_t *o = cli->json ? output_json("sidan.config/1") : NULL;
    bool found = false;
    table_begin(&t, cli, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; settings_each(i, &s); i++) {
        if (only && strcmp(only, s.key) != 0) continue;
        found = true;
        buf_reset(&value);
        settings_value(&cli->settings, s.key, &value);
        if (o)
            json_object_set_new(o, s.key, output_json_text(buf_slice(&value)));
        else if (only)
            printf("%s\n", output_text(cli, buf_slice(&value)));
        else {
            table_cell(&t, slice_of_text(s.key));
            table_cell(&t, buf_slice(&value));
            table_cell(&t, slice_of_text(i18n_is_chinese() ? s.zh : s.en));
        }
    }
    buf_clear(&value);
    if (!found) json_decref(o);
    if (!found) return unknown_key(cli, only);
    if (o) return output_json_end(o);
    return only ? EXIT_OK : table_end(&t);
}

/* The default person may be named; the file holds the id. */
static int actor_id(struct cli *cli, const char *text, const char **value)
{
    struct txn *txn;
    struct thing_id actor;
    char hex[33];
    int code = cli_begin(cli, &txn);
    if (code) return code;
    code = lookup_actor(cli, txn, text, &actor);
    txn_abort(txn);
    if (code) return code;
    hex_encode(hex, actor.bytes, sizeof actor.bytes);
    *value = cli_format(cli, "%s", hex);
    return EXIT_OK;
}

static int set(struct cli *cli)
{
    const char *key = cli_argument(cli, 0), *value = cli_argument(cli, 1);
    struct settings_problem problem = {0};
    bool lock = strcmp(value, "passphrase") == 0;
    if (strcmp(key, "at_rest") == 0 && (lock || strcmp(value, "keyfile") == 0 || !*value))
        return cmd_at_rest(cli, lock);
    if (strcmp(key, "actor") == 0 && *value) {
        int code = actor_id(cli, value, &value);
        if (code) return code;
    }
    enum err e = settings_set(cli->home, key, value, &problem);
    if (e == ERR_NOT_FOUND) return unknown_key(cli, key);
    if (e == ERR_RANGE)
        return cli_error(cli, EXIT_USAGE, cli_format(cli, _("%s cannot be \"%s\""), key, value),
                         problem.text[0] ? problem.text : NULL, NULL);
    if (e) return cli_fail(cli, e, cli_format(cli, _("%s was not changed"), key));
    output_line(cli, "%s = %s", key, value);
    if (home_node_running(cli->home))
        output_note(cli, "%s", _("the running node takes it at its next start"));
    return EXIT_OK;
}

int cmd_config(struct cli *cli)
{
    if (strcmp(cli->command->name, "config set") == 0) return set(cli);
    int code = cli_open_settings(cli);
    return code ? code : get(cli);
}
