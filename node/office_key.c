#include "node/office_key.h"

#include <string.h>

/* The sealed secret in the founding event of the device's own thing; empty: there is none. */
static enum err find_sealed(struct txn *t, const struct device *self, struct slice *out)
{
    const struct scope town = scope_town();
    struct scope_row scope;
    *out = SLICE_EMPTY;
    if (!scope_find(t, &town, &scope)) return txn_error(t);
    struct thing_cursor cursor = {.txn = t, .scope_number = scope.number, .thing = self->thing};
    for (uint64_t arrival; (arrival = thing_next(&cursor)) != 0;) {
        struct event e;
        struct mp_reader value;
        enum err err = log_read(t, arrival, &e);
        if (err) return err;
        if (!e.founding || !mp_map_get(e.body, "office_secret", &value)) continue;
        *out = mp_read_bin(&value, SIZE_MAX);
        break;
    }
    return txn_error(t);
}

enum err office_key_open(struct txn *t, const struct roster *roster, const struct device_keys *keys,
                         struct box_secret *out)
{
    const struct device *self = roster_device(roster, &keys->signer.key);
    struct box_secret secret = {{0}};
    struct box_key key;
    struct buf opened = {0};
    struct slice sealed = SLICE_EMPTY;
    enum err err = self ? find_sealed(t, self, &sealed) : ERR_NOT_FOUND;
    if (!err && !sealed.size) err = ERR_NOT_FOUND;
    if (err) return err;
    err = crypto_seal_open(&opened, &keys->transport, &keys->transport_secret, sealed);
    if (!err && opened.size == sizeof secret.bytes) {
        memcpy(secret.bytes, opened.data, sizeof secret.bytes);
        box_key_of_secret(&key, &secret);
        if (box_key_equal(&key, &roster->office)) *out = secret;
        if (!box_key_equal(&key, &roster->office)) err = ERR_CORRUPT;
    } else if (err != ERR_NOMEM) {
        err = ERR_CORRUPT;
    }
    if (opened.size) crypto_wipe(opened.data, opened.size);
    buf_clear(&opened);
    crypto_wipe(&secret, sizeof secret);
    return err;
}
