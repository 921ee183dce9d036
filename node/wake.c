#include "node/wake.h"

#include "common/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX 12
#define STORE_POLL_MS 200
#define SLEPT_MS 500 /* the two clocks are read one after the other */

/* A timer far away that the kernel cancels when the clock is set (D5). */
static void arm_clock(int fd)
{
    const struct itimerspec far = {.it_value = {.tv_sec = (time_t)1 << 40}};
    if (fd >= 0) (void)timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

bool wake_slept(struct wake *w, uint64_t boottime_ms, uint64_t monotonic_ms)
{
    uint64_t before_ms = w->asleep_ms;
    w->asleep_ms = boottime_ms - monotonic_ms;
    return w->asleep_ms > before_ms + SLEPT_MS;
}

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec ts = {0};
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool slept(struct wake *w)
{
    uint64_t monotonic_ms = clock_ms(CLOCK_MONOTONIC);
    return wake_slept(w, clock_ms(CLOCK_BOOTTIME), monotonic_ms);
}

enum err wake_open(struct wake *w)
{
    sigset_t stop;
    *w = (struct wake)WAKE_CLOSED;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &stop, NULL)) return err_from_errno(errno);
    w->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    if (w->signals < 0) return err_from_errno(errno);
    w->clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    arm_clock(w->clock);
    w->files = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (netwatch_open(&w->network)) log_write(LOG_WARN, "changes of the network go unnoticed");
    (void)slept(w);
    return OK;
}

void wake_close(struct wake *w)
{
    const int fds[] = {w->signals, w->clock, w->files};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0) close(fds[i]);
    netwatch_close(&w->network);
    *w = (struct wake)WAKE_CLOSED;
}

void wake_watch_store(struct wake *w, const char *home)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/store/data.mdb", home);
    if (w->files < 0 || size < 0 || size >= (int)sizeof path) return;
    w->store_watch = inotify_add_watch(w->files, path, IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF);
}

void wake_unwatch_store(struct wake *w)
{
    if (w->store_watch >= 0) inotify_rm_watch(w->files, w->store_watch);
    w->store_watch = -1;
}

static unsigned read_files(int fd)
{
    _Alignas(struct inotify_event) char buffer[1024];
    unsigned reasons = 0;
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        for (char *at = buffer; at < buffer + got;) {
            const struct inotify_event *event = (const void *)at;
            if (event->mask & (IN_MODIFY | IN_Q_OVERFLOW)) reasons |= WAKE_STORE;
            if (event->mask & (IN_MOVE_SELF | IN_DELETE_SELF)) reasons |= WAKE_STORE_GONE;
            at += sizeof *event + event->len;
        }
    }
    return reasons;
}

static unsigned read_clock(int fd)
{
    uint64_t ignored;
    if (read(fd, &ignored, sizeof ignored) >= 0 || errno != ECANCELED) return 0;
    arm_clock(fd);
    return WAKE_CLOCK;
}

static unsigned read_signals(int fd)
{
    struct signalfd_siginfo info;
    unsigned reasons = 0;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) reasons = WAKE_STOP;
    return reasons;
}

static unsigned read_network(struct netwatch *w)
{
    switch (netwatch_read(w)) {
    case NETWATCH_CHANGED:
        return WAKE_NETWORK;
    case NETWATCH_BACK:
        return WAKE_NETWORK | WAKE_AGAIN;
    case NETWATCH_NOTHING:
        break;
    }
    return 0;
}

unsigned wake_wait(struct wake *w, const int *fds, size_t count, uint64_t timeout_ms)
{
    struct pollfd polled[4 + FDS_MAX] = {{.fd = w->signals, .events = POLLIN},
                                         {.fd = w->clock, .events = POLLIN},
                                         {.fd = w->files, .events = POLLIN},
                                         {.fd = w->network.fd, .events = POLLIN}};
    assert(count <= FDS_MAX);
    for (size_t i = 0; i < count; i++)
        polled[4 + i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    bool blind = w->store_watch < 0;
    if (blind && timeout_ms > STORE_POLL_MS) timeout_ms = STORE_POLL_MS;
    int timeout = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    int ready = poll(polled, 4 + count, timeout);
    unsigned reasons = blind ? WAKE_STORE : 0;
    if (slept(w)) reasons |= WAKE_AGAIN;
    if (ready <= 0) return reasons;
    if (polled[0].revents) reasons |= read_signals(w->signals);
    if (polled[1].revents) reasons |= read_clock(w->clock);
    if (polled[2].revents) reasons |= read_files(w->files);
    if (polled[3].revents) reasons |= read_network(&w->network);
    return reasons;
}
