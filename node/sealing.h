#pragma once
/*
 * What a village records for the township's office alone: a draft becomes that of a `sealed` event
 * (SPEC 19), which holds it where this device cannot read it again.
 */
#include "node/recorder.h"

struct sealing {
    struct draft draft; /* of the `sealed` event; borrows `box` */
    struct buf box;
};
/* `draft` is whole, as if it were recorded in the open, with any number: the township gives its
 * own. `time`: HLC of the recording. Errors: ERR_RANGE, ERR_LIMIT (too long to be sealed), both
 * with *problem; ERR_MALFORMED, ERR_NOMEM. sealing_clear in any case. */
MUST_CHECK enum err sealing_make(struct sealing *out, const struct draft *draft,
                                 const struct box_key *office, uint64_t time,
                                 struct kind_problem *problem);
void sealing_clear(struct sealing *s);

/* The time of a sealed event that is recorded at `time`: its day, and no more. */
uint64_t sealing_day(uint64_t time);
