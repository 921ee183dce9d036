#pragma once
/*
 * Two ends of a pipe with a line between them that a test has in its hands: it passes bytes on,
 * loses, changes and adds some. A mistake fails the test.
 */
#include "node/link/pipe_link.h"
#include "tests/support/rng.h"

enum { CALLER, CALLED, ENDS };

struct end {
    struct link *link;
    int fd;
    struct box_key key;
    struct box_secret secret;
    /* what it was told */
    unsigned ups, downs, frames;
    uint64_t peer;
    struct buf last;
    enum err why;
};

/* Of the fields some are set between line_prepare and line_open. */
struct line {
    struct end ends[ENDS];
    int far[ENDS]; /* the line's side of each end */
    uint64_t passed[ENDS];
    uint64_t now_ms;
    bool stranger;         /* the called end knows nobody */
    uint64_t cut_at[ENDS]; /* the byte from this end with this number is lost; UINT64_MAX: none */
    struct rng *noise;     /* changes, loses and adds bytes */
    unsigned noise_each;   /* about one of so many */
    struct sign_key township[ENDS];
    struct pipe_keys more; /* the caller tries these first */
    bool has_more;
};

void line_prepare(struct line *l);
void line_open(struct line *l);
void line_close(struct line *l);
/* What an end asks its owner: is it the caller's key? */
bool line_admit(void *line, const struct box_key *key);
/* Puts bytes into what an end is sent: line_put(l->far[CALLED], ...). */
void line_put(int fd, const void *bytes, size_t size);
/* Passes on what stands at the line from one end. True: there was something. */
bool line_pass(struct line *l, int from);
/* One turn of an end; what it is told is counted there. */
void line_take(struct line *l, struct end *e);
/* Until nothing moves. */
void line_settle(struct line *l);
enum err line_say(struct line *l, int from, const void *bytes, size_t size);
void line_meet(struct line *l);
/* Each says something until the other heard it, as a session does, which has a heartbeat. Returns
 * how many were heard. */
unsigned line_talk(struct line *l, unsigned rounds);
