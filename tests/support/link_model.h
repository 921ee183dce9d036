#pragma once
/*
 * One direction of a bad link, in virtual microseconds: a bounded queue with a rate and a delay.
 * Pure: it has no clock, no socket and no bytes; it says when what was pushed arrives, and counts
 * what was lost. The two directions of a link are two models.
 *
 * What passes is a byte stream as TCP carries it over such a link. So a lost packet is no gap but a
 * stall: nothing arrives for a retransmission time, then all that followed. Headers of TCP and IP,
 * acknowledgements and slow start are left out: a byte is a byte of the stream.
 */
#include "tests/support/rng.h"

enum { LINK_PACKET_SIZE = 1448 }; /* of the stream, in one packet of 1500 */

/* When a recorded link let a packet pass, in ms from its start, ascending (mahimahi's format).
 * Played again and again; the last is above 0. */
struct link_packets {
    const uint32_t *at_ms;
    size_t count;
};

struct link_options {
    uint64_t rate_bps; /* 0: no bound */
    uint64_t delay_us;
    size_t queue_max;       /* bytes it takes ahead, beyond what the wire itself holds */
    unsigned loss_permille; /* of packets */
    uint64_t stall_us;      /* first retransmission time; twice that when it is lost again, ... */
    uint64_t cut_bytes;     /* how many pass between two cuts; 0: no bound */
    struct link_packets packets; /* borrowed; count 0: the rate counts */
};

enum link_state {
    LINK_MODEL_UP,
    LINK_MODEL_FROZEN, /* nothing moves, nothing is lost */
    LINK_MODEL_DOWN,   /* takes nothing */
    LINK_MODEL_HOLE,   /* half open: takes all, and it vanishes */
};

struct link_segment {
    uint64_t tag; /* the caller's */
    uint64_t arrive_us;
    size_t size;
};

/* taken = carried + lost + what is under way */
struct link_counts {
    uint64_t taken, carried, lost;
};

struct link_model {
    struct link_options options;
    struct link_counts counts;
    enum link_state state;
    struct rng rng;
    struct link_segment *segments; /* a ring of those under way */
    size_t first, count, capacity;
    size_t held;         /* bytes under way */
    uint64_t passed;     /* bytes sent since the last cut */
    uint64_t free_us;    /* when the wire has sent all that was pushed */
    uint64_t last_us;    /* arrival of the last: nothing overtakes */
    uint64_t cut_us;     /* when `cut_bytes` have passed; UINT64_MAX: not yet */
    uint64_t frozen_us;  /* since when */
    uint64_t packet;     /* number of the recorded packet that is filled next */
    size_t packet_space; /* what is left of it */
};

void link_model_init(struct link_model *m, const struct link_options *options, uint64_t seed);
void link_model_clear(struct link_model *m);
/* From now on; what is under way arrives as it would have. Counts `cut_bytes` anew. */
void link_model_change(struct link_model *m, const struct link_options *options);

/* Going down, up from down, or into a hole loses all that is under way. */
void link_model_set(struct link_model *m, uint64_t now_us, enum link_state state);

size_t link_model_room(const struct link_model *m);
/* Takes as much of `size` as there is room for and returns that. Size 0 pushes a mark: it takes no
 * room and no rate, and arrives in its place. */
size_t link_model_push(struct link_model *m, uint64_t now_us, uint64_t tag, size_t size);
/* The next that has arrived, a packet or less. False when there is none. */
bool link_model_pull(struct link_model *m, uint64_t now_us, struct link_segment *out);
/* When the next arrives; UINT64_MAX: nothing will. */
uint64_t link_model_next_us(const struct link_model *m);

/* --- when a link is up --- */

struct link_span {
    uint64_t from_us, to_us; /* to_us is not in it */
};
/* Spans sorted and apart; or a period, up first; or, all empty, always up. */
struct link_times {
    const struct link_span *spans; /* borrowed */
    size_t span_count;
    bool spans_down; /* they are the outages, not the contacts */
    uint64_t up_us, down_us;
};
/* Whether it is up, and when that changes (UINT64_MAX: never). */
bool link_times_up(const struct link_times *t, uint64_t now_us, uint64_t *until_us);
