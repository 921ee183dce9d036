#pragma once
/*
 * Official numbers are given by one hub, and moved by the authority (SPEC 10.16). The hub that they
 * were moved to gives the first one when every hub that gave them before has told that it knows of
 * the move, and all is held that it recorded until then: so it gives none any more, and those it
 * gave are counted (N11). Where such a hub cannot be asked, a person says the last number on paper.
 * All of it is read from the store, so what a crash cuts short is asked again.
 */
#include "node/store/hubs.h"
#include "node/views/views.h"

enum series_state {
    SERIES_ELSEWHERE, /* another hub gives them, or none */
    SERIES_WAITS,     /* they were moved here; the hub before has not told yet that it knows */
    SERIES_HERE,
};
/* Of this node; in a transaction that gives a number as well as in one that shows. */
enum series_state series_state(struct txn *t, const struct roster *roster);
/* The next hub that it waits for; NULL: none. Start with *at 0. */
const struct device *series_awaited(struct txn *t, const struct roster *roster, size_t *at);
/* A person has said the last number: the hubs before are not waited for. */
void series_confirm(struct txn *t, const struct roster *roster);

/* What a hub is known to hold. */
struct series_vector {
    const struct device *hub;
    const struct peer_have *have;
    size_t count;
};
/* Does it hold the event that moved the numbers last? Errors: the transaction's, ERR_NOMEM. */
MUST_CHECK enum err series_known(struct views *v, struct txn *t, const struct series_vector *vector,
                                 bool *known);
/* It does, and its HELLO has just told all of the vector: where its own feeds stand in it, it gave
 * its last number at the latest. Errors: as above. */
MUST_CHECK enum err series_note(struct views *v, struct txn *t, const struct series_vector *vector);
