#define _GNU_SOURCE /* getaddrinfo_a */
#include "node/link/resolve.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct resolve {
    struct address address;
    struct addrinfo hints;
    struct gaicb request;
    struct resolve *next; /* in `left` */
};

/* Abandoned while glibc still writes to them; freed when they ended. The library's own limit of 20
 * threads bounds how many run. */
static struct resolve *left;

static void free_ended(void)
{
    for (struct resolve **at = &left; *at;) {
        struct resolve *r = *at;
        if (gai_error(&r->request) == EAI_INPROGRESS) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        if (r->request.ar_result) freeaddrinfo(r->request.ar_result);
        free(r);
    }
}

enum err resolve_begin(struct resolve **out, const struct address *address)
{
    free_ended();
    struct resolve *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    r->address = *address;
    if (!address->numeric) {
        struct gaicb *list[1] = {&r->request};
        r->hints = (struct addrinfo){.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
        r->request = (struct gaicb){.ar_name = r->address.host, .ar_request = &r->hints};
        if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL)) {
            free(r);
            return ERR_NOMEM;
        }
    }
    *out = r;
    return OK;
}

enum err resolve_poll(struct resolve *r, char *endpoint, size_t size)
{
    char host[ADDRESS_HOST_SIZE];
    if (r->address.numeric) {
        address_format(endpoint, size, r->address.host, r->address.port);
        return OK;
    }
    int state = gai_error(&r->request);
    if (state == EAI_INPROGRESS) return ERR_AGAIN;
    const struct addrinfo *found = state ? NULL : r->request.ar_result;
    if (!found ||
        getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST))
        return ERR_UNREACHABLE;
    address_format(endpoint, size, host, r->address.port);
    return OK;
}

void resolve_free(struct resolve *r)
{
    if (!r) return;
    if (!r->address.numeric) {
        gai_cancel(&r->request);
        r->next = left;
        left = r;
        free_ended();
        return;
    }
    free(r);
}
