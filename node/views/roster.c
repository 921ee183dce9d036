#include "node/views/roster.h"

#include <stdlib.h>
#include <string.h>

#include "node/views/roster_fold.h"

/* --- reading the rows ---------------------------------------------------------------------- */

/* Until it is founded, the founding authority alone, known by the township's name. */
static MUST_CHECK enum err authority_begin(struct roster *r)
{
    r->authorities = calloc(1, sizeof *r->authorities);
    if (!r->authorities) return ERR_NOMEM;
    r->authorities[r->authority_count++].key = r->township;
    return OK;
}

static MUST_CHECK enum err township_add(struct roster *r, const struct thing_id *thing,
                                        struct slice row)
{
    if (r->founded) return OK; /* a second founding changes nothing */
    enum err err = roster_fold_read_township(r, row);
    if (!err) r->thing = *thing;
    if (!err) r->founded = true;
    return err;
}

/* Doubles an array when it is full. */
static MUST_CHECK enum err array_reserve(void **array, size_t count, size_t size)
{
    if (count & (count - 1)) return OK; /* grows at powers of two */
    void *grown = realloc(*array, (count ? count * 2 : 1) * size);
    if (!grown) return ERR_NOMEM;
    *array = grown;
    return OK;
}

/* Of two villages with one code the thing with the lower id, which comes first, counts. */
static MUST_CHECK enum err village_add(struct roster *r, const struct thing_id *thing,
                                       struct slice row)
{
    void *villages = r->villages;
    enum err err = array_reserve(&villages, r->village_count, sizeof *r->villages);
    r->villages = villages;
    if (err) return err;
    struct village *village = &r->villages[r->village_count];
    err = roster_fold_read_village(village, row);
    if (err) return err;
    village->thing = *thing;
    for (size_t i = 0; i < r->village_count; i++)
        if (strcmp(r->villages[i].code, village->code) == 0) return OK;
    r->village_count++;
    return OK;
}

static MUST_CHECK enum err device_add(struct roster *r, const struct thing_id *thing,
                                      struct slice row)
{
    void *devices = r->devices;
    enum err err = array_reserve(&devices, r->device_count, sizeof *r->devices);
    r->devices = devices;
    if (err) return err;
    struct device *device = &r->devices[r->device_count];
    err = roster_fold_read_device(device, r, row);
    if (err) return err;
    device->thing = *thing;
    r->device_count++;
    return OK;
}

static MUST_CHECK enum err rows_read(struct roster *r, struct txn *t, uint32_t scope_number,
                                     enum thing_type type, struct crypto_hasher *hasher)
{
    uint8_t prefix = (uint8_t)type;
    struct row_cursor cursor = {
        .scope_number = scope_number, .table = ROW_THING, .prefix = slice_of(&prefix, 1)};
    struct slice key, row;
    while (row_next(t, &cursor, &key, &row)) {
        struct thing_id thing;
        if (row_thing_id(&thing, key)) return ERR_CORRUPT;
        crypto_hasher_add(hasher, key);
        crypto_hasher_add(hasher, row);
        enum err err = type == THING_TOWNSHIP  ? township_add(r, &thing, row)
                       : type == THING_VILLAGE ? village_add(r, &thing, row)
                                               : device_add(r, &thing, row);
        if (err) return err;
    }
    return OK;
}

/* --- look-ups ------------------------------------------------------------------------------ */

static int village_by_code(const void *a, const void *b)
{
    return strcmp(((const struct village *)a)->code, ((const struct village *)b)->code);
}

/* Keys are hashes of nothing, but a stranger may choose his: any 8 bytes do, the table is never
 * more than half full. */
static size_t key_slot(const struct roster *r, const struct sign_key *key)
{
    uint64_t h = be64_get(key->bytes) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 32) & (r->slot_count - 1);
}

static size_t slot_device(const struct roster *r, uint32_t slot)
{
    size_t at = slot - 1;
    return at < r->device_count ? at : r->earlier[at - r->device_count].device;
}

static const struct sign_key *slot_key(const struct roster *r, uint32_t slot)
{
    size_t at = slot - 1;
    return at < r->device_count ? &r->devices[at].key : &r->earlier[at - r->device_count].key;
}

static uint32_t *slot_find(const struct roster *r, const struct sign_key *key)
{
    size_t at = key_slot(r, key);
    while (r->slots[at] && !sign_key_equal(slot_key(r, r->slots[at]), key))
        at = (at + 1) & (r->slot_count - 1);
    return &r->slots[at];
}

/* Of two devices with one key the earlier thing has it, but for one that was revoked: whoever was
 * put out stays out, by whatever door he came back in. */
static void index_key(struct roster *r, uint32_t slot)
{
    static const struct sign_key none;
    if (sign_key_equal(slot_key(r, slot), &none)) return;
    uint32_t *found = slot_find(r, slot_key(r, slot));
    const struct device *has = *found ? &r->devices[slot_device(r, *found)] : NULL;
    if (!has ||
        (has->state != DEVICE_REVOKED && r->devices[slot_device(r, slot)].state == DEVICE_REVOKED))
        *found = slot;
}

static MUST_CHECK enum err index_devices(struct roster *r)
{
    r->slot_count = 16;
    while (r->slot_count < (r->device_count + r->earlier_count) * 2) r->slot_count *= 2;
    r->slots = calloc(r->slot_count, sizeof *r->slots);
    if (!r->slots) return ERR_NOMEM;
    for (size_t i = 0; i < r->device_count; i++) {
        const struct device *d = &r->devices[i];
        for (uint32_t j = 0; j < d->earlier_count; j++)
            index_key(r, (uint32_t)(r->device_count + d->earlier_at + j + 1));
        index_key(r, (uint32_t)(i + 1));
    }
    return OK;
}

enum err roster_load(struct txn *t, struct roster **out)
{
    static const enum thing_type types[] = {THING_TOWNSHIP, THING_VILLAGE, THING_DEVICE};
    struct roster *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    r->township = store_identity(txn_store(t))->township;

    struct crypto_hasher hasher;
    crypto_hasher_begin(&hasher, CONTEXT_ROW);
    struct scope town = scope_town();
    struct scope_row scope;
    enum err err = authority_begin(r);
    if (!err && scope_find(t, &town, &scope))
        for (size_t i = 0; !err && i < sizeof types / sizeof types[0]; i++)
            err = rows_read(r, t, scope.number, types[i], &hasher);
    crypto_hasher_end(&hasher, &r->version);

    if (!err) err = txn_error(t);
    if (!err && r->village_count)
        qsort(r->villages, r->village_count, sizeof *r->villages, village_by_code);
    if (!err) err = index_devices(r);
    if (err)
        roster_free(r);
    else
        *out = r;
    return err;
}

void roster_free(struct roster *r)
{
    if (!r) return;
    free(r->authorities);
    free(r->cuts);
    free(r->offices_earlier);
    free(r->series);
    free(r->devices);
    free(r->earlier);
    free(r->addresses);
    free(r->villages);
    free(r->slots);
    free(r);
}

const struct authority *roster_authority(const struct roster *r)
{
    return &r->authorities[r->authority_count - 1];
}

bool roster_is_authority(const struct roster *r, const struct sign_key *key)
{
    for (size_t i = 0; i < r->authority_count; i++)
        if (sign_key_equal(&r->authorities[i].key, key)) return true;
    return false;
}

bool roster_is_recovery(const struct roster *r, const struct sign_key *key)
{
    for (size_t i = 0; r->founded && i < r->authority_count; i++)
        if (sign_key_equal(&r->authorities[i].recovery, key)) return true;
    return false;
}

const struct device *roster_device(const struct roster *r, const struct sign_key *key)
{
    uint32_t slot = *slot_find(r, key);
    return slot ? &r->devices[slot_device(r, slot)] : NULL;
}

const struct sign_key *roster_name(const struct roster *r, const struct sign_key *key)
{
    const struct device *d = roster_device(r, key);
    return d ? &d->first : key;
}

bool roster_key_at(const struct roster *r, const struct device *d, size_t i, struct sign_key *out)
{
    struct sign_key key = d->key;
    for (size_t at = d->earlier_count; i; i--) {
        while (at && sign_key_equal(&r->earlier[d->earlier_at + at - 1].key, &key)) at--;
        if (!at) return false;
        key = r->earlier[d->earlier_at + --at].key;
    }
    *out = key;
    return true;
}

bool roster_transport_at(const struct roster *r, const struct device *d, size_t i,
                         struct box_key *out)
{
    struct box_key key = d->transport;
    for (size_t at = d->earlier_count; i; i--) {
        while (at && box_key_equal(&r->earlier[d->earlier_at + at - 1].transport, &key)) at--;
        if (!at) return false;
        key = r->earlier[d->earlier_at + --at].transport;
    }
    *out = key;
    return true;
}

bool roster_has_key(const struct roster *r, const struct device *d, const struct sign_key *key)
{
    struct sign_key held;
    for (size_t i = 0; roster_key_at(r, d, i, &held); i++)
        if (sign_key_equal(&held, key)) return true;
    return false;
}

/* It came in twice, and one of the two was revoked. */
static bool is_shut_out(const struct roster *r, const struct device *d)
{
    const struct device *owner = roster_device(r, &d->key);
    return owner && owner->state == DEVICE_REVOKED;
}

const struct device *roster_transport(const struct roster *r, const struct box_key *key)
{
    for (size_t i = 0; i < r->device_count; i++) {
        const struct device *d = &r->devices[i];
        struct box_key earlier;
        if (d->state != DEVICE_JOINED) continue;
        if (!box_key_equal(&d->transport, key) &&
            !(roster_transport_at(r, d, 1, &earlier) && box_key_equal(&earlier, key)))
            continue;
        if (!is_shut_out(r, d)) return d;
    }
    return NULL;
}

const struct device *roster_invite_transport(const struct roster *r, const struct box_key *key,
                                             uint64_t now_ms)
{
    for (size_t i = 0; i < r->device_count; i++) {
        const struct device *d = &r->devices[i];
        bool open = d->state == DEVICE_INVITED || (d->state == DEVICE_JOINED && !d->stolen);
        if (open && d->expires_ms > now_ms && box_key_equal(&d->invite_transport, key))
            return d;
    }
    return NULL;
}

const struct device *roster_invite(const struct roster *r, const struct sign_key *invite)
{
    static const struct sign_key none;
    if (sign_key_equal(invite, &none)) return NULL; /* as the founding hub's stands there */
    for (size_t i = 0; i < r->device_count; i++)
        if (sign_key_equal(&r->devices[i].invite, invite)) return &r->devices[i];
    return NULL;
}

bool device_is_hub(const struct device *d)
{
    return d->state == DEVICE_JOINED && d->roles & ROLE_HUB;
}

/* The founding hub came without an invite. */
static const struct device *founding_hub(const struct roster *r)
{
    static const struct sign_key none;
    for (size_t i = 0; i < r->device_count; i++)
        if (r->devices[i].roles & ROLE_HUB && sign_key_equal(&r->devices[i].invite, &none))
            return &r->devices[i];
    return NULL;
}

const struct device *roster_hub_after(const struct roster *r, size_t moves)
{
    return moves ? roster_device(r, &r->series[moves - 1]) : founding_hub(r);
}

const struct device *roster_hub(const struct roster *r)
{
    const struct device *d = roster_hub_after(r, r->series_count);
    return d && device_is_hub(d) ? d : NULL;
}

const struct village *roster_village(const struct roster *r, const char *code)
{
    size_t low = 0, high = r->village_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(r->villages[middle].code, code);
        if (!order) return &r->villages[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- rights -------------------------------------------------------------------------------- */

bool device_is_township(const struct device *d)
{
    return d->village[0] == 0;
}

uint32_t roster_roles(const struct roster *r, const struct sign_key *author)
{
    if (roster_is_authority(r, author)) return ROLE_AUTHORITY;
    if (roster_is_recovery(r, author)) return ROLE_RECOVERY;
    const struct device *device = roster_device(r, author);
    return device ? device->roles : 0;
}

bool device_may_hold(const struct device *d, const struct scope *scope)
{
    if (d->state != DEVICE_JOINED) return false;
    if (device_is_township(d) || scope_class(scope) == SCOPE_TOWN) return true;
    return scope_class(scope) == SCOPE_VILLAGE && strcmp(scope_village(scope), d->village) == 0;
}

bool roster_may_author(const struct roster *r, const struct sign_key *author,
                       const struct scope *scope)
{
    if (roster_is_authority(r, author) || roster_is_recovery(r, author))
        return scope_class(scope) == SCOPE_TOWN;
    const struct device *device = roster_device(r, author);
    if (!device) return false;
    if (device_is_township(device)) return device->roles & ~(uint32_t)ROLE_MIRROR;
    return scope_class(scope) != SCOPE_VILLAGE ||
           strcmp(scope_village(scope), device->village) == 0;
}
