#include "node/office_key.h"

#include <string.h>

#include "node/views/body.h"
#include "node/views/thing.h"

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

/* Opens it and holds it against the roster's key. */
static enum err unseal(struct slice sealed, const struct roster *roster,
                       const struct device_keys *keys, struct box_secret *out)
{
    struct box_secret secret = {{0}};
    struct box_key key;
    struct buf opened = {0};
    enum err err = crypto_seal_open(&opened, &keys->transport, &keys->transport_secret, sealed);
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

/* --- office.key ---------------------------------------------------------------------------- */

struct handover {
    const struct roster *roster;
    const struct sign_key *device;
    const struct device_keys *keys; /* NULL: only whether there is one */
    struct box_secret *out;
    bool found;
    enum err err; /* of those found so far, OK once one was opened */
};

static bool is_key(struct slice fields, const char *name, const uint8_t key[32])
{
    return slice_equal(body_bin(fields, name), slice_of(key, 32));
}

/* One that does not open is no reason to pass over the next. */
static bool try_one(void *state, const struct thing *thing)
{
    struct handover *h = state;
    if (!is_key(thing->fields, "device", h->device->bytes) ||
        !is_key(thing->fields, "office", h->roster->office.bytes))
        return true;
    h->found = true;
    if (!h->keys) return false;
    h->err = unseal(body_bin(thing->fields, "secret"), h->roster, h->keys, h->out);
    return h->err != OK;
}

static enum err handed_over(struct txn *t, struct handover *h)
{
    const struct scope office = scope_office();
    struct scope_row scope;
    if (!scope_find(t, &office, &scope)) return txn_error(t);
    return things_each(t, THING_OFFICE_KEY, scope.number, try_one, h);
}

/* --- what others ask ----------------------------------------------------------------------- */

enum err office_key_open(struct txn *t, const struct roster *roster, const struct device_keys *keys,
                         struct box_secret *out)
{
    const struct device *self = roster_device(roster, &keys->signer.key);
    struct slice sealed = SLICE_EMPTY;
    enum err enrolled = ERR_NOT_FOUND;
    if (!self) return ERR_NOT_FOUND;
    enum err err = find_sealed(t, self, &sealed);
    if (err) return err;
    if (sealed.size) enrolled = unseal(sealed, roster, keys, out);
    if (!enrolled) return OK;
    struct handover h = {
        .roster = roster, .device = &keys->signer.key, .keys = keys, .out = out, .err = enrolled};
    err = handed_over(t, &h);
    return err ? err : h.err;
}

/* May it open sealed records, by the table of kinds? */
static bool may_open(const struct device *d)
{
    const uint32_t roles = kind_roles(kind_find(slice_of_text("sealed.opened")), SCOPE_OFFICE);
    return d->state == DEVICE_JOINED && device_is_township(d) && d->roles & roles;
}

/* The next such device from *at on. */
static const struct device *lacking_from(struct txn *t, const struct roster *roster, size_t *at)
{
    static const struct sign_key none;
    while (*at < roster->device_count) {
        const struct device *d = &roster->devices[(*at)++];
        struct handover h = {.roster = roster, .device = &d->key};
        if (sign_key_equal(&d->invite, &none) || !may_open(d)) continue;
        if (handed_over(t, &h)) return NULL;
        if (!h.found) return d;
    }
    return NULL;
}

const struct device *office_key_lacking(struct txn *t, const struct roster *roster)
{
    size_t at = 0;
    return lacking_from(t, roster, &at);
}

static enum err give(struct recorder *r, const struct roster *roster, const struct device *d,
                     struct slice sealed)
{
    struct mp_map map = {0};
    struct buf body = {0};
    struct mp_writer w = mp_map_put(&map, "device");
    mp_write_bin(&w, d->key.bytes, sizeof d->key.bytes);
    w = mp_map_put(&map, "office");
    mp_write_bin(&w, roster->office.bytes, sizeof roster->office.bytes);
    w = mp_map_put(&map, "secret");
    mp_write_bin(&w, sealed.data, sealed.size);
    enum err err = mp_map_end(&map, &body);
    const struct draft draft = {.kind = "office.key",
                                .scope = scope_office(),
                                .lane = LANE_NORMAL,
                                .founding = true,
                                .body = buf_slice(&body)};
    struct recorded recorded;
    struct kind_problem problem;
    if (!err) err = recorder_add(r, &draft, &recorded, &problem);
    mp_map_clear(&map);
    buf_clear(&body);
    return err;
}

enum err office_key_give(struct recorder *r, const struct roster *roster,
                         const struct device_keys *keys, unsigned *given)
{
    struct txn *t = recorder_txn(r);
    struct box_secret secret;
    struct buf sealed = {0};
    const struct device *d;
    size_t at = 0;
    *given = 0;
    enum err err = office_key_open(t, roster, keys, &secret);
    while (!err && (d = lacking_from(t, roster, &at)) != NULL) {
        buf_reset(&sealed);
        err = crypto_seal(&sealed, &d->transport, slice_of(secret.bytes, sizeof secret.bytes));
        if (!err) err = give(r, roster, d, buf_slice(&sealed));
        if (!err) (*given)++;
        if (err == ERR_MALFORMED) err = OK; /* a key that nothing can be sealed to */
    }
    if (!err) err = txn_error(t);
    crypto_wipe(&secret, sizeof secret);
    buf_clear(&sealed);
    return err;
}
