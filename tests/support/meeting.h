#pragma once
/*
 * A hub and a village's laptop with real stores and the real exchange, joined by a link in memory.
 * Helpers fail the test in which something goes wrong.
 */
#include "node/exchange.h"
#include "tests/support/pipe.h"
#include "tests/support/township.h"

#define MEETING_VILLAGE "village:431322111201"

struct meeting_node {
    struct township_node store;
    struct device_keys keys;
    struct exchange *exchange;
    struct link *link;
    uint64_t month_bytes_max; /* of the next start */
    bool couriers;            /* the same: it carries bundles, in its home */
    char log[4096];
};

struct meeting {
    struct township township;
    struct meeting_node hub, village;
    struct pipe *pipe;
    uint64_t now_ms;
};
extern struct meeting meeting;

/* The hub holds the roster; the laptop holds it too, and `requests` of its own. */
void meeting_begin(unsigned requests);
void meeting_end(void);

void meeting_node_open(struct meeting_node *n, const struct township_device *d);
void meeting_node_start(struct meeting_node *n);
void meeting_node_stop(struct meeting_node *n);
void meeting_connect(void);
void meeting_disconnect(void);
struct exchange_time meeting_time(void);
void meeting_turn(struct meeting_node *n);
void meeting_turns(unsigned count);
void meeting_sync_to_rest(void);
uint64_t meeting_events_of(struct meeting_node *n, const char *scope, struct hash *digest);
/* Both hold `events` events of the scope, and both digests agree. */
void meeting_assert_agree(const char *scope, uint64_t events);
