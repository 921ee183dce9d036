#pragma once
/* Where an invited device will look for this hub. */
#include "tools/cli.h"

/* Fills the invite's addresses: --hub, else the address that this hub listens on, else, where it
 * listens on all interfaces, theirs. Reports what is wrong or missing. */
int invite_addresses(struct cli *cli, struct invite *invite);
