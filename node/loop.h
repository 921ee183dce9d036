#pragma once
/*
 * The daemon's loop: one thread that owns all sockets and runs the exchange. It sleeps until a
 * link, the store, the clock, the network or a signal wakes it.
 *
 *   joining    a home that waits for the hub's answer dials with the invite until it has one
 *   running    listens and dials as configured; each turn: what another process committed, one turn
 *              of the exchange, then a slice of what can wait (views to fold again, the day's
 * scrub)
 *
 * A person's "sync now" is the ask "sync" in the store. It is taken up at once, whatever the
 * backoff says; on a link that is idle the hub is asked whether it is there, so the answer is
 * fresh. The row goes when the hub has receipted everything, or the attempt failed at all
 * addresses; the hub's peer row says which.
 */
#include "node/home.h"
#include "node/link/zmq_link.h"
#include "node/settings.h"
#include "node/views/views.h"
#include "node/wake.h"

struct loop_options {
    const char *home;
    const struct settings *settings;
    struct device_keys *keys; /* followed, where a person has them changed */
    struct wake *wake;
    struct zmq_link_context *context;
    bool watch_lock; /* the keys are under a passphrase, and may be taken away (`sidan lock`) */
};

/* Joins with the home's invite. OK: the home is joined, by us or by another process. Errors:
 * ERR_TIMEOUT (told to stop), ERR_FORBIDDEN (the hub refused the invite), files', the store's. */
MUST_CHECK enum err loop_join(const struct loop_options *options);
/* Runs until told to stop: OK. Errors: ERR_LOCKED (the keys were taken away); ERR_BUSY and
 * ERR_RANGE (cannot listen, logged), ERR_CORRUPT (the store was moved away), ERR_IO (the ZAP
 * handler broke), the store's when it stays broken. */
MUST_CHECK enum err loop_run(const struct loop_options *options, struct store *store,
                             struct views *views);
