#pragma once
/*
 * Network changes from the kernel (rtnetlink): a laptop that gets a link back should not wait for
 * its backoff.
 */
#include "common/err.h"

#include <stdbool.h>

/* A non-blocking descriptor to poll for reading. Errors: those of socket(2), bind(2). */
MUST_CHECK enum err netwatch_open(int *fd);
/* Takes all news; true when an interface, an address or a route came up (or news were lost). */
bool netwatch_read(int fd);
