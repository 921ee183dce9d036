#pragma once
/*
 * What wakes the loop besides its links: signals to stop, the machine's clock set, another process
 * that committed, the network.
 */
#include "node/netwatch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wake_reason {
    WAKE_STOP = 1 << 0,       /* SIGTERM, SIGINT */
    WAKE_CLOCK = 1 << 1,      /* the machine's clock was set */
    WAKE_STORE = 1 << 2,      /* somebody wrote to the store; also every 200 ms without inotify */
    WAKE_STORE_GONE = 1 << 3, /* its file was moved or removed under us */
    WAKE_NETWORK = 1 << 4,    /* an interface, an address or a route changed */
    WAKE_AGAIN = 1 << 5, /* a carrier is back, or the machine slept: what seems alive may not be */
};

struct wake {
    int signals, clock, files; /* descriptors; -1: not available */
    struct netwatch network;
    int store_watch;    /* inotify's; -1: not yet */
    uint64_t asleep_ms; /* that the machine was suspended, since it was started */
};

#define WAKE_CLOSED                                                                                \
    {                                                                                              \
        .signals = -1, .clock = -1, .files = -1, .network = {.fd = -1}, .store_watch = -1          \
    }

/* Blocks SIGTERM and SIGINT (before any thread starts, D6) and ignores SIGPIPE. Only the signals
 * cannot be done without. */
MUST_CHECK enum err wake_open(struct wake *w);
void wake_close(struct wake *w);
/* From now on notices commits to the store of this home. */
void wake_watch_store(struct wake *w, const char *home);
/* No more, for who puts another file in its place. */
void wake_unwatch_store(struct wake *w);
/* Did the machine sleep since the last time? CLOCK_BOOTTIME goes on in suspend, CLOCK_MONOTONIC
 * does not (D5). */
bool wake_slept(struct wake *w, uint64_t boottime_ms, uint64_t monotonic_ms);
/* Sleeps until something happens, one of `fds` (-1: none) is readable, or the time is over. Returns
 * bits of enum wake_reason. */
unsigned wake_wait(struct wake *w, const int *fds, size_t count, uint64_t timeout_ms);
