#pragma once
/*
 * A long file sealed under a passphrase: a random key wrapped as crypto_wrap does it (Argon2id),
 * then libsodium's secretstream (XChaCha20-Poly1305) in chunks, so a file that was cut, changed or
 * put together from two is known for what it is.
 *
 *   file   magic line ‖ wrapped key, one line ‖ header 24 ‖ chunks
 *   chunk  size be32 ‖ sealed bytes; the last one is marked as such inside
 */
#include "proto/crypto.h"

#define STREAM_CHUNK_SIZE (64u * 1024)

struct stream;
/* Begins a file at `fd`, which stays the caller's. `magic`: a line with its end. Errors: ERR_NOMEM,
 * the system's. */
MUST_CHECK enum err stream_begin(struct stream **out, int fd, const char *magic,
                                 const char *passphrase);
MUST_CHECK enum err stream_put(struct stream *s, struct slice bytes);
/* What was put is whole: nothing follows. Does not sync. */
MUST_CHECK enum err stream_finish(struct stream *s);

/* Errors: ERR_MALFORMED (another magic), ERR_VERSION is the caller's to tell by it, ERR_PASSPHRASE,
 * the system's. */
MUST_CHECK enum err stream_open(struct stream **out, int fd, const char *magic,
                                const char *passphrase);
/* Exactly `size` bytes. Errors: ERR_CORRUPT (changed or cut). */
MUST_CHECK enum err stream_get(struct stream *s, void *out, size_t size);
/* Nothing may follow what was got. Errors: ERR_CORRUPT. */
MUST_CHECK enum err stream_end(struct stream *s);
void stream_close(struct stream *s); /* NULL is fine; wipes */
