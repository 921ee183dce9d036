#include "node/netwatch.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum err netwatch_open(struct netwatch *w)
{
    const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                       .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
                                                    RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                                    RTMGRP_IPV6_ROUTE};
    *w = (struct netwatch){.fd = -1};
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (s < 0) return err_from_errno(errno);
    if (bind(s, (const struct sockaddr *)&groups, sizeof groups)) {
        enum err err = err_from_errno(errno);
        close(s);
        return err;
    }
    w->fd = s;
    return OK;
}

void netwatch_close(struct netwatch *w)
{
    if (w->fd >= 0) close(w->fd);
    w->fd = -1;
}

static enum netwatch_news carrier(struct netwatch *w, int interface, bool there)
{
    if (!there) w->lost = interface;
    if (!there || w->lost != interface) return NETWATCH_CHANGED;
    w->lost = 0;
    return NETWATCH_BACK;
}

static enum netwatch_news message_means(struct netwatch *w, const uint8_t *at, size_t size)
{
    struct nlmsghdr header;
    struct ifinfomsg info;
    memcpy(&header, at, sizeof header);
    switch (header.nlmsg_type) {
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_DELLINK:
        return NETWATCH_CHANGED;
    case RTM_NEWLINK:
        if (size < NLMSG_HDRLEN + sizeof info) return NETWATCH_NOTHING;
        memcpy(&info, at + NLMSG_HDRLEN, sizeof info);
        return carrier(w, info.ifi_index,
                       (info.ifi_flags & IFF_UP) && (info.ifi_flags & IFF_RUNNING));
    default:
        return NETWATCH_NOTHING;
    }
}

static enum netwatch_news weightier(enum netwatch_news a, enum netwatch_news b)
{
    return a > b ? a : b;
}

static enum netwatch_news datagram_means(struct netwatch *w, const uint8_t *at, size_t left)
{
    enum netwatch_news news = NETWATCH_NOTHING;
    while (left >= sizeof(struct nlmsghdr)) {
        uint32_t size;
        memcpy(&size, at + offsetof(struct nlmsghdr, nlmsg_len), sizeof size);
        if (size < sizeof(struct nlmsghdr) || size > left) break;
        news = weightier(news, message_means(w, at, size));
        size_t step = NLMSG_ALIGN((size_t)size);
        if (step > left) break;
        at += step;
        left -= step;
    }
    return news;
}

enum netwatch_news netwatch_read(struct netwatch *w)
{
    uint8_t buffer[8192];
    enum netwatch_news news = NETWATCH_NOTHING;
    for (;;) {
        ssize_t got = recv(w->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == ENOBUFS) {
            news = NETWATCH_BACK;
            continue;
        }
        if (got <= 0) return news;
        news = weightier(news, datagram_means(w, buffer, (size_t)got));
    }
}
