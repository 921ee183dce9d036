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
    bool refused; /* of bundle_refuse */
};
/* Of one that is noted already, what is new: that it was taken in takes the place of a refusal, and
 * nothing else changes. */
void bundle_note(struct txn *t, const struct bundle_id *id, const struct bundle_noted *n);
bool bundle_noted(struct txn *t, const struct bundle_id *id, struct bundle_noted *out);

/* Of one that is carried here: this device has no use for it. Another may have: of a village's two
 * devices one has the key. */
void bundle_refuse(struct txn *t, const struct bundle_id *id, const struct sign_key *device,
                   uint64_t wall_ms);
bool bundle_refused_by(struct txn *t, const struct bundle_id *id, const struct sign_key *device);
