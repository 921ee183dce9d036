#include "tests/lab/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    UNREAD_MAX = 65536, /* the receiver's window: bytes that wait for it at its end */
    SYN_WAIT_US = 1000000,
};

/* What was read at one end and not yet written at the other; the first `arrived` have crossed. */
struct stream {
    uint8_t *data;
    size_t at, size, capacity, arrived;
    bool open; /* its sender may speak */
    bool ended, end_arrived;
};
struct conn {
    bool used;
    bool dead; /* cut, and nobody was told */
    uint64_t life;
    struct line *line;
    const struct sockaddr_in *target;
    int fd[WAYS];                 /* who sends that way; -1: not there */
    uint64_t syn_us, syn_wait_us; /* when the SYN is sent again; UINT64_MAX: it is on its way */
    struct stream way[WAYS];
};

static struct conn conns[CONNS_MAX];

static void close_hard(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    if (fd < 0) return;
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)close(fd);
}

static void conn_free(struct conn *c)
{
    for (int w = 0; w < WAYS; w++) {
        close_hard(c->fd[w]);
        free(c->way[w].data);
    }
    *c = (struct conn){.life = c->life};
}

static void push_mark(struct conn *c, uint64_t now_us, enum way way, enum mark mark)
{
    uint64_t tag = c->life << 24 | (uint64_t)(c - conns) << 8 | (uint64_t)mark;
    (void)link_model_push(&c->line->way[way], now_us, tag, 0);
}

static void syn_send(struct conn *c, uint64_t now_us)
{
    if (c->line->up || c->line->how == CUT_FREEZE) {
        push_mark(c, now_us, UP, MARK_SYN);
        c->syn_us = UINT64_MAX;
        return;
    }
    c->syn_us = now_us + c->syn_wait_us;
    c->syn_wait_us *= 2;
}

void conn_open(struct line *l, uint64_t now_us, int client, const struct sockaddr_in *target)
{
    struct conn *c = NULL;
    for (size_t i = 0; i < CONNS_MAX && c == NULL; i++)
        if (!conns[i].used) c = &conns[i];
    if (c == NULL || (!l->up && l->how == CUT_RESET)) {
        close_hard(client);
        return;
    }
    *c = (struct conn){.used = true,
                       .life = c->life + 1,
                       .line = l,
                       .target = target,
                       .fd = {client, -1},
                       .syn_wait_us = SYN_WAIT_US};
    syn_send(c, now_us);
}

/* --- bytes --- */

static void stream_append(struct stream *s, const uint8_t *bytes, size_t size)
{
    if (s->at + s->size + size > s->capacity) {
        size_t capacity = 2 * (s->size + size);
        uint8_t *data = malloc(capacity);
        if (data == NULL) abort();
        if (s->size > 0) memcpy(data, s->data + s->at, s->size);
        free(s->data);
        s->data = data;
        s->capacity = capacity;
        s->at = 0;
    }
    memcpy(s->data + s->at + s->size, bytes, size);
    s->size += size;
}

/* The far end is gone: its word of that crosses the link back to who sends this way. */
static void far_end_gone(struct conn *c, uint64_t now_us, enum way way)
{
    c->way[way].open = false;
    c->way[way].size = c->way[way].arrived = 0;
    push_mark(c, now_us, way == UP ? DOWN : UP, MARK_RESET);
}

static void write_arrived(struct conn *c, uint64_t now_us, enum way way)
{
    struct stream *s = &c->way[way];
    int to = c->fd[way == UP ? DOWN : UP];
    while (s->arrived > 0) {
        ssize_t n = send(to, s->data + s->at, s->arrived, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n < 0) {
            far_end_gone(c, now_us, way);
            return;
        }
        s->at += (size_t)n;
        s->size -= (size_t)n;
        s->arrived -= (size_t)n;
    }
    if (!s->end_arrived) return;
    (void)shutdown(to, SHUT_WR);
    if (c->way[UP].end_arrived && c->way[DOWN].end_arrived && c->way[UP].size == 0 &&
        c->way[DOWN].size == 0)
        conn_free(c);
}

static size_t readable(const struct conn *c, enum way way)
{
    const struct stream *s = &c->way[way];
    if (c->fd[way] < 0) return 0;
    if (c->dead) return LINK_PACKET_SIZE;
    if (!s->open || s->ended || s->arrived > UNREAD_MAX) return 0;
    size_t room = link_model_room(&c->line->way[way]);
    return room < LINK_PACKET_SIZE ? room : LINK_PACKET_SIZE;
}

static void read_from(struct conn *c, uint64_t now_us, enum way way)
{
    uint8_t bytes[LINK_PACKET_SIZE];
    size_t most = readable(c, way);
    if (most == 0) return;
    ssize_t n = read(c->fd[way], bytes, most);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    struct link_model *m = &c->line->way[way];
    if (c->dead) { /* what is sent into it is lost; who closes is not missed */
        m->counts.taken += n > 0 ? (uint64_t)n : 0;
        m->counts.lost += n > 0 ? (uint64_t)n : 0;
        if (n > 0) return;
        close_hard(c->fd[way]);
        c->fd[way] = -1;
        if (c->fd[UP] < 0 && c->fd[DOWN] < 0) conn_free(c);
        return;
    }
    if (n <= 0) {
        c->way[way].ended = true;
        push_mark(c, now_us, way, n == 0 ? MARK_END : MARK_RESET);
        return;
    }
    if (c->line->first_us == 0) c->line->first_us = now_us;
    stream_append(&c->way[way], bytes, (size_t)n);
    uint64_t tag = c->life << 24 | (uint64_t)(c - conns) << 8 | MARK_DATA;
    (void)link_model_push(m, now_us, tag, (size_t)n);
}

/* --- what crosses --- */

static void syn_arrived(struct conn *c, uint64_t now_us)
{
    int fd = line_socket();
    if (fd < 0 || connect(fd, (const struct sockaddr *)c->target, sizeof *c->target) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        if (fd >= 0) (void)close(fd);
        push_mark(c, now_us, DOWN, MARK_RESET);
        return;
    }
    c->fd[DOWN] = fd;
    push_mark(c, now_us, DOWN, MARK_SYN_ACK);
}

void conn_arrive(struct line *l, uint64_t now_us, enum way way, const struct link_segment *s)
{
    struct conn *c = &conns[s->tag >> 8 & 0xffff];
    if (!c->used || c->dead || c->line != l || c->life != s->tag >> 24) return;
    switch ((enum mark)(s->tag & 0xff)) {
    case MARK_SYN:
        syn_arrived(c, now_us);
        return;
    case MARK_SYN_ACK:
        c->way[UP].open = true;
        push_mark(c, now_us, UP, MARK_ACK);
        return;
    case MARK_ACK:
        c->way[DOWN].open = true;
        return;
    case MARK_DATA:
        if (c->way[way].size == 0) return; /* its receiver is gone */
        c->way[way].arrived += s->size;
        write_arrived(c, now_us, way);
        return;
    case MARK_END:
        c->way[way].end_arrived = true;
        write_arrived(c, now_us, way);
        return;
    case MARK_RESET:
        conn_free(c);
        return;
    }
}

void conns_reset(struct line *l)
{
    for (size_t i = 0; i < CONNS_MAX; i++)
        if (conns[i].used && conns[i].line == l) conn_free(&conns[i]);
}

void conns_kill(struct line *l, uint64_t now_us)
{
    for (size_t i = 0; i < CONNS_MAX; i++) {
        struct conn *c = &conns[i];
        if (!c->used || c->line != l || c->dead) continue;
        if (c->fd[DOWN] >= 0)
            c->dead = true;
        else if (c->syn_us == UINT64_MAX)
            syn_send(c, now_us);
    }
}

uint64_t conns_turn(uint64_t now_us)
{
    uint64_t next_us = UINT64_MAX;
    for (size_t i = 0; i < CONNS_MAX; i++) {
        struct conn *c = &conns[i];
        if (!c->used) continue;
        if (c->syn_us <= now_us) syn_send(c, now_us);
        if (c->syn_us < next_us) next_us = c->syn_us;
    }
    return next_us;
}

/* --- the loop's --- */

static const struct conn *polled[WAYS * CONNS_MAX];

size_t conns_poll(struct pollfd *fds)
{
    size_t count = 0;
    for (size_t i = 0; i < CONNS_MAX; i++) {
        const struct conn *c = &conns[i];
        for (int w = 0; c->used && w < WAYS; w++) {
            bool reads = readable(c, (enum way)w) > 0,
                 writes = !c->dead && c->way[1 - w].arrived > 0;
            if (!reads && !writes) continue;
            polled[count] = c;
            fds[count++] = (struct pollfd){
                .fd = c->fd[w], .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0))};
        }
    }
    return count;
}

void conns_serve(uint64_t now_us, const struct pollfd *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct conn *c = &conns[polled[i] - conns];
        for (int w = 0; w < WAYS; w++) {
            if (fds[i].revents == 0 || !c->used || c->fd[w] != fds[i].fd) continue;
            if ((fds[i].events & POLLOUT) != 0) write_arrived(c, now_us, (enum way)(1 - w));
            if (c->used && (fds[i].events & POLLIN) != 0) read_from(c, now_us, (enum way)w);
        }
    }
}
