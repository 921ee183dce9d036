#pragma once
/* What a list shows of a person: half hidden, unless --personal asks for it (domain.md 6.1: lists
 * and files do without). */
#include "tools/cli.h"

/* "138****1234"; as it is with `personal`. Lives as long as cli. */
const char *masking_phone(struct cli *cli, const char *phone, bool personal);
