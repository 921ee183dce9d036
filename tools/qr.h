#pragma once
/* A QR code as text, two rows of modules a line; only qr.c sees <qrencode.h>. */
#include "common/bytes.h"

/* Appends the code of `text` with its quiet zone, light modules as blocks; on a terminal with
 * colours set explicitly (`coloured`), so it reads on dark and light screens. Errors: ERR_LIMIT
 * (too long for a code), ERR_NOMEM. */
MUST_CHECK enum err qr_print(struct buf *out, struct slice text, bool coloured);
