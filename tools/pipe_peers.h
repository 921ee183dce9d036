#pragma once
/* By which keys the end of a pipe that calls tries whom, and which keys the other end has. */
#include "node/link/pipe_link.h"
#include "tools/cli.h"

#define PIPE_KEYS_MAX 64

struct pipe_peers {
    struct pipe_keys keys[PIPE_KEYS_MAX]; /* secrets: wipe them */
    size_t count;
    const char *name; /* whom, for people */
};
/* The hubs, or what --to names: a village, `hub`, or a device. Reports what is missing. */
int pipe_peers_to_call(struct cli *cli, struct pipe_peers *out);
/* All keys of this device: who does not know the newest is met by one before. */
void pipe_peers_to_answer(struct cli *cli, struct pipe_peers *out);
