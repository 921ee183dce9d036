#pragma once
/*
 * A home: one folder with keys, store, configuration, nothing outside it.
 *
 *   config              key = value lines (settings.h)
 *   device.key          signing seeds and transport secrets, the newest first, 0600; under a
 *                       passphrase where the home is (home_key.h)
 *   authority.key       the authority's seed and the office's secrets under a passphrase (where
 *                       `init` ran, and where somebody put it)
 *   authority.key.new   the same of the one that is about to be in force, until its event is kept
 *   recovery.key        is printed at init, never stored
 *   joined              marker: this device has a log; an empty store beside it is an error (L5)
 *   joining             what `join` remembers until the hub's answer: the invite
 *   store/              LMDB
 *   node.lock           held by sidan-node (flock)
 *   courier/            sealed files of others that this laptop carries (courier.h)
 *   drill/              while `sidan drill` runs (tools/drill.h)
 */
#include "common/file.h"
#include "node/store/store.h"
#include "proto/join.h"

/* The file holds more pairs than the roster knows while a change is under way, and former ones for
 * ever: what was sealed to them is opened by them, and who does not know the new ones yet is met by
 * the old. */
#define DEVICE_PAIRS_MAX (DEVICE_KEYS_MAX + 2)
struct device_pair {
    struct signer signer;
    struct box_key transport;
    struct box_secret transport_secret;
};
struct device_keys {
    struct signer signer; /* in use: the first until device_keys_use says otherwise */
    struct box_key transport;
    struct box_secret transport_secret;
    struct device_pair held[DEVICE_PAIRS_MAX]; /* as in the file; those in use among them */
    size_t held_count;                         /* 0: only those in use */
};
void device_keys_wipe(struct device_keys *k);
/* NULL: not held. */
const struct signer *device_keys_signer(const struct device_keys *k, const struct sign_key *key);
const struct box_secret *device_keys_transport(const struct device_keys *k,
                                               const struct box_key *key);

/* Makes the folder (0700) if need be and a new device.key. Errors: ERR_EXISTS. */
MUST_CHECK enum err home_make_keys(const char *home, struct device_keys *out);
/* Puts a pair first in the file, durably; those in use stay in use. Errors: ERR_LIMIT, files'. */
MUST_CHECK enum err home_add_keys(const char *home, struct device_keys *k,
                                  const struct device_pair *pair);
/* Errors: ERR_NOT_JOINED (no key), ERR_PERMISSION (mode is not 0600), ERR_CORRUPT; ERR_LOCKED and
 * the others of home_key. */
MUST_CHECK enum err home_load_keys(const char *home, struct device_keys *out);
enum home_state { HOME_EMPTY, HOME_JOINING, HOME_JOINED };
enum home_state home_state(const char *home);
MUST_CHECK enum err home_mark_joined(const char *home);
MUST_CHECK enum err home_save_invite(const char *home, const struct invite *invite);
MUST_CHECK enum err home_load_invite(const char *home, struct invite *out);
MUST_CHECK enum err home_forget_invite(const char *home);
/* What authority.key holds. */
struct authority_keys {
    struct sign_seed seed;
    struct signer signer;
    struct box_secret offices[OFFICE_KEYS_MAX + 1]; /* secret halves of office keys, newest first */
    size_t office_count;
};
void authority_keys_wipe(struct authority_keys *k);
/* Puts a new office secret first. */
void authority_keys_add_office(struct authority_keys *k, const struct box_secret *office);

/* Which of the two files: a new one stands beside the old until what it needs is recorded, so that
 * after a crash at any step one of them has the key in force. */
enum authority_file { AUTHORITY_IN_FORCE, AUTHORITY_NEXT };
/* Under its passphrase. `k->signer` is not asked. */
MUST_CHECK enum err home_save_authority(const char *home, enum authority_file which,
                                        const struct authority_keys *k, const char *passphrase);
/* Errors: ERR_NOT_FOUND, ERR_PASSPHRASE, ERR_CORRUPT, files'. The caller wipes *out. */
MUST_CHECK enum err home_load_authority(const char *home, enum authority_file which,
                                        const char *passphrase, struct authority_keys *out);
/* The next one takes the other's place. Errors: ERR_NOT_FOUND, files'. */
MUST_CHECK enum err home_promote_authority(const char *home);
/* The daemon's lock on a home. Errors: ERR_BUSY (another runs). */
MUST_CHECK enum err home_lock(const char *home, int *fd);
/* Is a daemon running on this home? (tries the lock and lets go) */
bool home_node_running(const char *home);
