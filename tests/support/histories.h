#pragma once
/*
 * Random histories of a township's things, made from the table of kinds: things of every type are
 * founded and acted upon by devices that know a part of what the others did, in good and in bad
 * order, by those who may and by those who may not, with good fields and bad ones.
 */
#include "tests/support/rng.h"
#include "tests/support/township.h"

/* Joins the devices that histories need besides those of township_begin (3 villages at least). */
void histories_begin(struct township *t);
/* Records one history: a founding event and up to 40 acts. */
void histories_add(struct township *t, struct rng *rng);
