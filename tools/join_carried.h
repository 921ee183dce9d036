#pragma once
/* `join` without a link: the request that goes out, and the answer that comes back. Both report
 * what goes wrong and return an exit code. */
#include "tools/cli.h"

/* Writes this device's request by `invite`; keys are open and the home waits with the invite. */
int join_carried_request(struct cli *cli, const struct invite *invite);
/* Is this the text of an answer? */
bool join_carried_is_answer(struct slice text);
int join_carried_answer(struct cli *cli, const char *file, struct slice text);
