#pragma once
/*
 * A link moves whole frames between this node and peers proven by their transport keys. It promises
 * nothing about delivery; ends are noticed late or never. ZeroMQ is behind zmq_link.h, a
 * line of bytes behind pipe_link.h, the simulator has its own. One thread owns a link.
 */
#include "proto/crypto.h"

struct link;

enum link_event_type {
    LINK_UP,    /* a dialled peer's handshake is done, or a first frame came from a new peer */
    LINK_FRAME, /* `frame` is borrowed until the next call */
    LINK_DOWN,  /* the peer is gone as far as can be known; `text` says why in English */
};

struct link_event {
    enum link_event_type type;
    uint64_t peer;      /* handle, never reused in a process */
    struct box_key key; /* proven transport key of the peer */
    bool invite;        /* the key is an open invite's: join exchange only */
    struct slice frame;
    enum err err; /* DOWN: ERR_UNREACHABLE, ERR_TIMEOUT, ERR_FORBIDDEN (denied) */
    const char *text;
};

/* What a listener lets a key do: the join exchange alone, or all. */
enum link_admission { LINK_DENY, LINK_DEVICE, LINK_INVITE };

/* Bytes that a connection carried, as the network sees them; see node/link/meter.h. */
struct link_traffic {
    bool known;         /* its peer spoke, or we dialled it */
    struct box_key key; /* the peer's */
    uint64_t sent, received;
};

struct link_ops {
    /* Next event; false when there is none now. */
    bool (*next)(struct link *l, struct link_event *out);
    /* Errors: ERR_AGAIN (queue full, try on the next turn), ERR_NOT_FOUND (peer gone), ERR_LIMIT.
     */
    enum err (*send)(struct link *l, uint64_t peer, struct slice frame);
    /* Forget a peer: later frames of it are a new peer. */
    void (*drop)(struct link *l, uint64_t peer);
    void (*close)(struct link *l);
    /* What was carried and not told yet, one entry a connection; false when that is all. `last`:
     * the link will be closed at once. NULL: this kind of link does not count. */
    bool (*traffic)(struct link *l, bool last, struct link_traffic *out);
    /* Bytes handed over that have not gone out yet. NULL: not known. */
    uint64_t (*waiting)(const struct link *l);
    /* Bytes that came from a peer beyond the frames that `next` gave: a frame on its way.
     * UINT64_MAX, or NULL: not known. */
    uint64_t (*partial)(struct link *l, uint64_t peer);
};
struct link {
    const struct link_ops *ops;
};
