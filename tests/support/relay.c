/*
 * A TCP relay between villages and the hub, so that tests and the demo can take a link away and
 * give it back. Each LISTEN port is forwarded to TARGET on loopback.
 *
 *   relay TARGET LISTEN...
 *
 * Commands on standard input, one a line; each is answered by the same line on standard output:
 *   cut PORT      connections are reset, new ones are refused at once
 *   freeze PORT   nothing passes and nobody is told: a half-open link
 *   up PORT       as at the start
 * It ends when standard input does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTS_MAX = 128, PAIRS_MAX = 256, CHUNK = 65536 };

enum port_state { PORT_UP, PORT_CUT, PORT_FROZEN };
struct port {
    int number;
    int listener;
    enum port_state state;
};

/* Bytes that were read from one end and not yet written to the other. */
struct half {
    int from;
    size_t size, at;
    uint8_t data[CHUNK];
};
struct pair {
    bool used;
    struct port *port;
    struct half up, down; /* client to hub, hub to client */
};

static struct port ports[PORTS_MAX];
static size_t port_count;
static struct pair pairs[PAIRS_MAX];
static struct sockaddr_in target;

static struct sockaddr_in loopback(int number)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((uint16_t)number);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void fail(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void port_open(struct port *p, int number)
{
    struct sockaddr_in address = loopback(number);
    int on = 1;
    p->number = number;
    p->state = PORT_UP;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->listener < 0) fail("socket");
    (void)setsockopt(p->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(p->listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(p->listener, 64) != 0) fail("listen");
}

/* SO_LINGER 0 makes close a reset, which is what a dying link looks like at best. */
static void reset(int fd)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)close(fd);
}

static void pair_close(struct pair *p)
{
    reset(p->up.from);
    reset(p->down.from);
    p->used = false;
}

static struct pair *pair_free(void)
{
    for (size_t i = 0; i < PAIRS_MAX; i++)
        if (!pairs[i].used) return &pairs[i];
    return NULL;
}

static void port_accept(struct port *port)
{
    int client = accept(port->listener, NULL, NULL);
    if (client < 0) return;
    (void)fcntl(client, F_SETFL, O_NONBLOCK);
    struct pair *p = pair_free();
    int hub = -1;
    if (port->state == PORT_CUT || p == NULL) goto refuse;
    hub = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (hub < 0 || connect(hub, (struct sockaddr *)&target, sizeof target) != 0) goto refuse;
    if (fcntl(hub, F_SETFL, O_NONBLOCK) != 0) goto refuse;
    p->used = true;
    p->port = port;
    p->up.from = client;
    p->down.from = hub;
    p->up.size = p->up.at = p->down.size = p->down.at = 0;
    return;
refuse:
    if (hub >= 0) (void)close(hub);
    reset(client);
}

/* False when the pair is at its end. */
static bool half_pump(struct half *h, int to)
{
    if (h->at == h->size) {
        ssize_t n = read(h->from, h->data, sizeof h->data);
        if (n == 0) return false;
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        h->size = (size_t)n;
        h->at = 0;
    }
    ssize_t n = send(to, h->data + h->at, h->size - h->at, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    h->at += (size_t)n;
    return true;
}

static void port_command(const char *verb, int number)
{
    for (size_t i = 0; i < port_count; i++) {
        struct port *port = &ports[i];
        if (port->number != number) continue;
        if (strcmp(verb, "up") == 0) port->state = PORT_UP;
        if (strcmp(verb, "freeze") == 0) port->state = PORT_FROZEN;
        if (strcmp(verb, "cut") != 0) continue;
        port->state = PORT_CUT;
        for (size_t j = 0; j < PAIRS_MAX; j++)
            if (pairs[j].used && pairs[j].port == port) pair_close(&pairs[j]);
    }
}

/* Whole lines of standard input; false at its end. */
static bool commands_read(void)
{
    static char line[4096];
    static size_t size;
    ssize_t n = read(STDIN_FILENO, line + size, sizeof line - 1 - size);
    if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
    size += (size_t)n;
    line[size] = '\0';
    for (char *end; (end = strchr(line, '\n')) != NULL;) {
        char verb[16];
        int number;
        *end = '\0';
        if (sscanf(line, "%15s %d", verb, &number) == 2) port_command(verb, number);
        printf("%s\n", line);
        size -= (size_t)(end + 1 - line);
        memmove(line, end + 1, size + 1);
    }
    fflush(stdout);
    return size < sizeof line - 1;
}

static size_t poll_pairs(struct pollfd *fds, struct pair **owners)
{
    size_t count = 0;
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        struct pair *p = &pairs[i];
        if (!p->used || p->port->state == PORT_FROZEN) continue;
        bool up_full = p->up.at < p->up.size, down_full = p->down.at < p->down.size;
        fds[count] = (struct pollfd){.fd = p->up.from};
        fds[count].events = (short)((up_full ? 0 : POLLIN) | (down_full ? POLLOUT : 0));
        owners[count++] = p;
        fds[count] = (struct pollfd){.fd = p->down.from};
        fds[count].events = (short)((down_full ? 0 : POLLIN) | (up_full ? POLLOUT : 0));
        owners[count++] = p;
    }
    return count;
}

static bool turn(void)
{
    static struct pollfd fds[1 + PORTS_MAX + 2 * PAIRS_MAX];
    static struct pair *owners[2 * PAIRS_MAX];
    fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    for (size_t i = 0; i < port_count; i++)
        fds[1 + i] = (struct pollfd){.fd = ports[i].listener, .events = POLLIN};
    struct pollfd *pair_fds = fds + 1 + port_count;
    size_t count = poll_pairs(pair_fds, owners);
    if (poll(fds, (nfds_t)(1 + port_count + count), -1) < 0) return errno == EINTR;
    for (size_t i = 0; i < count; i++) {
        struct pair *p = owners[i];
        if (pair_fds[i].revents == 0 || !p->used) continue;
        if (!half_pump(&p->up, p->down.from) || !half_pump(&p->down, p->up.from)) pair_close(p);
    }
    for (size_t i = 0; i < port_count; i++)
        if (fds[1 + i].revents != 0) port_accept(&ports[i]);
    return fds[0].revents == 0 || commands_read();
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc - 2 > PORTS_MAX) {
        fputs("usage: relay TARGET LISTEN...\n", stderr);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    target = loopback(atoi(argv[1]));
    for (int i = 2; i < argc; i++) port_open(&ports[port_count++], atoi(argv[i]));
    while (turn()) continue;
    return 0;
}
