#pragma once
/* What is told when a sync went well, by whichever way. */
#include "tools/cli.h"

/* What a contact brought, however it was made. */
struct sync_outcome {
    uint64_t sent, unsent, received, bytes, ms;
    size_t column; /* of the screen that the steps reach */
};
int sync_report(struct cli *cli, const struct sync_outcome *o);
