#pragma once
/*
 * Local rows: what this node remembers that is not replicated: peers, receipts, asks to the running
 * node, official and village number counters, the clock's trust.
 */
#include "node/store/log.h"

struct want_point; /* both: proto/frame.h */
struct receipt_entry;

/* What we know of a peer device; key: its signing key. */
struct peer_row {
    struct sign_key device;
    uint64_t last_attempt_ms, last_ok_ms; /* wall time; 0: never */
    uint64_t next_attempt_ms;             /* wall time; meaningful while it lies ahead */
    uint32_t failures;                    /* since the last success */
    uint32_t last_error;                  /* enum err */
    uint8_t state;                        /* enum peer_state as the daemon last saw it */
    uint8_t generation[8];                /* of the peer's store */
    uint64_t credit;                      /* last granted */
    uint64_t disk_free_mib;
    int64_t clock_offset_ms; /* peer's clock minus ours; meaningful when clock_trusted */
    bool clock_trusted;
    bool has_views;
    uint8_t views8[8];         /* as the peer last told */
    uint64_t rate_bps, rtt_ms; /* last measured; 0 unknown */
    uint64_t bytes_sent, bytes_received;
    uint64_t refusals; /* REFUSE sent to it */
    uint64_t bundle;   /* number of the newest bundle of its that was taken here */
    uint8_t towns8[8]; /* what both last kept that hubs signed (node/towns.h); zero: nothing */
    size_t have_count;
    struct peer_have {    /* its have-vector as last told: what has "arrived" there */
        uint8_t feed8[8]; /* first 8 bytes of the feed's id */
        uint64_t seq;
        uint8_t id8[8];
    } * have; /* owned; sorted by feed, seq descending */
    size_t shown_count;
    struct peer_have *shown; /* the same of ours as the peer knows it; owned, sorted */
    bool cut;                /* the last session was cut while something was on its way */
    uint64_t cut_bytes;      /* of runs that had passed in it */
    bool cut_sending;        /* runs of ours were on their way, not answered */
    bool unfinished_new;     /* `unfinished` is to be written; peer_get leaves both alone */
    struct buf unfinished;   /* runs that were cut (peer_unfinished); owned */
};
enum peer_state { PEER_OFFLINE, PEER_SYNCING, PEER_SYNCED, PEER_FAULT };
/* *out is filled and owned (peer_row_clear); false when unknown. */
bool peer_get(struct txn *t, const struct sign_key *device, struct peer_row *out);
void peer_put(struct txn *t, const struct peer_row *row); /* sorts row->have */
void peer_row_clear(struct peer_row *row);
/* The points of one feed in a vector of a row are now these. False: out of memory, it is as before.
 */
bool peer_have_set(struct peer_have **vector, size_t *count, const uint8_t feed8[8],
                   const struct want_point *points, size_t point_count);
/* What is kept of runs that were on their way in pieces; opaque here, empty when there is none.
 * Borrowed from the transaction, until the next call where boxes are locked. */
struct slice peer_unfinished(struct txn *t, const struct sign_key *device);
/* Takes away what is kept of cut runs of every peer, for there are boxes in it; false: there was
 * nothing since the last time, so no page holds any. */
bool peers_drop_unfinished(struct txn *t);
void peer_unfinished_delete(struct txn *t, const struct sign_key *device);
/* All peers: start with a zero key; false at the end. */
bool peer_next(struct txn *t, struct sign_key *after, struct peer_row *out);

/* Receipts we were given (signed bytes and signature, for proof), newest counter last. Of each
 * device the newest RECEIPTS_KEPT_MAX are kept. Start with *after_counter 0. */
#define RECEIPTS_KEPT_MAX 1024u
void receipt_put(struct txn *t, const struct sign_key *from, uint64_t counter,
                 struct slice signed_body, const struct signature *sig);
/* The whole id of an event that an entry names in brief; for frame_receipt_complete. False: it is
 * not held here. */
bool receipt_whole_id(void *txn, struct receipt_entry *entry);
/* A range of counters for receipts above all that were taken before, RECEIPT_RANGE of them: each
 * process begins with one, because its first act is a commit. Small numbers are short on the wire.
 * `write` false: as it would be. */
#define RECEIPT_RANGE_LOG 20
#define RECEIPT_RANGE (UINT64_C(1) << RECEIPT_RANGE_LOG)
uint64_t receipt_range_take(struct txn *t, bool write);
bool receipt_next(struct txn *t, const struct sign_key *from, uint64_t *after_counter,
                  struct slice *signed_body, struct signature *sig);

/* Asks of a person to the running node ("sync now"), by name. */
void ask_put(struct txn *t, const char *name, struct slice value);
bool ask_get(struct txn *t, const char *name, struct slice *value);
void ask_delete(struct txn *t, const char *name);
