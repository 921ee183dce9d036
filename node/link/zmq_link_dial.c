#include "common/i18n.h"
#include "node/link/meter.h"
#include "node/link/resolve.h"
#include "node/link/way.h"
#include "node/link/zmq_link_base.h"

#include <stdlib.h>
#include <string.h>

#define RESOLVE_TIMEOUT_MS 30000
#define TIMER_SLACK_MS 1000
#define HANDSHAKE_PATIENCE 4 /* it has so many round trips, the connection has one */

enum dial_state { RESOLVING, CONNECTING, SHAKING_HANDS, UP, ENDING, DOWN };

struct dialer {
    struct zmq_link base;
    enum dial_state state;
    struct resolve *resolve;
    struct way way; /* when it began to connect */
    struct box_key peer;
    uint64_t handle;
    bool started, was_up, up_due;
    bool barred;            /* closed during the handshake */
    uint64_t stage_ms;      /* since when it is in this state */
    uint64_t limits_ms[UP]; /* how long it may be in each state until then */
    struct meter meter;
};

static void end(struct dialer *d, enum err err, const char *text)
{
    if (d->state >= ENDING) return;
    d->state = ENDING;
    d->base.end_err = err;
    d->base.end_text = text;
}

/* --- what befell the connection --- */

static void stage_over(struct dialer *d)
{
    if (d->state == RESOLVING)
        end(d, ERR_TIMEOUT, N_("the name of the address cannot be resolved"));
    else if (d->state == CONNECTING)
        end(d, ERR_TIMEOUT, N_("no answer in time"));
    else
        end(d, ERR_TIMEOUT, N_("connected, but the handshake was not answered in time"));
}

static void connect_failed(struct dialer *d)
{
    if (d->base.now_ms - d->stage_ms + TIMER_SLACK_MS >= ZMTP_CONNECT_TIMEOUT_MS)
        stage_over(d);
    else if (!way_exists(&d->way))
        end(d, ERR_UNREACHABLE, N_("this machine has no network route there"));
    else
        end(d, ERR_UNREACHABLE,
            N_("connection refused: nothing listens there, or a firewall is between"));
}

static void handshake_failed(struct dialer *d)
{
    if (d->base.now_ms - d->stage_ms + TIMER_SLACK_MS >= ZMTP_HANDSHAKE_TIMEOUT_MS) {
        stage_over(d);
        return;
    }
    d->barred = true;
    end(d, ERR_UNREACHABLE,
        N_("closed during the handshake: another key there than the roster has for "
           "it, or the link was cut"));
}

static void take_event(struct dialer *d, enum zmtp_event event, int fd)
{
    switch (event) {
    case ZMTP_CONNECTED:
        meter_begin(&d->meter, fd);
        d->state = SHAKING_HANDS;
        d->stage_ms = d->base.now_ms;
        break;
    case ZMTP_READY:
        if (d->state >= UP) break;
        d->state = UP;
        d->was_up = d->up_due = true;
        meter_greeted(&d->meter, true);
        break;
    case ZMTP_CONNECT_FAILED:
        connect_failed(d);
        break;
    case ZMTP_HANDSHAKE_FAILED:
        handshake_failed(d);
        break;
    case ZMTP_HANDSHAKE_FOREIGN:
        end(d, ERR_UNREACHABLE, N_("what listens there is not a sidan node"));
        break;
    case ZMTP_HANDSHAKE_DENIED:
        d->barred = true;
        end(d, ERR_FORBIDDEN, N_("denied: this device is not, or no longer, admitted there"));
        break;
    case ZMTP_DISCONNECTED:
        if (d->state == UP)
            end(d, ERR_UNREACHABLE, N_("the connection was lost"));
        else
            handshake_failed(d);
        break;
    case ZMTP_ACCEPTED:
        break;
    }
}

static void drain_events(struct dialer *d)
{
    enum zmtp_event event;
    int fd;
    while (d->state < ENDING && zmtp_event(d->base.socket, &event, &fd)) take_event(d, event, fd);
}

/* --- the link --- */

static void try_to_connect(struct dialer *d)
{
    char endpoint[WAY_ENDPOINT_SIZE];
    enum err err = resolve_poll(d->resolve, endpoint, sizeof endpoint);
    if (err == ERR_AGAIN) return;
    if (err) {
        end(d, ERR_UNREACHABLE, N_("the name of the address cannot be resolved"));
        return;
    }
    way_begin(&d->way, endpoint);
    d->state = CONNECTING;
    d->stage_ms = d->base.now_ms;
    if (zmtp_connect(d->base.socket, endpoint))
        end(d, ERR_UNREACHABLE, N_("this address cannot be connected to"));
}

/* libzmq tells when its own limits are over, but nothing where it cannot even make a socket: no
 * stage is waited for by its word alone. */
static void set_limits(struct dialer *d, uint64_t patience_ms)
{
    uint64_t handshake_ms = HANDSHAKE_PATIENCE * patience_ms;
    d->limits_ms[RESOLVING] = RESOLVE_TIMEOUT_MS;
    d->limits_ms[CONNECTING] = patience_ms && patience_ms < ZMTP_CONNECT_TIMEOUT_MS
                                   ? patience_ms
                                   : ZMTP_CONNECT_TIMEOUT_MS + TIMER_SLACK_MS;
    d->limits_ms[SHAKING_HANDS] = handshake_ms && handshake_ms < ZMTP_HANDSHAKE_TIMEOUT_MS
                                      ? handshake_ms
                                      : ZMTP_HANDSHAKE_TIMEOUT_MS + TIMER_SLACK_MS;
}

static void limit_stage(struct dialer *d)
{
    if (d->state < UP && d->base.now_ms - d->stage_ms >= d->limits_ms[d->state]) stage_over(d);
}

static void dial_tick(struct zmq_link *base)
{
    struct dialer *d = (struct dialer *)base;
    if (!d->started) d->stage_ms = base->now_ms;
    d->started = true;
    if (d->state == RESOLVING) try_to_connect(d);
    if (d->state == CONNECTING || d->state == SHAKING_HANDS) drain_events(d);
    limit_stage(d);
    meter_look(&d->meter);
}

static int dial_wait_ms(struct zmq_link *base)
{
    struct dialer *d = (struct dialer *)base;
    if (!d->started || d->up_due || d->state == ENDING || zmtp_ready(base->socket)) return 0;
    if (d->state == RESOLVING) return ZMQ_LINK_RESOLVE_MS;
    if (d->state >= UP) return ZMQ_LINK_IDLE_MS;
    uint64_t left_ms = d->stage_ms + d->limits_ms[d->state] - base->now_ms;
    return left_ms < ZMQ_LINK_CHECK_MS ? (int)left_ms : ZMQ_LINK_CHECK_MS;
}

static bool next_frame(struct dialer *d, struct link_event *out)
{
    struct zmtp_message m;
    while (zmtp_receive(d->base.socket, &m)) {
        meter_received(&d->meter, m.body.size);
        if (m.single && m.body.size > 0 && m.body.size <= FRAME_SIZE_MAX) {
            out->type = LINK_FRAME;
            out->frame = m.body;
            return true;
        }
        if (m.single && m.body.size == 0) continue; /* Z19: a probe */
        d->base.counts.dropped++;
        end(d, ERR_MALFORMED, N_("the peer sent messages of another form"));
    }
    return false;
}

static bool dial_next(struct link *link, struct link_event *out)
{
    struct dialer *d = (struct dialer *)link;
    *out = (struct link_event){.peer = d->handle, .key = d->peer};
    if (d->state == DOWN) return false;
    drain_events(d);
    if (d->up_due) {
        d->up_due = false;
        out->type = LINK_UP;
        return true;
    }
    /* what came before the end is still delivered */
    if (d->was_up && next_frame(d, out)) return true;
    if (d->state != ENDING) return false;
    d->state = DOWN;
    d->base.ended = true;
    out->type = LINK_DOWN;
    out->err = d->base.end_err;
    out->text = d->base.end_text;
    return true;
}

static enum err dial_send(struct link *link, uint64_t peer, struct slice frame)
{
    struct dialer *d = (struct dialer *)link;
    if (frame.size == 0 || frame.size > FRAME_SIZE_MAX) return ERR_LIMIT;
    if (peer != d->handle || d->state >= ENDING) return ERR_NOT_FOUND;
    enum err err = zmtp_send(d->base.socket, 0, frame);
    if (!err) meter_sent(&d->meter, frame.size);
    return err;
}

static void dial_drop(struct link *link, uint64_t peer)
{
    struct dialer *d = (struct dialer *)link;
    if (peer != d->handle || d->state == DOWN) return;
    end(d, OK, N_("closed by this side"));
    d->state = DOWN;
    d->base.ended = true;
}

static void dial_close(struct link *link)
{
    struct dialer *d = (struct dialer *)link;
    zmtp_socket_close(d->base.socket);
    resolve_free(d->resolve);
    free(d);
}

static bool dial_traffic(struct link *link, bool last, struct link_traffic *out)
{
    struct dialer *d = (struct dialer *)link;
    struct meter_bytes bytes = meter_take(&d->meter, last || d->state == DOWN);
    *out = (struct link_traffic){
        .known = true, .key = d->peer, .sent = bytes.sent, .received = bytes.received};
    return bytes.sent || bytes.received;
}

static uint64_t dial_waiting(const struct link *link)
{
    return meter_waiting(&((const struct dialer *)link)->meter);
}

static uint64_t dial_partial(struct link *link, uint64_t peer)
{
    struct dialer *d = (struct dialer *)link;
    return peer == d->handle ? meter_partial(&d->meter) : UINT64_MAX;
}

static const struct link_ops link_ops = {.next = dial_next,
                                         .send = dial_send,
                                         .drop = dial_drop,
                                         .close = dial_close,
                                         .traffic = dial_traffic,
                                         .waiting = dial_waiting,
                                         .partial = dial_partial};
static const struct zmq_link_ops own_ops = {.tick = dial_tick, .wait_ms = dial_wait_ms};

bool zmq_link_was_barred(const struct link *l)
{
    return ((const struct dialer *)l)->barred;
}

const struct way *zmq_link_way(const struct link *l)
{
    return &((const struct dialer *)(const void *)l)->way;
}

enum err zmq_link_dial(struct link **out, struct zmq_link_context *c,
                       const struct zmq_link_dial *options)
{
    struct address address;
    if (address_parse(&address, options->address, ADDRESS_DIAL)) return ERR_RANGE;
    struct dialer *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    struct zmtp_identity identity = {
        .server = options->peer, .key = options->key, .secret = options->secret};
    enum err err = zmtp_dealer(&d->base.socket, c->zmtp, &identity);
    crypto_wipe(&identity, sizeof identity);
    if (!err) err = resolve_begin(&d->resolve, &address);
    if (err) {
        zmtp_socket_close(d->base.socket);
        free(d);
        return err;
    }
    d->base.link.ops = &link_ops;
    d->base.ops = &own_ops;
    d->base.context = c;
    d->peer = options->peer;
    d->meter.fd = -1;
    set_limits(d, options->patience_ms);
    d->handle = zmq_link_handle(c, 0);
    *out = &d->base.link;
    return OK;
}
