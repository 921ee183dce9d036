#pragma once
/*
 * The way that packets to a peer take as far as this machine knows: from which of its own addresses
 * they go. Looking at it sends nothing.
 */
#include "node/link/address.h"

#define WAY_ENDPOINT_SIZE (ADDRESS_HOST_SIZE + 16)

struct way {
    char endpoint[WAY_ENDPOINT_SIZE]; /* numeric; "": not known yet, and so no news */
    char source[ADDRESS_HOST_SIZE];   /* "": there is no route */
};

/* As it is now. */
void way_begin(struct way *w, const char *endpoint);
bool way_exists(const struct way *w);
/* Looks again: true when there is a route that was not there at the last look, or that leaves from
 * another address. */
bool way_is_new(struct way *w);
/* Its source is still an address of this machine; what was connected from there may live on. */
bool way_stands(const struct way *w);
