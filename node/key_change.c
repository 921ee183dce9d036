#include "node/key_change.h"

#include <string.h>

#include "node/views/body.h"

#define META_SERVED "transport.served" /* the newest transport key, once it is served */

bool device_keys_use(struct device_keys *k, const struct roster *roster, const struct device *self)
{
    const struct sign_key signer_before = k->signer.key;
    const struct box_key transport_before = k->transport;
    const struct signer *signer = NULL;
    const struct box_secret *secret = NULL;
    struct sign_key key;
    struct box_key transport;
    for (size_t i = 0; !signer && roster_key_at(roster, self, i, &key); i++)
        signer = device_keys_signer(k, &key);
    for (size_t i = 0; !secret && roster_transport_at(roster, self, i, &transport); i++)
        secret = device_keys_transport(k, &transport);
    if (signer && signer != &k->signer) k->signer = *signer;
    if (secret && secret != &k->transport_secret) {
        k->transport_secret = *secret;
        k->transport = transport;
    }
    return !sign_key_equal(&k->signer.key, &signer_before) ||
           !box_key_equal(&k->transport, &transport_before);
}

enum err key_change_follow(struct device_keys *k, const char *home, const struct roster *roster,
                           const struct device *self, bool *changed)
{
    struct device_keys fresh;
    enum err err = OK;
    if (!device_keys_signer(k, &self->key) || !device_keys_transport(k, &self->transport)) {
        err = home_load_keys(home, &fresh);
        if (err) return err;
        memcpy(k->held, fresh.held, sizeof k->held);
        k->held_count = fresh.held_count;
        device_keys_wipe(&fresh);
    }
    *changed = device_keys_use(k, roster, self);
    return err;
}

/* --- where it was told --------------------------------------------------------------------- */

static enum err find_change(struct txn *t, const struct device *d, const char *field,
                            struct slice key, struct key_change *out)
{
    const struct scope town = scope_town();
    struct scope_row scope;
    if (!scope_find(t, &town, &scope)) return txn_error(t) ? txn_error(t) : ERR_NOT_FOUND;
    struct thing_cursor cursor = {.txn = t, .scope_number = scope.number, .thing = d->thing};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        struct feed_id id;
        enum err err = log_read_unverified(t, arrival, &e);
        if (err) return err;
        if (!slice_is_text(e.kind, "device.rotated") || !slice_equal(body_bin(e.body, field), key))
            continue;
        feed_id_of(&id, &e.feed);
        *out = (struct key_change){.seq = e.seq, .time_ms = HLC_MS(e.time)};
        memcpy(out->feed8, id.bytes, sizeof out->feed8);
        return OK;
    }
    return txn_error(t) ? txn_error(t) : ERR_NOT_FOUND;
}

enum err key_change_of_signer(struct txn *t, const struct device *d, const struct sign_key *key,
                              struct key_change *out)
{
    return find_change(t, d, "key", slice_of(key->bytes, sizeof key->bytes), out);
}

enum err key_change_of_transport(struct txn *t, const struct device *d, const struct box_key *key,
                                 struct key_change *out)
{
    return find_change(t, d, "transport", slice_of(key->bytes, sizeof key->bytes), out);
}

bool key_change_told(const struct key_change *c, const struct peer_row *peer)
{
    for (size_t i = 0; i < peer->have_count; i++)
        if (memcmp(peer->have[i].feed8, c->feed8, sizeof c->feed8) == 0 &&
            peer->have[i].seq >= c->seq)
            return true;
    return false;
}

enum err key_change_signer_for(const struct signer **out, struct txn *t,
                               const struct roster *roster, const struct device *self,
                               const struct device_keys *k, const struct peer_row *peer)
{
    struct sign_key key;
    *out = &k->signer;
    if (!self || !self->earlier_count) return OK;
    for (size_t i = 0; roster_key_at(roster, self, i, &key); i++) {
        struct key_change change;
        const struct signer *signer = device_keys_signer(k, &key);
        enum err err = key_change_of_signer(t, self, &key, &change);
        if (err && err != ERR_NOT_FOUND) return err;
        if (!signer || (!err && !key_change_told(&change, peer))) continue;
        *out = signer;
        return OK;
    }
    return OK;
}

/* --- dialling ------------------------------------------------------------------------------ */

/* The newest two transport keys of a device. */
static size_t newest_two(struct box_key out[2], const struct roster *roster, const struct device *d,
                         const struct box_key *first)
{
    size_t count = 0;
    out[count++] = *first;
    for (size_t i = 0; d && i < 2 && count < 2; i++) {
        struct box_key key;
        if (!roster_transport_at(roster, d, i, &key)) break;
        if (!box_key_equal(&key, first)) out[count++] = key;
    }
    return count;
}

/* The key that the invite named for this device; false: it named another, or there is none. */
static bool invited_key(struct txn *t, const struct sign_key *device, struct box_key *out)
{
    struct slice name, key;
    if (!meta_get(t, "hub_device", &name) ||
        !slice_equal(name, slice_of(device->bytes, sizeof device->bytes)) ||
        !meta_get(t, "hub_transport", &key) || key.size != sizeof out->bytes)
        return false;
    memcpy(out->bytes, key.data, key.size);
    return true;
}

size_t key_change_dial(struct dial_keys out[DIAL_KEYS_MAX], struct txn *t,
                       const struct roster *roster, const struct sign_key *device,
                       const struct box_key *peer, const struct device *self,
                       const struct device_keys *k)
{
    struct box_key peers[3], own[2], invited = {{0}};
    size_t count = 0;
    size_t peer_count = newest_two(peers, roster, roster_device(roster, device), peer);
    bool known = !invited_key(t, device, &invited);
    for (size_t p = 0; p < peer_count; p++) known |= box_key_equal(&peers[p], &invited);
    if (!known) peers[peer_count++] = invited;
    size_t own_count = newest_two(own, roster, self, &k->transport);
    for (size_t p = 0; p < peer_count; p++)
        for (size_t o = 0; o < own_count; o++) {
            const struct box_secret *secret = device_keys_transport(k, &own[o]);
            if (secret) out[count++] = (struct dial_keys){peers[p], own[o], *secret};
        }
    return count;
}

/* --- what is served ------------------------------------------------------------------------ */

static bool is_noted(struct txn *t, const struct device *self)
{
    struct slice key;
    return meta_get(t, META_SERVED, &key) &&
           slice_equal(key, slice_of(self->transport.bytes, sizeof self->transport.bytes));
}

static bool is_told(struct txn *t, const struct device *d, const struct device *self,
                    const struct key_change *change, uint64_t now_ms)
{
    struct peer_row peer;
    if (d->state == DEVICE_INVITED)
        return d->expires_ms <= now_ms || !sign_key_equal(&d->acceptor, &self->first);
    if (d->state != DEVICE_JOINED || sign_key_equal(&d->first, &self->first)) return true;
    if (!peer_get(t, &d->first, &peer)) return false;
    bool told = key_change_told(change, &peer);
    peer_row_clear(&peer);
    return told;
}

const struct device *key_change_untold(struct txn *t, const struct roster *roster,
                                       const struct device *self, uint64_t now_ms, size_t *at)
{
    struct key_change change;
    if (is_noted(t, self)) return NULL; /* who came later was invited with it */
    if (key_change_of_transport(t, self, &self->transport, &change)) return NULL;
    while (*at < roster->device_count) {
        const struct device *d = &roster->devices[(*at)++];
        bool dials = self->roles & ROLE_HUB || d->roles & ROLE_HUB; /* neighbours: W9 */
        if (dials && !is_told(t, d, self, &change, now_ms)) return d;
    }
    return NULL;
}

void key_change_served(struct txn *t, const struct roster *roster, const struct device *self,
                       uint64_t now_ms, struct box_key *out)
{
    struct box_key before;
    size_t at = 0;
    *out = self->transport;
    if (roster_transport_at(roster, self, 1, &before) &&
        key_change_untold(t, roster, self, now_ms, &at))
        *out = before;
}

bool key_change_to_note(struct txn *t, const struct roster *roster, const struct device *self,
                        uint64_t now_ms)
{
    size_t at = 0;
    return self->earlier_count && !is_noted(t, self) &&
           !key_change_untold(t, roster, self, now_ms, &at) && !txn_error(t);
}

void key_change_note(struct txn *t, const struct box_key *key)
{
    meta_put(t, META_SERVED, slice_of(key->bytes, sizeof key->bytes));
}

enum err key_change_note_due(struct store *s, struct views *views, uint64_t now_ms)
{
    struct txn *t;
    const struct roster *roster;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    err = views_roster(views, t, &roster);
    const struct device *self = err ? NULL : roster_device(roster, &store_identity(s)->device);
    if (self && key_change_to_note(t, roster, self, now_ms)) {
        key_change_note(t, &self->transport);
        return txn_commit(t);
    }
    if (!err) err = txn_error(t);
    txn_abort(t);
    return err;
}
