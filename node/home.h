#pragma once
/*
 * A home: one folder with keys, store, configuration, nothing outside it.
 *
 *   config              key = value lines (settings.h)
 *   device.key          signing seed and transport secret, 0600
 *   authority.key       the authority's seed under a passphrase (only where `init` ran)
 *   recovery.key        is printed at init, never stored
 *   joined              marker: this device has a log; an empty store beside it is an error (L5)
 *   joining             what `join` remembers until the hub's answer: the invite
 *   store/              LMDB
 *   node.lock           held by sidan-node (flock)
 */
#include "common/file.h"
#include "node/store/store.h"
#include "proto/join.h"

struct device_keys {
    struct signer signer;
    struct box_key transport;
    struct box_secret transport_secret;
};
void device_keys_wipe(struct device_keys *k);

/* Makes the folder (0700) if need be and a new device.key. Errors: ERR_EXISTS. */
MUST_CHECK enum err home_make_keys(const char *home, struct device_keys *out);
/* Errors: ERR_NOT_JOINED (no key), ERR_PERMISSION (mode is not 0600), ERR_CORRUPT. */
MUST_CHECK enum err home_load_keys(const char *home, struct device_keys *out);
enum home_state { HOME_EMPTY, HOME_JOINING, HOME_JOINED };
enum home_state home_state(const char *home);
MUST_CHECK enum err home_mark_joined(const char *home);
MUST_CHECK enum err home_save_invite(const char *home, const struct invite *invite);
MUST_CHECK enum err home_load_invite(const char *home, struct invite *out);
MUST_CHECK enum err home_forget_invite(const char *home);
/* The authority's key under its passphrase. Errors: ERR_NOT_FOUND, ERR_PASSPHRASE, ... */
MUST_CHECK enum err home_save_authority(const char *home, const struct sign_seed *seed,
                                        const struct box_secret *office, const char *passphrase);
MUST_CHECK enum err home_load_authority(const char *home, const char *passphrase,
                                        struct signer *out);
/* The daemon's lock on a home. Errors: ERR_BUSY (another runs). */
MUST_CHECK enum err home_lock(const char *home, int *fd);
/* Is a daemon running on this home? (tries the lock and lets go) */
bool home_node_running(const char *home);
