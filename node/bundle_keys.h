#pragma once
/* What may open bundles here: the device's transport keys, and the office's where it was given
 * them. */
#include "node/home.h"
#include "node/office_key.h"
#include "node/views/views.h"
#include "proto/bundle.h"

/* It borrows from the device's keys and from itself: not to be moved. Wiped by the caller. */
struct bundle_keys {
    struct bundle_key keys[DEVICE_PAIRS_MAX + 1 + OFFICE_KEYS_MAX + 1];
    size_t count;
    struct office_keys office;
};
MUST_CHECK enum err bundle_keys_open(struct bundle_keys *k, struct store *store,
                                     struct views *views, const struct device_keys *own);
void bundle_keys_wipe(struct bundle_keys *k);
