#include "tools/aside.h"

uint64_t aside_of(struct txn *t, const struct roster *roster, const struct device *device)
{
    struct aside_cursor cursor = {.txn = t};
    uint64_t count = 0;
    for (uint64_t arrival; (arrival = aside_next(&cursor)) != 0;) {
        struct event e;
        if (log_read_any(t, arrival, &e)) continue;
        count += roster_has_key(roster, device, &e.feed.author);
    }
    return count;
}
