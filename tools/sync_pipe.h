#pragma once
/* `sidan sync --stdio` and `sidan sync --exec COMMAND`: an exchange over any line of bytes. */
#include "tools/cli.h"

int sync_pipe(struct cli *cli);
