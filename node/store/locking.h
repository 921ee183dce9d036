#pragma once
/*
 * Boxes under a key of this store's (node/DESIGN.md, K4 to K8): in each record the salt and the box
 * are locked (XChaCha20-Poly1305, nonce and bound bytes from the event's id), and so is what is
 * kept of runs that were cut. Headers, indexes and rows are not: they hold no box.
 *
 *   meta "locking"       state ‖ check 16 ‖ the text that opens the key with a passphrase
 *   meta "locking.mark"  while boxes are being locked or opened: the last arrival that is done
 *
 * Each record says for itself whether its box is locked, so a store that is half done is read and
 * written like any other, and whoever has the key goes on with it.
 */
#include "node/store/store.h"

enum locking_state {
    LOCKING_NONE,
    LOCKING_GOES_ON, /* new boxes are locked; older ones up to the mark */
    LOCKING_PAGES,   /* all are; the file still has pages of before: store_compact, locking_clean */
    LOCKING_DONE,
    LOCKING_OPENS, /* new boxes are plain; older ones up to the mark */
};
#define LOCKING_TEXT_SIZE_MAX 1024u
struct locking {
    enum locking_state state;
    uint64_t mark;
    struct slice text; /* borrowed from the transaction */
};
/* Errors: ERR_CORRUPT, the transaction's. */
MUST_CHECK enum err locking_get(struct txn *t, struct locking *out);
/* Are there locked boxes here, or will there be with the next one that is written? */
bool locking_any(struct txn *t);

/* From now on this is the key at hand; NULL: none, and the old one is wiped. */
void store_use_key(struct store *s, const struct secret_key *key);
/* Is the key at hand the one that boxes are locked with? Also where none are. */
bool locking_key_fits(struct txn *t);

/* From this transaction on new boxes are locked with the key at hand, or are not any more. What is
 * kept of cut runs goes. `text`: see locking_text. Errors latch: ERR_STATE (no key, or it is so
 * already), ERR_LIMIT. */
void locking_begin(struct txn *t, struct slice text);
void locking_end(struct txn *t);
/* The text that opens the key with a passphrase, so that a copy of the data file is worth something
 * without the home: opaque here. */
void locking_text(struct txn *t, struct slice text);
/* Locks or opens the boxes of up to so many more records; false: there are no more. A record that
 * is damaged stays as it is. */
bool locking_slice(struct txn *t, uint64_t records_max);
/* The file was rewritten since LOCKING_PAGES. */
void locking_clean(struct txn *t);
