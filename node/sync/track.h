#pragma once
/*
 * What a session knows of each feed: the local heads, what the peer holds, what was sent and not
 * yet receipted. A peer's holdings are points (number, first 8 bytes of the id); a point stands for
 * itself and all its ancestors.
 */
#include "node/sync/session.h"

#define TRACK_POINTS_MAX (2 * FEED_BRANCHES_MAX)

struct point_set {
    struct want_point points[TRACK_POINTS_MAX];
    size_t count;
};

struct track {
    uint8_t id8[8];
    bool held;  /* `local` is meaningful */
    bool moved; /* `local` changed since the last answer to a STORE */
    struct session_feed local;
    struct point_set peer;      /* as told, receipted, or sent to us */
    struct point_set confirmed; /* only what the peer told or receipted: what has arrived there */
    struct point_set told;      /* while a HELLO is read */
    struct point_set shown;     /* what the peer knows that is held here */
    struct point_set showing;   /* told to the peer at showing_ms, not known to be read; or none */
    uint64_t showing_ms;
    struct point_set sent;   /* sent in this session, not yet receipted */
    struct point_set wanted; /* positions of the peer's last WANT; count may be 0 */
    bool want_open;          /* a WANT of the peer is to be answered from `wanted` */
    uint64_t want_to;        /* its last number; 0: to the head */
    bool no_dictionary;
    bool building;
    bool resuming;        /* a run of it was cut: where it goes on the peer will tell */
    unsigned storing;     /* RUNs of the peer not stored yet: what they bring is not sent back */
    bool parked;          /* left alone in this session: a damaged event is in the way */
    unsigned asked;       /* WANTs sent without progress since */
    bool ask_again;       /* one was left out, for the last was sent a moment before */
    uint64_t asked_ms;    /* time of the last one */
    uint64_t asked_flags; /* of those that came close upon each other, it included */
    unsigned expired;     /* times that what was sent went without an answer */
    bool confirm;         /* heads to be receipted */
};

struct want_point point_of(uint64_t seq, const struct event_id *id);
bool points_have(const struct point_set *set, const struct want_point *p);
/* Adds `p`; `replaces` (may be NULL) is its ancestor and goes out. A full set loses its oldest. */
void points_add(struct point_set *set, const struct want_point *p,
                const struct want_point *replaces);
uint64_t points_top(const struct point_set *set); /* greatest number, 0 when empty */
bool points_equal(const struct point_set *a, const struct point_set *b);

/* The first local head that the peer is not known to hold nor was sent; NULL when there is none, or
 * none may be sent now. */
const struct session_head *track_next_head(const struct track *t);
/* Roster or urgent, as far as is known: of a feed that is not here nothing is. */
bool track_is_first(const struct track *t);
/* All local heads were told or receipted by the peer. */
bool track_arrived(const struct track *t);
/* Numbers the peer lacks, and numbers it has more of, as far as known. */
uint64_t track_unsent(const struct track *t);
uint64_t track_behind(const struct track *t);
/* Order of sending: roster, urgent, normal, intake, what villages say to the whole town; then the
 * shortest backlog. Negative: `a` first. */
int track_compare(const struct track *a, const struct track *b);

/* All feeds of a session, sorted by id8. */
struct track_table {
    struct track **rows;
    size_t count, capacity;
};
struct track *tracks_find(const struct track_table *table, const uint8_t id8[8]);
/* Finds or makes. NULL: out of memory or HAVE_ENTRIES_MAX feeds. */
struct track *tracks_get(struct track_table *table, const uint8_t id8[8]);
void tracks_clear(struct track_table *table);
