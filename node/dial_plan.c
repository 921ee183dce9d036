#include "node/dial_plan.h"

#include "node/link/address.h"

#include <stdio.h>
#include <string.h>

struct planning {
    struct dial_plan *plan;
    struct txn *txn;
    const struct roster *roster;
    const struct device *self; /* NULL: not in the roster yet */
};

static bool is_dialled(const struct planning *p, const struct device *d)
{
    if (!device_is_hub(d) || d == p->self) return false;
    return !p->self || !device_is_hub(p->self) ||
           memcmp(&d->thing, &p->self->thing, sizeof d->thing) < 0;
}

/* The next one by thing id, in which order the hubs came; NULL at the end. */
static const struct device *next_hub(const struct planning *p, const struct device *after)
{
    const struct device *next = NULL;
    for (size_t i = 0; i < p->roster->device_count; i++) {
        const struct device *d = &p->roster->devices[i];
        if (!is_dialled(p, d)) continue;
        if (after && memcmp(&d->thing, &after->thing, sizeof d->thing) <= 0) continue;
        if (!next || memcmp(&d->thing, &next->thing, sizeof d->thing) < 0) next = d;
    }
    return next;
}

static bool listens_at(const struct planning *p, const struct device *d, const char *address)
{
    for (uint32_t i = 0; i < d->address_count; i++)
        if (strcmp(p->roster->addresses[d->addresses_at + i].text, address) == 0) return true;
    return false;
}

/* The hub that the invite named. */
static bool invited_to(struct txn *t, struct sign_key *device, struct box_key *transport)
{
    struct slice key, transport_key;
    if (!meta_get(t, "hub_device", &key) || key.size != sizeof device->bytes) return false;
    memcpy(device->bytes, key.data, sizeof device->bytes);
    if (!meta_get(t, "hub_transport", &transport_key) ||
        transport_key.size != sizeof transport->bytes)
        return false;
    memcpy(transport->bytes, transport_key.data, sizeof transport->bytes);
    return true;
}

/* The hub that let this device in last, which its roster need not have heard of. */
static const struct device *acceptor_of(const struct planning *p)
{
    struct sign_key device;
    struct box_key transport;
    const struct device *last =
        invited_to(p->txn, &device, &transport) ? roster_device(p->roster, &device) : NULL;
    return last || !p->self ? last : roster_device(p->roster, &p->self->acceptor);
}

/* Who is expected at an address of which the roster says nothing: who let this device in, else who
 * gives the numbers, else the first. */
static const struct device *expected(const struct planning *p)
{
    const struct device *acceptor = acceptor_of(p);
    const struct device *main_hub = roster_hub(p->roster);
    if (acceptor && is_dialled(p, acceptor)) return acceptor;
    return main_hub && is_dialled(p, main_hub) ? main_hub : next_hub(p, NULL);
}

static const struct device *owner_of(const struct planning *p, const char *address)
{
    for (const struct device *d = next_hub(p, NULL); d; d = next_hub(p, d))
        if (listens_at(p, d, address)) return d;
    return expected(p);
}

static void add(struct planning *p, const char *address, const struct sign_key *device,
                const struct box_key *transport)
{
    struct dial_plan *plan = p->plan;
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->places[i].address, address) == 0) return;
    if (plan->count == DIAL_PLACES_MAX) return;
    struct dial_place *place = &plan->places[plan->count++];
    snprintf(place->address, sizeof place->address, "%s", address);
    place->device = *device;
    place->transport = *transport;
}

void dial_plan_make(struct dial_plan *out, struct txn *t, const struct roster *roster,
                    const char *const *given, size_t given_count)
{
    struct planning p = {.plan = out, .txn = t, .roster = roster};
    struct sign_key device;
    struct box_key transport;
    *out = (struct dial_plan){0};
    p.self = roster_device(roster, &store_identity(txn_store(t))->device);
    bool hubs = next_hub(&p, NULL) != NULL;
    bool is_hub = p.self && device_is_hub(p.self);
    bool invited = !hubs && !is_hub && invited_to(t, &device, &transport);
    out->nobody = !hubs && !invited;
    for (size_t i = 0; i < given_count && !out->nobody; i++) {
        const struct device *d = hubs ? owner_of(&p, given[i]) : NULL;
        add(&p, given[i], d ? &d->first : &device, d ? &d->transport : &transport);
    }
    for (const struct device *d = next_hub(&p, NULL); d; d = next_hub(&p, d))
        for (uint32_t i = 0; i < d->address_count; i++) {
            struct address parsed;
            const char *text = roster->addresses[d->addresses_at + i].text;
            if (!address_parse(&parsed, text, ADDRESS_DIAL))
                add(&p, text, &d->first, &d->transport);
        }
}
