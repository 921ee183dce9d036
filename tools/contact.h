#pragma once
/*
 * A contact with the hub from this process: the join exchange, and one session until both sides
 * hold and have confirmed all they have for each other.
 */
#include "node/exchange.h"
#include "node/link/zmq_link.h"
#include "tools/cli.h"

struct contact {
    struct cli *cli;
    struct zmq_link_context *zmq;
    uint64_t started_ms, deadline_ms; /* monotonic */
    char text[200];                   /* why the last attempt failed, English */
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

/* One attempt at a session; the store and views must be open for writing. `live` is called once
 * when the hub answers. Errors: ERR_UNREACHABLE and ERR_FORBIDDEN (never live), ERR_TIMEOUT (live,
 * but not done by `until_ms`), what ended the session, the store's. */
MUST_CHECK enum err contact_sync(struct contact *c, const struct contact_hub *hub,
                                 uint64_t until_ms, void (*live)(struct contact *c),
                                 struct session_status *out);

/* The hub as this node knows it, and its addresses: --hub, else the configuration. Reports what is
 * missing. */
struct contact_target {
    struct sign_key device;
    struct box_key key;
    const char *addresses[INVITE_ADDRESSES_MAX];
    size_t address_count;
};
int contact_target(struct cli *cli, struct contact_target *out);
