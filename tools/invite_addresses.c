#include "tools/invite_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "node/link/address.h"

static int add_address(struct cli *cli, struct invite *invite, const char *address)
{
    struct address parsed;
    if (strlen(address) >= ADDRESS_SIZE_MAX ||
        address_parse(&parsed, address, ADDRESS_DIAL) != OK) {
        return cli_error(cli, EXIT_USAGE,
                         cli_format(cli, _("\"%s\" is no address of a hub"), address), NULL,
                         _("write it like tcp://10.8.0.1:7300"));
    }
    if (invite->address_count < INVITE_ADDRESSES_MAX) {
        snprintf(invite->addresses[invite->address_count++], ADDRESS_SIZE_MAX, "%s", address);
    }
    return EXIT_OK;
}

/* The hub listens on every interface: the addresses this machine has, loopback apart. */
static void add_interfaces(struct cli *cli, struct invite *invite, const char *port)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) {
        return;
    }
    for (struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
        char host[INET_ADDRSTRLEN];
        char address[ADDRESS_SIZE_MAX];
        struct sockaddr_in in;
        if (a->ifa_addr == NULL || a->ifa_addr->sa_family != AF_INET ||
            (a->ifa_flags & IFF_LOOPBACK) || !(a->ifa_flags & IFF_UP)) {
            continue;
        }
        memcpy(&in, a->ifa_addr, sizeof in);
        if (inet_ntop(AF_INET, &in.sin_addr, host, sizeof host) != NULL) {
            snprintf(address, sizeof address, "tcp://%s%s", host, port);
            if (add_address(cli, invite, address) != EXIT_OK) {
                break;
            }
        }
    }
    freeifaddrs(all);
}

int invite_addresses(struct cli *cli, struct invite *invite)
{
    size_t at = 0;
    for (const char *given; (given = cli_flag_each(cli, "--hub", &at)) != NULL;) {
        int code = add_address(cli, invite, given);
        if (code != EXIT_OK) {
            return code;
        }
    }
    int code = cli_open_settings(cli);
    if (code != EXIT_OK || invite->address_count > 0) {
        return code;
    }
    const char *listen = cli->settings.listen;
    const char *port = strrchr(listen, ':');
    bool any_port = port != NULL && strcmp(port, ":0") == 0;
    if (port != NULL && !any_port &&
        (strncmp(listen, "tcp://0.0.0.0", 13) == 0 || strncmp(listen, "tcp://*", 7) == 0)) {
        add_interfaces(cli, invite, port);
    } else if (port != NULL && !any_port && strncmp(listen, "tcp://[::]", 10) != 0) {
        return add_address(cli, invite, listen);
    }
    if (invite->address_count == 0) {
        return cli_error(cli, EXIT_USAGE, _("it is not known where the villages find this hub"),
                         cli_format(cli, _("it listens on \"%s\""), listen),
                         _("add --hub tcp://ADDRESS:PORT"));
    }
    return EXIT_OK;
}
