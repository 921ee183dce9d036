#pragma once
/*
 * Local rows about bundles that came in: which, when, how, and what became of each. Not replicated.
 * The newest BUNDLES_NOTED_MAX are kept.
 */
#include "node/store/store.h"
#include "proto/bundle.h"

#define BUNDLES_NOTED_MAX 4096u

enum bundle_way { BUNDLE_BY_STICK, BUNDLE_BY_COURIER, BUNDLE_BY_LINK };
struct bundle_noted {
    uint64_t wall_ms;
    enum bundle_way way;
    bool refused; /* carried here, and of no use to whom it is for: not to be offered again */
};
/* Of one that is noted already, what is new: that it was taken in takes the place of a refusal, and
 * nothing else changes. */
void bundle_note(struct txn *t, const struct bundle_id *id, const struct bundle_noted *n);
bool bundle_noted(struct txn *t, const struct bundle_id *id, struct bundle_noted *out);
