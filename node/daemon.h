#pragma once
/*
 * The daemon as a process: limits, the home's lock, settings, keys, store and views opened in
 * order, each failure told as what, why and what to do; then the loop.
 */
#include <stdbool.h>

enum daemon_exit { /* as the command line's */
                   DAEMON_OK = 0,
                   DAEMON_FAILED = 1,
                   DAEMON_USAGE = 2, /* the command line or the configuration */
                   DAEMON_REFUSED =
                       8, /* another one runs on this home; the hub refused the invite */
                   DAEMON_NOT_JOINED = 10,
                   DAEMON_LOCKED = 100, /* never leaves the process: it begins anew, with nothing of
                                           what it knew in memory, and waits */
};

struct daemon_options {
    const char *home;
    bool check_only; /* look at configuration, keys and store, then stop */
    bool verbose;
};

enum daemon_exit daemon_run(const struct daemon_options *options);
