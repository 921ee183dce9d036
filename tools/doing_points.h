#pragma once
/* What acts about honours, recommendations and public lists take from the account of points. */
#include "tools/doing.h"

/* The default of a field that the account knows (ACT_DEFAULT_LEDGER). Refuses a rank of an account
 * that is not final; the name that is published is whole only with the person's consent. */
int doing_points_default(struct doing *d, const struct field *f, const char **out);
/* How many verified activities a recommendation stands on, as the recorder's transaction has them;
 * refused with fewer than LEDGER_ACTIVITIES_MIN. */
int doing_points_fill_in(struct doing *d, struct txn *t);
