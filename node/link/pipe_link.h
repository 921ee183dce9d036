#pragma once
/*
 * The pipe: a link over two descriptors, an ssh or a serial line, with one peer at the other end
 * (SPEC 25). One end calls, and knows whom; the other answers whoever proves to be of its roster.
 *
 * node/DESIGN.md has the invariants P1 to P4. Where something was lost the peer is down with what
 * was under way (LINK_DOWN), and the end that calls calls anew on the same line: another peer comes
 * up, as often as it takes. The link is over when its line is, or when all keys were refused.
 *
 * Who can write on the line can end a session; so can who cuts it.
 * How to drive it: poll what pipe_link_poll asks for, at most pipe_link_wait_ms; then
 * pipe_link_tick, and take `next` until it returns false. No clock is read here.
 */
#include "node/link/link.h"

#include <poll.h>

#define PIPE_QUEUE_MAX ((size_t)64 * 1024)
/* What a frame and a handshake have on the line beside the frame, about. */
#define PIPE_FRAME_OVERHEAD 26
#define PIPE_HANDSHAKE_SIZE 164

/* Whom a calling end tries, and as whom; an answering end's own keys, `peer` is not read. */
struct pipe_keys {
    struct box_key peer, own;
    struct box_secret secret;
};
struct pipe_link_options {
    int in, out; /* the caller's, O_NONBLOCK; may be the same */
    struct sign_key township;
    bool calling;
    const struct pipe_keys *keys; /* copied; one at least, the likeliest first */
    size_t key_count;
    bool (*admit)(void *state, const struct box_key *key); /* answering: may it come in? */
    void *state;
};
/* Errors: ERR_NOMEM. */
MUST_CHECK enum err pipe_link_open(struct link **out, const struct pipe_link_options *options);

void pipe_link_poll(const struct link *l, struct pollfd out[2]);
/* How long the caller may sleep; UINT64_MAX: until the line has something. */
uint64_t pipe_link_wait_ms(const struct link *l);
/* Once a turn: calls that are due, and what can go out. `now_ms` is monotonic. */
void pipe_link_tick(struct link *l, uint64_t now_ms);
/* Is the line at its end? Then why: ERR_UNREACHABLE (closed), ERR_FORBIDDEN (not let in, or nobody
 * of the keys is there), ERR_NOMEM. The text is English. */
bool pipe_link_over(const struct link *l, enum err *err, const char **text);
bool pipe_link_up(const struct link *l);

/* Since the start. */
struct pipe_link_counts {
    uint64_t sent, received; /* bytes on the line */
    uint64_t met;            /* handshakes that were done */
    uint64_t damaged;        /* times that something was lost or changed after that */
    uint64_t skipped;        /* bytes and packets that were none, before */
    uint64_t for_others;     /* calls that none of our keys opens */
    uint64_t denied;         /* calls of who is not admitted, or refusals of ours */
};
struct pipe_link_counts pipe_link_counts(const struct link *l);
