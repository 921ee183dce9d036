#pragma once
/*
 * Bytes that passed the sockets, by peer: a row a day and a row a month, not replicated. Days are
 * the office's (common/time.h). The join exchange, which needs no store, is not in it.
 *
 * A day is told by a clock, and village clocks are wrong: only a trusted one begins a day. Under
 * another the last trusted day goes on, day 0 where there was none. When a trusted clock steps
 * back, or speaks for the first time, what was counted under days that have not come yet, and under
 * day 0, is moved to today. So no wrong clock gives a month's budget twice.
 */
#include "node/store/log.h"

#define TRAFFIC_DAYS_MAX 400u
#define TRAFFIC_MONTHS_MAX 120u

struct traffic {
    uint64_t sent, received;
};

/* The day that is counted under. */
uint32_t traffic_today(struct txn *t, uint64_t wall_ms, bool trusted);
/* Counts under today; `trusted` also begins a day. Of more rows than the limits the oldest go.
 * `peer`: a device's signing key, zeros for those not known. */
void traffic_add(struct txn *t, const struct sign_key *peer, uint64_t wall_ms, bool trusted,
                 const struct traffic *bytes);

/* Of a month's limit a tenth is kept for what is urgent: the others may use so much. 0, no limit:
 * UINT64_MAX. */
uint64_t traffic_limit_normal(uint64_t month_bytes_max);

/* Months are counted from year 0: traffic_month_of(today). */
uint32_t traffic_month_of(uint32_t day);
struct traffic traffic_of_day(struct txn *t, const struct sign_key *peer, uint32_t day);
struct traffic traffic_of_month(struct txn *t, const struct sign_key *peer, uint32_t month);
/* Of today and its month, with what waits to be moved there. `peer` NULL: of all together. */
struct traffic_now {
    struct traffic today, month;
};
struct traffic_now traffic_now(struct txn *t, const struct sign_key *peer, uint32_t today);
/* The first day of the month after the one that `day` is in. */
uint32_t traffic_next_month(uint32_t day);
