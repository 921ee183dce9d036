#pragma once
/*
 * A bundle is taken into the log (proto/bundle.h): each run as from a session with the device that
 * made it, verified and committed one after the other, so what stands before a damage is kept.
 * Taking one again, or an older one after a newer, changes nothing but what is new.
 */
#include "node/home.h"
#include "node/store/bundles.h"
#include "node/views/views.h"

struct bundle_taking {
    struct store *store;
    struct views *views;
    const struct device_keys *keys; /* of this device */
    uint64_t wall_ms;
    enum bundle_way way; /* how it came: noted where it is taken whole */
    bool look;           /* stores nothing */
};
struct bundle_taken {
    struct bundle_head head;
    uint64_t time_ms;   /* the sender's clock when it was made */
    bool verified;      /* its sender signed it, and is in the roster */
    bool sender_known;  /* is in the roster */
    uint64_t fresh;     /* events that were not here, of scopes that are shown here */
    uint64_t known;     /* the same that were */
    uint64_t refused;   /* in runs that were not taken */
    enum err why;       /* of the first such run: ERR_BASE, what comes before it is not here */
    bool refused_named; /* its feed is known: */
    struct feed refused_feed;
    uint64_t receipts;     /* for this device */
    uint64_t receipts_bad; /* that do not verify */
    bool two_faces;        /* a hub signed two states of `town` that cannot both be true: */
    struct sign_key two_faced;
    uint64_t bytes; /* of frames that were read whole */
    bool damaged;   /* it ends, or is changed, behind those */
};
/* Reads it at `fd`. *out is filled also where it is damaged behind its head, which is no error.
 * Errors: those of bundle_open but for ERR_CORRUPT; ERR_FOREIGN also for another township's; the
 * store's. */
MUST_CHECK enum err bundle_take(int fd, const struct bundle_taking *b, struct bundle_taken *out);

/* The same in steps, each about COMMIT_BYTES of records and a commit, for who has other things to
 * do in between; nothing is held open between two. `fd` and what `b` points to stay the caller's
 * until it is closed; bundle_intake_open has the errors of bundle_take and ERR_CORRUPT. After an
 * error of a step it is closed; what was committed stays. */
struct bundle_intake;
MUST_CHECK enum err bundle_intake_open(struct bundle_intake **out, int fd,
                                       const struct bundle_taking *b);
MUST_CHECK enum err bundle_intake_step(struct bundle_intake *s, bool *done);
const struct bundle_taken *bundle_intake_taken(const struct bundle_intake *s);
void bundle_intake_close(struct bundle_intake *s); /* NULL is fine */
