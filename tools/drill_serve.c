/* The drill's hub: a copy of this one's store, on loopback. It dials nobody, and what a hub does
 * besides is not done. */
#include "tools/drill.h"

#include "node/exchange.h"
#include "node/key_change.h"
#include "node/link/zmq_link.h"
#include "node/store/local.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define WAIT_MAX_MS 100
#define LOOPBACK "tcp://127.0.0.1:0"

struct serving {
    struct drill *drill;
    struct cli cli;
    struct zmq_link_context *zmq;
    struct exchange *exchange;
    struct link *listener;
    struct exchange_time time;
};

static enum link_admission admit(void *state, const struct box_key *key)
{
    struct serving *s = state;
    return exchange_admit(s->exchange, key, s->time.clock.wall_ms);
}

static enum err read_time(struct serving *s)
{
    struct txn *t;
    s->time.now_ms = clock_monotonic_ms();
    enum err err = txn_begin(s->cli.store, false, &t);
    if (err) return err;
    clock_read(t, &s->time.clock);
    txn_abort(t);
    return OK;
}

/* The transport key that the invite names. */
static enum err served(struct serving *s, const struct box_secret **out)
{
    struct txn *t;
    const struct roster *roster;
    struct box_key key = s->cli.keys.transport;
    enum err err = txn_begin(s->cli.store, false, &t);
    if (err) return err;
    err = views_roster(s->cli.views, t, &roster);
    const struct device *self =
        err ? NULL : roster_device(roster, &store_identity(s->cli.store)->device);
    if (self) key_change_served(t, roster, self, s->time.clock.wall_ms, &key);
    txn_abort(t);
    *out = device_keys_transport(&s->cli.keys, &key);
    return err || *out ? err : ERR_NOT_FOUND;
}

static enum err listen_here(struct serving *s)
{
    const struct exchange_options options = {
        .store = s->cli.store, .views = s->cli.views, .keys = &s->cli.keys};
    const struct box_secret *secret = NULL;
    struct drill *d = s->drill;
    enum err err = read_time(s);
    if (!err) err = served(s, &secret);
    if (!err) err = exchange_open(&s->exchange, &options);
    if (!err) err = zmq_link_context_open(&s->zmq);
    if (!err) err = zmq_link_listen(&s->listener, s->zmq, LOOPBACK, secret, admit, s);
    if (!err) err = exchange_add_link(s->exchange, s->listener, false);
    if (err) return err;
    snprintf(d->seen->address, sizeof d->seen->address, "%s", zmq_link_address(s->listener));
    return write(d->ready[1], "", 1) == 1 ? OK : ERR_IO;
}

static enum err turns(struct serving *s)
{
    enum err err = OK;
    for (bool more = false; !err;) {
        int wait_ms = more ? 0 : zmq_link_wait_ms(s->listener);
        if (wait_ms < 0 || wait_ms > WAIT_MAX_MS) wait_ms = WAIT_MAX_MS;
        struct pollfd p = {.fd = zmq_link_fd(s->listener), .events = POLLIN};
        poll(&p, 1, wait_ms);
        err = read_time(s);
        zmq_link_tick(s->listener, s->time.now_ms);
        if (!err) err = exchange_turn(s->exchange, &s->time, &more);
        if (!err) err = zmq_link_health(s->listener);
    }
    return err;
}

int drill_serve(void *state)
{
    struct serving s = {.drill = state};
    s.cli = (struct cli){.home = s.drill->cli->home, .command = s.drill->cli->command};
    s.cli.keys = s.drill->cli->keys;
    s.cli.has_keys = true;
    int code = drill_open_copy(s.drill, &s.cli, true);
    if (code) return code;
    enum err err = listen_here(&s);
    if (!err) err = turns(&s); /* until it is killed: the folder is thrown away */
    return cli_fail(&s.cli, err, _("the copy of the hub cannot be reached"));
}
