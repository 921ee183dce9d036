#pragma once
/*
 * The joiner's side of files: what `sidan join` and a waiting daemon both do when the hub said yes.
 * Until the roster is here, the store's meta names the hub: "hub_device" and "hub_transport".
 */
#include "node/home.h"
#include "node/views/views.h"
#include "proto/join_file.h"

/* Makes the store, remembers the hub and its addresses, marks the home as joined, forgets the
 * invite. May be repeated after a crash at any step. Errors: ERR_FOREIGN (a store of another
 * township or device is there), ERR_MALFORMED and ERR_RANGE (the configuration is bad), the
 * store's, files'. */
MUST_CHECK enum err joining_complete(const char *home, const struct invite *invite,
                                     const struct device_keys *keys);

/* The same with an answer that came by hand, opened for this device: the roster is taken from it
 * before the home is marked, so a home that joined so works at once. Errors: also those of
 * carried_take; the home goes on waiting then. */
MUST_CHECK enum err joining_by_answer(const char *home, const struct invite *invite,
                                      const struct device_keys *keys,
                                      const struct join_answer *answer);

/* The hub let this device in again, by its key (SPEC 11.5): remembers the one that did, with the
 * transport key that this node's own roster has, for no invite's word stands above it. One that it
 * does not know is passed over. Errors: the store's. */
MUST_CHECK enum err joining_again(struct store *s, struct views *v, const struct invite *invite);
