#pragma once
/*
 * Frames of a session (proto/SPEC.md, "Frames"): msgpack arrays [type, ...]. More elements than
 * known are allowed and ignored, so later versions can add at the end.
 *
 * frame_type_of is the gate: it bounds and scans what came from outside, and the readers take only
 * frames that went through it. They check form and bounds (ERR_MALFORMED, ERR_LIMIT) and borrow
 * slices from the frame's bytes. Writers append to a buffer and latch errors there; a frame over
 * FRAME_SIZE_MAX is ERR_LIMIT. Every number is at most FRAME_UINT_MAX.
 */
#include "proto/run.h"

enum frame_type {
    FRAME_HELLO = 1,
    FRAME_RUN = 2,
    FRAME_WANT = 3,
    FRAME_RECEIPT = 4,
    FRAME_REFUSE = 5,
    FRAME_BYE = 6,
    FRAME_PIECE = 7,
    FRAME_PING = 8,
    FRAME_HOLD = 9,
    FRAME_TOWN = 10,
    FRAME_JOIN = 16,
    FRAME_ADMIT = 17,
    FRAME_BUNDLE = 18, /* in files only */
    FRAME_OFFER = 19,  /* the next three: proto/frame_courier.h */
    FRAME_ASK = 20,
    FRAME_PART = 21,
};

#define PROTOCOL_MIN 1
#define PROTOCOL_MAX 1

#define FRAME_UINT_MAX ((UINT64_C(1) << 48) - 1)
#define SOFTWARE_SIZE_MAX ((size_t)32)

/* A feed on the wire: its whole description, or the first 8 bytes of its id where the peer must
 * know it. */
struct feed_ref {
    bool whole;
    struct feed feed; /* when whole */
    uint8_t id8[8];   /* always */
};

struct have_entry {
    struct feed_ref feed;
    uint64_t seq;
    uint8_t id8[8]; /* first 8 bytes of the head's id */
};

struct frame_hello {
    uint64_t protocol_min, protocol_max;
    uint8_t township8[8];
    uint64_t time_ms;
    bool time_trusted;
    uint8_t generation[8]; /* of the sender's store */
    uint64_t disk_free_mib;
    struct slice software; /* "sidan 1.0", at most 32 bytes */
    uint64_t credit;       /* bytes of RUN frames the peer may send in this session */
    bool has_views;
    uint8_t views8[8]; /* digest of the views of the scopes both hold (SPEC) */
    bool complete;     /* have is the whole vector, else what changed since the last one */
    uint8_t have8[8];  /* digest of the whole vector */
    size_t have_count;
    struct slice have; /* encoded array; walk with frame_have_next */
    bool has_unfinished;
    uint8_t unfinished8[8];   /* the RUN frame of which pieces are held here */
    uint64_t unfinished_size; /* how much of it, from its beginning */
    bool says_towns;   /* else what it keeps that hubs signed is as both last had it */
    bool has_towns;    /* it keeps any */
    uint8_t towns8[8]; /* towns_digest8 */
};

struct frame_run {
    struct feed_ref feed;
    struct run run;
    bool has_views; /* the run ends at the sender's head, and these are its views then */
    uint8_t views8[8];
};

/* A part of a RUN frame that does not fit between two cuts of the link. */
struct frame_piece {
    uint8_t run8[8];   /* frame_piece_name of the RUN frame */
    uint64_t run_size; /* of the whole RUN frame, at most FRAME_SIZE_MAX */
    uint64_t offset;
    struct slice bytes; /* 1 and more; offset + size is at most run_size */
};

enum want_flags { WANT_NO_DICTIONARY = 1, WANT_BOXES = 2, WANT_ROSTER = 4, WANT_HELLO = 8 };
struct want_point {
    uint64_t seq;
    uint8_t id8[8];
};
struct frame_want {
    bool has_feed;
    struct feed_ref feed;
    size_t point_count; /* positions the asker holds, newest first; none: from the beginning */
    struct want_point points[WANT_POINTS_MAX];
    uint64_t to; /* last number wanted; 0: to the head */
    uint64_t flags;
};

struct receipt_entry {
    uint8_t feed8[8];
    uint64_t seq;
    struct event_id id;
    bool brief; /* on the wire by its first 8 bytes: the addressee holds the event; read: the rest
                   is 0 until frame_receipt_complete */
};

/* Signed statement that these heads are durable at the receiver. The signed bytes are
 * receipt_body_write's; wire form leaves out what both sides know. */
struct frame_receipt {
    uint64_t counter; /* grows in one store generation */
    uint64_t time_ms;
    uint64_t credit; /* new total for this session; not signed */
    bool has_views;
    uint8_t views8[8]; /* not signed */
    struct signature signature;
    size_t entry_count;
    struct slice entries; /* encoded array; walk with frame_receipt_next */
};

/* What a receipt is signed over besides its own fields. */
struct receipt_parties {
    struct sign_key township; /* authority */
    struct sign_key receiver; /* who signs: named, as the addressee, by his first key */
    struct sign_key addressee;
    uint8_t generation[8]; /* of the receiver's store */
};

enum refuse_code {
    REFUSE_VERSION = 1,   /* no common protocol version */
    REFUSE_TOWNSHIP = 2,  /* another township */
    REFUSE_MALFORMED = 3, /* frame or event */
    REFUSE_SIGNATURE = 4, /* bad signature on a matching base */
    REFUSE_LIMIT = 5,     /* over a limit, a decompression bomb */
    REFUSE_SCOPE = 6,     /* a feed whose author or sender may not hold its scope */
    REFUSE_CREDIT = 7,    /* more than was granted */
    REFUSE_ORDER = 8,     /* a frame that may not come here */
    REFUSE_INVITE = 9,    /* unknown, used or expired invite */
    REFUSE_BUSY = 10,     /* come again later */
};
struct frame_refuse {
    uint64_t code;
    struct slice text;
};

/* Bounds and scans the whole frame; gives its first element. Errors: ERR_MALFORMED, ERR_LIMIT. */
MUST_CHECK enum err frame_type_of(struct slice frame, uint64_t *type);

/* Where the peer's protocol range does not meet ours, only the range is read: the rest of such a
 * HELLO is not ours to judge. */
MUST_CHECK enum err frame_hello_read(struct frame_hello *out, struct slice frame);
bool frame_hello_version_meets(const struct frame_hello *h);
/* The entries were checked by frame_hello_read; call next until it returns false. */
struct mp_reader frame_have_begin(const struct frame_hello *h);
bool frame_have_next(struct mp_reader *r, struct have_entry *out);
void frame_hello_write(struct buf *out, const struct frame_hello *h, const struct have_entry *have);
/* First 8 bytes of hash("sidan/have", the entries in order of their bytes, each feed id8 ‖ seq be64
 * ‖ id8). Sorts `have` in place. */
void have_digest(uint8_t out8[8], struct have_entry *have, size_t count);

MUST_CHECK enum err frame_run_read(struct frame_run *out, struct slice frame);
/* A frame below RUN_PADDED_BELOW is padded to a multiple of RUN_PADDING_STEP: its size tells less.
 */
void frame_run_write(struct buf *out, const struct frame_run *f);
MUST_CHECK enum err frame_piece_read(struct frame_piece *out, struct slice frame);
void frame_piece_write(struct buf *out, const struct frame_piece *f);
void frame_piece_name(uint8_t run8[8], struct slice run_frame);
MUST_CHECK enum err frame_want_read(struct frame_want *out, struct slice frame);
void frame_want_write(struct buf *out, const struct frame_want *f);
MUST_CHECK enum err frame_receipt_read(struct frame_receipt *out, struct slice frame);
struct mp_reader frame_receipt_begin(const struct frame_receipt *f);
bool frame_receipt_next(struct mp_reader *r, struct receipt_entry *out);
/* Writes the entries as they are signed, with whole ids, and lets f->entries show them (borrowed
 * from `out` until its next append). `whole` fills the id of a brief entry, false: it is not known.
 * Errors: ERR_NOT_FOUND, ERR_NOMEM. */
MUST_CHECK enum err frame_receipt_complete(struct frame_receipt *f, struct buf *out,
                                           bool (*whole)(void *state, struct receipt_entry *entry),
                                           void *state);
/* The signed statement, [township, receiver, addressee, generation, counter, time_ms, entries]:
 * what is kept as proof beside the signature. The entries are complete. */
void receipt_body_write(struct buf *out, const struct receipt_parties *parties,
                        const struct frame_receipt *f);
/* The same, read back from what was kept; *f borrows, without signature and credit. Scans. Errors:
 * ERR_MALFORMED, ERR_LIMIT. */
MUST_CHECK enum err receipt_body_read(struct receipt_parties *parties, struct frame_receipt *f,
                                      struct slice body);
/* Signs and writes; fills f->signature, and f->entries with what is on the wire (borrowed from
 * `out` until its next append). */
void frame_receipt_write(struct buf *out, struct frame_receipt *f,
                         const struct receipt_entry *entries, const struct receipt_parties *parties,
                         const struct signer *signer);
/* Of a complete one. Errors: ERR_SIGNATURE, ERR_NOMEM. */
MUST_CHECK enum err frame_receipt_verify(const struct frame_receipt *f,
                                         const struct receipt_parties *parties);
/* The same, signed by another key of the receiver's. */
MUST_CHECK enum err frame_receipt_verify_by(const struct frame_receipt *f,
                                            const struct receipt_parties *parties,
                                            const struct sign_key *key);
MUST_CHECK enum err frame_refuse_read(struct frame_refuse *out, struct slice frame);
void frame_refuse_write(struct buf *out, enum refuse_code code, const char *text);
void frame_bye_write(struct buf *out);

/* The sender is heard again within `next_s` seconds; 0: it asks for a sign of life now. */
MUST_CHECK enum err frame_ping_read(uint64_t *next_s, struct slice frame);
void frame_ping_write(struct buf *out, uint64_t next_s);
MUST_CHECK enum err frame_hold_read(bool *hold, struct slice frame);
void frame_hold_write(struct buf *out, bool hold);
const char *refuse_text(uint64_t code); /* short English phrase; never NULL */
