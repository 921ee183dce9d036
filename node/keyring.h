#pragma once
/*
 * The kernel's keyring of this user: where the key of an unlocked home lies until the machine is
 * switched off or `sidan lock` takes it out (node/DESIGN.md, K2). It is in no file and in no
 * process that could be read, and every process of the same user finds it, a service of the system
 * as well as a person's shell. Only keyring.c sees libkeyutils.
 */
#include "proto/crypto.h"

/* Each home has one, named after its real path. Errors: ERR_NO_KEYRING (the kernel was built
 * without, or a container forbids it), ERR_PERMISSION, ERR_NOSPACE (the user's quota), ERR_NOMEM,
 * ERR_NOT_FOUND (get: it is locked; put: no such home). */
MUST_CHECK enum err keyring_put(const char *home, const struct secret_key *key);
MUST_CHECK enum err keyring_get(const char *home, struct secret_key *out);
/* Absent is fine. */
MUST_CHECK enum err keyring_drop(const char *home);
