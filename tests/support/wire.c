#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/wire.h"

#include <string.h>

struct wire wire_up(struct meeting_node *from, struct meeting_node *to)
{
    struct wire w = {.from = from, .to = to};
    pipe_open(&w.pipe, &w.dialled, &from->keys.transport, &w.listening, &to->keys.transport);
    assert_int_equal(exchange_add_link(from->exchange, w.dialled, true), OK);
    assert_int_equal(exchange_add_link(to->exchange, w.listening, false), OK);
    return w;
}

static bool is_idle(const struct meeting_node *n)
{
    struct exchange_peer peers[4];
    size_t count = exchange_peers(n->exchange, peers, 4);
    for (size_t i = 0; i < count; i++)
        if (!peers[i].status.idle) return false;
    return count > 0;
}

void wire_rest(struct wire *w)
{
    for (unsigned i = 0; i < 400 && !(is_idle(w->from) && is_idle(w->to)); i++) {
        meeting_turn(w->from);
        meeting_turn(w->to);
    }
    assert_true(is_idle(w->from) && is_idle(w->to));
}

void wire_down(struct wire *w)
{
    exchange_remove_link(w->from->exchange, w->dialled);
    exchange_remove_link(w->to->exchange, w->listening);
    pipe_close(w->pipe);
    meeting_turn(w->from);
    meeting_turn(w->to);
}

void wire_meet(struct meeting_node *from, struct meeting_node *to)
{
    struct wire w = wire_up(from, to);
    wire_rest(&w);
    wire_down(&w);
}

void wire_node_begin(struct meeting_node *n, const struct township_device *d, size_t count)
{
    memset(n, 0, sizeof *n);
    meeting_node_open(n, d);
    for (size_t i = 0; i < meeting.township.event_count; i++) {
        struct event *const *e = &meeting.township.events[i];
        bool own = sign_key_equal(&(*e)->feed.author, &d->signer.key);
        if (own || i < count) township_node_take(&n->store, e, 1);
    }
    meeting_node_start(n);
}

void wire_node_end(struct meeting_node *n)
{
    meeting_node_stop(n);
    township_node_close(&n->store);
}

void wire_node_refresh(struct meeting_node *n)
{
    struct exchange_time time = meeting_time();
    assert_int_equal(exchange_refresh(n->exchange, &time), OK);
}

void wire_node_take(struct meeting_node *n, const struct event *e)
{
    struct event *one = (struct event *)(uintptr_t)e;
    township_node_take(&n->store, &one, 1);
    wire_node_refresh(n);
}
