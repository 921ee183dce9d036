#pragma once
/*
 * Two sessions that talk over a link in memory, for tests. Each side holds its feeds as plain
 * numbers and answers BUILD and STORE as the exchange would, with runs whose payload names what
 * they carry. Helpers fail the test that uses them wrongly.
 */
#include "node/sync/session.h"

#define SIDE_FEEDS 4
#define SIDE_BRANCHES 2

/* Branch 1 leaves branch 0 after event `fork`. */
struct fake_feed {
    bool held;
    struct feed feed;
    uint64_t top[SIDE_BRANCHES]; /* 0: branch not held */
    uint64_t fork;
    bool roster;
    bool damaged; /* BUILD fails */
};

struct side {
    const char *name;
    struct session *session;
    struct fake_feed feeds[SIDE_FEEDS];
    enum err store_err; /* what STORE answers instead of looking */
    enum err receipt_err;
    unsigned run_events; /* events a run, 0: all */
    size_t event_bytes;  /* on the wire; 0: next to nothing. Then a run is as large as asked for */
    uint64_t window;
    uint64_t now_ms;
    void (*acted)(struct side *s, const struct session_action *a); /* NULL: nobody asks */
    bool cut; /* frames of this side are lost */
    struct buf inbox[4096];
    size_t inbox_at, inbox_count;
    unsigned hellos, runs, wants, receipts, refuses, alarms, confirms;
    struct session_action end;
    bool ended;
    char trace[8192];
    bool confirmed_early; /* a CONFIRM over what was not stored */
};

struct side *side_new(const char *name);
void side_hold(struct side *s, size_t number, uint64_t top);
/* The feed of a number as that side shows it to its session. */
void side_describe(const struct side *s, size_t number, struct session_feed *out);
size_t side_number_of(const struct feed_ref *ref);
void side_answer_build(struct side *s, const struct session_action *a);
void side_start(struct side *s, bool connecting, const struct session_memory *memory);
void side_stop(struct side *s);
/* Takes all actions of its session. */
void side_act(struct side *s);
bool side_idle(const struct side *s);
/* Delivers frames both ways until nothing moves. */
void sides_talk(struct side *a, struct side *b);
struct feed side_feed(size_t number);
struct event_id side_event_id(size_t feed, uint64_t branch, uint64_t fork, uint64_t seq);

/* What a node remembers of a peer that held feed 0 up to `seq`; borrows `have`. */
struct session_memory side_remembered(struct have_entry *have, uint64_t seq);

/* Two of them, as set-up and tear-down of a test: *state is a struct sides. */
struct sides {
    struct side *village, *hub;
};
int sides_begin(void **state);
int sides_end(void **state);
/* Both are started, the village dials, until nothing moves. `memory`: the village's, or NULL. */
void sides_run(struct sides *p, const struct session_memory *memory);
