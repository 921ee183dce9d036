#pragma once
/*
 * A contact with the hub from this process: the join exchange, and one session until both sides
 * hold and have confirmed all they have for each other.
 */
#include "node/dial_plan.h"
#include "node/exchange.h"
#include "node/key_change.h"
#include "node/link/zmq_link.h"
#include "tools/cli.h"

struct contact {
    struct cli *cli;
    struct zmq_link_context *zmq;
    uint64_t started_ms, deadline_ms; /* monotonic */
    char text[200];                   /* why the last attempt failed, English */
    bool live;                        /* the hub has answered */
    bool barred;                      /* there is something, and none of the keys fit */
    size_t key_at;                    /* of the hub's keys, the ones in use */
};
/* Opens the network; keys must be open. Reports failures. */
int contact_begin(struct contact *c, struct cli *cli, uint64_t timeout_ms);
void contact_end(struct contact *c);
bool contact_is_over(const struct contact *c); /* past its deadline */

/* One attempt to be admitted, until `until_ms`. Errors: ERR_UNREACHABLE, ERR_TIMEOUT,
 * ERR_FORBIDDEN (the hub admits no such key: used, expired, unknown), ERR_RANGE (address). OK with
 * progress->state ADMITTED or REFUSED. */
MUST_CHECK enum err contact_join(struct contact *c, const char *address,
                                 const struct invite *invite, uint64_t until_ms,
                                 struct join_progress *progress);

/* The hub to dial. */
struct contact_hub {
    const char *address;
    struct box_key key;
};
/* Does the hub let this device's own key in? Errors: as above. */
MUST_CHECK enum err contact_probe(struct contact *c, const struct contact_hub *hub,
                                  uint64_t until_ms);

/* The hubs that may be dialled, and where. */
struct contact_target {
    struct dial_plan plan; /* never empty */
};
/* --hub, else the configuration and the roster. Reports what is missing. */
int contact_target(struct cli *cli, struct contact_target *out);

/* Sessions with the hub until one has done everything, or the contact's deadline: a link that was
 * cut, or did not answer in time, is dialled again; one where nobody listens is not. The store and
 * views must be open for writing. `calling` is told each address once, `live` when the hub answers.
 * *out: what all of them did. Errors: ERR_UNREACHABLE and ERR_FORBIDDEN (never live), ERR_TIMEOUT
 * (live, but not done in time), what ended the session, the store's. */
struct contact_words {
    void (*calling)(struct contact *c, const char *address);
    void (*live)(struct contact *c);
};
struct contact_done {
    uint64_t sent, unsent, received, bytes;
    const struct dial_place *place; /* the target's that was called last */
};
MUST_CHECK enum err contact_sync(struct contact *c, const struct contact_target *target,
                                 const struct contact_words *words, struct contact_done *out);
