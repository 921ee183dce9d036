#include "node/store/bundles.h"

#include "node/store/txn.h"

#include <string.h>

enum { TABLE_NOTED = 'b', TABLE_ORDER = 'o', NOTED_SIZE = 8 + 8 + 2, ID_SIZE = 16 };
#define META_NOTED "bundles"

static struct slice id_key(struct key *k, const struct bundle_id *id)
{
    return key_local(k, TABLE_NOTED, slice_of(id->bytes, ID_SIZE));
}

static struct slice order_key(struct key *k, uint64_t serial)
{
    uint8_t be64[8];
    be64_put(be64, serial);
    return key_local(k, TABLE_ORDER, slice_of(be64, sizeof be64));
}

static bool read(struct txn *t, const struct bundle_id *id, struct bundle_noted *out,
                 uint64_t *serial)
{
    struct key key;
    struct slice value;
    if (!db_get(t, DB_LOCAL, id_key(&key, id), &value)) return false;
    if (value.size != NOTED_SIZE || value.data[16] > BUNDLE_BY_LINK) {
        txn_fail(t, ERR_CORRUPT);
        return false;
    }
    *serial = be64_get(value.data);
    out->wall_ms = be64_get(value.data + 8);
    out->way = (enum bundle_way)value.data[16];
    out->refused = value.data[17] != 0;
    return true;
}

bool bundle_noted(struct txn *t, const struct bundle_id *id, struct bundle_noted *out)
{
    uint64_t serial;
    return read(t, id, out, &serial);
}

/* Makes room for one more. */
static void drop_oldest(struct txn *t, uint64_t serial)
{
    struct key key;
    struct slice value;
    if (serial <= BUNDLES_NOTED_MAX) return;
    serial -= BUNDLES_NOTED_MAX;
    if (!db_get(t, DB_LOCAL, order_key(&key, serial), &value)) return;
    struct bundle_id id;
    if (value.size != ID_SIZE) {
        txn_fail(t, ERR_CORRUPT);
        return;
    }
    memcpy(id.bytes, value.data, ID_SIZE);
    db_delete(t, DB_LOCAL, id_key(&key, &id));
    db_delete(t, DB_LOCAL, order_key(&key, serial));
}

void bundle_note(struct txn *t, const struct bundle_id *id, const struct bundle_noted *n)
{
    struct key key;
    struct bundle_noted before;
    uint8_t value[NOTED_SIZE];
    uint64_t serial;
    bool known = read(t, id, &before, &serial);
    if (known && (!before.refused || n->refused)) return;
    if (!known) {
        serial = meta_get_uint(t, META_NOTED) + 1;
        meta_put_uint(t, META_NOTED, serial);
        drop_oldest(t, serial);
        db_put(t, DB_LOCAL, order_key(&key, serial), slice_of(id->bytes, ID_SIZE));
    }
    be64_put(value, serial);
    be64_put(value + 8, n->wall_ms);
    value[16] = (uint8_t)n->way;
    value[17] = n->refused;
    db_put(t, DB_LOCAL, id_key(&key, id), slice_of(value, sizeof value));
}

/* --- refusals, each under an id of its own --- */

static struct bundle_id refusal_of(const struct bundle_id *id, const struct sign_key *device)
{
    struct hash h;
    struct bundle_id out;
    uint8_t both[ID_SIZE + sizeof device->bytes];
    memcpy(both, id->bytes, ID_SIZE);
    memcpy(both + ID_SIZE, device->bytes, sizeof device->bytes);
    crypto_hash_one(&h, CONTEXT_BUNDLE, slice_of(both, sizeof both));
    memcpy(out.bytes, h.bytes, ID_SIZE);
    return out;
}

void bundle_refuse(struct txn *t, const struct bundle_id *id, const struct sign_key *device,
                   uint64_t wall_ms)
{
    const struct bundle_id under = refusal_of(id, device);
    const struct bundle_noted n = {.wall_ms = wall_ms, .way = BUNDLE_BY_LINK, .refused = true};
    bundle_note(t, &under, &n);
}

bool bundle_refused_by(struct txn *t, const struct bundle_id *id, const struct sign_key *device)
{
    const struct bundle_id under = refusal_of(id, device);
    struct bundle_noted n;
    return bundle_noted(t, &under, &n) && n.refused;
}
