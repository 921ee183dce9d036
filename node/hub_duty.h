#pragma once
/*
 * What the hub records by itself: the office's key for each device that may open sealed records and
 * was not given it (office_key.h). Whether it is done already is asked of the rows in the same
 * transaction, so nothing is recorded twice, whatever was cut short before.
 */
#include "node/exchange.h"
#include "node/recorder.h"

struct hub_duty {
    struct store *store;
    struct views *views;
    const struct device_keys *keys;
    struct recorder *recorder;
    bool due;
    uint64_t not_before_ms; /* after a failure */
};

MUST_CHECK enum err hub_duty_open(struct hub_duty *d, struct store *store, struct views *views,
                                  const struct device_keys *keys);
void hub_duty_close(struct hub_duty *d);
/* The store changed: is there something to do? Never at a device that is not the hub. */
void hub_duty_look(struct hub_duty *d, struct txn *t);
/* Does it, in one commit, once it is due. */
void hub_duty_turn(struct hub_duty *d, const struct exchange_time *time);
/* How long until then; UINT64_MAX: there is nothing to do. */
uint64_t hub_duty_wait_ms(const struct hub_duty *d, uint64_t now_ms);
