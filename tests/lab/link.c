/*
 * A bad link on loopback, in real time: what connects to a LISTEN port is carried to TARGET over a
 * link of its own, both ways, as tests/support/link_model.h has it.
 *
 *   link [KEY=VALUE...] TARGET LISTEN...
 *
 *   rate_bps=N       bits a second; 0: no bound       delay_ms=N   one way
 *   queue=N          bytes taken ahead of the wire    packets=FILE mahimahi's times, not a rate
 *   loss_permille=N  of packets, shown as stalls      stall_ms=N   first retransmission time
 *   cut_bytes=N      a cut after so many, either way  cuts_max=N   no more cuts than that
 *   cut_every_ms=N   up for so long                   cut_for_ms=N then down for so long
 *   contacts=FILE    up from and to, in ms, a line    outages=FILE down from and to
 *   how=reset|hole|freeze  what a cut is: connections are reset and refused; or half open, nobody
 *                    is told and nothing comes back; or all stands still and then goes on
 *   seed=N           of the losses                    run_s=N      ends after that (3600)
 *
 * The recorded links in ../shared/data as such files:
 *   packets   xz -dc link-umts-driving.up.xz
 *   outages   awk -F, '$1 == "TMobile-UMTS-driving.up" {print $2, $3}' link-outages.csv
 *   contacts  awk -F, '$3 == 1 && $2 > $1 {print $1 * 1000, $2 * 1000}' contacts-hub27.csv
 *
 * `up.` or `down.` before a key of the first four lines means that way only: client to target is
 * up.
 *
 * Commands on standard input, one a line; each is answered by the same line on standard output,
 * `stats` by a line of JSON. It ends when standard input does.
 *   cut PORT, hole PORT, freeze PORT   as `how`, until
 *   up PORT                            the link is there again, and its times begin anew
 *   set PORT KEY=VALUE...              from now on; what has its time begins anew
 *   mark PORT                          counts from here
 *   stats PORT                         bytes taken from the sender, carried, lost at cuts
 */
#include "tests/lab/line.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 128 };

static struct line lines[LINES_MAX];
static size_t line_count;

static uint64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct line *line_of(const char *port)
{
    for (size_t i = 0; port != NULL && i < line_count; i++)
        if (lines[i].number == atoi(port)) return &lines[i];
    return NULL;
}

static bool change(struct line *l, char **words)
{
    struct lab_options options = l->options;
    for (char *word; (word = strtok_r(NULL, " ", words)) != NULL;)
        if (!lab_options_set(&options, word)) return false;
    line_change(l, now(), &options);
    return true;
}

static bool obey(const char *verb, struct line *l, char **words)
{
    if (strcmp(verb, "set") == 0) return change(l, words);
    if (strcmp(verb, "cut") == 0)
        line_cut(l, now(), CUT_RESET);
    else if (strcmp(verb, "hole") == 0)
        line_cut(l, now(), CUT_HOLE);
    else if (strcmp(verb, "freeze") == 0)
        line_cut(l, now(), CUT_FREEZE);
    else if (strcmp(verb, "up") == 0)
        line_up(l, now());
    else if (strcmp(verb, "mark") == 0)
        line_mark(l);
    else
        return false;
    return true;
}

static void command(const char *text)
{
    char copy[4096], *words = NULL;
    (void)snprintf(copy, sizeof copy, "%s", text);
    const char *verb = strtok_r(copy, " ", &words);
    struct line *l = verb != NULL ? line_of(strtok_r(NULL, " ", &words)) : NULL;
    if (l != NULL && strcmp(verb, "stats") == 0)
        line_print(l);
    else if (l != NULL && obey(verb, l, &words))
        printf("%s\n", text);
    else
        printf("not understood: %s\n", text);
}

/* Whole lines of standard input; false at its end. */
static bool commands_read(void)
{
    static char text[4096];
    static size_t size;
    ssize_t n = read(STDIN_FILENO, text + size, sizeof text - 1 - size);
    if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
    size += (size_t)n;
    text[size] = '\0';
    for (char *end; (end = strchr(text, '\n')) != NULL;) {
        *end = '\0';
        command(text);
        size -= (size_t)(end + 1 - text);
        memmove(text, end + 1, size + 1);
    }
    (void)fflush(stdout);
    return size < sizeof text - 1;
}

/* Milliseconds until then, rounded up. */
static int wait_of(uint64_t now_us, uint64_t then_us)
{
    if (then_us <= now_us) return 0;
    uint64_t ms = (then_us - now_us + 999) / 1000;
    return ms < 60000 ? (int)ms : 60000;
}

static bool turn(const struct sockaddr_in *target, uint64_t end_us)
{
    static struct pollfd fds[1 + LINES_MAX + WAYS * CONNS_MAX];
    uint64_t now_us = now(), next_us = end_us;
    if (now_us >= end_us) return false;
    uint64_t syn_us = conns_turn(now_us);
    if (syn_us < next_us) next_us = syn_us;
    for (size_t i = 0; i < line_count; i++) {
        uint64_t line_us = line_turn(&lines[i], now_us);
        if (line_us < next_us) next_us = line_us;
        fds[1 + i] = (struct pollfd){.fd = lines[i].listener, .events = POLLIN};
    }
    fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    struct pollfd *conn_fds = fds + 1 + line_count;
    size_t count = conns_poll(conn_fds);
    if (poll(fds, (nfds_t)(1 + line_count + count), wait_of(now_us, next_us)) < 0)
        return errno == EINTR;
    now_us = now();
    conns_serve(now_us, conn_fds, count);
    for (size_t i = 0; i < line_count; i++)
        if (fds[1 + i].revents != 0) line_accept(&lines[i], now_us, target);
    return fds[0].revents == 0 || commands_read();
}

int main(int argc, char **argv)
{
    struct lab_options options;
    int at = 1;
    lab_options_init(&options);
    while (at < argc && lab_options_set(&options, argv[at])) at++;
    if (argc - at < 2 || argc - at - 1 > LINES_MAX || strchr(argv[at], '=') != NULL) {
        fputs("usage: link [KEY=VALUE...] TARGET LISTEN...\n", stderr);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in target = line_loopback(atoi(argv[at]));
    for (int i = at + 1; i < argc; i++)
        line_open(&lines[line_count++], atoi(argv[i]), &options, now());
    uint64_t end_us = now() + options.run_s * 1000000;
    while (turn(&target, end_us)) continue;
    for (size_t i = 0; i < line_count; i++) {
        line_print(&lines[i]);
        line_close(&lines[i]);
    }
    return 0;
}
