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

enum err netwatch_open(int *fd)
{
    const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                       .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
                                                    RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                                    RTMGRP_IPV6_ROUTE};
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (s < 0) return err_from_errno(errno);
    if (bind(s, (const struct sockaddr *)&groups, sizeof groups)) {
        enum err err = err_from_errno(errno);
        close(s);
        return err;
    }
    *fd = s;
    return OK;
}

static bool message_means_up(const uint8_t *at, size_t size)
{
    struct nlmsghdr header;
    struct ifinfomsg info;
    memcpy(&header, at, sizeof header);
    switch (header.nlmsg_type) {
    case RTM_NEWADDR:
    case RTM_NEWROUTE:
        return true;
    case RTM_NEWLINK:
        if (size < NLMSG_HDRLEN + sizeof info) return false;
        memcpy(&info, at + NLMSG_HDRLEN, sizeof info);
        return (info.ifi_flags & IFF_UP) && (info.ifi_flags & IFF_RUNNING);
    default:
        return false;
    }
}

static bool datagram_means_up(const uint8_t *at, size_t left)
{
    while (left >= sizeof(struct nlmsghdr)) {
        uint32_t size;
        memcpy(&size, at + offsetof(struct nlmsghdr, nlmsg_len), sizeof size);
        if (size < sizeof(struct nlmsghdr) || size > left) return false;
        if (message_means_up(at, size)) return true;
        size_t step = NLMSG_ALIGN((size_t)size);
        if (step > left) return false;
        at += step;
        left -= step;
    }
    return false;
}

bool netwatch_read(int fd)
{
    uint8_t buffer[8192];
    bool up = false;
    for (;;) {
        ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == ENOBUFS) { /* news were lost: assume the best */
            up = true;
            continue;
        }
        if (got <= 0) return up;
        if (datagram_means_up(buffer, (size_t)got)) up = true;
    }
}
