#pragma once
/* The link of tests/lab/link.c as a benchmark drives it: one line, from PORT to TARGET. */
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct lab_way {
    uint64_t taken, carried, lost, last_ms; /* last_ms: last arrival, since the first byte or SYN */
};
struct lab_stats {
    uint64_t connections, cuts;
    struct lab_way up, down;
};
struct lab {
    pid_t pid;
    FILE *in, *out;
    int port;
};
/* `options` as link takes them, parted by blanks. */
void lab_start(struct lab *l, const char *program, const char *options, int target, int port);
void lab_stop(struct lab *l);
void lab_mark(struct lab *l); /* counts from here */
struct lab_stats lab_stats(struct lab *l);
/* The counts once nothing has passed for two seconds, at most `limit_s` from now. */
struct lab_stats lab_rest(struct lab *l, double limit_s);
uint64_t lab_bytes(const struct lab_stats *s); /* carried both ways */

/*
 * The floor under a sync: one CURVE connection of a DEALER to a ROUTER of this libzmq over the link
 * to `target`, one message of n bytes, one byte back.
 */
struct lab_floor {
    uint64_t cold_bytes, warm_bytes; /* both ways; cold: with the handshake */
    uint64_t cold_ms, warm_ms;       /* until the answer is there, from the SYN or the first byte */
};
struct lab_floor lab_floor(struct lab *l, int target, size_t n);
