#pragma once
/* `sidan sync --dry-run`: what the next contact would carry. */
#include "tools/contact.h"

/* Keys, store and views must be open, for reading at least. */
int sync_rehearsal(struct cli *cli, const struct contact_target *target);
