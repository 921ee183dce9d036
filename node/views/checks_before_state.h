#pragma once
/* What the files of the checks before recording share. */
#include "node/views/checks_before.h"
#include "node/views/checks_state.h"

struct asking {
    struct views *views;
    struct txn *txn;
    bool writable;
    const struct checks_draft *draft;
    struct checks_finding *out;
    enum err err;
};
/* Takes the finding, the first one only. `err` OK: a reminder, which a refusal replaces. */
void asking_find(struct asking *a, enum err err, const char *field, const char *what,
                 const char *todo);
/* The thing that it collides with, and what it is called. */
void asking_other(struct asking *a, enum thing_type type, const struct thing_key *key,
                  struct slice said);
/* Before a look-up: indexes a part of what look-ups lag behind. */
void asking_index(struct asking *a);
/* Is this the thing that the act is about? */
bool asking_is_subject(const struct asking *a, const struct thing_id *thing);

extern const char before_number_given[], before_number_next[];

void before_volunteer(struct asking *a);
void before_team(struct asking *a);
void before_call(struct asking *a);
void before_signup(struct asking *a);
void before_activity(struct asking *a);
void before_service(struct asking *a);
void before_verify(struct asking *a);
void before_award(struct asking *a);
void before_publicity(struct asking *a);
/* The same list once more. */
void before_list(struct asking *a, const struct rules *rules);
void before_recommendation(struct asking *a);
void before_redeem_open(struct asking *a);
void before_redeem_grant(struct asking *a);
