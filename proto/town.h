#pragma once
/*
 * What a hub signs of the feeds in `town` (proto/SPEC.md, "Two faces"): a number that grows with
 * each change, and a digest of the heads. Two statements that cannot both be true are the proof
 * that a hub showed two faces, or that two copies of it are in use.
 */
#include "proto/frame.h"

/* A head of a feed in `town`, as it is signed over: by the bytes feed8 ‖ seq be64 ‖ id16. */
struct town_head {
    uint8_t feed8[8]; /* of the feed's id */
    uint64_t seq;
    uint8_t id16[16]; /* of the event's id */
};
#define TOWN_HEADS_MAX HAVE_ENTRIES_MAX
#define TOWN_ENDED_MAX 8u

struct town_state {
    struct sign_key hub;   /* its first signing key */
    uint8_t generation[8]; /* of its store */
    uint64_t number; /* grows with each statement, at least the milliseconds of its clock: so it
                        grows over a store that was put back, too */
    uint8_t ended[TOWN_ENDED_MAX][8]; /* generations in which it signs no more, newest last */
    size_t ended_count;
    struct hash digest; /* of the heads */
    struct signature signature;
};

/* Sorts `heads` in place. hash("sidan/heads", the bytes of all in their order). */
void town_digest(struct hash *out, struct town_head *heads, size_t count);
/* By whichever key of the hub's. Over hash("sidan/town", [township, hub, generation, number, ended,
 * digest]). Errors: ERR_NOMEM. */
MUST_CHECK enum err town_sign(struct town_state *s, const struct sign_key *township,
                              const struct signer *signer);
/* Errors: ERR_SIGNATURE, ERR_NOMEM. */
MUST_CHECK enum err town_verify(const struct town_state *s, const struct sign_key *township,
                                const struct sign_key *key);

/* Could a store that had the heads of `before` have those of `after` later? Each is still there, or
 * followed by a higher one of its feed. Both sorted. `left_out`: a feed of which some stand aside
 * by now says nothing. */
bool town_follows(const struct town_head *before, size_t before_count,
                  const struct town_head *after, size_t after_count,
                  bool (*left_out)(void *state, const uint8_t feed8[8]), void *state);

/* Does it say that its hub signs in that generation no more? */
bool town_ends(const struct town_state *s, const uint8_t generation[8]);

/* TOWN [10, hub, generation, number, ended, digest, signature, heads]: `heads` nil where the
 * addressee can know them. */
struct frame_town {
    struct town_state state;
    bool has_heads;
    size_t head_count;
    struct slice heads; /* encoded array; walk with frame_town_next */
};
/* Checks the heads' order and digest too. Errors: ERR_MALFORMED, ERR_LIMIT. */
MUST_CHECK enum err frame_town_read(struct frame_town *out, struct slice frame);
struct mp_reader frame_town_begin(const struct frame_town *f);
bool frame_town_next(struct mp_reader *r, struct town_head *out);
/* NULL heads: without. They are sorted. */
void frame_town_write(struct buf *out, const struct town_state *s, const struct town_head *heads,
                      size_t count);
