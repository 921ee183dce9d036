#pragma once
/*
 * Looks up a host name in the background (libzmq would block its own thread, Z10). Numeric hosts
 * are there at once.
 */
#include "node/link/address.h"

struct resolve;
/* Errors: ERR_NOMEM. */
MUST_CHECK enum err resolve_begin(struct resolve **out, const struct address *address);
/* An endpoint with a numeric host into `endpoint` (ADDRESS_HOST_SIZE + 16 bytes). Errors: ERR_AGAIN
 * (not yet), ERR_UNREACHABLE (no such name, or no name server answers). */
MUST_CHECK enum err resolve_poll(struct resolve *r, char *endpoint, size_t size);
/* A look-up that is still under way is left to end by itself. NULL is fine. */
void resolve_free(struct resolve *r);
