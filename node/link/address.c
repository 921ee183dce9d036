#include "node/link/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool host_is_numeric(const char *host)
{
    struct in6_addr any;
    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

static bool host_is_name(const char *host)
{
    for (const char *c = host; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.' && *c != '_') return false;
    return *host != 0 && *host != '-' && *host != '.';
}

/* Splits "HOST:PORT" or "[HOST]:PORT"; *port is left pointing at the digits. */
static enum err split(struct address *out, const char *text, const char **port)
{
    const char *host = text, *end;
    if (*text == '[') {
        host = text + 1;
        end = strchr(host, ']');
        if (!end || end[1] != ':') return ERR_MALFORMED;
        *port = end + 2;
    } else {
        end = strchr(host, ':');
        if (!end || strchr(end + 1, ':')) return ERR_MALFORMED;
        *port = end + 1;
    }
    size_t size = (size_t)(end - host);
    if (size == 0 || size >= sizeof out->host) return ERR_MALFORMED;
    memcpy(out->host, host, size);
    out->host[size] = 0;
    return OK;
}

enum err address_parse(struct address *out, const char *text, enum address_use use)
{
    static const char scheme[] = "tcp://";
    struct address a;
    const char *digits;
    if (strncmp(text, scheme, sizeof scheme - 1)) return ERR_MALFORMED;
    enum err err = split(&a, text + sizeof scheme - 1, &digits);
    if (err) return err;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || digits[count]) return ERR_MALFORMED;
    unsigned long port = count <= 5 ? strtoul(digits, NULL, 10) : 65536;
    if (port > 65535 || (port == 0 && use == ADDRESS_DIAL)) return ERR_RANGE;
    a.port = (uint16_t)port;
    bool any = use == ADDRESS_LISTEN && !strcmp(a.host, "*");
    a.numeric = any || host_is_numeric(a.host);
    if (!a.numeric && use == ADDRESS_LISTEN) return ERR_RANGE;
    if (!a.numeric && !host_is_name(a.host)) return ERR_MALFORMED;
    *out = a;
    return OK;
}

void address_format(char *out, size_t size, const char *host, uint16_t port)
{
    const char *form = strchr(host, ':') ? "tcp://[%s]:%u" : "tcp://%s:%u";
    snprintf(out, size, form, host, (unsigned)port);
}
