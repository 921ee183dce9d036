#include "node/keyring.h"

#include <errno.h>
#include <keyutils.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_TYPE "user"
#define NAME_PREFIX "sidan:"

/* Whoever has the user's id may find and read it, whichever session he is of: a service of the
 * system has a session of its own, and does not possess what a shell put in. */
#define PERMISSIONS                                                                                \
    (KEY_POS_ALL | KEY_USR_VIEW | KEY_USR_READ | KEY_USR_WRITE | KEY_USR_SEARCH | KEY_USR_LINK |   \
     KEY_USR_SETATTR)

static enum err keyring_err(int error)
{
    switch (error) {
    case ENOKEY:
    case EKEYREVOKED:
    case EKEYEXPIRED:
        return ERR_NOT_FOUND;
    case ENOSYS:
    case EPERM: /* as a container's filter of system calls says it */
    case EOPNOTSUPP:
        return ERR_NO_KEYRING;
    case EDQUOT:
        return ERR_NOSPACE;
    default:
        return err_from_errno(error);
    }
}

static enum err name_of(char out[PATH_MAX + sizeof NAME_PREFIX], const char *home)
{
    char real[PATH_MAX];
    if (!realpath(home, real)) return err_from_errno(errno);
    snprintf(out, PATH_MAX + sizeof NAME_PREFIX, NAME_PREFIX "%s", real);
    return OK;
}

static enum err find(const char *home, key_serial_t *out)
{
    char name[PATH_MAX + sizeof NAME_PREFIX];
    enum err err = name_of(name, home);
    if (err) return err;
    long id = keyctl_search(KEY_SPEC_USER_KEYRING, KEY_TYPE, name, 0);
    if (id < 0) return keyring_err(errno);
    *out = (key_serial_t)id;
    return OK;
}

/* Made in the process's own ring, which it possesses whatever its session is, so that it may set
 * who reads it; then linked, in place of an older one of this name. */
enum err keyring_put(const char *home, const struct secret_key *key)
{
    char name[PATH_MAX + sizeof NAME_PREFIX];
    enum err err = name_of(name, home);
    if (err) return err;
    key_serial_t id =
        add_key(KEY_TYPE, name, key->bytes, sizeof key->bytes, KEY_SPEC_PROCESS_KEYRING);
    if (id < 0) return keyring_err(errno);
    if (keyctl_setperm(id, PERMISSIONS) || keyctl_link(id, KEY_SPEC_USER_KEYRING))
        err = keyring_err(errno);
    keyctl_unlink(id, KEY_SPEC_PROCESS_KEYRING);
    return err;
}

enum err keyring_get(const char *home, struct secret_key *out)
{
    key_serial_t id;
    struct secret_key key;
    enum err err = find(home, &id);
    if (err) return err;
    long size = keyctl_read(id, (char *)key.bytes, sizeof key.bytes);
    if (size < 0) return keyring_err(errno);
    if ((size_t)size != sizeof key.bytes) return ERR_NOT_FOUND; /* not of our making */
    *out = key;
    crypto_wipe(&key, sizeof key);
    return OK;
}

enum err keyring_drop(const char *home)
{
    key_serial_t id;
    enum err err = find(home, &id);
    if (err) return err == ERR_NOT_FOUND ? OK : err;
    /* Revoked, it is useless at once, also to who holds a link to it. */
    if (keyctl_revoke(id) && errno != EKEYREVOKED) return keyring_err(errno);
    keyctl_unlink(id, KEY_SPEC_USER_KEYRING);
    return OK;
}
