#pragma once
/*
 * `sidan drill lost-laptop`: what would happen if a village's laptop were lost now, done for once.
 *
 * The hub's store is copied into a scratch folder; there the authority invites a device, a hub of
 * the copy listens on loopback, and a bare folder joins it and fetches the village's records, by
 * the very verbs and the very exchange that a lost laptop needs; or request, answer and a bundle
 * are carried. Then both ends are compared. Of all this nothing reaches the real store: the roster
 * never hears of it, and no key is copied (the parts of the drill hold in memory what this process
 * has read).
 */
#include "tools/scratch.h"

#include "tools/cli.h"

#define DRILL_FOLDER "drill" /* in the home */
#define DRILL_SCOPES 2       /* the roster's, the village's */

/* What the parts of a drill saw; in memory that they share. */
struct drill_scope {
    char name[SCOPE_SIZE_MAX + 1];
    uint64_t events;
    struct hash events_digest, views_digest; /* at the new laptop */
    bool same;                               /* as the hub has them */
};
struct drill_seen {
    /* at the hub, before */
    char code[13], village[65], short_name[33];
    uint64_t missing; /* events that the village told of and the hub does not hold */
    bool missing_sure;
    uint64_t last_ok_ms;         /* last contact; 0: never */
    uint64_t rate_bps, rtt_ms;   /* of its link */
    bool measured, rtt_measured; /* else what such a link is taken to have */
    bool by_bundle;              /* everything is carried */
    char address[64];            /* of the copy that listens */
    /* at the new laptop, after */
    uint64_t events, bytes_up, bytes_down, ms;
    uint64_t problems; /* what `verify` finds */
    struct drill_scope scopes[DRILL_SCOPES];
    bool whole; /* verified, and the same as at the hub */
};

struct drill {
    struct cli *cli; /* its keys are read */
    struct scratch scratch;
    struct drill_seen *seen;
    int ready[2];      /* a byte when the copy listens */
    uint64_t until_ms; /* monotonic */
};

/* The parts: each is a process and gives an exit code; `state` is the drill. */
int drill_prepare(void *state);   /* looks at the village, copies the store, invites */
int drill_serve(void *state);     /* the copy listens, until it is told to end */
int drill_restore(void *state);   /* the bare folder joins, fetches, and is compared */
int drill_by_bundle(void *state); /* the same without a link, so without drill_serve */

/* Opens the copy's store for a `cli` that has the hub's keys. Reports errors itself. */
int drill_open_copy(struct drill *d, struct cli *cli, bool writable);
/* Runs a verb on the copy, with the hub's keys. */
int drill_on_copy(struct drill *d, int (*verb)(struct cli *cli), const char *argument,
                  const struct cli_flag *flags, size_t flag_count);
/* Runs a verb on another folder, with nothing on standard output. */
int drill_quietly(struct cli *cli, int (*verb)(struct cli *cli));
