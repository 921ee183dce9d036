#pragma once
/*
 * Sessions over a line, until everything is exchanged: with each call that is answered one begins,
 * and goes on where the one before was cut. It works on the store itself, beside a running node as
 * well (node/DESIGN.md, P5).
 */
#include "node/exchange.h"
#include "tools/pipe_line.h"
#include "tools/pipe_peers.h"

struct pipe_session_options {
    const struct pipe_line *line;
    const struct pipe_peers *peers;
    bool calling;
    uint64_t limit_ms; /* for all of it where we call; else that nothing may have come for */
    void (*met)(struct cli *cli); /* the first peer is there; may be NULL */
};
struct pipe_session_done {
    bool met;
    struct sign_key peer; /* once met, the last one */
    uint64_t sent, unsent, received;
    uint64_t bytes; /* on the line, both ways; of what is hidden nothing */
    uint64_t ms;
    uint64_t damaged, for_others, denied;
    char text[160]; /* why not, English; "" where the error says it all */
};
/* Errors: ERR_UNREACHABLE (the line is at its end), ERR_TIMEOUT, ERR_FORBIDDEN (refused), ERR_AGAIN
 * (the process was told to stop), the store's. */
MUST_CHECK enum err pipe_session_run(struct cli *cli, const struct pipe_session_options *options,
                                     struct pipe_session_done *out);
