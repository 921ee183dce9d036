#pragma once
/*
 * Erasure (SPEC 22). An order is a subject.erase, or a subject.correct that names records whose old
 * text goes. Whether one holds is a function of the event and the roster alone: no state, no depth
 * and no number of events takes it away, so every node destroys the same boxes, whatever came
 * first.
 *
 * Whoever folds a thing carries out what holds of it in the same transaction: boxes, what look-ups
 * found by them, cut runs. What arrives later is asked by erasure_strip.
 */
#include "node/store/erase.h"
#include "node/views/roster.h"

#define ERASE_AT_ONCE 4096u /* boxes destroyed in one transaction */

/* What is left unsaid by the kinds' table: NULL, or why this order does not hold. `roles`: of its
 * author. Of an event that is no order: NULL. */
const char *erasure_refuses(const struct event *e, uint32_t roles);
/* Is it an order, whether it holds or not? */
bool erasure_orders(const struct event *e);
/* Is it about erasing: an order or an acknowledgement? Of the kind alone: may it be? */
bool erasure_concerns(const struct event *e);
bool erasure_is_of(struct slice kind);

/* Brings the erased row of a thing up to what its events and the roster say, and destroys what is
 * to be destroyed. Costs nothing where nothing changed. Errors latch in the transaction. */
void erasure_refresh(struct txn *t, const struct roster *roster, const struct thing_key *thing);
/* Goes on with things that had more than ERASE_AT_ONCE boxes; false: nothing is left to do. */
bool erasure_go_on(struct txn *t);

/* Takes the box out of each event that may not keep it. `copy` is owned by the caller (free) and
 * NULL where all stay; else it is to be taken in place of `events`. Errors: ERR_NOMEM, the
 * transaction's. */
MUST_CHECK enum err erasure_strip(struct txn *t, const struct event *events, size_t count,
                                  struct event **copy);

/* How an order stands. */
struct erasure {
    struct thing_key thing;
    struct event_id order;
    uint64_t ordered_ms;
    bool corrects; /* old text of single records, by a correction */
    char basis[16];
    bool has_by;
    struct thing_id by, second;
    struct sign_key author;
    size_t answered; /* devices */
    size_t pending_count, lost_count;
    const struct device **pending; /* owe an acknowledgement; owned */
    const struct device **lost;    /* owe one and were revoked: cannot be reached; owned */
};
/* Reads one. Errors: ERR_NOT_FOUND (the order cannot be read), ERR_NOMEM, the transaction's. */
MUST_CHECK enum err erasure_read(struct txn *t, const struct roster *roster,
                                 const struct thing_key *thing, const struct erase_order *order,
                                 struct erasure *out);
void erasure_clear(struct erasure *e);
/* Does this device owe acknowledgements of orders on things in this scope? */
bool erasure_is_asked_of(const struct device *d, const struct scope *scope);
