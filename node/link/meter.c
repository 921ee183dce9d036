#include "node/link/meter.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/tcp.h>

#define CURVE_OVERHEAD 33
#define ZMTP_SHORT_MAX 255

static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size)) return 0;
    return cookie;
}

void meter_greeted(struct meter *m, bool dialled)
{
    m->framed.sent += dialled ? METER_DIALLER_HANDSHAKE : METER_LISTENER_HANDSHAKE;
    m->framed.received += dialled ? METER_LISTENER_HANDSHAKE : METER_DIALLER_HANDSHAKE;
}

uint64_t meter_of_frame(size_t frame_size)
{
    uint64_t body = (uint64_t)frame_size + CURVE_OVERHEAD;
    return body + (body > ZMTP_SHORT_MAX ? 9 : 2);
}

uint64_t meter_of_frames(uint64_t frames, uint64_t bytes)
{
    return bytes + frames * meter_of_frame(0);
}

void meter_sent(struct meter *m, size_t frame_size)
{
    m->framed.sent += meter_of_frame(frame_size);
    m->late += meter_of_frame(frame_size);
}

void meter_received(struct meter *m, size_t frame_size)
{
    m->framed.received += meter_of_frame(frame_size);
}

/* tcpi_state; <netinet/tcp.h> has the names and not the counts. */
enum { TIME_WAIT = 6, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 };

/* The end of the peer's stream counts as a byte received. */
static bool ended_by_peer(uint8_t state)
{
    return state == TIME_WAIT || state == CLOSE_WAIT || state == LAST_ACK || state == CLOSING;
}

static bool ask(const struct meter *m, struct meter_bytes *out)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (!m->cookie || cookie_of(m->fd) != m->cookie) return false;
    if (getsockopt(m->fd, IPPROTO_TCP, TCP_INFO, &info, &size)) return false;
    if (size < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof info.tcpi_bytes_retrans)
        return false;
    out->sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
    out->received = info.tcpi_bytes_received - ended_by_peer(info.tcpi_state);
    return true;
}

void meter_begin(struct meter *m, int fd)
{
    *m = (struct meter){.fd = fd, .cookie = cookie_of(fd)};
    if (!ask(m, &m->seen)) m->cookie = 0; /* gone already, or an old kernel: by frames alone */
}

void meter_look(struct meter *m)
{
    struct meter_bytes now;
    if (!ask(m, &now)) return;
    m->seen = now;
    m->behind = now.sent < m->framed.sent;
    m->late = 0;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t meter_waiting(const struct meter *m)
{
    return m->cookie && m->framed.sent > m->seen.sent ? m->framed.sent - m->seen.sent : 0;
}

uint64_t meter_partial(struct meter *m)
{
    meter_look(m);
    if (!m->cookie) return UINT64_MAX;
    return m->seen.received > m->framed.received ? m->seen.received - m->framed.received : 0;
}

struct meter_bytes meter_take(struct meter *m, bool last)
{
    uint64_t assumed = last && !m->behind ? m->seen.sent + m->late : 0;
    if (last) meter_look(m);
    struct meter_bytes all = {.sent = m->cookie ? greater(m->seen.sent, assumed) : m->framed.sent,
                              .received = greater(m->seen.received, m->framed.received)};
    all.sent = greater(all.sent, m->told.sent);
    struct meter_bytes fresh = {.sent = all.sent - m->told.sent,
                                .received = all.received - m->told.received};
    m->told = all;
    return fresh;
}
