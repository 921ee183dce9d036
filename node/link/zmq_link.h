#pragma once
/*
 * The ZeroMQ link: a listener (ROUTER, CURVE server, ZAP handler in the same thread) and dialers
 * (DEALER). A listener without its ZAP handler does not come to be: the handler's socket is bound
 * first, and when it fails later zmq_link_health says so and the process must end.
 *
 * Z1  Nothing gets in unless ZAP admitted its key: a message without a User-Id is dropped, and a
 *     peer that is new to this process is asked about once more.
 * Z2  Messages have one part of 1 to FRAME_SIZE_MAX bytes. Everything else is dropped and counted;
 *     whoever sends several parts, or parts without an end, is cut off.
 * Z3  A listener's peer is a connection. The newest connection of a key wins; the older one is
 * down. Z4  A dialled link lives once: after LINK_DOWN nothing more comes. Close it and dial again.
 * Z5  Sends never wait. Nothing here reads a clock: time comes in by zmq_link_tick.
 *
 * How to drive a link: poll zmq_link_fd for reading, for at most zmq_link_wait_ms; then
 * zmq_link_tick, and take `next` until it returns false (the descriptor is edge-triggered).
 */
#include "node/link/link.h"
#include "node/link/way.h"

/* The process-wide context. Open after crypto_init. */
struct zmq_link_context;
MUST_CHECK enum err zmq_link_context_open(struct zmq_link_context **out);
/* After all its links are closed; never hangs. NULL is fine. */
void zmq_link_context_close(struct zmq_link_context *c);

/* Asked for every connection, and again at the first frame of each. */
typedef enum link_admission zmq_link_admit(void *state, const struct box_key *key);

/* `address`: "tcp://0.0.0.0:7300"; port 0: any, see zmq_link_address. The only listener of this
 * process. Errors: ERR_BUSY (address in use), ERR_RANGE (bad or foreign address), ERR_PERMISSION
 * (port below 1024), ERR_EXISTS (there is a listener), ERR_NOMEM, ERR_IO. */
MUST_CHECK enum err zmq_link_listen(struct link **out, struct zmq_link_context *c,
                                    const char *address, const struct box_secret *secret,
                                    zmq_link_admit *admit, void *state);

struct zmq_link_dial {
    const char *address;
    struct box_key peer; /* the hub's transport key: the only one that will be talked to */
    struct box_key key;  /* ours */
    struct box_secret secret;
    /* How long the connection may take; the handshake has four times as long. 0, or more than the
     * most: 20 and 30 seconds. */
    uint64_t patience_ms;
};
/* Names are looked up in the background. LINK_UP or LINK_DOWN follows, within a minute or so.
 * Errors: ERR_RANGE (bad address), ERR_NOMEM, ERR_IO. */
MUST_CHECK enum err zmq_link_dial(struct link **out, struct zmq_link_context *c,
                                  const struct zmq_link_dial *options);

const char *zmq_link_address(const struct link *l); /* a listener's with the real port; borrowed */
int zmq_link_fd(const struct link *l);
/* How long the caller may sleep on the descriptor: 0 when `next` has something already. */
int zmq_link_wait_ms(struct link *l);
/* Once a turn: time limits, admissions, floods. `now_ms` is monotonic. */
void zmq_link_tick(struct link *l, uint64_t now_ms);
/* OK, or why this link can do nothing any more: then the process must end. */
enum err zmq_link_health(const struct link *l);
/* Did somebody take a dialled link's connection, and no handshake was done? Then it may be that one
 * of the two keys is another than the peer knows. */
bool zmq_link_was_barred(const struct link *l);
/* The way that a dialled link took; borrowed. Its endpoint is empty while the name is looked up. */
const struct way *zmq_link_way(const struct link *l);
/* Has a dialled link had its one life? Then why: as LINK_DOWN told, OK when it was dropped here. */
bool zmq_link_ended(const struct link *l, enum err *err, const char **text);

/* Since the start: connections refused (by ZAP, or their handshake failed), messages dropped,
 * connections cut off. */
struct zmq_link_counts {
    uint64_t refused, dropped, cut;
};
struct zmq_link_counts zmq_link_counts(const struct link *l);
