#pragma once
/*
 * A bundle (proto/SPEC.md, "Bundles"): what one device has for another, as one file on a stick. It
 * is written and read once from beginning to end, in pieces of bounded size. Sealed to the
 * receiver; who it is from and for stands inside alone.
 *
 *   file     magic ‖ sealed key 80 ‖ check 8 ‖ secretstream of content (proto/stream.h)
 *   content  frames, each be32 size ‖ bytes ‖ ... ‖ be32 0 ‖ zeros up to a class of sizes
 *   frames   BUNDLE, HELLO, then RUN and RECEIPT as in a session
 */
#include "proto/frame.h"

/* A bundle holds less: FAT has no file of 4 GiB. */
#define BUNDLE_SIZE_MAX (UINT64_C(3) << 30)
#define BUNDLE_HEAD_SIZE_MAX 179u /* of the BUNDLE frame */

/* What stands in the clear: whoever finds one sees that it is a bundle, which, and how large. */
#define BUNDLE_OUTSIDE_SIZE ((size_t)103)
struct bundle_id {
    uint8_t bytes[16];
};
/* Its first bytes. Errors: ERR_MALFORMED (no bundle, or its head is damaged), ERR_VERSION (of a
 * newer sidan). */
MUST_CHECK enum err bundle_outside_check(const uint8_t outside[BUNDLE_OUTSIDE_SIZE]);
/* Reads them at `fd`. Errors: the same, the system's. */
MUST_CHECK enum err bundle_outside_read(uint8_t outside[BUNDLE_OUTSIDE_SIZE], int fd);
/* Anybody can name a bundle: its first bytes have a key of their own. */
void bundle_id_of(struct bundle_id *out, const uint8_t outside[BUNDLE_OUTSIDE_SIZE]);

struct bundle_head {
    struct sign_key township;
    struct sign_key from; /* the first key of the device, which names it */
    bool to_township;     /* sealed to the office key */
    struct sign_key to;   /* else the first key of the device */
    uint64_t number;      /* grows with each bundle of a device */
    struct signature signature;
    struct hash statement; /* what is signed; filled by the reader */
    struct bundle_id id;   /* filled by both */
};

struct bundle_writer;
/* Begins a bundle at `fd`, which stays the caller's. head->signature is filled. `hello`: the HELLO
 * frame that comes second. Errors: ERR_MALFORMED (`to` is no point to seal to), ERR_NOMEM, the
 * system's. */
MUST_CHECK enum err bundle_begin(struct bundle_writer **out, int fd, const struct box_key *to,
                                 struct bundle_head *head, struct slice hello,
                                 const struct signer *signer);
/* Errors: ERR_LIMIT (the file would be too long: finish it), the system's. */
MUST_CHECK enum err bundle_put(struct bundle_writer *w, struct slice frame);
/* Ends and pads it; *size: of the whole file. Does not sync. */
MUST_CHECK enum err bundle_finish(struct bundle_writer *w, uint64_t *size);
/* Reads back from the beginning of `fd` what was written there, with the key that it still has: of
 * a bundle that was finished. Errors: ERR_CORRUPT (other bytes stand there), ERR_NOMEM, the
 * system's. */
MUST_CHECK enum err bundle_read_back(struct bundle_writer *w, int fd);
void bundle_writer_close(struct bundle_writer *w); /* NULL is fine */

/* A pair that may open it. */
struct bundle_key {
    const struct box_key *key;
    const struct box_secret *secret;
};
/* Is it sealed to one of the keys? Looks at its first bytes alone, which bundle_outside_check took.
 * Errors: ERR_FOREIGN (no), ERR_NOMEM. */
MUST_CHECK enum err bundle_is_for(const uint8_t outside[BUNDLE_OUTSIDE_SIZE],
                                  const struct bundle_key *keys, size_t key_count);
/* Is it whole, by what can be seen without a key: its first bytes, its chunks, its size? Of a
 * regular file. Errors: ERR_MALFORMED, ERR_VERSION as above, ERR_CORRUPT (it is not), the
 * system's. */
MUST_CHECK enum err bundle_shape(int fd);
struct bundle_reader;
/* Reads up to and with HELLO, which the reader owns until it is closed. Nothing is verified about
 * who signed. Errors: ERR_MALFORMED (no bundle, or its head is damaged), ERR_VERSION (of a newer
 * sidan), ERR_FOREIGN (none of the keys opens it), ERR_CORRUPT (damaged or cut behind its head),
 * ERR_NOMEM, the system's. */
MUST_CHECK enum err bundle_open(struct bundle_reader **out, int fd, const struct bundle_key *keys,
                                size_t key_count, struct bundle_head *head, struct slice *hello);
/* Errors: ERR_SIGNATURE. */
MUST_CHECK enum err bundle_verify(const struct bundle_head *head, const struct sign_key *key);
/* The next frame, borrowed until the next call; `*end`: there is none, and the file ends as it
 * should. Errors: ERR_CORRUPT, ERR_NOMEM, the system's. */
MUST_CHECK enum err bundle_next(struct bundle_reader *r, struct slice *frame, bool *end);
void bundle_reader_close(struct bundle_reader *r); /* NULL is fine; wipes */

/* The whole file, where frames and their sizes are this much: 4 and its size for each. */
uint64_t bundle_size(uint64_t frames);
/* The size that content of this size is padded to: to 1/64 of it, at least to 256. */
uint64_t bundle_padded(uint64_t size);
