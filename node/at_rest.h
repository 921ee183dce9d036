#pragma once
/*
 * How a home lies on the disk (node/DESIGN.md, K1 to K8): `at_rest = keyfile`, keys and boxes as
 * they are, or `passphrase`, both locked. The setting is what is wished; device.key and the store
 * say how far it is. Each step is whole or not done, in this order, so a process that is killed
 * anywhere leaves a home that works, and the next one goes on:
 *
 *   to passphrase  setting; device.key locked; store: new boxes locked, rows of the search gone,
 *                  old boxes locked in slices, file rewritten, done
 *   to keyfile     setting; store: new boxes plain, old ones opened in slices; device.key plain;
 *                  key out of the keyring
 *
 * No other process may run on the home meanwhile but readers: the caller holds its lock.
 */
#include "node/settings.h"
#include "node/store/store.h"

struct at_rest_steps {
    /* Before each step and slice; `what` is English, for logs. NULL: nobody looks. */
    void (*step)(void *state, const char *what, uint64_t done, uint64_t total);
    void *state;
};

/* How it stands. */
struct at_rest {
    bool passphrase; /* device.key is locked */
    bool unlocked;   /* its key is at hand; true where there is no passphrase */
    bool whole;      /* the store is as device.key is, and both are as wished */
};
/* `s` NULL: without the store. Errors: the store's. */
MUST_CHECK enum err at_rest_look(const char *home, const struct settings *wish, struct store *s,
                                 struct at_rest *out);

/* Errors: ERR_PASSPHRASE (device.key is under another one already), ERR_NOT_JOINED, ERR_BUSY (the
 * file could not be rewritten, for another process has the store open: all else is done), files',
 * the store's. ERR_NO_KEYRING is none here: this process goes on with the key it has. */
MUST_CHECK enum err at_rest_to_passphrase(const char *home, const char *passphrase,
                                          const struct at_rest_steps *steps);
/* Errors: ERR_STATE (it is plain already), the same. */
MUST_CHECK enum err at_rest_to_keyfile(const char *home, const char *passphrase,
                                       const struct at_rest_steps *steps);
/* Goes on with what was begun, for who opens a store to work with it: nothing to do costs nothing.
 * The store has the key at hand. Errors: as above. */
MUST_CHECK enum err at_rest_go_on(const char *home, const struct settings *wish, struct store *s,
                                  const struct at_rest_steps *steps);
/* After a new passphrase, the store's own copy of the wrapped key. */
MUST_CHECK enum err at_rest_renew_text(const char *home, struct store *s);
