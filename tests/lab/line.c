#include "tests/lab/line.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the kernel holds between a sender and the link is hidden from both. Left alone, a sender on
 * loopback gets rid of 4.2 MB in the first second; with a small buffer at our end of 3 MB, for
 * packets are 64 KiB there and its own buffer follows; with packets of a real size, of 80 KB. */
enum { RECEIVE_BUFFER = 4096 };

static void fail(const char *what)
{
    fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
    exit(1);
}

struct sockaddr_in line_loopback(int number)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((uint16_t)number);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int line_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, size = RECEIVE_BUFFER,
        packet = LINK_PACKET_SIZE;
    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &packet, sizeof packet);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void line_open(struct line *l, int number, const struct lab_options *options, uint64_t now_us)
{
    struct sockaddr_in address = line_loopback(number);
    *l = (struct line){.number = number, .options = *options, .up = true, .origin_us = now_us};
    for (int w = 0; w < WAYS; w++)
        link_model_init(&l->way[w], &options->way[w], options->seed * WAYS + (uint64_t)w);
    l->listener = line_socket();
    if (l->listener < 0) fail("socket");
    if (bind(l->listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (fcntl(l->listener, F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
    if (listen(l->listener, 64) != 0) fail("listen");
}

void line_close(struct line *l)
{
    conns_reset(l);
    for (int w = 0; w < WAYS; w++) link_model_clear(&l->way[w]);
    (void)close(l->listener);
}

static void set_both(struct line *l, uint64_t now_us, enum link_state state)
{
    for (int w = 0; w < WAYS; w++) link_model_set(&l->way[w], now_us, state);
}

static void cut(struct line *l, uint64_t now_us, enum cut_how how)
{
    l->up = false;
    l->how = how;
    l->cuts++;
    set_both(l, now_us, how == CUT_FREEZE ? LINK_MODEL_FROZEN : LINK_MODEL_DOWN);
    if (how == CUT_RESET) conns_reset(l);
    if (how == CUT_HOLE) conns_kill(l, now_us);
}

static void give_back(struct line *l, uint64_t now_us)
{
    l->up = true;
    set_both(l, now_us, LINK_MODEL_UP);
}

void line_cut(struct line *l, uint64_t now_us, enum cut_how how)
{
    l->held = true;
    cut(l, now_us, how);
}

void line_up(struct line *l, uint64_t now_us)
{
    l->held = false;
    l->origin_us = l->back_us = now_us;
    give_back(l, now_us);
}

void line_change(struct line *l, uint64_t now_us, const struct lab_options *options)
{
    l->options = *options;
    l->origin_us = now_us;
    for (int w = 0; w < WAYS; w++) link_model_change(&l->way[w], &options->way[w]);
}

void line_mark(struct line *l)
{
    l->cuts = l->connections = l->first_us = 0;
    for (int w = 0; w < WAYS; w++) {
        l->way[w].counts = (struct link_counts){.taken = l->way[w].held};
        l->last_us[w] = 0;
    }
}

static void print_way(const struct line *l, const char *name, enum way w)
{
    const struct link_counts *c = &l->way[w].counts;
    uint64_t after_us = l->last_us[w] > l->first_us ? l->last_us[w] - l->first_us : 0;
    printf(",\"%s\":{\"taken\":%" PRIu64 ",\"carried\":%" PRIu64 ",\"lost\":%" PRIu64
           ",\"last_ms\":%" PRIu64 "}",
           name, c->taken, c->carried, c->lost, after_us / 1000);
}

void line_print(const struct line *l)
{
    printf("{\"port\":%d,\"connections\":%" PRIu64 ",\"cuts\":%" PRIu64, l->number, l->connections,
           l->cuts);
    print_way(l, "up", UP);
    print_way(l, "down", DOWN);
    printf("}\n");
}

static void arrivals(struct line *l, uint64_t now_us)
{
    struct link_segment s;
    for (int w = 0; w < WAYS; w++) {
        while (link_model_pull(&l->way[w], now_us, &s)) {
            if (s.size > 0) l->last_us[w] = s.arrive_us;
            conn_arrive(l, now_us, (enum way)w, &s);
        }
    }
}

/* Cuts by the clock; when that changes next. */
static uint64_t follow_times(struct line *l, uint64_t now_us)
{
    uint64_t until_us;
    if (l->held || l->options.cuts_max == 0) return UINT64_MAX;
    bool up = link_times_up(&l->options.times, now_us - l->origin_us, &until_us);
    if (until_us != UINT64_MAX) until_us += l->origin_us;
    if (l->back_us > now_us) return l->back_us;
    if (l->up && !up) cut(l, now_us, l->options.how);
    if (!l->up && up) {
        give_back(l, now_us);
        if (l->cuts >= l->options.cuts_max) l->options.cuts_max = 0;
    }
    return until_us;
}

/* Cuts by bytes; when the next is due, as far as that is known. */
static uint64_t follow_bytes(struct line *l, uint64_t now_us)
{
    uint64_t next_us = UINT64_MAX;
    for (int w = 0; w < WAYS; w++)
        if (l->way[w].cut_us < next_us) next_us = l->way[w].cut_us;
    if (l->held || !l->up || next_us > now_us) return next_us;
    cut(l, now_us, l->options.how);
    l->back_us = now_us + l->options.cut_for_us;
    if (l->cuts < l->options.cuts_max) return l->back_us;
    for (int w = 0; w < WAYS; w++) l->options.way[w].cut_bytes = 0;
    for (int w = 0; w < WAYS; w++) link_model_change(&l->way[w], &l->options.way[w]);
    return l->back_us;
}

uint64_t line_turn(struct line *l, uint64_t now_us)
{
    arrivals(l, now_us);
    uint64_t next_us = follow_bytes(l, now_us), times_us = follow_times(l, now_us);
    if (times_us < next_us) next_us = times_us;
    for (int w = 0; w < WAYS; w++)
        if (link_model_next_us(&l->way[w]) < next_us) next_us = link_model_next_us(&l->way[w]);
    return next_us;
}

void line_accept(struct line *l, uint64_t now_us, const struct sockaddr_in *target)
{
    int client = accept(l->listener, NULL, NULL);
    if (client < 0) return;
    (void)fcntl(client, F_SETFL, O_NONBLOCK);
    l->connections++;
    if (l->first_us == 0) l->first_us = now_us;
    conn_open(l, now_us, client, target);
}
