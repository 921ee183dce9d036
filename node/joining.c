#include "node/joining.h"

#include "node/carried.h"
#include "node/settings.h"

#include <string.h>

static void put_hub(struct txn *t, const struct sign_key *device, const struct box_key *transport)
{
    meta_put(t, "hub_device", slice_of(device->bytes, sizeof device->bytes));
    meta_put(t, "hub_transport", slice_of(transport->bytes, sizeof transport->bytes));
}

static enum err remember_hub(struct store *s, const struct invite *invite)
{
    struct txn *t;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    put_hub(t, &invite->acceptor, &invite->acceptor_transport);
    return txn_commit(t);
}

enum err joining_again(struct store *s, struct views *v, const struct invite *invite)
{
    struct txn *t;
    const struct roster *roster;
    enum err err = txn_begin(s, true, &t);
    if (err) return err;
    err = views_roster(v, t, &roster);
    const struct device *hub = err ? NULL : roster_device(roster, &invite->acceptor);
    if (hub && device_is_hub(hub)) put_hub(t, &hub->first, &hub->transport);
    if (!err) return txn_commit(t);
    txn_abort(t);
    return err;
}

static enum err make_store(const char *home, const struct invite *invite,
                           const struct device_keys *keys)
{
    struct store_identity identity = {.township = invite->authority, .device = keys->signer.key};
    const struct store_options options = {0};
    struct store *s = NULL;
    crypto_random(identity.generation, sizeof identity.generation);
    enum err err = store_create(home, &identity);
    if (err && err != ERR_EXISTS) return err; /* there from before a crash, or not ours */
    err = store_open(&s, home, &options);
    if (err) return err;
    const struct store_identity *found = store_identity(s);
    if (!sign_key_equal(&found->township, &identity.township) ||
        !sign_key_equal(&found->device, &identity.device))
        err = ERR_FOREIGN;
    if (!err) err = remember_hub(s, invite);
    store_close(s);
    return err;
}

/* Addresses that a person set stay. */
static enum err keep_addresses(const char *home, const struct invite *invite)
{
    struct settings settings;
    struct settings_problem problem;
    struct buf text = {0};
    enum err err = settings_load(&settings, home, &problem);
    if (err || settings.hub_count) return err;
    for (size_t i = 0; i < invite->address_count; i++)
        buf_printf(&text, "%s%s", i ? " " : "", invite->addresses[i]);
    const char *value = buf_text(&text);
    err = text.err ? text.err : settings_set(home, "hub", value, &problem);
    buf_clear(&text);
    return err;
}

static enum err finish(const char *home, const struct invite *invite)
{
    enum err err = keep_addresses(home, invite);
    if (!err) err = home_mark_joined(home);
    if (!err) err = home_forget_invite(home);
    return err;
}

enum err joining_complete(const char *home, const struct invite *invite,
                          const struct device_keys *keys)
{
    enum err err = make_store(home, invite, keys);
    return err ? err : finish(home, invite);
}

static enum err take_answer(const char *home, const struct device_keys *keys,
                            const struct join_answer *answer)
{
    const struct store_options options = {0};
    struct carried c = {.keys = keys};
    enum err err = store_open(&c.store, home, &options);
    if (!err) err = views_open(&c.views, c.store);
    if (!err) err = carried_take(&c, answer);
    views_close(c.views);
    store_close(c.store);
    return err;
}

enum err joining_by_answer(const char *home, const struct invite *invite,
                           const struct device_keys *keys, const struct join_answer *answer)
{
    enum err err = make_store(home, invite, keys);
    if (!err) err = take_answer(home, keys, answer);
    return err ? err : finish(home, invite);
}
