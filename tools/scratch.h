#pragma once
/*
 * A folder inside a home where something is tried out, by parts that run as processes of their own:
 * whatever ends a part or stops this process, the folder goes. Only where this process is killed
 * outright it stays; its parts die with it, and the next scratch_begin takes it away.
 *
 * One at a time of each name. Signals that ask to stop are held back from begin to end, and reach
 * the parts at once.
 */
#include "common/err.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SCRATCH_PARTS_MAX 4

struct scratch {
    char path[PATH_MAX];
    int lock; /* flock on the folder itself */
    sigset_t stops, before;
    struct sigaction child_before;
    pid_t parts[SCRATCH_PARTS_MAX]; /* 0: it has ended */
    int codes[SCRATCH_PARTS_MAX];   /* how; -1: by a signal */
    size_t part_count;
    int stopped; /* the signal that asked to stop; 0 */
};

/* Makes <home>/<name>, 0700. Errors: ERR_BUSY (another process uses it), ERR_LIMIT, ERR_NOSPACE,
 * ERR_PERMISSION, ERR_IO. */
MUST_CHECK enum err scratch_begin(struct scratch *s, const char *home, const char *name);
/* Starts a part; what `run` returns is its exit code, and what it prints is seen. No lock, thread
 * or store of this process may be open that it would use. Errors: ERR_NOMEM, ERR_AGAIN. */
MUST_CHECK enum err scratch_start(struct scratch *s, size_t *part, int (*run)(void *state),
                                  void *state);
/* Waits for a part while `other` runs too (SIZE_MAX: none). Errors: ERR_TIMEOUT; ERR_STATE (a
 * signal asked to stop, or a part was killed, or `other` ended first). */
MUST_CHECK enum err scratch_wait(struct scratch *s, size_t part, size_t other, uint64_t until_ms,
                                 int *code);
/* Stops the parts, removes the folder, and then gives way to a signal that asked to stop. False:
 * something of the folder is left. */
bool scratch_end(struct scratch *s);
/* Is there a folder of one that was killed? */
bool scratch_left(const char *home, const char *name);
