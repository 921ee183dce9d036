#pragma once
/*
 * The receipts that this node was given (SPEC 8.5): each a statement, signed by the device that
 * gave it, that it holds these heads durably. Kept as proof, the newest RECEIPTS_KEPT_MAX of each
 * device.
 */
#include "node/store/local.h"
#include "node/views/visible.h"
#include "proto/frame.h"

struct receipt {
    struct hash id; /* of the statement: what the signature is over, and its name */
    struct sign_key from;
    struct slice statement; /* borrowed from the transaction, as are the entries */
    struct signature signature;
    struct receipt_parties parties;
    struct frame_receipt said;
    enum err err; /* ERR_MALFORMED: the statement cannot be read, and the two above say nothing */
};
/* All of them, by device, of each the oldest first, until `each` says false. Errors: the
 * transaction's. */
MUST_CHECK enum err receipts_each(struct txn *t, bool (*each)(void *state, const struct receipt *r),
                                  void *state);
/* The one with this number. False when there is none. */
bool receipt_get(struct txn *t, const struct sign_key *from, uint64_t counter, struct receipt *out);
/* By any of the device's signing keys (SPEC 10.10); *signer (may be NULL): which. Errors:
 * ERR_MALFORMED; ERR_SIGNATURE (that of another key, or over another statement). */
MUST_CHECK enum err receipt_verify(const struct receipt *r, const struct roster *roster,
                                   struct sign_key *signer);
/* Is it about something that this device shows? */
bool receipt_shown(struct txn *t, const struct visible *visible, const struct receipt *r);
/* Does it say that this event was held? Walks from each head that it names of the event's feed.
 * *head: the one that the event leads to. */
bool receipt_covers(struct txn *t, const struct receipt *r, const struct feed_row *feed,
                    const struct event *e, struct receipt_entry *head);

struct receipts_result {
    uint64_t receipts, problems;
};
/* Checks each, and that what the newest one of each peer names is still held here. `receipts`:
 * those that are about something shown. Calls `problem` for each that does not hold. Errors: the
 * transaction's. */
MUST_CHECK enum err receipts_check(struct txn *t, const struct roster *roster,
                                   const struct visible *visible, struct receipts_result *out,
                                   void (*problem)(void *state, enum err err, const char *what),
                                   void *state);
