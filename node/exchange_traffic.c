/* What the links carried: kept by peer, day and month, and held against the month's limit. */
#include "node/exchange_state.h"

#include "common/time.h"

#include <stdlib.h>

#define COUNT_EVERY_MS 1000u
#define WRITE_AFTER_MS 60000u /* other commits take it along; a heartbeat alone makes few */

static void count(struct exchange *x, const struct link_traffic *bytes)
{
    struct counted *c = NULL;
    for (size_t i = 0; i < x->counted_count && !c; i++)
        if (x->counted[i].known == bytes->known && box_key_equal(&x->counted[i].key, &bytes->key))
            c = &x->counted[i];
    if (!c && x->counted_count == x->counted_capacity) {
        size_t capacity = x->counted_capacity ? 2 * x->counted_capacity : 8;
        struct counted *more = realloc(x->counted, capacity * sizeof *more);
        if (!more) return;
        x->counted = more;
        x->counted_capacity = capacity;
    }
    if (!c) {
        if (!x->counted_count) x->unwritten_ms = x->time.now_ms;
        c = &x->counted[x->counted_count++];
        *c = (struct counted){.key = bytes->key, .known = bytes->known};
    }
    c->bytes.sent += bytes->sent;
    c->bytes.received += bytes->received;
}

static void ask(struct exchange *x, struct link *link, bool last)
{
    struct link_traffic bytes;
    while (link->ops->traffic && link->ops->traffic(link, last, &bytes)) count(x, &bytes);
}

void exchange_traffic_last(struct exchange *x, struct link *link)
{
    ask(x, link, true);
}

/* --- the store --- */

/* Zeros: a stranger, or a device with an invite. */
static struct sign_key device_of(const struct roster *roster, const struct counted *c)
{
    const struct sign_key nobody = {{0}};
    const struct device *device = c->known && roster ? roster_transport(roster, &c->key) : NULL;
    return device ? device->first : nobody;
}

static void look_at_month(struct exchange *x, struct txn *t)
{
    const struct clock_reading *clock = &x->time.clock;
    uint32_t today = traffic_today(t, clock->wall_ms, clock->trusted);
    struct traffic_now sum = traffic_now(t, NULL, today);
    x->month_bytes = sum.month.sent + sum.month.received;
    x->month_of_day = today;
}

void exchange_traffic_write(struct exchange *x, struct txn *t)
{
    const struct roster *roster;
    const struct clock_reading *clock = &x->time.clock;
    if (!x->counted_count) return;
    if (views_roster(x->views, t, &roster) != OK) roster = NULL;
    for (size_t i = 0; i < x->counted_count; i++) {
        struct sign_key device = device_of(roster, &x->counted[i]);
        traffic_add(t, &device, clock->wall_ms, clock->trusted, &x->counted[i].bytes);
    }
    x->counted_count = 0;
    if (x->options.month_bytes_max) look_at_month(x, t);
}

uint64_t traffic_due_ms(const struct exchange *x)
{
    return x->counted_count ? x->unwritten_ms + WRITE_AFTER_MS : UINT64_MAX;
}

/* --- the month's limit --- */

/* Counted, and handed over to be sent. */
static uint64_t month_bytes(const struct exchange *x)
{
    uint64_t bytes = x->month_bytes;
    for (size_t i = 0; i < x->counted_count; i++)
        bytes += x->counted[i].bytes.sent + x->counted[i].bytes.received;
    for (const struct attached *a = x->links; a; a = a->next)
        if (a->link->ops->waiting) bytes += a->link->ops->waiting(a->link);
    for (const struct peer *p = x->peers; p; p = p->next) bytes += p->unsent_bytes;
    return bytes;
}

/* What was cut off on its way leaves room again; not for that little are all let go. */
static uint64_t room(const struct exchange *x)
{
    uint64_t normal = traffic_limit_normal(x->options.month_bytes_max), bytes = month_bytes(x);
    uint64_t left = bytes < normal ? normal - bytes : 0;
    return x->holding && left < normal / 50 ? 0 : left;
}

static void weigh_month(struct exchange *x)
{
    struct txn *t = NULL;
    const struct clock_reading *clock = &x->time.clock;
    bool another_day = x->month_of_day == UINT32_MAX ||
                       (clock->trusted && time_day(clock->wall_ms) != x->month_of_day);
    if (another_day && txn_begin(x->store, false, &t) == OK) {
        look_at_month(x, t);
        txn_abort(t);
    }
    x->month_room = room(x);
    if (x->holding != (x->month_room == 0))
        exchange_log(x, LOG_INFO, "%s",
                     x->holding ? "there are bytes for all again"
                                : "the month's bytes are short: only what is urgent goes");
    x->holding = x->month_room == 0;
    for (struct peer *p = x->peers; p; p = p->next)
        if (!p->closing) session_room(p->session, x->month_room, x->time.now_ms);
}

void exchange_traffic_turn(struct exchange *x)
{
    bool limited = x->options.month_bytes_max != 0;
    if (!limited && x->time.now_ms - x->counted_ms < COUNT_EVERY_MS) return;
    x->counted_ms = x->time.now_ms;
    for (struct attached *a = x->links; a; a = a->next) ask(x, a->link, false);
    if (limited) weigh_month(x);
}
