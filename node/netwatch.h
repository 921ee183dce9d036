#pragma once
/*
 * Network changes from the kernel (rtnetlink): a laptop that gets a link back should not wait for
 * its backoff.
 */
#include "common/err.h"

#include <stdbool.h>

struct netwatch {
    int fd;   /* non-blocking, to poll for reading; -1: not available */
    int lost; /* index of the interface that last lost its carrier or went down; 0: none */
};

enum netwatch_news {
    NETWATCH_NOTHING,
    NETWATCH_CHANGED, /* an interface, an address or a route, for better or worse */
    NETWATCH_BACK,    /* an interface that had lost its carrier has it again; or news were lost */
};

/* Errors: those of socket(2), bind(2). */
MUST_CHECK enum err netwatch_open(struct netwatch *w);
void netwatch_close(struct netwatch *w);
/* Takes all news; the weightiest. */
enum netwatch_news netwatch_read(struct netwatch *w);
