#pragma once
/* The folds of the thing types: each reads f's events, marks the acts that have no effect, names
 * the state after each, and writes f->row (nothing where the thing is not founded with effect). */
#include "node/views/fold.h"

void roster_fold_township(struct fold *f);
void roster_fold_village(struct fold *f);
void roster_fold_device(struct fold *f);
void actor_fold(struct fold *f);
void request_fold(struct fold *f);
/* Of f's one event onto `row`, which was folded from all others; false: it was not. */
bool request_fold_onto(struct fold *f, struct slice row);
void sealed_fold(struct fold *f);
void thing_fold(struct fold *f); /* of all plain things */
