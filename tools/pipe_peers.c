#include "tools/pipe_peers.h"

#include "node/key_change.h"
#include "node/township.h"
#include "tools/lookup.h"

#include <string.h>

struct calling {
    struct cli *cli;
    struct txn *txn;
    const struct roster *roster;
    const struct device *self; /* NULL: not in the roster yet */
    struct pipe_peers *out;
};

static void add(struct calling *c, const struct sign_key *device, const struct box_key *transport)
{
    struct dial_keys pairs[DIAL_KEYS_MAX];
    size_t count =
        key_change_dial(pairs, c->txn, c->roster, device, transport, c->self, &c->cli->keys);
    for (size_t i = 0; i < count && c->out->count < PIPE_KEYS_MAX; i++)
        c->out->keys[c->out->count++] = (struct pipe_keys){
            .peer = pairs[i].peer, .own = pairs[i].key, .secret = pairs[i].secret};
    crypto_wipe(pairs, sizeof pairs);
}

static bool can_be_called(const struct calling *c, const struct device *d)
{
    return d->state == DEVICE_JOINED && d != c->self;
}

/* The hub that the invite named: all that is known before the roster is here. */
static void add_invited(struct calling *c)
{
    struct slice name, key;
    struct sign_key device;
    struct box_key transport;
    if (!meta_get(c->txn, "hub_device", &name) || name.size != sizeof device.bytes) return;
    if (!meta_get(c->txn, "hub_transport", &key) || key.size != sizeof transport.bytes) return;
    memcpy(device.bytes, name.data, name.size);
    memcpy(transport.bytes, key.data, key.size);
    if (!roster_device(c->roster, &device)) add(c, &device, &transport);
}

static int add_hubs(struct calling *c)
{
    const struct device *first = roster_hub(c->roster);
    c->out->name = _("the hub");
    if (first && can_be_called(c, first)) add(c, &first->first, &first->transport);
    for (size_t i = 0; i < c->roster->device_count; i++) {
        const struct device *d = &c->roster->devices[i];
        if (d != first && device_is_hub(d) && can_be_called(c, d)) add(c, &d->first, &d->transport);
    }
    add_invited(c);
    if (c->out->count) return EXIT_OK;
    if (c->self && device_is_hub(c->self))
        return cli_error(c->cli, EXIT_REFUSED, _("there is nobody to call"),
                         _("this device is the only hub: the villages call it"),
                         _("name one of them: --to NODE; or answer: sidan sync --stdio"));
    return cli_error(c->cli, EXIT_NOT_FOUND, _("there is nobody to call"),
                     _("the roster held here names no hub"), _("sidan doctor"));
}

static int add_village(struct calling *c, const struct village *v)
{
    c->out->name = cli_format(c->cli, "%s", v->short_name);
    for (size_t i = 0; i < c->roster->device_count; i++) {
        const struct device *d = &c->roster->devices[i];
        if (strcmp(d->village, v->code) == 0 && can_be_called(c, d))
            add(c, &d->first, &d->transport);
    }
    if (c->out->count) return EXIT_OK;
    return cli_error(c->cli, EXIT_NOT_FOUND, _("there is nobody to call"),
                     cli_format(c->cli, _("%s has no other device that has joined"), v->short_name),
                     _("sidan devices lists those that have joined"));
}

static int add_named(struct calling *c, const char *text)
{
    const struct village *v;
    const struct device *d;
    if (strcmp(text, "hub") == 0) return add_hubs(c);
    if (township_find_village(c->roster, slice_of_text(text), &v) == OK) return add_village(c, v);
    int code = lookup_device(c->cli, c->roster, text, &d);
    if (code) return code;
    if (!can_be_called(c, d))
        return cli_error(c->cli, EXIT_REFUSED, _("there is nobody to call"),
                         d == c->self
                             ? _("it would be this device itself")
                             : cli_format(c->cli, _("%s has not joined, or was revoked"), d->name),
                         _("sidan devices lists those that have joined"));
    c->out->name = cli_format(c->cli, "%s", d->name);
    add(c, &d->first, &d->transport);
    return EXIT_OK;
}

int pipe_peers_to_call(struct cli *cli, struct pipe_peers *out)
{
    struct calling c = {.cli = cli, .out = out};
    const char *named = cli_flag(cli, "--to");
    *out = (struct pipe_peers){0};
    int code = cli_begin(cli, &c.txn);
    if (code) return code;
    code = cli_roster(cli, c.txn, &c.roster);
    if (!code) {
        c.self = roster_device(c.roster, &store_identity(cli->store)->device);
        code = named ? add_named(&c, named) : add_hubs(&c);
    }
    txn_abort(c.txn);
    return code;
}

void pipe_peers_to_answer(struct cli *cli, struct pipe_peers *out)
{
    const struct device_keys *k = &cli->keys;
    *out = (struct pipe_peers){.name = _("whoever calls"), .count = 1};
    out->keys[0] = (struct pipe_keys){.own = k->transport, .secret = k->transport_secret};
    for (size_t i = 0; i < k->held_count && out->count < PIPE_KEYS_MAX; i++) {
        if (box_key_equal(&k->held[i].transport, &k->transport)) continue;
        out->keys[out->count++] =
            (struct pipe_keys){.own = k->held[i].transport, .secret = k->held[i].transport_secret};
    }
}
