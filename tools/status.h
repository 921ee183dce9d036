#pragma once
/* The three faces of `sidan status`: JSON, the hub's table, a village's few lines. */
#include "tools/standing.h"
#include "tools/trust_alarm.h"

#include <jansson.h>

/* Takes `erasures` and `couriers`. */
int status_json(const struct standing *s, const struct village *only,
                const struct trust_alarm *alarms, size_t alarm_count, json_t *erasures,
                json_t *couriers);
int status_hub(struct cli *cli, const struct standing *s, const struct village *only);
/* What became of this device's own records: forked, or gone on in a new feed. */
void status_own_forks(struct cli *cli, const struct standing *s);
int status_village(struct cli *cli, struct txn *txn, const struct standing *s);
/* The list for today, then the few lines (tools/cmd_today.c). */
int today_village(struct cli *cli, struct txn *txn, const struct standing *s);
