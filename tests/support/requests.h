#pragma once
/*
 * Requests played act by act: a township with a hub that has every role, two villages and a unit;
 * a case is a list of acts, each deeper than the last and knowing all before it, with what it must
 * come to. Use within cmocka; set up and tear down once a test.
 */
#include "node/views/request.h"
#include "tests/support/township.h"

#define PLAY_SCOPE "village:431322111201"
/* 2025-11-24 18:00, the evening of the day after the township's first, and so on. */
#define PLAY_EVENING(days) (UINT64_C(1763892000000) + (uint64_t)(days)*86400000)

enum play_actor { HUB, VILLAGE, NEIGHBOUR, UNIT, DESK };

struct play_act {
    const char *kind;
    enum play_actor who;
    const char *body; /* NULL: {} */
    const struct thing_id *by;
    enum effect effect;
    enum request_state after;
    const char *reason; /* part of it; NULL: not asked */
    uint64_t time_ms;   /* 0: the township's */
    bool untrusted;
};

/* The forms in which cases are written: an act that takes effect; one that the machine refuses, for
 * a reason of which this is a part; one that is marked with another effect. */
#define DOES(kind_, who_, body_, by_, after_)                                                      \
    {                                                                                              \
        .kind = (kind_), .who = (who_), .body = (body_), .by = (by_), .after = (after_)            \
    }
#define FAILS(kind_, who_, body_, by_, after_, reason_)                                            \
    {                                                                                              \
        .kind = (kind_), .who = (who_), .body = (body_), .by = (by_), .after = (after_),           \
        .effect = EFFECT_IMPOSSIBLE, .reason = (reason_)                                           \
    }
#define MARKED(kind_, who_, body_, effect_, after_)                                                \
    {                                                                                              \
        .kind = (kind_), .who = (who_), .body = (body_), .after = (after_), .effect = (effect_)    \
    }

struct play {
    struct township town;
    struct township_node node;
    struct thing_id subject; /* of the request that is played */
    struct event_id newest;  /* the last act recorded */
    uint32_t events;         /* recorded of it */
    size_t taken;            /* of the township's events, by the node */
};
extern struct play play;
extern const struct thing_id play_clerk, play_visitor;

int play_set_up(void **state); /* registers a request of nature help in the first village */
int play_tear_down(void **state);
void play_join_desk(void); /* from now on DESK acts: a township device with the role dispatch */
/* Another request, which is played from now on. Fields are joined to a body that is good; NULL:
 * none. */
void play_register(const char *nature, const char *more, uint64_t time_ms);
/* Records an act on it with this depth and seen, and does not look at what it comes to. */
void play_record(const struct play_act *act, uint32_t depth, uint32_t seen);
/* Records the acts and compares the effect of each, the state after it and the reason. */
void play_acts(const struct play_act *acts, size_t count);
#define PLAY(acts) play_acts((acts), sizeof(acts) / sizeof(acts)[0])
/* The row as it stands. Copies of its texts stay until the next call. */
struct request play_row(void);
