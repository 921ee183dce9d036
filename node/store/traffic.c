#include "node/store/traffic.h"

#include "common/time.h"
#include "node/store/txn.h"

#include <string.h>

enum { TABLE_TRAFFIC = 't', BY_DAY = 'd', BY_MONTH = 'm' };
enum { NAME_SIZE = 32 + 1 + 4, ROW_SIZE = 16 };
#define META_DAY "traffic_day" /* the last that a trusted clock told */

static struct slice key_traffic(struct key *k, const struct sign_key *peer, uint8_t span,
                                uint32_t number)
{
    uint8_t name[NAME_SIZE];
    memcpy(name, peer->bytes, 32);
    name[32] = span;
    be32_put(name + 33, number);
    return key_local(k, TABLE_TRAFFIC, slice_of(name, sizeof name));
}

/* --- rows --- */

static struct traffic sum_read(struct txn *t, struct slice value)
{
    if (value.size != ROW_SIZE) {
        txn_fail(t, ERR_CORRUPT);
        return (struct traffic){0};
    }
    return (struct traffic){.sent = be64_get(value.data), .received = be64_get(value.data + 8)};
}

static struct traffic sum_get(struct txn *t, const struct sign_key *peer, uint8_t span,
                              uint32_t number)
{
    struct key key;
    struct slice value;
    if (!db_get(t, DB_LOCAL, key_traffic(&key, peer, span, number), &value))
        return (struct traffic){0};
    return sum_read(t, value);
}

static void sum_add(struct txn *t, const struct sign_key *peer, uint8_t span, uint32_t number,
                    const struct traffic *bytes)
{
    struct key key;
    uint8_t row[ROW_SIZE];
    struct traffic sum = sum_get(t, peer, span, number);
    be64_put(row, sum.sent + bytes->sent);
    be64_put(row + 8, sum.received + bytes->received);
    db_put(t, DB_LOCAL, key_traffic(&key, peer, span, number), slice_of(row, sizeof row));
}

/* The peer's first row of a span from `from` on. */
static bool sum_find(struct txn *t, const struct sign_key *peer, uint8_t span, uint32_t from,
                     uint32_t *number, struct traffic *bytes)
{
    struct key key;
    struct slice found, value;
    if (!db_find(t, DB_LOCAL, key_traffic(&key, peer, span, from), &found, &value) ||
        found.size != 1 + NAME_SIZE || memcmp(found.data, key.bytes, 1 + 32 + 1) != 0)
        return false;
    *number = be32_get(found.data + 1 + 33);
    *bytes = sum_read(t, value);
    return true;
}

static void sum_delete(struct txn *t, const struct sign_key *peer, uint8_t span, uint32_t number)
{
    struct key key;
    db_delete(t, DB_LOCAL, key_traffic(&key, peer, span, number));
}

/* The first peer after `after`, or with `first` from it on. */
static bool next_peer(struct txn *t, struct sign_key *after, bool first)
{
    struct key key;
    struct slice found, value;
    key_traffic(&key, after, first ? 0 : UINT8_MAX, 0);
    if (!db_find(t, DB_LOCAL, key_slice(&key), &found, &value) || found.size != 1 + NAME_SIZE ||
        found.data[0] != TABLE_TRAFFIC)
        return false;
    memcpy(after->bytes, found.data + 1, 32);
    return true;
}

/* --- days --- */

uint32_t traffic_month_of(uint32_t day)
{
    struct time_date d = time_day_date(day);
    return d.year * 12 + d.month - 1;
}

uint64_t traffic_limit_normal(uint64_t month_bytes_max)
{
    return month_bytes_max ? month_bytes_max - month_bytes_max / 10 : UINT64_MAX;
}

uint32_t traffic_next_month(uint32_t day)
{
    uint32_t next = traffic_month_of(day) + 1;
    return time_day_of(next / 12, next % 12 + 1, 1);
}

uint32_t traffic_today(struct txn *t, uint64_t wall_ms, bool trusted)
{
    return trusted ? time_day(wall_ms) : (uint32_t)meta_get_uint(t, META_DAY);
}

/* Moves a peer's rows of one span that lie ahead of `now`, or have no date, to it. */
static void settle_span(struct txn *t, const struct sign_key *peer, uint8_t span, uint32_t now,
                        uint32_t undated)
{
    uint32_t number;
    struct traffic bytes;
    while (sum_find(t, peer, span, 0, &number, &bytes) && number == undated && undated < now) {
        sum_delete(t, peer, span, number);
        sum_add(t, peer, span, now, &bytes);
    }
    while (sum_find(t, peer, span, now + 1, &number, &bytes)) {
        sum_delete(t, peer, span, number);
        sum_add(t, peer, span, now, &bytes);
    }
}

static void begin_day(struct txn *t, uint32_t day)
{
    uint64_t kept = meta_get_uint(t, META_DAY);
    if (kept == day) return;
    struct sign_key peer = {{0}};
    bool first = true;
    for (; (!kept || kept > day) && next_peer(t, &peer, first); first = false) {
        settle_span(t, &peer, BY_DAY, day, 0);
        settle_span(t, &peer, BY_MONTH, traffic_month_of(day), traffic_month_of(0));
    }
    meta_put_uint(t, META_DAY, day);
}

/* Counts rows, not years: a clock that was wrong for a day must not cost what is kept. */
static void drop_oldest(struct txn *t, const struct sign_key *peer, uint8_t span, uint32_t kept)
{
    uint32_t number = 0, oldest = 0, count = 0;
    struct traffic bytes;
    while (count <= kept && sum_find(t, peer, span, count ? number + 1 : 0, &number, &bytes))
        if (count++ == 0) oldest = number;
    if (count > kept) sum_delete(t, peer, span, oldest);
}

static void add_to(struct txn *t, const struct sign_key *peer, uint8_t span, uint32_t number,
                   uint32_t kept, const struct traffic *bytes)
{
    struct traffic had = sum_get(t, peer, span, number);
    sum_add(t, peer, span, number, bytes);
    if (!had.sent && !had.received) drop_oldest(t, peer, span, kept);
}

void traffic_add(struct txn *t, const struct sign_key *peer, uint64_t wall_ms, bool trusted,
                 const struct traffic *bytes)
{
    uint32_t day = traffic_today(t, wall_ms, trusted);
    if (trusted) begin_day(t, day);
    if (!bytes->sent && !bytes->received) return;
    add_to(t, peer, BY_DAY, day, TRAFFIC_DAYS_MAX, bytes);
    add_to(t, peer, BY_MONTH, traffic_month_of(day), TRAFFIC_MONTHS_MAX, bytes);
}

/* --- reading --- */

struct traffic traffic_of_day(struct txn *t, const struct sign_key *peer, uint32_t day)
{
    return sum_get(t, peer, BY_DAY, day);
}

struct traffic traffic_of_month(struct txn *t, const struct sign_key *peer, uint32_t month)
{
    return sum_get(t, peer, BY_MONTH, month);
}

static void add(struct traffic *sum, const struct traffic *bytes)
{
    sum->sent += bytes->sent;
    sum->received += bytes->received;
}

/* The row of `now`, and those that settle_span would move to it. */
static struct traffic sum_settled(struct txn *t, const struct sign_key *peer, uint8_t span,
                                  uint32_t now, uint32_t undated)
{
    uint32_t number;
    struct traffic bytes, sum = {0};
    if (undated < now) sum = sum_get(t, peer, span, undated);
    for (uint32_t from = now; sum_find(t, peer, span, from, &number, &bytes); from = number + 1)
        add(&sum, &bytes);
    return sum;
}

static void add_now(struct txn *t, const struct sign_key *peer, uint32_t today,
                    struct traffic_now *sum)
{
    struct traffic day = sum_settled(t, peer, BY_DAY, today, 0);
    struct traffic month =
        sum_settled(t, peer, BY_MONTH, traffic_month_of(today), traffic_month_of(0));
    add(&sum->today, &day);
    add(&sum->month, &month);
}

struct traffic_now traffic_now(struct txn *t, const struct sign_key *peer, uint32_t today)
{
    struct traffic_now sum = {0};
    struct sign_key each = {{0}};
    if (peer) add_now(t, peer, today, &sum);
    for (bool first = true; !peer && next_peer(t, &each, first); first = false)
        add_now(t, &each, today, &sum);
    return sum;
}
