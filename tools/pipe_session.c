#include "tools/pipe_session.h"

#include "node/clock.h"

#include <stdio.h>
#include <string.h>

enum {
    WAIT_MAX_MS = 100,
    CLOCK_FRESH_MS = 1000,
    LAST_WORDS_MS = 10000,
    SETTLED_MS = 20000,
    LOG_WARN_LEVEL = 1
};

struct running {
    struct cli *cli;
    const struct pipe_session_options *options;
    struct pipe_session_done *out;
    struct link *link;
    struct exchange *x;
    struct exchange_time time;
    uint64_t started_ms, clock_read_ms;
    uint64_t heard_ms, received; /* when something of a proven peer came last */
    uint64_t seen_txn;
    struct exchange_link shown;
    struct exchange_moved moved;
};

static void keep_log(void *state, int level, const char *text)
{
    struct running *r = state;
    if (level <= LOG_WARN_LEVEL) snprintf(r->out->text, sizeof r->out->text, "%s", text);
    if (r->cli->verbose > 0 && !r->cli->json) fprintf(stderr, "%s\n", text);
}

static bool admit(void *state, const struct box_key *key)
{
    struct running *r = state;
    return exchange_admit(r->x, key, r->time.clock.wall_ms) == LINK_DEVICE;
}

static enum err read_time(struct running *r)
{
    struct txn *t;
    uint64_t now_ms = clock_monotonic_ms();
    r->time.clock.wall_ms += now_ms - r->time.now_ms;
    r->time.now_ms = now_ms;
    if (r->clock_read_ms && now_ms - r->clock_read_ms < CLOCK_FRESH_MS) return OK;
    enum err err = txn_begin(r->cli->store, false, &t);
    if (err) return err;
    clock_read(t, &r->time.clock);
    txn_abort(t);
    r->clock_read_ms = now_ms;
    return OK;
}

/* What other processes committed is seen before each turn, as a running node does. */
static enum err turn(struct running *r, bool *more)
{
    enum err err = read_time(r);
    pipe_link_tick(r->link, r->time.now_ms);
    uint64_t txn = store_last_txn(r->cli->store);
    if (!err && txn != r->seen_txn) err = exchange_refresh(r->x, &r->time);
    if (!err) r->seen_txn = txn;
    if (!err) err = exchange_turn(r->x, &r->time, more);
    exchange_link(r->x, r->link, &r->shown);
    exchange_moved(r->x, r->link, &r->moved);
    return err;
}

static void look_at_peer(struct running *r)
{
    struct pipe_link_counts counts = pipe_link_counts(r->link);
    if (pipe_link_up(r->link) && counts.received != r->received) r->heard_ms = r->time.now_ms;
    r->received = counts.received;
    if (!r->shown.session.greeted || r->out->met) return;
    r->out->met = true;
    if (r->options->met) r->options->met(r->cli);
}

static void wait_for(const struct running *r)
{
    struct pollfd fds[2];
    uint64_t deadline_ms = exchange_deadline(r->x, r->time.now_ms);
    uint64_t wait_ms = pipe_link_wait_ms(r->link);
    if (deadline_ms < wait_ms) wait_ms = deadline_ms;
    if (wait_ms > WAIT_MAX_MS) wait_ms = WAIT_MAX_MS;
    pipe_link_poll(r->link, fds);
    poll(fds, 2, (int)wait_ms);
}

/* The goodbye goes out, or the line is too slow for it. */
static enum err last_words(struct running *r)
{
    bool more;
    enum err err = OK, why;
    const char *text;
    uint64_t until_ms = r->time.now_ms + LAST_WORDS_MS;
    exchange_finish(r->x, r->link);
    do {
        err = turn(r, &more);
        if (r->link->ops->waiting(r->link) == 0 || pipe_link_over(r->link, &why, &text)) break;
        wait_for(r);
    } while (!err && r->time.now_ms < until_ms && !pipe_line_stopped());
    return err;
}

static void keep_text(struct running *r, const char *text)
{
    snprintf(r->out->text, sizeof r->out->text, "%s", text);
}

static enum err line_ended(struct running *r, enum err why, const char *text)
{
    if (r->moved.settled && !r->options->calling) return OK; /* who called took his leave */
    keep_text(r, text);
    return why;
}

/* Who answered and had nothing left to do waits for one more call: the goodbye may have been lost,
 * or what was said before it. */
static bool is_late(const struct running *r)
{
    uint64_t since_ms = r->options->calling ? r->started_ms : r->heard_ms;
    uint64_t limit_ms = r->options->limit_ms;
    bool left = r->moved.settled && !r->options->calling && !pipe_link_up(r->link);
    if (left && limit_ms > SETTLED_MS) limit_ms = SETTLED_MS;
    return r->time.now_ms - since_ms >= limit_ms;
}

static enum err run(struct running *r)
{
    enum err why;
    const char *text;
    for (;;) {
        bool more = false;
        enum err err = turn(r, &more);
        if (err) return err;
        look_at_peer(r);
        if (r->moved.refused) return ERR_FORBIDDEN;
        bool live = r->shown.state == EXCHANGE_LINK_LIVE && r->shown.session.greeted;
        if (live) r->out->unsent = r->shown.session.unsent;
        if (r->options->calling && live && r->shown.session.idle && !r->shown.carrying)
            return last_words(r);
        if (!r->options->calling && r->moved.goodbyes) return last_words(r);
        if (pipe_link_over(r->link, &why, &text)) return line_ended(r, why, text);
        if (pipe_line_stopped()) return ERR_AGAIN;
        if (is_late(r)) return line_ended(r, ERR_TIMEOUT, "");
        if (!more) wait_for(r);
    }
}

static void count(struct running *r)
{
    struct pipe_link_counts counts = pipe_link_counts(r->link);
    r->out->peer = r->moved.peer;
    r->out->sent = r->moved.sent_events;
    r->out->received = r->moved.received_events;
    r->out->bytes =
        r->moved.bytes + r->moved.frames * PIPE_FRAME_OVERHEAD + counts.met * PIPE_HANDSHAKE_SIZE;
    r->out->damaged = counts.damaged;
    r->out->for_others = counts.for_others;
    r->out->denied = counts.denied;
    r->out->ms = clock_monotonic_ms() - r->started_ms;
}

static enum err open_link(struct running *r)
{
    const struct pipe_session_options *o = r->options;
    const struct pipe_link_options options = {
        .in = o->line->in,
        .out = o->line->out,
        .township = store_identity(r->cli->store)->township,
        .calling = o->calling,
        .keys = o->peers->keys,
        .key_count = o->peers->count,
        .admit = admit,
        .state = r,
    };
    enum err err = pipe_link_open(&r->link, &options);
    return err ? err : exchange_add_link(r->x, r->link, o->calling);
}

enum err pipe_session_run(struct cli *cli, const struct pipe_session_options *options,
                          struct pipe_session_done *out)
{
    struct running r = {.cli = cli, .options = options, .out = out};
    /* No month's limit: this is not the link that it is for. */
    const struct exchange_options exchange = {.store = cli->store,
                                              .views = cli->views,
                                              .keys = &cli->keys,
                                              .courier_home = cli->home,
                                              .log = keep_log,
                                              .log_state = &r};
    *out = (struct pipe_session_done){0};
    r.started_ms = r.heard_ms = r.time.now_ms = clock_monotonic_ms();
    enum err err = exchange_open(&r.x, &exchange);
    if (!err) err = open_link(&r);
    if (!err) err = run(&r);
    if (r.link) count(&r);
    exchange_close(r.x);
    if (r.link) r.link->ops->close(r.link);
    return err;
}
