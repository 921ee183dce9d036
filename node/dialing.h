#pragma once
/*
 * The one link that this node dials: which address next, and when. Addresses are tried in order;
 * after a round that failed comes the backoff, doubled each time, with jitter, so that villages do
 * not come back all at once after the hub was away. Time and chance come in as parameters.
 */
#include "node/link/zmq_link.h"
#include "node/settings.h"

struct dialing_options {
    struct zmq_link_context *context;
    struct box_key key; /* ours */
    struct box_secret secret;
    uint32_t retry_min_s, retry_max_s;
};

struct dialing {
    struct dialing_options options;
    char addresses[INVITE_ADDRESSES_MAX][ADDRESS_SIZE_MAX];
    size_t address_count, next_address;
    struct link *link; /* NULL between attempts */
    uint32_t rounds;   /* that failed since the last success */
    uint64_t next_ms;  /* not before */
    uint64_t tried_ms; /* the last attempt */
    bool tried;
    struct way way; /* to the address tried last, as of the last look */
};

void dialing_init(struct dialing *d, const struct dialing_options *options);
/* Beyond INVITE_ADDRESSES_MAX they are ignored. */
void dialing_add_address(struct dialing *d, const char *address);
bool dialing_due(const struct dialing *d, uint64_t now_ms);
/* Makes the link. Errors: those of zmq_link_dial; the attempt counts as failed then. */
MUST_CHECK enum err dialing_start(struct dialing *d, const struct box_key *peer, uint64_t now_ms);
/* The address of the link, or of the attempt before. */
const char *dialing_address(const struct dialing *d);
/* The link had its life: closes it and says when the next is due. `good`: something came of it. */
void dialing_end(struct dialing *d, bool good, uint64_t now_ms);
/* A person asked, or the network came up: forgets the backoff; `gently`: not more than one attempt
 * a second. */
void dialing_hurry(struct dialing *d, bool gently, uint64_t now_ms);
/* The network changed somehow; `again`: an interface or the machine was away for a while. True when
 * there is a way to the peer, and it is another one than before or may have been away. */
bool dialing_way_is_new(struct dialing *d, bool again);
/* What was begun on the old way is worth nothing: closes the link; the first address is due at
 * once, or a second after the last attempt. */
void dialing_restart(struct dialing *d, uint64_t now_ms);
uint64_t dialing_wait_ms(const struct dialing *d, uint64_t now_ms);
void dialing_close(struct dialing *d);
