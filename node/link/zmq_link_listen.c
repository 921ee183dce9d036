#include "node/link/address.h"
#include "node/link/connections.h"
#include "node/link/peers.h"
#include "node/link/zmq_link_base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define ADMISSIONS_A_TURN 64
#define DESCRIPTORS_OURS 128 /* of the limit: files, stores, other sockets */
/* Frames read after their connection was closed make a peer for so long. */
#define ORPHAN_MS 30000
#define USER_ID_SIZE (1 + 64 + 1) /* 'd' or 'i', the key in hex, NUL */
#define PENDING_MAX 3

struct listener {
    struct zmq_link base;
    zmq_link_admit *admit;
    void *admit_state;
    struct peers peers;
    struct connections connections;
    uint64_t checked_ms;
    struct link_event pending[PENDING_MAX]; /* of the message just received */
    size_t pending_at, pending_count;
};

/* --- admission --- */

static void serve_admissions(struct listener *l)
{
    for (int i = 0; i < ADMISSIONS_A_TURN && !l->base.health; i++) {
        struct box_key key;
        char user_id[USER_ID_SIZE];
        enum err err = zmtp_zap_next(l->base.socket, &key);
        if (err == ERR_AGAIN) return;
        if (!err) {
            enum link_admission yes = l->admit(l->admit_state, &key);
            user_id[0] = yes == LINK_INVITE ? 'i' : 'd';
            hex_encode(user_id + 1, key.bytes, sizeof key.bytes);
            err = zmtp_zap_answer(l->base.socket, yes == LINK_DENY ? NULL : user_id);
        }
        if (err) l->base.health = err;
    }
}

static bool read_user_id(const char *user_id, struct box_key *key)
{
    return user_id && strlen(user_id) == USER_ID_SIZE - 1 &&
           !hex_decode(key->bytes, sizeof key->bytes, user_id + 1, USER_ID_SIZE - 2);
}

/* --- connections --- */

static void take_event(struct listener *l, enum zmtp_event event, int fd)
{
    switch (event) {
    case ZMTP_ACCEPTED:
        if (!connections_add(&l->connections, fd)) l->base.counts.cut++;
        break;
    case ZMTP_DISCONNECTED:
        connections_remove(&l->connections, fd);
        peers_lose_fd(&l->peers, fd);
        break;
    case ZMTP_HANDSHAKE_FAILED:
    case ZMTP_HANDSHAKE_FOREIGN:
    case ZMTP_HANDSHAKE_DENIED:
        l->base.counts.refused++;
        break;
    case ZMTP_CONNECTED:
    case ZMTP_CONNECT_FAILED:
    case ZMTP_READY:
        break;
    }
}

static void drain_events(struct listener *l)
{
    enum zmtp_event event;
    int fd;
    while (zmtp_event(l->base.socket, &event, &fd)) take_event(l, event, fd);
}

/* Peers whose connection was closed before they first spoke here are never told of again. */
static void expire_orphans(struct listener *l)
{
    for (size_t i = 0; i < l->peers.count; i++) {
        struct link_peer *p = &l->peers.at[i];
        if (!connections_has(&l->connections, p->fd) &&
            l->base.now_ms - p->last_frame_ms >= ORPHAN_MS)
            peers_lose(&l->peers, p);
    }
}

static void listen_tick(struct zmq_link *base)
{
    struct listener *l = (struct listener *)base;
    serve_admissions(l);
    if (base->now_ms - l->checked_ms < ZMQ_LINK_CHECK_MS) return;
    l->checked_ms = base->now_ms;
    drain_events(l);
    base->counts.cut += connections_check(&l->connections, base->now_ms);
    expire_orphans(l);
}

static int listen_wait_ms(struct zmq_link *base)
{
    struct listener *l = (struct listener *)base;
    bool ready = l->pending_at < l->pending_count || l->peers.gone || zmtp_ready(base->socket);
    if (ready) return 0;
    return l->connections.open || l->peers.count ? ZMQ_LINK_CHECK_MS : ZMQ_LINK_IDLE_MS;
}

/* --- frames --- */

static struct link_event event_of(const struct link_peer *p, enum link_event_type type)
{
    return (struct link_event){.type = type, .peer = p->handle, .key = p->key, .invite = p->invite};
}

static struct link_event down_of(const struct link_peer *p, const char *text)
{
    struct link_event e = event_of(p, LINK_DOWN);
    e.err = ERR_UNREACHABLE;
    e.text = text;
    return e;
}

static void queue(struct listener *l, const struct link_event *event)
{
    l->pending[l->pending_count++] = *event;
}

/* The first frame of a connection: queues what it means. False: it may not speak here. */
static bool meet(struct listener *l, const struct zmtp_message *m, const struct box_key *key)
{
    enum link_admission admission = l->admit(l->admit_state, key);
    struct link_peer peer = {.handle = zmq_link_handle(l->base.context, m->route),
                             .key = *key,
                             .invite = admission == LINK_INVITE,
                             .fd = m->fd,
                             .last_frame_ms = l->base.now_ms};
    if (admission == LINK_DENY) return false;
    drain_events(l);
    /* whoever had this descriptor and is not known to be gone lost it unseen */
    for (size_t i = 0; i < l->peers.count; i++)
        if (l->peers.at[i].fd == m->fd) peers_lose(&l->peers, &l->peers.at[i]);
    struct link_peer *old = peers_by_key(&l->peers, key);
    struct link_event down = {0};
    if (old) down = down_of(old, "replaced by a newer connection of the same device");
    uint64_t old_handle = old ? old->handle : 0;
    if (peers_add(&l->peers, &peer)) return false;
    connections_known(&l->connections, m->fd, key);
    if (old) {
        peers_by_handle(&l->peers, old_handle)->superseded = true;
        queue(l, &down);
    }
    struct link_event up = event_of(&peer, LINK_UP);
    queue(l, &up);
    return true;
}

/* Queues what a message means; nothing for one that is dropped. */
static void take_message(struct listener *l, const struct zmtp_message *m)
{
    struct box_key key;
    bool known = read_user_id(m->user_id, &key);
    struct link_peer *p = m->routed ? peers_by_route(&l->peers, m->route) : NULL;
    if (m->body.size == 0 && known && m->single) return; /* Z19: a probe */
    if (!p && m->routed && peers_outlived(&l->peers, m->route, m->fd)) {
        /* read late: the descriptor is another's, who is not to pay for it */
        l->base.counts.dropped++;
        return;
    }
    if (!m->single || !m->routed || !known || m->body.size > FRAME_SIZE_MAX) {
        l->base.counts.dropped++;
        connections_cut(m->fd);
        return;
    }
    if (!connections_has(&l->connections, m->fd)) drain_events(l);
    connections_delivered(&l->connections, m->fd, m->body.size);
    if (!p) {
        if (!meet(l, m, &key)) {
            l->base.counts.dropped++;
            connections_cut(m->fd);
            return;
        }
        p = peers_by_route(&l->peers, m->route);
    } else if (p->superseded) {
        l->base.counts.dropped++;
        return;
    }
    p->last_frame_ms = l->base.now_ms;
    struct link_event frame = event_of(p, LINK_FRAME);
    frame.frame = m->body;
    queue(l, &frame);
}

static bool next_down(struct listener *l, struct link_event *out)
{
    struct link_peer *p;
    while ((p = peers_gone(&l->peers))) {
        bool told = p->superseded;
        *out = down_of(p, "the connection was closed");
        peers_remove(&l->peers, p);
        if (!told) return true;
    }
    return false;
}

static bool listen_next(struct link *link, struct link_event *out)
{
    struct listener *l = (struct listener *)link;
    struct zmtp_message m;
    for (;;) {
        while (l->pending_at < l->pending_count) {
            *out = l->pending[l->pending_at++];
            /* the caller may have dropped the peer when it came up */
            if (out->type == LINK_DOWN || peers_by_handle(&l->peers, out->peer)) return true;
        }
        l->pending_at = l->pending_count = 0;
        if (!zmtp_receive(l->base.socket, &m)) {
            serve_admissions(l);
            drain_events(l);
            return next_down(l, out);
        }
        take_message(l, &m);
    }
}

static enum err listen_send(struct link *link, uint64_t peer, struct slice frame)
{
    struct listener *l = (struct listener *)link;
    struct link_peer *p = peers_by_handle(&l->peers, peer);
    if (frame.size == 0 || frame.size > FRAME_SIZE_MAX) return ERR_LIMIT;
    if (!p || p->superseded) return ERR_NOT_FOUND;
    enum err err = zmtp_send(l->base.socket, PEERS_ROUTE(peer), frame);
    if (!err) connections_sent(&l->connections, p->fd, frame.size);
    if (err == ERR_NOT_FOUND) peers_lose(&l->peers, p);
    return err;
}

static void listen_drop(struct link *link, uint64_t peer)
{
    struct listener *l = (struct listener *)link;
    struct link_peer *p = peers_by_handle(&l->peers, peer);
    if (p) peers_remove(&l->peers, p);
}

static void listen_close(struct link *link)
{
    struct listener *l = (struct listener *)link;
    zmtp_socket_close(l->base.socket);
    peers_clear(&l->peers);
    connections_clear(&l->connections);
    free(l);
}

static bool listen_traffic(struct link *link, bool last, struct link_traffic *out)
{
    struct listener *l = (struct listener *)link;
    return connections_traffic(&l->connections, last, out);
}

static uint64_t listen_waiting(const struct link *link)
{
    return connections_waiting(&((const struct listener *)link)->connections);
}

static uint64_t listen_partial(struct link *link, uint64_t peer)
{
    struct listener *l = (struct listener *)link;
    const struct link_peer *p = peers_by_handle(&l->peers, peer);
    return p ? connections_partial(&l->connections, p->fd) : UINT64_MAX;
}

static const struct link_ops link_ops = {.next = listen_next,
                                         .send = listen_send,
                                         .drop = listen_drop,
                                         .close = listen_close,
                                         .traffic = listen_traffic,
                                         .waiting = listen_waiting,
                                         .partial = listen_partial};
static const struct zmq_link_ops own_ops = {.tick = listen_tick, .wait_ms = listen_wait_ms};

/* Z12: at the limit of descriptors libzmq's thread would spin. */
static size_t connections_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > PEERS_MAX + DESCRIPTORS_OURS)
        return PEERS_MAX;
    return limit.rlim_cur > 2 * DESCRIPTORS_OURS ? (size_t)limit.rlim_cur - DESCRIPTORS_OURS
                                                 : (size_t)limit.rlim_cur / 2;
}

enum err zmq_link_listen(struct link **out, struct zmq_link_context *c, const char *address,
                         const struct box_secret *secret, zmq_link_admit *admit, void *state)
{
    struct address parsed;
    if (address_parse(&parsed, address, ADDRESS_LISTEN)) return ERR_RANGE;
    struct listener *l = calloc(1, sizeof *l);
    if (!l) return ERR_NOMEM;
    struct zmtp_identity identity = {.secret = *secret};
    enum err err = zmtp_router(&l->base.socket, c->zmtp, &identity, address);
    crypto_wipe(&identity, sizeof identity);
    if (err) {
        free(l);
        return err;
    }
    l->base.link.ops = &link_ops;
    l->base.ops = &own_ops;
    l->base.context = c;
    l->admit = admit;
    l->admit_state = state;
    l->connections.open_max = connections_max();
    *out = &l->base.link;
    return OK;
}
