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

/* By whichever of this device's transport keys it was sealed to. */
static enum err unseal_bytes(struct buf *opened, const struct device_keys *keys,
                             struct slice sealed)
{
    enum err err = crypto_seal_open(opened, &keys->transport, &keys->transport_secret, sealed);
    for (size_t i = 0; i < keys->held_count && err && err != ERR_NOMEM; i++) {
        const struct device_pair *p = &keys->held[i];
        buf_reset(opened);
        err = crypto_seal_open(opened, &p->transport, &p->transport_secret, sealed);
    }
    return err;
}

/* Opens it and holds it against the office's key. */
static enum err unseal(struct slice sealed, const struct box_key *office,
                       const struct device_keys *keys, struct box_secret *out)
{
    struct box_secret secret = {{0}};
    struct box_key key;
    struct buf opened = {0};
    enum err err = unseal_bytes(&opened, keys, sealed);
    if (!err && opened.size == sizeof secret.bytes) {
        memcpy(secret.bytes, opened.data, sizeof secret.bytes);
        box_key_of_secret(&key, &secret);
        if (box_key_equal(&key, office)) *out = secret;
        if (!box_key_equal(&key, office)) err = ERR_CORRUPT;
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
    const struct box_key *office;
    const struct device *device;
    const struct device_keys *keys; /* NULL: only whether there is one */
    struct box_secret *out;
    bool found;
    enum err err; /* of those found so far, OK once one was opened */
};

static bool is_for(const struct handover *h, struct slice fields)
{
    struct sign_key key;
    struct slice device = body_bin(fields, "device");
    if (device.size != sizeof key.bytes) return false;
    memcpy(key.bytes, device.data, sizeof key.bytes);
    return slice_equal(body_bin(fields, "office"),
                       slice_of(h->office->bytes, sizeof h->office->bytes)) &&
           roster_has_key(h->roster, h->device, &key);
}

/* One that does not open is no reason to pass over the next. */
static bool try_one(void *state, const struct thing *thing)
{
    struct handover *h = state;
    if (!is_for(h, thing->fields)) return true;
    h->found = true;
    if (!h->keys) return false;
    h->err = unseal(body_bin(thing->fields, "secret"), h->office, h->keys, h->out);
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

static enum err open_of(struct txn *t, const struct roster *roster, const struct box_key *office,
                        const struct device_keys *keys, struct box_secret *out)
{
    const struct device *self = roster_device(roster, &keys->signer.key);
    struct slice sealed = SLICE_EMPTY;
    enum err enrolled = ERR_NOT_FOUND;
    if (!self) return ERR_NOT_FOUND;
    enum err err = find_sealed(t, self, &sealed);
    if (err) return err;
    if (sealed.size) enrolled = unseal(sealed, office, keys, out);
    if (!enrolled) return OK;
    /* Of another office key than the one it was enrolled with it says nothing. */
    if (sealed.size && roster->office_earlier_count) enrolled = ERR_NOT_FOUND;
    struct handover h = {.roster = roster,
                         .office = office,
                         .device = self,
                         .keys = keys,
                         .out = out,
                         .err = enrolled};
    err = handed_over(t, &h);
    return err ? err : h.err;
}

enum err office_key_open(struct txn *t, const struct roster *roster, const struct device_keys *keys,
                         struct box_secret *out)
{
    return open_of(t, roster, &roster->office, keys, out);
}

enum err office_keys_open(struct txn *t, const struct roster *roster,
                          const struct device_keys *keys, struct office_keys *out)
{
    enum err first = OK;
    out->count = 0;
    for (size_t i = 0; i <= roster->office_earlier_count; i++) {
        const struct box_key *office =
            i == 0 ? &roster->office : &roster->offices_earlier[roster->office_earlier_count - i];
        enum err err = open_of(t, roster, office, keys, &out->secrets[out->count]);
        if (txn_error(t)) return txn_error(t);
        if (!err) out->keys[out->count++] = *office;
        if (i == 0) first = err;
    }
    return out->count ? OK : first;
}

void office_keys_wipe(struct office_keys *k)
{
    crypto_wipe(k, sizeof *k);
}

/* May it open sealed records, by the table of kinds? A hub hands the key on when the other is gone.
 */
static bool may_open(const struct device *d)
{
    const uint32_t roles =
        ROLE_HUB | kind_roles(kind_find(slice_of_text("sealed.opened")), SCOPE_OFFICE);
    return d->state == DEVICE_JOINED && device_is_township(d) && d->roles & roles;
}

/* The authority gave it the first one. */
static bool was_enrolled(const struct roster *roster, const struct device *d,
                         const struct box_key *office)
{
    static const struct sign_key none;
    const struct box_key *first =
        roster->office_earlier_count ? &roster->offices_earlier[0] : &roster->office;
    return sign_key_equal(&d->invite, &none) && box_key_equal(office, first);
}

/* The next such device from *at on. */
static const struct device *lacking_from(struct txn *t, const struct roster *roster,
                                         const struct box_key *office, size_t *at)
{
    while (*at < roster->device_count) {
        const struct device *d = &roster->devices[(*at)++];
        struct handover h = {.roster = roster, .office = office, .device = d};
        if (!may_open(d) || was_enrolled(roster, d, office)) continue;
        if (handed_over(t, &h)) return NULL;
        if (!h.found) return d;
    }
    return NULL;
}

const struct device *office_key_lacking(struct txn *t, const struct roster *roster)
{
    size_t at = 0;
    return lacking_from(t, roster, &roster->office, &at);
}

static enum err give(struct recorder *r, const struct box_key *office, const struct device *d,
                     struct slice sealed)
{
    struct mp_map map = {0};
    struct buf body = {0};
    struct mp_writer w = mp_map_put(&map, "device");
    mp_write_bin(&w, d->first.bytes, sizeof d->first.bytes);
    w = mp_map_put(&map, "office");
    mp_write_bin(&w, office->bytes, sizeof office->bytes);
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

enum err office_key_give_of(struct recorder *r, const struct roster *roster,
                            const struct box_key *office, const struct box_secret *secret,
                            unsigned *given)
{
    struct txn *t = recorder_txn(r);
    struct buf sealed = {0};
    const struct device *d;
    size_t at = 0;
    enum err err = OK;
    *given = 0;
    while (!err && (d = lacking_from(t, roster, office, &at)) != NULL) {
        buf_reset(&sealed);
        err = crypto_seal(&sealed, &d->transport, slice_of(secret->bytes, sizeof secret->bytes));
        if (!err) err = give(r, office, d, buf_slice(&sealed));
        if (!err) (*given)++;
        if (err == ERR_MALFORMED) err = OK; /* a key that nothing can be sealed to */
    }
    buf_clear(&sealed);
    return err ? err : txn_error(t);
}

enum err office_key_give(struct recorder *r, const struct roster *roster,
                         const struct device_keys *keys, unsigned *given)
{
    struct box_secret secret;
    *given = 0;
    enum err err = office_key_open(recorder_txn(r), roster, keys, &secret);
    if (!err) err = office_key_give_of(r, roster, &roster->office, &secret, given);
    crypto_wipe(&secret, sizeof secret);
    return err;
}
