#pragma once
/*
 * Couriers on a link (proto/SPEC.md, "Couriers"; invariants C1.. in node/DESIGN.md): what is
 * carried here is offered to whom it is for, and what is offered to this node is fetched and taken
 * in. Below all that a session does: while one is not idle nothing of this goes out but answers.
 *
 * exchange_courier.c gives, exchange_courier_take.c takes.
 */
#include "node/bundle_taking.h"
#include "node/courier_parts.h"
#include "node/exchange_state.h"
#include "proto/frame_courier.h"

/* What is carried here, as the folder was last looked at. */
struct courier_stock {
    size_t count;
    struct courier_item {
        struct offer_entry offer;
        struct bundle_id id;
        char to[13]; /* village code; "": the township */
        bool noted;  /* courier.taken was said of it: */
        struct thing_id thing;
    } items[OFFER_ENTRIES_MAX];
    uint64_t version; /* rises when others lie there; 0: never looked at */
    struct hash ids;
    uint64_t looked_ms;
    bool stale;
};

struct wanted {
    struct bundle_id id;
    uint64_t size;
};

/* One peer's. */
struct carriage {
    /* giving */
    uint64_t offered;                        /* version of the stock that it was told; 0: none */
    struct bundle_id out[OFFER_ENTRIES_MAX]; /* offered, not answered */
    size_t out_count;
    uint64_t later_ms; /* some are to be offered again then; 0: none */
    int fd;            /* of the one that it asked for; -1: none */
    struct bundle_id serving;
    uint64_t offset, end; /* what it asked for of it */
    /* taking */
    struct wanted in[OFFER_ENTRIES_MAX];
    size_t in_count;
    struct courier_part part; /* of in[0] */
    uint64_t asked;           /* up to there */
    struct bundle_intake *intake;
    unsigned seen, bad; /* entries of offers; bundles of no use, in this session */
    uint64_t moved_ms;  /* when something came or went */
};

/* For what no courier ever brings. */
enum { OFFERED_MAX = 1024, BAD_MAX = 8 };
#define COURIER_PATIENCE_MS 20000u /* for a peer that does not answer: a later version may not */
#define COURIER_LOOK_MS 60000u
#define COURIER_LATER_MS (10 * 60000u)

/* Nothing else is to be done on this link. */
bool courier_may_move(const struct exchange *x, const struct peer *p);
/* Bytes that pass in so many milliseconds, as far as the link was measured. */
uint64_t courier_share(const struct peer *p, uint64_t ms, uint64_t least, uint64_t most);
/* NULL: out of memory. */
struct carriage *courier_carriage(struct peer *p);
void courier_tell(struct exchange *x, struct peer *p, const struct frame_ask *ask);

/* --- exchange_courier_take.c --- */
void courier_take_offer(struct exchange *x, struct peer *p, struct slice frame);
void courier_take_part(struct exchange *x, struct peer *p, struct slice frame);
/* One step of what is being taken in, or asks for more. True: there is more to do at once. */
MUST_CHECK enum err courier_take_turn(struct exchange *x, struct peer *p, bool *more);
void courier_take_forget(struct peer *p);
