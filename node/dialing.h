#pragma once
/*
 * One link that this node dials: which address next, when, and how long to wait for an answer.
 *
 * A link may be there for a minute in an hour, and nothing tells when. What finds it is a SYN of 60
 * bytes while it is there: many soon after it was lost, then one about as often as the shortest
 * contact that must not be missed. So the pause after a failed round of the addresses is at first
 * retry_min_s, grows by a quarter with each, up to retry_max_s. Half of it is chance, so that
 * villages do not come back all at once after the hub was away. An attempt waits for two SYNs'
 * answers, so that none is spent where the kernel's next one would come late; every fourth waits
 * long, for a link that has become slower. Whom the hub turns away waits up to ten times as long: a
 * refusal costs a whole connection, and shows that the link is there.
 */
#include "node/dial_plan.h"
#include "node/link/zmq_link.h"
#include "node/settings.h"

struct exchange;
/* What whoever dials has at hand, the loop's: to a hub or to a neighbour alike. */
struct dial_context {
    struct store *store;
    struct views *views;
    struct exchange *exchange;
    struct zmq_link_context *context;
    const struct device_keys *keys;
    const struct settings *settings;
};

struct dialing_options {
    struct zmq_link_context *context;
    struct box_key key; /* ours */
    struct box_secret secret;
    uint32_t retry_min_s, retry_max_s;
};

struct dialing {
    struct dialing_options options;
    char addresses[DIAL_PLACES_MAX][ADDRESS_SIZE_MAX];
    size_t address_count, next_address;
    struct link *link; /* NULL between attempts */
    uint32_t rounds;   /* that failed since the last success */
    uint64_t rtt_ms;   /* the caller's: the round trip to the peer as last measured; 0: unknown */
    uint64_t next_ms;  /* not before */
    uint64_t tried_ms; /* the last attempt */
    bool tried;
    struct way way; /* to the address tried last, as of the last look */
};

void dialing_init(struct dialing *d, const struct dialing_options *options);
/* Beyond DIAL_PLACES_MAX they are ignored. */
void dialing_add_address(struct dialing *d, const char *address);
/* These instead, the first of them next; not while there is a link. */
void dialing_set_addresses(struct dialing *d, const struct dial_plan *plan);
/* Our keys from the next attempt on. */
void dialing_use(struct dialing *d, const struct box_key *key, const struct box_secret *secret);
bool dialing_due(const struct dialing *d, uint64_t now_ms);
/* Makes the link. Errors: those of zmq_link_dial; the attempt counts as failed then. */
MUST_CHECK enum err dialing_start(struct dialing *d, const struct box_key *peer, uint64_t now_ms);
/* There was nothing to make it with. */
void dialing_failed(struct dialing *d, uint64_t now_ms);
/* The address of the link, or of the attempt before. */
const char *dialing_address(const struct dialing *d);
/* How long the next attempt waits for a connection; 0: as long as a link may. */
uint64_t dialing_patience_ms(const struct dialing *d);
/* The link had its life: closes it and says when the next is due. GOOD: something came of it;
 * TURNED_AWAY: the peer is there and will not have us; OTHER_KEYS: the same, and there are other
 * keys to try there. */
enum dialing_outcome { DIALING_FAILED, DIALING_GOOD, DIALING_TURNED_AWAY, DIALING_OTHER_KEYS };
void dialing_end(struct dialing *d, enum dialing_outcome outcome, uint64_t now_ms);
/* A person asked, or the network came up: forgets the backoff; `gently`: not more than one attempt
 * a second. */
void dialing_hurry(struct dialing *d, bool gently, uint64_t now_ms);
/* The network changed somehow; `again`: an interface or the machine was away for a while. True when
 * there is a way to the peer, and it is another one than before or may have been away. */
bool dialing_way_is_new(struct dialing *d, bool again);
/* What was begun on the old way is worth nothing: closes the link; the first address is due at
 * once, or a second after the last attempt. */
void dialing_restart(struct dialing *d, uint64_t now_ms);
/* Nothing is tried for so long; what failed before is forgotten. Not while there is a link. */
void dialing_rest(struct dialing *d, uint64_t rest_ms, uint64_t now_ms);
uint64_t dialing_wait_ms(const struct dialing *d, uint64_t now_ms);
void dialing_close(struct dialing *d);
