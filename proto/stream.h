#pragma once
/*
 * A long file sealed under a key or a passphrase: libsodium's secretstream (XChaCha20-Poly1305) in
 * chunks, so a file that was cut, changed or put together from two is known for what it is. Under a
 * passphrase a random key is wrapped as crypto_wrap does it (Argon2id).
 *
 *   file    magic line ‖ wrapped key, one line ‖ stream
 *   stream  header 24 ‖ chunks
 *   chunk   size be32 ‖ sealed bytes; the last one is marked as such inside
 */
#include "proto/crypto.h"

#define STREAM_CHUNK_SIZE (64u * 1024)

struct stream;
/* Begins a file at `fd`, which stays the caller's. `magic`: a line with its end. Errors: ERR_NOMEM,
 * the system's. */
MUST_CHECK enum err stream_begin(struct stream **out, int fd, const char *magic,
                                 const char *passphrase);
/* The stream alone, under a key that is used for this file only. */
MUST_CHECK enum err stream_begin_key(struct stream **out, int fd, const struct secret_key *key);
MUST_CHECK enum err stream_put(struct stream *s, struct slice bytes);
/* What was put is whole: nothing follows. Does not sync. */
MUST_CHECK enum err stream_finish(struct stream *s);

/* Errors: ERR_MALFORMED (another magic), ERR_VERSION is the caller's to tell by it, ERR_PASSPHRASE,
 * the system's. */
MUST_CHECK enum err stream_open(struct stream **out, int fd, const char *magic,
                                const char *passphrase);
/* The stream alone. Errors: ERR_CORRUPT, the system's. */
MUST_CHECK enum err stream_open_key(struct stream **out, int fd, const struct secret_key *key);
/* Exactly `size` bytes. Errors: ERR_CORRUPT (changed or cut). */
MUST_CHECK enum err stream_get(struct stream *s, void *out, size_t size);
/* Nothing may follow what was got. Errors: ERR_CORRUPT. */
MUST_CHECK enum err stream_end(struct stream *s);
/* Goes over a stream without its key: *content is how much it would hold. Errors: ERR_CORRUPT (its
 * chunks do not end where the file does), the system's. */
MUST_CHECK enum err stream_shape(int fd, uint64_t *content);
/* What a stream of this much content takes in the file. */
uint64_t stream_size(uint64_t content);
/* To the last byte, for what stands before a stream. Errors: the system's; read: ERR_CORRUPT at the
 * end of the file. */
MUST_CHECK enum err stream_write_all(int fd, const void *bytes, size_t size);
MUST_CHECK enum err stream_read_all(int fd, void *bytes, size_t size);
void stream_close(struct stream *s); /* NULL is fine; wipes */
