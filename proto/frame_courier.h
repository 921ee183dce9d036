#pragma once
/*
 * Frames by which who carries bundles hands them over on a link (proto/SPEC.md, "Couriers"): what
 * is carried for the peer, the part of one that the peer asks for, and that part. The rules of
 * proto/frame.h hold.
 */
#include "proto/bundle.h"

#define OFFER_ENTRIES_MAX 64u
#define PART_SIZE_MAX KIB(32)
#define ASK_COUNT_MAX KIB(256)

struct offer_entry {
    uint8_t outside[BUNDLE_OUTSIDE_SIZE]; /* as they stand there: not checked by the reader */
    uint64_t size;                        /* of the file */
};
struct frame_offer {
    size_t count;
    struct slice entries; /* encoded array; walk with frame_offer_next */
};

enum ask_state {
    ASK_PART = 0,    /* send `count` bytes from `offset` on */
    ASK_HELD = 1,    /* it is taken in here, durably */
    ASK_REFUSED = 2, /* of no use here, now or later */
    ASK_LATER = 3,   /* not now */
};
struct frame_ask {
    struct bundle_id id;
    uint64_t offset;
    uint64_t count; /* of ASK_PART 1 to ASK_COUNT_MAX, else 0 */
    uint64_t state; /* enum ask_state; a greater one is of a later version */
};
struct frame_part {
    struct bundle_id id;
    uint64_t offset;
    struct slice bytes; /* 1 to PART_SIZE_MAX */
};

MUST_CHECK enum err frame_offer_read(struct frame_offer *out, struct slice frame);
struct mp_reader frame_offer_begin(const struct frame_offer *f);
bool frame_offer_next(struct mp_reader *r, struct offer_entry *out);
void frame_offer_write(struct buf *out, const struct offer_entry *entries, size_t count);
MUST_CHECK enum err frame_ask_read(struct frame_ask *out, struct slice frame);
void frame_ask_write(struct buf *out, const struct frame_ask *f);
MUST_CHECK enum err frame_part_read(struct frame_part *out, struct slice frame);
void frame_part_write(struct buf *out, const struct frame_part *f);
