#pragma once
/*
 * The ZeroMQ link: a listener (ROUTER, CURVE server, ZAP handler in the same thread) and dialers
 * (DEALER), with the settings of "Settings that follow" in this header's source. A listener without
 * its ZAP handler does not come to be: the handler's socket is bound first.
 */
#include "node/link/link.h"

/* Process-wide context. Create after crypto_init. */
struct zmq_node;
MUST_CHECK enum err zmq_node_open(struct zmq_node **out);
void zmq_node_close(struct zmq_node *z); /* after all its links are closed; never hangs */

/* Asked for every connection. Returns the admission of a proven key. */
enum zmq_admission { ZMQ_DENY, ZMQ_ADMIT_DEVICE, ZMQ_ADMIT_INVITE };
typedef enum zmq_admission zmq_admit(void *state, const struct box_key *key);

/* `address`: "tcp://0.0.0.0:7300"; port 0: any, see zmq_link_address. The only listener of
 * this process. Errors: ERR_BUSY (address in use), ERR_RANGE (bad address), ERR_IO. */
MUST_CHECK enum err zmq_listen(struct link **out, struct zmq_node *z, const char *address,
                               const struct box_secret *secret, zmq_admit *admit, void *state);
/* Dials one peer. Names are resolved here and in time, not in libzmq's thread. Errors: ERR_RANGE. */
MUST_CHECK enum err zmq_dial(struct link **out, struct zmq_node *z, const char *address,
                             const struct box_key *peer, const struct box_key *key,
                             const struct box_secret *secret);
const char *zmq_link_address(const struct link *l); /* with the real port; borrowed */
/* Descriptor to poll for reading; edge-triggered (pitfalls Z16): drain `next` before sleeping. */
int zmq_link_fd(const struct link *l);
/* Refused connections since the start (denied by ZAP, failed handshakes). */
uint64_t zmq_link_refused(const struct link *l);
