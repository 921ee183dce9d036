#pragma once
/*
 * A backup: everything that a home needs to live again on another machine, in one file sealed under
 * a passphrase (proto/stream.h): keys, configuration and the store as of one commit. Without the
 * keys a hub could not be put back at all: the villages know it by its transport key. Without the
 * seal it would be every resident's data and the device's keys on a stick.
 *
 * Put back, the store begins a new life (node/lives.h) and has a new generation, so whatever was
 * recorded after the copy was made comes back from peers, and nothing that is signed from now on
 * can clash with it.
 *
 *   content  made at, be64 ms ‖ township 32 ‖ device 32 ‖ (name size ‖ name ‖ size be64 ‖ bytes)
 * for each file ‖ 0
 */
#include "proto/stream.h"

#include "node/store/store.h"

#define BACKUP_NAME_SIZE 64u

struct backup_head {
    uint64_t made_ms;
    struct sign_key township, device;
};

/* Writes and syncs a new file, mode 0600; nothing is left of it on error. Errors: ERR_EXISTS, the
 * system's. */
MUST_CHECK enum err backup_make(const struct store *s, const char *path, const char *passphrase,
                                uint64_t now_ms);

struct backup;
/* Errors: ERR_NOT_FOUND, ERR_MALFORMED (no backup), ERR_PASSPHRASE, ERR_CORRUPT, the system's. */
MUST_CHECK enum err backup_open(struct backup **out, const char *path, const char *passphrase);
const struct backup_head *backup_head(const struct backup *b);
/* Writes its files into `folder`, synced, and begins the store's new life there, which has at least
 * the number `life_least`. Once. Errors: ERR_CORRUPT (changed or cut), ERR_VERSION, the system's.
 */
MUST_CHECK enum err backup_unpack(struct backup *b, const char *folder, uint64_t life_least);
void backup_close(struct backup *b);
