#pragma once
/*
 * The store written anew into another file, record by record. LMDB's own copy takes pages as they
 * are, and in their gaps stand bytes of what was deleted; into this one goes nothing but what is
 * held.
 */
#include "node/store/store.h"

/* The data file of `s`, which nobody has open, into the new file `path`, mode 0600, synced. Errors:
 * the store's, ERR_NOSPACE, ERR_IO. */
MUST_CHECK enum err rewrite_into(const struct store *s, const char *path);
