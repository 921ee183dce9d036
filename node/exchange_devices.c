/* Who a peer is, by the roster or by an invite, and what may be held by whom. */
#include "node/exchange_state.h"

#include <string.h>

static bool is_key_of(const struct peer *p, const struct sign_key *key)
{
    for (size_t at = 0; at + sizeof key->bytes <= p->keys.size; at += sizeof key->bytes)
        if (memcmp(p->keys.data + at, key->bytes, sizeof key->bytes) == 0) return true;
    return sign_key_equal(key, &p->device.key);
}

bool peer_may_hold(const struct peer *p, const struct feed *feed)
{
    return is_key_of(p, &feed->author) || device_may_hold(&p->device, &feed->scope);
}

bool peer_key_at(const struct peer *p, size_t i, struct sign_key *out)
{
    const size_t size = sizeof out->bytes;
    if (!p->keys.size) *out = p->device.key;
    if (p->keys.size && (i + 1) * size <= p->keys.size) memcpy(out, p->keys.data + i * size, size);
    return p->keys.size ? (i + 1) * size <= p->keys.size : i == 0;
}

/* As the roster has it now. */
enum err peer_set_device(struct peer *p, const struct roster *roster, const struct device *d)
{
    struct sign_key key;
    p->device = *d;
    buf_reset(&p->keys);
    if (roster_device(roster, &d->key) == NULL) return OK; /* introduced by an invite */
    for (size_t i = 0; roster_key_at(roster, d, i, &key); i++)
        buf_append(&p->keys, key.bytes, sizeof key.bytes);
    return p->keys.err;
}

bool peer_is_revoked(const struct roster *roster, const struct sign_key *device)
{
    const struct device *now = roster_device(roster, device);
    return now && now->state == DEVICE_REVOKED;
}

bool peer_is_neighbour(const struct exchange *x, const struct peer *p)
{
    return x->villager && !device_is_township(&p->device);
}

bool self_may_hold(const struct exchange *x, const struct roster *roster, const struct feed *feed)
{
    if (sign_key_equal(roster_name(roster, &feed->author), &x->identity->device)) return true;
    if (scope_class(&feed->scope) == SCOPE_TOWN) return true;
    const struct device *self = roster_device(roster, &x->identity->device);
    return self && device_may_hold(self, &feed->scope);
}

/* A joiner that dials the hub has no roster yet, or not all of it: the invite named the hub. */
const struct device *peer_introduce(struct txn *t, const struct roster *roster,
                                    const struct box_key *key, struct device *out)
{
    struct slice name, transport;
    *out = (struct device){.state = DEVICE_JOINED, .transport = *key, .roles = ROLES_TOWNSHIP};
    if (!meta_get(t, "hub_device", &name) || name.size != sizeof out->first.bytes) return NULL;
    memcpy(out->first.bytes, name.data, sizeof out->first.bytes);
    out->key = out->first;
    if (!roster->founded) return out;
    const struct device *d = roster_device(roster, &out->first);
    bool named = meta_get(t, "hub_transport", &transport) &&
                 slice_equal(transport, slice_of(key->bytes, sizeof key->bytes));
    if (named && !d) return out; /* a standby: what makes it a device is still on its way */
    return named && d->state == DEVICE_JOINED ? d : NULL;
}

/* Whom the roster has for a peer now; NULL: nobody. Of one that was dialled by the key that an
 * invite named, the event that made it so may still be on its way. */
const struct device *peer_device_now(const struct peer *p, const struct roster *roster)
{
    const struct device *d = roster_transport(roster, &p->key);
    if (d || !p->connecting) return d;
    d = roster_device(roster, &p->device.first);
    if (!d) return &p->device;
    return d->state == DEVICE_JOINED ? d : NULL;
}
