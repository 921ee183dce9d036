#pragma once
/*
 * The exchange joins sync, store and link: it runs one session a peer, commits what all peers sent
 * in one turn in one transaction, builds the runs that sessions ask for, signs receipts, accepts
 * joins, and remembers peers. Time comes in as a parameter, so the simulator runs this very code.
 */
#include "node/arrival.h"
#include "node/clock.h"
#include "node/home.h"
#include "node/link/link.h"
#include "node/sync/session.h"

struct exchange;
struct exchange_options {
    struct store *store;
    struct views *views;
    const struct device_keys *keys;
    uint64_t month_bytes_max; /* what the links may carry in a month, both ways; 0: no limit */
    const char *courier_home; /* bundles are offered from and taken into it; NULL: none are */
    bool rehearsal;           /* nothing is written and receipts are believed: node/rehearsal.c */
    void (*log)(void *state, int level, const char *text); /* no personal data in it */
    void *log_state;
};
struct exchange_time {
    uint64_t now_ms; /* monotonic */
    struct clock_reading clock;
};

MUST_CHECK enum err exchange_open(struct exchange **out, const struct exchange_options *options);
void exchange_close(struct exchange *x);

/* Links are owned by the caller; a removed link's sessions end. `connecting`: we dialled, and the
 * peer is the device with this key; HELLO goes out at LINK_UP. */
MUST_CHECK enum err exchange_add_link(struct exchange *x, struct link *link, bool connecting);
void exchange_remove_link(struct exchange *x, struct link *link);

/* One turn: drains links (bounded), commits once, answers sessions, sends. True when more work is
 * waiting and the caller should not sleep. Errors: the store's; the caller stops on
 * ERR_AMBIGUOUS_COMMIT only if the store could not be reopened. */
MUST_CHECK enum err exchange_turn(struct exchange *x, const struct exchange_time *time, bool *more);
/* Another process committed: looks for new heads and a changed roster. */
MUST_CHECK enum err exchange_refresh(struct exchange *x, const struct exchange_time *time);
/* Milliseconds until a session wants its tick; UINT64_MAX: none. */
uint64_t exchange_deadline(const struct exchange *x, uint64_t now_ms);

/* Would a connection with this transport key be admitted? For ZAP. */
enum link_admission exchange_admit(struct exchange *x, const struct box_key *key, uint64_t wall_ms);

/* A link as the exchange sees it. ENDED: its session is over (refused, finished, the peer gone):
 * remove the link, close it, make another after the backoff. */
enum exchange_link_state { EXCHANGE_LINK_WAITING, EXCHANGE_LINK_LIVE, EXCHANGE_LINK_ENDED };
struct exchange_link {
    enum exchange_link_state state;
    struct session_status session; /* of a dialled link's one session */
    bool carrying; /* bundles are on their way on it (node/exchange_courier.h) */
    enum err err;                  /* ENDED: why; OK when in good order */
    uint64_t refused;              /* ENDED: enum refuse_code or 0 */
    char text[160];                /* ENDED: English */
};
void exchange_link(const struct exchange *x, const struct link *link, struct exchange_link *out);
/* What all sessions of a link did together, those that ended and the one there is; and what became
 * of them. What a peer says that it lacks no more, after a session that was cut, was sent. Of who
 * was called nothing else is told: his peers come and go. */
struct exchange_moved {
    uint64_t sent_events, received_events;
    uint64_t bytes, frames; /* both ways, but for what is hidden */
    unsigned goodbyes;      /* that ended when nothing was left to do */
    bool settled;           /* nothing was left to do when the last one ended, or is now */
    uint64_t refused;       /* the last enum refuse_code; 0: none */
    struct sign_key peer;   /* the last one, */
    uint64_t unsent;        /* and what it lacked at the end, as far as was known */
};
void exchange_moved(const struct exchange *x, const struct link *link, struct exchange_moved *out);
/* Is the peer of a dialled link still there? Its session is not idle until it said so, and ends
 * soon when it does not. */
void exchange_ask(struct exchange *x, struct link *link, bool hurried,
                  const struct exchange_time *time);
/* Says BYE on a dialled link whose session is idle (a one-shot sync ends so). */
void exchange_finish(struct exchange *x, struct link *link);

/* --- the joiner's side, before there is a roster --- */
/* Runs the join exchange over a dialled link: sends JOIN at LINK_UP, takes ADMIT or REFUSE. */
enum join_state { JOIN_WAITING, JOIN_ADMITTED, JOIN_REFUSED };
struct join_progress {
    enum join_state state;
    struct hash asked; /* of the request that was sent */
    uint64_t refused;  /* enum refuse_code */
    char text[160];
};
MUST_CHECK enum err join_turn(struct link *link, const struct invite *invite,
                              const struct device_keys *keys, uint64_t wall_ms,
                              struct join_progress *progress);

/* Is there a session with this device on another link than `except` (NULL: on any)? */
bool exchange_meets(const struct exchange *x, const struct sign_key *device,
                    const struct link *except);

/* Since the start some peer told what it holds, every other hub among them (or ten minutes went by
 * without it), and none that is here shows more than this node holds. To a village's device another
 * one tells nothing of the kind. */
bool exchange_settled(const struct exchange *x);

/* --- what can be shown: one entry a live session --- */
struct exchange_peer {
    struct sign_key device;
    bool connected;
    struct session_status status;
};
size_t exchange_peers(const struct exchange *x, struct exchange_peer *out, size_t max);
