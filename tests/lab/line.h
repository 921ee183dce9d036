#pragma once
/*
 * One line of the lab: a listening port, and the link behind it that its connections share.
 *
 * A connection is set up across the link as TCP does: SYN, SYN-ACK and ACK take its delay, so the
 * target hears of it half a round trip later and the client speaks after a whole one. An end or a
 * reset arrives behind the bytes that were sent before it.
 */
#include "tests/lab/options.h"

#include <netinet/in.h>
#include <poll.h>

enum { CONNS_MAX = 256 };

struct line {
    int number, listener;
    struct lab_options options;
    struct link_model way[WAYS];
    bool up;
    enum cut_how how;   /* when it is not up */
    bool held;          /* by a command: the options' times do not count */
    uint64_t origin_us; /* of those times */
    uint64_t back_us;   /* when a cut by bytes ends */
    uint64_t cuts, connections;
    uint64_t first_us; /* something was sent first; 0: not yet */
    uint64_t last_us[WAYS];
};

struct sockaddr_in line_loopback(int number);
int line_socket(void); /* a TCP socket with little room, -1 when there is none */
/* Ends the program when the port cannot be had. */
void line_open(struct line *l, int number, const struct lab_options *options, uint64_t now_us);
void line_close(struct line *l);

/* Commands. */
void line_cut(struct line *l, uint64_t now_us, enum cut_how how);
void line_up(struct line *l, uint64_t now_us);
void line_change(struct line *l, uint64_t now_us, const struct lab_options *options);
void line_mark(struct line *l);        /* counts from here */
void line_print(const struct line *l); /* the counts, as a line of JSON */

/* All that is due; then the time of what is due next. */
uint64_t line_turn(struct line *l, uint64_t now_us);
void line_accept(struct line *l, uint64_t now_us, const struct sockaddr_in *target);

/* --- connections, conn.c --- */

/* What crosses the link. */
enum mark { MARK_DATA, MARK_SYN, MARK_SYN_ACK, MARK_ACK, MARK_END, MARK_RESET };

void conn_open(struct line *l, uint64_t now_us, int client, const struct sockaddr_in *target);
void conn_arrive(struct line *l, uint64_t now_us, enum way way, const struct link_segment *s);
/* A cut: what is connected through `l` is reset, or is dead and does not know. */
void conns_reset(struct line *l);
void conns_kill(struct line *l, uint64_t now_us);
/* SYNs that were lost are sent again; the time of the next. */
uint64_t conns_turn(uint64_t now_us);
/* What to wait for: at most 2 * CONNS_MAX entries; how many. */
size_t conns_poll(struct pollfd *fds);
/* After poll, with the same array. */
void conns_serve(uint64_t now_us, const struct pollfd *fds, size_t count);
