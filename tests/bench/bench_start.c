/*
 * bench_start SIDAN SIDAN-NODE HOME: how long until the node says READY=1 to its supervisor, and
 * how long `sidan status` takes; the median of some tries, all warm.
 */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TRIES = 11 };

static double median(double *times)
{
    qsort(times, TRIES, sizeof *times, bench_compare_doubles);
    return times[TRIES / 2];
}

static double node_ready(const char *node, const char *home, int notify)
{
    const char *argv[] = {node, "--home", home, NULL};
    char message[512];
    struct timeval limit = {.tv_sec = 10};
    (void)setsockopt(notify, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    double start = bench_now();
    pid_t pid = bench_spawn(argv);
    for (;;) {
        ssize_t n = recv(notify, message, sizeof message - 1, 0);
        if (n < 0) bench_must(ERR_TIMEOUT, "READY of the node");
        message[n] = '\0';
        if (strstr(message, "READY=1") != NULL) break;
    }
    double spent = bench_now() - start;
    bench_stop(pid);
    while (recv(notify, message, sizeof message, MSG_DONTWAIT) > 0) continue;
    return spent;
}

int main(int argc, char **argv)
{
    double times[TRIES];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc != 4) return 2;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "/tmp/sidan-bench.%d", (int)getpid());
    int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify < 0 || bind(notify, (struct sockaddr *)&address, sizeof address) != 0) return 1;
    (void)setenv("NOTIFY_SOCKET", address.sun_path, 1);
    for (int i = 0; i < TRIES; i++) times[i] = node_ready(argv[2], argv[3], notify);
    printf("node ready                          %9.1f ms   (50)\n", median(times) * 1e3);
    (void)unlink(address.sun_path);
    (void)unsetenv("NOTIFY_SOCKET");
    const char *status[] = {argv[1], "--home", argv[3], "status", NULL};
    for (int i = 0; i < TRIES; i++) times[i] = bench_run(status);
    printf("sidan status                        %9.1f ms   (20)\n", median(times) * 1e3);
    return 0;
}
