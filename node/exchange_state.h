#pragma once
/* The inside of the exchange, shared by node/exchange*.c. */
#include "common/log.h"
#include "common/version.h"
#include "node/exchange.h"
#include "node/recorder.h"
#include "node/run_making.h"
#include "node/run_taking.h"
#include "node/store/local.h"
#include "node/store/traffic.h"
#include "node/towns.h"

#define TURN_BYTES_MAX MIB(1) /* RUN and RECEIPT bytes held at a time, all peers together */
#define TURN_RAW_MAX MIB(2)   /* the same, opened */
#define TURN_EVENTS_MAX 1024u /* link events taken in one turn */
#define BUILDS_A_TURN 64u
#define HUBS_MET_MAX 8u
#define TOWNS_TOLD_MAX 32u   /* states that hubs signed, told to a peer */
#define TOWNS_WAITING_MAX 8u /* that cannot be judged yet */
/* Frames that a link does not take wait up to this. */
#define PEER_UNSENT_MAX (4 * FRAME_SIZE_MAX)
/* A connection of an invite has no session that would notice its end: it goes after this long
 * without a frame. A joiner gives up its own after 90 s. */
#define JOINER_MS 300000u
#define CLOSING_MS 10000u    /* then a peer whose session ended goes, all sent or not */
#define FLUSH_AFTER_MS 1000u /* what is remembered of peers is written at least so often */
#define FLUSH_IDLE_MS 100u   /* of one that is idle or gone: others will be in a moment */

/* What links carried and the store does not have yet. */
struct counted {
    struct box_key key;
    bool known;
    struct traffic bytes;
};

struct unsent {
    struct unsent *next;
    struct buf frame;
};

struct peer {
    struct peer *next;
    struct link *link;
    uint64_t handle;
    bool connecting;
    bool closing; /* its session ended: closed when nothing is unsent */
    uint64_t closing_ms;
    struct box_key key;
    struct device device; /* the roster's owner of `key` */
    struct buf keys;      /* its signing keys, one after the other */
    struct session *session;
    struct peer_row row;
    uint64_t told, views_of; /* frames that told its views; the one that row.views8 is of */
    bool row_changed;
    uint64_t row_changed_ms;
    bool was_idle;
    bool forgets; /* the runs its session holds may have boxes that were erased: not to be kept */
    bool told_aside;           /* of a feed of which something stands aside: it may be shown more */
    bool hello_taken, arrived; /* since the last look of exchange_hubs.c */
    bool hello_asked;          /* by that */
    /* exchange_towns.c */
    bool towns_open, towns_had; /* its HELLO came; it keeps: */
    bool towns_back;            /* a hub that has an older one of its own than we */
    uint8_t towns8[8];
    struct town_state towns[TOWNS_TOLD_MAX]; /* that it has */
    size_t town_count;
    uint64_t towns_told; /* towns_version of the exchange when it was told */
    struct unsent *unsent, **unsent_tail;
    size_t unsent_bytes;
    struct carriage *carriage;           /* node/exchange_courier.h; NULL: nothing is carried */
    uint64_t laps;                       /* see exchange_serve_builds */
    uint64_t noted_sent, noted_received; /* bytes that its row has */
};

/* A RUN taken from a session, to be committed with the others of this turn. */
struct pending_store {
    struct pending_store *next;
    struct peer *peer;
    uint32_t ticket;
    struct feed_ref feed;
    struct run run;
    struct buf payload;
    struct want_point last; /* it ends at this event, once it is stored */
    bool has_views;
    uint8_t views8[8];
    uint64_t told; /* peer.told when it came: receipts that came later are newer */
    enum err err;  /* result, told after the commit */
    bool retry;    /* its author may come to be known by this very turn */
};

struct pending_build {
    struct pending_build *next;
    struct peer *peer;
    struct session_action action;
};

struct pending_receipt { /* kept as proof */
    struct pending_receipt *next;
    struct sign_key from;
    uint64_t counter;
    struct buf body;
    struct signature signature;
};

/* A connection made with an invite. */
struct joiner {
    struct joiner *next;
    struct link *link;
    uint64_t handle;
    uint64_t heard_ms; /* when it last sent something */
};

struct attached {
    struct attached *next;
    struct link *link;
    bool connecting;
    struct exchange_link shown;
    struct exchange_moved moved; /* by sessions that ended */
};

struct exchange {
    struct exchange_options options;
    struct store *store;
    struct views *views;
    const struct store_identity *identity;
    struct recorder *recorder;
    struct run_maker maker;
    struct run_decoder *decoder;

    struct attached *links;
    struct peer *peers;
    struct joiner *joiners;
    struct session_feed *feeds; /* by local number - 1, as last seen */
    size_t feed_count;

    struct pending_store *stores, **stores_tail;
    uint64_t store_bytes;
    struct pending_build *builds, **builds_tail;
    uint64_t laps; /* of the one served last */
    struct pending_receipt *receipts;
    uint64_t receipt_bytes;
    struct peer_row *gone; /* of peers that are no more, not written yet; owned */
    size_t gone_count;
    uint64_t gone_ms; /* since when the oldest of them waits */

    struct counted *counted; /* by transport key */
    size_t counted_count, counted_capacity;
    uint64_t counted_ms;   /* when the links were last asked */
    uint64_t unwritten_ms; /* since when there is something in it */
    uint64_t month_bytes;  /* with a limit: of the month that is counted under, in the store */
    uint32_t month_of_day; /* the day that this was looked at for; UINT32_MAX: never */
    uint64_t month_room;   /* with a limit: bytes left for what is not urgent */
    bool holding;
    struct courier_stock *stock; /* node/exchange_courier.h; NULL: no couriers */

    uint64_t erased; /* erase_serial as it was last looked at */
    bool forked;     /* what was stored forked a feed of this device */
    bool met;        /* one who would know told what it holds, since the start */
    bool villager;   /* this device is a village's, by the roster as last seen */
    struct sign_key hubs_met[HUBS_MET_MAX]; /* the same of other hubs */
    size_t hubs_met_count;
    uint64_t opened_ms; /* monotonic; 0: before the first turn */
    /* exchange_towns.c */
    uint64_t towns_txn, town_events; /* when it last looked */
    bool towns_looked, towns_changed, has_towns, sign_due;
    uint64_t sign_at_ms, sign_since_ms, signed_ms; /* monotonic: not before; due since; last */
    struct hash town_digest;                       /* of our heads */
    uint8_t towns8[8];                             /* of all that is kept */
    uint64_t towns_version;                        /* grows when that changes */
    struct town_waiting {
        struct sign_key from; /* first key of the peer that told it last */
        struct town_kept kept;
    } towns[TOWNS_WAITING_MAX];
    size_t town_count;
    struct exchange_time time; /* of the last turn or look */
    uint64_t receipt_counter;
};

__attribute__((format(printf, 3, 4))) void exchange_log(struct exchange *x, int level,
                                                        const char *format, ...);

/* The number of the next receipt. Takes a write transaction once in a million. */
uint64_t exchange_next_counter(struct exchange *x);

/* --- exchange_peers.c --- */
/* Each peer's share of the bytes that this node takes at once. */
uint64_t peer_window(const struct exchange *x);
struct peer *peer_find(struct exchange *x, const struct link *link, uint64_t handle);
MUST_CHECK enum err peer_open(struct exchange *x, struct attached *a,
                              const struct link_event *event, struct peer **out);
void peer_close(struct exchange *x, struct peer *p, enum err err, const char *text);
/* The digest of the views of the scopes that both ends hold; false when there is none. */
bool peer_views(struct exchange *x, struct txn *t, const struct peer *p, uint8_t out8[8]);
void peer_send(struct peer *p, struct slice frame);
void peer_flush_unsent(struct peer *p);
/* It takes so little of what it is sent that it is given up. */
bool peer_is_stuck(const struct peer *p);
/* --- exchange_devices.c --- */
/* Who it is, as the roster has it. */
MUST_CHECK enum err peer_set_device(struct peer *p, const struct roster *roster,
                                    const struct device *d);
/* Whom this node, which dialled, was introduced to by an invite: while it has no roster, or not all
 * of it. `out` may be filled and returned; NULL: nobody. */
const struct device *peer_introduce(struct txn *t, const struct roster *roster,
                                    const struct box_key *key, struct device *out);
/* Whom the roster has for it now; NULL: nobody. */
const struct device *peer_device_now(const struct peer *p, const struct roster *roster);
/* May this peer hold the feed (its own included)? May we? */
bool peer_may_hold(const struct peer *p, const struct feed *feed);
/* Its signing keys, newest first; false at the end. */
bool peer_key_at(const struct peer *p, size_t i, struct sign_key *out);
/* By the roster as it is now: since its session began, or by this very transaction. */
bool peer_is_revoked(const struct roster *roster, const struct sign_key *device);
/* Two villages' devices: what one holds has not arrived at the township (DESIGN W3). */
bool peer_is_neighbour(const struct exchange *x, const struct peer *p);
bool self_may_hold(const struct exchange *x, const struct roster *roster, const struct feed *feed);

/* --- exchange_peers.c, what is remembered --- */
void peers_look_at_roster(struct exchange *x, struct txn *t, const struct roster *roster);
void peers_write(struct exchange *x, struct txn *t);
void peer_changed(struct exchange *x, struct peer *p);
/* Keeps what a frame told of the peer's views, unless a later one told already. `told`: of the
 * frame, ++p->told as it came. */
void peer_told_views(struct exchange *x, struct peer *p, uint64_t told, bool has_views,
                     const uint8_t views8[8]);
/* A session that has nothing left to do, or ended so: that is a success to remember. */
void peer_succeeded(struct exchange *x, struct peer *p, const struct session_status *status);

/* --- exchange_unfinished.c --- */
/* Runs that are on their way in pieces, as peer_row keeps them; empty when there are none. */
void unfinished_write(struct buf *out, const struct session *s);
/* What cannot be read is left out. `memory` borrows from `bytes` and `outgoing`. */
void unfinished_read(struct slice bytes, struct session_memory *memory,
                     struct session_outgoing outgoing[OUTGOING_MAX]);

/* Takes the feeds that nobody here may see out of a row that will not be written. */
void exchange_forget_hidden(const struct exchange *x, struct peer_row *row);

/* --- exchange_act.c --- */
/* Takes all actions of its session. */
void peer_act(struct exchange *x, struct peer *p);

/* --- exchange_store.c --- */
MUST_CHECK enum err exchange_commit_stores(struct exchange *x);
/* Refreshes x->feeds from the store and tells sessions what changed. */
MUST_CHECK enum err exchange_look_at_feeds(struct exchange *x, struct txn *t);
void session_feed_of(const struct exchange *x, const struct roster *roster,
                     const struct feed_row *row, struct session_feed *out);
/* As this peer is shown it, and sent: with what stands aside, where it is the township's; else with
 * so much of that as it told that it holds, or `sent` right now (NULL: nothing). `number`: the
 * feed's. */
void session_feed_for(struct txn *t, const struct peer *p, uint32_t number,
                      const struct session_feed *feed, const struct want_point *sent,
                      struct session_feed *out);
/* A peer told that it holds points of this feed. */
void exchange_note_told(const struct exchange *x, struct peer *p, const uint8_t id8[8]);
/* Shows peers what they may see by what they told since. */
MUST_CHECK enum err exchange_show_told(struct exchange *x);
/* Points of all heads of a feed, for WANT. */
size_t exchange_points(struct txn *t, const struct feed_row *row,
                       struct want_point points[WANT_POINTS_MAX]);

/* --- exchange_build.c --- */
MUST_CHECK enum err exchange_serve_builds(struct exchange *x);
/* Takes out the one to be made first, for the peer that has waited longest; owned (free). NULL:
 * none whose peer takes what it is sent. */
struct pending_build *exchange_next_build(struct exchange *x);
/* Is there one whose peer takes what it is sent? */
bool exchange_builds_waiting(const struct exchange *x);

/* --- exchange_traffic.c --- */
/* Asks the links what they carried: once a second, or with a limit every turn, and then holds the
 * sessions back or lets them go. */
void exchange_traffic_turn(struct exchange *x);
/* The same for a link that will be closed at once. */
void exchange_traffic_last(struct exchange *x, struct link *link);
/* Writes it along with what is committed. */
void exchange_traffic_write(struct exchange *x, struct txn *t);
/* Milliseconds of the monotonic clock when it wants a commit of its own; UINT64_MAX: nothing does.
 */
uint64_t traffic_due_ms(const struct exchange *x);

/* --- exchange_hubs.c --- */
/* What a frame of another hub told is looked at for what it means to this one. */
void exchange_hubs_look(struct exchange *x, struct peer *p);
/* Were all other hubs met in this process, or waited for long enough? */
bool exchange_hubs_are_met(const struct exchange *x);
/* Notes through whom the records of a village came, within the transaction that stores them. */
enum err exchange_note_via(struct exchange *x, struct txn *t, const struct peer *from,
                           const struct sign_key *author);

/* --- exchange_towns.c --- */
/* Before the HELLO is remembered. */
void exchange_towns_hello(struct exchange *x, struct peer *p, const struct frame_hello *hello);
void exchange_take_town(struct exchange *x, struct peer *p, struct slice frame);
/* What is new since the last turn is signed, kept and told. */
MUST_CHECK enum err exchange_towns_turn(struct exchange *x);
uint64_t exchange_towns_due_ms(const struct exchange *x); /* the next turn that is of use */
void exchange_towns_clear(struct exchange *x);

/* --- exchange_courier.c --- */
MUST_CHECK enum err exchange_courier_open(struct exchange *x);
/* Somebody else may have put something into the folder. */
void exchange_courier_stale(struct exchange *x);
/* Any frame of a session: those of couriers are taken. */
void exchange_courier_frame(struct exchange *x, struct peer *p, struct slice frame);
MUST_CHECK enum err exchange_courier_turn(struct exchange *x, bool *more);
void exchange_courier_forget(struct peer *p);
/* Is something of a courier's on its way, or waited for? */
bool exchange_courier_busy(const struct exchange *x, const struct peer *p);
/* When patience with a peer ends; UINT64_MAX: nobody is waited for. */
uint64_t exchange_courier_due_ms(const struct exchange *x);

/* --- exchange_join.c --- */
/* What a link says of a connection made with an invite. */
void exchange_take_joiner(struct exchange *x, struct link *link, const struct link_event *event);
/* All of a link that is removed. */
void exchange_forget_joiners(struct exchange *x, const struct link *link);
/* Drops those that have been silent for too long. */
void exchange_sweep_joiners(struct exchange *x);
uint64_t exchange_joiners_due_ms(const struct exchange *x); /* UINT64_MAX: there are none */
