#pragma once
/*
 * A device changes its keys and goes on (SPEC 10.10, 10.11): which of the pairs in device.key are
 * in use, who has been told of a change, and which transport key a device that is dialled serves.
 * All of it follows from the log, the peers' rows and the file, so a crash between two steps leaves
 * nothing to be mended; that the newest transport key is served is noted, once it is.
 */
#include "node/home.h"
#include "node/store/local.h"
#include "node/views/views.h"

/* The newest signing and transport key of `self` that the file has. Keys that no event told of yet
 * are not used. True when another than before is in use. */
bool device_keys_use(struct device_keys *k, const struct roster *roster, const struct device *self);
/* The same of a process that runs on: where the roster names a key that it has not, the file is
 * read again. *changed: another is in use. Errors: files'. */
MUST_CHECK enum err key_change_follow(struct device_keys *k, const char *home,
                                      const struct roster *roster, const struct device *self,
                                      bool *changed);

/* Where an event stands that changed keys of a device. */
struct key_change {
    uint8_t feed8[8];
    uint64_t seq;
    uint64_t time_ms;
};
/* The event that made this one of the device's keys. Errors: ERR_NOT_FOUND (its first ones), the
 * transaction's. */
MUST_CHECK enum err key_change_of_signer(struct txn *t, const struct device *d,
                                         const struct sign_key *key, struct key_change *out);
MUST_CHECK enum err key_change_of_transport(struct txn *t, const struct device *d,
                                            const struct box_key *key, struct key_change *out);
/* Did this peer say that it holds the event? */
bool key_change_told(const struct key_change *c, const struct peer_row *peer);

/* The newest of its own signing keys that the peer was told of: what it says to it, it signs with
 * that. Errors: the transaction's. */
MUST_CHECK enum err key_change_signer_for(const struct signer **out, struct txn *t,
                                          const struct roster *roster, const struct device *self,
                                          const struct device_keys *k, const struct peer_row *peer);

/* By which keys a peer is dialled: its newest two, the newest first, then the one that the invite
 * named, for the roster may not be here whole; each with ours. */
#define DIAL_KEYS_MAX 6
struct dial_keys {
    struct box_key peer, key;
    struct box_secret secret;
};
/* `peer`: as it is dialled first. Returns how many. */
size_t key_change_dial(struct dial_keys out[DIAL_KEYS_MAX], struct txn *t,
                       const struct roster *roster, const struct sign_key *device,
                       const struct box_key *peer, const struct device *self,
                       const struct device_keys *k);

/* Who was not told of the newest transport key of `self`, and would not find it: joined devices,
 * and open invites that name it as acceptor, for they name the key that is served. Once that is the
 * newest (it is noted) there is nobody. `at` from 0 on; NULL at the end. txn_error may explain. */
const struct device *key_change_untold(struct txn *t, const struct roster *roster,
                                       const struct device *self, uint64_t now_ms, size_t *at);
/* The transport key that `self` serves where it is dialled: its newest when everybody was told of
 * it or a person said so, else the one before. */
void key_change_served(struct txn *t, const struct roster *roster, const struct device *self,
                       uint64_t now_ms, struct box_key *out);
/* Everybody was told, and that is to be noted: from then on the newest is served for good, for who
 * is invited with it knows no other and was told of nothing. */
bool key_change_to_note(struct txn *t, const struct roster *roster, const struct device *self,
                        uint64_t now_ms);
/* So it is, or a person said so: whoever was not told is locked out. */
void key_change_note(struct txn *t, const struct box_key *key);
/* Both in one transaction, while no other is open. Errors: the store's. */
MUST_CHECK enum err key_change_note_due(struct store *s, struct views *views, uint64_t now_ms);
