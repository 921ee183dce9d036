#pragma once
/* The inside of a session, shared by the files of node/sync. */
#include "node/sync/beat.h"
#include "node/sync/track.h"
#include "proto/town.h"

#define FLIGHT_MAX 256u       /* runs sent and not yet answered */
#define BUILDS_MAX 2u         /* outstanding BUILD requests */
#define ASKS_MAX 3u           /* WANTs for one feed without progress */
#define WANTS_TAKEN_MAX 1000u /* WANTs of the peer in one session */
#define TOWNS_TAKEN_MAX 10000u
#define HELLOS_TAKEN_MAX 100u
#define SHRINKS_TAKEN_MAX 100u   /* HELLOs and receipts that took something back */
#define RECEIPTS_SPARE_MAX 1000u /* receipts beyond one for each run that was sent */
#define RUNS_WASTED_MAX 4096u    /* runs of the peer one after another that brought nothing */
#define HOLD_SETTLES_MS 5000u
#define GREETING_TIMEOUT_MS 60000u
/* Of a run; the slowest link takes less for what is in flight. */
#define ANSWER_TIMEOUT_MS 600000u
#define AFTER_CUT_PAYLOAD KIB(2) /* of the first runs after a cut */
#define RATE_FAST_BPS 4000000u   /* a link that carries a whole run between any two cuts */
#define RESENDS_MAX 2u           /* of what was not answered; then the feed is parked */
#define SHOWN_AFTER_MS 2000u     /* the round trip, while it is not known */
#define BLIND_BYTES_MAX KIB(16)  /* sent before a HELLO to a peer never met */
#define WINDOW_UNKNOWN KIB(32)   /* in flight while the rate is unknown */
#define FLIGHT_BYTES_MAX MIB(1)  /* in flight, however fast the link seems */

struct queued {
    struct session_action action;
    struct buf frame; /* SEND and RECEIPT own theirs */
};

struct ticket {
    uint32_t number;
    uint8_t id8[8];
    bool store;
    uint64_t base_seq;
    uint8_t base_id8[8];
    uint32_t count;
    uint64_t wire_bytes, wire_frames;
};

struct flight { /* a RUN on its way */
    uint8_t id8[8];
    uint64_t seq;
    uint32_t count;
    size_t size;
    uint64_t sent_ms;
};

struct outgoing {
    struct session_outgoing run;
    struct buf frame; /* what run.frame shows */
    bool recalled;    /* of an earlier session, until the peer's HELLO */
};

struct incoming { /* the run of which pieces come */
    uint8_t run8[8];
    size_t run_size;
    struct buf bytes;
    uint64_t wire_bytes, wire_frames; /* in this session, not answered yet */
    bool done;                        /* whole, and taken */
};

struct session {
    struct session_options options;
    char software[33];
    struct track_table tracks;
    bool greeted, hello_sent, ended;
    struct beat beat;       /* since the greeting */
    bool sees_partial;      /* what came of a frame under way is told */
    uint64_t partial_bytes; /* when it was last told */
    bool hold, held;        /* what is neither roster nor urgent waits: for us, for the peer */
    uint64_t room;          /* bytes of it that may be sent yet */
    uint64_t opened_ms, now_ms, hello_sent_ms, greeted_ms;

    struct queued *queue; /* actions not yet taken */
    size_t queue_at, queue_count, queue_capacity;
    struct buf taken; /* the frame of the action taken last */

    struct ticket *tickets;
    size_t ticket_count, ticket_capacity;
    uint32_t ticket_last;
    unsigned builds_open;

    /* sending */
    uint64_t credit_total, run_bytes_sent, runs_sent;
    struct flight flights[FLIGHT_MAX];
    size_t flight_count;
    uint64_t unanswered_bytes, last_answer_ms;
    uint64_t rate_bps, rtt_ms;
    size_t run_cap; /* payload of a run at most; small after a cut, grows with receipts */
    bool answered;  /* a receipt came for something sent in this session */
    struct outgoing outgoing[OUTGOING_MAX];
    size_t outgoing_count;

    /* receiving */
    uint64_t run_bytes_received, run_bytes_answered, granted_total;
    bool confirm;
    struct receipt_entry *entries;
    size_t entry_capacity;
    struct buf receipt; /* the peer's, while it is verified */
    bool receipt_open;
    bool showing; /* of some feed */
    struct incoming incoming;
    unsigned wants_taken, towns_taken, hellos_taken, shrinks_taken, runs_wasted;
    unsigned hellos_asked; /* by the peer */
    bool hello_wanted;     /* and not here yet */
    uint64_t receipts_taken, receipt_counter;

    uint64_t sent_events, received_events, sent_bytes, received_bytes;
    uint64_t sent_frames, received_frames;
};

/* --- session.c: the queue --- */
/* A new action at the end, with an empty frame; NULL when out of memory (the session ends). */
struct queued *session_queue(struct session *s, enum session_action_type type);
void session_send(struct session *s, struct buf *frame); /* takes the buffer over */
void session_put(struct session *s, struct buf *frame);  /* for PING and TOWN: no traffic */
void session_end(struct session *s, uint64_t refused, bool by_peer, const char *text);
/* REFUSE to the peer, then END. */
void session_refuse(struct session *s, enum refuse_code code, const char *text);
struct ticket *session_ticket(struct session *s, const struct track *t, bool store);
bool session_ticket_take(struct session *s, uint32_t number, bool store, struct ticket *out);
void session_send_hold(struct session *s);
void session_arrived(struct session *s, const struct track *t);

/* --- asking.c --- */
/* Asks for a feed, unless that was done a moment ago; then it is asked again when it is due, if the
 * feed still lacks what the peer has. */
void session_want(struct session *s, struct track *t, struct session_points points, uint64_t flags);
/* It was asked for a moment ago, and the answer may still come. */
bool session_asks(const struct session *s, const struct track *t);
/* What is due, or all that waits (`now`: there is news of the roster). */
void session_ask_again(struct session *s, bool now);
uint64_t session_ask_deadline_ms(const struct session *s); /* UINT64_MAX: nothing waits */

/* --- hello.c --- */
/* Not complete: names only the feeds of which the peer may not know what is held here. */
void session_send_hello(struct session *s, bool complete);
void session_take_hello(struct session *s, struct slice frame);
void session_want_hello(struct session *s); /* a complete one */
/* The heads of the feed were told; that they were read is known a round trip later. */
void session_showing(struct session *s, struct track *t);
void session_shown(struct session *s); /* a frame came */
/* The peer's receipt names the very heads that are held here: so it knows that they are. */
void session_shown_by_receipt(struct session *s, struct track *t);
/* The peer lost what it had of a feed held here (true): all that was sent since is sent again. */
bool session_take_loss(struct session *s, struct track *t);
/* Each loss makes us send again, so it is believed so often and no more. */
void session_count_loss(struct session *s, bool lost);

/* --- incoming.c: the peer's frames --- */
void session_refuse_frame(struct session *s, enum err err, const char *text);
/* May the peer begin a run now? Refuses it if not. */
bool session_may_take_run(struct session *s);
/* Of the frames that brought it, all counted as received already. */
void session_take_run(struct session *s, struct slice frame, uint64_t wire_bytes,
                      uint64_t wire_frames);
void session_take_frame(struct session *s, struct slice frame);
void session_take_receipt(struct session *s);

/* --- alive.c: the heartbeat --- */
/* What is due: a PING, or the end of a session whose peer fell silent. */
void session_beat(struct session *s);
uint64_t session_beat_deadline_ms(const struct session *s);
void session_take_ping(struct session *s, struct slice frame);

/* --- pieces.c --- */
/* Takes the buffer over, sends it whole or in pieces; gives the bytes on the wire. */
size_t session_send_run(struct session *s, const struct session_outgoing *run, struct buf *frame);
/* The peer holds the feed up to `seq`: what was kept of such runs is needed no more. */
void session_outgoing_answered(struct session *s, const uint8_t id8[8], uint64_t seq);
/* False: out of memory. */
bool session_outgoing_load(struct session *s, const struct session_memory *memory);
bool session_unfinished_load(struct session *s, const struct session_unfinished *from);
/* The peer's first HELLO tells where the run that was cut goes on. */
void session_resume(struct session *s, const struct frame_hello *hello);
void session_take_piece(struct session *s, struct slice frame);

/* --- pump.c: what to send next, and how much --- */
/* Does the feed wait, for the sake of either side's month? */
bool session_waits(const struct session *s, const struct track *t);
/* By then the first run of a feed that is not here and may go has come. */
uint64_t session_hold_settled_ms(const struct session *s);
/* Measured in this session as a link on which bytes cost less than work. */
bool session_is_fast(const struct session *s);
void session_pump(struct session *s);
/* The run was sent just now, in so many bytes and frames. */
void session_flight_begin(struct session *s, const struct track *t,
                          const struct session_outgoing *run, size_t size, uint64_t frames);
/* What is on its way of a feed will not be receipted: it is sent again. */
void session_flight_forget(struct session *s, const uint8_t id8[8]);
/* Runs without an answer are sent again, so often; a lost frame holds nothing up for good. */
void session_flight_expire(struct session *s);
/* Is something of the feed on its way? */
bool session_in_flight(const struct session *s, const struct track *t);
/* The peer told that it holds the feed up to `seq`, whenever it came there. */
void session_flight_told(struct session *s, const uint8_t id8[8], uint64_t seq);
/* The peer answered for the feed up to `seq`. */
void session_flight_end(struct session *s, const uint8_t id8[8], uint64_t seq);
