#pragma once
/*
 * What the hub records by itself: the office's key for each device that may open sealed records and
 * was not given it (office_key.h); the official number of a request that another township device
 * accepted. Whether it is done already is asked of the rows in the same transaction, so nothing is
 * recorded twice, whatever was cut short before.
 */
#include "node/exchange.h"
#include "node/recorder.h"

struct hub_duty {
    struct views *views;
    const struct device_keys *keys;
    struct recorder *recorder;
    bool keys_due, numbers_due;
    bool told_wait;            /* that numbers wait for a person */
    struct hash keyless;       /* version of the roster by which this hub has no key to give */
    bool keys_by_another;      /* a hub that may be there yet gives them */
    uint64_t keys_since_ms, numbers_since_ms; /* for so long they have been */
    uint64_t not_before_ms;    /* after a failure */
};

MUST_CHECK enum err hub_duty_open(struct hub_duty *d, struct store *store, struct views *views,
                                  const struct device_keys *keys);
void hub_duty_close(struct hub_duty *d);
/* The store changed: is there something to do? Never at a device that is not a hub. */
void hub_duty_look(struct hub_duty *d, struct txn *t, uint64_t now_ms);
/* Does what is due, in one commit. No number while lives_numbers_wait. `settled`: peers are here
 * and none shows more than this node holds. Until then, but not for ever, no number is given: a hub
 * that was put back from a copy would give one twice. */
void hub_duty_turn(struct hub_duty *d, const struct exchange_time *time, bool settled);
/* How long until then; UINT64_MAX: there is nothing to do. */
uint64_t hub_duty_wait_ms(const struct hub_duty *d, uint64_t now_ms, bool settled);
