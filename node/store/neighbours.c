#include "node/store/neighbours.h"

#include "node/store/txn.h"

#include <string.h>

enum { TABLE_NEIGHBOUR = 'n', DEVICE_SIZE = 32, ROW_SIZE = DEVICE_SIZE + 3 * 8 + 2 * 4 };

bool neighbour_get(struct txn *t, const char *address, struct neighbour_row *out)
{
    struct key key;
    struct slice value;
    *out = (struct neighbour_row){0};
    if (!db_get(t, DB_LOCAL, key_local(&key, TABLE_NEIGHBOUR, slice_of_text(address)), &value))
        return false;
    if (value.size != ROW_SIZE) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    const uint8_t *at = value.data + DEVICE_SIZE;
    memcpy(out->device.bytes, value.data, DEVICE_SIZE);
    out->last_ok_ms = be64_get(at);
    out->last_attempt_ms = be64_get(at + 8);
    out->next_attempt_ms = be64_get(at + 16);
    out->failures = be32_get(at + 24);
    out->last_error = be32_get(at + 28);
    return true;
}

void neighbour_put(struct txn *t, const char *address, const struct neighbour_row *row)
{
    struct key key;
    uint8_t value[ROW_SIZE], *at = value + DEVICE_SIZE;
    memcpy(value, row->device.bytes, DEVICE_SIZE);
    be64_put(at, row->last_ok_ms);
    be64_put(at + 8, row->last_attempt_ms);
    be64_put(at + 16, row->next_attempt_ms);
    be32_put(at + 24, row->failures);
    be32_put(at + 28, row->last_error);
    db_put(t, DB_LOCAL, key_local(&key, TABLE_NEIGHBOUR, slice_of_text(address)),
           slice_of(value, sizeof value));
}
