#pragma once
/*
 * Volunteers as persons: their names, which stand in boxes and are joined when shown, what they
 * consented to, and finding one by what a clerk types.
 */
#include "node/views/thing.h"

#define PERSON_NAME_SIZE 65
#define PERSON_NUMBER_SIZE 17

/* The name as it stands now: of the newest change that took effect, else of the registration. false
 * and "" where no box with one is at hand (erased, or not held). */
bool person_name(struct views *v, struct txn *t, const struct thing_key *key,
                 char out[PERSON_NAME_SIZE]);

/* Did the volunteer consent to that ("card", "rank", "letter", "photo"), and not withdraw since? */
bool person_consents(const struct thing *volunteer, const char *purpose);

/* By an id or a prefix of 6 hex digits and more, by the volunteer's number, or by the whole name
 * where one volunteer alone has it. *key is written on success.
 * Errors: ERR_NOT_FOUND, ERR_AMBIGUOUS, the transaction's. */
MUST_CHECK enum err person_find(struct views *v, struct txn *t, struct slice text,
                                struct thing_key *key);
