#pragma once
/*
 * The store: one LMDB environment in <home>/store, opened by the daemon and by every command line.
 * Only files in node/store include <lmdb.h>; MDB_val never leaves it.
 *
 * A transaction latches its first error: calls after it do nothing and commit returns it. Slices
 * read from a transaction are borrowed until its next write or its end.
 *
 * Creation is crash-safe (temporary directory, one committed record, fsync, rename, fsync of the
 * parent). The map is large and fixed (STORE_MAP_SIZE). Default sync flags, MDB_NOTLS, mode 0600.
 */
#include "common/limits.h"
#include "proto/event.h"

struct store;
struct txn;

#define STORE_VERSION 2

/* What a store is born with; only the generation ever changes (store_renew). */
struct store_identity {
    struct sign_key township; /* the authority's key: the root of trust */
    struct sign_key device;   /* this device's signing key */
    uint8_t generation[8];    /* random, made at creation */
};

/* `home` must exist; makes home/store. Errors: ERR_EXISTS, ERR_IO, ERR_NOSPACE, ERR_PERMISSION. */
MUST_CHECK enum err store_create(const char *home, const struct store_identity *identity);

struct store_options {
    bool read_only;         /* write transactions get ERR_PERMISSION */
    size_t map_size;        /* 0: STORE_MAP_SIZE */
    uint64_t disk_free_min; /* 0: STORE_DISK_FREE_MIN */
    /* That boxes are locked with (locking.h); copied. NULL: there is none at hand, so a store with
     * locked boxes is read without them, and who begins to write gets ERR_LOCKED. */
    const struct secret_key *key;
    bool boxless; /* without the key too a transaction may write, and fails where that would be a
                     box */
};
/* Errors: ERR_NOT_FOUND (no store), ERR_VERSION (newer), ERR_CORRUPT (empty, truncated, not a
 * store), ERR_FOREIGN (an LMDB of something else), ERR_PERMISSION, ERR_BUSY, ERR_NOMEM. */
MUST_CHECK enum err store_open(struct store **out, const char *home,
                               const struct store_options *options);
void store_close(struct store *s);
const struct store_identity *store_identity(const struct store *s);
const char *store_home(const struct store *s); /* borrowed */
/* Draws a new generation, which counts from the commit on: this store is not what peers met. */
void store_renew(struct txn *t);
/* Id of the last committed transaction: the notification (no transaction needed). */
uint64_t store_last_txn(const struct store *s);
/* Bytes of disk used, free on its file system. */
struct store_space {
    uint64_t used, disk_free, map_size;
};
MUST_CHECK enum err store_space(const struct store *s, struct store_space *out);
/* Is there room to write? Below the minimum only for a person (`person`), for whom the reserve file
 * is given back; it is made again when there is room. Errors: ERR_NOSPACE. */
MUST_CHECK enum err store_room(struct store *s, bool person);
/* A synced copy (data file only) into a new file, mode 0600. Errors: ERR_EXISTS, ERR_IO, ... */
MUST_CHECK enum err store_copy(const struct store *s, const char *path, bool compact);
/* The same into an open file, not synced. */
MUST_CHECK enum err store_copy_to(const struct store *s, int fd, bool compact);
/* Rewrites the store compactly in place. Errors: ERR_BUSY while another process has it open. The
 * store is closed and opened again behind the handle; ERR_BUSY too while a transaction is open. */
MUST_CHECK enum err store_compact(struct store *s);

/* One that writes begins while no other of this handle is open. */
MUST_CHECK enum err txn_begin(struct store *s, bool write, struct txn **out);
/* Ends and frees the transaction whatever the result. Errors: the latched one; ERR_NOSPACE,
 * ERR_MAP_FULL; ERR_AMBIGUOUS_COMMIT: the store was closed and reopened, read the head again. */
MUST_CHECK enum err txn_commit(struct txn *t);
void txn_abort(struct txn *t); /* NULL is fine */
enum err txn_error(const struct txn *t);
void txn_fail(struct txn *t, enum err err); /* latches an error of the caller's */
struct store *txn_store(const struct txn *t);
/* Different for every transaction of one store handle: what was read in one may be kept under it.
 */
uint64_t txn_serial(const struct txn *t);

/* --- meta: small named values of this store, not replicated --- */
/* false when absent. */
bool meta_get(struct txn *t, const char *name, struct slice *value);
void meta_put(struct txn *t, const char *name, struct slice value);
void meta_delete(struct txn *t, const char *name);
uint64_t meta_get_uint(struct txn *t, const char *name); /* 0 when absent */
void meta_put_uint(struct txn *t, const char *name, uint64_t value);
