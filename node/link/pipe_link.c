#include "node/link/pipe_link_base.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define STALLED_MS 1500u

static struct pipe_link *pipe_of(struct link *l)
{
    return (struct pipe_link *)l;
}

static const struct pipe_link *pipe_of_const(const struct link *l)
{
    return (const struct pipe_link *)l;
}

/* --- the descriptors ----------------------------------------------------------------------- */

static bool waits(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* False: there is nothing to read now. */
static bool fill(struct pipe_link *p)
{
    if (p->state == PIPE_OVER) return false;
    if (p->raw_at < p->raw_size) return true;
    ssize_t got = read(p->options.in, p->raw, sizeof p->raw);
    p->raw_at = p->raw_size = 0;
    if (got > 0) {
        p->raw_size = (size_t)got;
        p->counts.received += (uint64_t)got;
        p->heard_ms = p->now_ms;
        return true;
    }
    bool there = got < 0 && waits(errno) && !p->deaf;
    if (!there) pipe_end(p, ERR_UNREACHABLE, N_("the other end closed the line"));
    return false;
}

/* What went out is taken off, so that a line that is never idle costs no more. */
static void shorten(struct pipe_link *p)
{
    if (p->queue_at < PIPE_QUEUE_MAX) return;
    memmove(p->queue.data, p->queue.data + p->queue_at, p->queue.size - p->queue_at);
    p->queue.size -= p->queue_at;
    p->queue_at = 0;
}

/* Where the other end takes nothing any more, what it said before is read all the same. */
static void flush(struct pipe_link *p)
{
    while (!p->deaf && p->queue_at < p->queue.size) {
        ssize_t put =
            write(p->options.out, p->queue.data + p->queue_at, p->queue.size - p->queue_at);
        if (put < 0 && waits(errno)) {
            shorten(p);
            return;
        }
        p->deaf = put <= 0;
        if (put > 0) p->queue_at += (size_t)put;
        if (put > 0) p->counts.sent += (uint64_t)put;
    }
    pipe_queue_forget(p);
}

/* What comes next on the line. False: nothing now. */
static bool take_some(struct pipe_link *p)
{
    enum packet_found found;
    struct packet packet;
    if (!fill(p)) return false;
    p->raw_at += packet_read(&p->reader, slice_of(p->raw + p->raw_at, p->raw_size - p->raw_at),
                             &found, &packet);
    if (found == PACKET_WHOLE)
        pipe_take_packet(p, &packet);
    else if (found == PACKET_DAMAGED && (p->state == PIPE_UP || p->state == PIPE_ANSWERED))
        pipe_lost(p);
    else if (found == PACKET_DAMAGED)
        p->counts.skipped++;
    return true;
}

/* --- the link ------------------------------------------------------------------------------ */

static bool tell(struct pipe_link *p, struct link_event *out)
{
    *out = (struct link_event){.peer = p->peer, .key = p->key};
    if (p->down_due) {
        p->down_due = false;
        out->type = LINK_DOWN;
        out->peer = p->down_peer;
        out->err = p->why;
        out->text = p->text;
        return true;
    }
    if (p->up_due) {
        p->up_due = false;
        out->type = LINK_UP;
        return true;
    }
    if (!p->frame_due) return false;
    p->frame_due = false;
    p->frame_given = true;
    out->type = LINK_FRAME;
    out->frame = buf_slice(&p->frame);
    return true;
}

static bool pipe_next(struct link *l, struct link_event *out)
{
    struct pipe_link *p = pipe_of(l);
    if (p->frame_given) buf_reset(&p->frame);
    p->frame_given = false;
    while (!tell(p, out))
        if (!take_some(p)) {
            flush(p);
            return tell(p, out);
        }
    return true;
}

static enum err pipe_send(struct link *l, uint64_t peer, struct slice frame)
{
    struct pipe_link *p = pipe_of(l);
    uint8_t part[1 + PIPE_PART_MAX];
    struct buf sealed = {0};
    if (p->state != PIPE_UP || peer != p->peer) return ERR_NOT_FOUND;
    if (!frame.size || frame.size > FRAME_SIZE_MAX) return ERR_LIMIT;
    if (p->queue.size - p->queue_at > PIPE_QUEUE_MAX) return ERR_AGAIN;
    for (size_t at = 0; at < frame.size;) {
        size_t size = frame.size - at < PIPE_PART_MAX ? frame.size - at : PIPE_PART_MAX;
        memcpy(part + 1, frame.data + at, size);
        at += size;
        part[0] = at == frame.size ? PIPE_LAST_PART : PIPE_PART;
        buf_reset(&sealed);
        if (noise_seal(&p->sending, &sealed, slice_of(part, 1 + size))) break;
        packet_write(&p->queue, PACKET_DATA, buf_slice(&sealed));
    }
    enum err err = sealed.err ? sealed.err : p->queue.err;
    buf_clear(&sealed);
    if (err) pipe_end(p, err, "out of memory");
    flush(p);
    return OK;
}

/* Its last words stay in the queue. */
static void pipe_drop(struct link *l, uint64_t peer)
{
    struct pipe_link *p = pipe_of(l);
    if (p->state != PIPE_UP || peer != p->peer) return;
    p->up_due = false;
    pipe_leave(p);
}

static void pipe_close_link(struct link *l)
{
    struct pipe_link *p = pipe_of(l);
    buf_clear(&p->answer);
    buf_clear(&p->frame);
    buf_clear(&p->queue);
    crypto_wipe(p->keys, p->options.key_count * sizeof *p->keys);
    free(p->keys);
    crypto_wipe(p, sizeof *p);
    free(p);
}

static uint64_t pipe_waiting(const struct link *l)
{
    const struct pipe_link *p = pipe_of_const(l);
    return p->queue.size - p->queue_at;
}

static uint64_t pipe_partial(struct link *l, uint64_t peer)
{
    const struct pipe_link *p = pipe_of(l);
    if (p->state != PIPE_UP || peer != p->peer) return UINT64_MAX;
    return p->frame.size + p->reader.size;
}

static const struct link_ops ops = {
    .next = pipe_next,
    .send = pipe_send,
    .drop = pipe_drop,
    .close = pipe_close_link,
    .waiting = pipe_waiting,
    .partial = pipe_partial,
};

enum err pipe_link_open(struct link **out, const struct pipe_link_options *options)
{
    struct pipe_link *p = calloc(1, sizeof *p);
    struct pipe_keys *keys = calloc(options->key_count, sizeof *keys);
    if (!p || !keys) {
        free(p);
        free(keys);
        return ERR_NOMEM;
    }
    memcpy(keys, options->keys, options->key_count * sizeof *keys);
    p->base.ops = &ops;
    p->options = *options;
    p->keys = keys;
    p->state = options->calling ? PIPE_CALL_DUE : PIPE_QUIET;
    *out = &p->base;
    return OK;
}

void pipe_link_poll(const struct link *l, struct pollfd out[2])
{
    const struct pipe_link *p = pipe_of_const(l);
    bool over = p->state == PIPE_OVER;
    out[0] = (struct pollfd){.fd = over ? -1 : p->options.in, .events = POLLIN};
    out[1] =
        (struct pollfd){.fd = over || !pipe_waiting(l) ? -1 : p->options.out, .events = POLLOUT};
}

/* On a line that lost something before, half a packet that does not go on: the break took the rest.
 * Where nothing is ever lost it may take as long as it likes. */
static uint64_t stalled_at(const struct pipe_link *p)
{
    bool waits = p->state == PIPE_UP && p->counts.damaged && p->reader.size;
    return waits ? p->heard_ms + STALLED_MS : UINT64_MAX;
}

static uint64_t due_at(const struct pipe_link *p)
{
    if (p->state == PIPE_CALL_DUE || p->state == PIPE_CALLED || p->state == PIPE_ANSWERED)
        return p->call_ms;
    if (p->state == PIPE_QUIET) return p->again_wait_ms ? p->again_ms : UINT64_MAX;
    return stalled_at(p);
}

uint64_t pipe_link_wait_ms(const struct link *l)
{
    const struct pipe_link *p = pipe_of_const(l);
    if (p->down_due || p->up_due || p->frame_due || p->raw_at < p->raw_size) return 0;
    uint64_t at_ms = due_at(p);
    if (at_ms == UINT64_MAX) return UINT64_MAX;
    return at_ms > p->now_ms ? at_ms - p->now_ms : 0;
}

void pipe_link_tick(struct link *l, uint64_t now_ms)
{
    struct pipe_link *p = pipe_of(l);
    p->now_ms = now_ms;
    bool due = now_ms >= due_at(p);
    if (due && p->state == PIPE_CALL_DUE)
        pipe_call(p);
    else if (due && p->state == PIPE_CALLED)
        pipe_call_once_more(p);
    else if (due && p->state == PIPE_QUIET)
        pipe_ask_again(p);
    else if (due)
        pipe_lost(p);
    if (p->queue.err) pipe_end(p, p->queue.err, "out of memory");
    flush(p);
}

bool pipe_link_over(const struct link *l, enum err *err, const char **text)
{
    const struct pipe_link *p = pipe_of_const(l);
    if (p->state != PIPE_OVER) return false;
    *err = p->why;
    *text = p->text;
    return true;
}

bool pipe_link_up(const struct link *l)
{
    return pipe_of_const(l)->state == PIPE_UP;
}

struct pipe_link_counts pipe_link_counts(const struct link *l)
{
    return pipe_of_const(l)->counts;
}
