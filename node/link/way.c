#include "node/link/way.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct addrinfo *numeric_address(const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found;
    return getaddrinfo(host, NULL, &hints, &found) ? NULL : found;
}

/* Connecting a UDP socket asks for the route and sends nothing. */
static void look(struct way *w)
{
    struct address a;
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    struct addrinfo *to = NULL;
    w->source[0] = '\0';
    if (!address_parse(&a, w->endpoint, ADDRESS_DIAL)) to = numeric_address(a.host);
    int fd = to ? socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    if (fd >= 0 && !connect(fd, to->ai_addr, to->ai_addrlen) &&
        !getsockname(fd, (struct sockaddr *)&from, &size) &&
        getnameinfo((struct sockaddr *)&from, size, w->source, sizeof w->source, NULL, 0,
                    NI_NUMERICHOST))
        w->source[0] = '\0';
    if (fd >= 0) close(fd);
    if (to) freeaddrinfo(to);
}

void way_begin(struct way *w, const char *endpoint)
{
    *w = (struct way){0};
    snprintf(w->endpoint, sizeof w->endpoint, "%s", endpoint);
    look(w);
}

bool way_exists(const struct way *w)
{
    return w->source[0] != '\0';
}

bool way_is_new(struct way *w)
{
    char before[sizeof w->source];
    memcpy(before, w->source, sizeof before);
    look(w);
    return w->source[0] && strcmp(before, w->source) != 0;
}

bool way_stands(const struct way *w)
{
    struct addrinfo *own = numeric_address(w->source);
    int fd = own ? socket(own->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    bool stands = fd >= 0 && !bind(fd, own->ai_addr, own->ai_addrlen);
    if (fd >= 0) close(fd);
    if (own) freeaddrinfo(own);
    return stands;
}
