#pragma once
/*
 * This node's time: wall clock corrected by the offset measured at the last trusted hub contact,
 * and whether it may be trusted: set since boot by a time service, a person (`sidan clock`) or a
 * hub. The mains and the loop read clocks here; everything below takes time as a parameter.
 *
 * What a person or a hub said is kept in the store's meta for this boot only: a machine that lost
 * its battery starts anywhere. Kept is the wall clock at boot, so a later step of the machine's
 * clock does not move a time learned from a hub, and ends the trust that a person gave to it.
 */
#include "node/store/store.h"

struct clock_reading {
    uint64_t wall_ms;  /* corrected */
    int64_t offset_ms; /* what was added to the machine's clock */
    bool trusted;
    const char *source; /* "time service", "person", "hub", "none" */
};
uint64_t clock_monotonic_ms(void); /* CLOCK_BOOTTIME: goes on in suspend */
uint64_t clock_machine_ms(void);   /* CLOCK_REALTIME, uncorrected */
void clock_read(struct txn *t, struct clock_reading *out);
/* A person vouches for the machine's clock in this boot. */
void clock_vouch(struct txn *t);
/* A trusted peer's clock was seen: keeps the offset for this boot. */
void clock_learn(struct txn *t, uint64_t peer_ms, uint64_t machine_ms);
/* What a peer told of its time at the last contact, unless a time service knows better. Errors:
 * those of a transaction. */
MUST_CHECK enum err clock_learn_from(struct store *s, const struct sign_key *peer);

/* The same on a machine that is described, for tests. */
struct clock_machine {
    uint64_t wall_ms, boot_ms;
    bool synchronised; /* by a time service */
    char boot_id[37];
};
void clock_machine_read(struct clock_machine *out);
void clock_read_on(struct txn *t, const struct clock_machine *m, struct clock_reading *out);
void clock_vouch_on(struct txn *t, const struct clock_machine *m);
void clock_learn_on(struct txn *t, const struct clock_machine *m, uint64_t peer_ms,
                    uint64_t machine_ms);
