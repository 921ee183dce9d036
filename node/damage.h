#pragma once
/*
 * Which records a check found damaged, by arrival number: kept in meta by the daily scrub and by
 * `verify`, so doctor and status can tell without reading the whole log. A peer heals them; what is
 * whole again is forgotten.
 */
#include "node/store/audit.h"

#define DAMAGE_KEPT_MAX 64u

struct damage {
    uint64_t arrivals[DAMAGE_KEPT_MAX];
    size_t count;
};
/* Ignored: 0 (no record of its own), one that is there already, and more than DAMAGE_KEPT_MAX. */
void damage_add(struct damage *d, uint64_t arrival);
void damage_read(struct txn *t, struct damage *out);
void damage_write(struct txn *t, const struct damage *d);
/* Reads each kept record again: *out has those that are still damaged. Errors: those of audit_run.
 */
MUST_CHECK enum err damage_recheck(struct store *s, struct damage *out);
