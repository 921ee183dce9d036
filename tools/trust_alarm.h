#pragma once
/* What is wrong with who signs for the township, in words: `status` and `doctor` of every node. */
#include "node/views/roster_alarm.h"
#include "tools/cli.h"

#define TRUST_ALARMS_MAX 3
struct trust_alarm {
    const char *code; /* for scripts */
    const char *what, *todo;
};
/* Exit code; *count of them. */
int trust_alarms(struct cli *cli, struct txn *txn, struct trust_alarm out[TRUST_ALARMS_MAX],
                 size_t *count);
