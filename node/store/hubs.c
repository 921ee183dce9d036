#include "node/store/hubs.h"

#include "node/store/txn.h"

#include <string.h>

enum { TABLE_VIA = 'v', TABLE_HANDOVER = 'm' };
enum { VIA_SIZE = 32 + 8, MOVE_SIZE = 8, POINT_SIZE = 24 };

bool via_get(struct txn *t, const struct sign_key *device, struct via *out)
{
    struct key key;
    struct slice value;
    if (!db_get(t, DB_LOCAL, key_local(&key, TABLE_VIA, slice_of(device->bytes, 32)), &value))
        return false;
    if (value.size != VIA_SIZE) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    memcpy(out->from.bytes, value.data, 32);
    out->wall_ms = be64_get(value.data + 32);
    return true;
}

void via_put(struct txn *t, const struct sign_key *device, const struct via *via)
{
    struct key key;
    uint8_t value[VIA_SIZE];
    memcpy(value, via->from.bytes, 32);
    be64_put(value + 32, via->wall_ms);
    db_put(t, DB_LOCAL, key_local(&key, TABLE_VIA, slice_of(device->bytes, 32)),
           slice_of(value, sizeof value));
}

void handover_put(struct txn *t, const struct sign_key *hub, uint64_t move,
                  const struct peer_have *points, size_t count)
{
    struct key key;
    uint8_t *at =
        db_put_room(t, DB_LOCAL, key_local(&key, TABLE_HANDOVER, slice_of(hub->bytes, 32)),
                    MOVE_SIZE + count * POINT_SIZE, false);
    if (!at) return;
    be64_put(at, move);
    at += MOVE_SIZE;
    for (size_t i = 0; i < count; i++, at += POINT_SIZE) {
        memcpy(at, points[i].feed8, 8);
        be64_put(at + 8, points[i].seq);
        memcpy(at + 16, points[i].id8, 8);
    }
}

bool handover_get(struct txn *t, const struct sign_key *hub, uint64_t move, struct slice *points)
{
    struct key key;
    struct slice value;
    if (!db_get(t, DB_LOCAL, key_local(&key, TABLE_HANDOVER, slice_of(hub->bytes, 32)), &value))
        return false;
    if (value.size < MOVE_SIZE || (value.size - MOVE_SIZE) % POINT_SIZE) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    *points = slice_of(value.data + MOVE_SIZE, value.size - MOVE_SIZE);
    return be64_get(value.data) == move;
}

bool handover_next(struct slice *points, struct peer_have *out)
{
    if (points->size < POINT_SIZE) return false;
    memcpy(out->feed8, points->data, 8);
    out->seq = be64_get(points->data + 8);
    memcpy(out->id8, points->data + 16, 8);
    points->data += POINT_SIZE;
    points->size -= POINT_SIZE;
    return true;
}
