#pragma once
/*
 * Texts that people carry by hand (proto/SPEC.md, "Joining"): comment lines, then a line that
 * begins with "sidan-NAME-1:" and goes on with base64url of the content and the first 4 bytes of
 * its hash. White space within is ignored, for mail and chat programs wrap it.
 *
 * Of a long one the base64url may be cut into pieces, each a line of its own, "sidan-NAME-1:2/7/"
 * and 8 hex digits (those 4 bytes) and ":": in any order, more than once, in one text. That is how
 * QR codes carry it.
 */
#include "common/limits.h"
#include "proto/crypto.h"

struct armour {
    const char *name;    /* "invite" */
    const char *context; /* of the hash */
    size_t size_max;     /* of the content */
};
#define ARMOUR_PIECES_MAX 64u

/* Does the text hold one of this name, in whichever version? */
bool armour_is(const struct armour *a, struct slice text);
/* Which pieces are lacking; count 0: it did not come in pieces. */
struct armour_pieces {
    size_t count;
    bool here[ARMOUR_PIECES_MAX];
};
/* Appends the content, in memory that did not grow, so that nothing is left of a secret. Errors:
 * ERR_MALFORMED (none, or damaged), ERR_VERSION (of a newer sidan), ERR_LIMIT, ERR_NOMEM,
 * ERR_NOT_FOUND (pieces lack: see *pieces, which may be NULL), ERR_AMBIGUOUS (pieces of two). */
MUST_CHECK enum err armour_read(struct buf *out, const struct armour *a, struct slice text,
                                struct armour_pieces *pieces);
/* Appends `comment` as lines that begin with "# " (NULL: none), then the line. Errors latch. */
void armour_write(struct buf *out, const struct armour *a, struct slice content,
                  const char *comment);
/* The i-th of `count` pieces, from 0, without a line end. False when there is none. */
bool armour_piece(struct buf *out, const struct armour *a, struct slice content, size_t i,
                  size_t count);
/* In how many pieces of at most `size_max` characters it goes. */
size_t armour_piece_count(const struct armour *a, struct slice content, size_t size_max);
