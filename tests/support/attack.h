#pragma once
/*
 * Attacks of an enrolled enemy as rows: what it sends, and how that must end. One runner plays a
 * row against a hub with an honest village at its side and holds the hub's store, counters and
 * memory before against those after.
 */
#include "node/views/views.h"
#include "tests/support/enemy.h"

enum attack_end {
    REFUSED,     /* REFUSE with the code, counted and logged once; the session is over */
    TURNED_AWAY, /* the same of a join exchange: there is no peer to count it at */
    KEPT,        /* in the log; no session suffers */
    UNANSWERED,  /* no REFUSE, the session goes on */
    ASKED,       /* so too, and the hub asks for what it lacks */
    LEFT,        /* the hub ended the session without a REFUSE, or never had one */
};

struct attack;
typedef void attack_play(const struct attack *a);
struct attack {
    const char *name;
    attack_play *play;
    /* what the play takes */
    void (*spoil)(struct bad_run *r);
    const char *scope, *kind, *body;
    uint64_t number;
    /* what must be so afterwards */
    enum attack_end end;
    enum refuse_code code;
    unsigned held;    /* of its events in the log more than before */
    unsigned count;   /* of those that have an effect; the others are marked, or stand aside */
    enum effect mark; /* of its last one; 0: there is none, or it counts */
    unsigned aside;   /* of those that stand aside, whoever signed them */
    bool others;      /* in the play others record too, so roster and requests may change */
};

/* A cmocka test with a row as its initial state, between enemy_begin and enemy_end. */
void attack_run(void **state);
void attack_run_by_stick(void **state);
/* What is resident may not rise much in between. */
long attack_memory_begin(void);
void attack_assert_memory(long before_kib);
/* Setup that keeps the row. */
int attack_begin(void **state);
