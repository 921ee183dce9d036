#include "tools/commands.h"
#include "tools/help.h"

#include <string.h>

/* All rows of one verb: `help config` explains both "config get" and "config set". */
static bool is_named(const struct command *c, const char *verb, const char *object)
{
    size_t size = strlen(verb);
    if (strcmp(c->name, verb) == 0 || (c->zh && strcmp(c->zh, verb) == 0)) return true;
    if (strncmp(c->name, verb, size) != 0 || c->name[size] != ' ') return false;
    return !object || strcmp(c->name + size + 1, object) == 0;
}

int cmd_help(struct cli *cli)
{
    const char *verb = cli_argument(cli, 0);
    if (!verb) return help_all(cli);
    int code = EXIT_NOT_FOUND;
    for (const struct command *c = commands; c->name; c++)
        if (is_named(c, verb, cli_argument(cli, 1))) code = help_command(cli, c);
    if (code)
        cli_error(cli, EXIT_NOT_FOUND, cli_format(cli, _("there is no command \"%s\""), verb), NULL,
                  _("sidan help lists the commands"));
    return code;
}
