#pragma once
/* Before something is signed in a store that is older than it was: the hub is asked for the rest.
 */
#include "tools/cli.h"

/* Tries for a few seconds where a hub is configured; whatever comes of it, recording goes on (F3).
 */
void catching_up(struct cli *cli);
