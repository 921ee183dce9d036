#include "node/link/zmq_link_base.h"

#include <stdlib.h>

static struct zmq_link *of(const struct link *l)
{
    return (struct zmq_link *)(uintptr_t)l;
}

enum err zmq_link_context_open(struct zmq_link_context **out)
{
    struct zmq_link_context *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    enum err err = zmtp_open(&c->zmtp);
    if (err) {
        free(c);
        return err;
    }
    *out = c;
    return OK;
}

void zmq_link_context_close(struct zmq_link_context *c)
{
    if (!c) return;
    zmtp_close(c->zmtp);
    free(c);
}

uint64_t zmq_link_handle(struct zmq_link_context *c, uint32_t route)
{
    return (uint64_t)++c->handles << 32 | route;
}

const char *zmq_link_address(const struct link *l)
{
    return zmtp_endpoint(of(l)->socket);
}

int zmq_link_fd(const struct link *l)
{
    return zmtp_fd(of(l)->socket);
}

int zmq_link_wait_ms(struct link *l)
{
    return of(l)->ops->wait_ms(of(l));
}

void zmq_link_tick(struct link *l, uint64_t now_ms)
{
    of(l)->now_ms = now_ms;
    of(l)->ops->tick(of(l));
}

enum err zmq_link_health(const struct link *l)
{
    return of(l)->health;
}

bool zmq_link_ended(const struct link *l, enum err *err, const char **text)
{
    if (!of(l)->ended) return false;
    *err = of(l)->end_err;
    *text = of(l)->end_text;
    return true;
}

struct zmq_link_counts zmq_link_counts(const struct link *l)
{
    return of(l)->counts;
}
