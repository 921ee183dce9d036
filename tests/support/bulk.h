#pragma once
/* Records that do not compress, so that few of them make a long file. */
#include "tests/support/township.h"

/* Requests of the device, of about this many bytes together as they go into a file; the same each
 * time for the same device and size. */
void bulk_record(struct township *t, struct township_device *d, size_t bytes);
