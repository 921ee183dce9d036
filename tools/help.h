#pragma once
/* Help, the manual and completion from the one table of commands. */
#include "tools/cli.h"

/* All verbs by group. */
int help_all(struct cli *cli);
/* One verb with its flags. */
int help_command(struct cli *cli, const struct command *command);
