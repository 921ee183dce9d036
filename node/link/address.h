#pragma once
/*
 * Addresses as ZeroMQ writes them: "tcp://HOST:PORT", "tcp://[IPV6]:PORT".
 */
#include "common/bytes.h"

#define ADDRESS_HOST_SIZE 112

struct address {
    char host[ADDRESS_HOST_SIZE]; /* without brackets; "*" only to listen */
    uint16_t port;                /* 0 only to listen: any */
    bool numeric;                 /* an IP address or "*", nothing to look up */
};

enum address_use { ADDRESS_LISTEN, ADDRESS_DIAL };

/* To listen the host must be numeric. Errors: ERR_MALFORMED (form), ERR_RANGE (port, host). */
MUST_CHECK enum err address_parse(struct address *out, const char *text, enum address_use use);
/* Back to text, for a socket. `size` at least ADDRESS_HOST_SIZE + 16. */
void address_format(char *out, size_t size, const char *host, uint16_t port);
