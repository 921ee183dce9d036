#pragma once
/*
 * Events (proto/SPEC.md, "Events").
 *
 *   header = [suite, author, scope, lane, epoch, seq, prev, time, kind, subject, depth, seen, by,
 *             body, box_digest, ext]
 *   id     = hash("sidan/event", header)
 *   sig    = sign(author, "sidan/event", id)
 *   box_digest = nil, or hash("sidan/box", salt ‖ box)
 *
 * A decoded event borrows every slice from the bytes it was decoded from.
 */
#include "common/limits.h"
#include "proto/crypto.h"
#include "proto/msgpack.h"

enum { SUITE_1 = 1 };

enum lane { LANE_URGENT = 0, LANE_NORMAL = 1, LANE_INTAKE = 2, LANE_COUNT = 3 };

struct event_id {
    uint8_t bytes[32];
};
struct thing_id { /* 6 bytes of milliseconds, 10 bytes of the founding event's id */
    uint8_t bytes[16];
};

/* A scope's text: "town", "office" or "village:" and 12 digits. Always valid and terminated. */
struct scope {
    char text[SCOPE_SIZE_MAX + 1];
};
enum scope_class { SCOPE_TOWN, SCOPE_VILLAGE, SCOPE_OFFICE };
/* Errors: ERR_MALFORMED. */
MUST_CHECK enum err scope_parse(struct scope *out, struct slice text);
enum scope_class scope_class(const struct scope *s);
const char *scope_village(const struct scope *s); /* the 12 digits, "" where none; borrowed */
bool scope_equal(const struct scope *a, const struct scope *b);
struct scope scope_town(void);
struct scope scope_office(void);
struct scope scope_of_village(const char *code); /* code: 12 digits */
bool village_code_valid(const char *code, size_t size);

/* An append-only chain of one author in one scope and lane; `has_epoch` false in its first life. */
struct feed {
    struct sign_key author;
    struct scope scope;
    uint8_t lane;
    bool has_epoch;
    uint8_t epoch[8];
};
struct feed_id { /* hash("sidan/feed", [author, scope, lane, epoch]) */
    uint8_t bytes[32];
};
bool feed_equal(const struct feed *a, const struct feed *b);
void feed_id_of(struct feed_id *out, const struct feed *f);
void feed_write(struct mp_writer *w, const struct feed *f); /* [author, scope, lane, epoch] */
void feed_read(struct mp_reader *r, struct feed *out);

/* Hybrid logical clock: milliseconds since 1970 (48 bits), counter (15), untrusted (1). */
#define HLC_MS(t) ((uint64_t)(t) >> 16)
#define HLC_COUNTER(t) ((uint32_t)(((t) >> 1) & 0x7fff))
#define HLC_UNTRUSTED(t) ((t)&1)
#define HLC_MAKE(ms, counter, untrusted)                                                           \
    ((uint64_t)(ms) << 16 | (uint64_t)(counter) << 1 | ((untrusted) ? 1u : 0u))
#define HLC_MS_MAX ((UINT64_C(1) << 48) - 1)

#define EVENT_SALT_SIZE 8
#define EVENT_SEQ_MAX ((UINT64_C(1) << 48) - 1)
/* A body lies in a header, a box in a record's [salt, box]: what carries them keeps the depth
 * bound. */
#define EVENT_BODY_DEPTH_MAX (MSGPACK_DEPTH_MAX - 1)
#define EVENT_BOX_DEPTH_MAX (MSGPACK_DEPTH_MAX - 2)

enum box_state {
    BOX_NONE,   /* box_digest is nil */
    BOX_HERE,   /* salt and box are at hand and match box_digest */
    BOX_GONE,   /* box_digest is there, the box is not */
    BOX_LOCKED, /* as a store keeps it under its key: log_open_box makes it BOX_HERE */
};

struct event {
    uint64_t suite;
    struct feed feed;
    uint64_t seq;         /* from 1 */
    struct event_id prev; /* zero when seq is 1 */
    uint64_t time;        /* HLC */
    struct slice kind;
    bool founding;           /* subject is nil */
    struct thing_id subject; /* of a founding event: the thing it founds (derived) */
    uint32_t depth;
    uint32_t seen;
    bool has_by;
    struct thing_id by;
    struct slice body; /* encoded map */
    struct hash box_digest;
    struct slice ext; /* encoded map; empty: nil */
    enum box_state box_state;
    uint8_t salt[EVENT_SALT_SIZE];
    struct slice box; /* encoded map */
    struct slice header;
    struct event_id id;
    bool has_signature;
    struct signature signature;
};

/* Encodes the header of `e` (all fields but id, signature, salt, box) and appends it to `out`; sets
 * e->suite, e->header (borrows `out`: valid until it changes), e->id, and e->subject of a founding
 * event. With BOX_HERE the digest is computed from salt and box first. The fields are checked as
 * event_decode does, so nothing leaves here that it would refuse; on error `e` and `out` are as
 * before but for the box digest.
 * Errors: ERR_LIMIT, ERR_NOMEM, ERR_MALFORMED (a part is not canonical or not of its type). */
MUST_CHECK enum err event_encode(struct event *e, struct buf *out);
/* The same for a body, a box and an ext that were scanned, each a whole value within its depth:
 * no second scan. */
MUST_CHECK enum err event_encode_scanned(struct event *e, struct buf *out);

/* Decodes a header from outside; the box state is BOX_NONE or BOX_GONE after it. Checks form and
 * limits, not meaning; computes the id. Errors: ERR_MALFORMED, ERR_LIMIT, ERR_VERSION (suite). */
MUST_CHECK enum err event_decode(struct event *out, struct slice header);
/* The same for a header put together from parts that were scanned: no second scan. */
MUST_CHECK enum err event_decode_scanned(struct event *out, struct slice header);
/* The same for bytes that were checked when they entered the store: no scan, and `id` is taken as
 * given instead of hashed. */
MUST_CHECK enum err event_decode_trusted(struct event *out, struct slice header,
                                         const struct event_id *id);

/* Is its box at hand, be it locked? */
static inline bool event_has_box(const struct event *e)
{
    return e->box_state == BOX_HERE || e->box_state == BOX_LOCKED;
}

/* hash("sidan/box", salt ‖ box). */
void event_box_digest(struct hash *out, const uint8_t salt[EVENT_SALT_SIZE], struct slice box);

/* Attaches a box to a decoded event. A box is a map with text keys.
 * Errors: ERR_CHAIN (digest differs, or the event has none), ERR_MALFORMED, ERR_LIMIT. */
MUST_CHECK enum err event_attach_box(struct event *e, const uint8_t salt[EVENT_SALT_SIZE],
                                     struct slice box);

void event_sign(struct event *e, const struct signer *s);
/* Errors: ERR_SIGNATURE. */
MUST_CHECK enum err event_verify_signature(const struct event_id *id, const struct sign_key *author,
                                           const struct signature *sig);

/* ms ‖ first 10 bytes of the id. */
void thing_id_of_founder(struct thing_id *out, uint64_t time, const struct event_id *id);
bool thing_id_equal(const struct thing_id *a, const struct thing_id *b);
int thing_id_compare(const struct thing_id *a, const struct thing_id *b); /* as bytes */
bool event_id_equal(const struct event_id *a, const struct event_id *b);
uint64_t event_id8(const struct event_id *id); /* first 8 bytes, big-endian */
