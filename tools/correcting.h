#pragma once
/* correct.entry as a clerk says it: which record by its number in `sidan show`, which field by its
 * name in either language, the new value as that field takes it. */
#include "tools/doing.h"

/* Puts all fields of the act, asking for them where d->asking. */
int correcting_put(struct doing *d);
