#pragma once
/*
 * The session: sync of two nodes over one link as a pure state machine. It takes frames, time, log
 * heads and answers to its own requests; it gives frames and requests, in an order that is part of
 * this contract. It touches no socket, no clock, no disk and no key. node/DESIGN.md has the goals
 * and the invariants S1.. that the code cites.
 *
 * Use: feed inputs, then take actions with session_next until it returns false. The actions of
 * session_frame must be taken before the next input: STORE borrows from the frame. What an action
 * points to is valid until the next call of session_next or the next input.
 *
 * Each STORE is answered by exactly one session_stored, each BUILD by exactly one session_built,
 * each RECEIPT by exactly one session_receipt_verified, in any order between other inputs.
 */
#include "proto/frame.h"

struct session;

/* A feed as this node holds it, and how it ranks when sent. */
struct session_feed {
    struct feed feed;
    struct feed_id id;
    size_t head_count;
    struct session_head {
        uint64_t seq;
        struct event_id id;
    } heads[FEED_BRANCHES_MAX];
    size_t aside_count; /* of the same feed, for the township alone; the session reads `heads` */
    struct session_head aside[FEED_BRANCHES_MAX];
    bool own;          /* this node is its author: all a peer never met is sent unasked */
    bool authority;    /* by whom the others of the roster are known: the very first */
    bool roster;       /* the authority's or the hub's feed in `town`: first */
    bool village_town; /* what a village says to the whole town: last */
    bool hidden;       /* exchanged like any other, and in no count or text of this session */
};

/* A RUN frame on its way in pieces, and what it brings. */
struct session_outgoing {
    uint8_t id8[8]; /* of the feed */
    struct want_point base, last;
    uint32_t count;
    struct slice frame;
};
/* The beginning of a RUN frame of the peer. */
struct session_unfinished {
    uint8_t run8[8];
    size_t run_size;
    struct slice bytes; /* empty: none */
};
#define OUTGOING_MAX 4u

/* What is remembered of the peer between sessions. */
struct session_memory {
    bool known; /* there was a session before */
    const struct have_entry
        *have; /* as the peer last told; feeds by the first 8 bytes of their id */
    size_t have_count;
    const struct have_entry *shown; /* what the peer knows that we hold; named in the same way */
    size_t shown_count;
    bool cut;           /* the last session was cut while something was on its way */
    uint64_t cut_bytes; /* of runs that had passed in it */
    bool cut_sending;   /* runs of ours among what was on its way */
    struct session_unfinished unfinished;
    const struct session_outgoing *outgoing; /* oldest first */
    size_t outgoing_count;
    uint8_t generation[8];     /* of the peer's store when it was last told */
    uint64_t credit;           /* last granted; 0: CREDIT_DEFAULT */
    uint64_t rate_bps, rtt_ms; /* 0: unknown */
};

struct session_options {
    uint8_t township8[8];
    uint8_t generation[8]; /* ours */
    bool connecting;       /* sends HELLO and first runs unasked; else answers the peer's HELLO */
    uint64_t time_ms;      /* wall clock, for HELLO */
    bool time_trusted;
    uint64_t disk_free_mib;
    const char *software;
    uint64_t window; /* bytes of RUN frames this node takes beyond what it has answered */
    bool has_views;
    uint8_t views8[8];
    /* What is kept that hubs signed of `town`, for HELLO; not said: as both last had it. */
    bool says_towns, has_towns;
    uint8_t towns8[8];
    bool limited; /* `room` counts, from the start */
    uint64_t room;
    struct session_memory memory;
};

/* `feeds`: the local feeds that the peer may hold; copied. More come by session_heads.
 * Errors: ERR_NOMEM. */
MUST_CHECK enum err session_open(struct session **out, const struct session_options *options,
                                 const struct session_feed *feeds, size_t feed_count,
                                 uint64_t now_ms);
void session_close(struct session *s); /* NULL is fine */

/* --- inputs (now_ms is monotonic) --- */
void session_frame(struct session *s, struct slice frame, uint64_t now_ms);
/* A local feed that the peer may hold got new heads (or is new). */
void session_heads(struct session *s, const struct session_feed *feed, uint64_t now_ms);
/* So many bytes of a frame came that is not whole yet; they are a sign of life like a frame. Where
 * it is told before each tick, a peer is not given the time of the largest frame to be silent. */
void session_partial(struct session *s, uint64_t bytes, uint64_t now_ms);
void session_tick(struct session *s, uint64_t now_ms);
/* The next tick that is of use. */
uint64_t session_deadline_ms(const struct session *s);

/* What this node holds of a feed, for WANT: the heads, then exponentially further back. */
struct session_points {
    const struct want_point *points;
    size_t count;
};

/* A run made for the peer; borrowed for the call. */
struct session_run {
    struct run run;
    uint64_t last_seq; /* it ends at this event */
    struct event_id last_id;
    bool has_views; /* it ends at the head; this node's views then */
    uint8_t views8[8];
};
/* Answer to BUILD; `built` is NULL unless OK.
 * `err`: ERR_BASE: none of the action's points is on a branch held here, so the peer has what this
 * node lacks; `points` are given then, and it is asked for. ERR_NOT_FOUND: nothing after the base.
 * Others: the feed is left alone in this session (a damaged event is in the way, say). */
void session_built(struct session *s, uint32_t ticket, enum err err,
                   const struct session_run *built, struct session_points points, uint64_t now_ms);
/* Answer to STORE, after the commit, with the feed as it stands now (NULL: not held).
 * `err`: OK (also when all was known); ERR_BASE, ERR_DICTIONARY, ERR_CORRUPT (base or dictionary
 * damaged here), ERR_UNKNOWN_AUTHOR: asked for again by WANT; ERR_SIGNATURE, ERR_MALFORMED,
 * ERR_LIMIT, ERR_CHAIN, ERR_FORBIDDEN: refused and ended; others (disk full): ended without blame.
 */
void session_stored(struct session *s, uint32_t ticket, enum err err,
                    const struct session_feed *feed, struct session_points points, uint64_t now_ms);
/* `err`: OK; ERR_NOT_FOUND: it names an event in short that is not here (the peer is asked to tell
 * what it holds); ERR_SIGNATURE: refused and ended; others: ended without blame. */
void session_receipt_verified(struct session *s, enum err err, uint64_t now_ms);
/* Room for the peer's bytes beyond what was answered changed (a hub shares a total). */
void session_grant(struct session *s, uint64_t window);
/* Is the peer there? What this session gave up is tried once more, the peer is asked for a sign of
 * life; until there is one the session is not idle, and without one it ends soon. `hurried`: the
 * link may just have been away, so what was on its way is not waited for. */
void session_ask(struct session *s, bool hurried, uint64_t now_ms);
/* So many bytes of runs that are neither of the roster nor urgent may be sent from now on, the last
 * of them a frame beyond; UINT64_MAX: no limit. With 0 the peer is asked to hold such back too.
 * What waits so does not keep the session from being idle. */
void session_room(struct session *s, uint64_t bytes, uint64_t now_ms);
/* The peer is asked to tell all that it holds, as it stands now. */
void session_ask_hello(struct session *s, uint64_t now_ms);
/* What is kept that hubs signed is another now: a later HELLO says it. */
void session_towns(struct session *s, bool has, const uint8_t towns8[8]);
/* Sends a TOWN, once its HELLO went: no traffic (S11), for nothing answers it. Takes it. */
void session_tell(struct session *s, struct buf *frame, uint64_t now_ms);
/* Ends in good order: BYE. */
void session_finish(struct session *s);

/* --- actions --- */
enum session_action_type {
    SESSION_SEND,    /* frame */
    SESSION_BUILD,   /* make a run of `feed` towards `head` after the highest of `points` on its
                        branch; from the beginning where none is and `from_start` */
    SESSION_STORE,   /* open, verify and commit `run` of `feed` */
    SESSION_CONFIRM, /* sign and send a RECEIPT over `entries`; follows the STORED of each (S2) */
    SESSION_RECEIPT, /* the peer's RECEIPT in `frame`: verify its signature, keep it */
    SESSION_ARRIVED, /* the peer holds `points` of one feed (none: nothing any more): remember it */
    SESSION_SHOWN,   /* the peer knows that we hold `points` of one feed: remember it */
    SESSION_PEER,    /* the peer's HELLO was taken */
    SESSION_TOWN,    /* the peer's TOWN in `frame` is well formed; nothing waits for it */
    SESSION_ALARM,   /* the peer holds less than it had; `text` for the admin */
    SESSION_END,     /* close the link after what was sent; nothing follows */
};

struct session_action {
    enum session_action_type type;
    uint32_t ticket;
    struct slice frame;
    struct feed_ref feed; /* BUILD: whole. STORE: as the peer named it. ARRIVED, SHOWN: short */
    struct run run;       /* STORE; borrowed from the frame */
    bool has_views;       /* STORE: the peer's views when it sent the run */
    uint8_t views8[8];
    struct event_id head;                      /* BUILD: the branch to follow */
    uint64_t to_seq;                           /* BUILD: last number wanted; 0: the head */
    bool from_start;                           /* BUILD */
    size_t payload_max;                        /* BUILD: about this many compressed bytes */
    bool dictionary;                           /* BUILD: may use one */
    int level;                                 /* BUILD: zstd level, for more than a little */
    bool fast;                                 /* BUILD: bytes cost less than work */
    struct want_point points[WANT_POINTS_MAX]; /* BUILD: newest first; ARRIVED, SHOWN: heads */
    size_t point_count;
    const struct receipt_entry *entries; /* CONFIRM */
    size_t entry_count;
    uint64_t credit;          /* CONFIRM: new total granted */
    struct frame_hello hello; /* PEER; without its slices */
    uint64_t refused;         /* END: enum refuse_code, 0 when in good order */
    bool by_peer;             /* END: the peer refused us */
    char text[160];           /* ALARM, END: English */
};
/* Takes the next action; false when there is none. */
bool session_next(struct session *s, struct session_action *out);

/* What the peer told, receipted or sent of a feed, as far as is known; up to WANT_POINTS_MAX. */
size_t session_peer_points(const struct session *s, const uint8_t id8[8],
                           struct want_point out[WANT_POINTS_MAX]);

/* --- what the next session with this peer is to remember; borrowed until the next input --- */
bool session_unfinished(const struct session *s, struct session_unfinished *out); /* false: none */
bool session_outgoing(const struct session *s, size_t i, struct session_outgoing *out);

/* --- what can be shown --- */
struct session_status {
    bool greeted;       /* the peer's HELLO is known */
    bool told;          /* and it told all that the peer holds, or what is new since we last met */
    bool idle;          /* greeted; nothing to send, to ask, or unconfirmed on either side, but what
                           is held back */
    bool holding, held; /* by us, by the peer: see session_room */
    uint64_t unsent;    /* events the peer lacks as far as we know */
    uint64_t behind;    /* events the peer has more of, as far as its vector tells */
    uint64_t sent_events, received_events; /* arrived there by receipt; stored here */
    uint64_t sent_bytes, received_bytes;   /* of all frames but those of hidden feeds */
    uint64_t sent_frames, received_frames; /* and how many those are */
    uint64_t unanswered_bytes;             /* of runs sent */
    uint64_t passed_bytes; /* of RUN and PIECE frames: came, or were sent and answered */
    uint64_t rate_bps, rtt_ms;
    uint64_t credit; /* the peer's last grant in bytes beyond what it answered */
};
void session_status(const struct session *s, struct session_status *out);
