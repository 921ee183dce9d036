#pragma once
/* What stands aside of a device that was revoked, for who decides about it. */
#include "tools/cli.h"

/* How many events of this device stand aside here. */
uint64_t aside_of(struct txn *t, const struct roster *roster, const struct device *device);
