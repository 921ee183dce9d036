#include "node/bundle_keys.h"

enum err bundle_keys_open(struct bundle_keys *k, struct store *store, struct views *views,
                          const struct device_keys *own)
{
    const struct roster *roster;
    struct txn *t = NULL;
    k->count = 0;
    k->office = (struct office_keys){0};
    k->keys[k->count++] = (struct bundle_key){&own->transport, &own->transport_secret};
    for (size_t i = 0; i < own->held_count; i++)
        k->keys[k->count++] =
            (struct bundle_key){&own->held[i].transport, &own->held[i].transport_secret};
    enum err err = txn_begin(store, false, &t);
    if (!err) err = views_roster(views, t, &roster);
    if (!err && office_keys_open(t, roster, own, &k->office) != OK) k->office.count = 0;
    txn_abort(t);
    for (size_t i = 0; i < k->office.count; i++)
        k->keys[k->count++] = (struct bundle_key){&k->office.keys[i], &k->office.secrets[i]};
    return err;
}

void bundle_keys_wipe(struct bundle_keys *k)
{
    office_keys_wipe(&k->office);
    k->count = 0;
}
