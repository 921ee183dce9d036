#pragma once
/*
 * Joining without a link (proto/SPEC.md, 11.7 to 11.10): a request goes to the hub and an answer
 * comes back, as files or QR codes, as safe as over a link. The request is the JOIN frame. The
 * answer is sealed to the joiner's transport key, signed by the hub that the invite names, and
 * carries RUN frames with what the laptop needs to work alone.
 */
#include "proto/join.h"

#define JOIN_ANSWER_RUNS_MAX 4096u
#define JOIN_WORDS 6

/* --- the request --- */
extern const struct armour armour_request; /* around a JOIN frame */

/* --- the answer --- */
extern const struct armour armour_answer;

struct join_answer {
    struct sign_key township, acceptor, device;
    struct hash request; /* join_request_hash of the request that was admitted */
    uint64_t time_ms;    /* the hub's clock */
    struct slice runs;   /* encoded array of RUN frames; walk with join_answer_next */
};
/* Appends [township, device, sealed]. `runs`: an encoded array of bin. Errors: ERR_LIMIT,
 * ERR_MALFORMED (`to` is no point to seal to), ERR_NOMEM. */
MUST_CHECK enum err join_answer_write(struct buf *out, const struct join_answer *answer,
                                      const struct box_key *to, const struct signer *acceptor);
/* For whom it is, which anybody can read. Errors: ERR_MALFORMED, ERR_LIMIT. */
struct join_answer_outside {
    struct sign_key township, device;
    struct slice sealed;
};
MUST_CHECK enum err join_answer_outside(struct join_answer_outside *out, struct slice bytes);
/* Opens it into `bytes` (the caller's), which *out borrows, and verifies that `acceptor` signed it.
 * Errors: ERR_FOREIGN (not sealed to this key, or changed), ERR_SIGNATURE, ERR_MALFORMED,
 * ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum err join_answer_open(struct buf *bytes, struct join_answer *out,
                                     const struct join_answer_outside *outside,
                                     const struct sign_key *acceptor, const struct box_key *key,
                                     const struct box_secret *secret);
/* Start with mp_reader_of(answer->runs) and mp_read_array; false at the end. */
bool join_answer_next(struct mp_reader *runs, struct slice *frame);

/* --- words to compare by telephone --- */
struct join_word {
    const char *zh, *pinyin, *en;
};
extern const struct join_word join_word_list[256];
/* Numbers of the six words of a request, by a hash that takes about a tenth of a second and 64 MiB,
 * so nobody makes another request with the same six. Errors: ERR_NOMEM. */
MUST_CHECK enum err join_words(uint8_t out[JOIN_WORDS], struct slice request);
