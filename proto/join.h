#pragma once
/*
 * Joining (proto/SPEC.md, "Joining"): the invite file, and the JOIN and ADMIT frames.
 *
 * An invite file is an armour of a canonical msgpack array. It holds secrets; mode 0600.
 */
#include "proto/armour.h"
#include "proto/frame.h"

#define INVITE_ADDRESSES_MAX 4
#define ADDRESS_SIZE_MAX 128

struct invite {
    char township_name[65];
    struct sign_key authority;
    struct sign_key acceptor; /* the hub device that may accept it */
    struct box_key acceptor_transport;
    char addresses[INVITE_ADDRESSES_MAX][ADDRESS_SIZE_MAX];
    size_t address_count;
    struct sign_seed seed;       /* one-time signing key */
    struct box_secret transport; /* one-time transport key */
    char village[13];            /* code; "" for the township */
    char village_name[65];
    uint32_t roles; /* bits of enum role */
    char device_name[DEVICE_NAME_SIZE_MAX + 1];
    uint64_t expires_ms;
};

extern const struct armour armour_invite;
/* Errors: ERR_MALFORMED (not an invite, or damaged), ERR_VERSION (of a newer sidan), ERR_LIMIT,
 * ERR_NOMEM. */
MUST_CHECK enum err invite_read(struct invite *out, struct slice text);
/* Appends `comment` as lines that begin with "# " (NULL: none), then the invite's line. Errors
 * latch in out->err. */
void invite_write(struct buf *out, const struct invite *invite, const char *comment);
void invite_wipe(struct invite *invite);

/* What the joiner asks: signed by the invite's key and by the new device's own key. */
struct join_request {
    struct sign_key township;
    struct sign_key invite;
    struct sign_key device;
    struct box_key transport;
    char name[DEVICE_NAME_SIZE_MAX + 1];
    uint64_t time_ms;
};
/* The bytes that both signatures cover; also kept in the body of device.joined. */
void join_request_write(struct buf *out, const struct join_request *request);
/* Scans. Errors: ERR_MALFORMED, ERR_LIMIT. */
MUST_CHECK enum err join_request_read(struct join_request *out, struct slice bytes);

struct frame_join {
    struct slice request; /* join_request_write's bytes */
    struct signature invite_signature;
    struct signature device_signature;
};
/* Signs the request with the invite's and the device's key; fills *f, which borrows `request`. */
void join_sign(struct frame_join *f, struct slice request, const struct signer *invite,
               const struct signer *device);
/* The readers of this exchange scan the frame themselves. Errors: ERR_MALFORMED, ERR_LIMIT. */
void frame_join_write(struct buf *out, const struct frame_join *f);
MUST_CHECK enum err frame_join_read(struct frame_join *out, struct slice frame);
/* Decodes the request and verifies both signatures. Errors: ERR_MALFORMED, ERR_LIMIT,
 * ERR_SIGNATURE. */
MUST_CHECK enum err join_verify(struct join_request *out, const struct frame_join *f);

/* hash("sidan/admit", request): what ADMIT carries. */
void join_request_hash(struct hash *out, struct slice request);
/* The hub's yes: the request's hash. The proof is the roster that the joiner then syncs. */
void frame_admit_write(struct buf *out, const struct hash *request);
MUST_CHECK enum err frame_admit_read(struct hash *request, struct slice frame);
