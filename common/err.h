#pragma once
/*
 * The one set of results. OK is 0. Every function that can fail returns `enum err` and is marked
 * MUST_CHECK; out-parameters are written only on OK. The text is a short English phrase for logs;
 * what a person reads is made by the tools from the same code (and translated there).
 */

#define ERR_LIST(X)                                                                                \
    X(OK, "ok")                                                                                    \
    X(ERR_NOMEM, "out of memory")                                                                  \
    X(ERR_IO, "input/output error")                                                                \
    X(ERR_NOSPACE, "no space left on the disk")                                                    \
    X(ERR_MAP_FULL, "the store has reached its reserved size")                                     \
    X(ERR_MALFORMED, "malformed")                                                                  \
    X(ERR_LIMIT, "over a limit")                                                                   \
    X(ERR_SIGNATURE, "signature does not verify")                                                  \
    X(ERR_CHAIN, "hash or link of the chain does not match")                                       \
    X(ERR_BASE, "the event it follows is not held")                                                \
    X(ERR_DICTIONARY, "compression dictionary differs")                                            \
    X(ERR_UNKNOWN_AUTHOR, "author or scope is not in the roster")                                  \
    X(ERR_FORBIDDEN, "not allowed")                                                                \
    X(ERR_NOT_FOUND, "not found")                                                                  \
    X(ERR_AMBIGUOUS, "more than one matches")                                                      \
    X(ERR_EXISTS, "already there")                                                                 \
    X(ERR_STATE, "not possible in this state")                                                     \
    X(ERR_RANGE, "value out of range")                                                             \
    X(ERR_BUSY, "in use by another process")                                                       \
    X(ERR_AGAIN, "try again")                                                                      \
    X(ERR_TIMEOUT, "timed out")                                                                    \
    X(ERR_UNREACHABLE, "not reachable")                                                            \
    X(ERR_NOT_JOINED, "this device has not joined a township")                                     \
    X(ERR_CORRUPT, "stored data is damaged")                                                       \
    X(ERR_VERSION, "made by a newer version")                                                      \
    X(ERR_FOREIGN, "belongs to another township or is not ours")                                   \
    X(ERR_PASSPHRASE, "wrong passphrase")                                                          \
    X(ERR_EXPIRED, "expired")                                                                      \
    X(ERR_USED, "already used")                                                                    \
    X(ERR_PERMISSION, "permission denied by the system")                                           \
    X(ERR_AMBIGUOUS_COMMIT, "nobody knows whether the commit happened; reopen and read the head")  \
    X(ERR_READ_ONLY, "the file system is read-only")                                               \
    X(ERR_LOCKED, "locked: keys and boxes are under a passphrase")                                 \
    X(ERR_NO_KEYRING, "the kernel has no keyring here")

enum err {
#define ERR_ENUM(code, text) code,
    ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Short English phrase; never NULL. */
const char *err_text(enum err e);

/* The identifier itself, "ERR_NOMEM"; for logs and tests. */
const char *err_name(enum err e);

/* Maps errno after a failed system call: ENOMEM, ENOSPC/EDQUOT, EACCES/EPERM, ENOENT, EEXIST,
 * EAGAIN/EBUSY; everything else is ERR_IO. */
enum err err_from_errno(int errno_value);
