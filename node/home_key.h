#pragma once
/*
 * Keys at rest (node/DESIGN.md, K1 to K3). A home under a passphrase has one random key, the home's
 * key. device.key holds it wrapped under the passphrase, and under it what device.key holds
 * otherwise; the key that boxes of the store are locked with is derived from it. So a new
 * passphrase rewrites one small file, and one key in the kernel's keyring opens the home.
 *
 *   device.key   plain:  what node/home.c writes
 *                locked: "sidan-device-key-locked-1\n", the wrapped key, '\n', base64url of
 *                        nonce 24 ‖ locked(the plain text), '\n'
 */
#include "proto/crypto.h"

#define PASSPHRASE_SIZE_MAX 256

/* Is device.key under a passphrase? */
bool home_has_passphrase(const char *home);
/* The home's key, where it is unlocked: from the keyring. Where the kernel has none, and
 * $SIDAN_PASSPHRASE_FILE names a file, with the passphrase in it, once a process. Errors:
 * ERR_LOCKED; ERR_NO_KEYRING, ERR_PASSPHRASE, home_key_open's. */
MUST_CHECK enum err home_key(const char *home, struct secret_key *out);
/* The key of the store's boxes; *has is false where the home is under no passphrase. Errors: the
 * same. */
MUST_CHECK enum err home_box_key(const char *home, bool *has, struct secret_key *out);
void home_key_of_boxes(struct secret_key *out, const struct secret_key *key);

/* Errors: ERR_STATE (there is no passphrase), ERR_PASSPHRASE, ERR_CORRUPT, ERR_NOMEM, files'. */
MUST_CHECK enum err home_key_open(const char *home, const char *passphrase, struct secret_key *out);
/* Into the keyring. Errors: the same, keyring_put's. */
MUST_CHECK enum err home_unlock(const char *home, const char *passphrase);
/* Out of it. Errors: ERR_STATE, keyring_drop's. */
MUST_CHECK enum err home_lock_keys(const char *home);
/* The same key under another passphrase, in one step. Errors: as home_key_open. */
MUST_CHECK enum err home_change_passphrase(const char *home, const char *old, const char *fresh);
/* Appends the wrapped key. Errors: ERR_STATE, ERR_CORRUPT, files'. */
MUST_CHECK enum err home_key_text(const char *home, struct buf *out);

/* device.key's plain text, whichever form it has; wipe it. Errors: as home_key; ERR_NOT_FOUND,
 * ERR_PERMISSION, ERR_CORRUPT. */
MUST_CHECK enum err device_key_read(struct buf *text, const char *home);
/* Another one in its place, in the form that the file has. The old file's blocks are overwritten.
 */
MUST_CHECK enum err device_key_write(const char *home, struct slice text);
/* From one form to the other. `key` is made by the first. Errors: ERR_STATE (it has it already). */
MUST_CHECK enum err device_key_lock(const char *home, const char *passphrase,
                                    struct secret_key *key);
MUST_CHECK enum err device_key_open(const char *home, const struct secret_key *key);
/* Removes what a killed process left beside device.key. */
void device_key_sweep(const char *home);

/* For who will have keys in memory: no core dump of this process, and no other of this user looks
 * into it. */
void home_keep_process_private(void);

/* One line of a file. Errors: ERR_LIMIT (empty, or too long), files'. */
MUST_CHECK enum err passphrase_read(const char *path, char out[PASSPHRASE_SIZE_MAX + 1]);
