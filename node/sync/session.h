#pragma once
/*
 * The session: sync of two nodes over one link as a pure state machine. It takes frames, time, log
 * heads and answers to its own requests; it gives frames and requests, in an order that is part of
 * this contract. It touches no socket, no clock, no disk and no key. node/DESIGN.md has the goals
 * and the invariants S1.. that the code cites.
 *
 * Use: feed one input, then take actions with session_next until it returns false; then the next
 * input. Slices in actions are valid until the next input.
 *
 * Each STORE is answered by exactly one session_stored, each BUILD by exactly one session_built; the
 * answers may come in any order between other inputs.
 */
#include "proto/frame.h"

struct session;

/* A feed as this node holds it, and whether the peer may hold it. */
struct session_feed {
    struct feed feed;
    struct feed_id id;
    size_t head_count;
    struct session_head {
        uint64_t seq;
        struct event_id id;
    } heads[FEED_BRANCHES_MAX];
    bool roster;  /* the authority's or the hub's feed in `town`: first */
    bool village_town; /* what a village says to the whole town: last */
};

/* What is remembered of the peer between sessions. */
struct session_memory {
    const struct have_entry *have; /* as the peer last told; feed ids by their first 8 bytes */
    size_t have_count;
    uint64_t credit;               /* last granted; 0: CREDIT_DEFAULT */
    uint64_t rate_bps, rtt_ms;     /* 0: unknown */
};

struct session_options {
    uint8_t township8[8];
    uint8_t generation[8]; /* ours */
    bool connecting;       /* sends HELLO and first runs unasked; else answers the peer's HELLO */
    bool read_only;        /* sends and grants nothing (a mirror's peer may not write: later) */
    uint64_t time_ms;      /* wall clock, for HELLO */
    bool time_trusted;
    uint64_t disk_free_mib;
    const char *software;
    uint64_t credit;       /* what this node grants at first */
    bool has_views;
    uint8_t views8[8];
    struct session_memory memory;
};

/* Local feeds that the peer may hold; copied. More come by session_heads. */
MUST_CHECK enum err session_open(struct session **out, const struct session_options *options,
                                 const struct session_feed *feeds, size_t feed_count,
                                 uint64_t now_ms);
void session_close(struct session *s);

/* --- inputs (now_ms is monotonic) --- */
void session_frame(struct session *s, struct slice frame, uint64_t now_ms);
/* A local feed that the peer may hold got new heads (or is new). */
void session_heads(struct session *s, const struct session_feed *feed);
void session_tick(struct session *s, uint64_t now_ms);

/* Answer to BUILD: what the run ended at; the frame's payload is referred to until it was sent.
 * `err`: ERR_BASE (the base is not on a branch held), ERR_NOT_FOUND (nothing after it),
 * ERR_CORRUPT (a damaged event in the way: the feed is skipped and the person is told). */
void session_built(struct session *s, uint32_t ticket, enum err err, const struct run *run,
                   uint64_t last_seq, const struct event_id *last_id, uint64_t now_ms);
/* Answer to STORE, after the commit: the feed as it stands now. `err`: OK (also when all was
 * known), ERR_BASE, ERR_DICTIONARY, ERR_UNKNOWN_AUTHOR, ERR_CORRUPT (base or dictionary damaged
 * here): asked again by WANT; ERR_SIGNATURE, ERR_MALFORMED, ERR_LIMIT, ERR_CHAIN, ERR_FORBIDDEN:
 * refused and ended; ERR_NOSPACE, ERR_MAP_FULL, ...: the session ends without blame. `points` are what
 * this node holds of the feed, for WANT. */
void session_stored(struct session *s, uint32_t ticket, enum err err, const struct session_feed *feed,
                    const struct want_point *points, size_t point_count, uint64_t now_ms);
/* Room for the peer's bytes changed (the hub shares a total). */
void session_grant(struct session *s, uint64_t credit_total);
/* Ends in good order: BYE. */
void session_finish(struct session *s, uint64_t now_ms);

/* --- actions --- */
enum session_action_type {
    SESSION_SEND,     /* frame */
    SESSION_BUILD,    /* make a run after `base`, answer with session_built */
    SESSION_STORE,    /* open, verify and commit a run, answer with session_stored */
    SESSION_CONFIRM,  /* sign and send a RECEIPT over these entries; only after their STORE was
                         answered (S2) */
    SESSION_ARRIVED,  /* the peer's have of one feed changed: remember it durably */
    SESSION_FORGET,   /* the peer's complete have-vector begins: drop what was remembered */
    SESSION_PEER,     /* the peer's HELLO was taken: clock, generation, disk, views */
    SESSION_RECEIPT,  /* a RECEIPT arrived: verify the signature with the peer's key, keep it, and
                         answer with session_receipt_verified */
    SESSION_ALARM,    /* the peer holds less than it had: text for the admin */
    SESSION_END,      /* close the link; `refused` says why */
};

struct session_action {
    enum session_action_type type;
    uint32_t ticket;
    struct slice frame;             /* SEND; RECEIPT: the peer's frame */
    struct feed_ref feed;           /* BUILD, STORE, ARRIVED */
    struct want_point base;         /* BUILD: seq 0 from the beginning */
    struct event_id head;           /* BUILD: the branch to follow */
    uint64_t to_seq;                /* BUILD: last number wanted; 0 the head */
    size_t payload_max;             /* BUILD: about this many compressed bytes */
    bool dictionary;                /* BUILD: may use one */
    int level;                      /* BUILD: zstd level */
    struct run run;                 /* STORE; borrowed from the frame: copy to keep */
    const struct receipt_entry *entries; /* CONFIRM */
    size_t entry_count;
    uint64_t credit;                /* CONFIRM: new total granted */
    struct have_entry have[FEED_BRANCHES_MAX]; /* ARRIVED: all branches told; count may be 0 */
    size_t have_count;
    struct frame_hello hello;       /* PEER */
    uint64_t refused;               /* END: enum refuse_code, 0 when in good order */
    bool by_peer;                   /* END: the peer refused us */
    char text[160];                 /* ALARM, END: English */
};
/* Takes the next action; false when there is none. */
bool session_next(struct session *s, struct session_action *out);
void session_receipt_verified(struct session *s, const struct frame_receipt *receipt, bool good,
                              uint64_t now_ms);

/* --- what can be shown --- */
struct session_status {
    bool greeted;       /* both HELLOs are known */
    bool idle;          /* nothing to send, nothing asked, nothing unconfirmed either way */
    uint64_t unsent;    /* events the peer lacks as far as we know */
    uint64_t behind;    /* events the peer has more of, as far as its vector tells */
    uint64_t sent_events, received_events, sent_bytes, received_bytes;
    uint64_t rate_bps, rtt_ms;
};
void session_status(const struct session *s, struct session_status *out);
