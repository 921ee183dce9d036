#pragma once
/* What is wrong with how this home lies on the disk, in words: `doctor`. */
#include "tools/trust_alarm.h"

/* The store is open. false: nothing is. */
bool rest_alarm(struct cli *cli, struct trust_alarm *out);
